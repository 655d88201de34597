//! What a condition asks of a table's rows, as far as an index can answer it.

use sqlparser::ast::{BinaryOperator, Expr, Function, OrderByExpr, OrderBySort, UnaryOperator, Value};

use super::{
    key::{Key, Reader, ident, peeled},
    methods,
};

/// A condition on a key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    pub(crate) key: Key,
    pub(crate) test: Test,
}

/// What is asked of the key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// Equal to this.
    Equal(Operand),
    /// Equal to one of these; empty where they are not spelled out.
    OneOf(Vec<Operand>),
    /// Within bounds: their values, where they are literals; neither where one is not known.
    Range {
        low: Option<String>,
        high: Option<String>,
    },
    /// Beginning with a text.
    Prefix,
    /// Holding a text of three letters and more.
    Holds,
    Null,
    NotNull,
    True,
    False,
    /// An operator that other indexes than b-trees serve, such as `@>`, `&&`, `?`, `@@`, or a function that looks rows up in one;
    /// with the type of the value where the plan says it.
    Special {
        operator: String,
        value: Option<String>,
    },
}

/// What a key is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    /// A literal: as SQL writes it, and its value.
    Literal { sql: String, value: String },
    /// A parameter, or what is computed once.
    Value,
    /// A value of another table.
    Join,
}

impl Operand {
    /// The value of a literal.
    fn value(self) -> Option<String> {
        match self {
            Self::Literal { value, .. } => Some(value),
            Self::Value | Self::Join => None,
        }
    }
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
    "jsonb_build_array",
    "to_jsonb",
    "daterange",
    "tsrange",
    "tstzrange",
    "int4range",
    "int8range",
    "numrange",
    "point",
    "box",
    "circle",
    "polygon",
    "inet",
    "cidr",
    "string_to_array",
    "timezone",
    "make_timestamp",
    "make_timestamptz",
    "floor",
    "ceil",
    "round",
    "st_makepoint",
    "st_point",
    "st_setsrid",
    "st_makeenvelope",
    "st_geomfromtext",
    "st_buffer",
    "st_transform",
    "st_expand",
];

/// Letters in a row without which an index of trigrams finds nothing.
const TRIGRAM: usize = 3;

