//! Which kind of index finds rows by which operator, as PostgreSQL and the common extensions have it. What a b-tree can do is
//! in [`crate::advice::btree`].

use crate::catalog::ColumnFacts;

/// What a column or an expression is, as far as its operators depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Jsonb,
    Array,
    Tsvector,
    /// A range or a multirange.
    Range,
    /// `inet` or `cidr`.
    Network,
    Text,
    /// `point`, `box`, `circle` or `polygon`.
    Shape,
    /// Of PostGIS.
    Geometry,
    Ltree,
    Hstore,
    Cube,
}

/// A kind of index that serves an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Method {
    pub(crate) name: String,
    /// Its operator class; `None` for the default one.
    pub(crate) class: Option<String>,
}

/// Functions of PostGIS that look rows up in an index.
const OF_POSTGIS: &[&str] = &[
    "st_intersects",
    "st_contains",
    "st_within",
    "st_covers",
    "st_coveredby",
    "st_dwithin",
    "st_overlaps",
    "st_touches",
    "st_crosses",
    "st_equals",
];

/// Whether a function is one that an index is looked up by.
pub(crate) fn is_looked_up(function: &str) -> bool {
    OF_POSTGIS.contains(&function)
}

/// The kind of a column.
pub(crate) fn kind_of(column: &ColumnFacts) -> Option<Kind> {
    if column.range { Some(Kind::Range) } else { kind_named(column.base()) }
}

/// The kind of a type of this name.
pub(crate) fn kind_named(type_name: &str) -> Option<Kind> {
    let name = type_name.to_lowercase();
    if name.ends_with(']') {
        return Some(Kind::Array);
    }
    let name = name.rsplit('.').next()?.split('(').next()?.trim();
    Some(match name {
        "jsonb" => Kind::Jsonb,
        "tsvector" => Kind::Tsvector,
        "inet" | "cidr" => Kind::Network,
        "text" | "varchar" | "character varying" => Kind::Text,
        "point" | "box" | "circle" | "polygon" => Kind::Shape,
        "geometry" | "geography" => Kind::Geometry,
        "ltree" => Kind::Ltree,
        "hstore" => Kind::Hstore,
        "cube" => Kind::Cube,
        _ if is_range(name) => Kind::Range,
        _ => return None,
    })
}

fn is_range(type_name: &str) -> bool {
    matches!(
        type_name.strip_suffix("multirange").or_else(|| type_name.strip_suffix("range")),
        Some("int4" | "int8" | "num" | "ts" | "tstz" | "date")
    )
}

/// What is compared by this operator with a value of this type, where only the plan is known. A value that a range may hold says
/// nothing: it is no range itself.
pub(crate) fn kind_beside(operator: &str, value: &str) -> Option<Kind> {
    let value = value.to_lowercase();
    match (operator, value.as_str()) {
        (_, "jsonpath") => Some(Kind::Jsonb),
        (_, "tsquery") => Some(Kind::Tsvector),
        ("?" | "?&" | "?|", _) => Some(Kind::Jsonb),
        ("~" | "@" | "<@", "lquery" | "ltxtquery") => Some(Kind::Ltree),
        // An element of a range, or a range within.
        ("<@", value) if is_range(value) => None,
        _ => kind_named(&value).filter(|kind| *kind != Kind::Text),
    }
}

/// The index by which rows are found by this operator.
pub(crate) fn method(kind: Kind, operator: &str) -> Option<Method> {
    let of = |name: &str, class: Option<&str>| Some(Method { name: name.into(), class: class.map(str::to_owned) });
    match (kind, operator) {
        (Kind::Jsonb, "@>" | "@?" | "@@") => of("gin", Some("jsonb_path_ops")),
        (Kind::Jsonb | Kind::Hstore, "?" | "?&" | "?|") | (Kind::Hstore, "@>") => of("gin", None),
        (Kind::Array, "@>" | "<@" | "&&") | (Kind::Tsvector, "@@") => of("gin", None),
        (Kind::Range, "@>" | "<@" | "&&" | "<<" | ">>" | "&<" | "&>" | "-|-") => of("gist", None),
        (Kind::Network, "<<" | "<<=" | ">>" | ">>=" | "&&") => of("gist", Some("inet_ops")),
        (Kind::Shape, "<@" | "@>" | "&&" | "<<" | ">>" | "<->" | "~=" | "<<|" | "|>>" | "<^" | ">^") => {
            of("gist", None)
        }
        (Kind::Geometry, "&&" | "@" | "~" | "&&&" | "<->" | "<#>") => of("gist", None),
        (Kind::Geometry, function) if is_looked_up(function) => of("gist", None),
        (Kind::Ltree, "@>" | "<@" | "~" | "@") | (Kind::Cube, "@>" | "<@" | "&&" | "<->") => of("gist", None),
        (Kind::Text, "holds") => of("gin", Some("gin_trgm_ops")),
        (Kind::Text, "%" | "<%" | "%>") => of("gin", Some("gin_trgm_ops")),
        (Kind::Text, "<->") => of("gist", Some("gist_trgm_ops")),
        _ => None,
    }
}

/// The same operator with its sides changed over.
pub(crate) fn commuted(operator: &str) -> Option<&'static str> {
    Some(match operator {
        "@>" => "<@",
        "<@" => "@>",
        "<<" => ">>",
        ">>" => "<<",
        "<<=" => ">>=",
        ">>=" => "<<=",
        "&&" => "&&",
        "@@" => "@@",
        "-|-" => "-|-",
        "%" => "%",
        "~=" => "~=",
        "@" => "~",
        _ => return None,
    })
}

/// Whether an operator is one of those that other indexes than b-trees serve.
pub(crate) fn is_special(operator: &str) -> bool {
    const OTHERS: &[&str] = &["?", "?&", "?|", "@?", "&<", "&>", "~", "<%", "%>", "&&&", "<<|", "|>>", "<^", ">^"];
    commuted(operator).is_some() || OTHERS.contains(&operator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_says_what_it_is_compared_with() {
        let of = |operator, value| kind_beside(operator, value).and_then(|kind| method(kind, operator));
        let text = |found: Option<Method>| {
            found.map(|method| format!("{} {}", method.name, method.class.unwrap_or_default()).trim_end().to_owned())
        };
        let cases = [
            ("@>", "jsonb", Some("gin jsonb_path_ops")),
            ("<@", "jsonb", None),
            ("@?", "jsonpath", Some("gin jsonb_path_ops")),
            ("?", "text", Some("gin")),
            ("&&", "text[]", Some("gin")),
            ("<@", "integer[]", Some("gin")),
            ("@@", "tsquery", Some("gin")),
            ("&&", "daterange", Some("gist")),
            ("@>", "tstzrange", Some("gist")),
            ("<@", "daterange", None),
            ("<<", "inet", Some("gist inet_ops")),
            (">>=", "cidr", Some("gist inet_ops")),
            ("<@", "box", Some("gist")),
            ("&&", "public.geometry(Point,4326)", Some("gist")),
            ("~", "lquery", Some("gist")),
            ("~", "text", None),
            ("@>", "date", None),
        ];
        for (operator, value, expected) in cases {
            assert_eq!(text(of(operator, value)).as_deref(), expected, "{operator} {value}");
        }
    }
}
