//! The plan depends on whose values it was made for, and one of them is wrong.

use crate::{
    advice,
    findings::{
        case::{Case, ClassPlan, Sighting},
        rule::Rule,
    },
    plan::Plan,
    record::{Confidence, Severity},
    sqltext::condition::{self, Side},
    text::rounded as count,
};

/// Class of the plan that is made for any values.
pub(crate) const GENERIC: &str = "generic";
const TYPICAL: &str = "typical";
/// How many times slower the generic plan is from which it is worth a change, and from which it is the cause of most of the time.
const WARNING_TIMES: f64 = 2.0;
const CRITICAL_TIMES: f64 = 10.0;
/// Milliseconds below which it does not matter.
const MIN_MS: f64 = 1.0;
/// What PostgreSQL adds to the cost of a plan made for its values, by relation and once more, for the planning
/// (`cached_plan_cost` in its sources, with the default `cpu_operator_cost`).
const PLANNING_COST: f64 = 2.5;

pub(crate) const RULE: Rule = Rule {
    id: "plan-flip",
    title: "The plan changes with the values it is made for",
    sees: "plans of different shape. Between the generic plan (made for any values) and the one made for the same values: a warning where the generic one is twice as slow and 1 ms slower, critical \
           from 10 times, provided that its cost is low enough for PostgreSQL to use it. Between values: info",
    why: "A prepared statement is planned for its values five times; then PostgreSQL may turn to one plan for any values, if its estimated cost is no higher. That plan knows \
          nothing of the values: where few of them make up most of the rows, it is made for those, and every other value waits. It shows as a statement that is fast at first and slow from \
          the sixth execution, or fast in psql and slow in the application.",
    advice: "Have it planned for its values each time (`plan_cache_mode = force_custom_plan`), or give it an index with which the same plan is right for all values. A pattern (LIKE $1) is looked up by no plan \
             for any values: compare a range, or search by an index of trigrams. A generic plan that costs more than planning for the values is not used, and needs nothing.",
    source: "https://www.postgresql.org/docs/current/sql-prepare.html; https://www.postgresql.org/docs/current/runtime-config-query.html#GUC-PLAN-CACHE-MODE",
    shown_by: &["https://www.michal-drozd.com/en/blog/postgresql-prepared-statements-trap/"],
    reads_estimates: false,
    explains: &[
        "seq-scan-filter",
        "index-filter",
        "order-by-limit-wrong-index",
        "top-n-sort",
        "read-efficiency",
        "misestimate",
        "nested-loop-blow-up",
    ],
    throws_away: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let seen = if case.class == GENERIC { generic(case) } else { between_values(case) };
    seen.into_iter().collect()
}

/// The generic plan against the one made for the values that both were executed with.
fn generic(case: &Case<'_>) -> Option<Sighting> {
    let custom = || case.statement.plans.iter().filter(|plan| plan.class != GENERIC);
    let same_values = custom().find(|plan| plan.class == TYPICAL).or_else(|| custom().next())?;
    let (slow, fast) = (case.statement_ms()?, statement_ms(&same_values.plan)?);
    let times = slow / fast;
    if same_shape(case.plan, &same_values.plan) || times < WARNING_TIMES || slow - fast < MIN_MS {
        return None;
    }
    let cost = case.plan.root().total_cost;
    let costs: Vec<f64> = custom().filter_map(|plan| plan.plan.root().total_cost).collect();
    let relations = case.plan.nodes().iter().filter(|node| node.scans_relation()).count() as f64;
    let average = costs.iter().sum::<f64>() / costs.len() as f64 + PLANNING_COST * (relations + 1.0);
    let is_used = cost.is_some_and(|cost| cost < average);
    let hot = hottest(case.plan);
    let index = hot.and_then(|at| advice::index_for(&case.planned, at));
    let (severity, used) = match is_used {
        true if times >= CRITICAL_TIMES => {
            (Severity::Critical, "low enough for PostgreSQL to use it from the sixth execution on")
        }
        true => (Severity::Warning, "low enough for PostgreSQL to use it from the sixth execution on"),
        false => (Severity::Info, "too high for PostgreSQL to use it unless it is forced to"),
    };
    let by_class: Vec<String> = custom().filter_map(time_of).collect();
    let or_index = index.map(|index| format!("; or {}: {}", index.why, index.statement)).unwrap_or_default();
    let (advice, statements) = match (is_used, pattern(case.plan)) {
        (true, Some((column, parameter))) => (
            format!(
                "which rows begin with ${parameter} is known only with its value, so that no plan for any values looks {column} up by LIKE, whatever the operator class \
                 of a b-tree. If all patterns are prefixes, compare a range, which it looks up: {column} ~>=~ first AND {column} ~<~ next, by an index with \
                 text_pattern_ops (>= and < by one in the order of bytes); a GIN index of trigrams (pg_trgm) is looked up by ${parameter} too. Otherwise have it planned \
                 for its values at each execution: plan_cache_mode = force_custom_plan"
            ),
            vec!["SET plan_cache_mode = force_custom_plan".to_owned()],
        ),
        (true, None) => (
            format!("have it planned for its values at each execution: plan_cache_mode = force_custom_plan{or_index}"),
            vec!["SET plan_cache_mode = force_custom_plan".to_owned()],
        ),
        (false, _) => (
            format!("leave plan_cache_mode at auto, by which it is planned for its values at each execution{or_index}"),
            Vec::new(),
        ),
    };
    Some(Sighting {
        severity,
        node: hot,
        evidence: format!(
            "the generic plan took {} with the {} values, {} times the {} of the plan made for them: {} instead of {}; its cost, {}, is {used} (made for values: {}; {} on average)",
            milliseconds(slow),
            same_values.class,
            count(times),
            milliseconds(fast),
            scans(case.plan),
            scans(&same_values.plan),
            count(cost.unwrap_or(0.0)),
            by_class.join(", "),
            count(average)
        ),
        at_stake_ms: Some(slow - fast),
        advice,
        statements,
        confidence: Confidence::High,
    })
}

