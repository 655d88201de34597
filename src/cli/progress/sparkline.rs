//! A row of bars a line high.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A column for each value: a bar in proportion to it, from nothing to `greatest`, the lowest of which stands for whatever is
/// small; a gap where there is none.
pub(super) fn sparkline(values: impl IntoIterator<Item = Option<u64>>, greatest: u64) -> String {
    let bar = |value: u64| {
        let eighths = (u128::from(value) * BARS.len() as u128).div_ceil(u128::from(greatest.max(1)));
        BARS[usize::try_from(eighths).unwrap_or(usize::MAX).clamp(1, BARS.len()) - 1]
    };
    values.into_iter().map(|value| value.map_or(' ', bar)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bars_are_in_proportion_and_nothing_is_a_gap() {
        let values = [Some(0), Some(1), Some(100), Some(101), None, Some(400), None, Some(799), Some(800)];
        assert_eq!(sparkline(values, 800), "▁▁▁▂ ▄ ██");
        assert_eq!(sparkline([Some(0), None], 0), "▁ ");
        assert_eq!(sparkline([Some(u64::MAX)], u64::MAX), "█");
    }

    proptest! {
        #[test]
        fn greater_is_never_lower(mut values in prop::collection::vec(any::<u64>(), 1..50)) {
            values.sort_unstable();
            let bars: Vec<char> = sparkline(values.iter().copied().map(Some), *values.last().unwrap()).chars().collect();
            prop_assert_eq!(bars.len(), values.len());
            prop_assert!(bars.is_sorted(), "{:?}", bars);
            prop_assert!(*values.last().unwrap() == 0 || bars.last() == Some(&'█'));
        }
    }
}
