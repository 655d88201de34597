//! What is compared of the results.

use std::time::Duration;

use super::{Check, Finding, LONGEST_IDENTIFIER, Node};
use crate::scenario::{raw, results::Results};

/// The shortest time limit.
const MILLISECOND: Duration = Duration::from_millis(1);

impl Check<'_> {
    pub(super) fn results(&mut self, raw: raw::Results, at: &Node<'_>) -> Results {
        let places = at.get("roles");
        for (index, role) in raw.roles.iter().enumerate() {
            let span = places.item(index).span();
            if role.is_empty() || role.len() > LONGEST_IDENTIFIER {
                let finding = Finding::new(span, format!("`{}` names no role in PostgreSQL", role.escape_debug()));
                self.faults.push(finding.expected(format!("1 to {LONGEST_IDENTIFIER} bytes")));
            } else if role == "none" {
                let finding = Finding::new(span, "`none` is not a role: it means the session's own");
                self.faults.push(finding.help("remove it; the session's own role is always compared"));
            } else if raw.roles[..index].contains(role) {
                self.faults.push(Finding::new(span, format!("the role `{role}` a second time")).relative());
            }
        }
        let defaults = Results::default();
        let time_limit = raw.time_limit.map(|text| self.duration(&text, MILLISECOND, &at.get("time_limit")));
        Results {
            sample: raw.sample.unwrap_or(defaults.sample),
            time_limit: time_limit.flatten().unwrap_or(defaults.time_limit),
            roles: raw.roles,
        }
    }
}
