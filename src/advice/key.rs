//! What an index can have as a key: a column, or an expression that is the same whenever it is computed.

use sqlparser::ast::{
    BinaryOperator, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    ObjectNamePart, OrderByExpr, OrderBySort, Value,
};

use crate::{catalog::TableFacts, sqltext::quote::identifier as quoted};

/// A key of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// A column of this name.
    Column(String),
    /// An expression: as SQL writes it, and what an index's name calls it.
    Expression { sql: String, name: String },
}

/// A key of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderKey {
    pub(crate) key: Key,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
}

/// Reads expressions as those of one table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    /// What the table is called in the text.
    pub(crate) alias: &'a str,
    /// Whether a name without a table is of this one, where the catalog does not say.
    pub(crate) alone: bool,
    pub(crate) table: Option<&'a TableFacts>,
}

/// Functions that give the same for the same arguments in every session.
const IMMUTABLE: &[&str] = &[
    "lower",
    "upper",
    "btrim",
    "ltrim",
    "rtrim",
    "length",
    "char_length",
    "abs",
    "md5",
    "coalesce",
    "left",
    "right",
    "substr",
    "substring",
    "replace",
    "reverse",
    "round",
    "floor",
    "ceil",
    "ceiling",
    "mod",
    "jsonb_extract_path_text",
    "jsonb_extract_path",
];

/// Types to which a cast is the same in every session, from what [`IMMUTABLE`] functions and JSON operators give.
const CAST_TO: &[&str] =
    &["text", "integer", "int", "bigint", "smallint", "numeric", "uuid", "boolean", "double precision"];

/// Columns that every table has, which no index holds.
const SYSTEM: &[&str] = &["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

impl Reader<'_> {
    /// The name of the column that the expression is.
    fn column(&self, expr: &Expr) -> Option<String> {
        let name = match expr {
            Expr::Nested(inner) => return self.column(inner),
            Expr::Identifier(name) => {
                let name = folded(name);
                let is_ours = match self.table.filter(|table| !table.columns.is_empty()) {
                    Some(table) => table.column(&name).is_some(),
                    None => self.alone,
                };
                is_ours.then_some(name)?
            }
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [.., table, name] if folded(table) == self.alias => folded(name),
                _ => return None,
            },
            _ => return None,
        };
        let exists = self.table.is_none_or(|table| table.columns.is_empty() || table.column(&name).is_some());
        (exists && !SYSTEM.contains(&name.as_str())).then_some(name)
    }

    /// Whether a name may be one of this table: where that is not known, it may.
    pub(crate) fn may_own(&self, expr: &Expr) -> bool {
        match expr {
            Expr::CompoundIdentifier(parts) => {
                parts.iter().rev().nth(1).is_none_or(|table| folded(table) == self.alias)
            }
            Expr::Identifier(name) => {
                self.table.is_none_or(|table| table.columns.is_empty() || table.column(&folded(name)).is_some())
            }
            _ => true,
        }
    }

    /// The key that the expression is, where it can be one.
    pub(crate) fn key(&self, expr: &Expr) -> Option<Key> {
        self.key_compared_with(expr, None)
    }

    /// The same of an expression that is compared with this literal. `(status)::text = 'open'` of a column that is `varchar` is a
    /// comparison of the column itself. Where its type is not known, a literal that only a text can be tells.
    pub(crate) fn key_compared_with(&self, expr: &Expr, literal: Option<&str>) -> Option<Key> {
        match expr {
            Expr::Collate { expr: inner, collation } => {
                let key = self.key_compared_with(inner, literal.or(Some("text")))?;
                collated(key, ident(collation.0.last()?)?)
            }
            Expr::Nested(inner) => self.key_compared_with(inner, literal),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => self.column(expr).map(Key::Column),
            Expr::Cast { expr: inner, data_type, .. } if self.column(inner).is_some() => {
                let name = self.column(inner)?;
                if self.type_of(&name) == Some("cidr") && data_type.to_string().eq_ignore_ascii_case("inet") {
                    return Some(Key::Column(name));
                }
                let is_relabel = match self.type_of(&name) {
                    Some(of) => of.starts_with("character varying") || of == "text",
                    None => literal.is_some_and(is_only_text),
                };
                (is_relabel && data_type.to_string().eq_ignore_ascii_case("text")).then_some(Key::Column(name))
            }
            _ => {
                let (sql, columns) = self.expression(expr)?;
                let name = match expr {
                    Expr::Function(function) => ident(function.name.0.last()?)?,
                    _ => "expr".to_owned(),
                };
                (columns > 0).then_some(Key::Expression { sql, name })
            }
        }
    }

    /// A key of an order.
    pub(crate) fn order_key(&self, key: &OrderByExpr) -> Option<OrderKey> {
        let descending = match &key.options.sort {
            None | Some(OrderBySort::Asc) => false,
            Some(OrderBySort::Desc) => true,
            Some(OrderBySort::Using(_)) => return None,
        };
        // A plan orders by the text that a varchar is.
        Some(OrderKey {
            key: self.key_compared_with(&key.expr, Some("text"))?,
            descending,
            nulls_first: key.options.nulls_first.unwrap_or(descending),
        })
    }

    pub(crate) fn type_of(&self, column: &str) -> Option<&str> {
        Some(self.table?.column(column)?.base())
    }

    /// The text of an expression that is the same whenever it is computed, and how many columns are in it.
    fn expression(&self, expr: &Expr) -> Option<(String, usize)> {
        let list = |parts: &[&Expr]| {
            let (mut texts, mut columns) = (Vec::new(), 0);
            for part in parts {
                let (text, of_part) = self.expression(part)?;
                texts.push(text);
                columns += of_part;
            }
            Some((texts, columns))
        };
        match expr {
            Expr::Nested(inner) => self.expression(inner),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => Some((quoted(&self.column(expr)?), 1)),
            Expr::Value(value) if !matches!(value.value, Value::Placeholder(_)) => Some((expr.to_string(), 0)),
            Expr::Cast { expr: inner, data_type, .. } => {
                let to = data_type.to_string().to_lowercase();
                let (text, columns) = self.expression(inner)?;
                match self.column(inner) {
                    Some(name) => {
                        let of = self.type_of(&name)?;
                        let is_text = of.starts_with("character varying") || of == "text";
                        (to == "text" && is_text).then_some((text, columns))
                    }
                    None if columns == 0 && to == "text" => Some((text, 0)),
                    None if columns == 0 => Some((format!("{text}::{to}"), 0)),
                    None => CAST_TO.contains(&to.as_str()).then(|| (format!("({text})::{to}"), columns)),
                }
            }
            Expr::BinaryOp { left, op, right } if is_immutable(op) => {
                let (texts, columns) = list(&[left, right])?;
                let operand = |expr: &Expr, text: &str| match peeled(expr) {
                    Expr::BinaryOp { .. } => format!("({text})"),
                    _ => text.to_owned(),
                };
                Some((format!("{} {op} {}", operand(left, &texts[0]), operand(right, &texts[1])), columns))
            }
            Expr::Extract { field, expr: inner, .. } => {
                let name = self.column(inner)?;
                // Of a point in time it depends on the session's time zone.
                let of = self.type_of(&name)?;
                let is_local = of == "date" || of.starts_with("timestamp") && of.ends_with("without time zone");
                let field = match field {
                    DateTimeField::Custom(name) => folded(name),
                    other => other.to_string().to_lowercase(),
                };
                is_local.then(|| (format!("extract({field} FROM {})", quoted(&name)), 1))
            }
            Expr::Function(function) => {
                let (name, arguments) = call(function)?;
                let is_tsvector = name == "to_tsvector" && arguments.len() == 2 && !is_column_like(arguments[0]);
                let is_trunc = name == "date_trunc"
                    && arguments.len() == 2
                    && self.column(arguments[1]).is_some_and(|column| {
                        self.type_of(&column)
                            .is_some_and(|of| of.starts_with("timestamp") && of.ends_with("without time zone"))
                    });
                if !is_tsvector && !is_trunc && !IMMUTABLE.contains(&name.as_str()) {
                    return None;
                }
                let (texts, columns) = list(&arguments)?;
                // `substring` as a name needs its quotes.
                let called = if name == "substring" { "\"substring\"".to_owned() } else { name };
                Some((format!("{called}({})", texts.join(", ")), columns))
            }
            _ => None,
        }
    }
}

