//! Checks the shape of a scenario file against its JSON Schema: every fault at once.
//!
//! A misspelt key is reported, then read as what it was meant to be, so that its value is checked too. What remains
//! without fault is handed on, so that [`super::validate`] can look for the faults that are a matter of meaning.

use crate::text;
use serde_json::Value as JsonValue;
use toml::{
    Spanned,
    de::{DeArray, DeFloat, DeInteger, DeTable, DeValue},
};

use super::{
    faults::{Collector, Finding},
    nearest::nearest,
    schema::{Schema, one_of},
};

/// Checks `table` and gives its sound part. `table` itself gets its misspelt keys put right.
pub(super) fn check<'i>(
    document: &JsonValue,
    table: &mut Spanned<DeTable<'i>>,
    faults: &mut Collector,
) -> Spanned<DeTable<'i>> {
    let span = table.span();
    let sound = Walk { faults }.table(Schema::root(document), span.clone(), table.get_mut(), false);
    Spanned::new(span, sound.unwrap_or_default())
}

struct Walk<'f> {
    faults: &'f mut Collector,
}

impl Walk<'_> {
    /// The value if it is sound. Within a `whole` one, a part that is not spoils the rest: half a generator is none.
    fn value<'i>(
        &mut self,
        schema: Schema<'_>,
        value: &mut Spanned<DeValue<'i>>,
        whole: bool,
    ) -> Option<Spanned<DeValue<'i>>> {
        let span = value.span();
        let options: Vec<Schema<'_>> =
            schema.alternatives().into_iter().filter(|option| option.fits(value.get_ref())).collect();
        let Some(&first) = options.first() else {
            let found = match value.get_ref() {
                DeValue::Integer(_) => "an integer",
                DeValue::Array(_) => "an array",
                DeValue::Boolean(_) => "true or false",
                DeValue::String(_) => "a string",
                DeValue::Float(_) => "a float",
                DeValue::Datetime(_) => "a date or time",
                DeValue::Table(_) => "a table",
            };
            self.faults.push(Finding::new(span, format!("wrong type: {found}")).expected(schema.words()));
            return None;
        };
        let sound = match value.get_mut() {
            DeValue::Table(table) => DeValue::Table(self.table(schema, span.clone(), table, whole)?),
            DeValue::Array(items) => DeValue::Array(self.array(first, span.clone(), items)?),
            scalar => {
                self.scalar(schema, &options, span.clone(), scalar)?;
                scalar.clone()
            }
        };
        Some(Spanned::new(span, sound))
    }

    fn scalar(
        &mut self,
        schema: Schema<'_>,
        options: &[Schema<'_>],
        span: std::ops::Range<usize>,
        value: &DeValue<'_>,
    ) -> Option<()> {
        let mut readable = false;
        let fault = match value {
            DeValue::String(text) if text.contains('\0') => {
                Some(Finding::new(span, "a NUL character").help("PostgreSQL's text cannot hold it; remove it"))
            }
            DeValue::String(text) => {
                let names: Vec<&str> = options.iter().flat_map(|option| option.names()).collect();
                let shortest = options.iter().filter_map(|option| option.count("minLength")).min().unwrap_or(0);
                if !names.is_empty() && !names.contains(&text.as_ref()) {
                    let near = nearest(text, names.iter().copied());
                    Some(
                        Finding::new(span, format!("unknown value `{text}`"))
                            .expected(one_of(names))
                            .did_you_mean(near),
                    )
                } else if text.trim().len() < shortest {
                    Some(Finding::new(span, "empty text"))
                } else {
                    None
                }
            }
            DeValue::Integer(number) => {
                let whole = integer(number, options.iter().any(|option| option.is_unsigned()));
                #[expect(clippy::cast_precision_loss, reason = "bounds are far below 2^53")]
                match whole {
                    Some(whole) if options.iter().any(|option| option.admits(whole as f64)) => None,
                    _ => {
                        // A number that any integer type takes can still be judged beside others.
                        readable = whole.is_some_and(|whole| u32::try_from(whole).is_ok());
                        Some(Finding::new(span, format!("{number} is out of range")).expected(schema.words()))
                    }
                }
            }
            DeValue::Float(number) => match float(number) {
                None => Some(
                    Finding::new(span, format!("{number} is not a finite number"))
                        .help("where PostgreSQL shall get it, write it as text, like \"Infinity\""),
                ),
                Some(number) if !options.iter().any(|option| option.admits(number)) => {
                    readable = true;
                    Some(Finding::new(span, format!("{number} is out of range")).expected(schema.words()))
                }
                Some(_) => None,
            },
            _ => None,
        };
        fault.map_or(Some(()), |fault| {
            self.faults.push(fault);
            readable.then_some(())
        })
    }

    fn array<'i>(
        &mut self,
        schema: Schema<'_>,
        span: std::ops::Range<usize>,
        items: &mut DeArray<'i>,
    ) -> Option<DeArray<'i>> {
        let (least, most) = (schema.count("minItems").unwrap_or(0), schema.count("maxItems").unwrap_or(usize::MAX));
        let mut sound = true;
        if !(least..=most).contains(&items.len()) {
            let message = match items.len() {
                0 => "an empty array".to_owned(),
                many => format!("an array of {}", text::counted(many, "element")),
            };
            let expected = if most == usize::MAX { format!("at least {least}") } else { schema.words() };
            self.faults.push(Finding::new(span, message).expected(expected).relative());
            sound = false;
        }
        let mut checked = DeArray::new();
        for (index, item) in items.iter_mut().enumerate() {
            let Some(schema) = schema.element(index) else { continue };
            // A table whose keys stand for themselves is still worth looking at when one of them is faulty.
            match self.value(schema, item, !schema.is_record()) {
                Some(item) => checked.push(item),
                None => sound = false,
            }
        }
        sound.then_some(checked)
    }

    fn table<'i>(
        &mut self,
        schema: Schema<'_>,
        span: std::ops::Range<usize>,
        table: &mut DeTable<'i>,
        whole: bool,
    ) -> Option<DeTable<'i>> {
        let shape = Shape::of(schema, table);
        let whole = whole || shape.tagged;
        let known: Vec<&str> = shape.properties.iter().map(|(key, _)| *key).collect();
        let (mut sound, mut checked, mut spelt, mut lost) = (true, DeTable::new(), DeTable::new(), false);
        let present: Vec<String> = table.keys().map(|key| key.get_ref().to_string()).collect();
        for (mut key, mut value) in std::mem::take(table) {
            if !known.contains(&key.get_ref().as_ref()) && shape.entries.is_none() {
                let free = known.iter().copied().filter(|name| !present.iter().any(|key| key == name));
                let near = nearest(key.get_ref(), free.filter(|name| !spelt.contains_key(*name)));
                let message = format!("unknown key `{}`", key.get_ref());
                let fault = Finding::new(key.span(), message).did_you_mean(near);
                self.faults.push(match near {
                    Some(_) => fault,
                    None => fault.expected(one_of(known.iter().copied())),
                });
                let Some(near) = near else {
                    lost = true;
                    continue;
                };
                key = Spanned::new(key.span(), near.to_owned().into());
            }
            let property = shape.properties.iter().find(|(name, _)| *name == key.get_ref().as_ref());
            let Some(schema) = property.map(|(_, schema)| *schema).or(shape.entries) else { continue };
            match self.value(schema, &mut value, whole) {
                Some(value) => drop(checked.insert(key.clone(), value)),
                None => sound = false,
            }
            spelt.insert(key, value);
        }
        *table = spelt;
        sound &= self.keys(&shape, &span, table, lost);
        (sound || !whole).then_some(checked)
    }

    /// Whether the keys that have to be there are, and none that excludes another.
    fn keys(&mut self, shape: &Shape<'_>, span: &std::ops::Range<usize>, table: &DeTable<'_>, lost: bool) -> bool {
        let before = self.faults.len();
        for key in shape.required.iter().filter(|key| !table.contains_key(**key)) {
            self.faults.push(Finding::new(span.clone(), format!("missing key `{key}`")).relative());
        }
        if table.len() < shape.least {
            self.faults.push(Finding::new(span.clone(), "an empty table").expected("at least one entry").relative());
        }
        for group in &shape.choices {
            let mut there = group.iter().copied().filter(|key| table.contains_key(*key));
            match (there.next(), there.next()) {
                (None, _) if !lost => {
                    let fault = Finding::new(span.clone(), format!("missing {}", shape.noun));
                    self.faults.push(fault.expected(one_of(group.iter().copied())).relative());
                }
                (Some(_), Some(_)) => {
                    // In the order of the file, so that the first stands and the next is one too many.
                    let mut there = table.keys().filter(|key| group.contains(&key.get_ref().as_ref()));
                    if let (Some(first), Some(second)) = (there.next(), there.next()) {
                        let message = format!("`{}` beside `{}`", second.get_ref(), first.get_ref());
                        self.faults.push(Finding::new(second.span(), message).expected("only one of them").relative());
                    }
                }
                _ => {}
            }
        }
        self.faults.len() == before && !(lost && shape.tagged)
    }
}

