//! FORMAT JSON to the normal form.

pub(crate) mod read;
pub(crate) mod tokens;
