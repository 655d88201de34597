//! How a statement is sent so that its rows come back as text.

use tokio_postgres::types::Type;

use super::{
    error::{Error, Result},
    literal::Template,
    user_session::UserSession,
};
use crate::{pg::site::catalog::type_name, scenario::Protocol, sqltext::quote::quote_literal};

/// A parameter's value in one execution: as text for the server, and as a person reads it. The text of NULL is `None`.
pub(crate) type Argument = (Option<String>, String);

/// How a statement is sent, in one simple query, so that its rows come back as text.
#[derive(Debug)]
pub(crate) enum Request {
    /// With parameters, as the load binds them: `EXECUTE` of what `PREPARE` gave this name.
    Execute(String),
    /// With its values in the text, each of its parameter's type: as the load sends it where its
    /// protocol is the simple one, and where `PREPARE` does not take the statement.
    Text(Template),
}

impl Default for Request {
    fn default() -> Self {
        Self::Execute(String::new())
    }
}

impl Request {
    /// Of the statement with this `index`, as a load with this protocol sends it. A session has one for each index.
    pub(crate) async fn new(
        session: &UserSession,
        index: usize,
        sql: &str,
        types: &[Type],
        protocol: Protocol,
    ) -> Self {
        let name = format!("latclinic_request_{index}");
        // PREPARE gives each parameter the type that Parse gives it. It takes what has a plan, and no
        // CALL, for instance.
        let is_prepared = protocol != Protocol::Simple
            && !types.is_empty()
            && session.run(&format!("PREPARE {name} AS {sql}")).await.is_ok();
        if is_prepared {
            return Self::Execute(name);
        }
        let names: Vec<String> = types.iter().map(type_name).collect();
        Self::Text(Template::new(sql, &names))
    }

    /// Frees its index in the session.
    ///
    /// # Errors
    /// The server refuses.
    pub(crate) async fn forget(self, session: &UserSession) -> Result<()> {
        let Self::Execute(name) = self else { return Ok(()) };
        let failed = |cause| Error::from_server("cannot forget a prepared statement", cause);
        session.run(&format!("DEALLOCATE {name}")).await.map_err(failed)
    }

    /// The text to send for these values.
    ///
    /// # Errors
    /// A parameter has no value.
    pub(crate) fn sql(&self, values: &[Argument]) -> Result<String> {
        match self {
            Self::Execute(name) => {
                let literal = |(value, _): &Argument| value.as_deref().map_or("NULL".to_owned(), quote_literal);
                let literals: Vec<String> = values.iter().map(literal).collect();
                Ok(format!("EXECUTE {name} ({})", literals.join(", ")))
            }
            Self::Text(template) => template.fill(|index, out: &mut String| match values.get(index) {
                Some((value, _)) => {
                    out.push_str(value.as_deref().unwrap_or_default());
                    Ok(value.is_none())
                }
                None => Err(Error::new(format!("parameter ${} has no value", index + 1))),
            }),
        }
    }
}
