//! What is found in each planted case, as the table of `docs/findings.md`.

use std::fs;

use anyhow::{Context, Result};
use latclinic::{
    pg::UserSession,
    record::{Finding, Severity},
};

use crate::{
    case::{self, Case},
    measure::{self, Gain},
    own_server::OwnServer,
    runner::{self, Planted, scalar},
};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/findings.md");
const BEGIN: &str = "<!-- planted -->\n";
const END: &str = "<!-- end of planted -->";

/// What came of a case.
struct Outcome<'c> {
    case: &'c Case,
    findings: Vec<Finding>,
    /// Of following the finding on top; what failed otherwise.
    gain: Result<Option<Gain>>,
}

/// Examines the cases one by one and prints what was found in each. All of them: puts the table into the docs.
pub(crate) async fn examine(server: &OwnServer, cases: &[Case], all: bool) -> Result<()> {
    let connector = server.connector();
    let client = UserSession::open(&connector, "planted").await?;
    runner::make_extensions(&client).await?;
    let version = scalar(&client, "SHOW server_version").await?;
    let version = version.split(' ').next().unwrap_or_default();
    let mut outcomes = Vec::new();
    for case in cases {
        if runner::unmet(&client, case).await?.is_some() {
            println!("{}: not on PostgreSQL {version}", case.name);
            continue;
        }
        let planted = Planted::new(&connector, case).await.with_context(|| case.name.clone())?;
        let findings = planted.findings().await.with_context(|| case.name.clone())?;
        let gain = match (findings.first(), &case.finds) {
            (Some(top), Some(_)) => measure::follow(&planted, top).await,
            _ => Ok(None),
        };
        planted.remove().await?;
        let outcome = Outcome { case, findings, gain };
        outcome.print();
        outcomes.push(outcome);
    }
    if !all {
        return Ok(());
    }
    let table = table(&outcomes, version);
    println!("\n{table}");
    let docs = fs::read_to_string(DOCS).context(DOCS)?;
    let (head, rest) = docs.split_once(BEGIN).with_context(|| format!("no {BEGIN} in {DOCS}"))?;
    let (_, tail) = rest.split_once(END).with_context(|| format!("no {END} in {DOCS}"))?;
    fs::write(DOCS, format!("{head}{BEGIN}{table}{END}{tail}"))?;
    Ok(())
}

impl Outcome<'_> {
    fn is_right(&self) -> bool {
        match (&self.case.finds, self.findings.first()) {
            (None, _) => self.findings.iter().all(|finding| finding.severity == Severity::Info),
            (Some(rule), Some(top)) => top.rule == *rule && case::missing(self.case, top).is_empty(),
            (Some(_), None) => false,
        }
    }

    fn print(&self) {
        let expected = self.case.finds.as_deref().unwrap_or("nothing");
        println!("{} {}: expected {expected}", if self.is_right() { "right" } else { "WRONG" }, self.case.name);
        for finding in &self.findings {
            let Finding { rule, evidence, advice, statements, .. } = finding;
            println!("    {} {rule}: {evidence}; {advice} {statements:?}", finding.severity.as_str());
        }
        if let Some(top) = self.findings.first().filter(|_| self.case.finds.is_some()) {
            println!("    on top not named: {:?}; {}", case::missing(self.case, top), self.gain_told());
        }
    }

    fn gain_told(&self) -> String {
        match &self.gain {
            Ok(Some(gain)) => {
                let by_hand = if gain.own_statements { "" } else { " by hand" };
                let (before, after) = (ms(gain.before_ms), ms(gain.after_ms));
                format!("{before} | {after} | {}{by_hand}", times(gain.before_ms / gain.after_ms))
            }
            Ok(None) => "— | — | not measured".to_owned(),
            Err(error) => format!("— | — | the advice fails: {error}"),
        }
    }
}

fn table(outcomes: &[Outcome<'_>], version: &str) -> String {
    let (planted, healthy): (Vec<_>, Vec<_>) = outcomes.iter().partition(|outcome| outcome.case.finds.is_some());
    let right = |outcomes: &[&Outcome<'_>]| outcomes.iter().filter(|outcome| outcome.is_right()).count();
    let mut text = format!(
        "PostgreSQL {version}: the finding on top names the cause in {} of {} planted cases; {} of {} healthy controls get nothing above \
         info.\n\n| case | finding on top | names the cause | before, ms | after, ms | gain |\n| --- | --- | --- | ---: | ---: | --- |\n",
        right(&planted),
        planted.len(),
        right(&healthy),
        healthy.len()
    );
    for outcome in planted {
        let top = outcome.findings.first().map_or_else(|| "none".to_owned(), |top| format!("`{}`", top.rule));
        let right = if outcome.is_right() { "yes" } else { "**no**" };
        text.push_str(&format!("| {} | {top} | {right} | {} |\n", outcome.named(), outcome.gain_told()));
    }
    text.push_str("\n| healthy control | found above info |\n| --- | --- |\n");
    for outcome in healthy {
        let loud = outcome.findings.iter().filter(|finding| finding.severity > Severity::Info);
        let loud: Vec<String> = loud.map(|finding| format!("**`{}`**", finding.rule)).collect();
        let loud = if loud.is_empty() { "nothing".to_owned() } else { loud.join(", ") };
        text.push_str(&format!("| {} | {loud} |\n", outcome.named()));
    }
    text
}

impl Outcome<'_> {
    /// Title with a link to the case's file.
    fn named(&self) -> String {
        format!("[{}](../tests/planted/cases/{}.sql)", self.case.title.replace('|', "\\|"), self.case.name)
    }
}

fn ms(ms: f64) -> String {
    if ms < 10.0 { format!("{ms:.2}") } else { format!("{ms:.1}") }
}

fn times(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.1}x") } else { format!("{ratio:.0}x") }
}
