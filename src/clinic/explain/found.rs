//! Values for a statement whose parameters got none: found in the data, so that it can be executed.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::plans::ClassGiven;
use crate::{
    clinic::{Clinic, Error},
    draw::{ArrayText, ColumnType},
    load::beyond,
    pg::{self, Given, Groups, ParameterTypes, Part, Place, Sought, ValueCounts},
    plan::{self, How, Plan, Wanted, wanted},
    record::ValueSource,
    scenario::{self, Value},
    text,
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
    Classes {
        /// Those of each class.
        classes: Vec<ClassGiven>,
        /// Which were taken.
        note: String,
    },
    /// There are none, for this reason.
    Nothing(String),
}

/// Values for the parameters of `sql`, whose plan for any values is `plan`. Only reads, in read-only transactions, for a bounded time.
/// `may_compute` if nothing that the statement calls does more than compute: then its expressions may be evaluated.
///
/// # Errors
/// The server cannot be reached, or stopped by a signal.
pub(super) async fn find(
    clinic: &Clinic,
    session: &pg::UserSession,
    sql: &str,
    plan: &Plan,
    may_compute: bool,
) -> Result<Found, Error> {
    let numbers = scenario::placeholders(sql);
    let count = numbers.iter().map(|(number, _)| *number).max().unwrap_or(0);
    let counts = ValueCounts::new(session, clinic.stop(), QUESTION);
    let Some(types) = counts.parameter_types(sql).await? else {
        return Ok(Found::Nothing("the types of its parameters are not known in time".to_owned()));
    };
    let mut search = Search {
        counts,
        types,
        until: Instant::now() + ALL_QUESTIONS,
        classes: vec![vec![None; count]; CLASSES.len() + 1],
        rows: vec![vec![None; count]; CLASSES.len() + 1],
        has_absent: false,
        of_type: Vec::new(),
    };
    for (number, place) in &numbers {
        if let Some(rows) = rows_wanted(&sql[..place.start]) {
            search.set_all(*number, &rows.to_string());
        }
    }
    let written = scenario::assigned(sql);
    let written = written.iter().filter_map(|one| plan::written(plan, one.parameter, &one.column, one.is_new));
    let mut open: Vec<Wanted> = wanted(plan).into_iter().chain(written).collect();
    open.retain(|one| may_compute || one.is_column && one.around.iter().all(String::is_empty));
    search.search(open).await?;
    search.of_type(plan);
    Ok(search.found())
}

/// Which values were taken, as a note; those of the numbers `of_type` are only of their parameter's type.
fn told(classes: &[ClassGiven], of_type: &[usize]) -> String {
    let class = |given: &ClassGiven| {
        let value = |(number, (text, rows)): (usize, (&String, &Option<u64>))| {
            let rows = match rows {
                Some(rows) => format!(" ({})", text::counted(*rows, "row")),
                None if of_type.contains(&number) => " (compared with no column: any value of its type)".to_owned(),
                None => String::new(),
            };
            format!("${number} = {text}{rows}")
        };
        let values: Vec<String> = (1..).zip(given.parameters.iter().zip(&given.value_rows)).map(value).collect();
        format!("{} {}", given.class, values.join(", "))
    };
    let classes: Vec<String> = classes.iter().map(class).collect();
    format!("no values were given for the parameters; these were found in the data: {}", classes.join("; "))
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
    types: ParameterTypes,
    until: Instant,
    /// For each class, absent values last, those of all parameters.
    classes: Vec<Vec<Option<String>>>,
    /// Rows that have each.
    rows: Vec<Vec<Option<u64>>>,
    /// Whether a value that no row has was found for any parameter.
    has_absent: bool,
    /// Parameters whose value is only of their type.
    of_type: Vec<usize>,
}

