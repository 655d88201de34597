//! What a rule looks at: one plan of a statement; and what it says of it.

use std::cell::OnceCell;

use super::scan::Scan;
use crate::{
    advice::{IndexAdvice, Planned},
    catalog::Tables,
    plan::{Node, Plan},
    record::{Confidence, Severity},
};

/// Own shared buffers and share of the time below which nothing at a node is worth a word.
const NOTHING_BUFFERS: u64 = 10;
pub(crate) const NOTHING_SHARE: f64 = 0.01;

/// Rows and buffers by execution up to which reading a table whole is as fast as an index.
pub(crate) const SMALL_ROWS: f64 = 1000.0;
const SMALL_BUFFERS: f64 = 10.0;

/// Share of the statement's time at stake from which a finding may be critical, and from which it is worth a warning.
pub(crate) const CRITICAL_SHARE: f64 = 0.4;
pub(crate) const WARNING_SHARE: f64 = 0.1;

/// A statement with its plans and what is known beside them.
#[derive(Debug, Clone, Copy)]
pub struct Examined<'a> {
    /// Its name in the workload, where it is of one.
    pub name: Option<&'a str>,
    /// Its text, where it is known.
    pub sql: Option<&'a str>,
    /// Its plans.
    pub plans: &'a [ClassPlan],
    /// What the catalog says of its tables; empty without a database.
    pub tables: &'a Tables,
    /// How often an operation executes it, on average: more than once for each row of an earlier step. `None` where that is not known.
    pub executions: Option<f64>,
}

/// A plan and what it was made for.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassPlan {
    /// `hot`, `typical`, `cold`, `absent` or `generic`; empty where it is not known.
    pub class: String,
    /// The plan.
    pub plan: Plan,
}

/// What a rule looks at: one plan of a statement.
#[derive(Debug, Clone)]
pub(crate) struct Case<'a> {
    pub(crate) class: &'a str,
    pub(crate) plan: &'a Plan,
    pub(crate) statement: &'a Examined<'a>,
    /// The same, as advice takes it.
    pub(crate) planned: Planned<'a>,
    pub(crate) scans: OnceCell<Vec<Scan<'a>>>,
}

/// What a rule saw in one plan.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sighting {
    pub(crate) severity: Severity,
    /// Place of the node; `None` for the whole statement.
    pub(crate) node: Option<usize>,
    pub(crate) evidence: String,
    /// Milliseconds of the execution at stake; `None` where nothing was timed.
    pub(crate) at_stake_ms: Option<f64>,
    pub(crate) advice: String,
    pub(crate) statements: Vec<String>,
    pub(crate) confidence: Confidence,
}

impl Sighting {
    /// The sighting with the index as its advice, where there is one.
    pub(crate) fn with_index(self, index: Option<IndexAdvice>) -> Self {
        match index {
            None => self,
            Some(index) => {
                Self { advice: index.why.clone(), statements: index.statements(), confidence: Confidence::High, ..self }
            }
        }
    }
}

impl<'a> Case<'a> {
    pub(crate) fn new(class: &'a str, plan: &'a Plan, statement: &'a Examined<'a>) -> Self {
        let planned = Planned::new(plan, statement.sql, statement.tables);
        Self { class, plan, statement, planned, scans: OnceCell::new() }
    }

    /// Milliseconds that the statement took, planning included; `None` where nothing was timed.
    pub(crate) fn statement_ms(&self) -> Option<f64> {
        Some(self.plan.execution_ms.or(self.plan.root().total_ms)? + self.plan.planning_ms.unwrap_or(0.0))
    }

    /// `ms` as a share of what the statement took, 0 to 1.
    pub(crate) fn share(&self, ms: f64) -> Option<f64> {
        let total = self.statement_ms()?;
        (total > 0.0).then(|| (ms / total).clamp(0.0, 1.0))
    }

    /// As much of the statement's time is at stake; [`Severity::Warning`] where nothing was timed.
    pub(crate) fn by_share(&self, at_stake_ms: Option<f64>) -> Severity {
        match at_stake_ms.and_then(|ms| self.share(ms)) {
            Some(share) if share >= CRITICAL_SHARE => Severity::Critical,
            Some(share) if share < WARNING_SHARE => Severity::Info,
            _ => Severity::Warning,
        }
    }

    /// Whether the node reads a table of a few pages, which no index would make faster, however often it does.
    pub(crate) fn is_small(&self, node: &Node) -> bool {
        let by_loop = |total: f64| total / node.loops().max(1.0);
        by_loop(node.rows_read()) <= SMALL_ROWS
            && node.own_buffers.is_none_or(|own| by_loop(own.shared() as f64) <= SMALL_BUFFERS)
    }

    /// Whether the node took so little that nothing at it is worth a word: under 10 buffers and 1 % of the time.
    pub(crate) fn is_nothing(&self, node: &Node) -> bool {
        node.never_executed() || self.is_little(node.own_buffers.map(|buffers| buffers.shared()), node.own_ms)
    }

    /// Whether so few buffers and milliseconds are not worth a word; where one is not known, the other decides.
    pub(crate) fn is_little(&self, buffers: Option<u64>, ms: Option<f64>) -> bool {
        let few = buffers.map(|buffers| buffers < NOTHING_BUFFERS);
        let short = ms.and_then(|ms| self.share(ms)).map(|share| share < NOTHING_SHARE);
        (few.is_some() || short.is_some()) && few.unwrap_or(true) && short.unwrap_or(true)
    }

    /// Nodes with their places that something may be said of.
    pub(crate) fn worth_a_word(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.plan.nodes().iter().enumerate().filter(|(_, node)| !self.is_nothing(node))
    }
}
