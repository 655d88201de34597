//! Columns and parameters of every type, through the real program on a real server: seeded, sent, explained, written and compared.
//!
//! `LATCLINIC_PG_BIN` names another server's binaries, as everywhere.

#![expect(clippy::unwrap_used, reason = "a test fails by it, as it should")]

mod declared;
mod kind;
#[path = "../own_server/mod.rs"]
mod own_server;
mod refused;
mod site;
mod sizes;

use rstest::rstest;
use serde_json::Value as Json;

use self::{
    kind::{Kind, kinds},
    site::Site,
};

/// Rows of the tables; each value of a kind is in some of them.
const ROWS: u64 = 300;

/// Extensions whose types are among the kinds.
const EXTENSIONS: [&str; 7] = ["citext", "cube", "hstore", "intarray", "isn", "ltree", "pg_trgm"];

/// Types of the scenario's own.
const TYPES: &str = "
CREATE TYPE mood AS ENUM ('calm', 'loud', 'it''s \"odd\"');
CREATE DOMAIN zip AS text CHECK (VALUE ~ '^[0-9]{5}$');
CREATE DOMAIN small AS int CHECK (VALUE BETWEEN 1 AND 9);
CREATE DOMAIN feeling AS mood CHECK (VALUE <> 'loud');
CREATE DOMAIN span AS int4range CHECK (NOT isempty(VALUE));
CREATE DOMAIN words AS text[] CHECK (cardinality(VALUE) > 0);
CREATE TYPE pair AS (a int, b text, c mood);
CREATE TYPE floatrange AS RANGE (subtype = float8);
CREATE TYPE opaque;
CREATE FUNCTION opaque_in(cstring) RETURNS opaque IMMUTABLE STRICT LANGUAGE internal AS 'textin';
CREATE FUNCTION opaque_out(opaque) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'textout';
CREATE TYPE opaque (INPUT = opaque_in, OUTPUT = opaque_out, LIKE = text);
CREATE TYPE \"Odd \"\"name\" AS ENUM ('a', 'b');
";

/// A scenario with a table whose columns are of these kinds, and of arrays of them, and with statements about each.
fn scenario(kinds: &[Kind]) -> String {
    let mut columns = vec!["id int PRIMARY KEY".to_owned()];
    let mut generators = vec!["id = { sequence = {} }".to_owned()];
    let mut workload = String::new();
    for (index, Kind { ty, values, equality, of_array, .. }) in kinds.iter().enumerate() {
        let (column, array) = (format!("c{index}"), format!("a{index}"));
        let choice = format!("{{ choice = {{ values = [{}] }} }}", values.join(", "));
        columns.push(format!("{column} {ty}"));
        generators.push(format!("{column} = {choice}"));
        // Where there is no `=` the texts are compared, and the parameter is of the type all the same.
        let (own, given, all) = match equality {
            true => (column.clone(), "$1".to_owned(), format!("ANY ($2::{ty}[])")),
            false => (format!("{column}::text"), format!("$1::{ty}::text"), format!("ANY ($2::{ty}[]::text[])")),
        };
        let sql = format!("SELECT id, {column} FROM t WHERE {own} = {given}");
        workload += &statement(&format!("drawn_{index}"), &sql, &choice);
        let query = format!("{{ query = 'SELECT DISTINCT ON ({column}::text) {column} FROM t' }}");
        workload += &statement(&format!("fetched_{index}"), &sql, &query);
        let first = format!("[{{ uniform = {{ min = 1, max = {ROWS} }} }}]");
        workload += &step(index, "first", &format!("SELECT {column} FROM t WHERE id <= $1"), &first);
        let result = format!("result = {{ step = 'first', column = '{column}'");
        // A cidr is compared as an inet.
        let given = given.replace("$1", &format!("$1::{ty}"));
        if !of_array {
            let sql = format!("SELECT count(*) FROM t WHERE {own} = {given}");
            workload += &step(index, "second", &sql, &format!("[{{ {result} }} }}]"));
            continue;
        }
        let several = format!("{{ array = {{ of = {choice}, length = [0, 2] }} }}");
        columns.push(format!("{array} {ty}[]"));
        generators.push(format!("{array} = {several}"));
        let equal = match equality {
            true => format!("{array} = $1"),
            false => format!("{array}::text = $1::{ty}[]::text"),
        };
        let sql = format!("SELECT id, {array} FROM t WHERE {equal} OR {own} = {all}");
        workload += &statement(&format!("array_{index}"), &sql, &format!("{several}, {several}"));
        let sql = format!("SELECT count(*) FROM t WHERE {own} = {given} AND {own} = {all}");
        workload += &step(index, "second", &sql, &format!("[{{ {result} }} }}, {{ {result}, all = true }} }}]"));
    }
    format!(
        "title = 'Every type'\n[dataset]\nschema = '''{TYPES}CREATE TABLE t ({});\n'''\n[dataset.tables.t]\nrows = {ROWS}\n\
         [dataset.tables.t.columns]\n{}\n{workload}[load]\nclients = 2\n[results]\nsample = 6\n\
         [fix]\ntitle = 'index'\nup = 'CREATE INDEX t_id ON t (id) WHERE id > 5'\ndown = 'DROP INDEX t_id'\n",
        columns.join(", "),
        generators.join("\n")
    )
}

