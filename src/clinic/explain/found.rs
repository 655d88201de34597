//! Values for a statement whose parameters got none: found in the data, so that it can be executed.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::plans::ClassGiven;
use crate::{
    clinic::{Clinic, Error},
    draw::{ArrayText, ColumnType},
    explain::{How, Plan, Wanted, wanted},
    load::beyond,
    pg::{self, Column, Given, Groups, ValueCounts},
    record::ValueSource,
    scenario::{self, Value},
};

/// How long one question about a column's values may take, and all of them.
const QUESTION: Duration = Duration::from_secs(3);
const ALL_QUESTIONS: Duration = Duration::from_secs(10);

/// Rows that a LIMIT takes: a page of a list.
const A_PAGE: u64 = 20;
/// Elements of a list.
const ELEMENTS: usize = 3;
/// Letters of a text that a pattern is made of.
const LETTERS: usize = 4;

/// Shares of the rows below a limit: what is asked for is the last percent, the first one, or one in the middle.
const SHARES: [f64; 4] = [0.01, 0.5, 0.51, 0.99];

/// The classes of values that are in the data.
const CLASSES: [&str; 3] = ["hot", "typical", "cold"];

/// Where the values of each class are among `count` groups of values, those with most rows first.
fn places(count: usize) -> [usize; 3] {
    [0, count / 2, count.saturating_sub(1)]
}

/// What was found.
pub(super) enum Found {
    /// Values by class.
    Classes(Vec<ClassGiven>),
    /// There are none, for this reason.
    Nothing(String),
}

/// Values for the parameters of `sql`, whose plan for any values is `plan`. Only reads, in read-only transactions, for a bounded time.
///
/// # Errors
/// The server cannot be reached, or it was told to stop.
pub(super) async fn find(clinic: &Clinic, session: &pg::UserSession, sql: &str, plan: &Plan) -> Result<Found, Error> {
    let numbers = scenario::placeholders(sql);
    let count = numbers.iter().map(|(number, _)| *number).max().unwrap_or(0);
    let mut search = Search {
        counts: ValueCounts::new(session, clinic.stop(), QUESTION),
        until: Instant::now() + ALL_QUESTIONS,
        classes: vec![vec![None; count]; CLASSES.len() + 1],
        rows: vec![vec![None; count]; CLASSES.len() + 1],
    };
    for (number, place) in &numbers {
        if let Some(rows) = rows_wanted(&sql[..place.start]) {
            search.set_all(*number, &rows.to_string());
        }
    }
    let wanted = wanted(plan);
    let mut tables: BTreeMap<(&str, &str), Vec<&Wanted>> = BTreeMap::new();
    for one in &wanted {
        tables.entry((&one.schema, &one.table)).or_default().push(one);
    }
    for of_table in tables.values() {
        let (equal, others): (Vec<&Wanted>, Vec<&Wanted>) =
            of_table.iter().copied().partition(|one| matches!(one.how, How::Equal | How::AnyOf));
        if !equal.is_empty() {
            search.equal(&equal).await?;
        }
        for one in &others {
            let both = others.iter().any(|other| other.column == one.column && other.how != one.how);
            search.other(one, both).await?;
        }
    }
    Ok(search.found())
}

/// Which values were taken, as a note.
pub(super) fn told(classes: &[ClassGiven]) -> String {
    let class = |given: &ClassGiven| {
        let value = |(number, (text, rows)): (usize, (&String, &Option<u64>))| {
            let rows = match rows {
                Some(rows) => format!(" ({rows} row{})", if *rows == 1 { "" } else { "s" }),
                None => String::new(),
            };
            format!("${number} = {text}{rows}")
        };
        let values: Vec<String> = (1..).zip(given.parameters.iter().zip(&given.value_rows)).map(value).collect();
        format!("{} {}", given.class, values.join(", "))
    };
    let classes: Vec<String> = classes.iter().map(class).collect();
    format!("its parameters were given no values; these were found in the data: {}", classes.join("; "))
}

/// The rows that a parameter asks for, if it follows LIMIT, FETCH FIRST or OFFSET.
fn rows_wanted(before: &str) -> Option<u64> {
    let last = before.trim_end().trim_end_matches('(').trim_end();
    let word = last.rsplit(|letter: char| !letter.is_ascii_alphanumeric()).next()?;
    match word.to_ascii_uppercase().as_str() {
        "LIMIT" | "FIRST" | "NEXT" => Some(A_PAGE),
        "OFFSET" => Some(0),
        _ => None,
    }
}

struct Search<'a> {
    counts: ValueCounts<'a>,
    until: Instant,
    /// For each class, absent values last, those of all parameters.
    classes: Vec<Vec<Option<String>>>,
    /// Rows that have each.
    rows: Vec<Vec<Option<u64>>>,
}