/// The key in the order of a collation that is not its own.
fn collated(key: Key, collation: String) -> Option<Key> {
    match key {
        Key::Column(name) => {
            let sql = format!("{} COLLATE \"{}\"", quoted(&name), collation.replace('"', "\"\""));
            Some(Key::Expression { sql, name })
        }
        Key::Expression { .. } => None,
    }
}

pub(crate) fn peeled(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => peeled(inner),
        _ => expr,
    }
}

fn is_column_like(expr: &Expr) -> bool {
    matches!(peeled(expr), Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

fn is_immutable(op: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(
        op,
        Op::Arrow
            | Op::LongArrow
            | Op::HashArrow
            | Op::HashLongArrow
            | Op::Plus
            | Op::Minus
            | Op::Multiply
            | Op::Divide
            | Op::Modulo
    )
}

/// Whether nothing but a text reads so: no number, date, id or truth.
fn is_only_text(literal: &str) -> bool {
    let is_id = |text: &str| text.len() >= 32 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    literal.chars().any(char::is_alphabetic)
        && !literal.starts_with(|c: char| c.is_ascii_digit())
        && !is_id(literal)
        && !["true", "false", "t", "f", "yes", "no", "on", "off", "nan", "infinity", "now", "today"]
            .contains(&literal.to_lowercase().as_str())
}

/// A name as PostgreSQL looks it up.
pub(crate) fn folded(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

pub(crate) fn ident(part: &ObjectNamePart) -> Option<String> {
    part.as_ident().map(folded)
}

/// Name and arguments of a plain call of a function.
pub(crate) fn call(function: &Function) -> Option<(String, Vec<&Expr>)> {
    if function.over.is_some() || function.filter.is_some() || !function.within_group.is_empty() {
        return None;
    }
    let name = match function.name.0.as_slice() {
        [name] => ident(name)?,
        [schema, name] if ident(schema)? == "pg_catalog" => ident(name)?,
        _ => return None,
    };
    let arguments = match &function.args {
        FunctionArguments::None => Vec::new(),
        FunctionArguments::Subquery(_) => return None,
        FunctionArguments::List(list) if list.duplicate_treatment.is_some() || !list.clauses.is_empty() => return None,
        FunctionArguments::List(list) => {
            let argument = |argument| match argument {
                &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expr)) => Some(expr),
                _ => None,
            };
            list.args.iter().map(argument).collect::<Option<_>>()?
        }
    };
    Some((name, arguments))
}
