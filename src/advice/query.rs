//! What a statement's text asks of each of its tables.

use std::{collections::BTreeSet, rc::Rc};

use sqlparser::ast::{
    Delete, Expr, FromTable, Ident, JoinConstraint, JoinOperator, LimitClause, ObjectName, OrderByExpr, OrderByKind,
    Query, Select, SelectItem, SetExpr, Statement, TableFactor, TableObject, TableWithJoins, UpdateTableFromKind,
    Value,
};

use super::{
    condition::Condition,
    key::{OrderKey, Reader, folded, ident},
    parse,
};
use crate::{catalog::Tables, plan::Plan};

/// A table of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    /// The schema that the text names.
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
    /// What the text calls it.
    pub(crate) alias: String,
    /// Conditions in WHERE and in joins that an index could answer.
    pub(crate) conditions: Vec<Condition>,
    /// The order of its query, where it is all of this table's columns.
    pub(crate) order: Vec<OrderKey>,
    /// Whether its query takes the first rows only.
    pub(crate) limited: bool,
}

/// What a statement's text says, read once for all that is asked of its plan.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text {
    /// Its tables.
    pub(crate) asked: Vec<Asked>,
    /// The names in it that may be columns; `None` where all columns are taken, or it is not known.
    pub(crate) names: Option<Rc<BTreeSet<String>>>,
}

impl Text {
    /// Reads the text of the statement that `plan` is of.
    pub(crate) fn of(sql: Option<&str>, plan: &Plan, tables: &Tables) -> Self {
        let Some(sql) = sql.or(plan.query.as_deref()) else { return Self::default() };
        let asked = asked(sql, tables);
        let writes = plan.nodes().iter().any(|node| node.operation.is_some());
        let names = if asked.is_empty() || writes { None } else { parse::names(sql) };
        Self { asked, names: names.map(Rc::new) }
    }
}

/// The tables of a statement, those of its subqueries and CTEs among them; none where it cannot be read.
fn asked(sql: &str, tables: &Tables) -> Vec<Asked> {
    let mut walk = Walk { tables, ctes: Vec::new(), found: Vec::new() };
    if let Some(statement) = parse::statement(sql) {
        walk.statement(&statement);
    }
    walk.found
}

/// The table that a node of a plan reads: its alias in the plan is the one in the text, with a number where several have it.
pub(crate) fn of_node<'a>(asked: &'a [Asked], name: &str, alias: &str) -> Option<&'a Asked> {
    let called = |alias: &str| {
        let mut found = asked.iter().filter(|table| table.name == name && table.alias == alias);
        found.next().filter(|_| found.next().is_none())
    };
    let only = || {
        let mut found = asked.iter().filter(|table| table.name == name);
        found.next().filter(|_| found.next().is_none())
    };
    called(alias).or_else(|| called(unnumbered(alias))).or_else(only)
}

/// Of several tables of this name the only one whose text compares all of these keys: a statement may read the table that it changes.
pub(crate) fn with_conditions<'a>(asked: &'a [Asked], name: &str, conditions: &[Condition]) -> Option<&'a Asked> {
    let compares = |table: &&Asked| {
        conditions.iter().all(|condition| table.conditions.iter().any(|known| known.key == condition.key))
    };
    let mut found = asked.iter().filter(|table| table.name == name && !conditions.is_empty()).filter(compares);
    found.next().filter(|_| found.next().is_none())
}

/// An alias without the number that tells it apart from others.
pub(crate) fn unnumbered(alias: &str) -> &str {
    alias.rsplit_once('_').filter(|(_, number)| number.parse::<u32>().is_ok()).map_or(alias, |(name, _)| name)
}

struct Walk<'a> {
    tables: &'a Tables,
    ctes: Vec<String>,
    found: Vec<Asked>,
}

/// What stands behind the FROM of a query: its tables, and the conditions that join them.
#[derive(Default)]
struct From<'q> {
    tables: Vec<(Option<String>, String, String)>,
    conditions: Vec<&'q Expr>,
    /// Whether rows come from elsewhere too, which a name without a table may be of.
    others: bool,
}

