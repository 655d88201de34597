//! What the catalog knows of a scenario's schema: its mark, its columns; and the statements that make it.

use std::sync::Arc;

use tokio_postgres::{
    error::ErrorPosition,
    types::{Kind, Type},
};

use crate::{
    draw::{ColumnType, Enum},
    pg::link::{
        Client, Fault,
        error::{Error, Result},
        user_session::UserSession,
    },
    scenario::{Column, SqlStatement, SqlText},
    sqltext::quote::quote_identifier,
};

/// What the comment on every schema of latclinic's begins with.
pub(crate) const MARK: &str = "latclinic: made for scenario ";

/// `"schema"."table"`.
pub(crate) fn qualified(schema: &str, table: &str) -> String {
    format!("{}.{}", quote_identifier(schema), quote_identifier(table))
}

/// A type as SQL names it, whatever the search path: without a length, also of `bit` and `char`.
pub(crate) fn type_name(ty: &Type) -> String {
    qualified(ty.schema(), ty.name())
}

/// Whether PostgreSQL itself has the type. Of another one its owner may have made casts, which are functions.
pub(crate) fn is_built_in(ty: &Type) -> bool {
    Type::from_oid(ty.oid()).is_some()
}

/// What a domain is made of: a value of the domain itself would run its constraints, which may be anybody's functions.
pub(crate) fn undomained(ty: &Type) -> &Type {
    match ty.kind() {
        Kind::Domain(base) => undomained(base),
        _ => ty,
    }
}

/// The operator of equality for values of a type, with its schema: that of its default operator class, as indexes have it, which
/// only a superuser can have made. A type without one is compared by PostgreSQL's own.
pub(crate) async fn equality(own: &Client, ty: u32) -> std::result::Result<String, Fault> {
    let operator = "
        SELECT n.nspname::text, o.oprname::text
        FROM pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod
        JOIN pg_amop a ON a.amopfamily = c.opcfamily AND a.amoplefttype = c.opcintype AND a.amoprighttype = c.opcintype
        JOIN pg_operator o ON o.oid = a.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace
        WHERE m.amname = 'btree' AND c.opcdefault AND c.opcintype = $1 AND a.amopstrategy = 3";
    Ok(match own.query_opt(operator, &[&ty]).await? {
        Some(row) => format!("OPERATOR({}.{})", quote_identifier(row.get(0)), row.get::<_, &str>(1)),
        None => "OPERATOR(pg_catalog.=)".to_owned(),
    })
}

/// Makes sure that transactions of this session may write.
///
/// # Errors
/// They may not, in words why and what helps, or the server cannot be asked.
pub async fn check_writable(client: &Client) -> Result<()> {
    let row = client
        .query_one(
            "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on', current_user::text,
                    current_database()::text",
            &[],
        )
        .await
        .map_err(|cause| Error::from_server("cannot ask whether the server takes writes", cause))?;
    let (user, database): (String, String) = (row.get(2), row.get(3));
    if row.get(0) {
        return Err(Error::new("the server is a standby, which nothing can be written to")
            .with_hint("name its primary in the database URL"));
    }
    if row.get(1) {
        return Err(Error::new(format!("transactions of {user} in database {database} are read-only"))
            .with_hint("use a role and database whose default_transaction_read_only is off"));
    }
    Ok(())
}

/// Whether a role may make a schema here, and if not, in words why and what helps.
///
/// # Errors
/// On a read-only server, without the privilege, or when the server cannot be asked.
pub(crate) async fn check_may_create(client: &Client) -> Result<()> {
    check_writable(client).await?;
    let row = client
        .query_one(
            "SELECT has_database_privilege(current_database(), 'CREATE'), current_user::text, current_database()::text",
            &[],
        )
        .await
        .map_err(|cause| Error::from_server("cannot ask for privileges", cause))?;
    if !row.get::<_, bool>(0) {
        let (user, database): (String, String) = (row.get(1), row.get(2));
        return Err(Error::new(format!("{user} may not create a schema in database {database}")).with_hint(format!(
            "let an owner run: GRANT CREATE ON DATABASE {} TO {}",
            quote_identifier(&database),
            quote_identifier(&user)
        )));
    }
    Ok(())
}

/// Runs the statements of a text, each on its own.
///
/// # Errors
/// When one fails: the message begins with `file:line`, and with the column where the server names a place.
pub(crate) async fn run_statements(session: &UserSession, sql: &SqlText) -> Result<()> {
    for statement in &sql.statements {
        session.run(&statement.text).await.map_err(|cause| {
            let place = fault_place(statement, cause.as_db_error().and_then(|error| error.position()));
            Error::from_sql(format!("{}:{place}", sql.source), cause)
        })?;
    }
    Ok(())
}

/// `line` or `line:column` of a fault in the whole text.
fn fault_place(statement: &SqlStatement, position: Option<&ErrorPosition>) -> String {
    let Some(ErrorPosition::Original(position)) = position else {
        return statement.line.to_string();
    };
    let before: String = statement.text.chars().take((*position as usize).saturating_sub(1)).collect();
    match before.rsplit_once('\n') {
        // The column of the statement's first line is unknown: other statements may stand before it.
        None => format!("{}: at character {position} of the statement", statement.line),
        Some((above, line)) => {
            format!("{}:{}", statement.line + above.matches('\n').count() + 1, line.chars().count() + 1)
        }
    }
}