impl Search<'_> {
    fn set_all(&mut self, number: usize, value: &str) {
        for class in &mut self.classes {
            if let Some(place) = class.get_mut(number - 1) {
                *place = Some(value.to_owned());
            }
        }
    }

    fn lacks(&self, number: usize) -> bool {
        self.classes[0].get(number - 1).is_some_and(Option::is_none)
    }

    /// Looks where each parameter is known best; where that has no value, where it is known next.
    async fn search(&mut self, mut open: Vec<Wanted>) -> Result<(), Error> {
        loop {
            open.retain(|one| self.lacks(one.parameter));
            let mut tables: BTreeMap<(String, String, String), Vec<Wanted>> = BTreeMap::new();
            let mut seen = Vec::new();
            let (best, next) = open.into_iter().partition(|one: &Wanted| {
                let is_first = !seen.contains(&one.parameter);
                seen.push(one.parameter);
                is_first
            });
            open = next;
            if best.is_empty() {
                return Ok(());
            }
            for one in best {
                let key = (one.schema.clone(), one.table.clone(), one.alias.clone());
                tables.entry(key).or_default().push(one);
            }
            for of_table in tables.values() {
                self.of_table(of_table).await?;
            }
        }
    }

    async fn of_table(&mut self, wanted: &[Wanted]) -> Result<(), Error> {
        let of = |holds: fn(How) -> bool| wanted.iter().filter(move |one| holds(one.how)).collect::<Vec<_>>();
        let together = of(is_of_one_row);
        if !together.is_empty() && !self.equal(&together).await? && together.len() > 1 {
            for one in &together {
                self.equal(std::slice::from_ref(one)).await?;
            }
        }
        let rows = of(|how| how == How::Row);
        if !rows.is_empty() {
            self.row(&rows).await?;
        }
        let others = of(|how| !is_of_one_row(how) && how != How::Row);
        for one in &others {
            let both = others.iter().any(|other| other.expression == one.expression && other.how != one.how);
            match one.how {
                How::Other | How::NoneOf => self.other_than(one).await?,
                _ => self.limit(one, both).await?,
            }
        }
        Ok(())
    }

    /// Values that expressions of one table have together; whether there are any.
    async fn equal(&mut self, wanted: &[&Wanted]) -> Result<bool, Error> {
        if Instant::now() >= self.until {
            return Ok(false);
        }
        // Several parameters for the same: they get values of several groups.
        let mut distinct: Vec<Sought<'_>> = Vec::new();
        let mut places = Vec::new();
        for one in wanted {
            let sought = sought(one);
            let same = |other: &Sought<'_>| Sought { parameter: one.parameter, ..*other } == sought;
            let at = distinct.iter().position(same);
            places.push(at.unwrap_or(distinct.len()));
            if at.is_none() {
                distinct.push(sought);
            }
        }
        let place = place(wanted[0]);
        let found = self.counts.groups(place, &distinct, &self.types).await?;
        let Some(found) = found.filter(|found| !found.groups.is_empty()) else { return Ok(false) };
        let unique = match wanted.iter().any(|one| one.how == How::New) {
            true => self.counts.unique_columns(place.schema, place.table).await?,
            false => Vec::new(),
        };
        let mut used = vec![0; distinct.len()];
        for (one, at) in wanted.iter().zip(places) {
            let number = one.parameter - 1;
            let offset = used[at];
            used[at] += 1;
            if one.how == How::New && one.columns.iter().any(|column| unique.contains(column)) {
                if let Some(fresh) = absent(&found, at, one.how, offset) {
                    self.set_all(one.parameter, &fresh);
                }
                continue;
            }
            for (class, group) in self::places(found.groups.len()).into_iter().enumerate() {
                let group = (group + offset).min(found.groups.len() - 1);
                self.classes[class][number] = Some(value(&found, group, at, one.how));
                let alone = wanted.len() == 1 && one.how == How::Equal && is_itself(one) && found.all;
                self.rows[class][number] = alone.then(|| found.groups[group].rows);
            }
            if one.how != How::New {
                self.classes[CLASSES.len()][number] = absent(&found, at, one.how, offset);
                self.has_absent |= self.classes[CLASSES.len()][number].is_some();
            }
        }
        Ok(true)
    }

    /// A value that few rows have.
    async fn other_than(&mut self, one: &Wanted) -> Result<(), Error> {
        if Instant::now() >= self.until {
            return Ok(());
        }
        let found = self.counts.groups(place(one), &[sought(one)], &self.types).await?;
        let Some(found) = found.filter(|found| !found.groups.is_empty()) else { return Ok(()) };
        let last = value(&found, found.groups.len() - 1, 0, one.how);
        self.set_all(one.parameter, &last);
        Ok(())
    }

    /// The values of a row in the middle.
    async fn row(&mut self, wanted: &[&Wanted]) -> Result<(), Error> {
        if Instant::now() >= self.until {
            return Ok(());
        }
        let all: Vec<Sought<'_>> = wanted.iter().map(|one| sought(one)).collect();
        let Some(rows) = self.counts.quantiles(place(wanted[0]), &all, &self.types, &[0.5]).await? else {
            return Ok(());
        };
        for (one, value) in wanted.iter().zip(rows.iter().flatten()) {
            self.set_all(one.parameter, value);
        }
        Ok(())
    }

    /// A limit, or a pattern. `both` if there are limits on both sides.
    async fn limit(&mut self, one: &Wanted, both: bool) -> Result<(), Error> {
        if Instant::now() >= self.until {
            return Ok(());
        }
        let values = self.counts.quantiles(place(one), &[sought(one)], &self.types, &SHARES).await?;
        let Some(values) = values else { return Ok(()) };
        let values: Vec<&String> = values.iter().flatten().collect();
        let [first, middle, behind, last] = values[..] else { return Ok(()) };
        let letters = || middle.chars().filter(|letter| letter.is_alphanumeric()).take(LETTERS).collect::<String>();
        let is_range = |text: &str| text == "empty" || text.starts_with(['[', '(', '{']);
        let value = match (one.how, both) {
            (How::More, false) => last.clone(),
            (How::Less, false) => first.clone(),
            (How::Less, true) => behind.clone(),
            (How::Like, _) => format!("{}%", letters()),
            (How::Holds, _) => letters(),
            (How::Within, _) if self.types.is_range(one.parameter) && !is_range(middle) => {
                format!("[\"{middle}\",\"{behind}\"]")
            }
            _ => middle.clone(),
        };
        self.set_all(one.parameter, &value);
        Ok(())
    }

    /// A value of its type for each parameter that nothing depends on.
    fn of_type(&mut self, plan: &Plan) {
        let mentioned = plan::mentioned(plan);
        if !plan::reads_only_tables(plan) {
            return;
        }
        for number in 1..=self.classes[0].len() {
            if self.lacks(number)
                && !mentioned.contains(&number)
                && let Some(value) = self.types.any_value(number)
            {
                self.set_all(number, &value);
                self.of_type.push(number);
            }
        }
    }

    fn found(mut self) -> Found {
        let lacking: Vec<String> = (1..=self.classes[0].len())
            .filter(|number| self.lacks(*number))
            .map(|number| format!("${number}"))
            .collect();
        if !lacking.is_empty() {
            return Found::Nothing(format!(
                "no value was found in the data for {}: give values with --parameter",
                lacking.join(", ")
            ));
        }
        let names = CLASSES.into_iter().chain(["absent"]);
        // A value that no row has, beside rare ones.
        let rare = self.classes[CLASSES.len() - 1].clone();
        match self.has_absent {
            true => self.classes[CLASSES.len()].iter_mut().zip(rare).for_each(|(value, rare)| {
                value.get_or_insert(rare.unwrap_or_default());
            }),
            false => self.classes.truncate(CLASSES.len()),
        }
        let mut classes: Vec<ClassGiven> = Vec::new();
        for ((name, values), rows) in names.zip(self.classes).zip(self.rows) {
            let known: Vec<String> = values.into_iter().flatten().collect();
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
        let note = told(&classes, &self.of_type);
        Found::Classes { classes, note }
    }
}

