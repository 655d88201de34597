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
        run: None,
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
            rewrites: Vec::new(),
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
            enough: None,
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
        suspended_s: 0.0,
        changed_by_others: None,
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
        blocks: Vec::new(),
        warm_up: None,
        client: Client { cpu_s: 3.5, cpu_share: 0.058 },
        server_activity: None,
        thresholds: Vec::new(),
        gates: Vec::new(),
        capacity: None,
        results: None,
        price: None,
        plans: vec![plan("latest_of_user", slow)],
        findings: Some(if slow { vec![finding()] } else { Vec::new() }),
        plans_under_load: Some(under_load(plan("latest_of_user", slow))),
        warnings: Vec::new(),
    }
}

/// A record with every part that there can be: an open load of a statement and a script, with stages, over a pool.
pub(crate) fn full() -> Record {
    let mut full = record(Phase::Before);
    let latency = full.latency_ms.clone();
    let wait = latency_of_waits();
    full.interrupted_by = Some("Ctrl-C".into());
    full.fix.rewrites = vec![RewriteInfo { statement: "latest_of_user".into(), sha256: "cc".into() }];
    full.load = LoadInfo {
        model: "open".into(),
        clients: 16,
        rate: Some(120.0),
        arrivals: Some("poisson".into()),
        latency_limit_s: Some(1.0),
        stages: vec![
            LoadStage { duration_s: 10.0, from: 0.0, to: 120.0 },
            LoadStage { duration_s: 20.0, from: 120.0, to: 120.0 },
        ],
        connections: "pool".into(),
        pool: Some(PoolInfo { size: 4, wait_timeout_s: Some(0.5), recycling: "fast".into() }),
        statement_timeout_s: Some(2.0),
        settings: BTreeMap::from([("jit".into(), "off".into())]),
        retries: 3,
        error_limit: 0.5,
        ..full.load
    };
    full.totals = Totals { errors: 12, error_rate: 12.0 / 2_716.0, skipped: 4, late: 9, retries: 31, ..full.totals };
    full.lag_ms = latency_of_waits();
    full.wait_ms = Some(wait.clone());
    full.arrivals = Some(ArrivalFigures {
        planned: 3_004,
        sent: 3_000,
        planned_rate_per_s: 100.1,
        achieved_rate_per_s: 100.0,
        max_lag_ms: Some(2.0),
    });
    let step = |name: &str, executions| StepFigures {
        name: name.into(),
        sql: format!("SELECT * FROM {name} WHERE id = $1"),
        executions,
        errors: 0,
        service_ms: latency_of_waits(),
    };
    let mut script = statement("comments_of_post", full.totals.clone(), latency.clone());
    script.sql = "SELECT * FROM comments WHERE id = $1;\nSELECT * FROM authors WHERE id = $1".into();
    script.wait_ms = Some(wait);
    script.steps = vec![step("comments", 2_716), step("authors", 54_320)];
    full.statements.push(script);
    let stage = |start_s, length_s, from, to| StageFigures {
        start_s,
        length_s,
        from,
        to,
        totals: full.totals.clone(),
        latency_ms: latency.clone(),
        lag_ms: latency_of_waits(),
    };
    full.stages = vec![stage(0.0, 10.0, 0.0, 120.0), stage(10.0, 20.2, 120.0, 120.0)];
    full.errors = vec![ErrorCount { sqlstate: "40001".into(), count: 12, sample: "could not serialize access".into() }];
    full.connections = Some(ConnectionFigures {
        opened: Some(6),
        lost: 2,
        reconnected: 2,
        failed_attempts: 5,
        without_s: 1.25,
        sample: Some("terminating connection due to administrator command".into()),
    });
    full.slices = vec![Slice {
        start_s: 0.0,
        length_s: 1.0,
        totals: full.totals.clone(),
        latency_ms: latency,
        active_clients: Some(7.5),
        connected_clients: Some(16.0),
        pool: Some(PoolUse { in_use: 3.5, idle: 0.5, waiting: 2.25 }),
    }];
    full.run = Some(RunInfo {
        id: "5f3a".into(),
        aa: false,
        rounds_asked: 6,
        automatic: true,
        rounds: 1,
        first: vec![Phase::After],
        time_s: BTreeMap::new(),
    });
    full.blocks = vec![Block {
        round: 1,
        started_at: Some(full.started_at),
        start_s: 0.0,
        measured_s: 5.1,
        sending_s: 5.0,
        totals: full.totals.clone(),
        latency_ms: full.latency_ms.clone(),
        statements: vec![BlockStatement {
            name: "latest_of_user".into(),
            totals: full.totals.clone(),
            latency_ms: full.latency_ms.clone(),
        }],
        server_activity: Some(server_activity()),
        warnings: vec![Warning { id: "checkpoint-inside".into(), message: "one".into(), advice: "none".into() }],
    }];
    full.warm_up = Some(WarmUpFigures { length_s: 5.0, cold_clients: 0 });
    full.server_activity = Some(server_activity());
    let threshold = |expression: &str, value, limit, unit, outcome| ThresholdResult {
        expression: expression.into(),
        statement: expression.split_once(':').map(|(statement, _)| statement.into()),
        value,
        limit,
        unit,
        outcome,
        reason: (outcome == Outcome::Undecided).then(|| "needs 2995 samples; there are 2716".into()),
    };
    full.gates = vec!["p99 improves by 2x".into()];
    full.thresholds = vec![
        threshold("p(95)<250ms", Some(190.3), 250.0, ThresholdUnit::Ms, Outcome::Passed),
        threshold("latest_of_user:p(99.9)<1s", None, 1_000.0, ThresholdUnit::Ms, Outcome::Undecided),
        threshold("error_rate<0.1%", Some(12.0 / 2_716.0), 0.001, ThresholdUnit::Share, Outcome::Failed),
    ];
    let point = |rate_per_s: f64, p95: f64, passed| CapacityPoint {
        rate_per_s,
        achieved_per_s: rate_per_s * 0.999,
        operations: 3_000,
        errors: 0,
        p50_ms: Some(p95 / 2.0),
        p95_ms: Some(p95),
        p99_ms: None,
        value: Some(p95),
        passed,
        reason: (!passed).then(|| "540.0/s of 600.0/s were achieved".into()),
    };
    full.capacity = Some(Capacity {
        threshold: "p(95)<50ms".into(),
        rate_per_s: Some(480.0),
        curve: vec![point(100.0, 12.0, true), point(600.0, 412.0, false), point(480.0, 48.8, true)],
    });
    full.results = Some(results());
    full.price = Some(price_of_index());
    full.warnings = vec![Warning {
        id: "connections-lost".into(),
        message: "2 connections were lost".into(),
        advice: "look at the server's log".into(),
    }];
    full
}