impl Search<'_> {
    fn set_all(&mut self, number: usize, value: &str) {
        for class in &mut self.classes {
            class[number - 1] = Some(value.to_owned());
        }
    }

    /// Values that columns of one table have together.
    async fn equal(&mut self, wanted: &[&Wanted]) -> Result<(), Error> {
        if Instant::now() >= self.until {
            return Ok(());
        }
        let columns: Vec<Column<'_>> = wanted.iter().map(|one| column(one)).collect();
        let Some(found) = self.counts.groups(&columns).await?.filter(|found| !found.groups.is_empty()) else {
            return Ok(());
        };
        for (at, one) in wanted.iter().enumerate() {
            let place = one.parameter - 1;
            for (class, group) in places(found.groups.len()).into_iter().enumerate() {
                self.classes[class][place] = Some(value(&found, group, at, one.how));
                let alone = wanted.len() == 1 && one.how == How::Equal && found.all;
                self.rows[class][place] = alone.then(|| found.groups[group].rows);
            }
            self.classes[CLASSES.len()][place] = absent(&found, at, one.how);
        }
        Ok(())
    }

    /// A limit, or a pattern. `both` if the column has limits on both sides.
    async fn other(&mut self, one: &Wanted, both: bool) -> Result<(), Error> {
        if Instant::now() >= self.until {
            return Ok(());
        }
        let Some(values) = self.counts.quantiles(&column(one), &SHARES).await? else { return Ok(()) };
        let [first, middle, behind, last] = values.as_slice() else { return Ok(()) };
        let letters = || middle.chars().take(LETTERS).collect::<String>().replace(['%', '_', '\\'], "");
        let value = match (one.how, both) {
            (How::More, false) => last.clone(),
            (How::More, true) => middle.clone(),
            (How::Less, false) => first.clone(),
            (How::Less, true) => behind.clone(),
            (How::Like, _) => format!("{}%", letters()),
            _ => letters(),
        };
        self.set_all(one.parameter, &value);
        Ok(())
    }

    fn found(self) -> Found {
        let names = CLASSES.into_iter().chain(["absent"]);
        let mut classes: Vec<ClassGiven> = Vec::new();
        let mut lacking = Vec::new();
        for ((name, values), rows) in names.zip(self.classes).zip(self.rows) {
            let known: Vec<String> = values.iter().flatten().cloned().collect();
            if known.len() < values.len() {
                let numbers = (1..).zip(&values).filter(|(_, value)| value.is_none());
                lacking = numbers.map(|(number, _)| format!("${number}")).collect();
                // Without an absent value the others are worth executing.
                continue;
            }
            if classes.iter().any(|class| class.parameters == known) {
                continue;
            }
            classes.push(ClassGiven {
                class: name.to_owned(),
                values: known.iter().map(|value| Given(Some(value.clone()))).collect(),
                values_from: vec![ValueSource::Data; known.len()],
                parameters: known,
                value_rows: rows,
            });
        }
        if classes.is_empty() {
            return Found::Nothing(format!(
                "no value was found in the data for {}: give values with --parameter",
                lacking.join(", ")
            ));
        }
        Found::Classes(classes)
    }
}

fn column(one: &Wanted) -> Column<'_> {
    Column { schema: &one.schema, table: &one.table, name: &one.column }
}

/// The value of a column in a group, or a list that begins with it.
fn value(found: &Groups, group: usize, at: usize, how: How) -> String {
    let of = |group: usize| found.groups.get(group).map(|group| group.values[at].as_str());
    if how != How::AnyOf {
        return of(group).unwrap_or_default().to_owned();
    }
    list(&found.types[at], (group..group + ELEMENTS).filter_map(of))
}

fn list<'v>(of: &ColumnType, values: impl Iterator<Item = &'v str>) -> String {
    let mut text = String::new();
    let mut array = ArrayText::begin(of, &mut text);
    values.for_each(|value| array.push(Some(value)));
    array.end();
    text
}

/// A value that no row has, or none that is known.
fn absent(found: &Groups, at: usize, how: How) -> Option<String> {
    let ty = &found.types[at];
    let typed = |text: &String| match ty {
        ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8 => text.parse().map_or(Value::Null, Value::Int),
        ColumnType::Numeric | ColumnType::Float4 | ColumnType::Float8 => text.parse().map_or(Value::Null, Value::Float),
        ColumnType::Bool => Value::Bool(text == "true"),
        _ => Value::Text(text.clone()),
    };
    let there: Vec<Value> = found.groups.iter().map(|group| typed(&group.values[at])).collect();
    let text = Given::new(&beyond(&there, ty), ty)?.0?;
    Some(if how == How::AnyOf { list(ty, std::iter::once(text.as_str())) } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_taken_are_named() {
        let class = |name: &str, values: [&str; 2]| ClassGiven {
            class: name.to_owned(),
            parameters: values.map(str::to_owned).into(),
            value_rows: vec![Some(1), None],
            ..ClassGiven::default()
        };
        let told = told(&[class("hot", ["a", "20"]), class("absent", ["b", "20"])]);
        let values = "hot $1 = a (1 row), $2 = 20; absent $1 = b (1 row), $2 = 20";
        assert_eq!(told, format!("its parameters were given no values; these were found in the data: {values}"));
    }

    #[test]
    fn a_limit_asks_for_a_page_and_an_offset_for_its_begin() {
        assert_eq!(rows_wanted("SELECT 1 LIMIT "), Some(A_PAGE));
        assert_eq!(rows_wanted("SELECT 1 limit ("), Some(A_PAGE));
        assert_eq!(rows_wanted("SELECT 1 LIMIT 5 OFFSET "), Some(0));
        assert_eq!(rows_wanted("SELECT 1 FETCH FIRST "), Some(A_PAGE));
        assert_eq!(rows_wanted("SELECT 1 WHERE the_limit = "), None);
    }
}
