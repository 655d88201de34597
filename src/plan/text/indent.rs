//! How many columns a tab before a line stands for.

use super::line::{Line, is_arrow, is_detail, unindented};

/// Columns of a tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tabs {
    /// So many each.
    Each(usize),
    /// Up to the next of these.
    Stops(usize),
}

impl Tabs {
    /// Those by which the arrows of a plan stand where EXPLAIN puts them.
    pub(crate) fn of<'t>(first: Line<'t>, rest: impl Iterator<Item = Line<'t>> + Clone) -> Self {
        let plan = || rest.clone().take_while(|line| line.indent > first.indent || line.text.is_empty());
        let default = Self::Each(1);
        let before = |raw: &'t str| &raw[..raw.len() - unindented(raw).len()];
        let has_tab = |line: Line<'t>| line.raw.contains('\t') && before(line.raw).contains('\t');
        if !plan().any(has_tab) {
            return default;
        }
        let ways = [default, Self::Stops(8), Self::Each(4), Self::Each(8), Self::Stops(4), Self::Each(2)];
        // Of the first line the space that psql puts before each may be lost.
        let fits = |way: &Self| [2, 3].into_iter().any(|below| way.fits(first, plan(), below));
        ways.into_iter().find(fits).unwrap_or(Self::Stops(8))
    }

    /// Whether each arrow stands below the name of an open node: 6 columns deeper than its arrow, or 2 than the first line, and 2 more
    /// below the name of a subplan.
    fn fits<'t>(self, first: Line<'t>, rest: impl Iterator<Item = Line<'t>>, below: usize) -> bool {
        let root = self.columns(first.raw);
        let mut open = vec![root + below];
        for line in rest {
            let at = self.columns(line.raw);
            if !is_arrow(line.text) {
                if is_detail(line.text) && open.last().is_some_and(|below| at < *below) {
                    return false;
                }
                continue;
            }
            while open.last().is_some_and(|below| *below > at) {
                open.pop();
            }
            if !open.last().is_some_and(|below| *below == at || below + 2 == at) {
                return false;
            }
            open.push(at + 6);
        }
        true
    }

    fn columns(self, raw: &str) -> usize {
        raw.chars().take_while(|c| c.is_whitespace()).fold(0, |at, c| match (self, c) {
            (Self::Each(width), '\t') => at + width,
            (Self::Stops(width), '\t') => (at / width + 1) * width,
            _ => at + 1,
        })
    }

    /// The line with its indentation in columns.
    pub(crate) fn measured(self, line: Line<'_>) -> Line<'_> {
        match self {
            Self::Each(1) => line,
            _ => Line { indent: self.columns(line.raw), ..line },
        }
    }
}
