//! What is applied between the phases.

use std::{collections::BTreeMap, time::Duration};

use super::{Check, Finding, Node};
use crate::scenario::{
    model::{Fix, Rewrite},
    nearest::nearest,
    raw,
    schema::one_of,
    sql_text::SqlText,
    workload_model::Statement,
};

impl Check<'_> {
    /// A fix; `statements` are those of the workload, where it has no fault.
    pub(super) fn fix(&mut self, raw: raw::Fix, statements: Option<&[Statement]>, at: &Node<'_>) -> Option<Fix> {
        let title = raw.title.inspect(|title| self.one_line(title, &at.get("title")));
        let rewrites = self.rewrites(raw.statements.unwrap_or_default(), statements, &at.get("statements"));
        let up = self.way((raw.up, raw.up_file), ["up", "up_file"], ["down", "down_file"], at);
        let down = self.way((raw.down, raw.down_file), ["down", "down_file"], ["up", "up_file"], at);
        let text = raw.lock_timeout.as_deref().unwrap_or("5s");
        let lock_timeout = self.duration(text, Duration::from_millis(1), &at.get("lock_timeout"));
        let title = title?.trim().to_owned();
        Some(Fix { title, up: up?, down: down?, lock_timeout: lock_timeout?, rewrites: rewrites? })
    }

    /// The statements of one way; none where the fix is a rewrite alone.
    fn way(
        &mut self,
        (inline, file): (Option<String>, Option<String>),
        [key, key_file]: [&str; 2],
        other: [&str; 2],
        at: &Node<'_>,
    ) -> Option<SqlText> {
        match (at.has(key), at.has(key_file)) {
            (true, true) => {
                let finding = Finding::new(at.key(key_file), format!("`{key_file}` beside `{key}`"));
                self.faults.push(finding.expected("only one of them").relative());
            }
            (false, false) if at.has("statements") && !other.iter().any(|key| at.has(key)) => {
                return Some(SqlText { source: String::new(), text: String::new(), statements: Vec::new() });
            }
            (false, false) => {
                let finding = Finding::new(at.span(), "missing key");
                self.faults.push(finding.expected(one_of([key, key_file])).relative());
            }
            _ => {}
        }
        self.commands(inline, file, key, "fix", at)
    }

    fn rewrites(
        &mut self,
        raw: BTreeMap<String, raw::Rewrite>,
        statements: Option<&[Statement]>,
        all: &Node<'_>,
    ) -> Option<Vec<Rewrite>> {
        let rewrites = raw.into_iter().map(|(name, raw)| {
            let at = all.get(&name);
            let text = self.single(raw.sql, raw.sql_file, "sql", &format!("fix.statements.{name}"), &at);
            let statements = statements?;
            let Some(statement) = statements.iter().position(|statement| statement.name == name) else {
                let near = nearest(&name, statements.iter().map(|statement| statement.name.as_str()));
                let finding = Finding::new(all.key(&name), format!("no statement `{name}` in the workload"));
                self.faults.push(match near {
                    Some(_) => finding.did_you_mean(near),
                    None => finding.expected(one_of(statements.iter().map(|statement| statement.name.as_str()))),
                });
                return None;
            };
            let text = text?;
            self.placeholders(&text, statements[statement].parameters.len(), &at);
            Some(Rewrite { statement, sql: text.sql })
        });
        // All of them, so that each one's faults are seen.
        rewrites.collect::<Vec<_>>().into_iter().collect()
    }
}
