//! Plans of the planted cases, as real servers made them, for the tests of the rules.
//!
//! `tests/planted/cases/<name>.sql` says how each came about; `tests/fixtures/findings/<name>/<major>.json` is an array of `{class, plan}`.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::{
    catalog::Tables,
    findings::{
        case::{ClassPlan, Examined},
        diagnose,
    },
    plan::{Plan, read_plans},
    record::Finding,
};

/// The case's plans by the major version that made them, the oldest first; never empty.
pub(crate) fn captured(name: &str) -> impl Iterator<Item = (u32, Vec<ClassPlan>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/findings").join(name);
    let files = fs::read_dir(&folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()));
    let mut versions: Vec<(u32, Vec<ClassPlan>)> = files
        .map(|file| {
            let path = file.unwrap().path();
            let classes: Vec<Value> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            (path.file_stem().unwrap().to_str().unwrap().parse().unwrap(), classes.iter().map(class_plan).collect())
        })
        .collect();
    assert!(!versions.is_empty(), "{} holds no plans", folder.display());
    versions.sort_by_key(|(major, _)| *major);
    versions.into_iter()
}

/// What all rules find in the case's plans of this major version, with nothing known beside the plans.
pub(crate) fn findings(name: &str, major: u32) -> Vec<Finding> {
    let (_, plans) =
        captured(name).find(|(of, _)| *of == major).unwrap_or_else(|| panic!("{name}: no plans of PostgreSQL {major}"));
    examined(&plans)
}

/// What all rules find in a plan as EXPLAIN prints it in text, with nothing known beside it.
pub(crate) fn findings_of_text(text: &str) -> Vec<Finding> {
    findings_beside(text, &Tables::default())
}

/// What all rules find in a plan as EXPLAIN prints it in text, beside these tables.
pub(crate) fn findings_beside(text: &str, tables: &Tables) -> Vec<Finding> {
    let plans = read_plans(text.as_bytes()).unwrap();
    let plans: Vec<ClassPlan> =
        plans.into_iter().map(|pasted| ClassPlan { class: String::new(), plan: pasted.plan }).collect();
    diagnose(&Examined { name: None, sql: None, plans: &plans, tables, executions: None })
}

/// The ids of the rules that found something, the first on top.
pub(crate) fn rules_of(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.rule.as_str()).collect()
}

/// Asserts that the rule is on top in the case, in every version.
pub(crate) fn assert_on_top(rule: &str, name: &str) {
    for (major, _) in captured(name) {
        let findings = findings(name, major);
        assert_eq!(findings.first().map(|finding| finding.rule.as_str()), Some(rule), "{name} {major}: {findings:#?}");
    }
}

/// Asserts that the rule finds nothing in the cases, in any version.
pub(crate) fn assert_silent(rule: &str, names: &[&str]) {
    for name in names {
        for (major, _) in captured(name) {
            let findings = findings(name, major);
            assert!(findings.iter().all(|finding| finding.rule != rule), "{name} {major}: {findings:#?}");
        }
    }
}

/// What the rule tells of the case's first plan of PostgreSQL 15, without the share of the time, which is another in each capture.
pub(crate) fn told(rule: &str, name: &str) -> String {
    let (_, plans) = captured(name).find(|(major, _)| *major == 15).unwrap();
    let found = examined(&plans[..1]);
    let finding = found.iter().find(|finding| finding.rule == rule).unwrap_or_else(|| panic!("{name}: {found:#?}"));
    let evidence: Vec<&str> = finding.evidence.split(", ").collect();
    let without_share = evidence.iter().map(|part| part.split_once(" % of the time").map_or(*part, |(_, rest)| rest));
    let evidence = without_share.collect::<Vec<_>>().join(", ").replace(", ;", ";");
    let statements: String = finding.statements.iter().map(|statement| format!("\n{statement}")).collect();
    format!("{}: {}\n{}{statements}", finding.severity.as_str(), evidence.trim_end_matches(", "), finding.advice)
}

fn examined(plans: &[ClassPlan]) -> Vec<Finding> {
    diagnose(&Examined { name: None, sql: None, plans, tables: &Tables::default(), executions: None })
}

fn class_plan(captured: &Value) -> ClassPlan {
    let class = captured["class"].as_str().unwrap().to_owned();
    ClassPlan { class, plan: Plan::from_json(&captured["plan"]).unwrap() }
}

mod tests {
    use super::*;
    use crate::record::Severity;

