//! The statements under load.

use std::collections::BTreeSet;

use super::{Check, Finding, Node, texts::Text};
use crate::scenario::{
    generator::{self, Place, count},
    model::{Classes, Parameter, ParameterSource, Script, Statement, Value},
    raw,
};

/// Most parameters of a statement: the protocol counts them in 16 bits.
const MOST_PARAMETERS: usize = 65_535;

impl Check<'_> {
    pub(super) fn workload(&mut self, raw: raw::Workload, at: &Node<'_>) -> Option<(Vec<Statement>, Vec<Script>)> {
        let at = at.get("statements");
        let mut scripts = Vec::new();
        let mut statements = Vec::new();
        for (index, (name, raw)) in raw.statements?.into_iter().enumerate() {
            let weight = raw.weight.as_ref().map_or(1.0, |weight| weight.0);
            scripts.push(Script::of_statement(&name, weight, index));
            statements.push(self.statement(name, raw, &at));
        }
        Some((statements.into_iter().collect::<Option<_>>()?, scripts))
    }

    fn statement(&mut self, name: String, raw: raw::Statement, all: &Node<'_>) -> Option<Statement> {
        let at = all.get(&name);
        if name.trim().is_empty() || name.len() > 63 || name.chars().any(char::is_control) {
            let finding = Finding::new(all.key(&name), "a name that no table of results can show");
            self.faults.push(finding.expected("1 to 63 printable bytes"));
        }
        let text = self.single(raw.sql, raw.sql_file, "sql", &format!("workload.statements.{name}"), &at);
        let given = raw.parameters.as_ref().map_or(0, Vec::len);
        // Parameters that stand in the file but not here had a fault of their own.
        let known = raw.parameters.is_some() || !at.has("parameters");
        if let Some(text) = text.as_ref().filter(|_| known) {
            self.placeholders(text, given, &at);
        }
        let sources = raw.parameters.unwrap_or_default();
        let place = at.get("parameters");
        let parameters: Vec<_> = sources
            .into_iter()
            .enumerate()
            .map(|(index, raw)| self.parameter(raw, &name, index, &place.item(index)))
            .collect();
        let classes = self.classes(&raw.classes, given, known, &at.get("classes"));
        Some(Statement { name, sql: text?.sql, parameters: parameters.into_iter().collect::<Option<_>>()?, classes })
    }

    fn placeholders(&mut self, text: &Text, given: usize, at: &Node<'_>) {
        let mut used = BTreeSet::new();
        for (name, span) in &text.split.placeholders {
            match name.parse::<usize>() {
                Ok(number @ 1..=MOST_PARAMETERS) => {
                    if number > given && used.insert(number) {
                        let message = format!("`${number}` has no parameter: {} given", count(given, "source"));
                        let finding = text.fault(span.clone(), message);
                        self.faults
                            .push(finding.help("`parameters` needs a generator or query for each `$n`").relative());
                    }
                    used.insert(number);
                }
                _ => {
                    let finding = text.fault(span.clone(), format!("`${name}` is no parameter"));
                    self.faults.push(finding.expected("`$1`, `$2` and so on"));
                }
            }
        }
        for unused in (1..=given).filter(|number| !used.contains(number)) {
            let span = at.get("parameters").item(unused - 1).span();
            let finding = Finding::new(span, format!("a parameter that the SQL does not use: no `${unused}` in it"));
            self.faults.push(finding.relative());
        }
    }

    fn parameter(&mut self, raw: raw::Parameter, statement: &str, index: usize, at: &Node<'_>) -> Option<Parameter> {
        match raw {
            raw::Parameter::Generator(raw) => {
                let place = Place { rows: None, nested: false };
                generator::check(&raw, at, place, self.faults).map(ParameterSource::Generator).map(Parameter::from)
            }
            raw::Parameter::Query(raw) => {
                let section = format!("workload.statements.{statement}.parameters[{index}]");
                let text = self.single(Some(raw.query), None, "query", &section, at)?;
                for (name, span) in &text.split.placeholders {
                    let finding = text.fault(span.clone(), format!("`${name}` has no value here"));
                    self.faults.push(finding.help("the query runs once, before the load, without parameters"));
                }
                Some(ParameterSource::Query { sql: text.sql, shares: None }.into())
            }
        }
    }

    fn classes(&mut self, raw: &raw::Classes, parameters: usize, known: bool, at: &Node<'_>) -> Classes {
        let mut class = |key: &str, values: &Option<Vec<raw::Value>>| -> Option<Vec<Value>> {
            let values = values.as_ref()?;
            if known && values.len() != parameters {
                let message = format!("{} for {}", count(values.len(), "value"), count(parameters, "parameter"));
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
