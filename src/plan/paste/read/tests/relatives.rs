//! Tests: plans of databases that grew out of PostgreSQL, and of other systems.

use super::*;

#[test]
fn plans_of_relatives_are_read_with_what_they_add() {
    let yugabyte = "\
Limit  (cost=20.00..1104.52 rows=20 width=72) (actual time=81.220..81.310 rows=20 loops=1)
  ->  Seq Scan on jobs  (cost=20.00..1004.50 rows=1000 width=72) (actual time=3.208..80.440 rows=400 loops=1)
        Filter: (kind <> 7)
        Rows Removed by Filter: 2
        Storage Filter: (queue = 30)
        Storage Table Read Requests: 49
        Storage Table Rows Scanned: 47000
Execution Time: 82.366 ms
Storage Read Requests: 49
Peak Memory Usage: 89 kB
";
    let plan = only(yugabyte);
    let scan = &plan.nodes()[1];
    assert_eq!(plan.relative(), Some(Relative::YugabyteDb));
    assert_eq!(scan.conditions.filter.as_deref(), Some("((queue = 30) AND (kind <> 7))"));
    assert_eq!((scan.removed.filter, plan.execution_ms), (46_600.0, Some(82.366)));
    assert_eq!(scan.others, ["Storage Table Read Requests: 49", "Storage Table Rows Scanned: 47000"]);
    assert_eq!(plan.root().others, ["Storage Read Requests: 49", "Peak Memory Usage: 89 kB"]);
    let old = yugabyte.replace("Seq Scan", "YB Seq Scan").replace("Storage Filter", "Remote Filter");
    assert_eq!((only(&old).relative(), only(&old).root().label()), (plan.relative(), "Limit".into()));
    let json = r#"[{"Plan": {"Node Type": "Seq Scan", "Relation Name": "jobs", "Actual Rows": 400, "Actual Loops": 1,
        "Storage Filter": "(queue = 30)", "Storage Table Rows Scanned": 47000, "New Key": [1, {"a": 2}], "Flag": true}}]"#;
    let of_json = only(json);
    assert_eq!((of_json.root().removed.filter, of_json.relative()), (46_600.0, plan.relative()));
    assert_eq!(of_json.root().others, ["Storage Table Rows Scanned: 47000", "New Key: 1", "a: 2", "Flag: true"]);

    let measured = "(cost=0.00..9.00 rows=5 width=4) (actual time=0.1..9.0 rows=5 loops=1)";
    let scan = format!("Seq Scan on t  {measured}\n");
    let signs = [
        ("Gather Motion 3:1  (slice1; segments: 3)", "", Relative::Greenplum),
        ("Custom Scan (ChunkAppend) on readings", "Chunks excluded during startup: 0", Relative::TimescaleDb),
        ("Custom Scan (columnar scan) on t", "Columnar cache search mode: native", Relative::AlloyDb),
        ("Custom Scan (DuckDBScan)", "", Relative::PgDuckDb),
        ("Custom Scan (ParadeDB Scan) on t", "", Relative::ParadeDb),
        ("Limit", "LFC: hits=1 misses=2", Relative::Neon),
        ("Limit", "Prefetch: hits=0 misses=2", Relative::Neon),
    ];
    for (node, line, relative) in signs {
        let plan = only(&format!("{node}  {measured}\n  {line}\n  ->  {scan}"));
        assert_eq!((plan.relative(), plan.nodes().len()), (Some(relative), 2), "{node}");
        assert!(
            line.is_empty() || plan.root().others.iter().any(|other| other == line),
            "{node}: {:?}",
            plan.root().others
        );
    }
    // What nobody knows is a node all the same.
    let unknown = only(&format!("Limit  {measured}\n  ->  Vector Thing on t x  {measured}\n        ->  {scan}"));
    assert_eq!(
        (unknown.nodes()[1].node_type.as_str(), unknown.nodes()[1].alias.as_deref()),
        ("Vector Thing", Some("x"))
    );
    // Citus shows a task of many, with times of its own.
    let citus = format!(
        "Custom Scan (Citus Adaptive)  {measured}\n  Task Count: 32\n  Tasks Shown: One of 32\n  ->  Task\n        Node: host=a \
         port=5432 dbname=b\n        ->  Aggregate  {measured}\n              ->  {scan}            Planning Time: 0.1 ms\n            \
         Execution Time: 3.2 ms\nPlanning Time: 1.1 ms\nExecution Time: 9.9 ms\n"
    );
    let plan = only(&citus);
    assert_eq!((plan.relative(), plan.execution_ms, plan.nodes().len()), (Some(Relative::Citus), Some(9.9), 3));
}

