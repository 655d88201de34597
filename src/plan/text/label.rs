//! The line of a node: `Parallel Index Scan Backward using i on public.t a  (cost=0.00..1.00 rows=1 width=4) (actual rows=1 loops=1)`.

use crate::plan::{
    relatives::Relative,
    unfinished_node::{Draft, Field},
};

/// How text begins with a type, what JSON calls it, and what the name alone says: keys with their texts.
type NodeType = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const TYPES: &[NodeType] = &[
    ("Gather Motion", "Gather Motion", &[]),
    ("Redistribute Motion", "Redistribute Motion", &[]),
    ("Broadcast Motion", "Broadcast Motion", &[]),
    ("Explicit Redistribute Motion", "Explicit Redistribute Motion", &[]),
    ("Explicit Gather Motion", "Explicit Gather Motion", &[]),
    ("Remote Subquery Scan", "Remote Subquery Scan", &[]),
    ("PX Coordinator", "PX Coordinator", &[]),
    ("GroupAggregate", "Aggregate", &[("Strategy", "Sorted")]),
    ("HashAggregate", "Aggregate", &[("Strategy", "Hashed")]),
    ("MixedAggregate", "Aggregate", &[("Strategy", "Mixed")]),
    ("Aggregate", "Aggregate", &[("Strategy", "Plain")]),
    ("HashSetOp", "SetOp", &[("Strategy", "Hashed")]),
    ("SetOp", "SetOp", &[("Strategy", "Sorted")]),
    ("Insert", "ModifyTable", &[("Operation", "Insert")]),
    ("Update", "ModifyTable", &[("Operation", "Update")]),
    ("Delete", "ModifyTable", &[("Operation", "Delete")]),
    ("Merge on", "ModifyTable", &[("Operation", "Merge")]),
    ("Foreign Scan", "Foreign Scan", &[("Operation", "Select")]),
    ("Foreign Insert", "Foreign Scan", &[("Operation", "Insert")]),
    ("Foreign Update", "Foreign Scan", &[("Operation", "Update")]),
    ("Foreign Delete", "Foreign Scan", &[("Operation", "Delete")]),
    ("Index Only Scan", "Index Only Scan", &[]),
    ("Index Scan", "Index Scan", &[]),
    ("Bitmap Index Scan", "Bitmap Index Scan", &[]),
    ("Bitmap Heap Scan", "Bitmap Heap Scan", &[]),
    ("Seq Scan", "Seq Scan", &[]),
    ("Sample Scan", "Sample Scan", &[]),
    ("Tid Range Scan", "Tid Range Scan", &[]),
    ("Tid Scan", "Tid Scan", &[]),
    ("Subquery Scan", "Subquery Scan", &[]),
    ("Function Scan", "Function Scan", &[]),
    ("Table Function Scan", "Table Function Scan", &[]),
    ("Values Scan", "Values Scan", &[]),
    ("CTE Scan", "CTE Scan", &[]),
    ("Named Tuplestore Scan", "Named Tuplestore Scan", &[]),
    ("WorkTable Scan", "WorkTable Scan", &[]),
    ("Custom Scan", "Custom Scan", &[]),
    ("Nested Loop", "Nested Loop", &[]),
    ("Merge Append", "Merge Append", &[]),
    ("Append", "Append", &[]),
    ("Recursive Union", "Recursive Union", &[]),
    ("BitmapAnd", "BitmapAnd", &[]),
    ("BitmapOr", "BitmapOr", &[]),
    ("Gather Merge", "Gather Merge", &[]),
    ("Gather", "Gather", &[]),
    ("Incremental Sort", "Incremental Sort", &[]),
    ("Sort", "Sort", &[]),
    ("Materialize", "Materialize", &[]),
    ("Memoize", "Memoize", &[]),
    ("Group", "Group", &[]),
    ("WindowAgg", "WindowAgg", &[]),
    ("Unique", "Unique", &[]),
    ("LockRows", "LockRows", &[]),
    ("Limit", "Limit", &[]),
    ("ProjectSet", "ProjectSet", &[]),
    ("Result", "Result", &[]),
    ("Hash", "Hash", &[]),
];

/// What stands in brackets behind a node's name.
pub(crate) const MEASURES: [&str; 3] = ["(cost=", "(actual ", "(never executed)"];

/// Whether the line is one of a node: its name is that of a type.
pub(crate) fn is_node(line: &str) -> bool {
    let (name, _) = split(line);
    read(name).is_some()
}

/// Whether the line begins with the name of a type, whatever follows.
pub(crate) fn begins_as_node(line: &str) -> bool {
    let mut name = line;
    for prefix in ["Async ", "Parallel ", "Partial ", "Finalize ", "YB "] {
        name = name.strip_prefix(prefix).unwrap_or(name);
    }
    let begins = |prefix: &str| {
        let rest = name.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '(']))
    };
    TYPES.iter().any(|(prefix, ..)| begins(prefix)) || begins("Merge")
}

