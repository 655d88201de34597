//! The index that a foreign key lacks.

use super::{planned::Planned, query};
use crate::{
    catalog::{Referring, TableFacts},
    sqltext::quote::identifier as quoted,
};

/// The statement that makes an index on the referring columns of a foreign key, of a name that the server chooses, since it knows those
/// that are taken: `CREATE INDEX CONCURRENTLY ON lines (invoice_id)`.
pub(crate) fn index_for_key(planned: &Planned<'_>, referred: &TableFacts, key: &Referring) -> String {
    let columns: Vec<String> = key.columns.iter().map(|column| quoted(column)).collect();
    // A partitioned table cannot be indexed concurrently.
    let concurrently = if key.partitioned { "" } else { " CONCURRENTLY" };
    let mentioned = query::of_node(&planned.text().asked, &referred.name, &referred.name);
    let needs_schema = match mentioned {
        Some(mentioned) => mentioned.schema.is_some() || key.schema != referred.schema,
        None => key.schema != "public",
    };
    let schema = if needs_schema { format!("{}.", quoted(&key.schema)) } else { String::new() };
    format!("CREATE INDEX{concurrently} ON {schema}{} ({})", quoted(&key.table), columns.join(", "))
}
