//! Whether a generator can make the values of a column: another room knows.

use crate::scenario::{
    declared::DeclaredType,
    model::{Column, Dataset, Table},
};

/// Says why a column of this type cannot be filled as the scenario says. Who draws values knows.
pub type Misfit<'a> = &'a dyn Fn(&Dataset, &Table, &Column, &DeclaredType) -> Option<String>;
