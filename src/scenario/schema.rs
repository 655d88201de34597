//! The part of JSON Schema that scenario files need, as a view over a schema document.

use serde_json::{Map, Value};
use toml::de::DeValue;

/// One schema within a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schema<'s> {
    document: &'s Value,
    node: &'s Value,
}

impl<'s> Schema<'s> {
    /// The schema of the whole document.
    pub(super) fn root(document: &'s Value) -> Self {
        Self { document, node: document }
    }

    fn at(self, node: &'s Value) -> Self {
        Self { document: self.document, node }.resolved()
    }

    /// Follows `$ref`, which only ever points into `$defs`.
    fn resolved(self) -> Self {
        let Some(name) = self.text("$ref").and_then(|path| path.strip_prefix("#/$defs/")) else { return self };
        match self.document.get("$defs").and_then(|all| all.get(name)) {
            Some(node) => Self { document: self.document, node }.resolved(),
            None => self,
        }
    }

    fn text(self, keyword: &str) -> Option<&'s str> {
        self.node.get(keyword).and_then(Value::as_str)
    }

    fn list(self, keyword: &str) -> impl Iterator<Item = &'s Value> {
        self.node.get(keyword).and_then(Value::as_array).into_iter().flatten()
    }

    fn map(self, keyword: &str) -> Option<&'s Map<String, Value>> {
        self.node.get(keyword).and_then(Value::as_object)
    }

    /// The alternatives of `oneOf` and `anyOf`, however nested; itself if there are none.
    pub(super) fn alternatives(self) -> Vec<Self> {
        let options: Vec<_> = self.list("oneOf").chain(self.list("anyOf")).map(|node| self.at(node)).collect();
        // A lone `required` says which keys go together, not what the value is.
        if options.is_empty() || self.text("type") == Some("object") {
            return vec![self];
        }
        options.into_iter().flat_map(Self::alternatives).collect()
    }

    /// Keys with a schema of their own.
    pub(super) fn properties(self) -> impl Iterator<Item = (&'s str, Self)> {
        self.map("properties").into_iter().flatten().map(move |(key, node)| (key.as_str(), self.at(node)))
    }

    /// Keys that have to be there.
    pub(super) fn required(self) -> impl Iterator<Item = &'s str> {
        self.list("required").filter_map(Value::as_str)
    }

    /// Groups of keys of which exactly one has to be there, with the schemas that come with them.
    pub(super) fn choices(self) -> Vec<Vec<(&'s str, Option<Self>)>> {
        let groups = std::iter::once(self).chain(self.list("allOf").map(|node| self.at(node)));
        groups
            .map(|group| {
                let options = group
                    .list("oneOf")
                    .chain(group.list("anyOf"))
                    .map(|node| group.at(node))
                    .flat_map(Self::alternatives);
                options.filter_map(Self::tag).collect::<Vec<_>>()
            })
            .filter(|group: &Vec<_>| !group.is_empty())
            .collect()
    }

    /// The only required key of an alternative, and its schema if it has one.
    pub(super) fn tag(self) -> Option<(&'s str, Option<Self>)> {
        let mut required = self.required();
        let (only, None) = (required.next()?, required.next()) else { return None };
        Some((only, self.properties().find(|(key, _)| *key == only).map(|(_, schema)| schema)))
    }

    /// The schema of entries under any name.
    pub(super) fn entries(self) -> Option<Self> {
        self.node.get("additionalProperties").filter(|node| node.is_object()).map(|node| self.at(node))
    }

    /// The schema of an array's element.
    pub(super) fn element(self, index: usize) -> Option<Self> {
        self.list("prefixItems").nth(index).or_else(|| self.node.get("items")).map(|node| self.at(node))
    }

    /// The only strings that are valid, if they are listed.
    pub(super) fn names(self) -> Vec<&'s str> {
        self.list("enum").chain(self.node.get("const")).filter_map(Value::as_str).collect()
    }

    /// A number of elements, characters, entries.
    pub(super) fn count(self, keyword: &str) -> Option<usize> {
        self.node.get(keyword).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok())
    }

    /// Whether it says anything of tables.
    pub(super) fn is_table(self) -> bool {
        self.text("type") == Some("object")
    }

    /// Whether it is a table whose keys stand for themselves: none of them says what the table is.
    pub(super) fn is_record(self) -> bool {
        self.is_table() && self.choices().iter().flatten().all(|(_, schema)| schema.is_none())
    }

    /// Whether whole numbers from 2^63 on are meant.
    pub(super) fn is_unsigned(self) -> bool {
        self.text("format") == Some("uint64")
    }

    /// Whether a value is of this schema's type, whatever else holds for it.
    pub(super) fn fits(self, value: &DeValue<'_>) -> bool {
        match (value, self.text("type")) {
            (DeValue::String(_), Some("string")) => self.text("format") != Some("date-time"),
            (DeValue::Datetime(_), Some("string")) => self.text("format") == Some("date-time"),
            (DeValue::Integer(_), Some("integer" | "number"))
            | (DeValue::Float(_), Some("number"))
            | (DeValue::Boolean(_), Some("boolean"))
            | (DeValue::Array(_), Some("array"))
            | (DeValue::Table(_), Some("object")) => true,
            _ => false,
        }
    }

    /// Whether a number lies within its bounds.
    pub(super) fn admits(self, number: f64) -> bool {
        let bound = |keyword| self.node.get(keyword).and_then(Value::as_f64);
        bound("minimum").is_none_or(|least| number >= least)
            && bound("exclusiveMinimum").is_none_or(|least| number > least)
            && bound("maximum").is_none_or(|most| number <= most)
    }

    /// What is valid, in words.
    pub(super) fn words(self) -> String {
        let alternatives = self.alternatives();
        let names: Vec<&str> = alternatives.iter().flat_map(|schema| schema.names()).collect();
        if !names.is_empty() {
            return one_of(names);
        }
        let mut words: Vec<String> = Vec::new();
        for word in alternatives.iter().map(|schema| schema.own_words()) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        // Every integer is a number.
        if words.iter().any(|word| word == "a number") {
            words.retain(|word| word != "an integer");
        }
        joined(words, "or")
    }

    fn own_words(self) -> String {
        let kind = match self.text("type") {
            Some("integer") => "an integer",
            Some("number") => "a number",
            Some("boolean") => "true or false",
            Some("string") if self.node.get("examples").is_some() => {
                let examples = self.list("examples").filter_map(Value::as_str).map(|text| format!("\"{text}\""));
                return format!("a string like {}", joined(examples.collect(), "or"));
            }
            Some("string") if self.text("format") == Some("date-time") => "a date or time",
            Some("string") => "a string",
            Some("array") if self.node.get("prefixItems").is_some() => {
                return format!("an array of {}", self.list("prefixItems").count());
            }
            Some("array") => "an array",
            Some("object") => "a table",
            _ => "a value",
        };
        let bound = |keyword| self.node.get(keyword).filter(|bound| bound.is_number());
        match (bound("exclusiveMinimum"), bound("minimum"), bound("maximum")) {
            (Some(over), _, Some(most)) => format!("{kind} above {over}, at most {most}"),
            (Some(over), _, None) => format!("{kind} above {over}"),
            (None, Some(least), Some(most)) => format!("{kind} from {least} to {most}"),
            (None, Some(least), None) => format!("{kind} of at least {least}"),
            (None, None, Some(most)) => format!("{kind} of at most {most}"),
            (None, None, None) => kind.to_owned(),
        }
    }
}

/// "`a`, `b` or `c`".
pub(super) fn one_of<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    joined(names.into_iter().map(|name| format!("`{name}`")).collect(), "or")
}

/// "a, b or c".
pub(super) fn joined(mut words: Vec<String>, conjunction: &str) -> String {
    match words.pop() {
        None => String::new(),
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} {conjunction} {last}", words.join(", ")),
    }
}
