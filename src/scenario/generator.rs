//! Whether generators mean something: faults that the shape alone does not show.

use crate::text;
use std::net::IpAddr;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::{
    faults::{Collector, Finding},
    generator_model::{Generator, JsonTemplate, RowOrder, Value, Weighted},
    node::Node,
    raw,
};

/// Where a generator stands, which decides what it may follow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Rows of its table; `None` where there is no row, as in a parameter.
    pub rows: Option<u64>,
    /// Whether it is within another generator.
    pub nested: bool,
}

/// Checks a generator whose place in the file is `at`, the table that holds its name.
pub(super) fn check(raw: &raw::Generator, at: &Node<'_>, place: Place, faults: &mut Collector) -> Option<Generator> {
    let name = name(raw);
    let dollar = format!("${name}");
    let key = if at.has(&dollar) { dollar.as_str() } else { name };
    let before = faults.len();
    let generator = Check { at: at.get(key), key: at.key(key), place, faults }.generator(raw);
    generator.filter(|_| faults.len() == before)
}

fn name(raw: &raw::Generator) -> &'static str {
    match raw {
        raw::Generator::Sequence(_) => "sequence",
        raw::Generator::Constant(_) => "constant",
        raw::Generator::Uniform(_) => "uniform",
        raw::Generator::Zipf(_) => "zipf",
        raw::Generator::Normal(_) => "normal",
        raw::Generator::Choice(_) => "choice",
        raw::Generator::Timestamp(_) => "timestamp",
        raw::Generator::Text(_) => "text",
        raw::Generator::Pattern(_) => "pattern",
        raw::Generator::Uuid(_) => "uuid",
        raw::Generator::Json(_) => "json",
        raw::Generator::Array(_) => "array",
        raw::Generator::ForeignKey(_) => "foreign_key",
        raw::Generator::Bytes(_) => "bytes",
        raw::Generator::Inet(_) => "inet",
        raw::Generator::Boolean(_) => "boolean",
    }
}

struct Check<'a, 'f> {
    /// The generator's value.
    at: Node<'a>,
    /// The generator's name.
    key: std::ops::Range<usize>,
    place: Place,
    faults: &'f mut Collector,
}

impl Check<'_, '_> {
    fn fault(&mut self, key: &str, message: impl Into<String>) {
        let finding = Finding::new(self.at.get(key).span(), message);
        self.faults.push(finding);
    }

    fn generator(&mut self, raw: &raw::Generator) -> Option<Generator> {
        Some(match raw {
            raw::Generator::Sequence(raw) => self.sequence(raw)?,
            raw::Generator::Constant(raw) => Generator::Constant(value(raw)),
            raw::Generator::Uniform(raw) => self.uniform(raw),
            raw::Generator::Zipf(raw) => {
                self.ordered(raw.min, raw.max);
                Generator::Zipf { min: raw.min, max: raw.max, exponent: raw.exponent }
            }
            raw::Generator::Normal(raw) => {
                if let (Some(min), Some(max)) = (raw.min, raw.max) {
                    self.ordered(min, max);
                }
                let &raw::Normal { mean, deviation, min, max, decimals } = raw;
                Generator::Normal { mean, deviation, min, max, decimals }
            }
            raw::Generator::Choice(raw) => self.choice(raw),
            raw::Generator::Timestamp(raw) => self.timestamp(raw)?,
            raw::Generator::Text(raw) => {
                let (min_length, max_length) = self.length(raw.length);
                Generator::Text { min_length, max_length, kind: raw.kind }
            }
            raw::Generator::Pattern(raw) => self.pattern(raw),
            raw::Generator::Uuid(version) => Generator::Uuid(*version),
            raw::Generator::Json(raw) => {
                let at = self.at.get("template");
                Generator::Json(self.template(&raw.template, &at)?)
            }
            raw::Generator::Array(raw) => self.array(raw)?,
            raw::Generator::ForeignKey(raw) => {
                self.only_in_columns("foreign_key", self.place.rows.is_none() || self.place.nested);
                Generator::ForeignKey { table: raw.table.clone(), column: raw.column.clone(), exponent: raw.skew }
            }
            raw::Generator::Bytes(raw) => {
                let (min_length, max_length) = self.length(raw.length);
                Generator::Bytes { min_length, max_length }
            }
            raw::Generator::Inet(raw) => self.inet(raw)?,
            raw::Generator::Boolean(raw) => Generator::Boolean { true_share: raw.true_share },
        })
    }

