//! Whether two records may be compared, and what else differs between them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::model::Difference;
use crate::record::{EnoughInfo, LoadInfo, LoadStage, Phase, Record};

/// Why two records cannot be compared: every reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    reasons: Vec<String>,
}

impl Error {
    /// Every reason, each a fragment that names both sides.
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the records cannot be compared: {}", self.reasons.join("; "))
    }
}

impl std::error::Error for Error {}

/// Whether two records are of the same scenario, dataset, load and statements, whatever their phases.
pub fn same_thing(one: &Record, other: &Record) -> bool {
    let mut other = other.clone();
    other.phase = one.phase;
    // A rewrite sends other statements in the phase after.
    if !other.fix.rewrites.is_empty() {
        other.statements.clone_from(&one.statements);
    }
    check(one, &other).is_ok()
}

/// Checks that the records are of the same thing: scenario, dataset, load and statements, and of the phases before and after
/// with the same fix, or both of one phase.
pub(super) fn check(before: &Record, after: &Record) -> Result<(), Error> {
    let mut reasons = Reasons(Vec::new());
    if (before.phase, after.phase) == (Phase::After, Phase::Before) {
        let message = "the first record is of phase after and the second of phase before; swap them";
        reasons.0.push(message.into());
    }
    reasons.unless_same("scenario", &before.scenario, &after.scenario);
    if before.dataset.recipe != after.dataset.recipe {
        reasons.0.push("the datasets were made by different recipes".into());
    }
    reasons.unless_same("rows", rows(before), rows(after));
    reasons.unless_same("load model", &before.load.model, &after.load.model);
    reasons.unless_same("clients", before.load.clients, after.load.clients);
    reasons.unless_same("rate", rate(before), rate(after));
    reasons.unless_same("arrivals", or_none(&before.load.arrivals), or_none(&after.load.arrivals));
    reasons.unless_same("think time", think_time(&before.load), think_time(&after.load));
    reasons.unless_same("latency limit", limit(before.load.latency_limit_s), limit(after.load.latency_limit_s));
    reasons.unless_same("stages", stages(&before.load), stages(&after.load));
    reasons.unless_same("protocol", &before.load.protocol, &after.load.protocol);
    reasons.unless_same("connections", connections(&before.load), connections(&after.load));
    // It cuts the slowest times off and makes errors of them.
    reasons.unless_same(
        "statement timeout",
        limit(before.load.statement_timeout_s),
        limit(after.load.statement_timeout_s),
    );
    reasons.unless_same("session settings", settings(&before.load), settings(&after.load));
    reasons.unless_same("retries", before.load.retries, after.load.retries);
    reasons.unless_same("random seed", before.load.random_seed, after.load.random_seed);
    for record in [before, after] {
        if record.totals.operations == 0 {
            reasons.0.push(format!("nothing was measured in the record of phase {}", record.phase));
        }
    }
    reasons.0.extend(statements(before, after));
    if before.phase != after.phase && !same_fix(before, after) {
        reasons.0.push("the fix was changed between the records".into());
    }
    if reasons.0.is_empty() { Ok(()) } else { Err(Error { reasons: reasons.0 }) }
}

/// What differs although the records may be compared: server, machine, tool, and flags of the load.
pub(super) fn differences(before: &Record, after: &Record) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut look = |what: &str, before: String, after: String| {
        if before != after {
            found.push(Difference { what: what.to_owned(), before, after });
        }
    };
    let (from, to) = (&before.server, &after.server);
    look("server version", from.version.clone(), to.version.clone());
    look("server managed by latclinic", yes_no(from.managed), yes_no(to.managed));
    for name in from.settings.keys().chain(to.settings.keys()).collect::<BTreeSet<_>>() {
        let value =
            |settings: &BTreeMap<String, String>| settings.get(name).cloned().unwrap_or_else(|| "not set".into());
        look(&format!("server setting {name}"), value(&from.settings), value(&to.settings));
    }
    if before.phase == after.phase && !same_fix(before, after) {
        look("fix", before.fix.title.clone(), format!("{}, changed", after.fix.title));
    }
    let (from, to) = (&before.machine, &after.machine);
    look("operating system", from.os.clone(), to.os.clone());
    look("kernel", from.kernel.clone(), to.kernel.clone());
    look("processor", from.cpu.clone(), to.cpu.clone());
    look("cores", from.cores.to_string(), to.cores.to_string());
    look("memory in bytes", from.memory_bytes.to_string(), to.memory_bytes.to_string());
    let (from, to) = (&before.load, &after.load);
    look("threads", from.threads.to_string(), to.threads.to_string());
    look("duration", seconds(from.duration_s), seconds(to.duration_s));
    let enough = |enough: Option<EnoughInfo>| {
        enough.map_or_else(
            || "the time alone".into(),
            |enough| format!("{} operations and {}", enough.samples, seconds(enough.time_s)),
        )
    };
    look("what ends a block", enough(from.enough), enough(to.enough));
    look("warmup", seconds(from.warmup_s), seconds(to.warmup_s));
    look("error limit", from.error_limit.to_string(), to.error_limit.to_string());
    let (from, to) = (&before.tool, &after.tool);
    look("latclinic version", from.version.clone(), to.version.clone());
    let commit = |commit: &Option<String>| commit.clone().unwrap_or_else(|| "unknown".into());
    look("latclinic commit", commit(&from.commit), commit(&to.commit));
    found
}