/// What a table may and has to hold.
struct Shape<'s> {
    properties: Vec<(&'s str, Schema<'s>)>,
    required: Vec<&'s str>,
    /// Groups of keys of which exactly one has to be there.
    choices: Vec<Vec<&'s str>>,
    entries: Option<Schema<'s>>,
    /// Fewest entries.
    least: usize,
    /// Whether one of its keys says what it is, as a generator's name does.
    tagged: bool,
    /// What is missing when no key of a choice is there.
    noun: &'static str,
}

impl<'s> Shape<'s> {
    fn of(schema: Schema<'s>, table: &DeTable<'_>) -> Self {
        if schema.is_table() {
            let choices = schema.choices();
            let tags: Vec<_> =
                choices.iter().flatten().filter_map(|(key, schema)| schema.map(|schema| (*key, schema))).collect();
            let tagged = !tags.is_empty();
            return Self {
                properties: schema.properties().chain(tags).collect(),
                required: schema.required().collect(),
                choices: choices.into_iter().map(|group| group.into_iter().map(|(key, _)| key).collect()).collect(),
                entries: schema.entries(),
                least: schema.count("minProperties").unwrap_or(0),
                tagged,
                noun: if tagged { "generator" } else { "key" },
            };
        }
        let alternatives: Vec<_> = schema.alternatives().into_iter().filter(|option| option.is_table()).collect();
        if let [only] = alternatives.as_slice()
            && only.entries().is_none()
            && only.is_record()
        {
            return Self::of(*only, table);
        }
        let entries = alternatives.iter().find_map(|option| option.entries());
        let properties: Vec<_> = alternatives
            .into_iter()
            .filter_map(Schema::tag)
            .filter_map(|(key, schema)| schema.map(|schema| (key, schema)))
            .collect();
        // Where both a generator and any table may stand, the sign before its name tells them apart.
        let free = entries.is_some() && !table.keys().any(|key| key.get_ref().starts_with('$'));
        let properties = if free { Vec::new() } else { properties };
        Self {
            required: Vec::new(),
            choices: if free { Vec::new() } else { vec![properties.iter().map(|(key, _)| *key).collect()] },
            entries: entries.filter(|_| free),
            least: 0,
            tagged: !free,
            noun: "generator",
            properties,
        }
    }
}

/// The number if it fits 64 bits.
fn integer(number: &DeInteger<'_>, unsigned: bool) -> Option<i128> {
    let whole = i128::from_str_radix(number.as_str(), number.radix()).ok()?;
    let most = if unsigned { i128::from(u64::MAX) } else { i128::from(i64::MAX) };
    (i128::from(i64::MIN)..=most).contains(&whole).then_some(whole)
}

/// The number if it is one.
fn float(number: &DeFloat<'_>) -> Option<f64> {
    number.as_str().parse::<f64>().ok().filter(|number| number.is_finite())
}
