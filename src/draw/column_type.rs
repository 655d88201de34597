//! The PostgreSQL types that values can be made for.

use std::{borrow::Cow, fmt, sync::Arc};

use crate::scenario::DeclaredType;

/// Labels of an enum that an error lists at most.
const MOST_LABELS: usize = 10;

/// A PostgreSQL type: how values of it are made and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnType {
    /// `smallint`.
    Int2,
    /// `integer`.
    Int4,
    /// `bigint`.
    Int8,
    /// `numeric`, with or without a precision.
    Numeric,
    /// `real`.
    Float4,
    /// `double precision`.
    Float8,
    /// `boolean`.
    Bool,
    /// `text`.
    Text,
    /// Another type whose binary form is its text, by its OID: `varchar`, `char(n)`, `name`, `citext`.
    TextLike(u32),
    /// An enum.
    Enum(Arc<Enum>),
    /// `date`.
    Date,
    /// `timestamp without time zone`.
    Timestamp,
    /// `timestamp with time zone`.
    Timestamptz,
    /// `uuid`.
    Uuid,
    /// `json`.
    Json,
    /// `jsonb`.
    Jsonb,
    /// `inet`.
    Inet,
    /// `bytea`.
    Bytea,
    /// A one-dimensional array of any of the others.
    Array(Box<ColumnType>),
    /// Any other type, by its name. Its values are written as text, which the server's input function
    /// of the type reads: intervals, ranges, composites, types of extensions.
    Other(Arc<str>),
}

/// An enum.
#[derive(Debug, PartialEq, Eq)]
pub struct Enum {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub name: String,
    /// Its labels, in their order.
    pub labels: Vec<String>,
}

impl ColumnType {
    /// One of PostgreSQL's own types that is neither an array nor made of others, by its name in the catalog.
    pub fn built_in(name: &str) -> Self {
        match name {
            "int2" => Self::Int2,
            "int4" => Self::Int4,
            "int8" => Self::Int8,
            "numeric" => Self::Numeric,
            "float4" => Self::Float4,
            "float8" => Self::Float8,
            "bool" => Self::Bool,
            "text" => Self::Text,
            "name" => Self::TextLike(19),
            "bpchar" => Self::TextLike(1042),
            "varchar" => Self::TextLike(1043),
            "date" => Self::Date,
            "timestamp" => Self::Timestamp,
            "timestamptz" => Self::Timestamptz,
            "uuid" => Self::Uuid,
            "json" => Self::Json,
            "jsonb" => Self::Jsonb,
            "inet" => Self::Inet,
            "bytea" => Self::Bytea,
            other => Self::Other(other.into()),
        }
    }

    /// As the DDL of a scenario declares it. What only the server knows, OIDs, is 0.
    pub fn declared(declared: &DeclaredType) -> Self {
        match declared {
            DeclaredType::BuiltIn(name) => Self::built_in(name),
            DeclaredType::Extension(name) if name == "citext" => Self::TextLike(0),
            DeclaredType::Extension(name) | DeclaredType::Made(name) => Self::Other(name.as_str().into()),
            DeclaredType::Enum { name, labels } => {
                Self::Enum(Arc::new(Enum { oid: 0, name: name.clone(), labels: labels.clone() }))
            }
            DeclaredType::Domain { of, .. } => Self::declared(of),
            DeclaredType::Array(of) => Self::Array(Box::new(match &**of {
                // An array says in its binary form that its elements are of the domain.
                DeclaredType::Domain { name, .. } => Self::Other(name.as_str().into()),
                of => Self::declared(of),
            })),
        }
    }

    /// Whether values of it are sent as text, and not in binary form.
    pub fn is_sent_as_text(&self) -> bool {
        match self {
            Self::Other(_) => true,
            Self::Array(element) => element.is_sent_as_text(),
            _ => false,
        }
    }

    /// Whether SQL writes values of it without quotes: numbers and booleans.
    pub fn is_written_bare(&self) -> bool {
        matches!(self, Self::Int2 | Self::Int4 | Self::Int8 | Self::Numeric | Self::Float4 | Self::Float8 | Self::Bool)
    }

    /// The type of its elements; itself if it is no array.
    pub fn element(&self) -> &Self {
        match self {
            Self::Array(element) => element,
            other => other,
        }
    }

