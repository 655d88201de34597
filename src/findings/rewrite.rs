//! Conditions that no index serves as they are written, and others that say the same and that one serves.

use std::collections::HashMap;

use super::scan::Scan;
use crate::{
    catalog::{IndexFacts, TableFacts},
    plan::{Node, names},
    sqltext::{
        condition::{self, Comparison, Side, bare, calls, comparison, constant, side, unqualified},
        quote,
    },
};

/// A condition written anew.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rewrite {
    /// The condition as an index serves it.
    pub(crate) condition: String,
    /// What is to be indexed, as SQL writes a key.
    pub(crate) key: String,
    /// The kind of index: `btree`, `gin` or `gist`.
    pub(crate) method: &'static str,
    /// Its operator class, where that is not the default one.
    pub(crate) class: Option<&'static str>,
    /// The extension that has it.
    pub(crate) extension: Option<&'static str>,
}

/// Units of time that a day is made of, or that are made of days.
const UNITS: &[&str] = &["second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade", "century"];

/// The term of a scan's filter that can be written so that an index serves it, and how.
pub(crate) fn of_scan<'a>(scan: &Scan<'a>) -> Option<(&'a str, Rewrite)> {
    let terms = scan.filter();
    let of_one = terms.iter().find_map(|term| Some((*term, rewrite(term, scan.alias())?)));
    of_one.or_else(|| range(&terms, scan.alias())).or_else(|| enclosed(&terms, scan.alias()))
}

/// `lower(during) <= value AND upper(during) > value`: what a GiST index of the range finds by one operator. The bounds of a range
/// that has none are NULL, so that they are never met; the operator finds it.
fn range<'a>(terms: &[&'a str], alias: &str) -> Option<(&'a str, Rewrite)> {
    let bounds = terms.iter().filter_map(|term| {
        let (of, operator, value) = turned(&comparison(bare(term))?, alias)?;
        let (name, arguments) = whole_call(bare(of)).filter(|(name, _)| matches!(*name, "lower" | "upper"))?;
        let [of] = arguments[..] else { return None };
        Some((*term, name, column(of, alias)?, operator, value, range_of(value)?))
    });
    let (lowers, uppers): (Vec<_>, Vec<_>) = bounds.partition(|(_, name, ..)| *name == "lower");
    lowers.into_iter().find_map(|(term, _, key, low, value, of)| {
        let (.., high, other, _) = *uppers.iter().find(|(_, _, column, ..)| *column == key)?;
        let condition = match (low, high) {
            ("<" | "<=", ">" | ">=") if value == other => format!("{key} @> {value}"),
            ("<" | "<=", ">" | ">=") => {
                format!("{key} && {of}({other}, {value}, '[{}')", if low == "<" { ')' } else { ']' })
            }
            (">" | ">=", "<" | "<=") => format!("{key} <@ {of}({value}, {other}, '[)')"),
            _ => return None,
        };
        Some((term, Rewrite { method: "gist", ..btree(key, condition) }))
    })
}

/// The type of range that holds such values.
fn range_of(value: &str) -> Option<&'static str> {
    Some(match condition::cast_to(value) {
        Some("timestamp with time zone") => "tstzrange",
        Some("timestamp without time zone") => "tsrange",
        Some("date") => "daterange",
        Some("bigint") => "int8range",
        Some("numeric") => "numrange",
        Some("integer") => "int4range",
        None if constant(value).is_some_and(|value| value.parse::<i64>().is_ok()) => "int4range",
        _ => return None,
    })
}

/// `first <= value AND last >= value`: an index on both columns reads half of itself on average. Where the ranges do not overlap, the
/// last one that begins before the value is the only one that may hold it.
fn enclosed<'a>(terms: &[&'a str], alias: &str) -> Option<(&'a str, Rewrite)> {
    let bounds = terms.iter().filter_map(|term| {
        let (of, operator, value) = turned(&comparison(bare(term))?, alias)?;
        Some((*term, column(of, alias)?, operator, value))
    });
    let (lows, highs): (Vec<_>, Vec<_>) = bounds.partition(|(_, _, operator, _)| operator.starts_with('<'));
    let highs = highs.into_iter().filter(|(_, _, operator, _)| operator.starts_with('>'));
    let highs: HashMap<&str, _> = highs.map(|(_, last, operator, value)| (value, (last, operator))).collect();
    lows.into_iter().find_map(|(term, first, low, value)| {
        let (last, high) = highs.get(value).filter(|(last, _)| *last != first)?;
        let condition = format!(
            "{first} {low} {value} ORDER BY {first} DESC LIMIT 1 and check {last} {high} {value} of that row, if the ranges do not overlap"
        );
        Some((term, btree(first, condition)))
    })
}