/// The column that a scan compares with a pattern that is a parameter, and the parameter's number.
fn pattern(plan: &Plan) -> Option<(String, usize)> {
    plan.nodes().iter().filter(|node| node.scans_relation()).find_map(|node| {
        let alias = node.alias.as_deref().or(node.relation.as_deref())?;
        condition::terms(node.conditions.filter.as_deref()?).into_iter().find_map(|term| {
            let found = condition::comparison(term).filter(|found| found.operator == "~~")?;
            let (Side::Column(column) | Side::Cast { column, .. }) = condition::side(found.left, alias) else {
                return None;
            };
            Some((column.to_owned(), condition::parameter(found.right)?))
        })
    })
}

/// Told once, of the plan that took longest.
fn between_values(case: &Case<'_>) -> Option<Sighting> {
    let plans: Vec<&ClassPlan> = case.statement.plans.iter().filter(|plan| plan.class != GENERIC).collect();
    let slowest = plans.iter().max_by(|one, other| time(one).total_cmp(&time(other)))?;
    if slowest.class != case.class
        || time(slowest) < MIN_MS
        || plans.iter().all(|plan| same_shape(&plan.plan, case.plan))
    {
        return None;
    }
    let by_class: Vec<String> =
        plans.iter().filter_map(|plan| Some(format!("{} by {}", time_of(plan)?, scans(&plan.plan)))).collect();
    Some(Sighting {
        severity: Severity::Info,
        node: None,
        evidence: format!("the plan depends on the values: {}", by_class.join("; ")),
        at_stake_ms: None,
        advice: "measure each class of values by itself; where one is slow, see its plan".to_owned(),
        statements: Vec::new(),
        confidence: Confidence::Medium,
    })
}

fn time_of(plan: &ClassPlan) -> Option<String> {
    Some(format!("{} {}", plan.class, milliseconds(statement_ms(&plan.plan)?)))
}

fn time(plan: &ClassPlan) -> f64 {
    statement_ms(&plan.plan).unwrap_or(0.0)
}

fn statement_ms(plan: &Plan) -> Option<f64> {
    Some(plan.execution_ms.or(plan.root().total_ms)? + plan.planning_ms.unwrap_or(0.0))
}

fn milliseconds(ms: f64) -> String {
    if ms < 1.0 { format!("{ms:.2} ms") } else { format!("{ms:.1} ms") }
}

fn hottest(plan: &Plan) -> Option<usize> {
    let timed = plan.nodes().iter().enumerate().filter_map(|(at, node)| Some((at, node.own_ms?)));
    timed.max_by(|one, other| one.1.total_cmp(&other.1)).map(|(at, _)| at)
}

/// Ways that it reads its tables, three at most.
fn scans(plan: &Plan) -> String {
    let mut labels: Vec<String> = Vec::new();
    for node in plan.nodes().iter().filter(|node| node.scans_relation()) {
        let label = node.label();
        if !labels.contains(&label) {
            labels.push(label);
        }
        if labels.len() == 3 {
            break;
        }
    }
    labels.join(", ")
}

fn same_shape(one: &Plan, other: &Plan) -> bool {
    let shape =
        |plan: &Plan| -> Vec<(usize, String)> { plan.nodes().iter().map(|node| (node.depth, node.label())).collect() };
    shape(one) == shape(other)
}

#[cfg(test)]
mod tests {
    use crate::findings::plan::captured::{captured, findings};
    use crate::{
        catalog::Tables,
        findings::{case::Examined, diagnose},
        record::{Finding, Severity},
    };

    fn of(findings: Vec<Finding>) -> Option<Finding> {
        findings.into_iter().find(|finding| finding.rule == super::RULE.id)
    }

    #[test]
    fn a_generic_plan_gone_wrong_is_told_with_the_classes() {
        let findings = findings("generic_plan_gone_wrong", 15);
        let top = &findings[0];
        assert_eq!((top.rule.as_str(), top.severity), ("plan-flip", Severity::Critical));
        insta::assert_snapshot!(top.evidence, @"the generic plan took 54.4 ms with the typical values, 813 times the 0.07 ms of the plan made for them: Index Scan Backward using messages_sent on messages instead of Bitmap Heap Scan on messages; its cost, 14, is low enough for PostgreSQL to use it from the sixth execution on (made for values: hot 0.05 ms, typical 0.07 ms, cold 0.11 ms, absent 0.04 ms; 34 on average)");
        assert_eq!(top.statements, ["SET plan_cache_mode = force_custom_plan"]);
    }

    #[test]
    fn a_generic_plan_too_expensive_to_be_used_is_only_good_to_know() {
        let (_, mut plans) = captured("generic_plan_gone_wrong").next().unwrap();
        let generic = plans.iter_mut().find(|plan| plan.class == "generic").unwrap();
        generic.plan.nodes[0].total_cost = Some(10_000.0);
        let tables = Tables::default();
        let found = diagnose(&Examined { name: None, sql: None, plans: &plans, tables: &tables, executions: None });
        assert_eq!(of(found).unwrap().severity, Severity::Info);
    }

    #[test]
    fn one_plan_for_all_values_is_fine() {
        assert_eq!(of(findings("healthy_generic_plan", 15)), None);
        assert_eq!(of(findings("healthy_lookup", 15)), None);
    }
}
