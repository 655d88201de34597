//! Whether the results are the same before and after the fix.

use super::document::{Block, Cell, Table, Tone};
use crate::{
    record::{ResultDifference, ResultsCheck, StatementResults},
    text,
};

/// Most columns of a differing row that are shown.
const MOST_COLUMNS: usize = 8;

/// One line that says it, then the first difference of each statement that differs, then what could not be decided.
pub(super) fn results(check: &ResultsCheck) -> Vec<Block> {
    let mut blocks = vec![Block::Paragraph(format!("Same rows before and after: {}.", answer(check)))];
    for statement in check.statements.iter().filter(|statement| statement.identical == Some(false)) {
        blocks.extend(difference(statement));
    }
    let open = check.statements.iter().filter(|statement| statement.identical.is_none());
    let points: Vec<String> = open.map(undecided).chain(time_was_over(check)).collect();
    if !points.is_empty() {
        blocks.push(Block::List(points));
    }
    blocks
}

/// The same in a line: `same rows before and after (200 parameter sets)`.
pub(super) fn in_a_line(check: &ResultsCheck) -> String {
    match check.identical {
        Some(true) => format!("same rows before and after: {}", answer(check)),
        Some(false) => {
            let first = check.statements.iter().find(|statement| statement.identical == Some(false));
            let why = first.map(|statement| format!("; {}", difference_in_words(statement))).unwrap_or_default();
            format!("DIFFERENT rows before and after{why}")
        }
        None => {
            let open = check.statements.iter().find(|statement| statement.identical.is_none());
            let why = open.map(|statement| format!("; {}", undecided(statement))).unwrap_or_default();
            format!("same rows before and after: undecided{why}")
        }
    }
}

/// That some sets were left out, and how to have them compared too.
pub(super) fn time_was_over(check: &ResultsCheck) -> Option<String> {
    let limit = check.time_limit_s.filter(|_| check.not_compared > 0)?;
    Some(format!(
        "{} not compared within {} s (hot, typical, cold and absent values come first); \
         `--results-time-limit 1m` gives more time",
        text::counted(check.not_compared, "parameter set"),
        text::significant(limit),
    ))
}

/// `yes (200 parameter sets, 3 ties)`.
fn answer(check: &ResultsCheck) -> String {
    let names = |identical| {
        let of = check.statements.iter().filter(|statement| statement.identical == identical);
        let names: Vec<String> = of.map(title).collect();
        if names.len() > 3 { format!("{} of {}", names.len(), check.statements.len()) } else { names.join(", ") }
    };
    match check.identical {
        Some(true) => {
            let sum = |of: fn(&StatementResults) -> u64| check.statements.iter().map(of).sum();
            let compared = match check.statements.as_slice() {
                [only] if check.not_compared > 0 => {
                    let all = only.compared + check.not_compared;
                    format!("{} of {}", text::count(only.compared), text::counted(all, "parameter set"))
                }
                [only] => text::counted(only.compared, "parameter set"),
                all => format!("{} of {} statements", text::counted(sum(|one| one.compared), "result"), all.len()),
            };
            match sum(|one| one.ties) {
                0 => format!("yes ({compared})"),
                ties => format!("yes ({compared}, {})", text::counted(ties, "tie")),
            }
        }
        Some(false) => format!("no, not those of {}", names(Some(false))),
        None => format!("undecided for {}", names(None)),
    }
}

fn title(statement: &StatementResults) -> String {
    match &statement.role {
        Some(role) => format!("{} as {role}", statement.name),
        None => statement.name.clone(),
    }
}

fn undecided(statement: &StatementResults) -> String {
    let what = if statement.deterministic { "undecided" } else { "not deterministic" };
    match &statement.reason {
        Some(reason) => format!("{}: {what}: {reason}", title(statement)),
        None => format!("{}: {what}", title(statement)),
    }
}

fn difference(statement: &StatementResults) -> Vec<Block> {
    let words = difference_in_words(statement);
    match &statement.difference {
        None => vec![Block::Paragraph(format!("{words}."))],
        Some(found) => vec![Block::Paragraph(format!("{words}:")), Block::Table(rows(found))],
    }
}

