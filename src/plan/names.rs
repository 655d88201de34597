//! Names of the tables that nodes read, as SQL writes them.

use super::model::Node;
use crate::sqltext::quote::identifier;

/// The table that a node reads, with its schema where the plan says so and it is not `public`.
pub(crate) fn table(node: &Node) -> Option<String> {
    let relation = identifier(node.relation.as_ref()?);
    Some(match node.schema.as_deref().filter(|schema| *schema != "public") {
        Some(schema) => format!("{}.{relation}", identifier(schema)),
        None => relation,
    })
}

/// What the name of a chunk of a TimescaleDB hypertable says of that: `_hyper_4` of `_hyper_4_101_chunk`.
pub(crate) fn hypertable_of(relation: &str) -> Option<&str> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (hypertable, chunk) = relation.strip_suffix("_chunk")?.rsplit_once('_')?;
    (is_number(chunk) && hypertable.strip_prefix("_hyper_").is_some_and(is_number)).then_some(hypertable)
}
