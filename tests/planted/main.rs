//! Planted causes of slowness on a real server: the finding on top names the cause, and healthy plans get none.

mod case;
#[path = "../own_server/mod.rs"]
mod own_server;
mod runner;

use anyhow::Result;
use case::{Case, Need};
use futures_util::{StreamExt, stream};
use latclinic::{
    pg::Connector,
    record::{Finding, Severity},
};
use own_server::OwnServer;
use runner::Planted;

/// Cases at work at a time.
const SIDE_BY_SIDE: usize = 2;

#[tokio::test]
async fn the_finding_on_top_names_the_cause() {
    let cases = case::read(&[]).unwrap();
    let server = OwnServer::start();
    let connector = server.connector();
    let work = stream::iter(&cases).map(|case| fault(&connector, case));
    let faults: Vec<Option<String>> = work.buffer_unordered(SIDE_BY_SIDE).collect().await;
    let faults: Vec<String> = faults.into_iter().flatten().collect();
    assert!(faults.is_empty(), "{} of {} cases:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

/// What is wrong with what is found in a case.
async fn fault(connector: &Connector, case: &Case) -> Option<String> {
    match findings(connector, case).await {
        Ok(None) => None,
        Ok(Some(findings)) => {
            let fault = wrong(case, &findings)?;
            let found: Vec<_> = findings.iter().map(|finding| format!("\n    {}", told(finding))).collect();
            Some(format!("{}: {fault}{}", case.name, found.concat()))
        }
        Err(error) => Some(format!("{}: {error:#}", case.name)),
    }
}

async fn findings(connector: &Connector, case: &Case) -> Result<Option<Vec<Finding>>> {
    if !runner::is_met(&connector.connect("planted").await?, case).await? {
        return Ok(None);
    }
    let planted = Planted::new(connector, case).await?;
    let findings = planted.findings().await?;
    planted.remove().await?;
    Ok(Some(findings))
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
