//! What is in a schema.

use std::collections::BTreeMap;

use super::{name::Name, reading::Beyond};

/// What a relation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationKind {
    /// It has rows of its own, which are in the schema as it is.
    Table,
    /// Any other: a view, say, whose rows are somewhere else.
    Other,
}

/// The relations of a schema, which is the first of the search path.
#[derive(Debug, Clone)]
pub struct Known {
    schema: String,
    relations: BTreeMap<String, RelationKind>,
}

impl Known {
    /// Of a schema with these relations.
    pub fn new(schema: impl Into<String>, relations: impl IntoIterator<Item = (String, RelationKind)>) -> Self {
        Self { schema: schema.into(), relations: relations.into_iter().collect() }
    }

    /// Whether what is created under this name is in the schema.
    pub(super) fn creates(&self, name: &Name) -> bool {
        name.schema.as_ref().is_none_or(|schema| *schema == self.schema)
    }

    /// Whether a name is that of a relation in the schema.
    pub fn has(&self, name: &Name) -> bool {
        self.kind(name).is_some()
    }

    fn kind(&self, name: &Name) -> Option<RelationKind> {
        match &name.schema {
            Some(schema) if *schema == self.schema => {}
            // What is in pg_catalog comes before any search path.
            None if !name.name.starts_with("pg_") => {}
            _ => return None,
        }
        self.relations.get(&name.name).copied()
    }

    /// # Errors
    /// It is no relation in the schema.
    pub(super) fn require(&self, name: &Name) -> Result<(), Beyond> {
        if self.has(name) { Ok(()) } else { Err(Beyond::Names(name.clone())) }
    }

    /// # Errors
    /// It is no table in the schema.
    pub(super) fn require_table(&self, name: &Name) -> Result<(), Beyond> {
        match self.kind(name) {
            Some(RelationKind::Table) => Ok(()),
            _ => Err(Beyond::Names(name.clone())),
        }
    }

    /// # Errors
    /// It is created elsewhere.
    pub(super) fn add(&mut self, name: &Name, kind: RelationKind) -> Result<(), Beyond> {
        if !self.creates(name) {
            return Err(Beyond::Names(name.clone()));
        }
        // IF NOT EXISTS leaves what is there.
        self.relations.entry(name.name.clone()).or_insert(kind);
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &Name) {
        self.relations.remove(&name.name);
    }

    /// Something is dropped with all that depends on it.
    pub(super) fn forget_all(&mut self) {
        self.relations.clear();
    }

    /// Something is dropped that indexes, views and sequences may depend on.
    pub(super) fn forget_others(&mut self) {
        self.relations.retain(|_, kind| *kind == RelationKind::Table);
    }

    pub(super) fn rename(&mut self, name: &Name, new: &str) {
        if let Some(kind) = self.relations.remove(&name.name) {
            self.relations.insert(new.to_owned(), kind);
        }
    }
}