/// Whether costs or measurements stand behind a node's name.
pub(crate) fn has_measures(line: &str) -> bool {
    MEASURES.iter().any(|measure| line.contains(measure))
}

/// Reads the line of a node, of any type if an arrow stands before it; `None` where its name is that of no type, or what stands behind
/// it is not whole.
pub(crate) fn node(line: &str) -> Option<Draft> {
    let (name, measures) = split(line);
    measured(read(name)?, measures)
}

/// The same of a node below another, whose type may be one that is not known.
pub(crate) fn node_below(line: &str) -> Option<Draft> {
    let (name, measures) = split(line);
    let is_named = name.starts_with(|c: char| c.is_ascii_uppercase()) && !measures.is_empty() && !begins_as_node(name);
    measured(read(name).or_else(|| is_named.then(|| unknown(name)))?, measures)
}

/// A node of a type that is not known: its name as far as the table's, and all of it among what is kept.
fn unknown(name: &str) -> Draft {
    let mut draft = Draft::default();
    let (node_type, rest) =
        name.find(" using ").or_else(|| name.find(" on ")).map_or((name, ""), |at| name.split_at(at));
    let _ = draft.set("Node Type", &Field::Text(node_type));
    if object(&mut draft, rest).is_none() {
        let _ = draft.set("Node Type", &Field::Text(name));
    }
    draft.node.relative = Relative::of(name);
    draft
}

/// The node with what stands in brackets behind its name.
fn measured(mut draft: Draft, measures: &str) -> Option<Draft> {
    let mut rest = measures.trim();
    // Behind them a quote ends a cell of CSV.
    while !rest.is_empty() && !rest.starts_with('"') {
        let (inside, more) = rest.strip_prefix('(')?.split_once(')')?;
        let inside = inside.trim();
        rest = more.trim_start();
        match inside.split_once(char::is_whitespace) {
            Some(("actual", measured)) => actual(&mut draft, measured)?,
            _ if inside == "never executed" => draft.never_executed(),
            _ if inside.starts_with("cost=") => {
                for part in inside.split_whitespace() {
                    let (key, value) = part.split_once('=')?;
                    match key {
                        "cost" => range(&mut draft, value, "Startup Cost", "Total Cost")?,
                        "rows" => number(&mut draft, "Plan Rows", value)?,
                        "width" => number(&mut draft, "Plan Width", value)?,
                        key if !is_key(key) => return None,
                        _ => draft.other(part),
                    }
                }
            }
            _ if inside.contains('=') => return None,
            _ => draft.other(&format!("({inside})")),
        }
    }
    Some(draft)
}

