//! JUnit XML, as GitLab, Jenkins and others read it: a test case for each gate and threshold.
//!
//! A gate that failed is a `failure`; one that is undecided is an `error`, because a `skipped` test counts as passed there, and `skipped`
//! if it shall pass. What failed or ended before its time is an `error` of its own.

use std::fmt::Write as _;

use super::{
    ci_report::{CiReport, MEASURED, Undecided},
    comparison::headline,
    document::clean,
    gates,
};
use crate::{
    compare::{Comparison, Gate, Side},
    record::Outcome,
};

/// What came of a run or a comparison as a test suite. Ends with a line end.
pub fn junit(report: &CiReport<'_>) -> String {
    let all = report.comparison.map_or(&[][..], |comparison| &comparison.gates);
    let broken = usize::from(report.failure.is_some());
    let seconds =
        report.comparison.map_or(0.0, |comparison| sides(comparison).map(|side| side.measured_s).iter().sum());
    let undecided = gates::count(all, Outcome::Undecided);
    let (errors, skipped) = match report.undecided {
        Undecided::Fails => (undecided, 0),
        Undecided::Passes => (0, undecided),
    };
    let counts = format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{skipped}\" time=\"{seconds:.3}\"",
        all.len() + broken,
        gates::count(all, Outcome::Failed),
        errors + broken
    );
    let suite = escape(&report.name('.'));
    let started = report.comparison.map_or_else(String::new, |comparison| {
        let [before, after] = sides(comparison);
        format!(" timestamp=\"{}\"", before.started_at.min(after.started_at).strftime("%Y-%m-%dT%H:%M:%S"))
    });
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"latclinic\" {counts}>\n  <testsuite name=\"{suite}\" \
         {counts}{started}>\n"
    );
    if let Some(comparison) = report.comparison {
        xml.push_str(&properties(comparison));
    }
    if let Some(failure) = &report.failure {
        xml.push_str(&case(&suite, MEASURED, failure, Element::Error("failed")));
    }
    for gate in all {
        xml.push_str(&of_gate(&suite, gate, report.undecided));
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn sides(comparison: &Comparison) -> [&Side; 2] {
    [&comparison.sides.before, &comparison.sides.after]
}

fn properties(comparison: &Comparison) -> String {
    let [before, after] = sides(comparison);
    let mut xml = "    <properties>\n".to_owned();
    for (name, value) in [
        ("scenario", comparison.scenario.as_str()),
        ("fix", &comparison.fix),
        ("headline", &headline(comparison)),
        ("verdict", comparison.verdict.as_str()),
        ("before", &before.folder),
        ("after", &after.folder),
    ] {
        let _ = writeln!(xml, "      <property name=\"{name}\" value=\"{}\"/>", escape(value));
    }
    xml + "    </properties>\n"
}

/// What a test case holds; what did not pass has a type.
enum Element {
    Passed,
    Skipped,
    Failure(&'static str),
    Error(&'static str),
}

fn of_gate(suite: &str, gate: &Gate, undecided: Undecided) -> String {
    let name = gates::outcome_name(gate.outcome);
    let element = match (gate.outcome, undecided) {
        (Outcome::Passed, _) => Element::Passed,
        (Outcome::Failed, _) => Element::Failure(name),
        (Outcome::Undecided, Undecided::Fails) => Element::Error(name),
        (Outcome::Undecided, Undecided::Passes) => Element::Skipped,
    };
    case(suite, &gate.expression, &gates::found(gate), element)
}

/// A test case. `suite` is escaped already.
fn case(suite: &str, name: &str, found: &str, element: Element) -> String {
    let found = escape(found);
    let body = match element {
        Element::Passed => format!("<system-out>{found}</system-out>"),
        Element::Skipped => format!("<skipped message=\"{found}\"/>"),
        Element::Failure(kind) => format!("<failure message=\"{found}\" type=\"{kind}\">{found}</failure>"),
        Element::Error(kind) => format!("<error message=\"{found}\" type=\"{kind}\">{found}</error>"),
    };
    // The measurement is that of all gates: its time is the suite's.
    let name = escape(name);
    format!("    <testcase classname=\"{suite}\" name=\"{name}\" time=\"0\">\n      {body}\n    </testcase>\n")
}

/// The text as XML 1.0 takes it, within an element and within quotes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            // No characters of XML.
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use roxmltree::Document;

    use super::*;
    use crate::render::comparison::tests::compared;

    #[test]
    fn each_gate_is_a_test_case_and_what_is_undecided_did_not_pass() {
        let mut comparison = compared();
        comparison.gates = gates::sample::gates();
        let xml = junit(&CiReport::compared(&comparison));
        insta::assert_snapshot!(xml, @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="latclinic" tests="5" failures="2" errors="1" skipped="0" time="60.211">
          <testsuite name="latclinic.events" tests="5" failures="2" errors="1" skipped="0" time="60.211" timestamp="2026-11-21T01:23:45">
            <properties>
              <property name="scenario" value="events"/>
              <property name="fix" value="index on (user_id, created_at)"/>
              <property name="headline" value="p99 307 ms -&gt; 399 µs, 770x faster"/>
              <property name="verdict" value="inconclusive"/>
              <property name="before" value="reports/events/20261121T012345Z-before"/>
              <property name="after" value="reports/events/20261121T012345Z-after"/>
            </properties>
            <testcase classname="latclinic.events" name="latest:p(95)&lt;50ms" time="0">
              <system-out>163 µs</system-out>
            </testcase>
            <testcase classname="latclinic.events" name="p99 improves by 2x" time="0">
              <system-out>307 ms -&gt; 399 µs, 769x faster (95 % 690 to 813)</system-out>
            </testcase>
            <testcase classname="latclinic.events" name="write.p95 regresses less than 10%" time="0">
              <failure message="10.0 ms -&gt; 13.0 ms, +30.0 % (95 % +21.0 to +40.2)" type="failed">10.0 ms -&gt; 13.0 ms, +30.0 % (95 % +21.0 to +40.2)</failure>
            </testcase>
            <testcase classname="latclinic.events" name="throughput regresses less than 5%" time="0">
              <error message="100/s -&gt; 97.0/s, -3.0 % (97.5 % -8.0 to +2.0), its interval contains the limit" type="undecided">100/s -&gt; 97.0/s, -3.0 % (97.5 % -8.0 to +2.0), its interval contains the limit</error>
            </testcase>
            <testcase classname="latclinic.events" name="results identical" time="0">
              <failure message="&lt;3&gt; rows &amp; &quot;more&quot; after 100 %" type="failed">&lt;3&gt; rows &amp; &quot;more&quot; after 100 %</failure>
            </testcase>
          </testsuite>
        </testsuites>
        "#);
        let document = Document::parse(&xml).unwrap();
        let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
        let number = |name| suite.attribute(name).unwrap().parse::<usize>().unwrap();
        let count = |tag| suite.descendants().filter(|node| node.has_tag_name(tag)).count();
        assert_eq!((number("tests"), number("failures"), number("errors")), (5, 2, 1));
        assert_eq!((count("testcase"), count("failure"), count("error"), count("skipped")), (5, 2, 1, 0));
        let failure = suite.descendants().filter(|node| node.has_tag_name("failure")).nth(1).unwrap();
        assert_eq!(failure.text(), Some("<3> rows & \"more\" after 100 %"));
        assert_eq!(failure.attribute("message"), failure.text());
    }

    #[test]
    fn what_is_undecided_is_skipped_if_it_shall_pass() {
        let mut comparison = compared();
        comparison.gates = gates::sample::gates();
        let xml = junit(&CiReport::compared(&comparison).with_undecided(Undecided::Passes));
        assert!(xml.contains("tests=\"5\" failures=\"2\" errors=\"0\" skipped=\"1\""), "{xml}");
        assert!(xml.contains("<skipped message=\"100/s -&gt; 97.0/s, ") && !xml.contains("<error"), "{xml}");
        Document::parse(&xml).unwrap();
    }

    #[test]
    fn a_failure_is_an_error_beside_the_gates_or_alone() {
        let mut comparison = compared();
        comparison.gates = gates::sample::gates()[..1].to_vec();
        comparison.sides.after.interrupted = true;
        comparison.sides.after.interrupted_by = Some("stopped by a signal".into());
        let early = junit(&CiReport::compared(&comparison));
        let words = "the measurement after ended early: stopped by a signal";
        let counts = "tests=\"2\" failures=\"0\" errors=\"1\" skipped=\"0\"";
        assert!(early.contains(counts) && early.contains(&format!("<error message=\"{words}\"")), "{early}");
        insta::assert_snapshot!(junit(&CiReport::failed(Some("events"), "cannot connect: <refused>")), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="latclinic" tests="1" failures="0" errors="1" skipped="0" time="0.000">
          <testsuite name="latclinic.events" tests="1" failures="0" errors="1" skipped="0" time="0.000">
            <testcase classname="latclinic.events" name="measured and compared" time="0">
              <error message="cannot connect: &lt;refused&gt;" type="failed">cannot connect: &lt;refused&gt;</error>
            </testcase>
          </testsuite>
        </testsuites>
        "#);
    }

    proptest! {
        #[test]
        fn any_text_makes_an_xml_document(text in "\\PC*|[\\x00-\\x7f]{0,20}|[<>&'\"\u{fffe}\u{ffff}\u{85}]{0,8}") {
            let mut comparison = compared();
            comparison.fix = text.clone();
            comparison.gates = gates::sample::gates();
            comparison.gates[0].expression = text.clone();
            comparison.gates[4].reason = Some(text.clone());
            let xml = junit(&CiReport::compared(&comparison));
            prop_assert!(Document::parse(&xml).is_ok(), "{xml}");
            let xml = junit(&CiReport::failed(Some(&text), text.as_str()));
            prop_assert!(Document::parse(&xml).is_ok(), "{xml}");
        }
    }
}