/// A check that found a difference, ties and a statement that cannot be compared.
pub(crate) fn results() -> ResultsCheck {
    let statement = |name: &str, role: Option<&str>| StatementResults {
        name: name.into(),
        role: role.map(Into::into),
        compared: 200,
        identical: Some(true),
        deterministic: true,
        ordered: true,
        ties: 0,
        reason: None,
        difference: None,
    };
    ResultsCheck::new(
        200,
        vec![
            StatementResults { ties: 3, ..statement("latest_of_user", None) },
            StatementResults {
                identical: Some(false),
                reason: Some("12 of 200 results differ".into()),
                difference: Some(ResultDifference {
                    parameters: vec!["4711".into()],
                    row: 3,
                    columns: vec!["id".into(), "created_at".into(), "note".into()],
                    before: Some(vec![Some("991".into()), Some("2026-01-02 03:04:05+00".into()), None]),
                    after: Some(vec![Some("990".into()), Some("2026-01-02 03:04:05+00".into()), Some(String::new())]),
                }),
                ..statement("latest_of_user", Some("tenant_a"))
            },
            StatementResults {
                identical: None,
                deterministic: false,
                ordered: false,
                reason: Some("two executions before the fix gave different rows".into()),
                ..statement("comments_of_post.authors", None)
            },
        ],
    )
}

/// A price such as that of an index: inserts and updates are slower, deletes were refused.
pub(crate) fn price_of_index() -> Price {
    let write = |operation, before_ms: f64, after_ms: f64, verdict| {
        let ratio = after_ms / before_ms;
        WritePrice {
            table: "events".into(),
            operation,
            rounds: 6,
            before_ms: Some(before_ms),
            after_ms: Some(after_ms),
            ratio: Some(ratio),
            ci_low: Some(ratio - 0.03),
            ci_high: Some(ratio + 0.03),
            confidence: Some(0.95),
            verdict,
            wal_bytes_before: Some(183.0),
            wal_bytes_after: Some(247.0),
            hot_ratio_before: None,
            hot_ratio_after: None,
        }
    };
    Price {
        builds: 6,
        build_s: Some(0.9),
        size_bytes: Some(31 << 20),
        locks: vec![LockHeld { relation: "events".into(), mode: "ShareUpdateExclusiveLock".into() }],
        longest_wait_ms: Some(1.4),
        reader_longest_ms: Some(2.1),
        writer_longest_ms: Some(3.2),
        writes: vec![
            write(Operation::Insert, 0.05, 0.056, WriteVerdict::Regressed),
            WritePrice {
                hot_ratio_before: Some(0.985),
                hot_ratio_after: Some(0.49),
                ..write(Operation::Update, 0.05, 0.0505, WriteVerdict::Inconclusive)
            },
            WritePrice {
                rounds: 0,
                before_ms: None,
                after_ms: None,
                ratio: None,
                ci_low: None,
                ci_high: None,
                confidence: None,
                wal_bytes_before: None,
                wal_bytes_after: None,
                ..write(Operation::Delete, 1.0, 1.0, WriteVerdict::Inconclusive)
            },
        ],
        break_even: Some(BreakEven {
            table: "events".into(),
            operation: Operation::Insert,
            extra_write_ms: 0.006,
            saved_read_ms: 88.0,
            reads_per_write: 0.006 / 88.0,
        }),
        no_break_even: None,
        notes: vec!["events: rows could not be deleted: permission denied".into()],
    }
}

