//! Values, moments and JSON templates as they are written: what TOML and JSON Schema need to be told by hand.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value as JsonValue;

use super::Generator;

/// A literal value: a boolean, a number, text, a date or time, or an array of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(in crate::scenario) struct Value(pub(in crate::scenario) toml::Value);

/// A date or time, as text or as TOML writes it.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct Moment(pub(in crate::scenario) String);

/// A JSON template.
#[derive(Debug)]
pub(in crate::scenario) enum Template {
    /// A literal.
    Literal(toml::Value),
    /// An array of templates.
    Array(Vec<Template>),
    /// An object of templates, in the order of the file.
    Object(Vec<(String, Template)>),
    /// A generated leaf.
    Generated(Box<Generator>),
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => Ok(Self(text)),
            toml::Value::Datetime(moment) => Ok(Self(moment.to_string())),
            other => Err(D::Error::custom(format_args!("expected a date or time, found {}", other.type_str()))),
        }
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_toml(toml::Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Template {
    fn from_toml(value: toml::Value) -> Result<Self, toml::de::Error> {
        Ok(match value {
            toml::Value::Array(items) => Self::Array(items.into_iter().map(Self::from_toml).collect::<Result<_, _>>()?),
            toml::Value::Table(table) if table.keys().any(|key| key.starts_with('$')) => {
                let plain = table.into_iter().map(|(key, value)| (key.trim_start_matches('$').to_owned(), value));
                Self::Generated(Box::new(Generator::deserialize(toml::Value::Table(plain.collect()))?))
            }
            toml::Value::Table(table) => Self::Object(
                table
                    .into_iter()
                    .map(|(key, value)| Ok((key, Self::from_toml(value)?)))
                    .collect::<Result<_, toml::de::Error>>()?,
            ),
            literal => Self::Literal(literal),
        })
    }
}

impl JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let element = generator.subschema_for::<Self>();
        json_schema!({
            "description": "A literal value: a boolean, a number, text, a date or time, or an array of them.",
            "anyOf": [
                { "type": "boolean" },
                { "type": "integer", "format": "int64" },
                { "type": "number" },
                { "type": "string" },
                { "type": "string", "format": "date-time" },
                { "type": "array", "items": element },
            ],
        })
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A date or time: 2025-01-01, 2025-01-01T08:00:00Z; UTC where no offset is given.",
            "anyOf": [{ "type": "string", "examples": ["2025-01-01"] }, { "type": "string", "format": "date-time" }],
        })
    }
}

impl JsonSchema for Template {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let element = generator.subschema_for::<Self>();
        let mut alternatives = vec![
            serde_json::json!({ "type": "boolean" }),
            serde_json::json!({ "type": "integer", "format": "int64" }),
            serde_json::json!({ "type": "number" }),
            serde_json::json!({ "type": "string" }),
            serde_json::json!({ "type": "array", "items": element }),
            serde_json::json!({
                "type": "object",
                "propertyNames": { "pattern": "^[^$]" },
                "additionalProperties": element,
            }),
        ];
        let generators = Generator::json_schema(generator);
        let leaves = generators.get("oneOf").and_then(JsonValue::as_array).into_iter().flatten();
        alternatives.extend(leaves.filter_map(|leaf| {
            let (name, schema) = leaf.get("properties")?.as_object()?.iter().next()?;
            let name = format!("${name}");
            Some(serde_json::json!({
                "type": "object",
                "description": leaf.get("description"),
                "properties": { (name.as_str()): schema },
                "required": [name],
                "additionalProperties": false,
            }))
        }));
        json_schema!({
            "description": "A JSON template: literal values, and generators at the leaves as tables whose only key is a \
                generator's name after a `$`.",
            "anyOf": alternatives,
        })
    }
}
