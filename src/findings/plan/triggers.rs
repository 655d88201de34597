//! Triggers take the time.

use crate::{
    advice,
    catalog::{Referring, TableFacts},
    findings::{
        case::{Case, Sighting},
        rule::Rule,
    },
    plan::Trigger,
    record::{Confidence, Severity},
    text::{part as percent, rounded as count},
};

/// Shares of the statement's time.
const INFO_SHARE: f64 = 0.1;
const WARNING_SHARE: f64 = 0.4;
const CRITICAL_SHARE: f64 = 0.9;
/// Milliseconds by call from which a foreign key's check does not use an index: a lookup takes some hundredths.
const SLOW_CALL_MS: f64 = 0.5;

pub(crate) const RULE: Rule = Rule {
    id: "triggers",
    title: "Triggers take the time, not the statement",
    sees: "the slowest trigger, that of a foreign key included, where it takes 10 % of the statement's time, a warning from 40 %, critical from 90 %; one of a foreign key only where \
           it looks for referring rows and a call takes half a millisecond and over, else it is good to know",
    why: "A DELETE, or an UPDATE of a key, has to look for rows that refer to the row, once for each row and foreign key. PostgreSQL makes no index for that by itself: without one \
          it reads the referring table whole each time. Triggers of one's own run once for each row as well, and what they do is in no plan.",
    advice: "Make an index on the referring columns of the foreign key. Make a trigger of one's own run once for the statement (FOR EACH STATEMENT with a transition table), or do less.",
    source: "levels as pev2's: https://github.com/dalibo/pev2; https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK",
    shown_by: &["https://dba.stackexchange.com/questions/37034"],
    reads_estimates: false,
    explains: &[],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    // Of several the slowest: the others are next when that one is cured.
    let slowest = case
        .plan
        .triggers
        .iter()
        .max_by(|one, other| one.time_ms.unwrap_or(0.0).total_cmp(&other.time_ms.unwrap_or(0.0)));
    slowest.and_then(|trigger| sighting(case, trigger)).into_iter().collect()
}

