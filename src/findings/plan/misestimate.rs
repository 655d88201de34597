//! The planner expected another number of rows, and chose on it.

use crate::{
    findings::{
        case::{Case, Sighting},
        estimates::{Cause, Origin},
        rule::Rule,
    },
    record::{Confidence, Severity},
};

pub(crate) const RULE: Rule = Rule {
    id: "misestimate",
    title: "The planner expected another number of rows",
    sees: "the deepest node whose rows are 10 times more or fewer than planned (both counted as 1 at least, by loop; 100 rows at least), unless a \
           Limit, a semi join or a merge join above it stopped it early. Good to know; a warning from 100 times, or where what was chosen on it takes \
           40 % of the time; critical from 1000 times, or from 100 times with 40 %; always info where nothing that was chosen on it takes 10 %",
    why: "The planner picks joins, their order and their memory by the rows it expects. It knows each column by itself and takes columns for \
          independent: where one follows from another, as a zip code and its city do, it expects far too few rows, and a nested loop that would be \
          right for one row runs for thousands.",
    advice: "Give the planner what it lacks: fresh statistics (ANALYZE), statistics of columns that go together or of an expression (CREATE STATISTICS), \
             or a finer sample of a skewed column (SET STATISTICS).",
    source: "levels as pev2's (https://github.com/dalibo/pev2); extended statistics: https://www.postgresql.org/docs/current/planner-stats.html",
    shown_by: &["https://www.cybertec-postgresql.com/en/optimization-issues-cross-column-correlation/"],
    reads_estimates: false,
    explains: &[],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    // A generic plan is made without knowing the values: statistics do not change that.
    if case.class == "generic" {
        return Vec::new();
    }
    let origins = case.origins();
    origins.iter().filter_map(|origin| sighting(case, origin)).collect()
}

fn sighting<'a>(case: &Case<'a>, origin: &Origin<'a>) -> Option<Sighting> {
    let severity = origin.severity();
    let (advice, statements, confidence) = match case.cause(origin) {
        Cause::Correlated { table, name, columns } => (
            format!(
                "create statistics of {} together, from which the planner sees how they depend on each other",
                columns.join(", ")
            ),
            vec![
                format!("CREATE STATISTICS {name} ON {} FROM {table}", columns.join(", ")),
                format!("ANALYZE {table}"),
            ],
            Confidence::Medium,
        ),
        Cause::Expression { table, name, expression } => (
            format!("create statistics of the expression {expression}, of which the planner has none"),
            vec![format!("CREATE STATISTICS {name} ON ({expression}) FROM {table}"), format!("ANALYZE {table}")],
            Confidence::Medium,
        ),
        // Told of the nested loop instead.
        Cause::Unknown
            if severity > Severity::Info && origin.harm.is_some_and(|harm| is_nested_loop(case, harm.at)) =>
        {
            return None;
        }
        // Known to be stale only together with the catalog, where `stale-statistics` stands for it.
        Cause::Stale(_) | Cause::Unknown => (unknown(origin), Vec::new(), Confidence::Low),
    };
    Some(Sighting {
        severity,
        node: Some(origin.at),
        evidence: origin.evidence() + &origin.harm_evidence(),
        at_stake_ms: origin.harm.map(|harm| harm.ms),
        advice,
        statements,
        confidence,
    })
}

fn is_nested_loop(case: &Case<'_>, at: usize) -> bool {
    case.plan.nodes()[at].node_type == "Nested Loop"
}