/// The index of the table that serves the condition as it is written anew: one that begins with its key, or one of those that are
/// `read` already, by the keys before it.
pub(crate) fn existing<'t>(table: &'t TableFacts, rewrite: &Rewrite, read: &[&str]) -> Option<&'t IndexFacts> {
    let key = |index: &IndexFacts| {
        let place = index.keys.iter().position(|key| plain(&key.expression) == plain(&quote::name(&rewrite.key)))?;
        let class = index.keys[place].operator_class.as_deref();
        let is_read = read.contains(&index.name.as_str());
        ((place == 0 || index.method == "gin" || is_read) && class == rewrite.class).then_some(())
    };
    table
        .indexes
        .iter()
        .find(|index| index.method == rewrite.method && index.predicate.is_none() && key(index).is_some())
}

/// The statements that make such an index.
pub(crate) fn statements(node: &Node, table: Option<&TableFacts>, rewrite: &Rewrite) -> Vec<String> {
    let Some(mut name) = names::table(node) else { return Vec::new() };
    let mut concurrently = " CONCURRENTLY";
    if let Some((schema, root)) = table.and_then(|table| table.partition_of.as_ref()) {
        name = format!("{}.{}", quote::identifier(schema), quote::identifier(root));
        concurrently = "";
    }
    let using = if rewrite.method == "btree" { String::new() } else { format!("USING {} ", rewrite.method) };
    let class = rewrite.class.map(|class| format!(" {class}")).unwrap_or_default();
    let extension = rewrite.extension.map(|name| format!("CREATE EXTENSION IF NOT EXISTS {name}"));
    let index = format!("CREATE INDEX{concurrently} ON {name} {using}({}{class})", rewrite.key);
    extension.into_iter().chain([index]).collect()
}

/// The condition on the table of this alias written so that an index serves it; `None` where it is not known how.
pub(crate) fn rewrite(term: &str, alias: &str) -> Option<Rewrite> {
    let term = bare(term);
    let Some(compared) = comparison(term) else { return without_operator(term, alias) };
    element(&compared, alias).or_else(|| search(&compared, alias)).or_else(|| {
        let (of, operator, value) = turned(&compared, alias)?;
        let of = bare(of);
        let call = whole_call(of).and_then(|(name, arguments)| of_call(name, arguments, operator, value, alias));
        call.or_else(|| of_cast(of, operator, value, alias))
            .or_else(|| of_zone(of, operator, value, alias))
            .or_else(|| of_sum(of, operator, value, alias))
    })
}

fn plain(expression: &str) -> String {
    let mut text = expression.to_lowercase();
    text.retain(|c| !matches!(c, '(' | ')' | ' ' | '"'));
    text.replace("::text", "").replace("::regconfig", "")
}

fn btree(key: &str, condition: String) -> Rewrite {
    Rewrite { condition, key: key.to_owned(), method: "btree", class: None, extension: None }
}

fn gin(key: String, condition: String) -> Rewrite {
    Rewrite { condition, key, method: "gin", class: None, extension: None }
}

/// Rows found by a GiST index of a column.
pub(crate) fn by_gist(key: &str) -> Rewrite {
    Rewrite { method: "gist", ..btree(key, key.to_owned()) }
}

/// A column of the table, casts that change nothing of a text or an array apart.
fn column<'a>(expression: &'a str, alias: &str) -> Option<&'a str> {
    match side(expression, alias) {
        Side::Column(column) => Some(column),
        Side::Cast { column, to } if to == "text" || to.ends_with("[]") => Some(column),
        _ => None,
    }
}

/// A column of times; a date is printed as cast to a timestamp.
fn time<'a>(expression: &'a str, alias: &str) -> Option<&'a str> {
    match side(expression, alias) {
        Side::Cast { column, to } if to.starts_with("timestamp") => Some(column),
        _ => column(expression, alias),
    }
}

