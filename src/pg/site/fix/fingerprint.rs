//! The fingerprint of a scenario's schema: everything in it that a fix may change, by name, so that a way back that does not
//! lead back is told with what differs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::pg::link::{
    Client,
    error::{Error, Result},
    path,
};

/// Gives the name and the definition of each object of schema `$1`, printed for the path `$2`.
const CATALOG: &str = include_str!("catalog.sql");

/// Differences that are told; the others are counted.
const SHOWN: usize = 3;

/// Definitions by name: `index events_pkey`, `column events.id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint(BTreeMap<String, Map<String, Value>>);

impl Fingerprint {
    /// Of the schema as it is now. Definitions read as in the scenario's path.
    pub(crate) async fn take(own: &Client, schema: &str) -> Result<Self> {
        let rows = own
            .query(CATALOG, &[&schema, &path::of_schema(schema)])
            .await
            .map_err(|cause| Error::from_server(format!("cannot read the catalog of {schema}"), cause))?;
        Ok(Self(rows.iter().map(|row| (row.get(0), object(row.get(1)))).collect()))
    }

    /// As the ledger kept it; `None` if it did not.
    pub(crate) fn from_json(json: Option<Value>) -> Option<Self> {
        match json? {
            Value::Object(definitions) => {
                Some(Self(definitions.into_iter().map(|(name, value)| (name, object(value))).collect()))
            }
            _ => None,
        }
    }

    /// As the ledger keeps it.
    pub(crate) fn to_json(&self) -> Value {
        Value::Object(self.0.iter().map(|(name, definition)| (name.clone(), definition.clone().into())).collect())
    }

    /// SHA-256 in hexadecimal over a line for each object: its name, its definition as JSON with its keys in order.
    pub(crate) fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for (name, definition) in &self.0 {
            let sorted: BTreeMap<_, _> = definition.iter().collect();
            hash.update(format!("{name} {}\n", serde_json::json!(sorted)));
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What differs in `now` from this one, the first of it by name; `None` if nothing does. A clause: `index a is still
    /// there, column events.note is gone`.
    pub(crate) fn differences(&self, now: &Self) -> Option<String> {
        let names: BTreeSet<&String> = self.0.keys().chain(now.0.keys()).collect();
        let mut all = names.into_iter().filter_map(|name| match (self.0.get(name), now.0.get(name)) {
            (None, _) => Some(format!("{name} is still there")),
            (Some(_), None) => Some(format!("{name} is gone")),
            (Some(was), Some(is)) => changes(was, is).map(|changes| format!("{name} differs ({changes})")),
        });
        let shown: Vec<String> = all.by_ref().take(SHOWN).collect();
        if shown.is_empty() {
            return None;
        }
        let rest = match all.count() {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        Some(format!("{}{rest}", shown.join(", ")))
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// `options ["fillfactor=70"], was none`.
fn changes(was: &Map<String, Value>, is: &Map<String, Value>) -> Option<String> {
    let keys: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let word = |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), Value::to_string);
    let changed: Vec<String> = keys
        .into_iter()
        .filter(|key| was.get(*key) != is.get(*key))
        .map(|key| format!("{key} {}, was {}", word(is.get(key)), word(was.get(key))))
        .collect();
    if changed.is_empty() { None } else { Some(changed.join("; ")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(json: Value) -> Fingerprint {
        Fingerprint::from_json(Some(json)).unwrap()
    }

    #[test]
    fn differences_are_told_by_name_and_those_beyond_the_third_counted() {
        let was = of(json!({
            "column t.x": { "type": "int" }, "index i": { "valid": true }, "table t": { "kind": "r" },
            "view a": {}, "view b": {},
        }));
        let is = of(json!({
            "column t.y": { "type": "int" }, "index i": { "valid": true },
            "table t": { "kind": "r", "options": ["fillfactor=70"] },
        }));
        insta::assert_snapshot!(
            was.differences(&is).unwrap(),
            @r#"column t.x is gone, column t.y is still there, table t differs (options ["fillfactor=70"], was none), and 2 more"#
        );
        assert_eq!(was.differences(&was), None);
        assert_ne!(was.sha256(), is.sha256());
    }

    #[test]
    fn the_order_of_keys_does_not_count() {
        let (one, other) = (of(json!({ "a": { "x": 1, "y": 2 } })), of(json!({ "a": { "y": 2, "x": 1 } })));
        assert_eq!((one.sha256(), one.differences(&other)), (other.sha256(), None));
        assert_eq!(Fingerprint::from_json(Some(one.to_json())), Some(one));
        assert_eq!(Fingerprint::from_json(None), None);
    }
}
