//! Numbers: uniform, Zipf, normal and sequences, for every numeric type.

use rand_distr::{Distribution, Normal, Zipf};

use super::{cell::Cell, column_type::ColumnType, decimal::Decimal, random::Random};

/// Digits after the point that an `i64` can hold beside one before it.
const MAX_DECIMALS: u32 = 18;

/// The numeric types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberType {
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
}

/// How a number is made.
#[derive(Debug, Clone)]
pub(super) enum NumberLaw {
    /// `start + step * (row % terms)`: past what the type can hold it starts over.
    Sequence { start: i64, step: i64, terms: u64 },
    /// Whole units of `10^-scale`.
    Uniform { min: i64, max: i64, scale: u32 },
    /// `min..max` with every bit that a float has.
    UniformFloat { min: f64, max: f64 },
    /// Rank 1 is `min`.
    Zipf { min: i64, max: i64, law: Zipf<f64> },
    /// Rounded to whole units of `10^-scale`.
    Normal { law: Normal<f64>, min: i64, max: i64, scale: u32 },
    /// Not rounded.
    NormalFloat { law: Normal<f64>, min: f64, max: f64 },
}

impl NumberType {
    /// The numeric type that `ty` is, if it is one.
    pub(super) fn of(ty: &ColumnType) -> Option<Self> {
        Some(match ty {
            ColumnType::Int2 => Self::Int2,
            ColumnType::Int4 => Self::Int4,
            ColumnType::Int8 => Self::Int8,
            ColumnType::Float4 => Self::Float4,
            ColumnType::Float8 => Self::Float8,
            ColumnType::Numeric => Self::Numeric,
            _ => return None,
        })
    }

    fn is_float(self) -> bool {
        matches!(self, Self::Float4 | Self::Float8)
    }

    /// Smallest and largest whole number of it.
    pub(super) fn range(self) -> (i64, i64) {
        match self {
            Self::Int2 => (i16::MIN.into(), i16::MAX.into()),
            Self::Int4 => (i32::MIN.into(), i32::MAX.into()),
            Self::Int8 | Self::Float4 | Self::Float8 | Self::Numeric => (i64::MIN, i64::MAX),
        }
    }

    /// `units / 10^scale`; units are within [`NumberType::range`], and the scale is 0 but for numerics.
    #[inline]
    fn whole(self, units: i64, scale: u32) -> Cell<'static> {
        match self {
            Self::Int2 => Cell::Int2(units as i16),
            Self::Int4 => Cell::Int4(units as i32),
            Self::Int8 => Cell::Int8(units),
            Self::Float4 => Cell::Float4(units as f32),
            Self::Float8 => Cell::Float8(units as f64),
            Self::Numeric => Cell::Numeric(Decimal { unscaled: units, scale }),
        }
    }

    fn float(self, value: f64) -> Cell<'static> {
        if self == Self::Float4 { Cell::Float4(value as f32) } else { Cell::Float8(value) }
    }
}

impl NumberLaw {
    /// `start`, `start + step`, ..; over `rows` rows where they are known, else for ever, starting over where the type ends.
    pub(super) fn sequence(start: i64, step: i64, rows: Option<u64>, ty: NumberType) -> Result<Self, String> {
        let (least, most) = ty.range();
        if !(least..=most).contains(&start) {
            return Err(format!("its start {start} is outside {least} to {most}"));
        }
        let room = if step < 0 { i128::from(start) - i128::from(least) } else { i128::from(most) - i128::from(start) };
        let terms = match step {
            0 => u64::MAX,
            _ => u64::try_from(room / i128::from(step).abs() + 1).unwrap_or(u64::MAX),
        };
        match rows {
            Some(rows) if rows > terms => Err(format!("its range ends after {terms} of {rows} rows")),
            _ => Ok(Self::Sequence { start, step, terms }),
        }
    }

