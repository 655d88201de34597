//! Keys that PostgreSQL prints and nothing is made of: they are passed over. What is none of them is kept as it was printed.

const PASSED_OVER: &[&str] = &[
    "Actual Loops",
    "Async Capable",
    "Average Sort Space Used",
    "Batch Size",
    "Cache Mode",
    "Command",
    "Conflict Arbiter Indexes",
    "Conflict Filter",
    "Conflict Resolution",
    "Conflicting Tuples",
    "Estimated Capacity",
    "Estimated Distinct Lookup Keys",
    "Estimated Hit Percent",
    "Estimated Lookups",
    "Estimates",
    "Foreign File",
    "Foreign File Size",
    "Foreign Program",
    "Function Call",
    "Function Name",
    "Hash Buckets",
    "Hash Key",
    "Hash Keys",
    "Heap Blocks",
    "I/O Read Time",
    "I/O Timings",
    "I/O Write Time",
    "JIT",
    "Local Dirtied Blocks",
    "Local Hit Blocks",
    "Local I/O Read Time",
    "Local I/O Write Time",
    "Local Read Blocks",
    "Local Written Blocks",
    "Maximum Storage",
    "Original Hash Buckets",
    "Params Evaluated",
    "Planned Partitions",
    "Relations",
    "Remote SQL",
    "Repeatable Seed",
    "Rows Removed by Conflict Filter",
    "Run Condition",
    "Sampling",
    "Sampling Method",
    "Sampling Parameters",
    "Shared I/O Read Time",
    "Shared I/O Write Time",
    "Single Copy",
    "Storage",
    "Table Function Call",
    "Table Function Name",
    "Target Tables",
    "Temp I/O Read Time",
    "Temp I/O Write Time",
    "Tuples",
    "Tuples Deleted",
    "Tuples Inserted",
    "Tuples Skipped",
    "Tuples Updated",
    "Tuplestore Name",
    "WAL",
    "WAL Buffers Full",
    "WAL Bytes",
    "WAL FPI",
    "WAL FPI Bytes",
    "WAL Records",
    "Window",
    "Worker Number",
    "Workers",
];

/// Whether the key is one of these.
pub(crate) fn is_passed_over(key: &str) -> bool {
    PASSED_OVER.binary_search(&key).is_ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn keys_are_in_order() {
        assert!(super::PASSED_OVER.is_sorted());
    }
}
