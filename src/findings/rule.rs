//! What a rule is.

use serde::Serialize;

use super::case::{Case, Sighting};

/// A rule: what it is, for docs and help, and its check.
#[derive(Debug, Serialize)]
pub struct Rule {
    /// Stable id, such as `seq-scan-filter`.
    pub id: &'static str,
    /// What it is in a few words.
    pub title: &'static str,
    /// What it looks at and when it fires, thresholds with their numbers.
    pub sees: &'static str,
    /// Why that matters, for who has never read a plan.
    pub why: &'static str,
    /// What to do about it.
    pub advice: &'static str,
    /// Where the rule and its thresholds are from.
    pub source: &'static str,
    /// Addresses of public questions that show it, with what was answered.
    pub shown_by: &'static [&'static str],
    /// Whether it works on a plan without ANALYZE.
    pub reads_estimates: bool,
    /// Rules whose findings at the same node it explains better, so that theirs are left out.
    #[serde(skip)]
    pub(crate) explains: &'static [&'static str],
    /// Whether it says that rows are thrown away at its node: what it took to make them, such as a sort that spills, is then no cause of
    /// its own, and is omitted.
    #[serde(skip)]
    pub(crate) throws_away: bool,
    #[serde(skip)]
    pub(crate) check: fn(&Case<'_>) -> Vec<Sighting>,
}
