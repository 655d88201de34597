//! The rules, one a file. Each has a [`Rule`] that says what it sees, why that matters, what to do and where its thresholds are from.

#[cfg(test)]
mod captured;
mod seq_scan_filter;

use serde::Serialize;

use super::diagnose::{Case, Sighting};

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
    /// Whether it works on a plan without ANALYZE.
    pub reads_estimates: bool,
    /// Rules whose findings at the same node it explains better, so that theirs are left out.
    #[serde(skip)]
    pub(super) explains: &'static [&'static str],
    #[serde(skip)]
    pub(super) check: fn(&Case<'_>) -> Vec<Sighting>,
}

/// All rules, in the order of the docs.
pub const RULES: &[Rule] = &[seq_scan_filter::RULE];

/// The rule of this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}
