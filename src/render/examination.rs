//! What an examination of plans found.

use std::collections::HashSet;

use super::{
    document::{Block, Document},
    findings,
    plan_trees::{Trees, trees},
    what_if::what_if,
};
use crate::{
    record::{Examination, PlanFigures, SlowestOf},
    text,
};

/// Lines of a statement that are shown.
const STATEMENT_LINES: usize = 12;

/// Examinations for a person: what stands out first, then the plans.
pub fn examination(examinations: &[Examination]) -> Document {
    let mut blocks = vec![Block::Headline(headline(examinations))];
    let several = examinations.len() > 1;
    for (number, one) in (1..).zip(examinations) {
        if several || one.source.is_some() {
            blocks.push(Block::Heading(name(one, number, examinations.len())));
        }
        blocks.extend(of_statement(one));
    }
    let advised = advised(examinations);
    // Those of a log; of a scenario each statement has its own.
    let is_log = several && examinations.iter().any(|one| one.source.is_some());
    if is_log && !advised.is_empty() {
        blocks.push(Block::Heading("All statements advised, each once".into()));
        blocks.push(Block::Verbatim(advised.iter().map(|sql| format!("{sql};")).collect::<Vec<_>>().join("\n")));
    }
    Document { blocks }
}

/// The statements that findings advise, each once, the first found first.
fn advised(examinations: &[Examination]) -> Vec<&str> {
    let all = examinations.iter().flat_map(|one| &one.findings).flat_map(|finding| &finding.statements);
    let mut seen = HashSet::new();
    all.map(String::as_str).filter(|sql| seen.insert(*sql)).collect()
}

fn headline(examinations: &[Examination]) -> String {
    let all = || examinations.iter().flat_map(|one| &one.findings);
    match (examinations, all().next()) {
        ([], _) => "no plan was examined".into(),
        (_, None) => nothing(examinations),
        ([only], Some(first)) => {
            let first = findings::place(first);
            let before = if only.findings.len() > 1 { ", first" } else { ":" };
            format!("{}{before} {first}", findings::counted(all()))
        }
        _ => format!("{} statements: {}", examinations.len(), findings::counted(all())),
    }
}

/// That nothing stands out, as far as it was executed.
fn nothing(examinations: &[Examination]) -> String {
    let plans = || examinations.iter().flat_map(|one| &one.plans);
    let (all, executed) = (plans().count(), plans().filter(|plan| findings::was_executed(plan)).count());
    match (examinations, all - executed) {
        (_, 0) => "nothing stands out".into(),
        (_, missing) if executed > 0 => {
            let were = if missing == 1 { "was" } else { "were" };
            format!("nothing stands out; {missing} of {all} plans {were} not executed")
        }
        (several, _) => {
            let why = plans().find_map(|plan| plan.note.as_deref()).filter(|_| several.len() == 1);
            format!("{}; nothing stands out in the estimates", why.unwrap_or("not executed"))
        }
    }
}

fn name(one: &Examination, number: usize, of: usize) -> String {
    let statement = one.plans.first().map(|plan| plan.statement.as_str()).filter(|name| !name.is_empty());
    let what = statement.map_or_else(|| format!("Statement {number} of {of}"), |name| format!("Statement {name}"));
    match &one.source {
        Some(source) if of == 1 => source.clone(),
        Some(source) => format!("{what}, {source}"),
        None => what,
    }
}

fn of_statement(one: &Examination) -> Vec<Block> {
    let mut blocks = Vec::new();
    blocks.extend(one.statement.as_ref().map(|sql| Block::Verbatim(begin(sql))));
    if let Some(SlowestOf { plans, total_ms }) = one.slowest_of {
        let total = text::milliseconds(total_ms);
        blocks.push(Block::Paragraph(format!(
            "The slowest of {plans} plans of this statement, which took {total} in all."
        )));
    }
    if !one.notes.is_empty() {
        blocks.push(Block::List(one.notes.clone()));
    }
    blocks.extend(findings::findings(Some(&one.findings), &one.plans));
    blocks.extend(what_if(&one.what_if));
    let plans: Vec<&PlanFigures> = one.plans.iter().collect();
    blocks.extend(trees(&plans, &one.findings, Trees { prefix: "", in_terminal: true, numbered: true }));
    blocks
}

