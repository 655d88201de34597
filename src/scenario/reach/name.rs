//! A name in a statement.

use std::fmt;

/// A name in a statement, as the catalog has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The schema; none if the search path decides.
    pub schema: Option<String>,
    /// The name in it.
    pub name: String,
}

impl Name {
    /// Of the parts that stand between periods; `None` if there are too many.
    pub(crate) fn of(parts: &[&str]) -> Option<Self> {
        let named =
            |schema: Option<&str>, name: &str| Self { schema: schema.map(str::to_owned), name: name.to_owned() };
        match parts {
            [name] => Some(named(None, name)),
            // The database can only be the one that is connected to.
            [schema, name] | [_, schema, name] => Some(named(Some(schema), name)),
            _ => None,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}
