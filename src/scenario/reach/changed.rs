//! Which tables statements change: their rows, their shape, their indexes, or what happens when they are written.

use std::collections::{BTreeMap, BTreeSet};

use super::words::{Cursor, Words};

/// Names of the tables that `statements` change, as the catalog has them, without their schema. `ddl` are statements that made what they
/// change: it says which table an index is of.
pub fn changed_tables<'s>(
    statements: impl IntoIterator<Item = &'s str> + Clone,
    ddl: impl IntoIterator<Item = &'s str>,
) -> BTreeSet<String> {
    let (mut indexes, mut parents) = (BTreeMap::new(), BTreeMap::new());
    for sql in ddl.into_iter().chain(statements.clone()) {
        let words = Words::new(sql);
        let mut cursor = Cursor::new(&words);
        if cursor.take("create table")
            && let Some(part) = cursor.name()
            && cursor.take("partition of")
            && let Some(parent) = cursor.name()
        {
            parents.insert(part.name, parent.name);
        }
        if let Some((Some(index), table)) = created_index(&mut Cursor::new(&Words::new(sql))) {
            indexes.insert(index, table);
        }
    }
    let mut changed = BTreeSet::new();
    for sql in statements {
        of_statement(sql, &indexes, &mut changed);
    }
    // Writes go to the partitioned table.
    let parents: Vec<String> = changed.iter().filter_map(|part| parents.get(part).cloned()).collect();
    changed.extend(parents);
    changed
}

fn of_statement(sql: &str, indexes: &BTreeMap<String, String>, changed: &mut BTreeSet<String>) {
    let words = Words::new(sql);
    let mut cursor = Cursor::new(&words);
    let verb = cursor.key();
    match verb {
        "create" => create(&mut cursor, changed),
        "alter" | "drop" => {
            cursor.at += 1;
            if cursor.take("index") {
                changed.extend(names(&mut cursor).into_iter().map(|index| table_of(&index, indexes)));
            } else if cursor.take("table") || cursor.take("foreign table") {
                changed.extend(names(&mut cursor));
                changed.extend(after(&words, "references"));
            } else if ["trigger", "policy", "rule"].iter().any(|kind| cursor.take(kind)) {
                changed.extend(after(&words, "on"));
            }
        }
        "reindex" => {
            cursor.at += 1;
            cursor.take_parentheses();
            if cursor.take("index") {
                changed.extend(names(&mut cursor).into_iter().map(|index| table_of(&index, indexes)));
            } else if cursor.take("table") {
                changed.extend(names(&mut cursor));
            }
        }
        "vacuum" | "analyze" | "analyse" | "cluster" | "truncate" | "lock" => {
            cursor.at += 1;
            cursor.take_parentheses();
            while cursor.take_any(&["full", "freeze", "verbose", "analyze", "analyse", "table"]).is_some() {}
            changed.extend(names(&mut cursor));
        }
        "insert" | "update" | "delete" | "merge" | "with" | "copy" => {
            for (keys, at) in [("insert into", 2), ("update", 1), ("delete from", 2), ("merge into", 2), ("copy", 1)] {
                changed.extend(written(&words, keys, at));
            }
        }
        // What it runs is a text to the server.
        "do" => {
            let texts = (0..words.len()).filter_map(|at| words.text(at));
            changed.extend(texts.flat_map(every_word));
            changed.extend(every_word(sql));
        }
        // Settings, functions, transactions: of no table.
        _ => {}
    }
}

fn create(cursor: &mut Cursor<'_>, changed: &mut BTreeSet<String>) {
    let words = cursor.words;
    if let Some((_, table)) = created_index(&mut Cursor::new(words)) {
        changed.insert(table);
        return;
    }
    cursor.take("create");
    cursor.take("or replace");
    if cursor.take("statistics") {
        changed.extend(after(words, "from"));
    } else if ["trigger", "constraint trigger", "policy", "rule"].iter().any(|kind| cursor.take(kind)) {
        changed.extend(after(words, "on"));
    } else if cursor.take("table") || cursor.take("unlogged table") {
        changed.extend(after(words, "of"));
        changed.extend(after(words, "references"));
    }
}

