//! Gates as GitHub's workflow commands, which become annotations of a job.

use super::{
    ci_report::{CiReport, Undecided},
    comparison::headline,
    document::clean,
    gates,
};
use crate::record::Outcome;

/// A line for what failed, one for each gate that did not pass, and one for the whole. `file` is the scenario's file in the repository,
/// for GitHub to put them there.
pub fn annotations(report: &CiReport<'_>, file: Option<&str>) -> String {
    let place = file.map_or_else(String::new, |file| format!("file={},line=1,", property(file)));
    let command = |name: &str, title: &str, message: &str| {
        let title = format!("{}: {title}", report.name(' '));
        format!("::{name} {place}title={}::{}\n", property(&title), data(message))
    };
    let mut lines = String::new();
    if let Some(failure) = &report.failure {
        lines.push_str(&command("error", "failed", failure));
    }
    let Some(comparison) = report.comparison else { return lines };
    for gate in &comparison.gates {
        let name = match (gate.outcome, report.undecided) {
            (Outcome::Passed, _) => continue,
            (Outcome::Failed, _) => "error",
            (Outcome::Undecided, Undecided::Fails) => "warning",
            (Outcome::Undecided, Undecided::Passes) => "notice",
        };
        let title = format!("gate {}", gates::outcome_name(gate.outcome));
        lines.push_str(&command(name, &title, &format!("{}: {}", gate.expression, gates::found(gate))));
    }
    lines + &command("notice", comparison.verdict.as_str(), &headline(comparison))
}

/// The text on one line, with what a command's end could be taken for escaped.
fn data(text: &str) -> String {
    clean(text).replace('%', "%25")
}

/// The same for a property's value, which ends at a comma or a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::comparison::tests::compared;

    #[test]
    fn what_did_not_pass_is_an_error_or_a_warning() {
        let mut comparison = compared();
        comparison.gates = gates::sample::gates();
        insta::assert_snapshot!(annotations(&CiReport::compared(&comparison), Some("bench/a,b.toml")), @r#"
        ::error file=bench/a%2Cb.toml,line=1,title=latclinic events%3A gate failed::write.p95 regresses less than 10%25: 10.0 ms -> 13.0 ms, +30.0 %25 (95 %25 +21.0 to +40.2)
        ::warning file=bench/a%2Cb.toml,line=1,title=latclinic events%3A gate undecided::throughput regresses less than 5%25: 100/s -> 97.0/s, -3.0 %25 (97.5 %25 -8.0 to +2.0), its interval contains the limit
        ::error file=bench/a%2Cb.toml,line=1,title=latclinic events%3A gate failed::results identical: <3> rows & "more" after 100 %25
        ::notice file=bench/a%2Cb.toml,line=1,title=latclinic events%3A inconclusive::p99 307 ms -> 399 µs, 770x faster
        "#);
        comparison.gates.clear();
        insta::assert_snapshot!(annotations(&CiReport::compared(&comparison), None), @"::notice title=latclinic events%3A inconclusive::p99 307 ms -> 399 µs, 770x faster");
    }

    #[test]
    fn a_failure_is_an_error() {
        let mut comparison = compared();
        comparison.sides.before.interrupted = true;
        insta::assert_snapshot!(annotations(&CiReport::compared(&comparison), None), @r"
        ::error title=latclinic events%3A failed::the measurement before ended early
        ::notice title=latclinic events%3A inconclusive::p99 307 ms -> 399 µs, 770x faster, interrupted
        ");
        let failed = annotations(&CiReport::failed(None, "100 % of\nit"), None);
        assert_eq!(failed, "::error title=latclinic%3A failed::100 %25 of it\n");
    }
}
