//! What the words of a statement say.

use std::collections::BTreeSet;

use crate::scenario::reach::name::Name;

/// Why a statement may write outside of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beyond {
    /// It writes to, changes or drops this, which is not known to be in the schema.
    Names(Name),
    /// It is of a kind that can do anything, or that is not known.
    Anything,
}

/// What the words of a statement say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Why it may write outside the schema; `None` if all that it writes by itself is in it.
    pub beyond: Option<Beyond>,
    /// The tables whose rows it writes.
    pub targets: BTreeSet<Name>,
    /// The tables that it makes another table like.
    pub templates: BTreeSet<Name>,
    /// Whether it locks rows that it reads.
    pub locks: bool,
    /// Every name in it that may be a relation's or a type's.
    pub names: BTreeSet<Name>,
    /// Every name in it that may be a function's.
    pub calls: BTreeSet<Name>,
    /// Every name after a period: `row.name` calls the function `name` if the row has no such column.
    pub attributes: BTreeSet<String>,
    /// Whether it has names that are not read, because they are written by the numbers of their characters.
    pub coded: bool,
}

impl Reading {
    /// Takes names out that need not be looked up.
    pub fn forget(&mut self, is_known: impl Fn(&Name) -> bool) {
        for names in [&mut self.names, &mut self.targets, &mut self.templates] {
            names.retain(|name| !is_known(name));
        }
    }

    /// What is read of this statement and another one.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        self.targets.extend(other.targets.iter().cloned());
        self.templates.extend(other.templates.iter().cloned());
        self.names.extend(other.names.iter().cloned());
        self.calls.extend(other.calls.iter().cloned());
        self.attributes.extend(other.attributes.iter().cloned());
        self.locks |= other.locks;
        self
    }

    pub(crate) fn ended(mut self, beyond: Option<Beyond>) -> Self {
        self.beyond = if self.coded { Some(Beyond::Anything) } else { beyond };
        self
    }
}
