//! Indexes that exist and that a scan does not use, and why.

use super::{
    case::Case,
    rewrite::{self, Rewrite},
    scan::{Compared, Scan},
};
use crate::{
    advice,
    catalog::{IndexFacts, OperatorFacts, TableFacts},
    plan::Plan,
    sqltext::{
        condition::{self, Side},
        quote,
    },
};

/// Factor between planned and real rows from which the estimate is why an index is passed by.
const OFF: f64 = 10.0;

/// Letters in a row without which an index of trigrams narrows nothing.
const TRIGRAM: usize = 3;

/// PostgreSQL's default of `random_page_cost`; far above it every index looks dear.
const RANDOM_PAGE_COST: f64 = 4.0;

/// Why an index is not used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Why<'a> {
    /// It is not valid.
    Invalid(&'a IndexFacts),
    /// A policy of row-level security is checked before the operator, which is not known to reveal nothing; the index that has the
    /// column, where there is one.
    Leaky { operator: &'a OperatorFacts, index: Option<&'a IndexFacts> },
    /// Its operator class has another operator of the name, or none.
    Operator { operator: &'a OperatorFacts, index: &'a IndexFacts, shadows: bool },
    /// The condition would have to be written so.
    Written { index: &'a IndexFacts, rewrite: Rewrite },
    /// It sorts as its collation does, and the condition compares bytes.
    Collation(&'a IndexFacts),
    /// It sorts by this collation, and the condition compares by the column's.
    OtherCollation { index: &'a IndexFacts, collation: &'a str },
    /// The pattern has fewer than three letters in a row.
    FewLetters(&'a IndexFacts),
    /// It holds only rows that the statement is not known to ask for.
    Predicate { index: &'a IndexFacts, predicate: &'a str },
    /// It is of another expression of the column.
    Expression { index: &'a IndexFacts, expression: &'a str },
    /// Settings of the planner that keep it from using indexes, with their values; the index, where it is known.
    Settings { settings: Vec<(&'a str, &'a str)>, index: Option<&'a IndexFacts> },
    /// Many more rows were expected than there are.
    Estimate { index: &'a IndexFacts, planned: f64, by: By<'a> },
    /// The planner took reading the table to be cheaper.
    Cost(&'a IndexFacts),
}

/// What an estimate is off by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum By<'a> {
    /// The value is that of a subquery, which is known only when the statement runs.
    Subquery { operator: &'a str },
    /// These columns go together, and the planner takes them for independent.
    Columns(Vec<&'a str>),
    /// The statistics of the column.
    Statistics,
}

/// An index that is not used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unused<'a> {
    /// The column or expression that it would find rows by, as SQL writes it.
    pub(crate) key: String,
    pub(crate) why: Why<'a>,
}

/// The index that a scan's filter could be looked up in and is not, and why; `None` if there is none, or it cannot be told.
pub(crate) fn of_scan<'a>(case: &Case<'a>, scan: &Scan<'a>) -> Option<Unused<'a>> {
    let relation = scan.node.relation.as_deref()?;
    let Some(table) = case.statement.tables.find(scan.node.schema.as_deref(), relation) else {
        return of_plan_alone(case, scan);
    };
    if let Some(index) = advice::invalid_index(&case.planned, scan.at) {
        return Some(Unused { key: index.keys.first()?.expression.clone(), why: Why::Invalid(index) });
    }
    let in_table = InTable { case, scan, table };
    let terms = || scan.filter().into_iter().filter_map(|term| scan.compared(term));
    terms()
        .find_map(|compared| in_table.leaky(&compared))
        .or_else(|| in_table.written())
        .or_else(|| terms().find_map(|compared| in_table.unsuitable(&compared)))
        .or_else(|| terms().find_map(|compared| in_table.passed_by(&compared)))
}

/// What the plan says by itself: that indexes were switched off.
fn of_plan_alone<'a>(case: &Case<'a>, scan: &Scan<'a>) -> Option<Unused<'a>> {
    let compared = scan.comparisons().iter().find(|compared| compared.is_ordered())?;
    let Side::Column(column) = compared.side else { return None };
    let settings = switched_off(case.plan);
    let both = settings.iter().filter(|(name, _)| name.starts_with("enable_")).count() >= 2;
    let is_known = scan.node.node_type == "Seq Scan" && both;
    is_known.then(|| Unused { key: column.to_owned(), why: Why::Settings { settings, index: None } })
}

/// Settings of the planner that speak against every index.
fn switched_off(plan: &Plan) -> Vec<(&str, &str)> {
    let is_against = |name: &str, value: &str| match name {
        "enable_indexscan" | "enable_bitmapscan" => value == "off",
        "random_page_cost" => value.parse::<f64>().is_ok_and(|cost| cost > RANDOM_PAGE_COST),
        "seq_page_cost" => value.parse::<f64>().is_ok_and(|cost| cost < 0.5),
        _ => false,
    };
    let settings = plan.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    settings.filter(|(name, value)| is_against(name, value)).collect()
}

struct InTable<'c, 's, 'a> {
    case: &'c Case<'a>,
    scan: &'s Scan<'a>,
    table: &'a TableFacts,
}

impl<'a> InTable<'_, '_, 'a> {
    /// The column that is compared as it is; a varchar, and a domain of text, is printed as cast to text.
    fn column(&self, compared: &Compared<'a>) -> Option<&'a str> {
        match compared.side {
            Side::Column(column) => Some(column),
            Side::Cast { column, to: "text" } => {
                let of = self.table.column(&quote::name(column))?.base();
                (of == "text" || of.starts_with("character varying")).then_some(column)
            }
            _ => None,
        }
    }

    /// The column of a comparison, as the catalog has it, and its operator.
    fn operator(&self, compared: &Compared<'a>) -> Option<(String, &'a OperatorFacts)> {
        let column = quote::name(self.column(compared)?);
        let name = compared.operator.split(' ').next()?;
        let operand = condition::cast_to(compared.value);
        Some((column.clone(), self.table.operator(&column, name, operand)?))
    }

    fn leaky(&self, compared: &Compared<'a>) -> Option<Unused<'a>> {
        let (column, operator) = self.operator(compared).filter(|_| self.table.row_security_applies)?;
        if operator.leakproof || !advice::is_asked(&self.case.planned, self.scan.node, &column) {
            return None;
        }
        let has = |index: &&IndexFacts| index.keys.iter().any(|key| !key.is_expression && key.expression == column);
        let of_scan = |index: &&IndexFacts| Some(&index.name) == self.scan.node.index.as_ref() && has(index);
        let index = self.table.indexes.iter().find(of_scan).or_else(|| self.table.indexes.iter().find(has));
        Some(Unused { key: quote::identifier(&column), why: Why::Leaky { operator, index } })
    }

    fn written(&self) -> Option<Unused<'a>> {
        let (term, rewrite) = rewrite::of_scan(self.scan)?;
        // What is made of the column is told as that.
        let is_made = |compared: Compared<'_>| {
            compared.is_ordered() && matches!(compared.side, Side::Expression | Side::Cast { to: "date", .. })
        };
        if self.scan.compared(term).is_some_and(is_made) {
            return None;
        }
        let index = rewrite::existing(self.table, &rewrite, &[])?;
        Some(Unused { key: rewrite.key.clone(), why: Why::Written { index, rewrite } })
    }

    /// An index of the column that the comparison cannot be looked up in.
    fn unsuitable(&self, compared: &Compared<'a>) -> Option<Unused<'a>> {
        let found = |key: String, why: Why<'a>| Some(Unused { key, why });
        if compared.side == Side::Expression {
            return self.contained(compared).or_else(|| self.other_expression(compared));
        }
        let column = quote::name(self.column(compared)?);
        let key = quote::identifier(&column);
        let pattern = condition::constant(compared.value);
        if matches!(compared.operator, "~~" | "~~*" | "~" | "~*") {
            let pattern = pattern?;
            let run = pattern.split(|c: char| !c.is_alphanumeric()).map(|run| run.chars().count()).max().unwrap_or(0);
            let trigrams = self.with_key(&column, |key| {
                key.operator_class.as_deref().is_some_and(|class| class.ends_with("trgm_ops"))
            });
            if let Some(index) = trigrams.filter(|_| run < TRIGRAM) {
                return found(key, Why::FewLetters(index));
            }
            let is_prefix = compared.operator == "~~" && !pattern.starts_with(['%', '_']);
            let is_bytewise = self.table.column(&column).is_some_and(|column| column.bytewise);
            if is_prefix && !is_bytewise && trigrams.is_none() {
                let bytewise = |key: &crate::catalog::IndexKey| {
                    key.operator_class.as_deref().is_some_and(|class| class.ends_with("pattern_ops"))
                        || matches!(key.collation.as_deref(), Some("C" | "POSIX"))
                };
                if self.with_key(&column, bytewise).is_some() {
                    return None;
                }
                return found(
                    key,
                    Why::Collation(self.with_key(&column, |_| true).filter(|index| index.method == "btree")?),
                );
            }
            if compared.operator == "~~*" && !pattern.contains(['%', '_']) {
                return self.other_expression(compared);
            }
            return None;
        }
        // It compares by a collation of its own.
        if compared.value.contains(" COLLATE ") {
            return None;
        }
        if compared.is_ordered() && self.with_key(&column, |key| key.collation.is_none()).is_none() {
            let other = self.with_key(&column, |key| key.collation.is_some());
            let collation = other.and_then(|index| index.keys.iter().find_map(|key| key.collation.as_deref()));
            if let (Some(index), Some(collation)) = (other, collation) {
                return found(key, Why::OtherCollation { index, collation });
            }
        }
        let (_, operator) = self.operator(compared)?;
        // What btrees have of networks they are looked up by in another way.
        let is_other = |index: &&IndexFacts| {
            matches!(index.method.as_str(), "gin" | "gist" | "spgist")
                && index.keys.iter().any(|key| key.expression == column)
                && !operator.indexes.contains(&index.name)
        };
        let index = self.table.indexes.iter().find(is_other).filter(|_| operator.indexes.is_empty())?;
        let shadows =
            self.table.operators.iter().any(|other| {
                other.column == column && other.name == operator.name && other.indexes.contains(&index.name)
            });
        found(key, Why::Operator { operator, index, shadows })
    }

    /// `body ->> 'plan' = 'pro'`, and a GIN index of the whole column, which finds what contains `{"plan": "pro"}`.
    fn contained(&self, compared: &Compared<'a>) -> Option<Unused<'a>> {
        let of = condition::comparison(condition::bare(compared.expression)).filter(|of| of.operator == "->>")?;
        let (Side::Column(column), "=") = (condition::side(of.left, self.scan.alias()), compared.operator) else {
            return None;
        };
        let name = quote::name(column);
        self.table.column(&name).filter(|facts| facts.base_type == "jsonb")?;
        let (field, value) = (condition::constant(of.right)?, condition::constant(compared.value)?);
        let index = self.with_key(&name, |_| true).filter(|index| index.method == "gin")?;
        let object = serde_json::json!({ field: value }).to_string().replace('\'', "''");
        let rewrite = Rewrite {
            condition: format!("{column} @> '{object}'"),
            key: column.to_owned(),
            method: "gin",
            class: None,
            extension: None,
        };
        Some(Unused { key: column.to_owned(), why: Why::Written { index, rewrite } })
    }

    /// An index of another expression of the column that is compared.
    fn other_expression(&self, compared: &Compared<'a>) -> Option<Unused<'a>> {
        let columns = condition::columns(compared.expression, self.scan.alias());
        let [column] = columns.as_slice() else { return None };
        let asked = condition::unqualified(condition::bare(compared.expression), self.scan.alias());
        let mut expressions = self.table.indexes.iter().filter_map(|index| {
            let first = index.keys.first().filter(|key| key.is_expression && index.method == "btree")?;
            Some((index, first.expression.as_str()))
        });
        let same = |expression: &str| plain(expression) == plain(&asked);
        if expressions.clone().any(|(_, expression)| same(expression)) {
            return None;
        }
        let is_of_column = |(_, expression): &(&IndexFacts, &str)| condition::columns(expression, "") == [*column];
        let (index, expression) = expressions.find(is_of_column)?;
        Some(Unused { key: asked, why: Why::Expression { index, expression } })
    }

    /// An index that serves the comparison, where nothing better is to be made.
    fn passed_by(&self, compared: &Compared<'a>) -> Option<Unused<'a>> {
        // What a function gives is not looked up where it may be another for each row.
        let is_other = !condition::calls(compared.value).is_empty() || compared.value.contains(" COLLATE ");
        if self.scan.node.node_type != "Seq Scan" || is_other {
            return None;
        }
        let (key, index) = self.serving(compared)?;
        let found = |why: Why<'a>| Some(Unused { key: key.clone(), why });
        if let Some(predicate) = index.predicate.as_deref() {
            let asked: Vec<String> = self
                .scan
                .filter()
                .into_iter()
                .map(|term| plain(&condition::unqualified(term, self.scan.alias())))
                .collect();
            let is_implied = condition::terms(predicate).into_iter().all(|term| asked.contains(&plain(term)));
            if !is_implied {
                return found(Why::Predicate { index, predicate });
            }
        }
        let settings = switched_off(self.case.plan);
        if !settings.is_empty() {
            return found(Why::Settings { settings, index: Some(index) });
        }
        if self.case.class == "generic" || self.scan.index(self.case).is_some() {
            return None;
        }
        let planned = self.scan.sum(|node| node.plan_rows * node.loops());
        if planned > OFF * self.scan.rows().max(1.0) {
            return found(Why::Estimate { index, planned, by: self.off_by(compared) });
        }
        found(Why::Cost(index))
    }

    /// Why the planner expected so many rows.
    fn off_by(&self, compared: &Compared<'a>) -> By<'a> {
        // PostgreSQL 17 writes `(InitPlan 1).col1`, before it was `$0`; a parameter of the statement begins with 1.
        if compared.value.contains("InitPlan ") || condition::parameter(compared.value) == Some(0) {
            return By::Subquery { operator: compared.operator };
        }
        let mut columns: Vec<&str> = Vec::new();
        for term in self.scan.filter() {
            for column in condition::columns(term, self.scan.alias()) {
                if !columns.contains(&column) {
                    columns.push(column);
                }
            }
        }
        if columns.len() > 1 { By::Columns(columns) } else { By::Statistics }
    }

    /// An index that is looked up by the comparison, one of all rows before others.
    fn serving(&self, compared: &Compared<'a>) -> Option<(String, &'a IndexFacts)> {
        let all_first = |mut found: Vec<&'a IndexFacts>| {
            found.sort_by_key(|index| index.predicate.is_some());
            found.into_iter().next()
        };
        if compared.side == Side::Expression {
            let asked = condition::unqualified(condition::bare(compared.expression), self.scan.alias());
            let same = |index: &&IndexFacts| {
                index.keys.first().is_some_and(|key| key.is_expression && plain(&key.expression) == plain(&asked))
            };
            let found = self.table.indexes.iter().filter(same).filter(|_| compared.is_ordered()).collect();
            return Some((asked, all_first(found)?));
        }
        let (column, operator) = self.operator(compared)?;
        let serves = |index: &&IndexFacts| {
            let first = index.method == "gin" || index.keys.first().is_some_and(|key| key.expression == column);
            first && operator.indexes.contains(&index.name)
        };
        let found = self.table.indexes.iter().filter(serves).collect();
        Some((quote::identifier(&column), all_first(found)?))
    }

    fn with_key(&self, column: &str, is: impl Fn(&crate::catalog::IndexKey) -> bool) -> Option<&'a IndexFacts> {
        self.table.indexes.iter().find(|index| {
            index
                .keys
                .iter()
                .take(if index.method == "btree" { 1 } else { usize::MAX })
                .any(|key| !key.is_expression && key.expression == column && is(key))
        })
    }
}

/// An expression without what PostgreSQL adds to it when it prints it.
fn plain(expression: &str) -> String {
    let mut text = expression.to_lowercase();
    text.retain(|c| !matches!(c, '(' | ')' | ' ' | '"'));
    ["::text", "::character varying", "::bpchar"]
        .iter()
        .fold(text.clone(), |text, cast| text.replace(&cast.replace(' ', ""), ""))
}
