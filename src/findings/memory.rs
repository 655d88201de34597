//! The work_mem that would hold what went through temporary files.

use crate::{plan::Plan, text::rounded as count};

/// Largest work_mem that is advised: every sort and hash of every session may take that much.
const MOST_MIB: f64 = 1024.0;
const MIB: f64 = 1024.0 * 1024.0;
/// PostgreSQL's default, in bytes.
const DEFAULT: f64 = 4.0 * MIB;

/// Share of its own time that a node which went through temporary files would save in memory. Measured on the planted cases with
/// the files in the operating system's cache: a sort saved nothing to a tenth, a hash a fifth to a quarter. With a disk under load it is more.
pub(crate) const SAVED_SHARE: f64 = 0.2;

/// What to do so that `bytes` fit into work_mem.
pub(crate) struct Memory {
    pub(crate) advice: String,
    pub(crate) statements: Vec<String>,
}

/// work_mem of a plan in bytes: what its settings say, or the default.
pub(crate) fn in_force(plan: &Plan) -> f64 {
    plan.settings.get("work_mem").and_then(|value| bytes(value)).unwrap_or(DEFAULT)
}

/// A setting of memory: `64MB`; without a unit it is of kB.
fn bytes(value: &str) -> Option<f64> {
    let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let unit = match &value[digits..] {
        "B" => 1.0,
        "" | "kB" => 1024.0,
        "MB" => MIB,
        "GB" => 1024.0 * MIB,
        "TB" => MIB * MIB,
        _ => return None,
    };
    Some(value[..digits].parse::<f64>().ok()? * unit)
}

/// Advice for what takes `bytes` of memory in this plan; work_mem is told as a power of two in MiB, at least twice what it is: that was
/// too little.
pub(crate) fn work_mem(plan: &Plan, bytes: f64, what: &str) -> Memory {
    let mib = (bytes.max(2.0 * in_force(plan)) / MIB).max(1.0).log2().ceil().exp2();
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

    /// A plan under this work_mem.
    fn plan(work_mem: &str) -> Plan {
        let settings = format!(r#"{{"work_mem": "{work_mem}"}}"#);
        Plan::parse(&format!(r#"[{{"Plan": {{"Node Type": "Sort"}}, "Settings": {settings}}}]"#)).unwrap()
    }

    #[test]
    fn no_less_is_advised_than_twice_what_is_in_force() {
        let of = |work_mem: &str| super::work_mem(&plan(work_mem), 10.0, "sort").statements.concat();
        assert_eq!(of("64kB"), "SET work_mem = '1MB'");
        assert_eq!(of("4096"), "SET work_mem = '8MB'");
        assert_eq!(of("48MB"), "SET work_mem = '128MB'");
        assert_eq!(of("1GB"), "");
        let mut default = plan("64kB");
        default.settings.clear();
        assert_eq!(work_mem(&default, 10.0, "sort").statements, ["SET work_mem = '8MB'"]);
    }

    #[test]
    fn work_mem_is_rounded_up_to_a_power_of_two() {
        let of = |bytes| work_mem(&plan("1MB"), bytes, "sort").statements.concat();
        assert_eq!(of(16.0 * MIB), "SET work_mem = '16MB'");
        assert_eq!(of(16.1 * MIB), "SET work_mem = '32MB'");
        assert_eq!(of(2000.0 * MIB), "");
    }
}
