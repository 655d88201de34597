//! Statements by their kind.
//!
//! Names without a schema are those of the schema only as long as it has them: after that they are those of the next schema in the
//! search path. So what a statement creates, renames and drops is kept book of.

use super::{
    Known, RelationKind,
    name::Name,
    reading::{Beyond, Reading},
    settings,
    words::{Cursor, Words},
    writes,
};

type Result<T = ()> = std::result::Result<T, Beyond>;

/// Reads a statement of any kind, one of several that are executed in their order.
///
/// # Errors
/// It is not certain that all that it writes is in the schema.
pub(super) fn read(words: &Words, known: &mut Known, reading: &mut Reading) -> Result {
    let cursor = Cursor::new(words);
    match cursor.key() {
        "create" => create(cursor, known, reading),
        "alter" => alter(cursor, known),
        "drop" => drop(cursor, known),
        // What was created may be gone.
        "rollback" | "abort" => unknown(),
        _ => read_unordered(words, known, reading),
    }
}

/// Reads a statement that is executed any number of times, beside others.
///
/// # Errors
/// It is not certain that all that it writes is in the schema.
pub(super) fn read_unordered(words: &Words, known: &Known, reading: &mut Reading) -> Result {
    let cursor = Cursor::new(words);
    match cursor.key() {
        "select" | "values" | "table" | "with" | "insert" | "update" | "delete" | "merge" => {
            writes::read(words, 0, known, reading)
        }
        "" if words.is_open(0) => writes::read(words, 0, known, reading),
        "comment" => comment(cursor, known),
        "truncate" => truncate(cursor, known, reading),
        "analyze" | "analyse" | "vacuum" | "cluster" => maintain(cursor, known),
        "reindex" => reindex(cursor, known),
        "set" | "reset" => set(cursor),
        "show" => Ok(()),
        // Of a transaction that was prepared, anybody's.
        "commit" | "rollback" if words.key(1) == "prepared" => unknown(),
        "begin" | "start" | "commit" | "end" | "rollback" | "abort" | "savepoint" | "release" => Ok(()),
        _ => unknown(),
    }
}

fn unknown<T>() -> Result<T> {
    Err(Beyond::Anything)
}

fn named(cursor: &mut Cursor<'_>) -> Result<Name> {
    cursor.name().ok_or(Beyond::Anything)
}

fn create(mut cursor: Cursor<'_>, known: &mut Known, reading: &mut Reading) -> Result {
    cursor.take("create");
    let replace = cursor.take("or replace");
    if !replace && (cursor.take("unlogged table") || cursor.take("table")) {
        return create_table(cursor, known, reading);
    }
    if cursor.take("recursive view") || cursor.take("view") || (!replace && cursor.take("materialized view")) {
        cursor.take("if not exists");
        let name = named(&mut cursor)?;
        writes::read(cursor.words, cursor.at, known, reading)?;
        return known.add(&name, RelationKind::Other);
    }
    if replace {
        return unknown();
    }
    if cursor.take("unique index") || cursor.take("index") {
        return create_index(cursor, known);
    }
    if cursor.take("sequence") {
        cursor.take("if not exists");
        let name = named(&mut cursor)?;
        owned_by(cursor, known)?;
        return known.add(&name, RelationKind::Other);
    }
    if cursor.take("statistics") {
        let table = (cursor.at..cursor.words.len()).rev().find(|at| cursor.words.key(*at) == "from");
        let mut from = Cursor { at: table.ok_or(Beyond::Anything)? + 1, ..cursor };
        known.require(&named(&mut from)?)?;
        cursor.take("if not exists");
        return if cursor.key() == "on" || cursor.words.is_open(cursor.at) { Ok(()) } else { made(&mut cursor, known) };
    }
    if cursor.take("domain") {
        return made(&mut cursor, known);
    }
    if cursor.take("type") {
        made(&mut cursor, known)?;
        let is_plain = cursor.take("as enum") || (cursor.take("as") && cursor.words.is_open(cursor.at));
        return if is_plain { Ok(()) } else { unknown() };
    }
    unknown()
}

/// The name of something that is created.
fn made(cursor: &mut Cursor<'_>, known: &Known) -> Result {
    let name = named(cursor)?;
    if known.creates(&name) { Ok(()) } else { Err(Beyond::Names(name)) }
}

fn create_table(mut cursor: Cursor<'_>, known: &mut Known, reading: &mut Reading) -> Result {
    cursor.take("if not exists");
    let name = named(&mut cursor)?;
    // A table may refer to itself.
    known.add(&name, RelationKind::Table)?;
    let (words, begin) = (cursor.words, cursor.at);
    let depths = words.depths();
    let query = (begin..words.len()).find(|at| depths[*at] == 0 && words.key(*at) == "as");
    if let Some(query) = query {
        let is_query =
            matches!(words.key(query + 1), "select" | "values" | "table" | "with") || words.is_open(query + 1);
        return if is_query { writes::read(words, query + 1, known, reading) } else { unknown() };
    }
    for at in begin..words.len() {
        if words.verb(at) == "like" {
            reading.templates.extend(Cursor { at: at + 1, ..cursor }.name());
        }
    }
    referred(cursor, known)
}

