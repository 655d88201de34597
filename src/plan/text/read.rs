//! FORMAT TEXT to the normal form: what it says under the keys of FORMAT JSON. The tree is in the indentation.

use std::borrow::Cow;

use super::{indent, line::Line, reader::Reader, torn, wrapped::Layout};
use crate::plan::{damage::Damage, error::Error, model::Plan};

/// A plan that was read.
pub(crate) struct Read {
    pub(crate) plan: Plan,
    /// Number of its lines.
    pub(crate) lines: usize,
    pub(crate) damage: Damage,
}

/// Reads the plan that `first` begins, which `rest` follows.
pub(crate) fn read<'t>(first: Line<'t>, rest: impl Iterator<Item = Line<'t>> + Clone) -> Result<Read, Error> {
    let tabs = indent::Tabs::of(first, rest.clone());
    let mut rest = rest.map(|line| tabs.measured(line));
    let first = tabs.measured(first);
    let layout = Layout::of(first, rest.clone());
    let damage =
        Damage { is_fragment: first.text.starts_with("->"), is_rebuilt: layout.is_folded, is_followed_by_cut: false };
    let mut reader = Reader::new(first.indent, damage);
    let mut read = 0;
    let mut next = Some(first);
    while let Some(line) = next {
        let (text, more) = layout
            .joined(line, rest.clone())
            .map_or((Cow::Borrowed(line.text), 0), |(text, more)| (Cow::Owned(text), more));
        let whole = Line { text: text.trim(), ..line };
        if reader.is_empty() {
            let name = whole.text.strip_prefix("->").unwrap_or(whole.text);
            reader.node(whole, name.trim_start(), whole.indent)?;
        } else if !whole.text.is_empty() && !reader.line(whole)? {
            if !damage.is_fragment {
                torn::refuse_torn(line, rest, first.indent, reader.is_timed())?;
            }
            break;
        }
        read += 1 + more;
        next = rest.nth(more);
    }
    Ok(Read { plan: reader.finish()?, lines: read, damage })
}
