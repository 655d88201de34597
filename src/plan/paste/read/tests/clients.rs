//! Tests: plans as clients and terminals print them.

use super::*;

/// Clients that print less than EXPLAIN: pgAdmin 4 numbers the lines and leaves what is right below the first node where it is.
#[test]
fn layouts_of_clients_are_read() {
    let numbered = "\
QUERY PLAN
1. Append  (cost=0.29..36.20 rows=106 width=28) (actual time=0.1..22.7 rows=106 loops=1)
2. -> Subquery Scan on \"*SELECT* 1\"  (cost=0.29..4.51 rows=13 width=10) (actual time=0.1..2.8 rows=13 loops=1)
3.     -> Index Only Scan using w_i on w  (cost=0.29..3.42 rows=13 width=6) (actual time=0.1..1.8 rows=13 loops=1)
4.         Heap Fetches: 7
5. -> Seq Scan on d  (cost=0.29..17.97 rows=93 width=6) (actual time=0.1..3.7 rows=93 loops=1)
6.     Filter: (kind = 3)
Planning Time: 0.285 ms
Execution Time: 36.56 ms
";
    let plan = only(numbered);
    assert_eq!(plan.nodes().iter().map(|node| node.parent).collect::<Vec<_>>(), [None, Some(0), Some(1), Some(0)]);
    assert_eq!((plan.nodes()[2].heap_fetches, plan.execution_ms), (Some(7.0), Some(36.56)));
    assert_eq!(plan.nodes()[3].conditions.filter.as_deref(), Some("(kind = 3)"));
    // Lists that old clients cut off end no plan.
    let cut = numbered.replace("Filter: (kind = 3)", "Output: d.a, (concat(d.b (...)\n7.     Filter: (kind = 4)");
    assert_eq!(only(&cut).nodes()[3].conditions.filter.as_deref(), Some("(kind = 4)"));
}

/// Lines of JSON that a terminal broke in the middle of a key, a text or a figure.
#[test]
fn json_that_was_broken_at_a_column_is_read() {
    for (major, name, json, text) in captured().into_iter().filter(|(major, ..)| *major == 18).take(20) {
        let flat = json.split('\n').map(str::trim).collect::<String>();
        for width in [80, 117] {
            let chars: Vec<char> = flat.chars().collect();
            let broken: Vec<String> = chars.chunks(width).map(|chunk| chunk.iter().collect()).collect();
            let read = plans(&format!("here it is\n{}\n", broken.join("\n")));
            assert_eq!(read.len(), 1, "{major} {name}");
            assert_eq!(read[0].plan.nodes().len(), only(&text).nodes().len(), "{major} {name}");
            assert_eq!(read[0].plan.root().label(), only(&text).root().label(), "{major} {name}");
        }
    }
}

/// The last line of a plan ends a cell of a log in CSV, whatever the line says.
#[test]
fn a_cell_of_csv_ends_in_any_line() {
    for last in ["Filter: (kind = 3)", "Buffers: shared hit=10239", "Rows Removed by Filter: 7", "Heap Fetches: 3"] {
        let log = format!(
            "2026-11-30 09:00:01.5 UTC,\"app\",\"shop\",77,\"[local]\",6a.4d,3,\"SELECT\",2026-11-30 09:00:00 UTC,3/12,0,LOG,00000,\"duration: \
             52.5 ms  plan:\nQuery Text: SELECT 1\nSeq Scan on t  (cost=0.00..9.00 rows=5 width=4) (actual time=0.1..52.0 rows=5 \
             loops=1)\n  Output: \"\"a\"\"\n  {last}\",,,,,,,,,\"psql\",\"client backend\",,0\n2026-11-30 09:00:02.5 UTC,,,,LOG\n"
        );
        let plan = only(&log);
        let node = plan.root();
        assert_eq!((node.others.len(), plan.execution_ms), (0, Some(52.5)), "{last}: {:?}", node.others);
        match last.split_once(':').unwrap().0 {
            "Filter" => assert_eq!(node.conditions.filter.as_deref(), Some("(kind = 3)")),
            "Buffers" => assert_eq!(node.buffers.map(|buffers| buffers.hit), Some(10_239)),
            "Heap Fetches" => assert_eq!(node.heap_fetches, Some(3.0)),
            _ => assert_eq!(node.removed.filter, 7.0),
        }
    }
}
