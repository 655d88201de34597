//! Types as the DDL of a scenario names them, as far as they are known without a server.

use std::collections::BTreeMap;

use sqlparser::ast::Ident;
use sqlparser::ast::{ArrayElemTypeDef, DataType, ObjectName, UserDefinedTypeRepresentation};

/// A type that the DDL of a scenario names or makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeclaredType {
    /// One of PostgreSQL's own, by its name in the catalog: `int4`, `bpchar`.
    BuiltIn(String),
    /// One that an extension is known for.
    Extension(String),
    /// An array.
    Array(Box<Self>),
    /// An enum.
    Enum {
        /// Its name.
        name: String,
        /// Its labels, in their order.
        labels: Vec<String>,
    },
    /// A domain.
    Domain {
        /// Its name.
        name: String,
        /// What it is made of.
        of: Box<Self>,
    },
    /// Any other that the DDL makes: a composite type, a range, a base type.
    Made(String),
}

/// PostgreSQL's own types, by their names in the catalog.
const BUILT_IN: &str = " aclitem bit bool box bpchar bytea char cid cidr circle date datemultirange daterange float4 \
    float8 inet int2 int2vector int4 int4multirange int4range int8 int8multirange int8range interval json jsonb \
    jsonpath line lseg macaddr macaddr8 money name numeric nummultirange numrange oid oidvector path pg_lsn pg_snapshot \
    point polygon refcursor regclass regcollation regconfig regdictionary regnamespace regoper regoperator regproc \
    regprocedure regrole regtype text tid time timestamp timestamptz timetz tsmultirange tsquery tsrange tstzmultirange \
    tstzrange tsvector txid_snapshot uuid varbit varchar xid xid8 xml ";

/// Types that extensions are known for.
const OF_EXTENSIONS: &str = " citext cube ean13 ean13 earth geography geometry halfvec hll hstore isbn isbn13 ismn ismn13 issn \
    issn13 lquery ltree ltxtquery query_int seg sparsevec upc vector ";

/// What the grammar, or a shorthand of it, calls a type, and what the catalog calls it.
const SPELLED: [(&str, &str); 23] = [
    ("int", "int4"),
    ("integer", "int4"),
    ("serial", "int4"),
    ("serial4", "int4"),
    ("smallint", "int2"),
    ("smallserial", "int2"),
    ("serial2", "int2"),
    ("bigint", "int8"),
    ("bigserial", "int8"),
    ("serial8", "int8"),
    ("decimal", "numeric"),
    ("dec", "numeric"),
    ("real", "float4"),
    ("float", "float8"),
    ("double precision", "float8"),
    ("boolean", "bool"),
    ("character varying", "varchar"),
    ("char varying", "varchar"),
    ("character", "bpchar"),
    ("char", "bpchar"),
    ("timestamp with time zone", "timestamptz"),
    ("time with time zone", "timetz"),
    ("bit varying", "varbit"),
];

/// Digits of the mantissa up to which `float(n)` is `real`.
const REAL_DIGITS: u64 = 24;

/// A type as a column names it; `None` if only the server knows it.
pub(super) fn read(named: &DataType, types: &BTreeMap<String, DeclaredType>) -> Option<DeclaredType> {
    match named {
        DataType::Array(ArrayElemTypeDef::SquareBracket(of, _) | ArrayElemTypeDef::Qualified(of, _)) => {
            // An array of arrays is one of more dimensions, and of the same type.
            Some(match read(of, types)? {
                array @ DeclaredType::Array(_) => array,
                of => DeclaredType::Array(Box::new(of)),
            })
        }
        DataType::Custom(name, _) => named_by(name, types),
        other => spelled(&other.to_string(), types),
    }
}

/// A type that the DDL makes; a shell, which is made later, included.
pub(super) fn made(name: String, representation: Option<&UserDefinedTypeRepresentation>) -> DeclaredType {
    match representation {
        Some(UserDefinedTypeRepresentation::Enum { labels }) => {
            DeclaredType::Enum { name, labels: labels.iter().map(|label| label.value.clone()).collect() }
        }
        _ => DeclaredType::Made(name),
    }
}

/// By a name that is no key word.
fn named_by(name: &ObjectName, types: &BTreeMap<String, DeclaredType>) -> Option<DeclaredType> {
    let own = catalog_name(name)?;
    let quoted = name.0.last().and_then(|part| part.as_ident()).is_some_and(|last| last.quote_style.is_some());
    let schema = name.0.len().checked_sub(2).and_then(|at| name.0[at].as_ident());
    match schema {
        Some(schema) if schema.value == "pg_catalog" => is_in(BUILT_IN, &own).then_some(DeclaredType::BuiltIn(own)),
        Some(_) => types.get(&own).cloned(),
        None if quoted => by_name(&own, types),
        None => spelled(&own, types),
    }
}

