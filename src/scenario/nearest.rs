//! The valid name that a misspelt one was meant to be.

/// Longest name that is compared, in characters: the time goes with the product of both lengths.
const LONGEST: usize = 100;
/// Most candidates that are compared.
const MOST: usize = 2000;

/// The candidate nearest to `name`, if it is near enough to be what was meant: at most a third of the letters differ.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let short = |name: &str| name.chars().nth(LONGEST).is_none();
    if !short(name) {
        return None;
    }
    let folded = name.to_lowercase();
    candidates
        .into_iter()
        .take(MOST)
        .filter(|candidate| short(candidate))
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            let longest = name.chars().count().max(candidate.chars().count());
            *distance <= (longest / 3).max(1) && *distance < longest
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant() {
        let names = ["clients", "warmup", "duration", "seed"];
        assert_eq!(nearest("clints", names), Some("clients"));
        assert_eq!(nearest("warm_up", names), Some("warmup"));
        assert_eq!(nearest("Seed", names), Some("seed"));
        assert_eq!(nearest("threads", names), None);
        assert_eq!(nearest("x", ["y"]), None);
    }
}