impl Reader<'_> {
    /// What a condition asks of this table: of an OR what each of its sides asks for by equality, since the sides can be looked up one
    /// by one; of a list of rows each of its columns. Nothing where an index does not answer it.
    pub(crate) fn conditions(&self, expr: &Expr) -> Vec<Condition> {
        match peeled(expr) {
            Expr::BinaryOp { op: BinaryOperator::Or, .. } => self.of_all_sides(expr),
            Expr::InList { expr: key, list, negated: false } if row(key).is_some() => self.of_rows(key, list),
            _ => self.condition(expr).into_iter().collect(),
        }
    }

    /// `(a = 1 AND b = 2) OR (a = 3 AND b = 4)`: an index on a and b finds the rows of each side.
    fn of_all_sides(&self, expr: &Expr) -> Vec<Condition> {
        let mut sides = Vec::new();
        split(expr, &BinaryOperator::Or, &mut sides);
        let mut of_sides = sides.into_iter().map(|side| {
            let mut terms = Vec::new();
            split(side, &BinaryOperator::And, &mut terms);
            terms.into_iter().filter_map(|term| listed(self.condition(term)?)).collect::<Vec<_>>()
        });
        let first = of_sides.next().unwrap_or_default();
        let others: Vec<Vec<(Key, Vec<Operand>)>> = of_sides.collect();
        let all = first.into_iter().filter_map(|(key, mut operands)| {
            for side in &others {
                operands.extend(side.iter().find(|(other, _)| *other == key)?.1.iter().cloned());
            }
            Some(Condition { key, test: Test::OneOf(operands) })
        });
        all.collect()
    }

    /// `(a, b) IN ((1, 2), (3, 4))`
    fn of_rows(&self, key: &Expr, list: &[Expr]) -> Vec<Condition> {
        let Some((keys, rows)) = row(key).zip(list.iter().map(row).collect::<Option<Vec<_>>>()) else {
            return Vec::new();
        };
        let of_key = |(place, key): (usize, &&Expr)| {
            let values = rows.iter().map(|row| self.operand(row.get(place)?)).collect::<Option<Vec<_>>>()?;
            Some(Condition { key: self.key(key)?, test: Test::OneOf(values) })
        };
        keys.iter().enumerate().filter_map(of_key).collect()
    }

    /// What a condition asks of this table; `None` where an index of it does not answer it.
    pub(crate) fn condition(&self, expr: &Expr) -> Option<Condition> {
        let with = |key: &Expr, test: Test| Some(Condition { key: self.key(key)?, test });
        match expr {
            Expr::Nested(inner) => self.condition(inner),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => with(expr, Test::True),
            Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } if is_column(inner) => with(inner, Test::False),
            Expr::IsNull(inner) => with(inner, Test::Null),
            Expr::IsNotNull(inner) => with(inner, Test::NotNull),
            Expr::Between { expr: inner, negated: false, low, high } => {
                let (low, high) = (self.operand(low)?, self.operand(high)?);
                let (low, high) = low.value().zip(high.value()).unzip();
                with(inner, Test::Range { low, high })
            }
            Expr::InList { expr: inner, list, negated: false } => {
                let mut operands: Vec<Operand> = list.iter().map(|item| self.operand(item)).collect::<Option<_>>()?;
                let test = if operands.len() == 1 { Test::Equal(operands.remove(0)) } else { Test::OneOf(operands) };
                self.compared(inner, list.first()?, test)
            }
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => {
                let list = self.operand(right)?;
                self.compared(left, right, Test::OneOf(list.value().map(elements).unwrap_or_default()))
            }
            Expr::Like { negated: false, any: false, expr: inner, pattern, escape_char: None } => {
                self.like(inner, pattern, false)
            }
            Expr::ILike { negated: false, any: false, expr: inner, pattern, escape_char: None } => {
                self.like(inner, pattern, true)
            }
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::Function(function) => self.looked_up(function),
            _ => None,
        }
    }

    fn binary(&self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Condition> {
        use BinaryOperator as Op;
        match op {
            Op::Eq => self.equal(left, right).or_else(|| self.equal(right, left)),
            Op::Lt | Op::LtEq => self.range(left, right, true).or_else(|| self.range(right, left, false)),
            Op::Gt | Op::GtEq => self.range(left, right, false).or_else(|| self.range(right, left, true)),
            Op::PGLikeMatch => self.like(left, right, false),
            Op::PGILikeMatch => self.like(left, right, true),
            Op::PGStartsWith => self.compared(left, right, Test::Prefix),
            Op::PGRegexMatch | Op::PGRegexIMatch if self.is_pattern(right) => {
                self.regex(left, right, matches!(op, Op::PGRegexIMatch))
            }
            other => {
                let operator = operator_name(other);
                let operator = operator.as_str();
                methods::is_special(operator).then_some(())?;
                let commuted = || self.special(right, methods::commuted(operator)?, left);
                self.special(left, operator, right).or_else(commuted)
            }
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
    fn range(&self, key: &Expr, other: &Expr, is_high: bool) -> Option<Condition> {
        if let (Some([first, ..]), Some([bound, ..])) = (row(key).as_deref(), row(other).as_deref()) {
            return self.range(first, bound, is_high);
        }
        let bound = self.operand(other)?.value();
        let test =
            if is_high { Test::Range { low: None, high: bound } } else { Test::Range { low: bound, high: None } };
        self.compared(key, other, test)
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
            (longest_run(&value) >= TRIGRAM).then_some(Test::Holds)?
        };
        Some(Condition { key: self.key_compared_with(key, Some("like"))?, test })
    }

    fn special(&self, key: &Expr, operator: &str, other: &Expr) -> Option<Condition> {
        self.operand(other)?;
        // A varchar is printed as cast to text.
        let key = self.key_compared_with(key, Some("special"))?;
        Some(Condition { key, test: Test::Special { operator: operator.to_owned(), value: type_of(other) } })
    }

    /// The key of this table whose distance from a value is sorted by, the nearest first, and the type of that value.
    pub(crate) fn distance(&self, key: &OrderByExpr) -> Option<(Key, Option<String>)> {
        let mut expr = &key.expr;
        while let Expr::Nested(inner) = expr {
            expr = inner;
        }
        let Expr::BinaryOp { left, op, right } = expr else { return None };
        let descends = matches!(key.options.sort, Some(OrderBySort::Desc));
        (operator_name(op) == "<->" && !descends).then_some(())?;
        let (key, value) = if self.operand(right).is_some() { (left, right) } else { (right, left) };
        self.operand(value)?;
        Some((self.key(key)?, type_of(value)))
    }

    /// A function that looks rows up in an index: `st_dwithin(place, '..'::geometry, 1000)`.
    fn looked_up(&self, function: &Function) -> Option<Condition> {
        let (name, arguments) = crate::advice::key::call(function)?;
        methods::is_looked_up(&name).then_some(())?;
        let at = arguments.iter().position(|argument| self.key(argument).is_some())?;
        arguments
            .iter()
            .enumerate()
            .filter(|(place, _)| *place != at)
            .try_for_each(|(_, other)| self.operand(other).map(drop))?;
        let test = Test::Special { operator: name, value: Some("geometry".to_owned()) };
        Some(Condition { key: self.key(arguments[at])?, test })
    }

    /// Whether the right side of `~` is a pattern, and no query of an ltree.
    fn is_pattern(&self, expr: &Expr) -> bool {
        type_of(expr).is_none_or(|of| methods::kind_named(&of) == Some(methods::Kind::Text))
    }

    fn regex(&self, key: &Expr, pattern: &Expr, any_case: bool) -> Option<Condition> {
        let Operand::Literal { value, .. } = self.operand(pattern)? else { return None };
        let letters = |text: &str| text.chars().take_while(|letter| letter.is_alphanumeric()).count();
        let prefix = value.strip_prefix('^').map_or(0, letters);
        // What may be left out, repeated or chosen from is no text that has to be there.
        let is_plain = !value.contains(['|', '[', '(', '{', '\\', '?', '*']);
        let test = if !any_case && prefix > 0 && is_plain {
            Test::Prefix
        } else {
            (is_plain && longest_run(&value) >= TRIGRAM).then_some(Test::Holds)?
        };
        Some(Condition { key: self.key_compared_with(key, Some("like"))?, test })
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
                let (name, arguments) = crate::advice::key::call(function)?;
                if STABLE.contains(&name.as_str()) { all(&mut arguments.into_iter()) } else { None }
            }
            _ => None,
        }
    }
}