    /// What stands between the elements of an array of it, as text (`typdelim`).
    pub(super) fn delimiter(&self) -> char {
        match self {
            Self::Other(name) if &**name == "box" => ';',
            Self::Other(name) if matches!(&**name, "geometry" | "geography") => ':',
            _ => ',',
        }
    }

    /// OID of a type whose values have a binary form and that is no array (those that do not say it are
    /// fixed in `pg_type.dat`); otherwise 0.
    pub fn oid(&self) -> u32 {
        match self {
            Self::Int2 => 21,
            Self::Int4 => 23,
            Self::Int8 => 20,
            Self::Numeric => 1700,
            Self::Float4 => 700,
            Self::Float8 => 701,
            Self::Bool => 16,
            Self::Text => 25,
            Self::TextLike(oid) => *oid,
            Self::Enum(of) => of.oid,
            Self::Date => 1082,
            Self::Timestamp => 1114,
            Self::Timestamptz => 1184,
            Self::Uuid => 2950,
            Self::Json => 114,
            Self::Jsonb => 3802,
            Self::Inet => 869,
            Self::Bytea => 17,
            Self::Array(_) | Self::Other(_) => 0,
        }
    }

    /// The generators that make it, as a person may write them after "use".
    pub(super) fn generators(&self) -> &'static str {
        match self {
            Self::Int2 | Self::Int4 | Self::Int8 | Self::Numeric => {
                "sequence, uniform, zipf, normal, constant or choice"
            }
            Self::Float4 | Self::Float8 => "uniform, normal, sequence, zipf, constant or choice",
            Self::Bool => "boolean, constant or choice",
            Self::Text | Self::TextLike(_) => "text, pattern, uuid, constant or choice",
            Self::Enum(_) => "constant or choice",
            Self::Other(_) => "constant, choice or pattern",
            Self::Date | Self::Timestamp | Self::Timestamptz => "timestamp, constant or choice",
            Self::Uuid => "uuid, constant or choice",
            Self::Json | Self::Jsonb => "json, constant or choice",
            Self::Inet => "inet, constant or choice",
            Self::Bytea => "bytes, constant or choice",
            Self::Array(_) => "array, constant or choice",
        }
    }

    /// How a value of the type is written, after "write".
    pub(super) fn example(&self) -> Cow<'static, str> {
        match self {
            Self::Int2 => "a whole number from -32768 to 32767",
            Self::Int4 => "a whole number from -2147483648 to 2147483647",
            Self::Int8 => "a whole number",
            Self::Numeric => "a number, or '12.50' for exact digits",
            Self::Float4 | Self::Float8 => "a number",
            Self::Bool => "true or false",
            Self::Text | Self::TextLike(_) => "a text in quotes",
            Self::Enum(of) => return of.listed().into(),
            Self::Date => "'2025-03-01'",
            Self::Timestamp => "'2025-03-01 12:00:00'",
            Self::Timestamptz => "'2025-03-01 12:00:00Z'",
            Self::Uuid => "'0194fdc2-fa2f-7cc0-81d3-ff1207445ab7'",
            Self::Json | Self::Jsonb => "valid JSON in quotes",
            Self::Inet => "'10.0.0.1' or '10.0.0.0/8'",
            Self::Bytea => r"'\x0aff'",
            Self::Array(_) => "an array",
            Self::Other(_) => "its text form in quotes, as in SQL",
        }
        .into()
    }
}

impl Enum {
    /// `'calm', 'loud'`.
    fn listed(&self) -> String {
        let shown = self.labels.iter().take(MOST_LABELS).map(|label| format!("'{label}'"));
        let more = if self.labels.len() > MOST_LABELS { ", .." } else { "" };
        match self.labels.len() {
            0 => "nothing, since it has no labels".to_owned(),
            _ => format!("{}{more}", shown.collect::<Vec<_>>().join(", ")),
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Int2 => "smallint",
            Self::Int4 => "integer",
            Self::Int8 => "bigint",
            Self::Numeric => "numeric",
            Self::Float4 => "real",
            Self::Float8 => "double precision",
            Self::Bool => "boolean",
            Self::Text | Self::TextLike(_) => "text",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Timestamptz => "timestamptz",
            Self::Uuid => "uuid",
            Self::Json => "json",
            Self::Jsonb => "jsonb",
            Self::Inet => "inet",
            Self::Bytea => "bytea",
            Self::Enum(of) => &of.name,
            Self::Other(name) => name,
            Self::Array(element) => return write!(f, "{element}[]"),
        };
        f.write_str(name)
    }
}