/// What a trigger is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose<'a> {
    /// Looks for the rows that refer to one which was deleted or whose key was changed.
    Referred(&'a str),
    /// Looks up the row that a new or changed one refers to.
    Refers(&'a str),
    /// Checks a deferrable unique constraint once more.
    Unique(&'a str),
    Own,
}

/// By the names that PostgreSQL gives; where EXPLAIN prints only the constraint's, by what the statement does to the table.
fn purpose<'a>(case: &Case<'_>, trigger: &'a Trigger) -> Purpose<'a> {
    let Some(constraint) = trigger.constraint.as_deref() else { return Purpose::Own };
    let name = trigger.name.as_str();
    if name.starts_with("RI_ConstraintTrigger_c_") {
        return Purpose::Refers(constraint);
    }
    if name.starts_with("RI_ConstraintTrigger_") {
        return Purpose::Referred(constraint);
    }
    let is_unique = ["_key", "_pkey", "_excl"].iter().any(|end| constraint.ends_with(end));
    if ["PK_ConstraintTrigger", "Unique_ConstraintTrigger"].iter().any(|begin| name.starts_with(begin))
        || name.is_empty() && is_unique
    {
        return Purpose::Unique(constraint);
    }
    if !name.is_empty() {
        return Purpose::Own;
    }
    let mut writes = case.plan.nodes().iter().filter(|node| node.writes());
    let of_table = writes.clone().find(|node| node.relation == trigger.relation).or_else(|| writes.next());
    let of_own_table = || {
        let table = trigger.relation.as_deref().unwrap_or_default();
        constraint.strip_prefix(table).is_some_and(|rest| rest.starts_with('_'))
    };
    match of_table.and_then(|node| node.operation.as_deref()) {
        Some("Insert") => Purpose::Refers(constraint),
        Some("Update" | "Merge") if of_own_table() => Purpose::Refers(constraint),
        _ => Purpose::Referred(constraint),
    }
}

fn sighting(case: &Case<'_>, trigger: &Trigger) -> Option<Sighting> {
    let ms = trigger.time_ms?;
    let share = case.share(ms).filter(|share| *share >= INFO_SHARE)?;
    let by_call = ms / trigger.calls.max(1.0);
    let purpose = purpose(case, trigger);
    let severity = match (purpose, share) {
        (Purpose::Refers(_) | Purpose::Unique(_), _) => Severity::Info,
        (Purpose::Referred(_), _) if by_call < SLOW_CALL_MS => Severity::Info,
        (_, share) if share < WARNING_SHARE => Severity::Info,
        (_, share) if share < CRITICAL_SHARE => Severity::Warning,
        _ => Severity::Critical,
    };
    let table = trigger.relation.as_deref().unwrap_or("its table");
    let took = format!(
        "took {ms:.1} ms, {} of the time, in {} calls of {by_call:.2} ms",
        percent(share),
        count(trigger.calls)
    );
    let mut statements = Vec::new();
    let (evidence, advice) = match purpose {
        Purpose::Referred(constraint) => {
            let known = table_of(case, trigger).and_then(|facts| Some((facts, facts.referring(constraint)?)));
            let advice = match known {
                Some((_, Referring { index: Some(index), table: referring, .. })) => format!(
                    "the index {index} finds the rows of {referring} already: change fewer rows of {table} at once, and look at what else has to be \
                     done for the rows that refer to them"
                ),
                Some((referred, key)) => {
                    statements.push(advice::index_for_key(&case.planned, referred, key));
                    format!(
                        "give {} an index on ({}), which refers to {table} by {constraint}, so that the rows which refer to one of {table} need not be \
                         searched for",
                        key.table,
                        key.columns.join(", ")
                    )
                }
                None => format!(
                    "make an index on the referring columns of {constraint}, so that the rows which refer to one of {table} need not be searched for"
                ),
            };
            (format!("checking the foreign key {constraint} for the rows changed in {table} {took}"), advice)
        }
        Purpose::Refers(constraint) => (
            format!("looking up what the new rows of {table} refer to by the foreign key {constraint} {took}"),
            "nothing is missing: the lookup by the key of the table referred to is the price of the foreign key"
                .to_owned(),
        ),
        Purpose::Unique(constraint) => (
            format!("checking the deferrable constraint {constraint} once more for the rows changed in {table} {took}"),
            format!(
                "make {constraint} NOT DEFERRABLE if it need not wait for later statements: it is then checked only as a row is written"
            ),
        ),
        Purpose::Own => (
            format!("the trigger {} on {table} {took}", trigger.name),
            format!("look at what {} does for each row; have it run once for the statement where it can", trigger.name),
        ),
    };
    Some(Sighting {
        severity,
        node: None,
        evidence,
        at_stake_ms: Some(ms),
        advice,
        statements,
        confidence: if purpose == Purpose::Own { Confidence::Medium } else { Confidence::High },
    })
}

/// What the catalog says of the trigger's table.
fn table_of<'a>(case: &Case<'a>, trigger: &Trigger) -> Option<&'a TableFacts> {
    let written = case.plan.nodes().iter().find(|node| node.writes() && node.relation == trigger.relation);
    case.statement.tables.find(written.and_then(|node| node.schema.as_deref()), trigger.relation.as_deref()?)
}

#[cfg(test)]
mod tests {
    use crate::findings::plan::captured::{findings, findings_beside, findings_of_text};
    use crate::{
        catalog::{Referring, TableFacts, Tables},
        record::Severity,
    };

