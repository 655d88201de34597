//! Plans of the planted cases, as real servers made them, for the tests of the rules.
//!
//! `tests/planted/cases/<name>.sql` says how each came about; `tests/fixtures/findings/<name>/<major>.json` is an array of `{class, plan}`.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::{
    explain::{ClassPlan, Examined, Plan, Tables, diagnose},
    record::Finding,
};

/// The case's plans by the major version that made them, the oldest first; never empty.
pub(super) fn captured(name: &str) -> impl Iterator<Item = (u32, Vec<ClassPlan>)> {
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
pub(super) fn findings(name: &str, major: u32) -> Vec<Finding> {
    let (_, plans) =
        captured(name).find(|(of, _)| *of == major).unwrap_or_else(|| panic!("{name}: no plans of PostgreSQL {major}"));
    diagnose(&Examined { name: None, sql: None, plans: &plans, tables: &Tables::default(), executions: None })
}

fn class_plan(captured: &Value) -> ClassPlan {
    let class = captured["class"].as_str().unwrap().to_owned();
    ClassPlan { class, plan: Plan::from_json(&captured["plan"]).unwrap() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Severity;

    /// Cases whose cause is only in the catalog.
    const OF_THE_CATALOG: &[&str] = &["stale_statistics", "wrong_column_order"];

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
}
