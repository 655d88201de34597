//! Where drawn values go: a binary field, an owned value, or JSON text.

use super::{
    cell::{Cell, begin_field, end_field},
    moment,
};
use crate::scenario::Value;

/// Takes a drawn value.
pub(super) trait Sink {
    /// A scalar.
    fn cell(&mut self, cell: Cell<'_>);

    /// An array of `length` elements, each of which `element` puts into the sink it is given.
    fn array(&mut self, element_oid: u32, length: usize, element: impl FnMut(&mut Self));
}

/// Appends fields as binary COPY has them: int32 length (-1 for NULL), bytes.
pub(super) struct BinarySink<'a>(pub(super) &'a mut Vec<u8>);

impl Sink for BinarySink<'_> {
    #[inline]
    fn cell(&mut self, cell: Cell<'_>) {
        cell.write_binary(self.0);
    }

    fn array(&mut self, element_oid: u32, length: usize, mut element: impl FnMut(&mut Self)) {
        let field = begin_field(self.0);
        write_array_header(element_oid, length, self.0);
        for _ in 0..length {
            element(self);
        }
        end_field(field, self.0);
    }
}

/// Appends what `array_recv` expects before the elements: dimensions, flags, element type, then length and lower bound.
pub fn write_array_header(element_oid: u32, length: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&i32::from(length > 0).to_be_bytes());
    out.extend_from_slice(&0_i32.to_be_bytes());
    out.extend_from_slice(&element_oid.to_be_bytes());
    if length > 0 {
        out.extend_from_slice(&(length as i32).to_be_bytes());
        out.extend_from_slice(&1_i32.to_be_bytes());
    }
}

/// Collects owned values.
#[derive(Default)]
pub(super) struct ValueSink(pub(super) Vec<Value>);

impl Sink for ValueSink {
    fn cell(&mut self, cell: Cell<'_>) {
        self.0.push(cell.value());
    }

    fn array(&mut self, _: u32, length: usize, mut element: impl FnMut(&mut Self)) {
        let mut elements = Self::default();
        for _ in 0..length {
            element(&mut elements);
        }
        self.0.push(Value::Array(elements.0));
    }
}

/// Appends JSON text.
pub(super) struct JsonSink<'a>(pub(super) &'a mut Vec<u8>);

impl Sink for JsonSink<'_> {
    #[inline]
    fn cell(&mut self, cell: Cell<'_>) {
        match cell {
            Cell::Null => self.0.extend_from_slice(b"null"),
            Cell::Text(text) => write_string(text, self.0),
            Cell::Json(text) | Cell::Jsonb(text) => self.0.extend_from_slice(text),
            Cell::Fixed(fixed) => self.0.extend_from_slice(fixed.bytes.as_deref().unwrap_or(b"null")),
            Cell::Timestamptz(micros) => write_string(moment::rfc3339_text(micros).as_bytes(), self.0),
            other => match other.value() {
                Value::Int(value) => write_integer(value, self.0),
                // Decimals are numbers in JSON and keep their digits.
                Value::Text(text) if matches!(other, Cell::Numeric(_)) => self.0.extend_from_slice(text.as_bytes()),
                value => write_value(&value, self.0),
            },
        }
    }

    fn array(&mut self, _: u32, length: usize, mut element: impl FnMut(&mut Self)) {
        self.0.push(b'[');
        for index in 0..length {
            if index > 0 {
                self.0.push(b',');
            }
            element(self);
        }
        self.0.push(b']');
    }
}

/// Appends a scenario's value as JSON text; a float that JSON cannot hold is null.
pub(super) fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Int(value) => write_integer(*value, out),
        Value::Float(value) if value.is_finite() => out.extend_from_slice(value.to_string().as_bytes()),
        Value::Float(_) => out.extend_from_slice(b"null"),
        Value::Text(text) => write_string(text.as_bytes(), out),
        Value::Array(values) => {
            out.push(b'[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(value, out);
            }
            out.push(b']');
        }
    }
}

fn write_integer(value: i64, out: &mut Vec<u8>) {
    let mut buffer = [0_u8; 20];
    let mut start = buffer.len();
    let mut rest = value.unsigned_abs();
    loop {
        start -= 1;
        buffer[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&buffer[start..]);
}

/// Appends UTF-8 text as a JSON string.
pub(super) fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    if text.iter().all(|byte| *byte >= b' ' && *byte != b'"' && *byte != b'\\') {
        out.extend_from_slice(text);
    } else {
        write_escaped(text, out);
    }
    out.push(b'"');
}

fn write_escaped(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            0..=0x1F => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(*byte),
        }
    }
}
