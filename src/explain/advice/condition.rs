//! What a condition asks of a table's rows, as far as an index can answer it.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value};

use super::key::{Key, Reader, ident};

/// A condition on a key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    pub(super) key: Key,
    pub(super) test: Test,
}

/// What is asked of the key.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// Equal to this.
    Equal(Operand),
    /// Equal to one of these; empty where they are not spelled out.
    OneOf(Vec<Operand>),
    /// Within bounds.
    Range,
    /// Beginning with a text.
    Prefix,
    /// Holding a text of three letters and more.
    Holds,
    Null,
    NotNull,
    True,
    False,
    /// An operator of GIN indexes on documents, arrays and texts for search: `@>`, `&&`, `?`, `@@`.
    Gin(&'static str),
}

/// What a key is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    /// A literal: as SQL writes it, and its value.
    Literal { sql: String, value: String },
    /// A parameter, or what is computed once.
    Value,
    /// A value of another table.
    Join,
}

/// Functions of other values that are the same for all rows of a statement.
const STABLE: &[&str] = &[
    "now",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtimestamp",
    "localtime",
    "statement_timestamp",
    "transaction_timestamp",
    "current_user",
    "session_user",
    "current_setting",
    "make_interval",
    "make_date",
    "date_trunc",
    "to_date",
    "to_timestamp",
    "lower",
    "upper",
    "btrim",
    "abs",
    "coalesce",
    "to_tsquery",
    "plainto_tsquery",
    "websearch_to_tsquery",
    "phraseto_tsquery",
    "array_append",
    "jsonb_build_object",
];

/// Letters in a row without which an index of trigrams finds nothing.
const TRIGRAM: usize = 3;