/// What helps where neither the plan nor the catalog says why.
pub(crate) fn unknown(origin: &Origin<'_>) -> String {
    let node = origin.node;
    if let Some(function) = &node.function {
        return format!("declare how many rows {function} returns (ALTER FUNCTION ... ROWS)");
    }
    match &node.relation {
        Some(table) => format!(
            "analyze {table}; if the estimate stays off, compare columns with values instead of with each other, or raise the statistics target of \
             the columns in its condition"
        ),
        None => "analyze the tables below it; if the estimate stays off, raise the statistics target of the columns it joins or groups by".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::findings::plan::captured::{captured, findings, findings_of_text};
    use crate::{
        catalog::{TableFacts, Tables},
        findings::{case::Examined, diagnose},
        record::{Finding, Severity},
    };

    fn of(name: &str) -> Vec<Finding> {
        let mut findings = findings(name, 15);
        findings.retain(|finding| finding.rule == super::RULE.id);
        findings
    }

    #[test]
    fn a_cte_that_is_off_is_told_once_with_what_was_chosen_on_it() {
        let found = findings_of_text(
            "Sort  (cost=1000.00..2000.00 rows=200 width=80) (actual time=50.0..90.0 rows=40000 loops=1)
  Sort Key: r.id
  Sort Method: external merge  Disk: 900kB
  CTE recent
    ->  Seq Scan on events  (cost=0.00..20000.00 rows=100 width=80) (actual time=0.05..40.0 rows=40000 loops=1)
  ->  CTE Scan on recent r  (cost=0.00..2.00 rows=100 width=80) (actual time=0.06..60.0 rows=40000 loops=1)
Execution Time: 91.0 ms",
        );
        let told: Vec<&str> =
            found.iter().filter(|one| one.rule == super::RULE.id).map(|one| one.evidence.as_str()).collect();
        insta::assert_snapshot!(told.join("\n"), @"Seq Scan on events found 40 000 rows where 100 were planned (400 times as many); the Sort chosen on that stands for 30.0 ms, 32 % of the time");
    }

    #[test]
    fn columns_that_go_together_get_statistics_together() {
        let findings = findings("correlated_columns", 15);
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("misestimate", Severity::Critical));
        insta::assert_snapshot!(top.evidence, @"Seq Scan on addresses found 500 rows where 1 was planned (500 times as many); the Nested Loop chosen on that stands for 2198.7 ms, 99.4 % of the time");
        insta::assert_snapshot!(top.statements.join("\n"), @"
        CREATE STATISTICS planted_correlated_columns.addresses_city_zip_country ON city, zip, country FROM planted_correlated_columns.addresses
        ANALYZE planted_correlated_columns.addresses
        ");
    }

    #[test]
    fn an_expression_gets_statistics() {
        let findings = findings("expression_without_statistics", 15);
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("misestimate", Severity::Critical));
        insta::assert_snapshot!(top.evidence, @"Seq Scan on visits found 100 000 rows where 167 were planned (599 times as many); the Nested Loop chosen on that stands for 396.0 ms, 62 % of the time");
        insta::assert_snapshot!(top.statements.join("\n"), @"
        CREATE STATISTICS planted_expression_without_statistics.visits_seen ON (date_part('year'::text, seen)) FROM planted_expression_without_statistics.visits
        ANALYZE planted_expression_without_statistics.visits
        ");
    }

    #[test]
    fn statistics_that_are_there_are_not_advised_again() {
        let (_, plans) = captured("correlated_columns").next().unwrap();
        let addresses = TableFacts {
            schema: "planted_correlated_columns".to_owned(),
            name: "addresses".to_owned(),
            rows: 20_000.0,
            analyzed_at: Some("2026-01-01".to_owned()),
            extended_statistics: vec![["country", "zip", "city"].map(str::to_owned).to_vec()],
            ..TableFacts::default()
        };
        let tables = Tables { tables: vec![addresses] };
        let found = diagnose(&Examined { name: None, sql: None, plans: &plans, tables: &tables, executions: None });
        assert!(found.iter().all(|finding| finding.statements.iter().all(|sql| !sql.contains("CREATE STATISTICS"))));
    }

    #[test]
    fn without_harm_it_is_only_good_to_know() {
        let found = of("estimate_off_without_harm");
        assert_eq!(found.iter().map(|finding| finding.severity).collect::<Vec<_>>(), [Severity::Info]);
        insta::assert_snapshot!(found[0].evidence, @"Seq Scan on visits found 50 000 rows where 250 were planned (200 times as many)");
    }

    #[test]
    fn what_a_limit_stopped_early_is_not_misestimated() {
        assert_eq!(of("healthy_limit"), []);
        assert_eq!(of("healthy_hash_join"), []);
    }
}
