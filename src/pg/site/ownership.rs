//! Whether what is marked as latclinic's belongs to whoever runs it.
//!
//! A mark can be written by anybody who may create a schema. What is in a schema that another role owns (the statements in a
//! ledger, functions, triggers) would run with the rights of the role that trusts the mark.

use crate::pg::link::{
    Client,
    error::{Error, Result},
};

/// Something with latclinic's mark or name that belongs to a role which the current one does not act for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Whose it is.
    pub owner: String,
    /// The table of latclinic's that it is; `None` for the schema itself.
    pub table: Option<String>,
    /// The current role.
    pub user: String,
}

/// The schema `$1` and latclinic's own tables in it, those that belong to a role which the current one does not act for. It acts for
/// itself and for the roles that it was made a member of. A superuser's membership says nothing, nor does one that
/// the role itself has granted, as it may up to PostgreSQL 15 (a superuser could do everything already); and from 16 on a membership may give neither rights nor SET ROLE.
const OTHERS: &str = "
    WITH RECURSIVE own AS (
        SELECT oid, rolsuper FROM pg_roles WHERE rolname = current_user
    ), acts_for AS (
        SELECT oid FROM own
        UNION
        SELECT m.roleid FROM acts_for JOIN pg_auth_members m ON m.member = acts_for.oid JOIN pg_roles r ON r.oid = m.roleid
        WHERE (m.grantor <> m.roleid OR r.rolsuper) AND NOT (SELECT rolsuper FROM own)
          AND (coalesce((to_jsonb(m) ->> 'inherit_option')::bool, true) OR coalesce((to_jsonb(m) ->> 'set_option')::bool, true))
    ), found AS (
        SELECT NULL AS name, nspowner AS owner FROM pg_namespace WHERE nspname = $1
        UNION ALL
        SELECT c.relname::text, c.relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname LIKE '\\_latclinic\\_%'
    )
    SELECT pg_get_userbyid(found.owner)::text, found.name, current_user::text
    FROM found WHERE found.owner NOT IN (SELECT oid FROM acts_for)
    ORDER BY found.name NULLS FIRST LIMIT 1";

/// What of a marked schema belongs to another role, the schema itself first; `None` where nothing does.
///
/// # Errors
/// The server cannot be asked.
pub(crate) async fn other(own: &Client, schema: &str) -> Result<Option<Other>> {
    let failed = |cause| Error::from_server(format!("cannot ask whose the schema {schema} is"), cause);
    let row = own.query_opt(OTHERS, &[&schema]).await.map_err(failed)?;
    Ok(row.map(|row| Other { owner: row.get(0), table: row.get(1), user: row.get(2) }))
}

impl Other {
    /// That it is not trusted; `place` is where, if that is worth saying.
    pub(crate) fn refusal(&self, schema: &str, place: Option<&str>) -> Error {
        let Self { owner, table, user } = self;
        let what = match table {
            None => format!("the schema {schema}"),
            Some(table) => format!("the table {table} in schema {schema}"),
        };
        let at = place.map_or_else(String::new, |place| format!(" on {place}"));
        Error::usage(format!(
            "{what}{at} belongs to role {owner}, and you work as {user}: what is in it would run with the rights of {user}"
        ))
        .with_hint(format!(
            "if you trust {owner}, work as that role (`options=-c role={owner}` in the URL); else drop the schema (DROP SCHEMA {schema} \
             CASCADE), or give the scenario another schema by renaming its file"
        ))
    }
}