/// `made AT TIME ZONE 'UTC'`: the column of times, and the zone.
fn zoned<'a>(expression: &'a str, alias: &str) -> Option<(&'a str, &'a str)> {
    let expression = bare(expression);
    let (of, zone) = match expression.rsplit_once(" AT TIME ZONE ") {
        Some(found) => found,
        None => match whole_call(expression)? {
            ("timezone", arguments) => (*arguments.get(1)?, arguments[0]),
            _ => return None,
        },
    };
    constant(zone)?;
    Some((column(of, alias)?, zone))
}

/// A time that is compared as the column is, whose zone it is of.
fn in_zone(value: &str, zone: Option<&str>) -> String {
    match zone {
        Some(zone) => format!("({value}) AT TIME ZONE {zone}"),
        None => value.to_owned(),
    }
}

fn is_value(expression: &str, alias: &str) -> bool {
    side(expression, alias) == Side::Value
}

/// `value = ANY (tags)`: only with the column in front of the operator an index of arrays is looked up.
fn element(compared: &Comparison<'_>, alias: &str) -> Option<Rewrite> {
    if compared.operator != "= ANY" || !is_value(compared.left, alias) {
        return None;
    }
    let value = unqualified(compared.left, alias);
    let of = bare(compared.right);
    if let Some(tags) = column(of, alias) {
        // An array of varchar is printed as cast to one of text, and is compared only with its own type.
        let array = match (side(of, alias), constant(&value)) {
            (Side::Cast { to: "text[]", .. }, Some(text)) => {
                format!("ARRAY['{}']::varchar[]", text.replace('\'', "''"))
            }
            (Side::Cast { to: "text[]", .. }, None) => format!("ARRAY[{value}]::varchar[]"),
            _ => format!("ARRAY[{value}]"),
        };
        return Some(gin(tags.to_owned(), format!("{tags} @> {array}")));
    }
    // A list in a text.
    let (name, _) = whole_call(of).filter(|(name, _)| *name == "string_to_array")?;
    let array = unqualified(of, alias);
    (name == "string_to_array").then(|| gin(format!("({array})"), format!("{array} @> ARRAY[{value}]")))
}

/// `to_tsvector(body) @@ ..`, whose configuration is the session's, so that no index can hold it; `lower(name) LIKE '%a%'`
fn search(compared: &Comparison<'_>, alias: &str) -> Option<Rewrite> {
    let (name, arguments) = whole_call(bare(compared.left)).filter(|_| is_value(compared.right, alias))?;
    let key = column(arguments.first()?, alias).filter(|_| arguments.len() == 1)?;
    match (name, compared.operator) {
        ("to_tsvector", "@@") => {
            let of = format!("to_tsvector('english', {key})");
            Some(gin(format!("({of})"), format!("{of} @@ {}, with the configuration that is meant", compared.right)))
        }
        ("lower" | "upper", "~~") => {
            let value = constant(compared.right)
                .filter(|value| value.split(|c: char| !c.is_alphanumeric()).any(|run| run.chars().count() >= 3))?;
            let condition = format!("{key} ILIKE '{}'", value.replace('\'', "''"));
            Some(Rewrite { class: Some("gin_trgm_ops"), extension: Some("pg_trgm"), ..gin(key.to_owned(), condition) })
        }
        _ => None,
    }
}

/// `array_position(tags, 'a') IS NOT NULL`, `NOT (a IS DISTINCT FROM 5)`
fn without_operator(term: &str, alias: &str) -> Option<Rewrite> {
    if let Some(call) = term.strip_suffix(" IS NOT NULL") {
        let (_, arguments) = whole_call(bare(call)).filter(|(name, _)| *name == "array_position")?;
        let [tags, value] = arguments[..] else { return None };
        let tags = column(tags, alias).filter(|_| is_value(value, alias))?;
        return Some(gin(tags.to_owned(), format!("{tags} @> ARRAY[{value}]")));
    }
    if let Some((name, arguments)) = whole_call(term) {
        return transformed(name, &arguments, alias);
    }
    let (left, right) = bare(term.strip_prefix("NOT ")?).split_once(" IS DISTINCT FROM ")?;
    let key = column(left, alias).filter(|_| is_value(right, alias))?;
    Some(btree(key, format!("{key} = {right}")))
}

