//! What a CI system is told, whichever form it reads.

use crate::compare::{Comparison, Side};

/// What stands for a failure where gates have a name.
pub(super) const MEASURED: &str = "measured and compared";

/// What a gate or threshold that is undecided counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Undecided {
    /// As one that did not pass.
    #[default]
    Fails,
    /// As one that was not tested.
    Passes,
}

/// What came of a run or a comparison.
#[derive(Debug, Clone)]
pub struct CiReport<'a> {
    /// Scenario id; `None` where it did not come so far as to know it.
    pub(super) scenario: Option<&'a str>,
    /// The comparison, with its gates; `None` where there is none.
    pub(super) comparison: Option<&'a Comparison>,
    /// Why there is none, or why what it compares ended before its time.
    pub(super) failure: Option<String>,
    /// What undecided gates count as.
    pub(super) undecided: Undecided,
}

impl<'a> CiReport<'a> {
    /// Of a comparison, which may be of what ended before its time.
    pub fn compared(comparison: &'a Comparison) -> Self {
        Self {
            scenario: Some(&comparison.scenario),
            comparison: Some(comparison),
            failure: ended_early(comparison),
            undecided: Undecided::default(),
        }
    }

    /// Of what failed before there was a comparison; `words` say why.
    pub fn failed(scenario: Option<&'a str>, words: impl Into<String>) -> Self {
        Self { scenario, comparison: None, failure: Some(words.into()), undecided: Undecided::default() }
    }

    /// The same where undecided gates count as this.
    #[must_use]
    pub fn with_undecided(self, undecided: Undecided) -> Self {
        Self { undecided, ..self }
    }

    /// `latclinic events`.
    pub(super) fn name(&self, separator: char) -> String {
        self.scenario.map_or_else(|| "latclinic".to_owned(), |scenario| format!("latclinic{separator}{scenario}"))
    }
}

/// That a side was interrupted, and by what; once where both are of one run.
fn ended_early(comparison: &Comparison) -> Option<String> {
    let words = |what: &str, side: &Side| {
        let why = side.interrupted_by.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        format!("{what} ended early{why}")
    };
    let sides = [("before", &comparison.sides.before), ("after", &comparison.sides.after)];
    let mut interrupted = sides.into_iter().filter(|(_, side)| side.interrupted);
    match comparison.run {
        Some(_) => interrupted.next().map(|(_, side)| words("the run", side)),
        None => {
            let all: Vec<String> =
                interrupted.map(|(phase, side)| words(&format!("the measurement {phase}"), side)).collect();
            (!all.is_empty()).then(|| all.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{record::sample, render::comparison::tests::compared};

    #[test]
    fn what_was_interrupted_is_said_of_the_run_or_of_each_side() {
        let mut comparison = compared();
        assert_eq!(CiReport::compared(&comparison).failure, None);
        comparison.sides.after.interrupted = true;
        assert_eq!(CiReport::compared(&comparison).failure.unwrap(), "the measurement after ended early");
        comparison.sides.before.interrupted = true;
        comparison.sides.before.interrupted_by = Some("stopped by a signal".into());
        let both = "the measurement before ended early: stopped by a signal; the measurement after ended early";
        assert_eq!(CiReport::compared(&comparison).failure.unwrap(), both);
        comparison.run = sample::full().run;
        assert!(comparison.run.is_some());
        assert_eq!(CiReport::compared(&comparison).failure.unwrap(), "the run ended early: stopped by a signal");
    }
}