impl Walk<'_> {
    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Query(query) => self.query(query),
            Statement::Explain { statement, .. } => self.statement(statement),
            Statement::Update(update) => {
                let mut from = From::default();
                self.from(&update.table, &mut from);
                if let Some(UpdateTableFromKind::BeforeSet(tables) | UpdateTableFromKind::AfterSet(tables)) =
                    &update.from
                {
                    tables.iter().for_each(|table| self.from(table, &mut from));
                }
                self.close(from, update.selection.as_ref(), &[], false);
            }
            Statement::Delete(Delete { from: of, using, selection, .. }) => {
                let mut from = From::default();
                let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = of;
                tables.iter().chain(using.iter().flatten()).for_each(|table| self.from(table, &mut from));
                self.close(from, selection.as_ref(), &[], false);
            }
            Statement::Insert(insert) => {
                if let (TableObject::TableName(_), Some(query)) = (&insert.table, &insert.source) {
                    self.query(query);
                }
            }
            _ => {}
        }
    }

    fn query(&mut self, query: &Query) {
        let known = self.ctes.len();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.ctes.push(folded(&cte.alias.name));
            self.query(&cte.query);
        }
        let limited = query.fetch.is_some()
            || match &query.limit_clause {
                Some(
                    LimitClause::LimitOffset { limit: Some(limit), .. } | LimitClause::OffsetCommaLimit { limit, .. },
                ) => !is_null(limit),
                _ => false,
            };
        let order: &[OrderByExpr] = match query.order_by.as_ref().map(|order| &order.kind) {
            Some(OrderByKind::Expressions(keys)) => keys,
            _ => &[],
        };
        self.body(&query.body, order, limited);
        self.ctes.truncate(known);
    }

    fn body(&mut self, body: &SetExpr, order: &[OrderByExpr], limited: bool) {
        match body {
            SetExpr::Select(select) => self.select(select, order, limited),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, right, .. } => {
                self.body(left, &[], false);
                self.body(right, &[], false);
            }
            SetExpr::Insert(statement) | SetExpr::Update(statement) | SetExpr::Delete(statement) => {
                self.statement(statement)
            }
            _ => {}
        }
    }

    fn select(&mut self, select: &Select, order: &[OrderByExpr], limited: bool) {
        let mut from = From::default();
        select.from.iter().for_each(|table| self.from(table, &mut from));
        for item in &select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                self.subqueries(expr);
            }
        }
        let order: Vec<OrderByExpr> = order.iter().map(|key| resolved(key, &select.projection)).collect();
        let plain = select.distinct.is_none() && select.having.is_none();
        self.close(from, select.selection.as_ref(), &order, limited && plain);
    }

    fn from<'q>(&mut self, table: &'q TableWithJoins, from: &mut From<'q>) {
        self.factor(&table.relation, from);
        for join in &table.joins {
            self.factor(&join.relation, from);
            if let Some(JoinConstraint::On(condition)) = constraint(&join.join_operator) {
                from.conditions.push(condition);
            }
        }
    }

    fn factor<'q>(&mut self, factor: &'q TableFactor, from: &mut From<'q>) {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => match table_name(name) {
                Some((schema, name)) if schema.is_some() || !self.ctes.contains(&name) => {
                    let alias = alias.as_ref().map_or_else(|| name.clone(), |alias| folded(&alias.name));
                    from.tables.push((schema, name, alias));
                }
                _ => from.others = true,
            },
            TableFactor::Derived { subquery, .. } => {
                from.others = true;
                self.query(subquery);
            }
            TableFactor::NestedJoin { table_with_joins, .. } => self.from(table_with_joins, from),
            _ => from.others = true,
        }
    }

    /// Notes the tables of a query with what it asks of them.
    fn close(&mut self, from: From<'_>, selection: Option<&Expr>, order: &[OrderByExpr], limited: bool) {
        let mut conditions = Vec::new();
        for condition in from.conditions.iter().copied().chain(selection) {
            self.subqueries(condition);
            flatten(condition, &mut conditions);
        }
        let alone = from.tables.len() == 1 && !from.others;
        for (schema, name, alias) in from.tables {
            let table = self.tables.find(schema.as_deref(), &name);
            let reader = Reader { alias: &alias, alone, table };
            let order = order.iter().map(|key| reader.order_key(key)).collect::<Option<_>>().unwrap_or_default();
            let conditions = conditions.iter().flat_map(|condition| reader.conditions(condition)).collect();
            self.found.push(Asked { schema, name, conditions, order, limited, alias });
        }
    }

    /// Reads the queries within an expression.
    fn subqueries(&mut self, expr: &Expr) {
        match expr {
            Expr::Subquery(query) | Expr::Exists { subquery: query, .. } => self.query(query),
            Expr::InSubquery { expr, subquery, .. } => {
                self.subqueries(expr);
                self.query(subquery);
            }
            Expr::Nested(inner)
            | Expr::UnaryOp { expr: inner, .. }
            | Expr::Cast { expr: inner, .. }
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner) => self.subqueries(inner),
            Expr::BinaryOp { left, right, .. } | Expr::AnyOp { left, right, .. } | Expr::AllOp { left, right, .. } => {
                self.subqueries(left);
                self.subqueries(right);
            }
            Expr::Function(function) => {
                for argument in super::key::call(function).into_iter().flat_map(|(_, arguments)| arguments) {
                    self.subqueries(argument);
                }
            }
            _ => {}
        }
    }
}

/// What an ORDER BY means by a number or the name of a column that it returns.
fn resolved(key: &OrderByExpr, projection: &[SelectItem]) -> OrderByExpr {
    let named = |name: &Ident| {
        projection.iter().find_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } if folded(alias) == folded(name) => Some(expr),
            _ => None,
        })
    };
    let numbered = |number: &str| match projection.get(number.parse::<usize>().ok()?.checked_sub(1)?)? {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    };
    let meant = match &key.expr {
        Expr::Identifier(name) => named(name),
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => numbered(number),
            _ => None,
        },
        _ => None,
    };
    OrderByExpr { expr: meant.unwrap_or(&key.expr).clone(), ..key.clone() }
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if value.value == Value::Null)
}

/// The conditions that AND joins.
fn flatten<'e>(expr: &'e Expr, into: &mut Vec<&'e Expr>) {
    match expr {
        Expr::Nested(inner) => flatten(inner, into),
        Expr::BinaryOp { left, op: sqlparser::ast::BinaryOperator::And, right } => {
            flatten(left, into);
            flatten(right, into);
        }
        _ => into.push(expr),
    }
}

fn constraint(operator: &JoinOperator) -> Option<&JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint) => Some(constraint),
        _ => None,
    }
}

/// Schema and name of a table.
fn table_name(name: &ObjectName) -> Option<(Option<String>, String)> {
    match name.0.as_slice() {
        [name] => Some((None, ident(name)?)),
        [.., schema, name] => Some((Some(ident(schema)?), ident(name)?)),
        [] => None,
    }
}
