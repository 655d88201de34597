//! Where things stand in a scenario file: a walk over TOML's spanned tree.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A value of the file and its place; or, where there is none, the place of what should hold it.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    span: Range<usize>,
    value: Option<&'a DeValue<'a>>,
    table: Option<&'a DeTable<'a>>,
}

impl<'a> Node<'a> {
    /// The whole file.
    pub(super) fn root(table: &'a Spanned<DeTable<'a>>) -> Self {
        Self { span: table.span(), value: None, table: Some(table.get_ref()) }
    }

    fn of(value: &'a Spanned<DeValue<'a>>) -> Self {
        Self { span: value.span(), value: Some(value.get_ref()), table: value.get_ref().as_table() }
    }

    /// The bytes it stands at.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The value of a key; this place if the key is not there.
    pub(super) fn get(&self, key: &str) -> Self {
        match self.table.and_then(|table| table.get(key)) {
            Some(value) => Self::of(value),
            None => Self { span: self.span(), value: None, table: None },
        }
    }

    /// The value of an element; this place if it is not there.
    pub(super) fn item(&self, index: usize) -> Self {
        match self.value.and_then(DeValue::as_array).and_then(|items| items.get(index)) {
            Some(value) => Self::of(value),
            None => Self { span: self.span(), value: None, table: None },
        }
    }

    /// The elements of an array; none of anything else.
    pub(super) fn items(&self) -> impl Iterator<Item = Self> + use<'a> {
        self.value.and_then(DeValue::as_array).into_iter().flatten().map(Self::of)
    }

    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&'a str> {
        self.value.and_then(DeValue::as_str)
    }

    /// The place of a key itself.
    pub(super) fn key(&self, key: &str) -> Range<usize> {
        let found = self.table.and_then(|table| table.get_key_value(key));
        found.map_or_else(|| self.span(), |(key, _)| key.span())
    }

    /// The keys of a table; none for anything else.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.table.into_iter().flat_map(|table| table.keys()).map(|key| key.get_ref().as_ref())
    }

    /// Whether it is there, faulty or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }
}