/// A statement, as the scenario's file has it.
fn statement(name: &str, sql: &str, parameters: &str) -> String {
    format!("[workload.statements.{name}]\nsql = '''{sql}'''\nparameters = [{parameters}]\n")
}

/// A step of a script, as the scenario's file has it.
fn step(script: usize, name: &str, sql: &str, parameters: &str) -> String {
    format!("[[workload.scripts.fed_{script}.steps]]\nname = '{name}'\nsql = '''{sql}'''\nparameters = {parameters}\n")
}

/// What is wrong in a record, where each operation should work.
fn faults(record: &Json) -> Vec<String> {
    let mut faults = Vec::new();
    for statement in record["statements"].as_array().unwrap() {
        if statement["totals"]["errors"] != 0 {
            faults.push(format!("{}: {}", statement["name"], statement["errors"]));
        }
    }
    for of in record["results"]["statements"].as_array().into_iter().flatten() {
        if of["identical"] != true || of["compared"].as_u64().unwrap() == 0 {
            faults.push(format!("results of {}: {of}", of["name"]));
        }
    }
    faults
}

/// In parts, which run side by side.
#[rstest]
fn every_type_is_seeded_sent_explained_written_and_compared(#[values(0, 1, 2)] part: usize) {
    let site = Site::with(&EXTENSIONS);
    let kinds: Vec<Kind> = kinds().into_iter().skip(part).step_by(3).collect();
    let kinds = site.known(kinds);
    assert!(kinds.len() > 15, "{}", kinds.len());
    let told = site.run("types", &scenario(&kinds), "2s");
    let record = told.record("after");
    assert_eq!(faults(&record), Vec::<String>::new());
    let plans = record["plans"].as_array().unwrap();
    for (index, Kind { ty, values, .. }) in kinds.iter().enumerate() {
        for name in [format!("drawn_{index}"), format!("fetched_{index}"), format!("fed_{index}.second")] {
            for class in ["hot", "typical", "cold", "absent"] {
                let planned = plans.iter().any(|plan| plan["statement"] == *name && plan["class"] == *class);
                // The label that no operation sends is one that the domain does not take.
                let refused =
                    told.stderr.contains(&format!("{name} has no plan for {class} values: value for domain feeling"));
                assert!(planned != refused, "{ty}: {name}, {class}: {}", told.stderr);
                assert!(!refused || *ty == "feeling" && class == "absent", "{ty}");
            }
        }
        let distinct = format!("SELECT count(DISTINCT c{index}::text) FROM latclinic_types.t");
        assert_eq!(site.sql(&distinct), values.len().to_string(), "{ty}");
    }
    let price = record["price"].to_string();
    assert!(
        price.contains("\"insert\"") && !price.contains("not measured") && !price.contains("not updated"),
        "{price}"
    );
}
