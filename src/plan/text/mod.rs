//! FORMAT TEXT to the normal form: what it says under the keys of FORMAT JSON. The tree is in the indentation.

pub(crate) mod begins;
pub(crate) mod details;
pub(crate) mod indent;
pub(crate) mod label;
pub(crate) mod line;
pub(crate) mod open;
pub(crate) mod read;
pub(crate) mod reader;
pub(crate) mod shape;
pub(crate) mod torn;
pub(crate) mod wrapped;