fn same_fix(before: &Record, after: &Record) -> bool {
    let (from, to) = (&before.fix, &after.fix);
    (&from.up_sha256, &from.down_sha256, &from.rewrites) == (&to.up_sha256, &to.down_sha256, &to.rewrites)
}

/// Whether the phase after sends other SQL for a statement or for a step of it.
fn rewritten(before: &Record, after: &Record, name: &str) -> bool {
    let of =
        |statement: &str| statement == name || statement.strip_prefix(name).is_some_and(|step| step.starts_with('.'));
    before.phase != after.phase && after.fix.rewrites.iter().any(|rewrite| of(&rewrite.statement))
}

struct Reasons(Vec<String>);

impl Reasons {
    fn unless_same<T: PartialEq + fmt::Display>(&mut self, what: &str, before: T, after: T) {
        if before != after {
            self.0.push(format!("{what}: {before} before, {after} after"));
        }
    }
}

fn statements(before: &Record, after: &Record) -> Vec<String> {
    let by_name = |record: &Record| -> BTreeMap<String, (String, f64)> {
        record.statements.iter().map(|s| (s.name.clone(), (s.sql.clone(), s.weight))).collect()
    };
    let (from, to) = (by_name(before), by_name(after));
    let mut reasons = Vec::new();
    for (name, statement) in &from {
        match to.get(name) {
            None => reasons.push(format!("statement {name} is only in the record before")),
            Some((sql, _)) if *sql != statement.0 && !rewritten(before, after, name) => {
                reasons.push(format!("statement {name} has different SQL"))
            }
            Some((_, weight)) if *weight != statement.1 => {
                reasons.push(format!("weight of statement {name}: {} before, {weight} after", statement.1));
            }
            Some(_) => {}
        }
    }
    let only_after = to.keys().filter(|name| !from.contains_key(*name));
    reasons.extend(only_after.map(|name| format!("statement {name} is only in the record after")));
    reasons
}

fn rows(record: &Record) -> String {
    record.dataset.rows.iter().map(|(table, rows)| format!("{table} {rows}")).collect::<Vec<_>>().join(", ")
}

fn rate(record: &Record) -> String {
    record.load.rate.map_or_else(|| "none".into(), |rate| format!("{rate}/s"))
}

fn or_none(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("none")
}

fn limit(limit: Option<f64>) -> String {
    limit.map_or_else(|| "none".into(), seconds)
}

fn think_time(load: &LoadInfo) -> String {
    match (load.think_time_s, &load.think_distribution) {
        (Some(time), Some(distribution)) => format!("{} {distribution}", seconds(time)),
        (Some(time), None) => seconds(time),
        (None, _) => "none".into(),
    }
}

fn stages(load: &LoadInfo) -> String {
    let stage = |stage: &LoadStage| format!("{} to {} in {}", stage.from, stage.to, seconds(stage.duration_s));
    let stages: Vec<String> = load.stages.iter().map(stage).collect();
    if stages.is_empty() { "none".into() } else { stages.join(", ") }
}

fn connections(load: &LoadInfo) -> String {
    match &load.pool {
        None => format!("one a {}", load.connections),
        Some(pool) => {
            let timeout = pool.wait_timeout_s.map(|timeout| format!(", wait {}", seconds(timeout))).unwrap_or_default();
            format!("a pool of {}{timeout}, {} recycling", pool.size, pool.recycling)
        }
    }
}

fn settings(load: &LoadInfo) -> String {
    let settings: Vec<String> = load.settings.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    if settings.is_empty() { "none".into() } else { settings.join(", ") }
}

fn seconds(seconds: f64) -> String {
    format!("{seconds} s")
}

fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{PoolInfo, RewriteInfo, sample};

    #[test]
    fn two_phases_of_the_same_thing_are_comparable() {
        let (before, after) = (sample::record(Phase::Before), sample::record(Phase::After));
        assert_eq!(check(&before, &after), Ok(()));
        assert_eq!(differences(&before, &after), []);
    }

    #[test]
    fn every_reason_is_told() {
        let before = sample::record(Phase::Before);
        let mut other = sample::record(Phase::Before);
        other.scenario = "orders".into();
        other.dataset.recipe = "another".into();
        other.dataset.rows.insert("events".into(), 5);
        other.load.model = "open".into();
        other.load.rate = Some(100.0);
        other.load.clients = 16;
        other.fix.up_sha256 = "cc".into();
        other.statements[0].weight = 3.0;
        let mut added = other.statements[0].clone();
        added.name = "count".into();
        other.statements.push(added);
        other.phase = Phase::After;
        insta::assert_snapshot!(check(&before, &other).unwrap_err().reasons().join("\n"), @"
        scenario: events before, orders after
        the datasets were made by different recipes
        rows: events 1000000 before, events 5 after
        load model: closed before, open after
        clients: 8 before, 16 after
        rate: none before, 100/s after
        weight of statement latest_of_user: 1 before, 3 after
        statement count is only in the record after
        the fix was changed between the records
        ");
    }

    #[test]
    fn another_way_to_drive_the_load_is_a_reason() {
        let mut before = sample::record(Phase::Before);
        before.load.think_time_s = Some(0.05);
        before.load.think_distribution = Some("exponential".into());
        let mut after = sample::record(Phase::After);
        after.load.arrivals = Some("poisson".into());
        after.load.latency_limit_s = Some(0.2);
        after.load.stages = vec![
            LoadStage { duration_s: 10.0, from: 0.0, to: 100.0 },
            LoadStage { duration_s: 20.0, from: 100.0, to: 100.0 },
        ];
        after.load.protocol = "simple".into();
        after.load.connections = "pool".into();
        after.load.pool = Some(PoolInfo { size: 4, wait_timeout_s: Some(0.5), recycling: "fast".into() });
        after.load.statement_timeout_s = Some(1.0);
        after.load.settings = BTreeMap::from([("jit".into(), "off".into()), ("work_mem".into(), "64MB".into())]);
        after.load.retries = 3;
        insta::assert_snapshot!(check(&before, &after).unwrap_err().reasons().join("\n"), @"
        arrivals: none before, poisson after
        think time: 0.05 s exponential before, none after
        latency limit: none before, 0.2 s after
        stages: none before, 0 to 100 in 10 s, 100 to 100 in 20 s after
        protocol: prepared before, simple after
        connections: one a client before, a pool of 4, wait 0.5 s, fast recycling after
        statement timeout: none before, 1 s after
        session settings: none before, jit = off, work_mem = 64MB after
        retries: 0 before, 3 after
        ");
    }

    #[test]
    fn a_changed_statement_is_a_reason_and_so_is_the_wrong_order() {
        let (before, mut after) = (sample::record(Phase::Before), sample::record(Phase::After));
        after.statements[0].sql = "SELECT 1".into();
        insta::assert_snapshot!(check(&after, &before).unwrap_err(), @"the records cannot be compared: the first record is of phase after and the second of phase before; swap them; statement latest_of_user has different SQL");
    }

    #[test]
    fn two_records_of_one_phase_are_comparable_and_a_rewrite_may_have_other_sql() {
        let (before, mut after) = (sample::record(Phase::Before), sample::record(Phase::Before));
        after.fix.up_sha256 = "cc".into();
        assert_eq!(check(&before, &after), Ok(()));
        assert_eq!(differences(&before, &after)[0].what, "fix");
        let (mut before, mut after) = (before, sample::record(Phase::After));
        after.statements[0].sql = "SELECT 1".into();
        assert!(check(&before, &after).is_err());
        let rewrite = RewriteInfo { statement: "latest_of_user".into(), sha256: "dd".into() };
        (before.fix.rewrites, after.fix.rewrites) = (vec![rewrite.clone()], vec![rewrite]);
        assert_eq!(check(&before, &after), Ok(()));
    }

    #[test]
    fn what_differs_without_forbidding_it_is_listed() {
        let (before, mut after) = (sample::record(Phase::Before), sample::record(Phase::After));
        after.server.version = "18.4".into();
        after.server.settings.insert("work_mem".into(), "64MB".into());
        after.server.settings.remove("fsync");
        after.machine.cores = 64;
        after.load.threads = 8;
        after.load.duration_s = 10.0;
        after.load.error_limit = 0.5;
        after.tool.commit = Some("abc".into());
        let lines =
            differences(&before, &after).into_iter().map(|d| format!("{}: {} -> {}", d.what, d.before, d.after));
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
        server version: 15.18 -> 18.4
        server setting fsync: on -> not set
        server setting work_mem: 4MB -> 64MB
        cores: 2 -> 64
        threads: 2 -> 8
        duration: 30 s -> 10 s
        error limit: 1 -> 0.5
        latclinic commit: unknown -> abc
        ");
    }
}
