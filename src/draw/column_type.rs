//! The PostgreSQL types that values can be made for.

use std::fmt;

/// A PostgreSQL type, as far as its binary form goes.
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
    /// Any other type whose binary form is its text, by its OID: `varchar`, `char(n)`, `name`, `citext`, enums.
    TextLike(u32),
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
}

impl ColumnType {
    /// OID of a type that is no array (they are fixed in `pg_type.dat`); 0 for an array.
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
            Self::Date => 1082,
            Self::Timestamp => 1114,
            Self::Timestamptz => 1184,
            Self::Uuid => 2950,
            Self::Json => 114,
            Self::Jsonb => 3802,
            Self::Inet => 869,
            Self::Bytea => 17,
            Self::Array(_) => 0,
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
            Self::Date | Self::Timestamp | Self::Timestamptz => "timestamp, constant or choice",
            Self::Uuid => "uuid, constant or choice",
            Self::Json | Self::Jsonb => "json, constant or choice",
            Self::Inet => "inet, constant or choice",
            Self::Bytea => "bytes, constant or choice",
            Self::Array(_) => "array, constant or choice",
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
            Self::Array(element) => return write!(f, "{element}[]"),
        };
        f.write_str(name)
    }
}
