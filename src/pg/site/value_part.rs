//! SQL of what of a row's value a parameter has to be.

use tokio_postgres::types::{Kind, Type};

use super::value_sample::{Part, Sought, cast};

/// How a value is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    /// `, LATERAL (..) AS p0`, where a row has several; else empty.
    pub(crate) lateral: String,
    /// What rows are sorted by.
    pub(crate) key: String,
    /// The value.
    pub(crate) value: String,
    /// The value as text, by the output function of its type.
    pub(crate) text: String,
}

/// How the values of an expression of type `ty` are read for a parameter; `None` if it has no such part.
pub(crate) fn taken(sought: &Sought<'_>, ty: &Type, parameter: Option<&Type>, number: usize) -> Option<Taken> {
    let whole = format!("({})", sought.expression);
    let (lateral, part) = match part(sought.part, &whole, ty, parameter)? {
        Of::Itself(sql) => (String::new(), sql),
        Of::Each(rows) => (format!(", LATERAL ({rows}) AS p{number}(v)"), format!("p{number}.v")),
    };
    let [before, after] = sought.around;
    let source = match (before.is_empty(), sought.part) {
        (true, Part::Whole) => Some(ty),
        (true, _) => None,
        // What is computed has another type than the column.
        (false, _) => Some(&Type::UNKNOWN),
    };
    let value = match source.and_then(|ty| cast(ty, parameter)) {
        Some(to) => format!("({before}{part}{after})::{to}"),
        None => format!("{before}{part}{after}"),
    };
    let text = format!("(pg_catalog.format('%s', {value}) COLLATE pg_catalog.\"C\")");
    Some(Taken { lateral, key: part, value, text })
}

enum Of {
    /// One of each row.
    Itself(String),
    /// Each of the rows of a query, whose only column is the value.
    Each(String),
}

fn part(part: Part, whole: &str, ty: &Type, parameter: Option<&Type>) -> Option<Of> {
    let is_array = matches!(ty.kind(), Kind::Array(_));
    let is_range = matches!(ty.kind(), Kind::Range(_) | Kind::Multirange(_));
    let is_jsonb = *ty == Type::JSONB;
    let elements = format!("SELECT e.e FROM pg_catalog.unnest({whole}) AS e(e)");
    let of_kind = |kind: &str, other: &str| {
        format!(
            "CASE WHEN pg_catalog.jsonb_typeof({whole}) OPERATOR(pg_catalog.=) '{kind}' THEN {whole} ELSE '{other}' END"
        )
    };
    let (object, array) = (of_kind("object", "{}"), of_kind("array", "[]"));
    let keys = format!(
        "SELECT k.k FROM pg_catalog.jsonb_object_keys({object}) AS k(k) \
         UNION ALL SELECT e.e FROM pg_catalog.jsonb_array_elements_text({array}) AS e(e)"
    );
    let with_path = |path: &str| {
        format!(
            "SELECT pg_catalog.format('{path}', e.key, e.value) FROM pg_catalog.jsonb_each({object}) AS e \
             WHERE pg_catalog.jsonb_typeof(e.value) OPERATOR(pg_catalog.<>) ALL ('{{object,array}}'::pg_catalog.text[])"
        )
    };
    Some(match part {
        Part::Whole => Of::Itself(whole.to_owned()),
        Part::Element if is_array => Of::Each(elements),
        Part::Piece if is_array => Of::Each(format!("SELECT ARRAY[e.e] FROM pg_catalog.unnest({whole}) AS e(e)")),
        Part::Piece if is_range && parameter != Some(ty) => {
            Of::Itself(format!("coalesce(pg_catalog.lower({whole}), pg_catalog.upper({whole}))"))
        }
        Part::Piece if is_jsonb => Of::Each(format!(
            "SELECT pg_catalog.jsonb_build_object(e.key, e.value) FROM pg_catalog.jsonb_each({object}) AS e \
             UNION ALL SELECT pg_catalog.jsonb_build_array(e.e) FROM pg_catalog.jsonb_array_elements({array}) AS e(e)"
        )),
        Part::Piece | Part::Within => Of::Itself(whole.to_owned()),
        Part::Key if is_jsonb => Of::Each(keys),
        Part::Keys if is_jsonb => Of::Each(format!("SELECT ARRAY[k.k] FROM ({keys}) AS k(k)")),
        Part::Match if *ty == Type::TS_VECTOR => Of::Each(format!(
            "SELECT w.lexeme FROM pg_catalog.unnest({whole}) AS w \
             WHERE w.lexeme OPERATOR(pg_catalog.~) '^[[:alpha:]][[:alnum:]]*$'"
        )),
        Part::Match if is_jsonb => Of::Each(with_path("$.%I == %s")),
        Part::Path if is_jsonb => Of::Each(with_path("$.%I ? (@ == %s)")),
        Part::Network if *ty == Type::INET || *ty == Type::CIDR => Of::Itself(format!(
            "pg_catalog.network(pg_catalog.set_masklen({whole}::pg_catalog.inet, \
             CASE pg_catalog.family({whole}) WHEN 4 THEN 24 ELSE 64 END))"
        )),
        Part::Element | Part::Key | Part::Keys | Part::Match | Part::Path | Part::Network => return None,
    })
}
