//! The statements under load.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Finding, Node, texts::Text};
use crate::{
    scenario::{
        generator::{self, Place},
        generator_model::Value,
        raw,
        workload_model::{ClassShares, Classes, Parameter, ParameterSource, Script, Statement},
    },
    text,
};

/// Most parameters of a statement: the protocol counts them in 16 bits.
const MOST_PARAMETERS: usize = 65_535;

/// How far the sum of shares may be from 1.
const SHARES_TOLERANCE: f64 = 1e-6;

/// A statement as it is written, by itself or as a step of a script.
pub(super) struct Written<'a> {
    pub name: String,
    /// The path of its table in the file.
    pub section: String,
    pub sql: Option<String>,
    pub sql_file: Option<String>,
    pub parameters: Option<Vec<raw::Parameter>>,
    pub classes: raw::Classes,
    pub at: &'a Node<'a>,
}

impl Check<'_> {
    pub(super) fn workload(&mut self, raw: raw::Workload, at: &Node<'_>) -> Option<(Vec<Statement>, Vec<Script>)> {
        if !at.has("statements") && !at.has("scripts") {
            let finding = Finding::new(at.span(), "the workload is empty");
            self.faults.push(finding.expected("`statements`, `scripts` or both").relative());
            return None;
        }
        let (mut statements, mut scripts) = self.statements(raw.statements.unwrap_or_default(), &at.get("statements"));
        let of_several = self.scripts(raw.scripts.unwrap_or_default(), at, &mut statements);
        scripts.extend(of_several?);
        scripts.sort_by(|one, other| one.name.cmp(&other.name));
        Some((statements.into_iter().collect::<Option<_>>()?, scripts))
    }

    fn statements(
        &mut self,
        raw: BTreeMap<String, raw::Statement>,
        all: &Node<'_>,
    ) -> (Vec<Option<Statement>>, Vec<Script>) {
        let (mut statements, mut scripts) = (Vec::new(), Vec::new());
        for (index, (name, raw)) in raw.into_iter().enumerate() {
            self.name(&name, all.key(&name));
            let weight = raw.weight.map_or(1.0, |weight| weight.0);
            scripts.push(Script::of_statement(&name, weight, index));
            let section = format!("workload.statements.{name}");
            let raw::Statement { sql, sql_file, parameters, classes, .. } = raw;
            let at = &all.get(&name);
            statements.push(self.statement(Written { name, section, sql, sql_file, parameters, classes, at }, None));
        }
        (statements, scripts)
    }

    /// A name under which figures are shown.
    pub(super) fn name(&mut self, name: &str, at: std::ops::Range<usize>) {
        if name.trim().is_empty() || name.len() > 63 || name.chars().any(char::is_control) {
            let finding = Finding::new(at, "a name that no table of results can show");
            self.faults.push(finding.expected("1 to 63 printable bytes"));
        }
    }

    /// A statement; `script` is where it stands as a step.
    pub(super) fn statement(&mut self, written: Written<'_>, script: Option<InScript<'_>>) -> Option<Statement> {
        let Written { name, section, sql, sql_file, parameters, classes, at } = written;
        let text = self.single(sql, sql_file, "sql", &section, at);
        let given = parameters.as_ref().map_or(0, Vec::len);
        // Parameters that stand in the file but not here had a fault of their own.
        let known = parameters.is_some() || !at.has("parameters");
        if let Some(text) = text.as_ref().filter(|_| known) {
            self.placeholders(text, given, at);
        }
        let place = at.get("parameters");
        let parameters: Vec<_> = parameters
            .unwrap_or_default()
            .into_iter()
            .enumerate()
            .map(|(index, raw)| {
                let section = format!("{section}.parameters[{index}]");
                self.parameter(raw, &section, &place.item(index), script)
            })
            .collect();
        let classes = self.classes(&classes, given, known, &at.get("classes"));
        Some(Statement { name, sql: text?.sql, parameters: parameters.into_iter().collect::<Option<_>>()?, classes })
    }

    /// Whether the placeholders of a statement are those of its parameters.
    pub(super) fn placeholders(&mut self, text: &Text, given: usize, at: &Node<'_>) {
        let mut used = BTreeSet::new();
        for (name, span) in &text.split.placeholders {
            match name.parse::<usize>() {
                Ok(number @ 1..=MOST_PARAMETERS) => {
                    if number > given && used.insert(number) {
                        let message = format!("`${number}` has no parameter: {} given", text::counted(given, "source"));
                        let finding = text.fault(span.clone(), message);
                        self.faults
                            .push(finding.help("`parameters` needs a generator or query for each `$n`").relative());
                    }
                    used.insert(number);
                }
                _ => {
                    let finding = text.fault(span.clone(), format!("`${name}` is not a parameter"));
                    self.faults.push(finding.expected("`$1`, `$2` and so on"));
                }
            }
        }
        for unused in (1..=given).filter(|number| !used.contains(number)) {
            // A rewrite has the parameters of another statement.
            let span = if at.has("parameters") { at.get("parameters").item(unused - 1).span() } else { at.span() };
            let finding = Finding::new(span, format!("a parameter that the SQL does not use: no `${unused}` in it"));
            self.faults.push(finding.relative());
        }
    }

    fn parameter(
        &mut self,
        raw: raw::Parameter,
        section: &str,
        at: &Node<'_>,
        script: Option<InScript<'_>>,
    ) -> Option<Parameter> {
        if raw.shares.is_some() && !matches!(raw.source, raw::Source::Query(_)) {
            let finding = Finding::new(at.key("shares"), "`shares` without a `query`");
            self.faults.push(finding.help("only the rows of a query are drawn by class").relative());
        }
        let source = match raw.source {
            raw::Source::Generator(raw) => {
                let place = Place { rows: None, nested: false };
                ParameterSource::Generator(generator::check(&raw, at, place, self.faults)?)
            }
            raw::Source::Query(query) => {
                let shares = raw.shares.map(|shares| self.shares(shares, &at.get("shares")));
                let text = self.single(Some(query), None, "query", section, at)?;
                for (name, span) in &text.split.placeholders {
                    let finding = text.fault(span.clone(), format!("`${name}` has no value here"));
                    self.faults.push(finding.help("the query runs once, before the load, without parameters"));
                }
                ParameterSource::Query { sql: text.sql, shares }
            }
            raw::Source::Result(raw) => {
                if at.has("null") {
                    let finding = Finding::new(at.key("null"), "`null` beside `result`");
                    self.faults.push(finding.help("the value is that of the result, NULL where it is").relative());
                }
                let place = at.get("result");
                let Some(script) = script else {
                    let finding = Finding::new(at.key("result"), "`result` outside of a script");
                    self.faults.push(
                        finding.help("only a step of a script in `workload.scripts` has earlier steps").relative(),
                    );
                    return None;
                };
                let step = self.earlier(&raw.step, &place.get("step"), script)?;
                if raw.all && script.for_each == Some(raw.step.as_str()) {
                    let finding =
                        Finding::new(place.key("all"), format!("`all` rows of `{}` for each of them", raw.step));
                    self.faults
                        .push(finding.help("remove `all` or `for_each`: one row, or all in one array").relative());
                }
                ParameterSource::Result { step, column: raw.column, all: raw.all }
            }
        };
        Some(Parameter { source, null_share: raw.null })
    }

    fn shares(&mut self, raw: raw::Shares, at: &Node<'_>) -> ClassShares {
        let raw::Shares { hot, typical, cold } = raw;
        let sum = hot + typical + cold;
        if (sum - 1.0).abs() > SHARES_TOLERANCE {
            let finding = Finding::new(at.span(), format!("shares with a sum of {}", (sum * 1e6).round() / 1e6));
            self.faults.push(finding.expected("a sum of 1"));
        }
        ClassShares { hot, typical, cold }
    }

    fn classes(&mut self, raw: &raw::Classes, parameters: usize, known: bool, at: &Node<'_>) -> Classes {
        let mut class = |key: &str, values: &Option<Vec<raw::Value>>| -> Option<Vec<Value>> {
            let values = values.as_ref()?;
            if known && values.len() != parameters {
                let message =
                    format!("{} for {}", text::counted(values.len(), "value"), text::counted(parameters, "parameter"));
                let finding = Finding::new(at.get(key).span(), message);
                self.faults.push(finding.expected("a value for each parameter, in order").relative());
            }
            Some(values.iter().map(generator::value).collect())
        };
        Classes {
            hot: class("hot", &raw.hot),
            typical: class("typical", &raw.typical),
            cold: class("cold", &raw.cold),
            absent: class("absent", &raw.absent),
        }
    }
}

/// Where in a script a statement stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InScript<'a> {
    /// Names of all its steps; empty for one without.
    pub(crate) steps: &'a [String],
    /// Index of the step in hand.
    pub(crate) index: usize,
    /// The step for each of whose rows this one is executed.
    pub for_each: Option<&'a str>,
}