/// The key of an equality and what it may be, values of a join apart.
fn listed(condition: Condition) -> Option<(Key, Vec<Operand>)> {
    let operands = match condition.test {
        Test::Equal(operand) => vec![operand],
        Test::OneOf(operands) if !operands.is_empty() => operands,
        _ => return None,
    };
    (!operands.contains(&Operand::Join)).then_some((condition.key, operands))
}

/// The parts of an expression that this operator joins.
fn split<'e>(expr: &'e Expr, by: &BinaryOperator, into: &mut Vec<&'e Expr>) {
    match peeled(expr) {
        Expr::BinaryOp { left, op, right } if op == by => {
            split(left, by, into);
            split(right, by, into);
        }
        other => into.push(other),
    }
}

/// The elements of an array that is written as `{a,b}`; none where one is in quotes.
fn elements(array: String) -> Vec<Operand> {
    let inside = array.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).filter(|inside| !inside.contains('"'));
    let element =
        |text: &str| Operand::Literal { sql: format!("'{}'", text.replace('\'', "''")), value: text.to_owned() };
    inside.into_iter().flat_map(|inside| inside.split(',')).map(element).collect()
}

/// The most letters and digits in a row.
fn longest_run(text: &str) -> usize {
    text.split(|c: char| !c.is_alphanumeric()).map(|run| run.chars().count()).max().unwrap_or(0)
}

/// The operator by which a condition is decided, as PostgreSQL prints it; a function's name for what is none.
pub(crate) fn operator_of(expr: &Expr) -> String {
    match expr {
        Expr::Nested(inner) => operator_of(inner),
        Expr::BinaryOp { op, .. } => operator_name(op),
        Expr::InList { .. } | Expr::AnyOp { .. } => "=".to_owned(),
        Expr::Between { .. } => ">=".to_owned(),
        Expr::Like { .. } => "~~".to_owned(),
        Expr::ILike { .. } => "~~*".to_owned(),
        _ => String::new(),
    }
}

/// The operator as SQL writes it, without its schema.
fn operator_name(op: &BinaryOperator) -> String {
    match op {
        BinaryOperator::PGCustomBinaryOperator(parts) => parts.last().cloned().unwrap_or_default(),
        other => other.to_string(),
    }
}

/// The type of a value, as far as its text says it; an array whose elements say none is `[]`.
fn type_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Nested(inner) => type_of(inner),
        Expr::Cast { data_type, .. } => Some(data_type.to_string().to_lowercase()),
        Expr::TypedString(typed) => Some(typed.data_type.to_string().to_lowercase()),
        Expr::Array(_) => Some("[]".to_owned()),
        Expr::Function(function) => {
            let (name, _) = crate::advice::key::call(function)?;
            match name.as_str() {
                "to_tsquery" | "plainto_tsquery" | "websearch_to_tsquery" | "phraseto_tsquery" => {
                    Some("tsquery".to_owned())
                }
                "jsonb_build_object" | "jsonb_build_array" | "to_jsonb" => Some("jsonb".to_owned()),
                name if name.starts_with("st_") => Some("geometry".to_owned()),
                // The types whose names make a value of them.
                name if methods::kind_named(name).is_some() => Some(name.to_owned()),
                _ => None,
            }
        }
        _ => None,
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
        Expr::Function(function) if ident(function.name.0.last()?)? == "row" => {
            Some(crate::advice::key::call(function)?.1)
        }
        _ => None,
    }
}
