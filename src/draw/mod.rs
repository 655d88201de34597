//! Deterministic values from (seed, address), typed and encoded for PostgreSQL: pure.
//!
//! A [`Stream`] is named by a seed and a path (`["events", "user_id"]`) and hands out an independent [`Random`] for each
//! index, so a value depends on its address alone and never on what was drawn before. A [`Sampler`] is a
//! [`Generator`](crate::scenario::Generator) compiled for one [`ColumnType`]; a [`ColumnSampler`] is one column of a
//! dataset, with its stream and its share of NULLs. The same draw gives a binary COPY field or an owned
//! [`Value`](crate::scenario::Value), and [`encode`] turns such a value into the very bytes that COPY would send. Of a type
//! that is not known here values are made as their generator makes them where nothing says more, and written as text.

mod as_it_is;
mod cell;
mod column;
mod column_type;
mod decimal;
mod encode;
mod error;
mod json;
mod moment;
mod natural_type;
mod number;
mod random;
mod referenced;
mod sampler;
mod sink;
mod text;
mod text_form;

pub use as_it_is::ArrayText;
pub use column_type::{ColumnType, Enum};
pub use encode::encode;
pub use error::{Error, Result};
pub use random::{Random, Stream};
pub use sampler::{ColumnSampler, Sampler, Scratch};
pub use sink::write_array_header;
pub use text_form::encode_text;

#[cfg(test)]
mod tests;