/// What the server counted in [`full`].
fn server_activity() -> ServerActivity {
    let moment = "2026-11-21T01:23:59Z".parse().ok();
    ServerActivity {
        length_s: Some(30.3),
        database: Some(DatabaseActivity {
            commits: Some(5_432),
            rollbacks: Some(12),
            buffers_hit: Some(8_000_000),
            buffers_read: Some(1_234),
            read_ms: Some(321.0),
            temp_files: Some(3),
            temp_bytes: Some(123 << 20),
            deadlocks: Some(1),
            ..DatabaseActivity::default()
        }),
        tables: Some(vec![TableActivity {
            name: "events".into(),
            rows_updated: Some(2_000),
            rows_hot_updated: Some(1_900),
            autovacuums: Some(1),
            autoanalyzes: Some(2),
            last_autovacuum: moment,
            last_autoanalyze: moment,
            ..TableActivity::default()
        }]),
        indexes: Some(vec![IndexActivity { name: "events_pkey".into(), table: "events".into(), ..Default::default() }]),
        wal: Some(WalActivity { records: Some(9_000), bytes: Some(812_000), ..WalActivity::default() }),
        checkpoints: Some(CheckpointActivity {
            timed: Some(1),
            requested: Some(0),
            write_ms: Some(12_340.0),
            sync_ms: Some(80.0),
            buffers_written: Some(4_000),
            ..CheckpointActivity::default()
        }),
        io: Some(vec![IoActivity { backend_type: "client backend".into(), hits: Some(8), ..IoActivity::default() }]),
        statements: Some(vec![StatementActivity {
            query: "SELECT id, created_at\n  FROM events WHERE user_id = $1 ORDER BY created_at DESC".into(),
            calls: 2_716,
            total_ms: 211_000.0,
            mean_ms: 77.7,
            rows: Some(54_320),
            ..StatementActivity::default()
        }]),
        notes: vec!["cannot read pg_stat_wal: permission denied".into()],
    }
}

fn latency_of_waits() -> Latency {
    latency([0.01, 0.1, 0.1, 0.2, 0.4, 0.8, f64::NAN, 2.0], 2_716)
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
        execution_ms: Some(if slow { 74.8 } else { 0.046 }),
        rows_read: Some(if slow { 1_000_000 } else { 20 }),
        rows_returned: Some(20),
        buffers_hit: Some(if slow { 12_000 } else { 23 }),
        buffers_read: Some(if slow { 5_412 } else { 0 }),
        nodes: vec![plan_node(scan, slow)],
        values_from: vec![ValueSource::Data],
        value_rows: vec![Some(97)],
        first_ms: Some(if slow { 120.4 } else { 1.2 }),
        executions_ms: if slow { vec![74.8, 73.9, 75.6] } else { vec![0.044, 0.051, 0.046] },
        generic_is_same: Some(true),
        note: None,
    }
}

fn under_load(plan: PlanFigures) -> PlansUnderLoad {
    let seen = PlanUnderLoad { shape: plan.shape, count: 19, in_warmup: 0, classes: vec![plan.class] };
    let of = StatementUnderLoad {
        statement: plan.statement,
        sampled: 19,
        in_warmup: 0,
        plans: vec![seen],
        agrees: Some(true),
    };
    PlansUnderLoad { not_sampled: None, sessions: 8, sessions_sampled: 8, statements: vec![of] }
}

fn plan_node(label: &str, slow: bool) -> PlanNode {
    PlanNode {
        depth: 0,
        label: label.into(),
        node_type: if slow { "Seq Scan" } else { "Index Scan" }.into(),
        relation: Some("events".into()),
        alias: Some("events".into()),
        index: (!slow).then(|| "events_user_id_created_at_idx".into()),
        subplan: None,
        details: vec![if slow { "Filter: (user_id = 4711)" } else { "Index Cond: (user_id = 4711)" }.into()],
        cost: Some(if slow { 22_353.0 } else { 8.44 }),
        estimated_rows: 100.0,
        rows: Some(20.0),
        rows_removed: Some(if slow { 999_980.0 } else { 0.0 }),
        loops: Some(1.0),
        own_ms: Some(if slow { 74.8 } else { 0.046 }),
        total_ms: Some(if slow { 74.8 } else { 0.046 }),
        own_buffers: Some(if slow { 17_412 } else { 23 }),
        share: Some(1.0),
        misestimate: Some(5.0),
    }
}

fn finding() -> Finding {
    Finding {
        rule: "seq-scan-filter".into(),
        severity: Severity::Critical,
        statement: Some("latest_of_user".into()),
        classes: vec!["typical".into()],
        node: Some(0),
        path: "Seq Scan on events".into(),
        evidence:
            "Seq Scan on events read 1 000 000 rows to keep 20 (99.99 % removed), 17 412 buffers, 99.8 % of the time"
                .into(),
        share: Some(0.998),
        at_stake_ms: Some(74.7),
        advice: "give its filter an index, so that only the rows it keeps are read".into(),
        statements: vec!["CREATE INDEX CONCURRENTLY ON events (user_id, created_at DESC)".into()],
        confidence: Confidence::High,
        planned: None,
    }
}
