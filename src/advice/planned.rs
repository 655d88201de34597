//! A statement with one of its plans, as an index is sought for it.

use std::{cell::OnceCell, collections::BTreeSet};

use super::query::Text;
use crate::{catalog::Tables, plan::Plan};

/// A plan of a statement, and what is known beside it.
#[derive(Debug, Clone)]
pub(crate) struct Planned<'a> {
    pub(crate) plan: &'a Plan,
    /// What the catalog says of its tables; empty without a database.
    pub(crate) tables: &'a Tables,
    sql: Option<&'a str>,
    text: OnceCell<Text>,
    index_names: OnceCell<BTreeSet<&'a str>>,
}

impl<'a> Planned<'a> {
    pub(crate) fn new(plan: &'a Plan, sql: Option<&'a str>, tables: &'a Tables) -> Self {
        Self { plan, tables, sql, text: OnceCell::new(), index_names: OnceCell::new() }
    }

    /// What the statement's text says, read when it is first asked for.
    pub(crate) fn text(&self) -> &Text {
        self.text.get_or_init(|| Text::of(self.sql, self.plan, self.tables))
    }

    /// Names of the indexes that the plan reads.
    pub(crate) fn index_names(&self) -> &BTreeSet<&'a str> {
        let plan = self.plan;
        self.index_names.get_or_init(|| plan.nodes().iter().filter_map(|node| node.index.as_deref()).collect())
    }
}