    pub(super) fn uniform(min: f64, max: f64, decimals: u32, ty: NumberType) -> Result<Self, String> {
        if ty.is_float() {
            return ordered(min, max).map(|()| Self::UniformFloat { min, max });
        }
        let scale = scale_of(decimals, ty);
        let (min, max) = units(min, max, scale, ty)?;
        Ok(Self::Uniform { min, max, scale })
    }

    pub(super) fn zipf(min: i64, max: i64, exponent: f64, ty: NumberType) -> Result<Self, String> {
        let (least, most) = ty.range();
        if min > max || min < least || max > most {
            return Err(format!("its range {min} to {max} is not within {least} to {most}"));
        }
        let ranks = (i128::from(max) - i128::from(min) + 1) as f64;
        let law = Zipf::new(ranks, exponent).map_err(|cause| format!("exponent {exponent}: {cause}"))?;
        Ok(Self::Zipf { min, max, law })
    }

    pub(super) fn normal(
        mean: f64,
        deviation: f64,
        (min, max): (Option<f64>, Option<f64>),
        decimals: u32,
        ty: NumberType,
    ) -> Result<Self, String> {
        let law = Normal::new(mean, deviation).map_err(|cause| format!("deviation {deviation}: {cause}"))?;
        if ty.is_float() {
            let (min, max) = (min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY));
            return ordered(min, max).map(|()| Self::NormalFloat { law, min, max });
        }
        let scale = scale_of(decimals, ty);
        let power = 10_f64.powi(scale as i32);
        let (least, most) = ty.range();
        let (min, max) = units(min.unwrap_or(least as f64 / power), max.unwrap_or(most as f64 / power), scale, ty)?;
        Ok(Self::Normal { law, min, max, scale })
    }

    /// A number of type `ty`, for which the law was made.
    #[inline]
    pub(super) fn draw(&self, ty: NumberType, random: &mut Random, row: u64) -> Cell<'static> {
        match *self {
            Self::Sequence { start, step, terms } => {
                ty.whole(start.wrapping_add(step.wrapping_mul((row % terms) as i64)), 0)
            }
            Self::Uniform { min, max, scale } => ty.whole(random.within(min, max), scale),
            Self::UniformFloat { min, max } => ty.float(min + (max - min) * random.unit()),
            Self::Zipf { min, max, ref law } => {
                let rank = law.sample(random) as u64;
                ty.whole(min.saturating_add_unsigned(rank.saturating_sub(1)).min(max), 0)
            }
            Self::Normal { ref law, min, max, scale } => {
                let units = law.sample(random) * 10_f64.powi(scale as i32);
                ty.whole((units.round() as i64).clamp(min, max), scale)
            }
            Self::NormalFloat { ref law, min, max } => ty.float(law.sample(random).clamp(min, max)),
        }
    }
}

fn scale_of(decimals: u32, ty: NumberType) -> u32 {
    if ty == NumberType::Numeric { decimals } else { 0 }
}

fn ordered(min: f64, max: f64) -> Result<(), String> {
    if min <= max { Ok(()) } else { Err(format!("its range {min} to {max} is empty")) }
}

/// `min` and `max` in whole units of `10^-scale` that lie between them.
fn units(min: f64, max: f64, scale: u32, ty: NumberType) -> Result<(i64, i64), String> {
    if scale > MAX_DECIMALS {
        return Err(format!("{scale} decimals are more than the {MAX_DECIMALS} that can be drawn"));
    }
    ordered(min, max)?;
    let power = 10_f64.powi(scale as i32);
    let (least, most) = ty.range();
    let (low, high) = (round_off(min * power).ceil(), round_off(max * power).floor());
    // 2^63 is the float next to i64::MAX; casting it saturates to what is meant.
    if low < least as f64 || high > most as f64 {
        let (least, most) = (least as f64 / power, most as f64 / power);
        return Err(format!("its range {min} to {max} is not within {least} to {most}"));
    }
    if low > high {
        return Err(format!("no such number lies in its range {min} to {max}"));
    }
    Ok((low as i64, high as i64))
}