/// `time=0.009..0.012 rows=4 loops=1`, without the time where nothing was timed.
pub(crate) fn actual(draft: &mut Draft, measured: &str) -> Option<()> {
    for part in measured.split_whitespace() {
        let (key, value) = part.split_once('=')?;
        match key {
            "time" => range(draft, value, "Actual Startup Time", "Actual Total Time")?,
            "rows" => number(draft, "Actual Rows", value)?,
            "loops" => number(draft, "Actual Loops", value)?,
            // A key that is none is a part of a broken line.
            key if !is_key(key) => return None,
            _ => draft.other(part),
        }
    }
    Some(())
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

fn range(draft: &mut Draft, value: &str, from: &str, to: &str) -> Option<()> {
    let (first, last) = value.split_once("..")?;
    number(draft, from, first)?;
    number(draft, to, last)
}

fn number(draft: &mut Draft, key: &str, value: &str) -> Option<()> {
    draft.set(key, &Field::Number(value.parse().ok().filter(|number: &f64| number.is_finite())?)).ok()
}

/// The name and what stands in brackets behind it.
fn split(line: &str) -> (&str, &str) {
    // A name may hold anything, in quotes: the last brackets are meant.
    let mut name = line;
    for measure in MEASURES.iter().rev() {
        if let Some(at) = name.rfind(measure) {
            name = &name[..at];
        }
    }
    (name.trim_end(), &line[name.len()..])
}

/// The name alone.
fn read(name: &str) -> Option<Draft> {
    let mut draft = Draft::default();
    let name = name.strip_prefix("Async ").unwrap_or(name);
    draft.node.relative = Relative::of(name);
    let name = name.strip_prefix("YB ").unwrap_or(name);
    let (name, parallel) = name.strip_prefix("Parallel ").map_or((name, false), |name| (name, true));
    let (name, mode) = ["Partial", "Finalize"]
        .into_iter()
        .find_map(|mode| Some((name.strip_prefix(mode)?.strip_prefix(' ')?, mode)))
        .unwrap_or((name, "Simple"));
    let mut set = |key: &str, text: &str| {
        // These keys hold texts.
        let _ = draft.set(key, &Field::Text(text));
    };
    let rest = if let Some((kind, join, rest)) = join(name) {
        set("Node Type", kind);
        set("Join Type", join);
        rest
    } else {
        let (prefix, node_type, says) = TYPES.iter().find(|(prefix, ..)| {
            name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })?;
        set("Node Type", node_type);
        says.iter().for_each(|(key, text)| set(key, text));
        match *node_type {
            "Aggregate" => set("Partial Mode", mode),
            "Nested Loop" => set("Join Type", "Inner"),
            _ => {}
        }
        &name[prefix.trim_end_matches(" on").len()..]
    };
    let rest = rest.strip_prefix(" Backward").map_or(rest, |rest| {
        set("Scan Direction", "Backward");
        rest
    });
    let _ = draft.set("Parallel Aware", &Field::Bool(parallel));
    object(&mut draft, rest)?;
    Some(draft)
}

/// The type of a join, how it joins, and what follows.
fn join(name: &str) -> Option<(&'static str, &str, &str)> {
    let kinds = [("Nested Loop", "Nested Loop"), ("Hash", "Hash Join"), ("Merge", "Merge Join")];
    kinds.into_iter().find_map(|(prefix, kind)| {
        let rest = name.strip_prefix(prefix)?;
        let (join, rest) = rest.split_once(" Join")?;
        let join = join.trim_start();
        let known = ["", "Left", "Right", "Full", "Semi", "Anti", "Right Semi", "Right Anti"].contains(&join);
        known.then_some((kind, if join.is_empty() { "Inner" } else { join }, rest))
    })
}

/// What a node works on: ` using index on schema.table alias`, ` on index`, ` on alias`, ` Except All`.
fn object(draft: &mut Draft, rest: &str) -> Option<()> {
    let mut rest = rest;
    let mut names: Vec<(&str, String)> = Vec::new();
    let kind = draft.node.node_type.clone();
    if let Some(using) = rest.strip_prefix(" using ") {
        let (index, after) = identifier(using)?;
        names.push(("Index Name", index));
        rest = after;
    }
    if kind == "Custom Scan" {
        // What executes it is a part of its type.
        let on = rest.find(" on ").unwrap_or(rest.len());
        let provider = rest[..on].to_owned();
        let _ = draft.set("Custom Plan Provider", &Field::Text(provider.trim_matches([' ', '(', ')'])));
        rest = &rest[on..];
    }
    // Between which segments rows move, in which part of the statement.
    if kind.ends_with("Motion") || kind == "PX Coordinator" || kind == "Remote Subquery Scan" {
        if !rest.is_empty() {
            draft.other(rest.trim());
        }
        rest = "";
    }
    // Before PostgreSQL 9.1.
    let of_old = format!(" on{rest}");
    if kind == "Subquery Scan" && rest.starts_with(' ') && !rest.starts_with(" on ") {
        rest = &of_old;
    }
    if let Some(on) = rest.strip_prefix(" on ") {
        let (mut first, mut after) = identifier(on)?;
        let mut schema = None;
        if let Some(name) = after.strip_prefix('.') {
            let (name, rest) = identifier(name)?;
            schema = Some(std::mem::replace(&mut first, name));
            after = rest;
        }
        let alias = match after.trim_start() {
            "" => None,
            // What follows an alias is a part of a broken name.
            after => match identifier(after)? {
                (alias, rest) if rest.trim().is_empty() => Some(alias),
                _ => return None,
            },
        };
        names.extend(schema.map(|schema| ("Schema", schema)));
        let of = match kind.as_str() {
            "Bitmap Index Scan" => Some("Index Name"),
            "Function Scan" => Some("Function Name"),
            "CTE Scan" | "WorkTable Scan" => Some("CTE Name"),
            "Subquery Scan" | "Values Scan" | "Table Function Scan" | "Named Tuplestore Scan" => None,
            _ => Some("Relation Name"),
        };
        if kind != "Bitmap Index Scan" {
            names.push(("Alias", alias.unwrap_or_else(|| first.clone())));
        }
        names.extend(of.map(|of| (of, first)));
    } else if !rest.trim().is_empty() && !matches!(kind.as_str(), "SetOp" | "Custom Scan") {
        return None;
    }
    for (key, name) in names {
        let _ = draft.set(key, &Field::Text(&name));
    }
    Some(())
}

/// A name, quoted where it has to be, and what follows it.
fn identifier(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '.']).unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, after)),
        }
    }
}
