//! A planted case: a small set-up with one cause of slowness, or none, as a file in `tests/planted/cases`.
//!
//! ```text
//! -- title: Orders of a customer, no index
//! -- finds: seq-scan-filter           the rule expected on top, or `nothing` for a healthy control
//! -- names: customer_id               any number of lines: text that the top finding's evidence, advice or statements hold
//! -- needs: jit, counts, 16+          optional: what the server must have, and that it has counted the set-up's changes; also
//!                                     icu, pg_trgm, intarray, postgis and postgres_fdw
//! -- executions: 50                   optional: how often an operation executes the query
//! -- [setup]                          any SQL, in a schema of its own
//! -- [session]                        optional: settings of the session that runs the query
//! -- [query]                          one statement, with $1.. where there are values
//! -- [values]                         a line for each class: `hot: 42, 'open'`
//! -- [follow]                         optional: SQL that follows the advice where the finding's own statements do not
//! -- [query after]                    optional: the query as the advice has it, run once an operation
//! ```
//! Other lines before the first section are remarks. A statement ends with a semicolon at the end of a line, dollar quotes apart.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail, ensure};
use latclinic::record::Finding;

/// Where the cases are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/planted/cases");

/// One case.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Case {
    /// File's name without its ending.
    pub(crate) name: String,
    pub(crate) title: String,
    /// Id of the rule expected on top; `None` for a healthy control.
    pub(crate) finds: Option<String>,
    pub(crate) names: Vec<String>,
    pub(crate) needs: Vec<Need>,
    pub(crate) executions: Option<f64>,
    pub(crate) setup: Vec<String>,
    pub(crate) session: Vec<String>,
    pub(crate) query: String,
    /// Classes with their values, as SQL writes them.
    pub(crate) values: Vec<(String, String)>,
    pub(crate) follow: Vec<String>,
    pub(crate) query_after: Option<String>,
}

/// What a case needs of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Expressions can be compiled.
    Jit,
    /// Collations of ICU.
    Icu,
    /// This extension of PostgreSQL's own.
    Extension(&'static str),
    /// This major version or a later one.
    From(u32),
    /// What the set-up changed is counted in the statistics of activity; PostgreSQL 14 takes its time over that.
    Counts,
}

/// All cases, or those of these names, by name.
pub(crate) fn read(names: &[String]) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(FOLDER).context(FOLDER)? {
        let path = entry?.path();
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if names.is_empty() || names.contains(&stem) {
            cases.push(read_file(&path, stem)?);
        }
    }
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    if let Some(unknown) = names.iter().find(|name| cases.iter().all(|case| case.name != **name)) {
        bail!("no case {unknown} in {FOLDER}");
    }
    Ok(cases)
}

fn read_file(path: &Path, name: String) -> Result<Case> {
    let text = fs::read_to_string(path)?;
    parse(name, &text).with_context(|| path.display().to_string())
}

/// Reads the text of a case.
pub(crate) fn parse(name: String, text: &str) -> Result<Case> {
    ensure!(
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'),
        "a name has lower-case letters, digits and _"
    );
    let mut case = Case { name, ..Case::default() };
    let mut sections: Vec<(&str, String)> = Vec::new();
    let mut finds = None;
    for line in text.lines() {
        if let Some(section) = line.strip_prefix("-- [").and_then(|rest| rest.trim_end().strip_suffix(']')) {
            ensure!(sections.iter().all(|(known, _)| *known != section), "[{section}] twice");
            sections.push((section, String::new()));
        } else if let Some((_, body)) = sections.last_mut() {
            body.push_str(line);
            body.push('\n');
        } else if let Some((key, value)) = line.strip_prefix("-- ").and_then(|rest| rest.split_once(':')) {
            let value = value.trim();
            match key {
                "title" => case.title = value.to_owned(),
                "finds" => finds = Some(value.to_owned()),
                "names" => case.names.push(value.to_owned()),
                "needs" => case.needs = value.split(',').map(|need| parse_need(need.trim())).collect::<Result<_>>()?,
                "executions" => case.executions = Some(value.parse().context("executions")?),
                _ => {}
            }
        }
    }
    for (section, body) in sections {
        match section {
            "setup" => case.setup = statements(&body),
            "session" => case.session = statements(&body),
            "query" => case.query = only(&body)?,
            "values" => case.values = values(&body)?,
            "follow" => case.follow = statements(&body),
            "query after" => case.query_after = Some(only(&body)?),
            other => bail!("no section is called [{other}]"),
        }
    }
    case.finds = Some(finds.context("says not what it finds")?).filter(|rule| rule != "nothing");
    ensure!(!case.title.is_empty(), "has no title");
    ensure!(!case.setup.is_empty(), "has no [setup]");
    ensure!(!case.query.is_empty(), "has no [query]");
    ensure!(case.query.contains("$1") != case.values.is_empty(), "[values] and $1 go together");
    Ok(case)
}

fn parse_need(need: &str) -> Result<Need> {
    match need.strip_suffix('+') {
        Some(major) => Ok(Need::From(major.parse().with_context(|| format!("needs: {need}"))?)),
        None if need == "jit" => Ok(Need::Jit),
        None if need == "icu" => Ok(Need::Icu),
        None if need == "pg_trgm" => Ok(Need::Extension("pg_trgm")),
        None if need == "intarray" => Ok(Need::Extension("intarray")),
        None if need == "postgis" => Ok(Need::Extension("postgis")),
        None if need == "postgres_fdw" => Ok(Need::Extension("postgres_fdw")),
        None if need == "counts" => Ok(Need::Counts),
        None => bail!("needs {need}, which nobody can tell"),
    }
}

/// Statements without their semicolons.
fn statements(body: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut open = String::new();
    for line in body.lines() {
        open.push_str(line);
        open.push('\n');
        let quoted = open.matches("$$").count() % 2 == 1;
        if !quoted && line.trim_end().ends_with(';') {
            statements.push(std::mem::take(&mut open));
        }
    }
    statements.push(open);
    let trimmed = statements.iter().map(|text| text.trim().trim_end_matches(';').to_owned());
    trimmed.filter(|text| !text.is_empty()).collect()
}

fn only(body: &str) -> Result<String> {
    match <[String; 1]>::try_from(statements(body)) {
        Ok([statement]) => Ok(statement),
        Err(other) => bail!("{} statements where one belongs", other.len()),
    }
}

fn values(body: &str) -> Result<Vec<(String, String)>> {
    let lines = body.lines().filter(|line| !line.trim().is_empty());
    let pair = |line: &str| {
        let (class, values) = line.split_once(':').with_context(|| format!("no class before a colon: {line}"))?;
        ensure!(["hot", "typical", "cold", "absent"].contains(&class), "no class is called {class}");
        Ok((class.to_owned(), values.trim().to_owned()))
    };
    lines.map(pair).collect()
}

/// What the finding on top should name and does not.
pub(crate) fn missing(case: &Case, top: &Finding) -> Vec<String> {
    let told = [&top.evidence, &top.advice].into_iter().chain(&top.statements);
    let told: Vec<String> = told.map(|text| text.to_lowercase()).collect();
    let names = |name: &&String| !told.iter().any(|text| text.contains(&name.to_lowercase()));
    case.names.iter().filter(names).cloned().collect()
}
