//! SQL as text: identifiers, literals, the conditions that plans print.

pub(crate) mod condition;
pub(crate) mod quote;
pub(crate) mod tokens;