/// `st_intersects(st_transform(place, 3857), ..)`: the other side can be transformed once, and the column left as its index has it.
fn transformed(name: &str, arguments: &[&str], alias: &str) -> Option<Rewrite> {
    let (key, value) = match *arguments {
        [one, other] if is_value(other, alias) => (of_transform(one, alias)?, other),
        [one, other] if is_value(one, alias) => (of_transform(other, alias)?, one),
        _ => return None,
    };
    let name = name.rsplit('.').next().filter(|name| name.starts_with("st_"))?;
    let condition = format!("{name} of {key} itself and ST_Transform({value}, the SRID of {key})");
    Some(Rewrite { method: "gist", ..btree(key, condition) })
}

/// The column in `st_transform(place, 3857)`.
fn of_transform<'a>(expression: &'a str, alias: &str) -> Option<&'a str> {
    let (name, inside) = whole_call(bare(expression))?;
    if name.rsplit('.').next() != Some("st_transform") {
        return None;
    }
    column(inside.first()?, alias)
}

/// The side that is made of the table's columns, and the operator as it stands behind that.
fn turned<'a>(compared: &Comparison<'a>, alias: &str) -> Option<(&'a str, &'a str, &'a str)> {
    match (is_value(compared.left, alias), is_value(compared.right, alias)) {
        (false, true) => Some((compared.left, compared.operator, compared.right)),
        (true, false) => {
            let operator = match compared.operator {
                "<" => ">",
                ">" => "<",
                "<=" => ">=",
                ">=" => "<=",
                "=" => "=",
                _ => return None,
            };
            Some((compared.right, operator, compared.left))
        }
        _ => None,
    }
}

/// Name and arguments of an expression that is one call of a function.
pub(crate) fn whole_call(expression: &str) -> Option<(&str, Vec<&str>)> {
    let (name, arguments) = calls(expression).into_iter().next()?;
    let is_whole = expression.strip_prefix(name)?.strip_prefix('(')?.strip_prefix(arguments)? == ")";
    is_whole.then(|| (name.trim_matches('"'), condition::arguments(arguments)))
}

fn of_call(name: &str, arguments: Vec<&str>, operator: &str, value: &str, alias: &str) -> Option<Rewrite> {
    let is_equality = operator == "=";
    match (name.to_lowercase().rsplit('.').next()?, arguments.as_slice()) {
        ("date_trunc", [unit, of]) => {
            let unit = constant(unit).filter(|unit| UNITS.contains(&unit.as_str()))?;
            let (key, zone) =
                zoned(of, alias).map(|(key, zone)| (key, Some(zone))).or_else(|| Some((time(of, alias)?, None)))?;
            Some(btree(key, within(key, operator, value, &unit, zone)?))
        }
        ("date", [of]) => of_day(of, operator, value, alias),
        ("extract", [of]) => {
            let key = column(of.strip_prefix("year FROM ")?, alias).filter(|_| is_equality)?;
            let year: i32 = constant(value)?.parse().ok()?;
            Some(btree(key, format!("{key} >= '{year}-01-01' AND {key} < '{}-01-01'", year + 1)))
        }
        ("date_part", [unit, of]) => {
            let key = column(of, alias).filter(|_| is_equality && constant(unit).as_deref() == Some("year"))?;
            let year: i32 = constant(value)?.parse().ok()?;
            Some(btree(key, format!("{key} >= '{year}-01-01' AND {key} < '{}-01-01'", year + 1)))
        }
        ("to_char", [of, format]) => {
            let key = column(of, alias).filter(|_| is_equality)?;
            let (unit, rest) = match constant(format)?.as_str() {
                "YYYY" => ("year", "-01-01"),
                "YYYY-MM" => ("month", "-01"),
                "YYYY-MM-DD" => ("day", ""),
                _ => return None,
            };
            let day = format!("'{}{rest}'::date", constant(value)?);
            Some(btree(key, within(key, "=", &day, unit, None)?))
        }
        ("coalesce", [of, otherwise]) => {
            let key = column(of, alias).filter(|_| is_equality && constant(otherwise).is_some())?;
            let same = constant(otherwise) == constant(value);
            let condition = match (same, constant(value).is_some()) {
                (true, _) => format!("{key} = {value} OR {key} IS NULL"),
                (false, true) => format!("{key} = {value}"),
                (false, false) => return None,
            };
            Some(btree(key, condition))
        }
        ("strpos" | "position", arguments) => {
            let (of, searched) = match arguments {
                [of, searched] => (*of, (*searched).to_owned()),
                [both] => both.split_once(" IN ").map(|(searched, of)| (of, searched.to_owned()))?,
                _ => return None,
            };
            let found = matches!((operator, constant(value)?.as_str()), (">" | "<>", "0") | (">=", "1"));
            let (key, letters) = (column(of, alias).filter(|_| found)?, pattern(&searched)?);
            let condition = format!("{key} LIKE '%{letters}%'");
            let (class, extension) = (Some("gin_trgm_ops"), Some("pg_trgm"));
            (letters.chars().count() >= 3).then(|| Rewrite { class, extension, ..gin(key.to_owned(), condition) })
        }
        ("left", [of, _]) => prefix(column(of, alias).filter(|_| is_equality)?, value),
        ("substr" | "substring", [of, first, _]) => {
            prefix(column(of, alias).filter(|_| is_equality && constant(first).as_deref() == Some("1"))?, value)
        }
        // Of geography whether on the spheroid comes third.
        ("st_distance", [one, other] | [one, other, "true"]) => {
            let (key, from) = if is_value(one, alias) { (*other, *one) } else { (*one, *other) };
            let key = column(key, alias).filter(|_| matches!(operator, "<" | "<="))?;
            let condition = format!("ST_DWithin({key}, {from}, {})", bare(value));
            is_value(from, alias).then(|| Rewrite { method: "gist", ..btree(key, condition) })
        }
        _ => None,
    }
}