    /// Cases whose cause is only in the catalog.
    const OF_THE_CATALOG: &[&str] = &[
        "any_case_by_lower",
        "invalid_index",
        "invalid_index_of_partitions",
        "key_of_indexed_json",
        "other_collation",
        "other_expression",
        "partial_index_not_implied",
        "policy_before_a_search",
        "policy_before_an_enum",
        "prefix_in_a_collation",
        "range_that_holds_an_address",
        "search_without_configuration",
        "shadowed_operator",
        "stale_statistics",
        "two_letters",
        "value_in_an_array",
        "value_of_a_subquery",
        "varchars_of_an_array",
        "wrong_column_order",
    ];

    /// What a head line of a case says, such as `-- finds: seq-scan-filter`.
    fn head(case: &str, key: &str) -> Option<String> {
        let prefix = format!("-- {key}: ");
        case.lines().find_map(|line| line.strip_prefix(&prefix)).map(|value| value.trim().to_owned())
    }

    #[test]
    fn the_finding_on_top_is_the_one_that_was_planted_in_every_version() {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/planted/cases");
        let mut wrong = Vec::new();
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let case = fs::read_to_string(&path).unwrap();
            let finds = head(&case, "finds").unwrap();
            let executions = head(&case, "executions").map(|times| times.parse().unwrap());
            if OF_THE_CATALOG.contains(&name.as_str()) {
                continue;
            }
            for (major, plans) in captured(&name) {
                let tables = Tables::default();
                let found = diagnose(&Examined { name: None, sql: None, plans: &plans, tables: &tables, executions });
                let top = found.first().filter(|top| top.severity > Severity::Info || finds == top.rule);
                if top.map_or("nothing", |top| top.rule.as_str()) != finds {
                    wrong.push(format!("{name} {major}: {finds}, not {}", top.map_or("nothing", |top| &top.evidence)));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// As EXPLAIN prints it with TIMING and BUFFERS off.
    fn without_time_and_buffers(json: &mut Value) {
        match json {
            Value::Array(all) => all.iter_mut().for_each(without_time_and_buffers),
            Value::Object(node) => {
                let is_heap = |key: &str| key.ends_with(" Heap Blocks");
                node.retain(|key, _| {
                    is_heap(key) || !(key.starts_with("Actual ") && key.ends_with(" Time") || key.ends_with(" Blocks"))
                });
                node.values_mut().for_each(without_time_and_buffers);
            }
            _ => {}
        }
    }

    #[test]
    fn rows_convict_without_time_and_buffers() {
        let cases = [
            ("missing_index", "seq-scan-filter"),
            ("index_on_one_of_two", "index-filter"),
            ("function_on_column", "function-on-column"),
            ("vacuum_debt", "heap-fetches"),
            ("lossy_bitmap", "lossy-bitmap"),
            ("offset_pagination", "large-offset"),
            ("count_everything", "count-everything"),
            ("latest_without_index", "top-n-sort"),
            ("wrong_index_for_order", "order-by-limit-wrong-index"),
        ];
        for (name, rule) in cases {
            let path =
                PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/findings/{name}/15.json"));
            let mut json: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            without_time_and_buffers(&mut json);
            let plans: Vec<ClassPlan> = json.as_array().unwrap().iter().map(class_plan).collect();
            let findings = examined(&plans);
            let found =
                findings.iter().find(|finding| finding.rule == rule).unwrap_or_else(|| panic!("{name}: {findings:#?}"));
            assert_eq!((found.at_stake_ms, found.share), (None, None));
            assert!(
                !found.evidence.contains("of the time") && !found.evidence.contains("buffers"),
                "{}",
                found.evidence
            );
        }
    }

    #[test]
    fn what_rounding_by_loop_may_hide_convicts_nobody() {
        let plan = |loops: u32| {
            format!(
                r#"[{{"Plan": {{"Node Type": "Nested Loop", "Actual Rows": 0, "Actual Loops": 1, "Actual Total Time": 90.0, "Plans": [
                {{"Node Type": "Index Scan", "Parent Relationship": "Inner", "Relation Name": "t", "Index Name": "i", "Filter": "(a = 1)",
                "Actual Rows": 0, "Rows Removed by Filter": 1, "Actual Loops": {loops}, "Actual Total Time": 0.01}}]}}}}]"#
            )
        };
        let of = |json: &str| examined(&[ClassPlan { class: String::new(), plan: Plan::parse(json).unwrap() }]);
        assert!(of(&plan(9_000)).iter().all(|finding| finding.rule != "index-filter"));
        let removed = plan(9_000).replace(r#""Rows Removed by Filter": 1,"#, r#""Rows Removed by Filter": 9,"#);
        let finding = of(&removed).into_iter().find(|finding| finding.rule == "index-filter").unwrap();
        insta::assert_snapshot!(finding.evidence, @"
        Index Scan using i on t read 81 000 rows to keep 0 (at least 94.4 % removed), 100 % of the time
        ");
    }
}