    #[test]
    fn a_foreign_key_without_an_index_is_named() {
        let findings = findings("foreign_key_without_index", 15);
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("triggers", Severity::Critical));
        insta::assert_snapshot!(top.evidence, @"checking the foreign key lines_invoice_id_fkey for the rows changed in invoices took 499.5 ms, 99.94 % of the time, in 100 calls of 5.00 ms");
    }

    #[test]
    fn where_the_catalog_has_the_foreign_key_its_index_is_advised_unless_there_is_one() {
        let plan = "Delete on public.invoices  (cost=0.00..200.00 rows=0 width=0) (actual time=1.1..1.1 rows=0 loops=1)
  ->  Seq Scan on public.invoices  (cost=0.00..200.00 rows=100 width=6) (actual time=0.01..1.0 rows=100 loops=1)
Planning Time: 0.1 ms
Trigger for constraint lines_fkey on invoices: time=610.2 calls=100
Execution Time: 612.5 ms";
        let told = |schema: &str, key: Referring| {
            let referred_by = vec![Referring {
                constraint: "lines_fkey".into(),
                schema: "Shop".into(),
                table: "lines".into(),
                ..key
            }];
            let table =
                TableFacts { schema: schema.into(), name: "invoices".into(), referred_by, ..TableFacts::default() };
            let found = findings_beside(plan, &Tables { tables: vec![table] });
            let finding = found.into_iter().find(|finding| finding.rule == super::RULE.id).unwrap();
            (finding.advice, finding.statements.concat())
        };
        let columns = vec!["year".to_owned(), "invoice id".to_owned()];
        let key = Referring { columns, ..Referring::default() };
        let (advice, statement) = told("public", key.clone());
        assert!(
            advice.starts_with("give lines an index on (year, invoice id), which refers to invoices by lines_fkey"),
            "{advice}"
        );
        assert_eq!(statement, "CREATE INDEX CONCURRENTLY ON \"Shop\".lines (year, \"invoice id\")");
        let (_, statement) = told("public", Referring { partitioned: true, ..key.clone() });
        assert!(statement.starts_with("CREATE INDEX ON "), "{statement}");
        let (advice, statement) = told("public", Referring { index: Some("lines_idx".into()), ..key.clone() });
        assert!(
            advice.starts_with("the index lines_idx finds the rows of lines already") && statement.is_empty(),
            "{advice}"
        );
        // One of the same name elsewhere.
        let (advice, statement) = told("private", key);
        assert!(advice.starts_with("make an index on the referring columns") && statement.is_empty(), "{advice}");
    }

    /// What is told of a slow trigger on `lines`, with this begin of its line and this kind of statement.
    fn told(operation: &str, trigger: &str) -> String {
        let found = findings_of_text(&format!(
            "{operation} on lines  (cost=0.00..200.00 rows=0 width=0) (actual time=60.1..60.1 rows=0 loops=1)
  ->  Seq Scan on staging  (cost=0.00..200.00 rows=10000 width=40) (actual time=0.01..3.0 rows=10000 loops=1)
Planning Time: 0.1 ms
Trigger {trigger} on lines: time=6110.200 calls=10000
Execution Time: 6172.5 ms"
        ));
        let finding = found.iter().find(|finding| finding.rule == super::RULE.id).unwrap();
        let evidence = finding.evidence.split(" took ").next().unwrap();
        format!("{}: {evidence}; {}", finding.severity.as_str(), finding.advice)
    }

    #[test]
    fn what_a_constraint_checks_follows_from_the_trigger_or_the_statement() {
        let refers = "info: looking up what the new rows of lines refer to by the foreign key lines_order_fkey; nothing is missing: the \
                      lookup by the key of the table referred to is the price of the foreign key";
        let referred = "critical: checking the foreign key lines_order_fkey for the rows changed in lines; make an index on the \
                        referring columns of lines_order_fkey, so that the rows which refer to one of lines need not be searched for";
        for trigger in
            ["RI_ConstraintTrigger_c_16420 for constraint lines_order_fkey", "for constraint lines_order_fkey"]
        {
            assert_eq!(told("Insert", trigger), refers);
            assert_eq!(told("Update", trigger), refers);
        }
        assert_eq!(told("Update", "RI_ConstraintTrigger_a_16420 for constraint lines_order_fkey"), referred);
        assert_eq!(told("Delete", "for constraint lines_order_fkey"), referred);
        assert!(told("Update", "for constraint parts_line_fkey").starts_with("critical: checking the foreign key"));
        for trigger in ["Unique_ConstraintTrigger_16420 for constraint one_line", "for constraint lines_place_key"] {
            assert!(told("Update", trigger).starts_with("info: checking the deferrable constraint"), "{trigger}");
        }
        assert!(told("Insert", "audit for constraint audit").starts_with("critical: the trigger audit on lines;"));
    }

    #[test]
    fn lookups_of_a_foreign_key_by_an_index_are_only_good_to_know() {
        let findings = findings("foreign_key_with_index", 15);
        assert!(findings.iter().all(|finding| finding.severity == Severity::Info), "{findings:?}");
    }
}