/// Whether the parameter's value is what a row has, beside those of other parameters.
fn is_of_one_row(how: How) -> bool {
    match how {
        How::Equal
        | How::AnyOf
        | How::New
        | How::Element
        | How::Part
        | How::Key
        | How::Keys
        | How::Match
        | How::Path
        | How::Network => true,
        How::Within
        | How::Row
        | How::More
        | How::Less
        | How::Like
        | How::Holds
        | How::Near
        | How::Other
        | How::NoneOf => false,
    }
}

fn place(one: &Wanted) -> Place<'_> {
    Place { schema: &one.schema, table: &one.table, alias: &one.alias }
}

fn sought(one: &Wanted) -> Sought<'_> {
    let part = match one.how {
        How::Element => Part::Element,
        How::Part => Part::Piece,
        How::Key => Part::Key,
        How::Keys => Part::Keys,
        How::Match => Part::Match,
        How::Path => Part::Path,
        How::Network => Part::Network,
        How::Within => Part::Within,
        _ => Part::Whole,
    };
    Sought {
        expression: &one.expression,
        columns: &one.columns,
        is_column: one.is_column,
        around: &one.around,
        part,
        parameter: one.parameter,
    }
}

/// Whether the parameter equals a column, with nothing around either.
fn is_itself(one: &Wanted) -> bool {
    one.is_column && one.around.iter().all(String::is_empty)
}

/// The value of an expression in a group, or a list that begins with it.
fn value(found: &Groups, group: usize, at: usize, how: How) -> String {
    let of = |group: usize| found.groups.get(group).map(|group| group.values[at].as_str());
    if !matches!(how, How::AnyOf | How::NoneOf) {
        return of(group).unwrap_or_default().to_owned();
    }
    let elements = if how == How::AnyOf { ELEMENTS } else { 1 };
    let ty = found.types[at].as_ref().unwrap_or(&ColumnType::Text);
    list(ty, (group..group + elements).filter_map(of))
}

fn list<'v>(of: &ColumnType, values: impl Iterator<Item = &'v str>) -> String {
    let mut text = String::new();
    let mut array = ArrayText::begin(of, &mut text);
    values.for_each(|value| array.push(Some(value)));
    array.end();
    text
}

/// A value that no row has, or none that is known; `others` are passed over.
fn absent(found: &Groups, at: usize, how: How, others: usize) -> Option<String> {
    let ty = found.types[at].as_ref()?;
    let typed = |text: &String| match ty {
        ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8 => text.parse().map_or(Value::Null, Value::Int),
        ColumnType::Numeric | ColumnType::Float4 | ColumnType::Float8 => text.parse().map_or(Value::Null, Value::Float),
        ColumnType::Bool => Value::Bool(text == "t" || text == "true"),
        _ => Value::Text(text.clone()),
    };
    let mut there: Vec<Value> = found.groups.iter().map(|group| typed(&group.values[at])).collect();
    for _ in 0..others {
        there.push(beyond(&there, ty));
    }
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
        let told = told(&[class("hot", ["a", "20"]), class("absent", ["b", "20"])], &[2]);
        let any = "$2 = 20 (compared with no column: any value of its type)";
        let values = format!("hot $1 = a (1 row), {any}; absent $1 = b (1 row), {any}");
        assert_eq!(told, format!("no values were given for the parameters; these were found in the data: {values}"));
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
