//! An estimate is wrong since the table has changed.

use crate::{
    catalog::TableFacts,
    findings::{
        case::{Case, Sighting},
        estimates::Cause,
        rule::Rule,
    },
    record::Confidence,
    sqltext::quote,
    text::rounded as count,
};

pub(crate) const RULE: Rule = Rule {
    id: "stale-statistics",
    title: "The planner's statistics are older than the table's rows",
    sees: "a misestimate of a table of which more rows changed since its last ANALYZE than autovacuum waits for (50 and 10 % of the table), or that was \
           never analyzed; told instead of `misestimate`, with its severity",
    why: "The planner knows a table by a sample that ANALYZE took. After a bulk load, or where autovacuum is off or late, that sample shows a table that \
          is no more: new values do not exist for it, and what it expects of them is off by any factor.",
    advice: "ANALYZE the table, and at the end of every bulk load; where autovacuum comes too late, lower `autovacuum_analyze_scale_factor` of the table.",
    source: "https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-STATISTICS",
    shown_by: &["https://datafield.dev/sql/part-04/chapter-24/case-study-02.html"],
    reads_estimates: false,
    explains: &["misestimate"],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let mut seen = Vec::new();
    for origin in case.origins() {
        let Cause::Stale(tables) = case.cause(&origin) else { continue };
        let names: Vec<String> = tables.iter().map(|table| name(table)).collect();
        let changes: Vec<String> = tables.iter().map(|table| change(table)).collect();
        seen.push(Sighting {
            severity: origin.severity(),
            node: Some(origin.at),
            evidence: format!("{}; {}{}", origin.evidence(), changes.join("; "), origin.harm_evidence()),
            at_stake_ms: origin.harm.map(|harm| harm.ms),
            advice: format!("analyze {}", names.join(" and ")),
            statements: names.iter().map(|name| format!("ANALYZE {name}")).collect(),
            confidence: Confidence::High,
        });
    }
    seen
}

fn name(table: &TableFacts) -> String {
    let name = quote::identifier(&table.name);
    if table.schema == "public" || table.schema.is_empty() {
        name
    } else {
        format!("{}.{name}", quote::identifier(&table.schema))
    }
}

fn change(table: &TableFacts) -> String {
    match &table.analyzed_at {
        None if table.rows < 0.0 => format!("{} was never analyzed", table.name),
        analyzed_at => format!(
            "{} rows of {} changed since it was analyzed{}, when it had {}",
            count(table.modified_since_analyze as f64),
            table.name,
            analyzed_at.as_ref().map(|at| format!(" at {at}")).unwrap_or_default(),
            count(table.rows)
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::findings::plan::captured::captured;
    use crate::{
        catalog::{TableFacts, Tables},
        findings::{case::Examined, diagnose},
        record::{Finding, Severity},
    };

    fn with(case: &str, table: &str, rows: f64, modified: u64) -> Vec<Finding> {
        let (_, plans) = captured(case).find(|(major, _)| *major == 15).unwrap();
        let facts = TableFacts {
            schema: format!("planted_{case}"),
            name: table.to_owned(),
            rows,
            modified_since_analyze: modified,
            analyzed_at: Some("2026-01-01 00:00:00+00".to_owned()),
            ..TableFacts::default()
        };
        let tables = Tables { tables: vec![facts] };
        diagnose(&Examined { name: None, sql: None, plans: &plans, tables: &tables, executions: None })
    }

    #[test]
    fn a_state_unknown_to_the_statistics_is_told_before_what_was_chosen_on_it() {
        let findings = with("stale_statistics", "jobs", 4000.0, 900);
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("stale-statistics", Severity::Critical));
        insta::assert_snapshot!(top.evidence, @"Index Scan using jobs_state on jobs found 900 rows where 1 was planned (900 times as many); 900 rows of jobs changed since it was analyzed at 2026-01-01 00:00:00+00, when it had 4 000; the Nested Loop chosen on that stands for 2933.4 ms, 99.8 % of the time");
        assert_eq!(top.statements, ["ANALYZE planted_stale_statistics.jobs"]);
        assert!(findings.iter().all(|finding| finding.rule != "misestimate" && finding.rule != "nested-loop-blow-up"));
    }

    #[test]
    fn changes_fewer_than_autovacuum_waits_for_are_not_stale() {
        let findings = with("stale_statistics", "jobs", 4000.0, 450);
        assert!(findings.iter().all(|finding| finding.rule != "stale-statistics"));
    }

    #[test]
    fn stale_statistics_whose_estimates_hold_are_nothing() {
        let findings = with("stale_without_harm", "jobs", 20_000.0, 10_000);
        assert!(findings.iter().all(|finding| finding.rule != "stale-statistics"), "{findings:?}");
    }
}
