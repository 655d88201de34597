//! What advised indexes would change, as far as it was tried.

use super::document::{Block, Table};
use crate::{
    record::{Trial, TriedPlan, WhatIf},
    text,
};

/// The trials; nothing where there was none.
pub(super) fn what_if(trials: &[WhatIf]) -> Vec<Block> {
    if trials.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![Block::Heading("What the advice would change".into())];
    for trial in trials {
        let sql: Vec<String> = trial.advice.iter().map(|statement| format!("{statement};")).collect();
        blocks.push(Block::Verbatim(sql.join("\n")));
        blocks.push(Block::Paragraph(about(trial)));
        if let (Some(before), Some(after)) = (&trial.before, &trial.after) {
            blocks.push(Block::Table(figures(before, after)));
            let plans = [("before", before), ("after", after)].map(|(when, plan)| format!("{when}: {}", plan.shape));
            blocks.push(Block::List(plans.into()));
        }
    }
    blocks
}

fn about(trial: &WhatIf) -> String {
    let mut text = match (&trial.how, &trial.note) {
        (None, Some(note)) => return sentence(note),
        (None, None) => return "Not tried.".to_owned(),
        (Some(Trial::Hypothetical), _) => {
            "The index is hypothetical (HypoPG): these are the planner's costs, and nothing was executed.".to_owned()
        }
        (Some(Trial::Built), _) => {
            let was_executed = trial.after.as_ref().is_some_and(|after| after.execution_ms.is_some());
            let done = if was_executed { "executed" } else { "only planned" };
            format!("It was built in a transaction that was rolled back, and the statement {done} in it.")
        }
    };
    let values = match (trial.class.as_str(), trial.parameters.is_empty()) {
        (_, true) => None,
        ("", false) => Some(format!("with {}", trial.parameters.join(", "))),
        (class, false) => Some(format!("with {class} values ({})", trial.parameters.join(", "))),
    };
    let statement = trial.statement.as_ref().map(|name| format!("statement {name}"));
    let of: Vec<String> = statement.into_iter().chain(values).collect();
    if !of.is_empty() {
        text.push_str(&format!(" Tried on {}.", of.join(" ")));
    }
    if trial.used == Some(false) {
        text.push_str(" The planner does not use it: the advice does not help here.");
    }
    match (trial.index_bytes, trial.build_ms) {
        (Some(bytes), Some(ms)) => {
            text.push_str(&format!(" The index took {} and {} to build.", text::bytes(bytes), text::milliseconds(ms)));
        }
        (Some(bytes), None) => text.push_str(&format!(" The index would take about {}.", text::bytes(bytes))),
        (None, _) => {}
    }
    if let Some(note) = &trial.note {
        text.push_str(&format!(" {}", sentence(note)));
    }
    text
}

