//! Settings of a session that change how a statement is executed, and neither what it means nor what it may do.

/// The names of settings that do no more, and beginnings of such names.
const SETTINGS: &[&str] = &[
    "application_name",
    "backend_flush_after",
    "check_function_bodies",
    "client_min_messages",
    "commit_delay",
    "commit_siblings",
    "constraint_exclusion",
    "cursor_tuple_fraction",
    "datestyle",
    "deadlock_timeout",
    "default_statistics_target",
    "default_transaction_deferrable",
    "default_transaction_isolation",
    "effective_cache_size",
    "effective_io_concurrency",
    "extra_float_digits",
    "from_collapse_limit",
    "hash_mem_multiplier",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "intervalstyle",
    "join_collapse_limit",
    "lock_timeout",
    "logical_decoding_work_mem",
    "maintenance_io_concurrency",
    "maintenance_work_mem",
    "min_parallel_index_scan_size",
    "min_parallel_table_scan_size",
    "parallel_leader_participation",
    "plan_cache_mode",
    "random_page_cost",
    "recursive_worktable_factor",
    "seq_page_cost",
    "statement_timeout",
    "synchronous_commit",
    "temp_buffers",
    "timezone",
    "transaction_timeout",
    "vacuum_buffer_usage_limit",
    "work_mem",
];

const BEGINNINGS: &[&str] = &["cpu_", "enable_", "geqo", "jit", "max_parallel_", "parallel_", "track_", "vacuum_cost_"];

/// Whether a setting leaves alone what statements mean: `search_path`, `role` and the settings of extensions do not.
pub fn stays_within(setting: &str) -> bool {
    let name = setting.to_ascii_lowercase();
    SETTINGS.contains(&name.as_str())
        || (!name.contains('.') && BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)))
}