/// The first lines of a statement.
fn begin(sql: &str) -> String {
    let sql = super::document::clean_lines(sql.trim());
    let mut lines: Vec<&str> = sql.lines().take(STATEMENT_LINES).collect();
    if sql.lines().count() > STATEMENT_LINES {
        lines.push("…");
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{Finding, Phase, Record, Severity, sample},
        render::{markdown, terminal},
    };

    fn slow() -> Examination {
        let Record { plans, findings, .. } = sample::record(Phase::Before);
        Examination { plans, findings: findings.unwrap(), ..Examination::default() }
    }

    fn plain(examinations: &[Examination]) -> String {
        terminal(&examination(examinations), 80, false)
    }

    #[test]
    fn the_finding_comes_first_then_the_plan_with_the_guilty_node() {
        insta::assert_snapshot!(plain(&[slow()]), @"
        1 critical: Seq Scan on events, 99.8 % of the time at stake

        1. critical, 99.8 % of the time at stake: A table is read whole and most of it
           thrown away
           Seq Scan on events read 1 000 000 rows to keep 20 (99.99 % removed), 17 412
           buffers, 99.8 % of the time.
           Why it matters: Every execution reads every row of the table to find the few
           that it wants: it takes as long for one row as for all, grows with the table,
           and under concurrent load it takes the processor and the cache from
           everything else.
           What to do: give its filter an index, so that only the rows it keeps are
           read.

           CREATE INDEX CONCURRENTLY ON events (user_id, created_at DESC);

        What a finding means: latclinic explain --rule seq-scan-filter

        Plan of latest_of_user for typical values (4711): 74.8 ms, the first 120 ms,
        planned in 100 µs:
           node                                              time   share  rows  buffers
        ────────────────────────────────────────────────────────────────────────────────
        ►1 Seq Scan on events                             74.8 ms  ██████    20   17 412
               Filter: (user_id = 4711)
               Rows Removed: 999 980

        Time, share and buffers are a node's own, without the nodes below it; rows are
        all that it returned.
        ");
    }

    #[test]
    fn markdown_folds_the_plan_and_nothing_in_it_breaks_out() {
        let mut one = slow();
        one.findings[0].evidence = "read `*` <b>".into();
        one.plans[0].parameters = vec!["</summary> & more".into()];
        one.plans[0].nodes[0].details = vec!["Filter: (note = '```')".into(), "```".into()];
        insta::assert_snapshot!(markdown(&examination(&[one])), @r"
        # 1 critical: Seq Scan on events, 99.8 % of the time at stake

        1. **critical, 99.8 % of the time at stake: A table is read whole and most of it thrown away**

           read \`\*\` &lt;b>.

           Why it matters: Every execution reads every row of the table to find the few that it wants: it takes as long for one row as for all, grows with the table, and under concurrent load it takes the processor and the cache from everything else.

           What to do: give its filter an index, so that only the rows it keeps are read.

           ```sql
           CREATE INDEX CONCURRENTLY ON events (user_id, created_at DESC);
           ```

        What a finding means: latclinic explain --rule seq-scan-filter

        <details>
        <summary>Plan of latest_of_user for typical values (&lt;/summary> &amp; more): 74.8 ms, the first 120 ms, planned in 100 µs</summary>

        ````text
           node                                                                  time   share  rows  buffers
        ────────────────────────────────────────────────────────────────────────────────────────────────────
        ►1 Seq Scan on events                                                 74.8 ms  ██████    20   17 412
               Filter: (note = '```')
               ```
               Rows Removed: 999 980
        ````

        Time, share and buffers are a node's own, without the nodes below it; rows are all that it returned.

        </details>
        ");
    }

    #[test]
    fn five_findings_are_told_and_the_others_counted() {
        let mut one = slow();
        let of = |severity| Finding { severity, ..one.findings[0].clone() };
        let (warning, info) = (of(Severity::Warning), of(Severity::Info));
        one.findings.extend([
            warning.clone(),
            warning.clone(),
            warning.clone(),
            warning.clone(),
            warning.clone(),
            warning,
            info,
        ]);
        let text = plain(&[one]);
        assert!(text.contains("\n5. warning") && !text.contains("\n6. "), "{text}");
        assert!(text.contains("And 3 more: 2 warnings, 1 info; --format json has all."), "{text}");
    }

    #[test]
    fn a_plan_of_several_classes_is_drawn_once_and_findings_name_theirs() {
        let mut one = slow();
        let hot = PlanFigures { class: "hot".into(), execution_ms: Some(90.0), ..one.plans[0].clone() };
        let cold = PlanFigures { class: "cold".into(), ..sample::record(Phase::After).plans[0].clone() };
        one.plans.extend([hot, cold]);
        one.findings[0].classes = vec!["hot".into(), "typical".into()];
        let text = plain(&[one]);
        assert!(text.contains("Seen for: hot and typical values."), "{text}");
        assert!(text.contains("Plan of latest_of_user for hot values (4711): 90.0 ms, "), "{text}");
        assert!(text.replace('\n', " ").contains("; the same plan for typical: "), "{text}");
        assert_eq!((text.matches("►1 Seq Scan").count(), text.matches("time   share").count()), (1, 2), "{text}");
    }

    #[test]
    fn what_was_not_executed_is_not_said_to_be_well() {
        let plan = sample::record(Phase::After).plans.remove(0);
        let not_executed = PlanFigures {
            execution_ms: None,
            rows_returned: None,
            note: Some("not executed: it takes more than 2 s".into()),
            ..plan.clone()
        };
        let of = |plans: Vec<PlanFigures>| plain(&[Examination { plans, ..Examination::default() }]);
        let none = of(vec![not_executed.clone()]);
        assert!(
            none.starts_with("not executed: it takes more than 2 s; nothing stands out in the estimates\n"),
            "{none}"
        );
        let words = none.replace('\n', " ");
        assert!(
            words.contains(
                "Nothing stands out in the estimates: only rules that need no actual figures could examine 1 plan."
            ),
            "{none}"
        );
        let some = of(vec![plan.clone(), not_executed]);
        assert!(some.starts_with("nothing stands out; 1 of 2 plans was not executed\n"), "{some}");
        let words = some.replace('\n', " ");
        assert!(
            words.contains(
                "all rules examined 2 plans, but only rules that need no actual figures examined the 1 not executed."
            ),
            "{some}"
        );
        assert!(of(vec![plan]).starts_with("nothing stands out\n"));
    }

    #[test]
    fn several_statements_have_their_headings_and_nothing_is_said_as_such() {
        let quiet = |source: &str| Examination {
            source: Some(source.into()),
            statement: Some("SELECT 1\nFROM x".into()),
            plans: vec![PlanFigures {
                statement: String::new(),
                class: String::new(),
                parameters: Vec::new(),
                ..sample::record(Phase::After).plans[0].clone()
            }],
            findings: Vec::new(),
            notes: vec!["the plan was not executed: it has estimates only".into()],
            what_if: Vec::new(),
            slowest_of: None,
        };
        let text = plain(&[slow(), quiet("plans.log, line 12")]);
        assert!(text.starts_with("2 statements: 1 critical\n\nStatement latest_of_user:\n"), "{text}");
        insta::assert_snapshot!(text.split("Statement 2 of 2").nth(1).unwrap(), @"
        , plans.log, line 12:
        SELECT 1
        FROM x

        - the plan was not executed: it has estimates only

        Nothing stands out: all rules examined 1 plan.

        Plan: 46.0 µs, the first 1.20 ms, planned in 100 µs:
        node                                                 time   share  rows  buffers
        ────────────────────────────────────────────────────────────────────────────────
        Index Scan using events_user_id_created_at_idx    46.0 µs  ██████    20       23
            on events
            Index Cond: (user_id = 4711)

        Time, share and buffers are a node's own, without the nodes below it; rows are
        all that it returned.

        All statements advised, each once:
        CREATE INDEX CONCURRENTLY ON events (user_id, created_at DESC);
        ");
        assert!(plain(&[quiet("x")]).starts_with("nothing stands out\n\nx:\n"));
        assert_eq!(plain(&[]), "no plan was examined");
    }
}