fn sentence(note: &str) -> String {
    let mut letters = note.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn figures(before: &TriedPlan, after: &TriedPlan) -> Table {
    let mut table = Table::of_figures(&["", "before", "after", "factor"]);
    let factor = |before: f64, after: f64| match () {
        () if before > 0.0 => text::factor(after / before, "less", "more").unwrap_or_default(),
        () => String::new(),
    };
    let cost = |cost: f64| text::significant(cost);
    table.row(["planner's cost".into(), cost(before.cost), cost(after.cost), factor(before.cost, after.cost)]);
    let [was, is] = [before, after].map(execution);
    if let (Some((was, before)), Some((is, after))) = (was, is) {
        let factor = match (was, is) {
            ("", "") => factor(before, after),
            // Where one side took longer than it may, the factor is at least this.
            ("> ", "") if after < before => format!("> {}", factor(before, after)),
            ("", "> ") if before < after => format!("> {}", factor(before, after)),
            _ => String::new(),
        };
        let cell = |sign: &str, ms: f64| format!("{sign}{}", text::milliseconds(ms));
        table.row(["execution".into(), cell(was, before), cell(is, after), factor]);
    }
    if let (Some(before), Some(after)) = (before.buffers, after.buffers) {
        let [was, is] = [before, after].map(text::count);
        table.row(["buffers".into(), was, is, factor(before as f64, after as f64)]);
    }
    table
}

/// Milliseconds of the execution, or those after which it was given up with `> ` before them.
fn execution(plan: &TriedPlan) -> Option<(&'static str, f64)> {
    let given_up = plan.given_up_after_ms.map(|limit| ("> ", limit));
    plan.execution_ms.map(|ms| ("", ms)).or(given_up)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Document, terminal};

    fn trial() -> WhatIf {
        let plan = |shape: &str, cost: f64, ms: f64, buffers: u64| TriedPlan {
            shape: shape.into(),
            cost,
            execution_ms: Some(ms),
            buffers: Some(buffers),
            given_up_after_ms: None,
        };
        WhatIf {
            statement: Some("latest".into()),
            class: "typical".into(),
            parameters: vec!["5000".into()],
            advice: vec!["CREATE INDEX CONCURRENTLY events_user_id_idx ON events (user_id)".into()],
            how: Some(Trial::Built),
            note: None,
            before: Some(plan("Seq Scan on events", 27_206.0, 74.8, 14_706)),
            after: Some(plan("Index Scan using events_user_id_idx on events", 36.4, 0.041, 23)),
            used: Some(true),
            index_bytes: Some(31_457_280),
            build_ms: Some(912.0),
        }
    }

    fn text(trials: &[WhatIf]) -> String {
        terminal(&Document { blocks: what_if(trials) }, 80, false)
    }

    #[test]
    fn a_built_index_has_times_and_a_hypothetical_one_costs() {
        insta::assert_snapshot!(text(&[trial()]), @"
        What the advice would change:
        CREATE INDEX CONCURRENTLY events_user_id_idx ON events (user_id);

        It was built in a transaction that was rolled back, and the statement executed
        in it. Tried on statement latest with typical values (5000). The index took
        30.0 MB and 912 ms to build.

                           before     after        factor
        ──────────────────────────────────────────────────
         planner's cost    27 200      36.4     747x less
         execution        74.8 ms   41.0 µs   1 820x less
         buffers           14 706        23     639x less

        - before: Seq Scan on events
        - after: Index Scan using events_user_id_idx on events
        ");
        let costs = |plan: TriedPlan| TriedPlan { execution_ms: None, buffers: None, ..plan };
        let mut hypothetical = WhatIf { how: Some(Trial::Hypothetical), used: Some(false), build_ms: None, ..trial() };
        hypothetical.before = hypothetical.before.map(costs);
        hypothetical.after = hypothetical.after.map(costs);
        insta::assert_snapshot!(text(&[hypothetical]), @"
        What the advice would change:
        CREATE INDEX CONCURRENTLY events_user_id_idx ON events (user_id);

        The index is hypothetical (HypoPG): these are the planner's costs, and nothing
        was executed. Tried on statement latest with typical values (5000). The planner
        does not use it: the advice does not help here. The index would take about
        30.0 MB.

                          before   after      factor
        ─────────────────────────────────────────────
         planner's cost   27 200    36.4   747x less

        - before: Seq Scan on events
        - after: Index Scan using events_user_id_idx on events
        ");
    }

    #[test]
    fn what_took_too_long_has_its_limit() {
        let given_up = |plan: Option<TriedPlan>| {
            plan.map(|plan| TriedPlan { execution_ms: None, buffers: None, given_up_after_ms: Some(30_000.0), ..plan })
        };
        let note = Some("not executed without the index: it takes more than 30 s".to_owned());
        let before = WhatIf { before: given_up(trial().before), note, ..trial() };
        insta::assert_snapshot!(text(std::slice::from_ref(&before)), @"
        What the advice would change:
        CREATE INDEX CONCURRENTLY events_user_id_idx ON events (user_id);

        It was built in a transaction that was rolled back, and the statement executed
        in it. Tried on statement latest with typical values (5000). The index took
        30.0 MB and 912 ms to build. Not executed without the index: it takes more than
        30 s.

                            before     after            factor
        ───────────────────────────────────────────────────────
         planner's cost     27 200      36.4         747x less
         execution        > 30.0 s   41.0 µs   > 732 000x less

        - before: Seq Scan on events
        - after: Index Scan using events_user_id_idx on events
        ");
        let note = Some("not executed neither without the index nor with it: it takes more than 30 s".to_owned());
        let both = text(&[WhatIf { after: given_up(before.after.clone()), note, ..before }]);
        let words = both.replace('\n', " ");
        assert!(words.contains("and the statement only planned in it."), "{both}");
        assert!(both.contains("> 30.0 s   > 30.0 s"), "{both}");
    }

    #[test]
    fn what_was_not_tried_says_why() {
        let note = Some("not tried: the extension hypopg is not there".to_owned());
        let not_tried = WhatIf { how: None, before: None, after: None, used: None, note, ..trial() };
        assert!(text(&[not_tried]).contains("\nNot tried: the extension hypopg is not there."));
        assert_eq!(what_if(&[]), []);
    }
}
