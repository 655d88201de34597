//! Values, moments and JSON templates as they are written: what TOML and JSON Schema need to be told by hand.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};

/// A literal value: a boolean, a number, text, a date or time, or an array of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(in crate::scenario) struct Value(pub(in crate::scenario) toml::Value);

/// A date or time, as text or as TOML writes it.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct Moment(pub(in crate::scenario) String);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => Ok(Self(text)),
            toml::Value::Datetime(moment) => Ok(Self(moment.to_string())),
            other => Err(D::Error::custom(format_args!("expected a date or time, found {}", other.type_str()))),
        }
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
