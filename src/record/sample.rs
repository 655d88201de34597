//! Hand-made records for tests.

use std::collections::BTreeMap;

use super::*;

/// A plausible record of `events`: slow before, fast after.
pub(crate) fn record(phase: Phase) -> Record {
    let slow = phase == Phase::Before;
    let latency = if slow {
        latency([21.4, 88.2, 80.5, 161.0, 190.3, 307.2, f64::NAN, 412.9], 2_716)
    } else {
        latency([0.041, 0.0931, 0.0842, 0.131, 0.163, 0.399, 0.87, 4.21], 2_541_337)
    };
    let totals = if slow {
        Totals { operations: 2_716, errors: 0, throughput_per_s: 90.5, error_rate: 0.0, ..Totals::default() }
    } else {
        Totals { operations: 2_541_337, errors: 0, throughput_per_s: 84_711.2, error_rate: 0.0, ..Totals::default() }
    };
    Record {
        format: FORMAT,
        scenario: "events".into(),
        phase,
        started_at: (if slow { "2026-11-21T01:23:45Z" } else { "2026-11-21T01:25:02Z" }).parse().unwrap(),
        interrupted: false,
        interrupted_by: None,
        tool: Tool { version: "0.1.0".into(), commit: None },
        machine: Machine {
            os: "Debian 12".into(),
            kernel: "6.1".into(),
            cpu: "A processor".into(),
            cores: 2,
            memory_bytes: 8 << 30,
        },
        server: Server {
            version: "15.18".into(),
            managed: true,
            settings: BTreeMap::from([
                ("fsync".into(), "on".into()),
                ("shared_buffers".into(), "2GB".into()),
                ("work_mem".into(), "4MB".into()),
            ]),
        },
        dataset: DatasetInfo {
            recipe: "5d41402abc4b2a76".into(),
            rows: BTreeMap::from([("events".into(), 1_000_000)]),
            bytes: if slow { 215_000_000 } else { 245_000_000 },
        },
        fix: FixInfo {
            title: "index on (user_id, created_at)".into(),
            up_sha256: "aa".into(),
            down_sha256: "bb".into(),
        },
        load: LoadInfo {
            model: "closed".into(),
            clients: 8,
            threads: 2,
            rate: None,
            arrivals: None,
            think_time_s: None,
            think_distribution: None,
            latency_limit_s: None,
            stages: Vec::new(),
            duration_s: 30.0,
            warmup_s: 5.0,
            random_seed: 1,
            protocol: "prepared".into(),
            connections: "client".into(),
            pool: None,
            statement_timeout_s: None,
            settings: BTreeMap::new(),
            retries: 0,
            error_limit: 1.0,
        },
        measured_s: if slow { 30.21 } else { 30.001 },
        sending_s: 30.0,
        totals: totals.clone(),
        latency_ms: latency.clone(),
        service_ms: latency.clone(),
        lag_ms: Latency::default(),
        wait_ms: None,
        arrivals: None,
        stages: Vec::new(),
        statements: vec![statement("latest_of_user", totals, latency)],
        errors: Vec::new(),
        connections: None,
        slices: Vec::new(),
        warm_up: None,
        client: Client { cpu_s: 3.5, cpu_share: 0.058 },
        server_activity: None,
        thresholds: Vec::new(),
        capacity: None,
        plans: vec![plan("latest_of_user", slow)],
        warnings: Vec::new(),
    }
}

/// Figures of a statement.
pub(crate) fn statement(name: &str, totals: Totals, latency: Latency) -> StatementFigures {
    StatementFigures {
        name: name.into(),
        sql: "SELECT id FROM events WHERE user_id = $1".into(),
        weight: 1.0,
        totals,
        latency_ms: latency.clone(),
        service_ms: latency,
        lag_ms: Latency::default(),
        ..StatementFigures::default()
    }
}

/// `min, mean, p50, p90, p95, p99, p999, max`; NaN is null.
pub(crate) fn latency(ms: [f64; 8], samples: u64) -> Latency {
    let [min, mean, p50, p90, p95, p99, p999, max] = ms.map(|ms| (!ms.is_nan()).then_some(ms));
    Latency { min, mean, p50, p90, p95, p99, p999, max, samples }
}

/// A typical plan of a statement.
pub(crate) fn plan(statement: &str, slow: bool) -> PlanFigures {
    let scan = if slow { "Seq Scan on events" } else { "Index Scan using events_user_id_created_at_idx on events" };
    PlanFigures {
        statement: statement.into(),
        class: "typical".into(),
        parameters: vec!["4711".into()],
        shape: if slow { format!("Limit > Sort > {scan}") } else { format!("Limit > {scan}") },
        scans: vec![scan.into()],
        planning_ms: 0.1,
        execution_ms: if slow { 74.8 } else { 0.046 },
        rows_read: if slow { 1_000_000 } else { 20 },
        rows_returned: 20,
        buffers_hit: if slow { 12_000 } else { 23 },
        buffers_read: if slow { 5_412 } else { 0 },
    }
}