    fn only_in_columns(&mut self, what: &str, elsewhere: bool) {
        if elsewhere {
            self.faults.push(
                Finding::new(self.key.clone(), format!("`{what}` outside of a column"))
                    .help("it follows the rows of a table, which a parameter or a part of a value does not have"),
            );
        }
    }

    fn ordered<N: PartialOrd + std::fmt::Display>(&mut self, min: N, max: N) {
        if min > max {
            self.fault("max", format!("max {max} is below min {min}"));
        }
    }

    fn sequence(&mut self, raw: &raw::Sequence) -> Option<Generator> {
        self.only_in_columns("sequence", self.place.rows.is_none());
        if raw.step == 0 {
            self.faults.push(
                Finding::new(self.at.get("step").span(), "a step of 0")
                    .help("`constant` gives the same value to each row"),
            );
        }
        let last = i128::from(raw.start) + i128::from(raw.step) * (i128::from(self.place.rows?.max(1)) - 1);
        if i64::try_from(last).is_err() {
            self.fault("step", format!("the last row's value {last} does not fit a bigint"));
        }
        Some(Generator::Sequence { start: raw.start, step: raw.step })
    }

    fn uniform(&mut self, raw: &raw::Uniform) -> Generator {
        let &raw::Uniform { min, max, decimals } = raw;
        self.ordered(min, max);
        let scale = 10_f64.powi(i32::try_from(decimals.min(15)).unwrap_or_default());
        if min <= max && (min * scale).ceil() > (max * scale).floor() {
            let numbers = if decimals == 0 { "whole number" } else { "number of so few decimals" };
            let finding = Finding::new(self.at.get("max").span(), format!("no {numbers} lies between {min} and {max}"));
            self.faults.push(finding.help("`decimals` says how many digits follow the point"));
        }
        Generator::Uniform { min, max, decimals }
    }

    fn choice(&mut self, raw: &raw::Choice) -> Generator {
        let values = raw.values.iter().map(value);
        let Some(weights) = &raw.weights else {
            return Generator::Choice(values.map(|value| Weighted { value, weight: 1.0 }).collect());
        };
        if weights.len() != raw.values.len() {
            self.fault(
                "weights",
                format!("{} for {}", text::counted(weights.len(), "weight"), text::counted(raw.values.len(), "value")),
            );
        }
        Generator::Choice(values.zip(weights).map(|(value, weight)| Weighted { value, weight: weight.0 }).collect())
    }

    fn timestamp(&mut self, raw: &raw::Timestamp) -> Option<Generator> {
        if raw.order == RowOrder::Growing {
            self.only_in_columns("growing", self.place.rows.is_none());
        }
        let (from, to) = (self.moment("from", &raw.from), self.moment("to", &raw.to));
        let (from, to) = (from?, to?);
        if from >= to {
            self.fault("to", format!("`to` {} is not after `from` {}", raw.to.0, raw.from.0));
        }
        Some(Generator::Timestamp { from: from.as_microsecond(), to: to.as_microsecond(), order: raw.order })
    }

    fn moment(&mut self, key: &str, raw: &raw::Moment) -> Option<Timestamp> {
        let text = raw.0.trim();
        let moment = text.parse::<Timestamp>().ok().or_else(|| {
            let utc = text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?;
            Some(utc.timestamp())
        });
        // jiff reads a date and time before a zone's name and drops the name, which would shift the moment silently.
        let moment = moment.filter(|_| !text.contains('['));
        let moment = moment.filter(|moment| (1..=9999).contains(&TimeZone::UTC.to_datetime(*moment).year()));
        if moment.is_none() {
            let finding = Finding::new(self.at.get(key).span(), format!("`{text}` is not a date or time"));
            self.faults.push(finding.expected("2025-01-31, or 2025-01-31T08:30:00Z"));
        }
        moment
    }

