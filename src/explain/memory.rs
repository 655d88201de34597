//! The work_mem that would hold what went through temporary files.

use super::words::count;

/// Largest work_mem that is advised: every sort and hash of every session may take that much.
const MOST_MIB: f64 = 1024.0;
const MIB: f64 = 1024.0 * 1024.0;

/// Share of its own time that a node which went through temporary files would save in memory. Measured on the planted cases with
/// the files in the operating system's cache: a sort saved nothing to a tenth, a hash a fifth to a quarter. With a disk under load it is more.
pub(super) const SAVED_SHARE: f64 = 0.2;

/// What to do so that `bytes` fit into work_mem.
pub(super) struct Memory {
    pub(super) advice: String,
    pub(super) statements: Vec<String>,
}

/// Advice for what takes `bytes` of memory; work_mem is told as a power of two in MiB.
pub(super) fn work_mem(bytes: f64, what: &str) -> Memory {
    let mib = (bytes / MIB).max(1.0).log2().ceil().exp2();
    if mib > MOST_MIB {
        let advice = format!(
            "{what} fewer or narrower rows: {} MB of work_mem would hold them, which is too much for a session among many",
            count(mib)
        );
        return Memory { advice, statements: Vec::new() };
    }
    Memory {
        advice: format!(
            "raise work_mem to {mib}MB for the session or the role that runs it: each of its sorts and hashes may then take as much"
        ),
        statements: vec![format!("SET work_mem = '{mib}MB'")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_mem_is_rounded_up_to_a_power_of_two() {
        let of = |bytes| work_mem(bytes, "sort").statements.concat();
        assert_eq!(of(10.0), "SET work_mem = '1MB'");
        assert_eq!(of(16.0 * MIB), "SET work_mem = '16MB'");
        assert_eq!(of(16.1 * MIB), "SET work_mem = '32MB'");
        assert_eq!(of(2000.0 * MIB), "");
    }
}
