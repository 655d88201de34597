//! The settings that latclinic gives its server, each with its reason.
//!
//! They are written to `latclinic.conf` at every start and included by `postgresql.conf`, so that `ALTER SYSTEM` and the
//! user's own lines still win: a fix may be a setting. What the server needs to be reached goes on its command line.

use std::collections::BTreeMap;

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use super::error::{Error, Result};

use crate::text::Field;

/// Name of the file, in the cluster.
pub(super) const FILE: &str = "latclinic.conf";

/// What is appended to initdb's `postgresql.conf`.
pub(super) const INCLUDE: &str = "\n# latclinic writes latclinic.conf anew at each start. Your own settings below this line win over it.\n\
                                  include 'latclinic.conf'\n";

const MIB: u64 = 1024 * 1024;

/// Connections beyond those asked for: seeding, sampling, explaining, autovacuum's neighbours, a person with psql.
const SPARE_CONNECTIONS: u32 = 20;

/// `max_connections` of a server for a command that opens `asked` connections.
pub(super) fn max_connections(asked: u32) -> u32 {
    asked.saturating_add(SPARE_CONNECTIONS).max(100)
}

/// `max_connections` that a running server must have for a command that opens `asked` connections.
pub(super) fn connections_needed(asked: u32) -> u32 {
    asked.saturating_add(SPARE_CONNECTIONS)
}

/// What a connection takes at least: a process of its own, with its caches.
const CONNECTION: u64 = 4 * MIB;

/// Refuses more connections than the machine has memory for, before a server is started that would take all of it.
///
/// # Errors
/// [`Error::is_usage`]; the message has the numbers.
pub(super) fn check_connections(asked: u32, memory: u64) -> Result<()> {
    let needed = u64::from(asked).saturating_mul(CONNECTION);
    if memory == 0 || needed <= memory / 10 * 8 {
        return Ok(());
    }
    let most = memory / 10 * 8 / CONNECTION;
    Err(Error::usage(format!(
        "{asked} connections take at least {} MB of memory, a process each, and this machine has {} MB",
        needed / MIB,
        memory / MIB
    ))
    .with_hint(format!("lower {} to at most {most} here, or let them share a {}", Field::Clients, Field::Pool))
    .about(&[Field::Clients, Field::Pool]))
}

/// Memory that this process may use, in bytes: the machine's, or the container's where that is less.
pub(super) fn memory_bytes() -> u64 {
    let what = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let Ok(system) = System::new_with_specifics(what) else { return 0 };
    let container = system.cgroup_limits().map(|limits| limits.total_memory).filter(|&limit| limit > 0);
    container.map_or(system.total_memory(), |limit| limit.min(system.total_memory()))
}

/// The settings for a machine with `memory` bytes.
pub(super) fn fitting(memory: u64, pg_stat_statements: bool) -> BTreeMap<&'static str, String> {
    let megabytes = |bytes: u64| format!("{}MB", bytes / MIB);
    let mut settings = BTreeMap::from([
        // A quarter of memory is PostgreSQL's own advice; above 2 GB a benchmark mostly measures warming it up.
        ("shared_buffers", megabytes((memory / 4).clamp(32 * MIB, 2048 * MIB))),
        // What the planner may believe to be cached: shared buffers and the kernel's cache together.
        ("effective_cache_size", megabytes((memory / 4 * 3).max(64 * MIB))),
        // Index builds of the dataset and of a fix in one pass instead of a sort on disk.
        ("maintenance_work_mem", megabytes((memory / 32).clamp(16 * MIB, 256 * MIB))),
        // Durability and upkeep as in production: figures without them are not worth having.
        ("fsync", "on".to_owned()),
        ("full_page_writes", "on".to_owned()),
        ("synchronous_commit", "on".to_owned()),
        ("autovacuum", "on".to_owned()),
        // Checkpoints by time and not in the middle of seeding or of a block.
        ("max_wal_size", "4GB".to_owned()),
        ("checkpoint_timeout", "30min".to_owned()),
        ("checkpoint_completion_target", "0.9".to_owned()),
        // The same text of times whatever the machine's zone.
        ("timezone", "UTC".to_owned()),
        ("log_timezone", "UTC".to_owned()),
        // So that `ps` and the log tell this server from others; and what disturbed a block can be found in the log.
        ("cluster_name", "latclinic".to_owned()),
        ("log_line_prefix", "%m [%p] %a ".to_owned()),
        ("log_checkpoints", "on".to_owned()),
        ("log_lock_waits", "on".to_owned()),
        ("log_autovacuum_min_duration", "0".to_owned()),
    ]);
    if pg_stat_statements {
        settings.insert("shared_preload_libraries", "pg_stat_statements".to_owned());
    }
    settings
}

/// The text of `latclinic.conf`.
pub(super) fn file_text(settings: &BTreeMap<&'static str, String>) -> String {
    let head = "# Written by latclinic at each start: changes here are lost.\n".to_owned();
    settings.iter().fold(head, |text, (name, value)| text + &format!("{name} = '{value}'\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_buffers_are_a_quarter_of_memory_up_to_two_gigabytes() {
        let shared_buffers = |memory| fitting(memory, false)["shared_buffers"].clone();
        assert_eq!(shared_buffers(4096 * MIB), "1024MB");
        assert_eq!(shared_buffers(64 * 1024 * MIB), "2048MB");
        assert_eq!(shared_buffers(0), "32MB");
        assert!(memory_bytes() > 64 * MIB);
    }

    #[test]
    fn connections_suffice_for_the_load() {
        assert_eq!([max_connections(8), max_connections(81), max_connections(500)], [100, 101, 520]);
        assert_eq!(max_connections(u32::MAX), u32::MAX);
        assert_eq!(connections_needed(80), 100);
    }

    #[test]
    fn more_connections_than_memory_bears_are_refused_with_the_numbers() {
        assert!(check_connections(500, 8192 * MIB).is_ok() && check_connections(u32::MAX, 0).is_ok());
        let error = check_connections(100_000, 8192 * MIB).unwrap_err();
        assert!(error.is_usage());
        assert_eq!(
            error.to_string(),
            "100000 connections take at least 400000 MB of memory, a process each, and this machine has 8192 MB"
        );
        assert!(error.hint().unwrap().contains("at most 1638 here"), "{:?}", error.hint());
    }

    #[test]
    fn the_file_reads_as_postgresql_reads_it() {
        insta::assert_snapshot!(file_text(&fitting(8192 * MIB, true)), @r"
        # Written by latclinic at each start: changes here are lost.
        autovacuum = 'on'
        checkpoint_completion_target = '0.9'
        checkpoint_timeout = '30min'
        cluster_name = 'latclinic'
        effective_cache_size = '6144MB'
        fsync = 'on'
        full_page_writes = 'on'
        log_autovacuum_min_duration = '0'
        log_checkpoints = 'on'
        log_line_prefix = '%m [%p] %a '
        log_lock_waits = 'on'
        log_timezone = 'UTC'
        maintenance_work_mem = '256MB'
        max_wal_size = '4GB'
        shared_buffers = '2048MB'
        shared_preload_libraries = 'pg_stat_statements'
        synchronous_commit = 'on'
        timezone = 'UTC'
        ");
    }
}