    fn length(&mut self, raw: raw::Length) -> (u32, u32) {
        let (shortest, longest) = match raw {
            raw::Length::Exact(length) => (length, length),
            raw::Length::Between(shortest, longest) => (shortest, longest),
        };
        if shortest > longest {
            self.fault("length", format!("the longest length {longest} is below the shortest {shortest}"));
        }
        (shortest, longest)
    }

    fn pattern(&mut self, raw: &str) -> Generator {
        let escapes = raw.chars().rev().take_while(|letter| *letter == '\\').count();
        if escapes % 2 == 1 {
            let finding = Finding::new(self.at.span(), "a pattern that ends with a lone `\\`");
            self.faults.push(finding.help("`\\\\` in the pattern gives one backslash"));
        }
        Generator::Pattern(raw.to_owned())
    }

    fn inner(&mut self, raw: &raw::Generator, at: &Node<'_>) -> Option<Generator> {
        check(raw, at, Place { nested: true, ..self.place }, self.faults)
    }

    fn array(&mut self, raw: &raw::Array) -> Option<Generator> {
        let (min_length, max_length) = self.length(raw.length);
        let of = self.at.get("of");
        if matches!(*raw.of, raw::Generator::Array(_)) {
            self.faults.push(Finding::new(of.key("array"), "an array of arrays").help("an element is a single value"));
        }
        let element = Box::new(self.inner(&raw.of, &of)?);
        Some(Generator::Array { element, min_length, max_length })
    }

    fn template(&mut self, raw: &raw::Template, at: &Node<'_>) -> Option<JsonTemplate> {
        Some(match raw {
            raw::Template::Literal(literal) => JsonTemplate::Literal(value(&raw::Value(literal.clone()))),
            raw::Template::Generated(generator) => JsonTemplate::Generated(Box::new(self.inner(generator, at)?)),
            raw::Template::Array(items) => {
                let items = items.iter().enumerate().map(|(index, item)| self.template(item, &at.item(index)));
                // All of them, so that each one's faults are seen.
                JsonTemplate::Array(items.collect::<Vec<_>>().into_iter().collect::<Option<_>>()?)
            }
            raw::Template::Object(entries) => {
                let entries = entries.iter().map(|(key, item)| Some((key.clone(), self.template(item, &at.get(key))?)));
                JsonTemplate::Object(entries.collect::<Vec<_>>().into_iter().collect::<Option<_>>()?)
            }
        })
    }

    fn inet(&mut self, raw: &str) -> Option<Generator> {
        let parts = raw.split_once('/');
        let parsed = parts.and_then(|(network, prefix)| Some((network.parse().ok()?, prefix.parse::<u8>().ok()?)));
        let whole = |network: IpAddr| if network.is_ipv4() { 32 } else { 128 };
        let Some((network, prefix)) = parsed.filter(|(network, prefix)| *prefix <= whole(*network)) else {
            let finding = Finding::new(self.at.span(), format!("`{raw}` is not a network"));
            self.faults.push(finding.expected("10.0.0.0/8, or fd00::/8"));
            return None;
        };
        let first = first_address(network, prefix);
        if first != network {
            let finding = Finding::new(self.at.span(), format!("`{raw}` has bits beyond its prefix"));
            self.faults.push(finding.help(format!("the network is `{first}/{prefix}`")));
        }
        Some(Generator::Inet { network, prefix })
    }
}

/// The address with all bits after the prefix 0.
fn first_address(network: IpAddr, prefix: u8) -> IpAddr {
    match network {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

/// A literal as the model has it.
pub(super) fn value(raw: &raw::Value) -> Value {
    fn convert(raw: &toml::Value) -> Value {
        match raw {
            toml::Value::String(text) => Value::Text(text.clone()),
            toml::Value::Integer(number) => Value::Int(*number),
            toml::Value::Float(number) => Value::Float(*number),
            toml::Value::Boolean(truth) => Value::Bool(*truth),
            toml::Value::Datetime(moment) => Value::Text(moment.to_string()),
            toml::Value::Array(items) => Value::Array(items.iter().map(convert).collect()),
            // Not reachable through the schema; JSON is what PostgreSQL would make of it.
            toml::Value::Table(table) => Value::Text(serde_json::to_string(table).unwrap_or_default()),
        }
    }
    convert(&raw.0)
}
