//! The thresholds, each with the place within its text.

use super::{Check, Finding, Node};
use crate::scenario::{
    raw,
    threshold::{Threshold, ThresholdFault},
};

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
                        let start = text.len() - text.trim_start().len();
                        let span = fault.span.start + start..fault.span.end + start;
                        self.threshold(ThresholdFault { span, ..fault }, text, &place, true);
                    }
                    thresholds.push(threshold);
                }
                Err(fault) => self.threshold(fault, text, &place, false),
            }
        }
        thresholds
    }

    fn threshold(&mut self, fault: ThresholdFault, text: &str, at: &Node<'_>, relative: bool) {
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