/// Whether the other tables that the rest of a statement ties a table to are in the schema: a key or a parent changes them too.
fn referred(cursor: Cursor<'_>, known: &Known) -> Result {
    let words = cursor.words;
    for at in cursor.at..words.len() {
        let next = Cursor { at: at + 1, words };
        let names = match words.verb(at) {
            // A constraint with NO INHERIT names nothing.
            "references" | "inherit" => { next }.name().into_iter().collect(),
            "inherits" if words.is_open(at + 1) => Cursor { at: at + 2, words }.names().ok_or(Beyond::Anything)?,
            "partition" if words.key(at + 1) == "of" || matches!(words.verb_before(at), "attach" | "detach") => {
                let mut next = next;
                next.take("of");
                vec![named(&mut next)?]
            }
            _ => continue,
        };
        names.iter().try_for_each(|name| known.require(name))?;
    }
    Ok(())
}

fn create_index(mut cursor: Cursor<'_>, known: &mut Known) -> Result {
    cursor.take("concurrently");
    cursor.take("if not exists");
    let name = if cursor.key() == "on" { None } else { cursor.name() };
    if !cursor.take("on") {
        return unknown();
    }
    cursor.take("only");
    known.require(&named(&mut cursor)?)?;
    // An index is where its table is, and its name has no schema.
    name.map_or(Ok(()), |name| known.add(&name, RelationKind::Other))
}

/// `OWNED BY table.column`.
fn owned_by(cursor: Cursor<'_>, known: &Known) -> Result {
    let words = cursor.words;
    for at in cursor.at..words.len() {
        if words.verb(at) == "owned" && words.key(at + 1) == "by" && words.key(at + 2) != "none" {
            let (parts, _) = words.parts(at + 2).ok_or(Beyond::Anything)?;
            let table = Name::of(&parts[..parts.len() - 1]).ok_or(Beyond::Anything)?;
            known.require(&table)?;
        }
    }
    Ok(())
}

fn alter(mut cursor: Cursor<'_>, known: &mut Known) -> Result {
    cursor.take("alter");
    let Some(kind) = cursor.take_any(&["table", "index", "sequence"]) else { return unknown() };
    cursor.take("if exists");
    cursor.take("only");
    let name = named(&mut cursor)?;
    known.require(&name)?;
    let depths = cursor.words.depths();
    let actions: Vec<&str> =
        (cursor.at..cursor.words.len()).filter(|at| depths[*at] == 0).map(|at| cursor.words.verb(at)).collect();
    // SET SCHEMA, DEPENDS ON EXTENSION.
    if actions.iter().any(|word| matches!(*word, "schema" | "extension")) {
        return unknown();
    }
    referred(cursor, known)?;
    if kind == "sequence" {
        owned_by(cursor, known)?;
    }
    // A column or a key takes what depends on it along.
    if actions.contains(&"drop") {
        known.forget_others();
    }
    if cursor.take("rename to") {
        let new = named(&mut cursor)?;
        known.rename(&name, &new.name);
    }
    Ok(())
}

fn drop(mut cursor: Cursor<'_>, known: &mut Known) -> Result {
    cursor.take("drop");
    let kinds = ["table", "view", "materialized view", "index", "sequence"];
    let Some(kind) = cursor.take_any(&kinds) else { return unknown() };
    cursor.take("concurrently");
    cursor.take("if exists");
    for name in cursor.names().ok_or(Beyond::Anything)? {
        known.require(&name)?;
        known.remove(&name);
    }
    if kind == "table" || cursor.take("cascade") {
        known.forget_all();
    }
    if kind == "materialized view" {
        known.forget_others();
    }
    Ok(())
}

fn comment(mut cursor: Cursor<'_>, known: &Known) -> Result {
    cursor.take("comment on");
    if cursor.take("column") {
        let (parts, _) = cursor.words.parts(cursor.at).ok_or(Beyond::Anything)?;
        return known.require(&Name::of(&parts[..parts.len() - 1]).ok_or(Beyond::Anything)?);
    }
    match cursor.take_any(&["table", "view", "materialized view", "index", "sequence"]) {
        Some(_) => known.require(&named(&mut cursor)?),
        None => unknown(),
    }
}

fn truncate(mut cursor: Cursor<'_>, known: &Known, reading: &mut Reading) -> Result {
    cursor.take("truncate");
    cursor.take("table");
    cursor.take("only");
    for name in cursor.names().ok_or(Beyond::Anything)? {
        reading.targets.insert(name.clone());
        known.require_table(&name)?;
    }
    // CASCADE takes the tables that refer to it.
    cursor.take_any(&["restart identity", "continue identity"]);
    cursor.take("restrict");
    if cursor.is_at_end() { Ok(()) } else { unknown() }
}

/// ANALYZE, VACUUM, CLUSTER: without a table's name they are about all tables.
fn maintain(mut cursor: Cursor<'_>, known: &Known) -> Result {
    cursor.at += 1;
    cursor.take_parentheses();
    while cursor.take_any(&["full", "freeze", "verbose", "analyze", "analyse"]).is_some() {}
    loop {
        cursor.take("only");
        known.require(&named(&mut cursor)?)?;
        cursor.take_parentheses();
        if !cursor.take_comma() {
            return Ok(());
        }
    }
}

fn reindex(mut cursor: Cursor<'_>, known: &Known) -> Result {
    cursor.take("reindex");
    cursor.take_parentheses();
    if cursor.take_any(&["table", "index"]).is_none() {
        return unknown();
    }
    cursor.take("concurrently");
    known.require(&named(&mut cursor)?)
}

fn set(mut cursor: Cursor<'_>) -> Result {
    let is_set = cursor.take("set");
    cursor.take_any(&["reset", "local", "session"]);
    if is_set && matches!(cursor.key(), "constraints" | "transaction" | "characteristics") {
        return Ok(());
    }
    match cursor.name() {
        Some(Name { schema: None, name }) if settings::stays_within(&name) => Ok(()),
        _ => unknown(),
    }
}
