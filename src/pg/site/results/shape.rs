//! What the results of a statement look like, and the SQL with which they are fetched.

use tokio_postgres::{Statement as Prepared, types::Type};

use super::cell::Form;
use crate::{
    draw::ColumnType,
    pg::{
        link::{
            error::{Error, Result},
            request::Request,
            user_session::UserSession,
        },
        site::{
            catalog::column_type,
            describe::{place_at, prepare},
        },
    },
    scenario::{Protocol, RowRules, Statement, row_rules},
};

/// What the results of a statement look like.
#[derive(Debug)]
pub struct Shape {
    /// Names of its columns; none where it returns no rows.
    pub columns: Vec<String>,
    /// How the values of a row are compared: those of its columns, then those of sort keys beside them.
    pub forms: Vec<Form>,
    /// Which values of a row are its sort keys, the first of them first; `None` where it is not ordered, or that cannot be told.
    pub keys: Option<Vec<usize>>,
    /// What its text says of its rows.
    pub rules: RowRules,
    /// How it is sent.
    pub(crate) request: Request,
    /// Types of its parameters.
    pub(crate) types: Vec<ColumnType>,
}

impl Shape {
    /// Whether it returns rows.
    pub fn has_rows(&self) -> bool {
        !self.columns.is_empty()
    }

    /// Prepares the statement, the scenario's one of this `index`, to find it out.
    pub(crate) async fn new(
        session: &UserSession,
        index: usize,
        statement: &Statement,
        protocol: Protocol,
    ) -> Result<Self> {
        let prepared = prepare(session, statement).await?;
        let sql = statement.sql.only();
        let types = prepared.params().iter().map(column_type).collect::<Option<_>>().ok_or_else(|| {
            let place = place_at(&statement.sql, 0);
            Error::new(format!("{place}: statement {}: no values can be made for a parameter", statement.name))
        })?;
        let columns: Vec<String> = prepared.columns().iter().map(|column| column.name().to_owned()).collect();
        let rules = row_rules(sql);
        let keys = rules.order.as_ref().map(|keys| Keys::new(keys, &columns));
        let request = Request::default();
        let mut shape = Self { forms: forms(&prepared), keys: None, request, columns, types, rules };
        let mut with_keys = None;
        match keys {
            Some(keys) if keys.added.is_empty() => shape.keys = Some(keys.places),
            Some(keys) => {
                if let Some((sql, forms)) = keys.add(session, sql, &shape, prepared.params()).await {
                    with_keys = Some(sql);
                    shape.forms = forms;
                    shape.keys = Some(keys.places);
                }
            }
            None => {}
        }
        let sql = with_keys.as_deref().unwrap_or(sql);
        shape.request = Request::new(session, index, sql, prepared.params(), protocol).await;
        Ok(shape)
    }

    /// Made by hand.
    #[cfg(test)]
    pub(crate) fn of(columns: &[&str], forms: &[Form], keys: Option<Vec<usize>>, sql: &str) -> Self {
        Self {
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            forms: forms.to_vec(),
            keys,
            rules: row_rules(sql),
            request: Request::default(),
            types: Vec::new(),
        }
    }
}

/// Where the sort keys stand in a row.
#[derive(Debug, PartialEq)]
struct Keys {
    places: Vec<usize>,
    /// Those that are added to the columns.
    added: Vec<String>,
}

impl Keys {
    /// A key that is a column of the output is found there, the others are added. In ORDER BY a whole number and a plain name are a
    /// column of the output, if there is one, and everything else an expression over the input.
    fn new(keys: &[String], columns: &[String]) -> Self {
        let mut added = Vec::new();
        let mut place = |key: &String| {
            let name = match key.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
                Some(quoted) => quoted.replace("\"\"", "\""),
                None => key.to_lowercase(),
            };
            let number = key.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let found = number.or_else(|| columns.iter().position(|column| *column == name));
            found.unwrap_or_else(|| {
                added.push(key.clone());
                columns.len() + added.len() - 1
            })
        };
        let places = keys.iter().map(&mut place).collect();
        Self { places, added }
    }

    /// The statement with the keys as further columns, if it prepares so and is otherwise the same.
    async fn add(
        &self,
        session: &UserSession,
        sql: &str,
        shape: &Shape,
        parameters: &[Type],
    ) -> Option<(String, Vec<Form>)> {
        let (before, after) = sql.split_at_checked(shape.rules.columns_end?)?;
        let added: String = self.added.iter().map(|key| format!(", ({key})")).collect();
        let sql = format!("{before}{added}{after}");
        let prepared = session.prepare(&sql).await.ok()?;
        let forms = forms(&prepared);
        let same = prepared.params() == parameters
            && forms.len() == shape.columns.len() + self.added.len()
            && forms.starts_with(&shape.forms)
            && prepared.columns().iter().zip(&shape.columns).all(|(column, name)| column.name() == name);
        same.then_some((sql, forms))
    }
}

fn forms(prepared: &Prepared) -> Vec<Form> {
    prepared.columns().iter().map(|column| Form::of(column.type_())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_columns_or_added_to_them() {
        let keys = |keys: &[&str]| {
            let columns = ["id", "Name", "total"].map(str::to_owned);
            let found = Keys::new(&keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>(), &columns);
            (found.places, found.added)
        };
        assert_eq!(keys(&["3", "ID", "\"Name\""]), (vec![2, 0, 1], vec![]));
        assert_eq!(keys(&["e.total", "id", "name"]), (vec![3, 0, 4], vec!["e.total".to_owned(), "name".to_owned()]));
    }
}
