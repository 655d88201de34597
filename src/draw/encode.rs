//! A scenario's value in PostgreSQL's binary form.

use std::net::IpAddr;

use super::{
    cell::{JSONB_VERSION, begin_field, end_field, host_bits, write_inet, write_null},
    column_type::ColumnType,
    decimal,
    error::{Error, Result},
    moment,
    sink::{write_array_header, write_value},
};
use crate::scenario::Value;

/// Appends the binary form of `value` as a `ty`, without a length, and says whether it is NULL (which appends nothing).
///
/// # Errors
/// When the value cannot be one of the type; the message names both and shows how one is written. `out` may then hold a part.
pub fn encode(value: &Value, ty: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
    let misfit = || Error::new(format!("{value} is no {ty}: write {}", example(ty)));
    match (ty, value) {
        (_, Value::Null) => return Ok(true),
        (ColumnType::Bool, Value::Bool(value)) => out.push(u8::from(*value)),
        (ColumnType::Int2, Value::Int(value)) => {
            out.extend_from_slice(&i16::try_from(*value).map_err(|_| misfit())?.to_be_bytes());
        }
        (ColumnType::Int4, Value::Int(value)) => {
            out.extend_from_slice(&i32::try_from(*value).map_err(|_| misfit())?.to_be_bytes());
        }
        (ColumnType::Int8, Value::Int(value)) => out.extend_from_slice(&value.to_be_bytes()),
        (ColumnType::Float4, Value::Int(value)) => out.extend_from_slice(&(*value as f32).to_be_bytes()),
        (ColumnType::Float4, Value::Float(value)) => out.extend_from_slice(&(*value as f32).to_be_bytes()),
        (ColumnType::Float8, Value::Int(value)) => out.extend_from_slice(&(*value as f64).to_be_bytes()),
        (ColumnType::Float8, Value::Float(value)) => out.extend_from_slice(&value.to_be_bytes()),
        (ColumnType::Numeric, Value::Int(value)) => {
            decimal::write_text(&value.to_string(), out).ok_or_else(misfit)?;
        }
        (ColumnType::Numeric, Value::Float(value)) => {
            decimal::write_text(&value.to_string(), out).ok_or_else(misfit)?;
        }
        (ColumnType::Numeric, Value::Text(text)) => decimal::write_text(text.trim(), out).ok_or_else(misfit)?,
        (ColumnType::Text | ColumnType::TextLike(_), Value::Text(text)) => {
            if text.contains('\0') {
                return Err(Error::new(format!("a {ty} cannot hold the character U+0000")));
            }
            out.extend_from_slice(text.as_bytes());
        }
        (ColumnType::Date, Value::Text(text)) => {
            out.extend_from_slice(&moment::parse_date(text.trim()).ok_or_else(misfit)?.to_be_bytes());
        }
        (ColumnType::Timestamp, Value::Text(text)) => {
            out.extend_from_slice(&moment::parse_timestamp(text.trim()).ok_or_else(misfit)?.to_be_bytes());
        }
        (ColumnType::Timestamptz, Value::Text(text)) => {
            out.extend_from_slice(&moment::parse_timestamptz(text.trim()).ok_or_else(misfit)?.to_be_bytes());
        }
        (ColumnType::Uuid, Value::Text(text)) => {
            out.extend_from_slice(uuid::Uuid::try_parse(text.trim()).map_err(|_| misfit())?.as_bytes());
        }
        (ColumnType::Json | ColumnType::Jsonb, value) => {
            if *ty == ColumnType::Jsonb {
                out.push(JSONB_VERSION);
            }
            match value {
                Value::Text(text) => {
                    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|_| misfit())?;
                    out.extend_from_slice(text.as_bytes());
                }
                value => write_value(value, out),
            }
        }
        (ColumnType::Inet, Value::Text(text)) => {
            let (address, prefix) = parse_inet(text.trim()).ok_or_else(misfit)?;
            write_inet(address, prefix, out);
        }
        (ColumnType::Bytea, Value::Text(text)) => {
            let bytes = text.strip_prefix("\\x").and_then(parse_hex).ok_or_else(misfit)?;
            out.extend_from_slice(&bytes);
        }
        (ColumnType::Array(element), Value::Array(values)) => {
            write_array_header(element.oid(), values.len(), out);
            for value in values {
                if *value == Value::Null {
                    write_null(out);
                    continue;
                }
                let field = begin_field(out);
                encode(value, element, out)?;
                end_field(field, out);
            }
        }
        _ => return Err(misfit()),
    }
    Ok(false)
}

/// `10.0.0.1`, `10.0.0.0/8`, `fe80::1/64`.
fn parse_inet(text: &str) -> Option<(IpAddr, u8)> {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().ok()?;
    let most = host_bits(address);
    let prefix = prefix.map_or(Some(most), |prefix| prefix.parse().ok().filter(|prefix| *prefix <= most))?;
    Some((address, prefix))
}

fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect::<Option<Vec<u8>>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// How a value of the type is written, after "write".
fn example(ty: &ColumnType) -> &'static str {
    match ty {
        ColumnType::Int2 => "a whole number from -32768 to 32767",
        ColumnType::Int4 => "a whole number from -2147483648 to 2147483647",
        ColumnType::Int8 => "a whole number",
        ColumnType::Numeric => "a number, or '12.50' for exact digits",
        ColumnType::Float4 | ColumnType::Float8 => "a number",
        ColumnType::Bool => "true or false",
        ColumnType::Text | ColumnType::TextLike(_) => "a text in quotes",
        ColumnType::Date => "'2025-03-01'",
        ColumnType::Timestamp => "'2025-03-01 12:00:00'",
        ColumnType::Timestamptz => "'2025-03-01 12:00:00Z'",
        ColumnType::Uuid => "'0194fdc2-fa2f-7cc0-81d3-ff1207445ab7'",
        ColumnType::Json | ColumnType::Jsonb => "valid JSON in quotes",
        ColumnType::Inet => "'10.0.0.1' or '10.0.0.0/8'",
        ColumnType::Bytea => r"'\x0aff'",
        ColumnType::Array(_) => "an array",
    }
}