/// The index that a statement makes, if it is named, and its table.
fn created_index(cursor: &mut Cursor<'_>) -> Option<(Option<String>, String)> {
    if !(cursor.take("create index") || cursor.take("create unique index")) {
        return None;
    }
    cursor.take("concurrently");
    cursor.take("if not exists");
    let name = if cursor.key() == "on" { None } else { Some(cursor.name()?.name) };
    if !cursor.take("on") {
        return None;
    }
    cursor.take("only");
    Some((name, cursor.name()?.name))
}

/// The table of an index: that of its statement, or else what PostgreSQL names it after, as `orders_pkey`.
fn table_of(index: &str, indexes: &BTreeMap<String, String>) -> String {
    let by_name = || index.rsplit_once('_').map_or(index, |(table, _)| table).to_owned();
    indexes.get(index).cloned().unwrap_or_else(by_name)
}

fn names(cursor: &mut Cursor<'_>) -> Vec<String> {
    while cursor.take_any(&["concurrently", "if exists", "only"]).is_some() {}
    cursor.names().into_iter().flatten().map(|name| name.name).collect()
}

/// The name after the first such word outside of parentheses, and of REFERENCES within them too.
fn after(words: &Words, key: &str) -> Option<String> {
    let depths = words.depths();
    let found = (1..words.len()).find(|at| words.key(*at) == key && (depths[*at] == 0 || key == "references"))?;
    let mut cursor = Cursor { words, at: found + 1 };
    cursor.take("only");
    cursor.name().map(|name| name.name)
}

/// The tables after such words, wherever they are: CTEs write too.
fn written(words: &Words, keys: &str, length: usize) -> Vec<String> {
    let is_there = |at: &usize| Cursor { words, at: *at }.take(keys);
    let lock = |at: &usize| *at > 0 && matches!(words.key(at - 1), "for" | "do" | "then" | "key");
    (0..words.len())
        .filter(is_there)
        .filter(|at| !lock(at))
        .filter_map(|at| {
            let mut cursor = Cursor { words, at: at + length };
            cursor.take("only");
            cursor.name().map(|name| name.name)
        })
        .collect()
}

fn every_word(text: &str) -> impl Iterator<Item = String> + '_ {
    let words = text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$')));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_statement_changes_counts() {
        let of = |sql: &str| {
            let ddl = ["CREATE UNIQUE INDEX of_users ON users (mail)", "CREATE TABLE orders (id int PRIMARY KEY)"];
            changed_tables([sql], ddl).into_iter().collect::<Vec<_>>().join(" ")
        };
        let cases = [
            ("CREATE INDEX CONCURRENTLY ON events (users) WHERE orders > 1 -- of customers", "events"),
            ("create unique index if not exists i on only shop.\"Events\" using btree (users)", "Events"),
            ("DROP INDEX CONCURRENTLY IF EXISTS of_users", "users"),
            ("REINDEX (VERBOSE) INDEX CONCURRENTLY orders_pkey", "orders"),
            ("ALTER INDEX of_users SET (fillfactor = 50)", "users"),
            ("ALTER TABLE ONLY orders ADD FOREIGN KEY (of) REFERENCES users (id)", "orders users"),
            ("ALTER TABLE branches SET (fillfactor = 50)", "branches"),
            ("VACUUM (FULL, ANALYZE) branches, tellers", "branches tellers"),
            ("VACUUM FULL branches", "branches"),
            ("CREATE STATISTICS s (dependencies) ON a, b FROM orders", "orders"),
            ("CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f()", "orders"),
            ("UPDATE orders SET n = (SELECT 1 FROM users)", "orders"),
            ("WITH gone AS (DELETE FROM users RETURNING *) INSERT INTO archive SELECT * FROM gone", "archive users"),
            ("INSERT INTO orders SELECT * FROM users ON CONFLICT DO UPDATE SET n = 1", "orders"),
            ("SET random_page_cost = 1.1", ""),
            ("ALTER SYSTEM SET orders = 1", ""),
            ("CREATE MATERIALIZED VIEW v AS SELECT * FROM orders", ""),
            ("CREATE TABLE part PARTITION OF orders FOR VALUES IN (1)", "orders"),
        ];
        for (sql, tables) in cases {
            assert_eq!(of(sql), tables, "{sql}");
        }
        assert!(of("DO $$ BEGIN EXECUTE 'ALTER TABLE orders ADD n int'; END $$").contains("orders"));
    }
}
