//! Tests: any input is read or refused, in time that its length bounds.

use super::*;

#[test]
fn hostile_input_is_read_once() {
    // Each of these takes minutes where something is read again for each of its lines or brackets.
    let many = 100_000;
    for part in [
        "[",
        "{",
        "[\n",
        "{\"",
        "[1,",
        "\n",
        "Sort\n",
        "[\"\"a\" ",
        "{\\\"a",
        "->\n",
        "\"[\\\"",
        "Worker 0:\n",
        "  ->  Sort\n",
        "duration: 1 ms [",
        "[]\n",
        "Result\n[",
        "\"\"\"[",
    ] {
        let begin = std::time::Instant::now();
        let _ = read_plans(part.repeat(many / part.len()).as_bytes());
        let _ = read_plans(format!("Limit  (cost=0..1 rows=1 width=1)\n{}", part.repeat(many / part.len())).as_bytes());
        assert!(begin.elapsed().as_secs() < 20, "{part:?}: {:?}", begin.elapsed());
    }
}

fn fragments() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "Limit",
        "Sort",
        "Hash Join",
        "Seq Scan on ",
        "t",
        "\"a b\"",
        "  (cost=0.00..1.00 rows=1 width=4)",
        " (actual time=0.1..0.2 rows=1 loops=1)",
        "(never executed)",
        "->  ",
        "\n",
        "\n  ",
        "\n        ",
        "Filter: (a = 1)",
        "Sort Method: quicksort  Memory: 25kB",
        "Buffers: shared hit=1",
        "Worker 0:  ",
        "InitPlan 1 (returns $0)",
        "CTE x",
        "CTE Scan on x",
        "JIT:",
        "Planning Time: 1 ms",
        "Rows Removed by Filter: ",
        "9",
        "é",
        "[",
        "{",
        "\"Plan\": ",
        "\"Node Type\": ",
        "\"Plans\": ",
        "]",
        "}",
        "\"",
        "\"\"",
        "\\\"",
        ",",
        "│",
        "| ",
        "+",
        "Trigger a: calls=1",
        "Batches: 1",
        "Hits: 1",
        "Settings: a = 'b'",
        "Heap Blocks: exact=1",
        "QUERY PLAN",
        "duration: 1 ms plan:",
        "Query Text: ",
        "\t",
        "> ",
        "```",
    ]);
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

/// What is said of the JSON plan, cut at this byte and pasted, where it is anything but that it was cut off.
fn not_told_as_cut(text: &str, at: usize) -> Option<String> {
    let cut = &text[..text.floor_char_boundary(at)];
    let told = ["", "\n", " |\r\n"].map(|end| match read_plans(format!("{cut}{end}").as_bytes()) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    });
    told.into_iter().find(|told| !told.is_empty() && !told.contains("it was cut off"))
}

#[test]
fn json_cut_at_any_byte_is_told_as_cut_off() {
    let text = fixture("15/without_analyze.json");
    let plan = text.find("\"Plan\"").unwrap() + "\"Plan\"".len();
    for at in plan..text.trim_end().len() {
        assert_eq!(not_told_as_cut(&text, at), None, "{}", &text[..text.floor_char_boundary(at)]);
    }
}

proptest! {
    #[test]
    fn any_json_that_is_cut_is_told_as_cut_off(at in 0.0..1.0_f64, of in prop::sample::select(vec![
        "15/seq_scan_sort.json", "15/quoted_names.json", "16/delete_cascade.json", "17/memoize.json", "18/parallel_hash.json",
    ])) {
        let json = fixture(of);
        let plan = json.find("\"Plan\"").unwrap() + "\"Plan\"".len();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the text")]
        let at = plan + (at * (json.trim_end().len() - plan) as f64) as usize;
        prop_assert_eq!(not_told_as_cut(&json, at), None, "{}", &json[..json.floor_char_boundary(at)]);
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".*") {
        let _ = read_plans(text.as_bytes());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_plans(&bytes);
    }

    #[test]
    fn any_fragments_are_read_or_refused(text in fragments()) {
        if let Ok(plans) = read_plans(text.as_bytes()) {
            prop_assert!(plans.iter().all(|found| !found.plan.nodes().is_empty() && found.line <= text.lines().count().max(1)));
        }
    }

    #[test]
    fn a_captured_plan_cut_anywhere_is_read_or_refused(at in 0.0..1.0_f64, of in prop::sample::select(vec![
        "18/parallel_hash.txt", "15/jit_parallel.txt", "14/init_plan_shared.txt", "17/memoize.json", "18/quoted_names.txt", "16/delete_cascade.txt",
    ])) {
        let text = fixture(of);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the text")]
        let at = (0..=(text.len() as f64 * at) as usize).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let _ = read_plans(&text.as_bytes()[..at]);
        let _ = read_plans(&text.as_bytes()[at..]);
    }
}