/// As the grammar spells it, with or without lengths: `CHARACTER VARYING(8)`, `TIMESTAMP(3) WITH TIME ZONE`.
fn spelled(text: &str, types: &BTreeMap<String, DeclaredType>) -> Option<DeclaredType> {
    let lower = text.to_lowercase();
    let (before, rest) = lower.split_once('(').unwrap_or((&lower, ""));
    let (length, after) = rest.split_once(')').unwrap_or((rest, ""));
    let name = format!("{}{}", before.trim_end(), after.trim_end());
    if name == "float" && length.trim().parse().is_ok_and(|digits: u64| digits <= REAL_DIGITS) {
        return Some(DeclaredType::BuiltIn("float4".to_owned()));
    }
    let name = name.trim_end_matches(" without time zone");
    let name = if name.starts_with("interval ") { "interval" } else { name };
    match SPELLED.iter().find(|(spelled, _)| *spelled == name) {
        Some((_, own)) => Some(DeclaredType::BuiltIn((*own).to_owned())),
        None => by_name(name, types),
    }
}

/// By its name in the catalog, which PostgreSQL's own schema is looked through first for.
fn by_name(name: &str, types: &BTreeMap<String, DeclaredType>) -> Option<DeclaredType> {
    if is_in(BUILT_IN, name) {
        return Some(DeclaredType::BuiltIn(name.to_owned()));
    }
    let of_extension = || is_in(OF_EXTENSIONS, name).then(|| DeclaredType::Extension(name.to_owned()));
    types.get(name).cloned().or_else(of_extension)
}

fn is_in(list: &str, name: &str) -> bool {
    !name.contains(' ') && list.contains(&format!(" {name} "))
}

/// The last part of a name, as the catalog has it.
pub(crate) fn catalog_name(name: &ObjectName) -> Option<String> {
    name.0.last().and_then(|part| part.as_ident()).map(fold)
}

/// Unquoted names are lower case in the catalog.
pub(crate) fn fold(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use sqlparser::{dialect::PostgreSqlDialect, parser::Parser};

    use super::*;

    fn of(named: &str) -> Option<DeclaredType> {
        let named = Parser::new(&PostgreSqlDialect {}).try_with_sql(named).unwrap().parse_data_type().unwrap();
        let mood = made("mood".to_owned(), None);
        read(&named, &BTreeMap::from([("mood".to_owned(), mood)]))
    }

    #[rstest]
    #[case("int", "int4")]
    #[case("INTEGER", "int4")]
    #[case("int8", "int8")]
    #[case("bigserial", "int8")]
    #[case("numeric(6, 2)", "numeric")]
    #[case("decimal", "numeric")]
    #[case("float", "float8")]
    #[case("float(24)", "float4")]
    #[case("float(25)", "float8")]
    #[case("double precision", "float8")]
    #[case("boolean", "bool")]
    #[case("varchar(8)", "varchar")]
    #[case("character varying (8)", "varchar")]
    #[case("char(5)", "bpchar")]
    #[case("\"char\"", "char")]
    #[case("timestamp", "timestamp")]
    #[case("timestamp(3) without time zone", "timestamp")]
    #[case("timestamp(3) with time zone", "timestamptz")]
    #[case("timestamptz(3)", "timestamptz")]
    #[case("time", "time")]
    #[case("time with time zone", "timetz")]
    #[case("interval", "interval")]
    #[case("bit(4)", "bit")]
    #[case("bit varying(4)", "varbit")]
    #[case("pg_catalog.text", "text")]
    #[case("int2vector", "int2vector")]
    fn postgresqls_own_are_known_however_they_are_spelled(#[case] named: &str, #[case] own: &str) {
        assert_eq!(of(named), Some(DeclaredType::BuiltIn(own.to_owned())));
    }

    #[test]
    fn others_are_known_if_the_ddl_makes_them() {
        let int = DeclaredType::BuiltIn("int4".to_owned());
        assert_eq!(of("int[][]"), Some(DeclaredType::Array(Box::new(int))));
        assert_eq!(of("Mood"), Some(DeclaredType::Made("mood".to_owned())));
        assert_eq!(of("s.mood"), Some(DeclaredType::Made("mood".to_owned())));
        assert_eq!(of("hstore"), Some(DeclaredType::Extension("hstore".to_owned())));
        assert_eq!(of("\"Mood\""), None);
        assert_eq!(of("other"), None);
        assert_eq!(of("s.int4"), None);
    }
}