/// Takes back the last bits that the multiplication by a power of ten got wrong: 0.07 x 100 is 7, not 7.000000000000001.
fn round_off(value: f64) -> f64 {
    let whole = value.round();
    if (value - whole).abs() <= value.abs() * f64::EPSILON * 2.0 { whole } else { value }
}

#[cfg(test)]
mod tests {
    use super::{super::random::Stream, *};

    fn int8(cell: Cell<'_>) -> i64 {
        match cell {
            Cell::Int8(value) => value,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn zipf_frequencies_follow_the_law() {
        let law = NumberLaw::zipf(1, 100, 1.0, NumberType::Int8).unwrap();
        let stream = Stream::new(3, &["zipf"]);
        let draws = 200_000;
        let mut counts = [0_u32; 101];
        for index in 0..draws {
            counts[int8(law.draw(NumberType::Int8, &mut stream.at(index), index)) as usize] += 1;
        }
        let harmonic: f64 = (1..=100).map(|rank| 1.0 / f64::from(rank)).sum();
        for rank in [1, 2, 3, 10, 50, 100] {
            let expected = draws as f64 / f64::from(rank) / harmonic;
            let found = f64::from(counts[rank as usize]);
            // Five standard deviations of a binomial count.
            assert!((found - expected).abs() < 5.0 * expected.sqrt(), "rank {rank}: {found} for {expected}");
        }
        assert_eq!(counts[0], 0);
    }

    #[test]
    fn normal_has_its_mean_and_deviation_and_its_clamps() {
        let law = NumberLaw::normal(100.0, 15.0, (Some(40.0), None), 0, NumberType::Int8).unwrap();
        let stream = Stream::new(3, &["normal"]);
        let values: Vec<f64> =
            (0..50_000).map(|index| int8(law.draw(NumberType::Int8, &mut stream.at(index), 0)) as f64).collect();
        let mean = values.iter().sum::<f64>() / 50_000.0;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 50_000.0;
        assert!((mean - 100.0).abs() < 0.5 && (variance.sqrt() - 15.0).abs() < 0.3, "{mean} {variance}");
        assert!(values.iter().all(|value| *value >= 40.0));
    }

    #[test]
    fn sequences_are_exact_and_know_their_end() {
        let law = NumberLaw::sequence(10, -3, Some(5), NumberType::Int8).unwrap();
        let mut random = Stream::new(0, &[]).at(0);
        let terms: Vec<i64> = (0..5).map(|row| int8(law.draw(NumberType::Int8, &mut random, row))).collect();
        assert_eq!(terms, [10, 7, 4, 1, -2]);
        assert_eq!(
            NumberLaw::sequence(1, 1, Some(40_000), NumberType::Int2).unwrap_err(),
            "its range ends after 32767 of 40000 rows"
        );
        assert!(NumberLaw::sequence(1, 1, Some(32_767), NumberType::Int2).is_ok());
        assert!(NumberLaw::sequence(i64::MIN, i64::MAX, Some(3), NumberType::Int8).is_ok());
    }

    #[test]
    fn ranges_must_fit() {
        assert!(NumberLaw::uniform(0.0, 40_000.0, 0, NumberType::Int2).is_err());
        assert!(NumberLaw::uniform(0.2, 0.8, 0, NumberType::Int4).is_err());
        assert!(NumberLaw::uniform(5.0, 1.0, 2, NumberType::Numeric).is_err());
        assert!(NumberLaw::uniform(0.0, 1.0, 19, NumberType::Numeric).is_err());
        assert!(NumberLaw::zipf(0, 40_000, 1.0, NumberType::Int2).is_err());
        let Ok(NumberLaw::Uniform { min, max, .. }) = NumberLaw::uniform(0.07, 0.29, 2, NumberType::Numeric) else {
            panic!("a range with decimals");
        };
        assert_eq!((min, max), (7, 29));
    }
}
