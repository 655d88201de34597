//! The text forms that need no knowledge of the type: what is given as text, and arrays.

use super::{
    column_type::ColumnType,
    error::{Error, Result},
};
use crate::scenario::Value;

/// The text of a value of which only the server knows whether it is one of the type, and of an array of such. Says whether it is NULL.
pub(crate) fn as_it_is(value: &Value, ty: &ColumnType, out: &mut String) -> Result<bool> {
    if let (ColumnType::Array(element), Value::Array(values)) = (ty, value) {
        return array(values, element, out, as_it_is);
    }
    match value {
        Value::Null => return Ok(true),
        Value::Text(text) if text.contains('\0') => {
            return Err(Error::new(format!("a {ty} cannot hold the character U+0000")));
        }
        Value::Text(text) => out.push_str(text),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Float(value) => out.push_str(&value.to_string()),
        Value::Array(_) => return Err(Error::new(format!("{value} is not a valid {ty}: write {}", ty.example()))),
    }
    Ok(false)
}

/// The text of an array of `values`, each as `write` has it. It is not NULL: `false`.
pub(crate) fn array(
    values: &[Value],
    element: &ColumnType,
    out: &mut String,
    write: impl Fn(&Value, &ColumnType, &mut String) -> Result<bool>,
) -> Result<bool> {
    let mut array = ArrayText::begin(element, out);
    let mut text = String::new();
    for value in values {
        text.clear();
        let null = write(value, element, &mut text)?;
        array.push((!null).then_some(text.as_str()));
    }
    array.end();
    Ok(false)
}

/// An array's text, as it is written.
pub struct ArrayText<'o> {
    out: &'o mut String,
    delimiter: char,
    first: bool,
}

impl<'o> ArrayText<'o> {
    /// Begins one of elements of this type.
    pub fn begin(element: &ColumnType, out: &'o mut String) -> Self {
        out.push('{');
        Self { out, delimiter: element.delimiter(), first: true }
    }

    /// Appends an element; `None` is NULL.
    pub fn push(&mut self, element: Option<&str>) {
        if !std::mem::take(&mut self.first) {
            self.out.push(self.delimiter);
        }
        let Some(element) = element else { return self.out.push_str("NULL") };
        self.out.push('"');
        for letter in element.chars() {
            if matches!(letter, '"' | '\\') {
                self.out.push('\\');
            }
            self.out.push(letter);
        }
        self.out.push('"');
    }

    /// Ends it.
    pub fn end(self) {
        self.out.push('}');
    }
}