/// How many differ, and where the first one is.
fn difference_in_words(statement: &StatementResults) -> String {
    let mut words = title(statement);
    if let Some(reason) = &statement.reason {
        words.push_str(&format!(": {reason}"));
    }
    let Some(found) = &statement.difference else { return words };
    words.push_str("; the first");
    if found.row > 0 {
        words.push_str(&format!(" in row {}", text::count(found.row)));
    }
    if !found.parameters.is_empty() {
        let values: Vec<String> =
            (1..).zip(&found.parameters).map(|(number, value)| format!("${number} = {value}")).collect();
        words.push_str(&format!(" for {}", values.join(", ")));
    }
    words
}

/// A line a column; where they are many only those that differ.
fn rows(found: &ResultDifference) -> Table {
    let value = |row: &Option<Vec<Option<String>>>, index: usize| match row {
        None => "no row".to_owned(),
        Some(cells) => match cells.get(index) {
            None => text::NOTHING.to_owned(),
            Some(None) => "NULL".to_owned(),
            Some(Some(text)) => format!("'{text}'"),
        },
    };
    let width = |row: &Option<Vec<Option<String>>>| row.as_ref().map_or(0, Vec::len);
    let columns = found.columns.len().max(width(&found.before)).max(width(&found.after));
    let differs = |index: usize| value(&found.before, index) != value(&found.after, index);
    let shown: Vec<usize> = (0..columns).filter(|index| columns <= MOST_COLUMNS || differs(*index)).collect();
    let mut table = Table::of_words(&["column", "before", "after"]);
    for &index in shown.iter().take(MOST_COLUMNS) {
        let name = found.columns.get(index).map_or_else(|| format!("column {}", index + 1), Clone::clone);
        let tone = if differs(index) { Tone::Bad } else { Tone::Plain };
        table.rows.push(vec![
            Cell::plain(name),
            Cell::plain(value(&found.before, index)),
            Cell { text: value(&found.after, index), tone },
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::sample,
        render::{Document, terminal},
    };

    fn shown(check: &ResultsCheck) -> String {
        terminal(&Document { blocks: results(check) }, 80, false)
    }

    #[test]
    fn the_first_difference_is_shown_with_its_parameters_and_both_rows() {
        insta::assert_snapshot!(shown(&sample::results()), @"
        Same rows before and after: no, not those of latest_of_user as tenant_a.

        latest_of_user as tenant_a: 12 of 200 results differ; the first in row 3 for $1
        = 4711:

         column       before                     after
        ──────────────────────────────────────────────────────────────────
         id           '991'                      '990'
         created_at   '2026-01-02 03:04:05+00'   '2026-01-02 03:04:05+00'
         note         NULL                       ''

        - comments_of_post.authors: not deterministic: two executions before the fix
          gave different rows
        ");
    }

    #[test]
    fn what_is_the_same_is_said_in_a_line() {
        let mut check = sample::results();
        check.statements.truncate(1);
        let check = ResultsCheck::new(200, check.statements);
        assert_eq!(shown(&check), "Same rows before and after: yes (200 parameter sets, 3 ties).");
        let two = ResultsCheck::new(200, vec![check.statements[0].clone(); 2]);
        assert_eq!(shown(&two), "Same rows before and after: yes (400 results of 2 statements, 6 ties).");
    }

    #[test]
    fn of_many_columns_those_that_differ_are_shown_and_a_row_may_be_missing() {
        let mut check = sample::results();
        check.statements.drain(..1);
        check.statements.truncate(1);
        let found = check.statements[0].difference.as_mut().unwrap();
        found.columns = (0..20).map(|index| format!("c{index}")).collect();
        let row = |other| Some((0..20).map(|index| Some(if index == 7 { other } else { "x" }.to_owned())).collect());
        (found.before, found.after, found.row) = (row("a"), row("b"), 1);
        insta::assert_snapshot!(shown(&ResultsCheck::new(200, check.statements.clone())), @"
        Same rows before and after: no, not those of latest_of_user as tenant_a.

        latest_of_user as tenant_a: 12 of 200 results differ; the first in row 1 for $1
        = 4711:

         column   before   after
        ─────────────────────────
         c7       'a'      'b'
        ");
        check.statements[0].difference.as_mut().unwrap().after = None;
        assert!(shown(&ResultsCheck::new(200, check.statements)).contains("no row"));
    }
}