/// A range that a coarser time stands for.
fn within(key: &str, operator: &str, value: &str, unit: &str, zone: Option<&str>) -> Option<String> {
    let next = match unit {
        "quarter" => format!("{value} + interval '3 months'"),
        _ => format!("{value} + interval '1 {unit}'"),
    };
    let (value, next) = (in_zone(value, zone), in_zone(&next, zone));
    Some(match operator {
        "=" => format!("{key} >= {value} AND {key} < {next}"),
        ">=" => format!("{key} >= {value}"),
        ">" => format!("{key} >= {next}"),
        "<" => format!("{key} < {value}"),
        "<=" => format!("{key} < {next}"),
        _ => return None,
    })
}

/// The letters of a constant, where none of them means something in a pattern.
fn pattern(value: &str) -> Option<String> {
    let letters = constant(value).filter(|letters| !letters.is_empty() && !letters.contains(['%', '_', '\\']))?;
    Some(letters.replace('\'', "''"))
}

fn prefix(key: &str, value: &str) -> Option<Rewrite> {
    let letters = pattern(value)?;
    Some(Rewrite { class: Some("text_pattern_ops"), ..btree(key, format!("{key} LIKE '{letters}%'")) })
}

/// `(made)::date = '2024-05-01'::date`, `(body)::jsonb @> '{}'::jsonb`
fn of_cast(of: &str, operator: &str, value: &str, alias: &str) -> Option<Rewrite> {
    if condition::cast_to(of) == Some("date") {
        return of_day(bare(of).strip_suffix("::date")?, operator, value, alias);
    }
    let Side::Cast { to, .. } = side(of, alias) else { return None };
    match to {
        "jsonb" if operator == "@>" => {
            let cast = unqualified(of, alias);
            let condition = format!("{cast} @> {value}");
            Some(Rewrite { class: Some("jsonb_path_ops"), ..gin(format!("({cast})"), condition) })
        }
        _ => None,
    }
}

/// A day that is made of a time.
fn of_day(of: &str, operator: &str, value: &str, alias: &str) -> Option<Rewrite> {
    let Some((key, zone)) = zoned(of, alias) else {
        let key = time(of, alias)?;
        return Some(btree(key, within(key, operator, value, "day", None)?));
    };
    // A date in a zone would be taken for one of the session's zone.
    Some(btree(key, within(key, operator, &format!("{value}::timestamp"), "day", Some(zone))?))
}

/// `(made AT TIME ZONE 'UTC') >= '2024-05-01'::timestamp`
fn of_zone(of: &str, operator: &str, value: &str, alias: &str) -> Option<Rewrite> {
    let (key, zone) = zoned(of, alias).filter(|_| matches!(operator, "=" | "<" | ">" | "<=" | ">="))?;
    Some(btree(key, format!("{key} {operator} {}", in_zone(value, Some(zone)))))
}