impl Reader<'_> {
    /// What a condition asks of this table; `None` where an index of it does not answer it.
    pub(super) fn condition(&self, expr: &Expr) -> Option<Condition> {
        let with = |key: &Expr, test: Test| Some(Condition { key: self.key(key)?, test });
        match expr {
            Expr::Nested(inner) => self.condition(inner),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => with(expr, Test::True),
            Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } if is_column(inner) => with(inner, Test::False),
            Expr::IsNull(inner) => with(inner, Test::Null),
            Expr::IsNotNull(inner) => with(inner, Test::NotNull),
            Expr::Between { expr: inner, negated: false, low, high } => {
                self.operand(low)?;
                self.operand(high)?;
                with(inner, Test::Range)
            }
            Expr::InList { expr: inner, list, negated: false } => {
                let mut operands: Vec<Operand> = list.iter().map(|item| self.operand(item)).collect::<Option<_>>()?;
                let test = if operands.len() == 1 { Test::Equal(operands.remove(0)) } else { Test::OneOf(operands) };
                self.compared(inner, list.first()?, test)
            }
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => {
                self.operand(right)?;
                self.compared(left, right, Test::OneOf(Vec::new()))
            }
            Expr::Like { negated: false, any: false, expr: inner, pattern, escape_char: None } => {
                self.like(inner, pattern, false)
            }
            Expr::ILike { negated: false, any: false, expr: inner, pattern, escape_char: None } => {
                self.like(inner, pattern, true)
            }
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            _ => None,
        }
    }

    fn binary(&self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Condition> {
        use BinaryOperator as Op;
        match op {
            Op::Eq => self.equal(left, right).or_else(|| self.equal(right, left)),
            Op::Lt | Op::LtEq | Op::Gt | Op::GtEq => self.range(left, right).or_else(|| self.range(right, left)),
            Op::PGLikeMatch => self.like(left, right, false),
            Op::PGILikeMatch => self.like(left, right, true),
            Op::AtArrow => self.gin(left, right, "@>"),
            Op::ArrowAt => self.gin(right, left, "@>"),
            Op::PGOverlap => self.gin(left, right, "&&"),
            Op::Question => self.gin(left, right, "?"),
            Op::QuestionAnd => self.gin(left, right, "?&"),
            Op::QuestionPipe => self.gin(left, right, "?|"),
            Op::AtAt => self.gin(left, right, "@@"),
            _ => None,
        }
    }

    fn equal(&self, key: &Expr, other: &Expr) -> Option<Condition> {
        let operand = self.operand(other)?;
        let test = match &operand {
            Operand::Literal { value, .. } if value == "true" && is_bare(other) => Test::True,
            Operand::Literal { value, .. } if value == "false" && is_bare(other) => Test::False,
            _ => Test::Equal(operand),
        };
        self.compared(key, other, test)
    }

    /// Of `(a, b) > (1, 2)` the first column is what a range is read by.
    fn range(&self, key: &Expr, other: &Expr) -> Option<Condition> {
        if let (Some([first, ..]), Some([bound, ..])) = (row(key).as_deref(), row(other).as_deref()) {
            return self.range(first, bound);
        }
        self.operand(other)?;
        self.compared(key, other, Test::Range)
    }

    fn compared(&self, key: &Expr, other: &Expr, test: Test) -> Option<Condition> {
        let literal = match self.operand(other) {
            Some(Operand::Literal { value, .. }) => Some(value),
            _ => None,
        };
        Some(Condition { key: self.key_compared_with(key, literal.as_deref())?, test })
    }

    fn like(&self, key: &Expr, pattern: &Expr, any_case: bool) -> Option<Condition> {
        let Operand::Literal { value, sql } = self.operand(pattern)? else { return None };
        if value.contains('\\') {
            return None;
        }
        let prefix = value.split(['%', '_']).next().unwrap_or_default();
        let test = if !any_case && prefix.len() == value.len() {
            Test::Equal(Operand::Literal { sql, value: value.clone() })
        } else if !any_case && !prefix.is_empty() {
            Test::Prefix
        } else {
            let run = |part: &str| part.chars().filter(|letter| letter.is_alphanumeric()).count();
            let longest = value.split(|c: char| !c.is_alphanumeric()).map(run).max().unwrap_or(0);
            (longest >= TRIGRAM).then_some(Test::Holds)?
        };
        Some(Condition { key: self.key_compared_with(key, Some("like"))?, test })
    }

    fn gin(&self, key: &Expr, other: &Expr, operator: &'static str) -> Option<Condition> {
        self.operand(other)?;
        Some(Condition { key: self.key(key)?, test: Test::Gin(operator) })
    }

    /// What a key may be compared with: nothing of the same row, and nothing that differs from row to row.
    fn operand(&self, expr: &Expr) -> Option<Operand> {
        let all = |parts: &mut dyn Iterator<Item = &Expr>| {
            let mut joined = Operand::Value;
            for part in parts {
                if self.operand(part)? == Operand::Join {
                    joined = Operand::Join;
                }
            }
            Some(joined)
        };
        match expr {
            Expr::Nested(inner) => self.operand(inner),
            Expr::Value(value) => match &value.value {
                Value::Placeholder(_) => Some(Operand::Value),
                Value::Null => None,
                Value::SingleQuotedString(text) => literal(&value.value, text),
                Value::Number(text, _) => literal(&value.value, text),
                Value::Boolean(truth) => literal(&value.value, &truth.to_string()),
                _ => Some(Operand::Value),
            },
            Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr: inner } => {
                self.operand(inner).map(|operand| match operand {
                    Operand::Literal { .. } => Operand::Literal { sql: expr.to_string(), value: expr.to_string() },
                    other => other,
                })
            }
            Expr::Cast { expr: inner, .. } => self.operand(inner),
            Expr::TypedString(_) | Expr::Interval(_) => Some(Operand::Value),
            Expr::AtTimeZone { timestamp, .. } => all(&mut [&**timestamp].into_iter()),
            Expr::BinaryOp { left, op, right } if is_arithmetic(op) => all(&mut [&**left, &**right].into_iter()),
            Expr::Array(array) => all(&mut array.elem.iter()),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => (!self.may_own(expr)).then_some(Operand::Join),
            Expr::Function(function) => {
                let (name, arguments) = super::key::call(function)?;
                if STABLE.contains(&name.as_str()) { all(&mut arguments.into_iter()) } else { None }
            }
            _ => None,
        }
    }
}

fn literal(value: &Value, text: &str) -> Option<Operand> {
    Some(Operand::Literal { sql: value.to_string(), value: text.to_owned() })
}

fn is_column(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_column(inner),
        _ => matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_)),
    }
}

/// Whether it is `true` or `false` itself, and not a text of these letters.
fn is_bare(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if matches!(value.value, Value::Boolean(_)))
}

fn is_arithmetic(op: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(op, Op::Plus | Op::Minus | Op::Multiply | Op::Divide | Op::Modulo | Op::StringConcat)
}

/// The parts of `(a, b)` and `ROW(a, b)`.
fn row(expr: &Expr) -> Option<Vec<&Expr>> {
    match expr {
        Expr::Nested(inner) => row(inner),
        Expr::Tuple(parts) => Some(parts.iter().collect()),
        Expr::Function(function) if ident(function.name.0.last()?)? == "row" => Some(super::key::call(function)?.1),
        _ => None,
    }
}
