//! The thresholds and gates, each fault with its place within the text.

use super::{Check, Finding, Node};
use crate::scenario::{expression::ExpressionFault, gate::Gate, raw, threshold::Threshold};

impl Check<'_> {
    pub(super) fn thresholds(&mut self, raw: &[raw::Threshold], root: &Node<'_>) -> Vec<Threshold> {
        let at = root.get("thresholds");
        // Names are asked of the file, not of what is sound in it.
        let workload = root.get("workload");
        let mut known: Vec<String> = workload.get("statements").keys().map(str::to_owned).collect();
        let scripts = workload.get("scripts");
        for script in scripts.keys() {
            known.push(script.to_owned());
            let steps = scripts.get(script).get("steps");
            let names = steps.items().filter_map(|step| step.get("name").text());
            known.extend(names.map(|step| format!("{script}.{step}")));
        }
        let mut thresholds = Vec::new();
        for (index, raw::Threshold(text)) in raw.iter().enumerate() {
            let place = at.item(index);
            match Threshold::parse(text) {
                Ok(threshold) => {
                    if let Some(fault) = threshold.unknown_operation(known.iter().map(String::as_str)) {
                        self.expression(untrimmed(fault, text), text, &place, true);
                    }
                    thresholds.push(threshold);
                }
                Err(fault) => self.expression(fault, text, &place, false),
            }
        }
        thresholds
    }

    pub(super) fn gates(&mut self, raw: &[raw::Gate], root: &Node<'_>) -> Vec<Gate> {
        let (all, workload) = (root.get("gates"), root.get("workload"));
        let (statements, scripts) = (workload.get("statements"), workload.get("scripts"));
        let operations: Vec<&str> = statements.keys().chain(scripts.keys()).collect();
        let mut gates: Vec<Gate> = Vec::new();
        for (index, raw) in raw.iter().enumerate() {
            let Some(text) = &raw.expression else { continue };
            let place = all.item(index).get("expression");
            match Gate::parse(text) {
                Ok(gate) => {
                    if let Some(fault) = gate.unknown_operation(operations.iter().copied()) {
                        self.expression(untrimmed(fault, text), text, &place, true);
                    } else if gates.iter().any(|other| other.condition == gate.condition) {
                        self.faults
                            .push(Finding::new(place.span(), format!("the gate `{gate}` a second time")).relative());
                    }
                    gates.push(gate);
                }
                Err(fault) => self.expression(fault, text, &place, false),
            }
        }
        gates
    }

    fn expression(&mut self, fault: ExpressionFault, text: &str, at: &Node<'_>, relative: bool) {
        let whole = at.span();
        // With escapes in it the text is not in the file as it is; then its faults are those of all of it.
        let (_, file) = self.faults.scenario();
        let start = file.get(whole.clone()).and_then(|raw| raw.find(text)).map(|start| whole.start + start);
        let span = start.map_or(whole, |start| start + fault.span.start..start + fault.span.end);
        let mut finding = Finding::new(span, fault.message).did_you_mean(fault.nearest.as_deref());
        if let Some(expected) = fault.expected {
            finding = finding.expected(expected);
        }
        self.faults.push(if relative { finding.relative() } else { finding });
    }
}

/// A fault in the trimmed text as one in the text.
fn untrimmed(fault: ExpressionFault, text: &str) -> ExpressionFault {
    let start = text.len() - text.trim_start().len();
    ExpressionFault { span: fault.span.start + start..fault.span.end + start, ..fault }
}