/// `(amount + 1) = 10`, `(now() - made) < '7 days'::interval`
fn of_sum(of: &str, operator: &str, value: &str, alias: &str) -> Option<Rewrite> {
    if !matches!(operator, "=" | "<" | ">" | "<=" | ">=") {
        return None;
    }
    let Comparison { left, operator: sign, right } = comparison(of)?;
    let turned = match operator {
        "<" => ">",
        ">" => "<",
        "<=" => ">=",
        ">=" => "<=",
        same => same,
    };
    let value = if comparison(bare(value)).is_some() { format!("({})", bare(value)) } else { value.to_owned() };
    let (key, other) = match (side(left, alias), side(right, alias)) {
        (Side::Column(key), Side::Value) => (key, right),
        (Side::Value, Side::Column(key)) => (key, left),
        _ => return None,
    };
    let first = is_value(right, alias);
    Some(btree(
        key,
        match (sign, first) {
            ("+", _) => format!("{key} {operator} {value} - {other}"),
            ("-", true) => format!("{key} {operator} {value} + {other}"),
            ("-", false) => format!("{key} {turned} {other} - {value}"),
            _ => return None,
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_written_so_that_an_index_serves_them() {
        let cases = [
            ("'t77'::text = ANY (w.tags)", "tags @> ARRAY['t77'::text]", "gin tags"),
            ("$1 = ANY (tags)", "tags @> ARRAY[$1]", "gin tags"),
            ("'t77'::text = ANY ((w.tags)::text[])", "tags @> ARRAY['t77']::varchar[]", "gin tags"),
            (
                "to_tsvector(w.body) @@ to_tsquery('a'::text)",
                "to_tsvector('english', body) @@ to_tsquery('a'::text), with the configuration that is meant",
                "gin (to_tsvector('english', body))",
            ),
            ("lower((w.name)::text) ~~ '%abc%'::text", "name ILIKE '%abc%'", "gin name gin_trgm_ops"),
            (
                "'x'::text = ANY (string_to_array(w.tags, ','::text))",
                "string_to_array(tags, ','::text) @> ARRAY['x'::text]",
                "gin (string_to_array(tags, ','::text))",
            ),
            ("array_position(w.tags, 'x'::text) IS NOT NULL", "tags @> ARRAY['x'::text]", "gin tags"),
            (
                "(w.made)::date = '2024-05-01'::date",
                "made >= '2024-05-01'::date AND made < '2024-05-01'::date + interval '1 day'",
                "btree made",
            ),
            ("(w.made)::date >= '2024-05-01'::date", "made >= '2024-05-01'::date", "btree made"),
            (
                "date_trunc('month'::text, w.made) = '2024-05-01 00:00:00'::timestamp without time zone",
                "made >= '2024-05-01 00:00:00'::timestamp without time zone AND made < '2024-05-01 00:00:00'::timestamp without time zone + interval '1 month'",
                "btree made",
            ),
            (
                "date_trunc('year'::text, (w.made)::timestamp with time zone) = '2024-01-01 00:00:00+00'::timestamp with time zone",
                "made >= '2024-01-01 00:00:00+00'::timestamp with time zone AND made < '2024-01-01 00:00:00+00'::timestamp with time zone + interval '1 year'",
                "btree made",
            ),
            (
                "EXTRACT(year FROM w.made) = '2024'::numeric",
                "made >= '2024-01-01' AND made < '2025-01-01'",
                "btree made",
            ),
            (
                "to_char(w.made, 'YYYY-MM'::text) = '2024-05'::text",
                "made >= '2024-05-01'::date AND made < '2024-05-01'::date + interval '1 month'",
                "btree made",
            ),
            (
                "((w.made AT TIME ZONE 'UTC'::text))::date = '2024-05-01'::date",
                "made >= ('2024-05-01'::date::timestamp) AT TIME ZONE 'UTC'::text AND made < ('2024-05-01'::date::timestamp + interval '1 day') AT TIME ZONE 'UTC'::text",
                "btree made",
            ),
            (
                "(w.made AT TIME ZONE 'UTC'::text) >= '2024-05-01 00:00:00+00'::timestamp with time zone",
                "made >= ('2024-05-01 00:00:00+00'::timestamp with time zone) AT TIME ZONE 'UTC'::text",
                "btree made",
            ),
            ("date(w.made) < '2024-05-01'::date", "made < '2024-05-01'::date", "btree made"),
            ("(w.amount + 1) = 10", "amount = 10 - 1", "btree amount"),
            ("(w.amount - 1) < 10", "amount < 10 + 1", "btree amount"),
            ("(now() - w.made) < '7 days'::interval", "made > now() - '7 days'::interval", "btree made"),
            ("COALESCE(w.state, 0) = 5", "state = 5", "btree state"),
            ("COALESCE(w.state, 0) = 0", "state = 0 OR state IS NULL", "btree state"),
            ("strpos(w.name, 'abc'::text) > 0", "name LIKE '%abc%'", "gin name gin_trgm_ops"),
            ("POSITION(('abc'::text) IN (w.name)) > 0", "name LIKE '%abc%'", "gin name gin_trgm_ops"),
            ("\"left\"(w.name, 3) = 'abc'::text", "name LIKE 'abc%'", "btree name text_pattern_ops"),
            ("substr(w.name, 1, 3) = 'abc'::text", "name LIKE 'abc%'", "btree name text_pattern_ops"),
            (
                "st_distance(w.place, '0101'::geometry) < '1000'::double precision",
                "ST_DWithin(place, '0101'::geometry, '1000'::double precision)",
                "gist place",
            ),
            (
                "st_distance(w.place, '0101'::geography, true) < '1000'::double precision",
                "ST_DWithin(place, '0101'::geography, '1000'::double precision)",
                "gist place",
            ),
            (
                "st_intersects(st_transform(w.place, 3857), '0103'::geometry)",
                "st_intersects of place itself and ST_Transform('0103'::geometry, the SRID of place)",
                "gist place",
            ),
            ("NOT (w.state IS DISTINCT FROM 5)", "state = 5", "btree state"),
            (
                "(w.body)::jsonb @> '{\"a\": 1}'::jsonb",
                "(body)::jsonb @> '{\"a\": 1}'::jsonb",
                "gin ((body)::jsonb) jsonb_path_ops",
            ),
        ];
        for (term, expected, index) in cases {
            let found = rewrite(term, "w").unwrap_or_else(|| panic!("{term}"));
            assert_eq!(found.condition, expected, "{term}");
            let class = found.class.map(|class| format!(" {class}")).unwrap_or_default();
            assert_eq!(format!("{} {}{class}", found.method, found.key), index, "{term}");
        }
    }

    #[test]
    fn two_bounds_of_a_range_are_one_operator() {
        let found = |terms: &[&str]| range(terms, "w").map(|(_, rewrite)| (rewrite.condition, rewrite.method));
        let at = "'2024-05-01 00:00:00+00'::timestamp with time zone";
        let low = format!("lower(w.during) <= {at}");
        let high = format!("upper(w.during) > {at}");
        assert_eq!(found(&[&low, "w.a = 1", &high]), Some((format!("during @> {at}"), "gist")));
        let overlap = found(&["lower(w.r) < 9", "upper(w.r) > 5"]);
        assert_eq!(overlap, Some(("r && int4range(5, 9, '[)')".to_owned(), "gist")));
        let within = found(&["lower(w.r) >= 5", "upper(w.r) <= 9"]);
        assert_eq!(within, Some(("r <@ int4range(5, 9, '[)')".to_owned(), "gist")));
        for other in [["lower(w.r) < 9", "upper(w.s) > 5"], ["lower(w.r) < 'a'::text", "upper(w.r) > 'a'::text"]] {
            assert_eq!(found(&other), None, "{other:?}");
        }
    }

    #[test]
    fn two_columns_around_a_value_are_one_range() {
        let found = |terms: &[&str]| enclosed(terms, "w").map(|(_, rewrite)| rewrite.condition);
        let around = found(&["w.state = 1", "'5'::text >= w.first", "'5'::text <= w.last"]).unwrap();
        assert!(around.starts_with("first <= '5'::text ORDER BY first DESC LIMIT 1"), "{around}");
        assert_eq!(found(&["w.first <= 5", "w.last >= 6"]), None);
        assert_eq!(found(&["w.first <= 5", "w.first >= 5"]), None);
    }

    #[test]
    fn what_cannot_be_said_otherwise_is_left() {
        for term in [
            "w.state = 5",
            "w.state <> 5",
            "EXTRACT(month FROM w.made) = '5'::numeric",
            "lower(w.name) = 'a'::text",
            "w.a = ANY ('{1,2}'::integer[])",
            "(w.a + w.b) = 10",
            "(w.amount * 2) = 10",
            "strpos(w.name, 'abc'::text) = 0",
            "COALESCE(w.state, w.other) = 5",
            "NOT (hashed SubPlan 1)",
            "st_distance(w.place, w.other) < 5",
        ] {
            assert_eq!(rewrite(term, "w"), None, "{term}");
        }
    }
}