#[test]
fn plans_of_other_systems_are_named() {
    let told = [
        "XN Limit  (cost=0.00..0.13 rows=10 width=4)\n  ->  XN Seq Scan on sales  (cost=0.00..1724.56 rows=172456 width=4)",
        "distribution: full\nvectorized: true\n\n• sort\n│ order: +name\n│\n└── • scan\n      table: rides@rides_pkey",
        "| Id  | Operation         | Name | Rows |\n|   0 | SELECT STATEMENT  |      |    1 |\n|*  1 |  TABLE ACCESS FULL| T    |    1 |",
        "  |--Nested Loops(Inner Join)\n       |--Clustered Index Seek(OBJECT:([db].[dbo].[t].[pk]))",
        "QUERY PLAN\n|--SCAN t\n`--SEARCH u USING INDEX u_a (a=?)",
        "┌───────────────┐\n│   SEQ_SCAN    │\n│   t           │\n└───────────────┘",
        "Fragment 0 [SINGLE]\n    Output layout: [count]\n    TableScan[table = hive:t]",
        "Explained Query:\n  Finish order_by=[#0 asc]\n    ReadStorage materialize.public.t",
        "{\"GlobalStats\": {\"partitionsTotal\": 10}, \"Operations\": []}",
    ]
    .map(|text| refused(text) + "\n")
    .concat();
    insta::assert_snapshot!(told, @"
    the plan is not PostgreSQL's but Amazon Redshift's: latclinic reads PostgreSQL's (run the statement on PostgreSQL, with EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON))
    the plan is not PostgreSQL's but CockroachDB's: latclinic reads PostgreSQL's (run the statement on PostgreSQL, with EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON))
    the plan is not PostgreSQL's but Oracle's: latclinic reads PostgreSQL's (run the statement on PostgreSQL, with EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON))
    the plan is not PostgreSQL's but SQL Server's: latclinic reads PostgreSQL's (run the statement on PostgreSQL, with EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON))
    the plan is not PostgreSQL's but SQLite's: latclinic reads PostgreSQL's (run the statement on PostgreSQL, with EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON))
    the plan is not PostgreSQL's but DuckDB's: latclinic reads PostgreSQL's (run the statement on PostgreSQL, with EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON))
    the plan is not PostgreSQL's but Presto or Trino's: latclinic reads PostgreSQL's (run the statement on PostgreSQL, with EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON))
    the plan is not PostgreSQL's but Materialize's: latclinic reads PostgreSQL's (run the statement on PostgreSQL, with EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON))
    the plan is not PostgreSQL's but Snowflake's: latclinic reads PostgreSQL's (run the statement on PostgreSQL, with EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON))
    ");
}

/// What Citus ran on other servers is told by the indentation: figures of a task are none of the plan that another showed.
#[test]
fn tasks_of_citus_are_read_with_what_is_said_of_each() {
    let text = "\
Custom Scan (Citus Adaptive)  (cost=0.00..0.00 rows=1000 width=40) (actual time=83.1..128.7 rows=404 loops=1)
  ->  Distributed Subplan 12_1
        Subplan Duration: 9.51 ms
        Result destination: Send to 2 nodes
        ->  Seq Scan on buyers b  (cost=0.00..66.00 rows=500 width=44) (actual time=0.1..6.1 rows=500 loops=1)
              Filter: (kind = 3)
            Planning Time: 0.011 ms
            Execution Time: 8.687 ms
  Task Count: 32
  Tasks Shown: All
  ->  Task
        Node: host=worker-3 port=5432 dbname=air
        ->  Seq Scan on flights_7 f  (cost=0.00..66.00 rows=500 width=44) (actual time=0.1..70.1 rows=500 loops=1)
            Execution Time: 81.687 ms
  ->  Task
        Node: host=worker-4 port=5432 dbname=air
        ->  Seq Scan on flights_8 f  (cost=0.00..66.00 rows=500 width=44) (actual time=0.1..50.1 rows=500 loops=1)
            Execution Time: 51.687 ms
";
    let said = [
        "Subplan Duration: 9.51 ms",
        "Result destination: Send to 2 nodes",
        "Planning Time: 0.011 ms",
        "Execution Time: 8.687 ms",
        "Task Count: 32",
        "Tasks Shown: All",
        "Node: host=worker-3 port=5432 dbname=air",
        "Execution Time: 81.687 ms",
        "Node: host=worker-4 port=5432 dbname=air",
        "Execution Time: 51.687 ms",
    ];
    let whole = format!("{text}Planning Time: 1.8 ms\nExecution Time: 128.9 ms\n");
    for (text, execution_ms) in [(whole.as_str(), Some(128.9)), (text, None)] {
        let plan = only(text);
        assert_eq!((plan.root().label().as_str(), plan.execution_ms), ("Custom Scan (Citus Adaptive)", execution_ms));
        assert_eq!(plan.nodes().iter().map(|node| node.parent).collect::<Vec<_>>(), [None, Some(0), Some(0), Some(0)]);
        assert_eq!(plan.root().others, said);
        assert!(plan.nodes()[1..].iter().all(|node| node.others.is_empty()));
    }
    let json = r#"[{"Plan": {"Node Type": "Custom Scan", "Custom Plan Provider": "Citus Adaptive", "Actual Rows": 2, "Actual Loops": 1,
        "Distributed Query": {"Job": {"Task Count": 2, "Tasks Shown": "One of 2", "Tasks": [
        {"Node": "host=w1", "Remote Plan": [[{"Plan": {"Node Type": "Limit", "Actual Rows": 1, "Actual Loops": 1,
        "Plans": [{"Node Type": "Seq Scan", "Parent Relationship": "Outer", "Relation Name": "t_1", "Alias": "t",
        "Actual Rows": 1000, "Actual Loops": 1}]}, "Execution Time": 9.3}]]}]}}}, "Execution Time": 30.4}]"#;
    let plan = only(json);
    assert_eq!((plan.root().label().as_str(), plan.execution_ms), ("Custom Scan (Citus Adaptive)", Some(30.4)));
    assert_eq!((plan.relative(), plan.nodes().len(), plan.nodes()[2].depth), (Some(Relative::Citus), 3, 2));
    assert_eq!(plan.root().others, ["Task Count: 2", "Tasks Shown: One of 2", "Node: host=w1", "Execution Time: 9.3"]);
}

