//! Plans in what people paste: as psql, auto_explain's log and clients print them, in JSON and text.

pub(crate) mod broken_json;
pub(crate) mod clean;
#[cfg(test)]
mod damaged;
pub(crate) mod foreign;
pub(crate) mod markup;
pub(crate) mod prefix;
pub(crate) mod read;
pub(crate) mod row;
pub(crate) mod secrets;
