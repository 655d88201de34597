//! The rules, one a file. Each has a [`Rule`] that says what it sees, why that matters, what to do and where its thresholds are from.

#[cfg(test)]
mod captured;
mod cartesian_product;
mod correlated_subquery;
mod count_everything;
mod first_of_each;
mod foreign_filter;
mod function_on_column;
mod hash_spill;
mod having_filter;
mod heap_fetches;
pub(super) mod hot_node;
mod implicit_cast;
mod index_filter;
mod index_not_used;
mod index_recheck;
mod jit;
mod join_filter;
mod join_without_index;
mod joined_in_vain;
mod large_offset;
mod late_filter;
mod leading_wildcard;
mod lossy_bitmap;
mod low_selectivity_index;
mod memoize_thrash;
mod misestimate;
mod n_plus_one;
mod nested_loop_blow_up;
mod not_in;
mod or_condition;
mod order_by_limit_wrong_index;
mod outer_join_filter;
mod partitions_not_pruned;
pub(super) mod plan_flip;
mod planning_time;
mod read_efficiency;
mod rls_per_row;
mod seq_scan_filter;
mod sort_spill;
mod stale_statistics;
mod too_few_workers;
mod top_n_sort;
mod triggers;
mod unused_index_column_order;
mod workers_short;

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
    /// Addresses of public questions that show it, with what was answered.
    pub shown_by: &'static [&'static str],
    /// Whether it works on a plan without ANALYZE.
    pub reads_estimates: bool,
    /// Rules whose findings at the same node it explains better, so that theirs are left out.
    #[serde(skip)]
    pub(super) explains: &'static [&'static str],
    /// Whether it says that rows are thrown away at its node: what it took to make them, such as a sort that spills, is then no cause of
    /// its own, and is omitted.
    #[serde(skip)]
    pub(super) throws_away: bool,
    #[serde(skip)]
    pub(super) check: fn(&Case<'_>) -> Vec<Sighting>,
}

/// All rules, in the order of the docs.
pub const RULES: &[Rule] = &[
    seq_scan_filter::RULE,
    index_filter::RULE,
    index_not_used::RULE,
    function_on_column::RULE,
    implicit_cast::RULE,
    leading_wildcard::RULE,
    or_condition::RULE,
    rls_per_row::RULE,
    unused_index_column_order::RULE,
    order_by_limit_wrong_index::RULE,
    top_n_sort::RULE,
    large_offset::RULE,
    late_filter::RULE,
    having_filter::RULE,
    first_of_each::RULE,
    foreign_filter::RULE,
    joined_in_vain::RULE,
    outer_join_filter::RULE,
    count_everything::RULE,
    heap_fetches::RULE,
    lossy_bitmap::RULE,
    index_recheck::RULE,
    low_selectivity_index::RULE,
    read_efficiency::RULE,
    partitions_not_pruned::RULE,
    nested_loop_blow_up::RULE,
    cartesian_product::RULE,
    join_filter::RULE,
    join_without_index::RULE,
    correlated_subquery::RULE,
    not_in::RULE,
    misestimate::RULE,
    stale_statistics::RULE,
    sort_spill::RULE,
    hash_spill::RULE,
    memoize_thrash::RULE,
    plan_flip::RULE,
    n_plus_one::RULE,
    triggers::RULE,
    planning_time::RULE,
    jit::RULE,
    too_few_workers::RULE,
    workers_short::RULE,
    hot_node::RULE,
];

/// The rule of this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}
