//! The rules, one a file. Each has a [`Rule`] that says what it sees, why that matters, what to do and where its thresholds are from.

use super::{
    plan::{
        cartesian_product, correlated_subquery, count_everything, first_of_each, foreign_filter, function_on_column,
        hash_spill, having_filter, heap_fetches, hot_node, implicit_cast, index_filter, index_not_used, index_recheck,
        jit, join_filter, join_without_index, joined_in_vain, large_offset, late_filter, leading_wildcard,
        lossy_bitmap, low_selectivity_index, memoize_thrash, misestimate, n_plus_one, nested_loop_blow_up, not_in,
        or_condition, order_by_limit_wrong_index, outer_join_filter, partitions_not_pruned, plan_flip, planning_time,
        read_efficiency, rls_per_row, seq_scan_filter, sort_spill, stale_statistics, too_few_workers, top_n_sort,
        triggers, unused_index_column_order, workers_short,
    },
    rule::Rule,
};

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
