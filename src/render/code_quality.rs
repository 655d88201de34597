//! Gates that did not pass as a report of GitLab's Code Quality.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{document::clean, gates};
use crate::{compare::Comparison, record::Outcome};

/// An issue for each gate that did not pass; `file` is the scenario's file in the repository.
pub fn code_quality(comparison: &Comparison, file: &str) -> Value {
    let issues = comparison.gates.iter().filter_map(|gate| {
        let severity = match gate.outcome {
            Outcome::Passed => return None,
            Outcome::Failed => "critical",
            Outcome::Undecided => "major",
        };
        let (outcome, found) = (gates::outcome_name(gate.outcome), gates::found(gate));
        Some(json!({
            "description": clean(&format!("{}: {outcome}: {found}", gate.expression)),
            "check_name": "latclinic-gate",
            "fingerprint": fingerprint(&comparison.scenario, &gate.expression, outcome),
            "severity": severity,
            "location": { "path": file, "lines": { "begin": 1 } },
        }))
    });
    Value::Array(issues.collect())
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
        let report = code_quality(&comparison, "bench/events.toml");
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
        let again = code_quality(&comparison, "bench/events.toml");
        assert_eq!(again[0]["fingerprint"], issues[0]["fingerprint"]);
        comparison.gates.clear();
        assert_eq!(code_quality(&comparison, "f"), json!([]));
    }
}
