//! Operations of several statements, and what their steps take from each other.

use std::collections::BTreeMap;

use super::{Check, Finding, Node, workload::Written};
use crate::scenario::{
    nearest::nearest,
    raw,
    validate::workload::InScript,
    workload_model::{Script, Statement, Step},
};

impl Check<'_> {
    /// Scripts; their steps are added to `statements`.
    pub(super) fn scripts(
        &mut self,
        raw: BTreeMap<String, raw::Script>,
        workload: &Node<'_>,
        statements: &mut Vec<Option<Statement>>,
    ) -> Option<Vec<Script>> {
        let (all, plain) = (workload.get("scripts"), workload.get("statements"));
        let scripts = raw.into_iter().map(|(name, raw)| {
            self.name(&name, all.key(&name));
            if plain.has(&name) {
                let finding = Finding::new(all.key(&name), format!("`{name}` is a statement already"));
                self.faults.push(finding.expected("another name").relative());
            }
            let at = all.get(&name);
            let weight = raw.weight.map_or(1.0, |weight| weight.0);
            let steps = self.steps(&name, raw.steps?, &at.get("steps"), &plain, statements);
            Some(Script { name, weight, transaction: raw.transaction, steps })
        });
        // All of them, so that each one's faults are seen.
        scripts.collect::<Vec<_>>().into_iter().collect()
    }

    fn steps(
        &mut self,
        script: &str,
        raw: Vec<raw::Step>,
        all: &Node<'_>,
        plain: &Node<'_>,
        statements: &mut Vec<Option<Statement>>,
    ) -> Vec<Step> {
        let names: Vec<String> = raw.iter().map(|step| step.name.clone().unwrap_or_default()).collect();
        let mut steps = Vec::with_capacity(raw.len());
        for (index, raw) in raw.into_iter().enumerate() {
            let at = all.item(index);
            let (name, place) = (&names[index], at.get("name"));
            let statement_name = format!("{script}.{name}");
            if raw.name.is_some() {
                self.name(name, place.span());
                if names[..index].contains(name) {
                    let finding = Finding::new(place.span(), format!("a second step `{name}`"));
                    self.faults.push(finding.expected("another name").relative());
                } else if plain.has(&statement_name) {
                    let finding = Finding::new(place.span(), format!("`{statement_name}` is a statement already"));
                    self.faults.push(finding.expected("another name").relative());
                }
            }
            let place = InScript { steps: &names, index, for_each: raw.for_each.as_deref() };
            let for_each = raw.for_each.as_ref().map(|name| self.earlier(name, &at.get("for_each"), place));
            let written = Written {
                name: statement_name,
                section: format!("workload.scripts.{script}.steps[{index}]"),
                sql: raw.sql,
                sql_file: raw.sql_file,
                parameters: raw.parameters,
                classes: raw.classes,
                at: &at,
            };
            steps.push(Step { statement: statements.len(), for_each: for_each.flatten() });
            statements.push(self.statement(written, Some(place)));
        }
        steps
    }

    /// The index of the earlier step that a name is about; `None` after a fault.
    pub(super) fn earlier(&mut self, name: &str, at: &Node<'_>, place: InScript<'_>) -> Option<usize> {
        let InScript { steps, index, .. } = place;
        let earlier = &steps[..index];
        if let Some(step) = earlier.iter().position(|step| step == name) {
            return Some(step);
        }
        let finding = if steps[index] == name {
            Finding::new(at.span(), format!("step `{name}` itself")).expected("an earlier step")
        } else if steps[index..].iter().any(|step| step == name) {
            Finding::new(at.span(), format!("`{name}` is a later step")).expected("an earlier step")
        } else {
            let near = nearest(name, earlier.iter().map(String::as_str));
            let finding = Finding::new(at.span(), format!("no step `{name}` before this one"));
            match (near, earlier.is_empty()) {
                (None, true) => finding.help("it is the first step: there is no result yet"),
                (near, _) => finding.did_you_mean(near),
            }
        };
        self.faults.push(finding.relative());
        None
    }
}
