//! Planted causes of slowness on a real server: the finding on top names the cause, and healthy plans get none.

mod case;
mod gain;
#[path = "../own_server/mod.rs"]
mod own_server;
mod runner;

use std::io::Write;

use anyhow::{Context, Result};
use case::{Case, Need};
use futures_util::{StreamExt, stream};
use latclinic::{
    pg::{Connector, UserSession},
    record::{Finding, Severity},
};
use own_server::OwnServer;
use runner::Planted;

/// Cases at work at a time.
const SIDE_BY_SIDE: usize = 2;
/// Cases with a cause of slowness that have to be examined on any server; those that it cannot run do not count.
const LEAST_BOTTLENECKS: usize = 25;
/// Healthy cases, likewise.
const LEAST_HEALTHY: usize = 10;

#[tokio::test]
async fn the_finding_on_top_names_the_cause() {
    let cases = case::read(&[]).unwrap();
    let server = OwnServer::start();
    let connector = server.connector();
    runner::make_extensions(&UserSession::open(&connector, "planted").await.unwrap()).await.unwrap();
    let work = stream::iter(&cases).map(async |case| (case, examined(&connector, case).await));
    let examined: Vec<(&Case, Result<Examined>)> = work.buffer_unordered(SIDE_BY_SIDE).collect().await;
    let mut counts = Counts::default();
    let mut faults = Vec::new();
    for (case, outcome) in examined {
        match outcome {
            Ok(Examined::Not(need)) => counts.skipped.push(format!("{} ({need:?})", case.name)),
            Ok(Examined::Found(findings, nothing)) => {
                counts.add(case);
                faults.extend(fault(case, &findings));
                faults.extend(nothing.map(|nothing| format!("{}: {nothing}", case.name)));
            }
            Err(error) => faults.push(format!("{}: {error:#}", case.name)),
        }
    }
    // Past the harness, which keeps what a passed test prints.
    writeln!(std::io::stderr(), "{}", counts.told()).unwrap();
    assert!(faults.is_empty(), "{} of {} cases:\n{}", faults.len(), cases.len(), faults.join("\n"));
    assert_eq!(counts.lacking(), None);
}

/// How many cases were examined.
#[derive(Default)]
struct Counts {
    bottlenecks: usize,
    healthy: usize,
    /// Those that the server cannot run, with what it lacks.
    skipped: Vec<String>,
}

impl Counts {
    fn add(&mut self, case: &Case) {
        *(if case.finds.is_some() { &mut self.bottlenecks } else { &mut self.healthy }) += 1;
    }

    fn told(&self) -> String {
        let skipped = if self.skipped.is_empty() { "none".to_owned() } else { self.skipped.join(", ") };
        format!(
            "{} bottlenecks, {} healthy; not run, for what the server lacks: {skipped}",
            self.bottlenecks, self.healthy
        )
    }

    /// Why that proves nothing.
    fn lacking(&self) -> Option<String> {
        let is_enough = self.bottlenecks >= LEAST_BOTTLENECKS && self.healthy >= LEAST_HEALTHY;
        (!is_enough).then(|| format!("too few cases: {}", self.told()))
    }
}

/// What came of a case.
enum Examined {
    /// The server lacks what it needs.
    Not(Need),
    /// What is found, and why following the finding on top gains nothing.
    Found(Vec<Finding>, Option<String>),
}

async fn examined(connector: &Connector, case: &Case) -> Result<Examined> {
    if let Some(need) = runner::unmet(&UserSession::open(connector, "planted").await?, case).await? {
        return Ok(Examined::Not(need));
    }
    let planted = Planted::new(connector, case).await?;
    let findings = planted.findings().await?;
    let nothing = match findings.first().filter(|_| case.finds.is_some()) {
        Some(top) => {
            gain::nothing_gained(&planted, top).await.with_context(|| format!("following {:?}", top.statements))?
        }
        None => None,
    };
    planted.remove().await?;
    Ok(Examined::Found(findings, nothing))
}

