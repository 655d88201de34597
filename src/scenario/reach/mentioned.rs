//! The names in a statement.

use super::{Known, name::Name, reading::Reading, words::Words};

/// Functions that work on a sequence whose name is given as text.
const OF_SEQUENCES: [&str; 3] = ["nextval", "currval", "setval"];

/// Every name in the statement, by what it may be.
pub(super) fn mentioned(words: &Words, known: &Known) -> Reading {
    let mut reading = Reading { coded: words.has_coded_name(), ..Reading::default() };
    let mut at = 0;
    while at < words.len() {
        if at > 0 && words.is_period(at - 1) {
            // Of a name that begins with what is no name, such as (row).column.
            reading.attributes.extend(words.name(at).map(str::to_owned));
        }
        let Some((parts, end)) = words.parts(at) else {
            at += 1;
            continue;
        };
        at = end;
        let last = parts.len() - 1;
        if words.is_open(end) {
            let called = Name::of(&parts[last.saturating_sub(2)..]);
            if !is_of_own_sequence(words, end, &parts, known) {
                reading.calls.extend(called);
            }
            // Also a table's, in front of the columns that an INSERT names.
        } else {
            reading.attributes.extend(parts[1..].iter().map(|part| (*part).to_owned()));
        }
        // Of `a.b` both may be a relation: `a` with a column `b`, or `b` in the schema `a`.
        for length in 1..=parts.len().min(3) {
            reading.names.extend(Name::of(&parts[..length]));
        }
    }
    reading
}

/// Whether what is called at a parenthesis moves a sequence that is in the schema.
fn is_of_own_sequence(words: &Words, open: usize, parts: &[&str], known: &Known) -> bool {
    let is_function = match parts {
        [name] | ["pg_catalog", name] => OF_SEQUENCES.contains(name),
        _ => false,
    };
    let text = words.text(open + 1).filter(|text| !text.contains('"'));
    let sequence = text.and_then(|text| {
        let text = text.to_ascii_lowercase();
        Name::of(&text.trim().split('.').collect::<Vec<_>>())
    });
    // A text that is put together with another one is another name.
    let is_whole = words.is_comma(open + 2) || words.is_close(open + 2) || is_regclass(words, open + 2);
    is_function && is_whole && sequence.is_some_and(|sequence| known.has(&sequence))
}

/// `::regclass` before the end of an argument.
fn is_regclass(words: &Words, at: usize) -> bool {
    words.is_cast(at) && words.key(at + 1) == "regclass" && (words.is_comma(at + 2) || words.is_close(at + 2))
}
