//! Whether a scenario of sound shape means something: every fault at once.
//!
//! A part without which another cannot be judged is skipped silently: its own fault has been reported.

mod dataset;
mod fix;
mod load;
mod results;
mod scripts;
mod texts;
mod thresholds;
mod workload;

use std::time::Duration;

use jiff::SignedDuration;

use super::{
    faults::{Collector, Finding, SCENARIO},
    files::Files,
    misfit::Misfit,
    model::{Origin, Scenario},
    node::Node,
    raw,
};

/// Longest load and lock timeout: a week.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Longest identifier of PostgreSQL, in bytes.
const LONGEST_IDENTIFIER: usize = 63;

/// What checking needs to know besides the raw scenario.
pub(super) struct Context<'a> {
    /// The file's stem.
    pub id: &'a str,
    /// Where the scenario came from.
    pub origin: Origin,
    /// Files beside it.
    pub files: &'a Files,
    /// The whole file, for places.
    pub root: Node<'a>,
    /// Says which columns cannot be filled, if that is asked.
    pub misfit: Option<Misfit<'a>>,
}

/// Checks a scenario. It is whole if no fault was found.
pub(super) fn check(raw: raw::Scenario, context: Context<'_>, faults: &mut Collector) -> Option<Scenario> {
    let Context { id, origin, files, root, misfit } = context;
    check_id(id, faults);
    let mut check = Check { files, faults };
    let dataset = raw.dataset.and_then(|raw| check.dataset(raw, &root.get("dataset"), misfit));
    let workload = raw.workload.and_then(|raw| check.workload(raw, &root.get("workload")));
    let load = check.load(&raw.load, &root.get("load"));
    let statements = workload.as_ref().map(|(statements, _)| statements.as_slice());
    let fix = raw.fix.and_then(|raw| check.fix(raw, statements, &root.get("fix")));
    let title = raw.title.inspect(|title| check.one_line(title, &root.get("title")));
    let thresholds = check.thresholds(&raw.thresholds, &root);
    let results = check.results(raw.results, &root.get("results"));
    let gates = check.gates(&raw.gates, &root);
    let (statements, scripts) = workload?;
    Some(Scenario {
        id: id.to_owned(),
        title: title?.trim().to_owned(),
        description: raw.description.trim().to_owned(),
        origin,
        dataset: dataset?,
        statements,
        scripts,
        load: load?,
        fix: fix?,
        thresholds,
        results,
        gates,
        rows_asked: None,
    })
}

fn check_id(id: &str, faults: &mut Collector) {
    let starts = id.starts_with(|letter: char| letter.is_ascii_lowercase());
    let goes_on = id.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if !(starts && goes_on && id.len() <= 40) {
        faults.push(
            Finding::new(0..0, format!("the file's name makes the id `{id}`"))
                .expected("a-z, then a-z, 0-9 and _, at most 40 in all")
                .help("rename the file: its name is the scenario's id and names its schema in the database"),
        );
    }
}

struct Check<'a> {
    files: &'a Files,
    faults: &'a mut Collector,
}

impl Check<'_> {
    fn one_line(&mut self, text: &str, at: &Node<'_>) {
        if text.trim().contains('\n') {
            self.faults.push(Finding::new(at.span(), "a title of several lines").expected("one line"));
        }
    }

    /// A name that becomes an identifier in PostgreSQL.
    fn identifier(&mut self, name: &str, at: &Node<'_>) {
        if name.is_empty() || name.len() > LONGEST_IDENTIFIER || name.contains('\0') {
            let finding = Finding::new(at.key(name), format!("`{}` names nothing in PostgreSQL", name.escape_debug()));
            self.faults.push(finding.expected(format!("1 to {LONGEST_IDENTIFIER} bytes")));
        }
    }

    fn duration(&mut self, text: &str, least: Duration, at: &Node<'_>) -> Option<Duration> {
        let Ok(parsed) = text.trim().parse::<SignedDuration>() else {
            let finding = Finding::new(at.span(), format!("`{text}` is not a duration"));
            self.faults.push(finding.expected("something like 20s, 250ms or 1m 30s"));
            return None;
        };
        let duration = Duration::try_from(parsed).ok().filter(|duration| (least..=LONGEST).contains(duration));
        if duration.is_none() {
            let bounds = if least.is_zero() { "0s to 7 days" } else { "1ms to 7 days" };
            self.faults.push(Finding::new(at.span(), format!("`{text}` is out of range")).expected(bounds));
        }
        duration
    }
}