/// What is wrong with what is found in a case.
fn fault(case: &Case, findings: &[Finding]) -> Option<String> {
    let fault = wrong(case, findings)?;
    let found: Vec<_> = findings.iter().map(|finding| format!("\n    {}", told(finding))).collect();
    Some(format!("{}: {fault}{}", case.name, found.concat()))
}

fn wrong(case: &Case, findings: &[Finding]) -> Option<String> {
    let Some(rule) = &case.finds else {
        let loud = findings.iter().any(|finding| finding.severity > Severity::Info);
        return loud.then(|| "is healthy".to_owned());
    };
    match findings.first() {
        Some(top) if top.rule == *rule => {
            let missing = case::missing(case, top);
            (!missing.is_empty()).then(|| format!("{rule} does not name {}", missing.join(", ")))
        }
        _ => Some(format!("{rule} is not on top")),
    }
}

fn told(finding: &Finding) -> String {
    let Finding { rule, severity, evidence, advice, statements, .. } = finding;
    format!("{} {rule}: {evidence}; {advice} {statements:?}", severity.as_str())
}

#[test]
fn too_few_cases_prove_nothing() {
    let mut counts = Counts { bottlenecks: LEAST_BOTTLENECKS, healthy: LEAST_HEALTHY, skipped: Vec::new() };
    assert_eq!(counts.lacking(), None);
    counts.healthy = 0;
    counts.skipped = vec!["one (Jit)".to_owned()];
    let lacking = "too few cases: 25 bottlenecks, 0 healthy; not run, for what the server lacks: one (Jit)";
    assert_eq!(counts.lacking().as_deref(), Some(lacking));
    assert!(Counts::default().lacking().is_some());
}

#[test]
fn a_case_is_read() {
    let text = "-- title: t\n-- finds: hot-node\n-- names: a\n-- a remark\n-- needs: jit, 16+\n-- executions: 50\n-- [setup]\n\
                CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\nSELECT 1;\n$$;\nSELECT 2;\n-- [query]\nSELECT $1;\n-- [values]\n\
                hot: 1, 'b'\nabsent: 2\n-- [follow]\nANALYZE t;\n-- [query after]\nSELECT 3\n";
    let case = case::parse("one".to_owned(), text).unwrap();
    let expected = Case {
        name: "one".to_owned(),
        title: "t".to_owned(),
        finds: Some("hot-node".to_owned()),
        names: vec!["a".to_owned()],
        needs: vec![Need::Jit, Need::From(16)],
        executions: Some(50.0),
        setup: vec![
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\nSELECT 1;\n$$".to_owned(),
            "SELECT 2".to_owned(),
        ],
        session: Vec::new(),
        query: "SELECT $1".to_owned(),
        values: vec![("hot".to_owned(), "1, 'b'".to_owned()), ("absent".to_owned(), "2".to_owned())],
        follow: vec!["ANALYZE t".to_owned()],
        query_after: Some("SELECT 3".to_owned()),
    };
    assert_eq!(case, expected);
}

#[test]
fn a_case_that_is_none_is_refused() {
    let refused = |text: &str| case::parse("one".to_owned(), text).unwrap_err().to_string();
    let head = "-- title: t\n-- finds: nothing\n-- [setup]\nSELECT 1;\n-- [query]\n";
    assert_eq!(refused("-- title: t\n"), "says not what it finds");
    assert_eq!(refused(head), "0 statements where one belongs");
    assert_eq!(refused(&format!("{head}SELECT $1\n")), "[values] and $1 go together");
    assert_eq!(refused(&format!("{head}SELECT $1\n-- [values]\nwarm: 1\n")), "no class is called warm");
    assert_eq!(refused(&format!("{head}SELECT 1\n-- [sessions]\n")), "no section is called [sessions]");
    assert_eq!(refused(&format!("-- needs: luck\n{head}")), "needs luck, which nobody can tell");
    assert_eq!(
        case::parse("A b".to_owned(), "").unwrap_err().to_string(),
        "a name has lower-case letters, digits and _"
    );
}