/// Figures within lines that are known, lines of workers, of `Planning:`, and brackets.
#[test]
fn what_is_added_to_known_lines_is_kept() {
    let measured = "(cost=0.00..9.00 rows=5 width=4 gain=7) (actual time=0.1..9.0 rows=5 loops=1) (segments: 3)";
    let text = format!(
        "Limit  {measured}
  Buffers: shared hit=6 read=1016 aurora_orcache_hit=884 aurora_storage_read=132, temp read=2
  I/O Timings: shared read=93.1 aurora_storage_read=32.9
  ->  Seq Scan on t  (cost=0.00..9.00 rows=5 width=4) (actual time=0.1..8.0 rows=5 loops=1)
        Worker 0:  actual time=0.1..8.0 rows=3 loops=1
          Buffers: shared hit=3 fast hit=4
          Strange Thing: 7
        Worker 1: Stuff without a key
Planning:
  Buffers: shared hit=3
  LFC: hits=1 misses=0
Settings: optimizer=on, work_mem = '1GB'
Execution Time: 9.4 ms
"
    );
    let plan = only(&text);
    assert_eq!(plan.relative(), Some(Relative::Aurora));
    let root = [
        "gain=7",
        "(segments: 3)",
        "Buffers: aurora_orcache_hit=884 aurora_storage_read=132",
        "I/O Timings: aurora_storage_read=32.9",
        "LFC: hits=1 misses=0",
    ];
    assert_eq!(plan.root().others, root);
    assert_eq!(plan.root().buffers.map(|buffers| (buffers.hit, buffers.read, buffers.temp_read)), Some((6, 1016, 2)));
    let workers = ["Worker 0: Buffers: fast hit=4", "Worker 0: Strange Thing: 7", "Worker 1: Stuff without a key"];
    assert_eq!(plan.nodes()[1].others, workers);
    assert_eq!((plan.settings["optimizer"].as_str(), plan.settings["work_mem"].as_str()), ("on", "1GB"));
    let json = r#"{"Plan": {"Node Type": "Seq Scan", "Relation Name": "t", "Workers": [{"Worker Number": 2, "Odd": {"a": 1}}]}}"#;
    assert_eq!(only(json).root().others, ["Worker 2: a: 1"]);
}
