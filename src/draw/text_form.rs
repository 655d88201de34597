//! A scenario's value in PostgreSQL's text form.

use super::{
    as_it_is::{array, as_it_is},
    column_type::ColumnType,
    encode::encode,
    error::Result,
    moment,
    sink::write_value,
};
use crate::scenario::Value;

/// Appends the text form of `value` as a `ty`, which means what [`encode`] makes of it whatever the session's settings, and says
/// whether it is NULL (which appends nothing).
///
/// # Errors
/// As of [`encode`]. `out` may then hold a part.
pub fn encode_text(value: &Value, ty: &ColumnType, out: &mut String) -> Result<bool> {
    if let (ColumnType::Array(element), Value::Array(values)) = (ty, value) {
        return array(values, element, out, encode_text);
    }
    if ty.is_sent_as_text() {
        return as_it_is(value, ty, out);
    }
    if encode(value, ty, &mut Vec::new())? {
        return Ok(true);
    }
    match (ty, value) {
        (ColumnType::Json | ColumnType::Jsonb, value) if !matches!(value, Value::Text(_)) => {
            let mut json = Vec::new();
            write_value(value, &mut json);
            out.push_str(&String::from_utf8_lossy(&json));
        }
        (ColumnType::Float4 | ColumnType::Float8, Value::Text(text)) => out.push_str(text.trim()),
        (ColumnType::Float4, Value::Float(value)) => out.push_str(&(*value as f32).to_string()),
        (_, Value::Bool(value)) => out.push_str(if *value { "true" } else { "false" }),
        (_, Value::Int(value)) => out.push_str(&value.to_string()),
        (_, Value::Float(value)) => out.push_str(&value.to_string()),
        (ty, Value::Text(text)) => out.push_str(&canonical(ty, text)),
        (_, Value::Null | Value::Array(_)) => {}
    }
    Ok(false)
}

/// A text that was taken for a value of the type, as PostgreSQL takes it too.
fn canonical(ty: &ColumnType, text: &str) -> String {
    let trimmed = text.trim();
    match ty {
        ColumnType::Date => moment::parse_date(trimmed).map(moment::date_text),
        ColumnType::Timestamp => moment::parse_timestamp(trimmed).map(moment::timestamp_text),
        // Without its offset it would be a moment of the session's time zone.
        ColumnType::Timestamptz => moment::parse_timestamptz(trimmed).map(moment::timestamptz_text),
        ColumnType::Uuid => uuid::Uuid::try_parse(trimmed).ok().map(|uuid| uuid.to_string()),
        ColumnType::Numeric | ColumnType::Inet => Some(trimmed.to_owned()),
        _ => None,
    }
    .unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: Value, ty: &ColumnType) -> String {
        let mut out = String::new();
        assert!(!encode_text(&value, ty, &mut out).unwrap());
        out
    }

    #[test]
    fn values_have_their_text() {
        let of = |value: &str, ty| text(Value::Text(value.to_owned()), &ty);
        assert_eq!(of("2025-03-01 12:00:00+02", ColumnType::Timestamptz), "2025-03-01 10:00:00Z");
        assert_eq!(of("2025-03-01 12:00", ColumnType::Timestamptz), "2025-03-01 12:00:00Z");
        assert_eq!(of(" 12.50 ", ColumnType::Numeric), "12.50");
        assert_eq!(of(r"\x0aFF", ColumnType::Bytea), r"\x0aFF");
        assert_eq!(
            of("{0194fdc2-fa2f-7cc0-81d3-ff1207445ab7}", ColumnType::Uuid),
            "0194fdc2-fa2f-7cc0-81d3-ff1207445ab7"
        );
        assert_eq!(text(Value::Float(0.1), &ColumnType::Float4), "0.1");
        assert_eq!(text(Value::Bool(true), &ColumnType::Jsonb), "true");
        let texts = ["a\"b", "c\\d", "", "NULL", "{e,f}"].map(|text| Value::Text(text.to_owned()));
        let array = Value::Array(texts.into_iter().chain([Value::Null]).collect());
        let ty = ColumnType::Array(Box::new(ColumnType::Text));
        assert_eq!(text(array, &ty), r#"{"a\"b","c\\d","","NULL","{e,f}",NULL}"#);
        assert_eq!(encode_text(&Value::Null, &ty, &mut String::new()), Ok(true));
        let boxes = Value::Array(vec![Value::Text("(1,1),(0,0)".to_owned()), Value::Null]);
        let other = |name: &str| ColumnType::Other(name.into());
        assert_eq!(text(boxes, &ColumnType::Array(Box::new(other("box")))), r#"{"(1,1),(0,0)";NULL}"#);
        assert_eq!(text(Value::Int(5), &other("oid")), "5");
        assert_eq!(text(Value::Text("NaN".to_owned()), &ColumnType::Float8), "NaN");
        assert!(encode_text(&Value::Text("1".to_owned()), &ColumnType::Float8, &mut String::new()).is_err());
        assert!(encode_text(&Value::Text("\0".to_owned()), &ColumnType::Text, &mut String::new()).is_err());
    }
}
