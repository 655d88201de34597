//! Gates that did not pass as a report of GitLab's Code Quality.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    ci_report::{CiReport, MEASURED, Undecided},
    document::clean,
    gates,
};
use crate::record::Outcome;

/// An issue for what failed and one for each gate that did not pass; `file` is the scenario's file in the repository.
pub fn code_quality(report: &CiReport<'_>, file: Option<&str>) -> Value {
    let scenario = report.scenario.unwrap_or_default();
    // GitLab wants a file in any case.
    let file = file
        .map_or_else(|| report.scenario.map_or("scenarios".into(), |id| format!("scenarios/{id}.toml")), str::to_owned);
    let issue = |name: &str, outcome: &str, severity: &str, found: &str| {
        json!({
            "description": clean(&format!("{name}: {outcome}: {found}")),
            "check_name": "latclinic-gate",
            "fingerprint": fingerprint(scenario, name, outcome),
            "severity": severity,
            "location": { "path": file, "lines": { "begin": 1 } },
        })
    };
    let mut issues = Vec::new();
    issues.extend(report.failure.as_ref().map(|failure| issue(MEASURED, "failed", "critical", failure)));
    for gate in report.comparison.iter().flat_map(|comparison| &comparison.gates) {
        let severity = match (gate.outcome, report.undecided) {
            (Outcome::Passed, _) => continue,
            (Outcome::Failed, _) => "critical",
            (Outcome::Undecided, Undecided::Fails) => "major",
            (Outcome::Undecided, Undecided::Passes) => "info",
        };
        issues.push(issue(&gate.expression, gates::outcome_name(gate.outcome), severity, &gates::found(gate)));
    }
    Value::Array(issues)
}

/// The same for the same gate in every run, whatever was measured: by it GitLab tells what is new.
fn fingerprint(scenario: &str, expression: &str, outcome: &str) -> String {
    let digest = Sha256::digest(format!("{scenario}\0{expression}\0{outcome}"));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::render::comparison::tests::compared;

    #[test]
    fn what_did_not_pass_is_an_issue_with_a_fingerprint_of_its_own() {
        let mut comparison = compared();
        comparison.gates = gates::sample::gates();
        let report = code_quality(&CiReport::compared(&comparison), Some("bench/events.toml"));
        let issues = report.as_array().unwrap();
        let severities: Vec<_> = issues.iter().map(|issue| issue["severity"].as_str().unwrap()).collect();
        assert_eq!(severities, ["critical", "major", "critical"]);
        let fingerprints: BTreeSet<_> = issues.iter().map(|issue| issue["fingerprint"].to_string()).collect();
        assert_eq!(fingerprints.len(), 3);
        insta::assert_snapshot!(serde_json::to_string_pretty(&issues[0]).unwrap(), @r#"
        {
          "description": "write.p95 regresses less than 10%: failed: 10.0 ms -> 13.0 ms, +30.0 % (95 % +21.0 to +40.2)",
          "check_name": "latclinic-gate",
          "fingerprint": "52a68c3b5632afcdca12439515929ce0",
          "severity": "critical",
          "location": {
            "path": "bench/events.toml",
            "lines": {
              "begin": 1
            }
          }
        }
        "#);
        comparison.gates[2].after = Some(14.0);
        let again = code_quality(&CiReport::compared(&comparison), Some("bench/events.toml"));
        assert_eq!(again[0]["fingerprint"], issues[0]["fingerprint"]);
        comparison.gates.clear();
        assert_eq!(code_quality(&CiReport::compared(&comparison), None), json!([]));
    }

    #[test]
    fn a_failure_is_one_issue_whatever_failed() {
        let [one, other] = ["the server went away", "stopped by a signal"]
            .map(|words| code_quality(&CiReport::failed(Some("events"), words), None));
        assert_eq!(one.as_array().unwrap().len(), 1);
        assert_eq!(one[0]["location"]["path"], "scenarios/events.toml");
        assert_eq!(one[0]["description"], "measured and compared: failed: the server went away");
        assert_eq!((&one[0]["severity"], &one[0]["fingerprint"]), (&"critical".into(), &other[0]["fingerprint"]));
    }
}