/// Columns of a table with their types, in the table's order. Those that nobody may write, and those that values cannot be made
/// for, are left out unless `generated` names them.
///
/// # Errors
/// When there is no such table, or a generated column is one of these.
pub(crate) async fn columns(
    client: &Client,
    schema: &str,
    table: &str,
    generated: &[Column],
) -> Result<Vec<(String, ColumnType)>> {
    let statement = client
        .prepare(&format!("SELECT * FROM {}", qualified(schema, table)))
        .await
        .map_err(|cause| Error::from_sql(format!("table {table} of the dataset is not in the schema"), cause))?;
    let computed = computed_columns(client, schema, table).await?;
    let mut columns = Vec::new();
    for column in statement.columns() {
        let ty = column_type(column.type_());
        let refused = match &ty {
            None => Some(format!("has the type {}, which no generator makes", column.type_())),
            Some(_) => computed
                .iter()
                .any(|computed| computed == column.name())
                .then(|| "is computed by the server (GENERATED ALWAYS AS)".to_owned()),
        };
        match (refused, ty) {
            (None, Some(ty)) => columns.push((column.name().to_owned(), ty)),
            (Some(why), _) if generated.iter().any(|generated| generated.name == column.name()) => {
                return Err(Error::usage(format!("{table}.{} {why}", column.name()))
                    .with_hint("take the column out of the dataset"));
            }
            _ => {}
        }
    }
    Ok(columns)
}

/// Columns of a table that are computed from others.
async fn computed_columns(client: &Client, schema: &str, table: &str) -> Result<Vec<String>> {
    let query = "SELECT attname::text FROM pg_catalog.pg_attribute
                 WHERE attrelid OPERATOR(pg_catalog.=) $1::pg_catalog.text::pg_catalog.regclass
                   AND attgenerated OPERATOR(pg_catalog.<>) '' AND NOT attisdropped";
    let rows = client.query(query, &[&qualified(schema, table)]).await;
    let rows = rows.map_err(|cause| Error::from_server(format!("cannot read the columns of {table}"), cause))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The type that values are made for; a domain is its base type. `None` of a pseudo-type, which no value is of.
pub fn column_type(ty: &Type) -> Option<ColumnType> {
    Some(match ty.kind() {
        Kind::Domain(base) => column_type(base)?,
        Kind::Enum(labels) => {
            let (name, labels) = (ty.name().to_owned(), labels.clone());
            ColumnType::Enum(Arc::new(Enum { oid: ty.oid(), name, labels }))
        }
        Kind::Simple if is_built_in(ty) => ColumnType::built_in(ty.name()),
        Kind::Simple if ty.name() == "citext" => ColumnType::TextLike(ty.oid()),
        // An array says in its binary form that its elements are of the domain.
        Kind::Array(element) if matches!(element.kind(), Kind::Domain(_)) => {
            ColumnType::Array(Box::new(ColumnType::Other(element.name().into())))
        }
        // What has elements and another name, such as int2vector, is no array in its text or binary form.
        Kind::Array(element) if ty.name().starts_with('_') => ColumnType::Array(Box::new(column_type(element)?)),
        Kind::Pseudo => return None,
        _ => ColumnType::Other(ty.name().into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_literals_are_quoted() {
        assert_eq!(qualified("latclinic_a", "my \"t\""), r#""latclinic_a"."my ""t""""#);
        assert_eq!(crate::sqltext::quote::quote_literal(r"it's a \"), r"E'it''s a \\'");
    }

    #[test]
    fn types_resolve() {
        assert_eq!(column_type(&Type::JSONB_ARRAY), Some(ColumnType::Array(Box::new(ColumnType::Jsonb))));
        assert_eq!(column_type(&Type::VARCHAR), Some(ColumnType::TextLike(1043)));
        assert_eq!(column_type(&Type::INTERVAL), Some(ColumnType::Other("interval".into())));
        assert_eq!(column_type(&Type::INT2_VECTOR), Some(ColumnType::Other("int2vector".into())));
        assert_eq!(column_type(&Type::RECORD), None);
        let domain = Type::new("positive".into(), 99_999, Kind::Domain(Type::INT4), "public".into());
        assert_eq!(column_type(&domain), Some(ColumnType::Int4));
        let array = Type::new("_positive".into(), 99_997, Kind::Array(domain), "public".into());
        let elements = ColumnType::Other("positive".into());
        assert_eq!(column_type(&array), Some(ColumnType::Array(Box::new(elements))));
        let mood = Type::new("mood".into(), 99_998, Kind::Enum(vec!["glad".into()]), "public".into());
        let labels = Enum { oid: 99_998, name: "mood".to_owned(), labels: vec!["glad".to_owned()] };
        assert_eq!(column_type(&mood), Some(ColumnType::Enum(Arc::new(labels))));
    }

    #[test]
    fn faults_are_placed_in_the_whole_file() {
        let statement = SqlStatement { text: "CREATE TABLE t (\n  id bigint,\n  x nosuch\n)".into(), line: 10 };
        assert_eq!(fault_place(&statement, None), "10");
        assert_eq!(fault_place(&statement, Some(&ErrorPosition::Original(35))), "12:5");
        assert_eq!(fault_place(&statement, Some(&ErrorPosition::Original(8))), "10: at character 8 of the statement");
    }
}
