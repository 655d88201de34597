//! Scenario files: the bundled ones are whole, and every kind of fault is told in its place.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod gates;
mod guide;
mod load;
mod results;
mod scripts;
mod thresholds;

use std::{fs, path::Path, process::Command};

use insta::assert_snapshot;
use latclinic::scenario::{
    self, Classes, Error, Faults, Generator, JsonTemplate, Origin, ParameterSource, RowOrder, Scenario, TextKind, Value,
};
use proptest::prelude::*;

/// A scenario without fault, in parts that a test can replace.
const DATASET: &str = r#"[dataset]
schema = "CREATE TABLE events (id bigint PRIMARY KEY, user_id int NOT NULL, note text)"
[dataset.tables.events]
rows = 100
[dataset.tables.events.columns]
id = { sequence = {} }
user_id = { zipf = { min = 1, max = 10 } }
"#;
const WORKLOAD: &str = r#"[workload.statements.latest]
sql = "SELECT * FROM events WHERE user_id = $1"
parameters = [{ uniform = { min = 1, max = 10 } }]
"#;
const FIX: &str = r#"[fix]
title = "an index"
up = "CREATE INDEX i ON events (user_id)"
down = "DROP INDEX i"
"#;

fn read(text: &str) -> Result<Scenario, Error> {
    read_as("mine.toml", text)
}

fn read_as(name: &str, text: &str) -> Result<Scenario, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    fs::write(folder.path().join("schema.sql"), "CREATE TABLE events (\n  id int,\n  note 'text\n);").unwrap();
    scenario::load(path.to_str().unwrap())
}

fn faults_of(result: Result<Scenario, Error>) -> Faults {
    match result {
        Err(Error::Faults(faults)) => faults,
        other => panic!("expected faults, got {other:?}"),
    }
}

/// Each fault as a line, without the folder.
fn lines(result: Result<Scenario, Error>) -> String {
    let told = faults_of(result).to_string();
    let short = told.lines().map(|line| {
        let folder = line.split(":").next().and_then(|path| Path::new(path).parent()).unwrap().display().to_string();
        line.replace(&format!("{folder}/"), "")
    });
    short.collect::<Vec<_>>().join("\n")
}

fn with_dataset(dataset: &str) -> String {
    lines(read(&format!("title = \"t\"\n{dataset}{WORKLOAD}{FIX}")))
}

/// Faults of one more column, in a table whose columns the schema leaves open.
fn column(column: &str) -> String {
    let dataset = format!(
        "[dataset]\nschema = \"CREATE TABLE events AS SELECT 1\"\n[dataset.tables.events]\nrows = 100\n\
         [dataset.tables.events.columns]\nid = {{ sequence = {{}} }}\n{column}\n"
    );
    with_dataset(&dataset)
}

fn with_workload(workload: &str) -> String {
    lines(read(&format!("title = \"t\"\n{FIX}{DATASET}{workload}")))
}

fn with_fix(fix: &str) -> String {
    lines(read(&format!("title = \"t\"\n{DATASET}{WORKLOAD}{fix}")))
}

#[test]
fn the_parts_make_a_scenario() {
    let scenario = read(&format!("title = \"t\"\n{DATASET}{WORKLOAD}{FIX}")).unwrap();
    assert_eq!((scenario.id.as_str(), scenario.schema_name().as_str()), ("mine", "latclinic_mine"));
    assert_eq!((scenario.load.clients, scenario.load.duration.as_secs(), scenario.load.warmup.as_secs()), (8, 20, 5));
    assert_eq!((scenario.dataset.seed, scenario.load.seed, scenario.fix.lock_timeout.as_secs()), (1, 1, 5));
    assert!(matches!(scenario.origin, Origin::File(_)));
    assert!(scenario.fix.up.source.ends_with("mine.toml: fix.up"));
}

#[test]
fn the_events_scenario_is_what_it_says() {
    let events = Scenario::bundled("events").unwrap();
    assert_eq!((events.id.as_str(), events.rows(), &events.origin), ("events", 1_000_000, &Origin::Bundled));
    let [table] = events.dataset.tables.as_slice() else { panic!("one table") };
    let columns: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, ["created_at", "id", "kind", "payload", "user_id"]);
    let zipf = Generator::Zipf { min: 1, max: 10_000, exponent: 1.0 };
    assert_eq!(table.columns[4].generator, zipf);
    let year = Generator::Timestamp { from: 1_735_689_600_000_000, to: 1_767_225_600_000_000, order: RowOrder::Random };
    assert_eq!(table.columns[0].generator, year);
    let Generator::Json(JsonTemplate::Object(entries)) = &table.columns[3].generator else { panic!("an object") };
    let keys: Vec<_> = entries.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["page", "ms", "mobile"]);
    let [statement] = events.statements.as_slice() else { panic!("one statement") };
    assert_eq!(statement.parameters, [ParameterSource::Generator(zipf).into()]);
    let value = |number| Some(vec![Value::Int(number)]);
    assert_eq!(statement.classes, Classes { hot: value(1), typical: value(5_000), cold: None, absent: value(0) });
    assert_eq!(
        events.fix.up.statements[0].text,
        "CREATE INDEX CONCURRENTLY events_user_id_created_at_idx ON events (user_id, created_at DESC)"
    );
    assert_eq!(events.dataset.schema.statements[0].line, 2);
    assert_eq!(scenario::load("events").unwrap(), events);
}

#[test]
fn the_file_and_the_bundle_are_the_same_scenario() {
    let mut file = scenario::load("scenarios/events.toml").unwrap();
    file.origin = Origin::Bundled;
    assert_eq!(file, Scenario::bundled("events").unwrap());
}

#[test]
fn every_file_is_bundled_used_and_documented() {
    let guide = fs::read_to_string("docs/scenarios.md").unwrap();
    let mut used = Vec::new();
    for id in scenario::bundled() {
        let scenario = Scenario::bundled(id).unwrap();
        assert!(guide.contains(&format!("`{id}`")), "docs/scenarios.md does not tell of {id}");
        let texts = [&scenario.dataset.schema, &scenario.fix.up, &scenario.fix.down];
        used.push(format!("scenarios/{id}.toml"));
        used.extend(texts.into_iter().chain(scenario.statements.iter().map(|statement| &statement.sql)).map(|sql| {
            assert!(!sql.source.is_empty());
            sql.source.clone()
        }));
    }
    let mut files = files_in(Path::new("scenarios"));
    files.extend(files_in(Path::new("sql")));
    for file in files {
        assert!(used.contains(&file), "{file} belongs to no bundled scenario: add it to src/scenario/bundled.rs");
    }
}

fn files_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path.display().to_string()] }).collect()
}

const GENERATORS: [&str; 16] = [
    "sequence",
    "constant",
    "uniform",
    "zipf",
    "normal",
    "choice",
    "timestamp",
    "text",
    "pattern",
    "uuid",
    "json",
    "array",
    "foreign_key",
    "bytes",
    "inet",
    "boolean",
];

#[test]
fn schema_and_guide_tell_of_every_generator_and_key() {
    let schema = scenario::json_schema();
    let guide = fs::read_to_string("docs/scenarios.md").unwrap();
    let variants = schema["$defs"]["Generator"]["oneOf"].as_array().unwrap();
    let names: Vec<_> = variants.iter().map(|variant| variant["required"][0].as_str().unwrap()).collect();
    assert_eq!(names, GENERATORS);
    for variant in variants {
        let description = variant["description"].as_str().unwrap();
        let name = variant["required"][0].as_str().unwrap();
        assert!(description.contains(&format!("{{ {name} = ")), "{name} has no example");
        assert!(guide.contains(&format!("{{ {name} = ")), "docs/scenarios.md has no example of {name}");
    }
    let sections = [&schema].into_iter().chain(schema["$defs"].as_object().unwrap().values());
    for (key, property) in sections.filter_map(|section| section["properties"].as_object()).flatten() {
        let documented = property["description"].as_str().is_some_and(|text| !text.is_empty());
        assert!(documented || property["$ref"].is_string(), "{key} has no description");
        assert!(guide.contains(key), "docs/scenarios.md does not tell of {key}");
    }
}

#[test]
fn every_generator_is_read() {
    let columns = r#"
        a = { sequence = { start = 10, step = -2 } }
        b = { constant = 2025-01-01 }
        c = { uniform = { min = 0.5, max = 1, decimals = 2 }, null = 0.25 }
        d = { normal = { mean = 1, deviation = 0.5, max = 3 } }
        e = { choice = { values = ["a", 1, 1.5, true, [1, 2]] } }
        f = { timestamp = { from = 2025-01-01, to = "2025-01-01T00:00:01+00:00", order = "growing" } }
        g = { text = { length = 3, kind = "hex" } }
        h = { pattern = '^-##\#' }
        i = { uuid = "v7" }
        j = { json = { template = [1, "x", { k = { "$sequence" = {} }, l = {} }] } }
        k = { array = { of = { inet = "fd00::/8" }, length = [0, 2] } }
        l = { foreign_key = { table = "t", column = "a", skew = 1.5 } }
        m = { bytes = { length = [1, 2] } }
        n = { boolean = {} }
        o.zipf = { min = -5, max = 5 }
    "#;
    let dataset = format!(
        "[dataset]\nschema = \"CREATE TABLE t AS SELECT 1\"\n[dataset.tables.t]\nrows=3\n[dataset.tables.t.columns]{columns}"
    );
    let scenario = read(&format!("title = \"t\"\n{dataset}\n{WORKLOAD}{FIX}")).unwrap();
    let columns = &scenario.dataset.tables[0].columns;
    assert_eq!(columns.len(), 15);
    assert_eq!(columns[1].generator, Generator::Constant(Value::Text("2025-01-01".into())));
    assert_eq!(columns[2].null_share, 0.25);
    let text = Generator::Text { min_length: 3, max_length: 3, kind: TextKind::Hex };
    assert_eq!(columns[6].generator, text);
    let words: Vec<_> = columns.iter().map(|column| column.generator.to_string()).collect();
    assert_snapshot!(words.join("\n"), @r#"
10, 8, 6, ..
always '2025-01-01'
uniform from 0.5 to 1, 2 decimals
normal around 1, deviation 0.5, at most 3
'a' 20 %, 1 20 %, 1.5 20 %, true 20 %, ARRAY[1, 2] 20 %
a moment from 2025-01-01 until 2025-01-01 00:00:01 UTC, growing with the row
hexadecimal digits, 3 characters
pattern ^-##\#
UUID v7
JSON [1, 'x', {k: (1, 2, 3, ..), l: {}}]
array of 0 to 2 x (an address in fd00::/8)
from t.a, Zipf with exponent 1.5
1 to 2 random bytes
true 50 %
Zipf over -5 to 5, exponent 1, -5 the most frequent
"#);
}

#[test]
fn a_person_sees_the_line() {
    let text = format!("titel = \"t\"\n{DATASET}{WORKLOAD}{FIX}[load]\nclients = 0\n");
    let told = faults_of(read(&text)).render(false);
    let folder = told.split("--> ").nth(1).unwrap().split("mine.toml").next().unwrap().to_owned();
    assert_snapshot!(told.replace(&folder, ""), @r#"
error: unknown key `titel`
 --> mine.toml:1:1
  |
1 | titel = "t"
  | ^^^^^
  |
  = help: did you mean `title`?

error: 0 is out of range
  --> mine.toml:17:11
   |
17 | clients = 0
   |           ^ expected an integer from 1 to 10000
"#);
}

#[test]
fn misspelt_and_unknown_keys() {
    assert_snapshot!(lines(read(&format!("title = \"t\"\n{DATASET}{WORKLOAD}{FIX}[laod]\nclints = 0\nx = 1"))), @r#"
mine.toml:16:2: unknown key `laod` (did you mean `load`?)
mine.toml:17:1: unknown key `clints` (did you mean `clients`?)
mine.toml:17:10: 0 is out of range, expected an integer from 1 to 10000
mine.toml:18:1: unknown key `x`, expected `clients`, `rate`, `arrivals`, `latency_limit`, `think_time`, `stages`, `warmup`, `duration`, `block`, `seed`, `protocol`, `connections`, `pool`, `statement_timeout`, `settings`, `retries` or `error_limit`
"#);
    assert_snapshot!(column("a = { zpif = { min = 1, maxx = 0 } }"), @r#"
mine.toml:8:7: unknown key `zpif` (did you mean `zipf`?)
mine.toml:8:25: unknown key `maxx` (did you mean `max`?)
mine.toml:8:32: max 0 is below min 1
"#);
    assert_snapshot!(column("a = { frobnicate = { } }"), @r#"mine.toml:8:7: unknown key `frobnicate`, expected `null`, `sequence`, `constant`, `uniform`, `zipf`, `normal`, `choice`, `timestamp`, `text`, `pattern`, `uuid`, `json`, `array`, `foreign_key`, `bytes`, `inet` or `boolean`"#);
}

#[test]
fn missing_keys() {
    assert_snapshot!(lines(read("")), @r#"
mine.toml:1:1: missing key `title`
mine.toml:1:1: missing key `dataset`
mine.toml:1:1: missing key `workload`
mine.toml:1:1: missing key `fix`
"#);
    assert_snapshot!(with_dataset("[dataset]\nschema = \"SELECT 1\"\ntables = {}\n"), @r#"mine.toml:4:10: an empty table, expected at least one entry"#);
    assert_snapshot!(column("a = { uniform = { min = 1 } }\nb = { null = 0.5 }"), @r#"
mine.toml:8:17: missing key `max`
mine.toml:9:5: missing generator, expected `sequence`, `constant`, `uniform`, `zipf`, `normal`, `choice`, `timestamp`, `text`, `pattern`, `uuid`, `json`, `array`, `foreign_key`, `bytes`, `inet` or `boolean`
"#);
    assert_snapshot!(with_fix("[fix]\n"), @r#"
mine.toml:12:1: missing key `title`
mine.toml:12:1: missing key, expected `up` or `up_file`
mine.toml:12:1: missing key, expected `down` or `down_file`
"#);
}

#[test]
fn wrong_types_and_ranges() {
    let load = "[load]\nclients = \"8\"\nwarmup = 5\nduration = \"0s\"\nseed = -1\n";
    assert_snapshot!(lines(read(&format!("title = 1\n{DATASET}{WORKLOAD}{FIX}{load}"))), @r#"
mine.toml:1:9: wrong type: an integer, expected a string
mine.toml:17:11: wrong type: a string, expected an integer from 1 to 10000
mine.toml:18:10: wrong type: an integer, expected a string like "5s" or "0s"
mine.toml:19:12: `0s` is out of range, expected 1ms to 7 days
mine.toml:20:8: -1 is out of range, expected an integer of at least 0
"#);
    assert_snapshot!(with_dataset(&DATASET.replace("100", "0")), @r#"mine.toml:5:8: 0 is out of range, expected an integer from 1 to 10000000000"#);
    assert_snapshot!(with_dataset(&DATASET.replace("100", "-5")), @r#"mine.toml:5:8: -5 is out of range, expected an integer from 1 to 10000000000"#);
    assert_snapshot!(with_dataset(&DATASET.replace("100", "99999999999999999999")), @r#"mine.toml:5:8: 99999999999999999999 is out of range, expected an integer from 1 to 10000000000"#);
    assert_snapshot!(column("a = { constant = 1, null = 1.5 }\nb = { constant = inf }\nc = { constant = {} }"), @r#"
mine.toml:8:28: 1.5 is out of range, expected a number from 0 to 1
mine.toml:9:18: inf is not a finite number (where PostgreSQL shall get it, write it as text, like "Infinity")
mine.toml:10:18: wrong type: a table, expected true or false, a number, a string, a date or time or an array
"#);
    let long = "[load]\nclients = 1\nwarmup = \"1 parsec\"\nduration = \"-3s\"\n";
    assert_snapshot!(lines(read(&format!("title = \"t\"\n{DATASET}{WORKLOAD}{FIX}{long}"))), @r#"
mine.toml:18:10: `1 parsec` is not a duration, expected something like 20s, 250ms or 1m 30s
mine.toml:19:12: `-3s` is out of range, expected 1ms to 7 days
"#);
}

#[test]
fn generators_that_mean_nothing() {
    let columns = [
        "a = { sequence = { step = 0 } }",
        "b = { sequence = { step = 9_000_000_000_000_000_000 } }",
        "c = { uniform = { min = 2, max = 1 } }",
        "d = { uniform = { min = 0.2, max = 0.8 } }",
        "e = { zipf = { min = 2, max = 1, exponent = 0 } }",
        "f = { normal = { mean = 1, deviation = 0, min = 2, max = 1 } }",
        "g = { choice = { values = [1, 2], weights = [1] } }",
        "h = { choice = { values = [] } }",
        "i = { choice = { values = [1], weights = [0] } }",
        "j = { timestamp = { from = \"2025-02-30\", to = \"noon\" } }",
        "k = { timestamp = { from = \"2025-01-02\", to = \"2025-01-01\", order = \"rising\" } }",
        "l = { text = { length = [5, 1], kind = \"word\" } }",
        "m = { text = { length = [1] } }",
        "n = { pattern = '' }",
        "o = { pattern = '#\\' }",
        "p = { uuid = \"v5\" }",
        "q = { inet = \"10.0.0.0\" }",
        "r = { inet = \"10.0.0.1/8\" }",
        "s = { array = { of = { array = { of = { constant = 1 }, length = 1 } }, length = 1 } }",
        "t = { bytes = { length = -1 } }",
        "u = { boolean = { true_share = 2 } }",
        "v = { constant = 1, uuid = \"v4\" }",
        "w = { constant = \"a\\u0000b\" }",
    ];
    assert_snapshot!(column(&columns.join("\n")), @r#"
mine.toml:8:27: a step of 0 (`constant` gives the same value to each row)
mine.toml:9:27: the last row's value 891000000000000000001 does not fit a bigint
mine.toml:10:34: max 1 is below min 2
mine.toml:11:36: no whole number lies between 0.2 and 0.8 (`decimals` says how many digits follow the point)
mine.toml:12:31: max 1 is below min 2
mine.toml:12:45: 0 is out of range, expected a number above 0, at most 20
mine.toml:13:40: 0 is out of range, expected a number above 0
mine.toml:13:58: max 1 is below min 2
mine.toml:14:45: 1 weight for 2 values
mine.toml:15:27: an empty array, expected at least 1
mine.toml:16:43: 0 is out of range, expected a number above 0
mine.toml:17:28: `2025-02-30` is not a date or time, expected 2025-01-31, or 2025-01-31T08:30:00Z
mine.toml:17:47: `noon` is not a date or time, expected 2025-01-31, or 2025-01-31T08:30:00Z
mine.toml:18:69: unknown value `rising`, expected `random` or `growing`
mine.toml:19:40: unknown value `word`, expected `words`, `alphanumeric` or `hex` (did you mean `words`?)
mine.toml:20:25: an array of 1 element, expected an array of 2
mine.toml:21:17: empty text
mine.toml:22:17: a pattern that ends with a lone `\` (`\\` in the pattern gives one backslash)
mine.toml:23:14: unknown value `v5`, expected `v4` or `v7` (did you mean `v4`?)
mine.toml:24:14: `10.0.0.0` is not a network, expected 10.0.0.0/8, or fd00::/8
mine.toml:25:14: `10.0.0.1/8` has bits beyond its prefix (the network is `10.0.0.0/8`)
mine.toml:26:24: an array of arrays (an element is a single value)
mine.toml:27:26: -1 is out of range, expected an integer from 0 to 1000000 or an array of 2
mine.toml:28:32: 2 is out of range, expected a number from 0 to 1
mine.toml:29:21: `uuid` beside `constant`, expected only one of them
mine.toml:30:18: a NUL character (PostgreSQL's text cannot hold it; remove it)
"#);
}

#[test]
fn json_templates() {
    let columns = "\
a = { json = { template = { x = { \"$zpif\" = { min = 1, max = 2 } } } } }
b = { json = { template = { x = [{ \"$uniform\" = { min = 2, max = 1 } }] } } }
c = { json = { template = { \"$uniform\" = { min = 1, max = 2 }, other = 1 } } }
d = { json = { template = { x = { \"$foreign_key\" = { table = \"events\", column = \"id\" } } } } }";
    assert_snapshot!(column(columns), @r#"
mine.toml:8:35: unknown key `$zpif` (did you mean `$zipf`?)
mine.toml:9:66: max 1 is below min 2
mine.toml:10:64: unknown key `other`, expected `$sequence`, `$constant`, `$uniform`, `$zipf`, `$normal`, `$choice`, `$timestamp`, `$text`, `$pattern`, `$uuid`, `$json`, `$array`, `$foreign_key`, `$bytes`, `$inet` or `$boolean`
mine.toml:11:35: `foreign_key` outside of a column (it follows the rows of a table, which a parameter or a part of a value does not have)
"#);
}

#[test]
fn foreign_keys() {
    let columns = "\
a = { foreign_key = { table = \"evnts\", column = \"id\" } }
b = { foreign_key = { table = \"events\", column = \"idd\" } }
c = { foreign_key = { table = \"events\", column = \"e\" } }
d = { foreign_key = { table = \"events\", column = \"f\", skew = 0 } }
e = { foreign_key = { table = \"events\", column = \"id\" } }
f = { constant = 1, null = 0.1 }";
    assert_snapshot!(column(columns), @r#"
mine.toml:8:31: no table `evnts` in the dataset (did you mean `events`?)
mine.toml:9:50: no generated column `idd` in `events` (did you mean `id`?)
mine.toml:10:50: `events.e` cannot be referenced (it is a foreign key itself: name the column that it references)
mine.toml:11:50: `events.f` cannot be referenced (some of its values are NULL)
mine.toml:11:62: 0 is out of range, expected a number above 0, at most 20
"#);
}

#[test]
fn names_that_the_schema_does_not_have() {
    assert_snapshot!(with_dataset(&DATASET.replace("tables.events", "tables.event")), @r#"mine.toml:4:17: the schema has no table `event` (did you mean `events`?)"#);
    assert_snapshot!(with_dataset(&DATASET.replace("user_id =", "usr_id =")), @r#"mine.toml:8:1: table `events` has no column `usr_id` (did you mean `user_id`?)"#);
    assert_snapshot!(with_dataset(&DATASET.replace("user_id =", "note =")), @r#"mine.toml:6:1: no generator for `events.user_id` (the column is NOT NULL and has no default)"#);
    let computed =
        DATASET.replace("note text", "note text GENERATED ALWAYS AS ('x') STORED") + "note = { constant = 1 }\n";
    assert_snapshot!(with_dataset(&computed), @r#"mine.toml:9:1: PostgreSQL computes `events.note` itself (it is GENERATED ALWAYS: remove its generator)"#);
    // What the DDL may do beyond what is understood is left to PostgreSQL.
    for silent in
        ["note text); CREATE FOREIGN TABLE other (id int) SERVER (s", "note text); DO $$ BEGIN END $$; SELECT (1"]
    {
        let open = DATASET.replace("note text", silent).replace("tables.events", "tables.other");
        read(&format!("title = \"t\"\n{open}{WORKLOAD}{FIX}")).unwrap();
    }
}

#[test]
fn sql_texts() {
    assert_snapshot!(with_fix("[fix]\ntitle = \"t\"\nup = \"-- nothing\"\ndown = \"SELECT 'x\""), @r#"
mine.toml:14:7: SQL without a statement
mine.toml:15:16: SQL: unterminated string literal
"#);
    assert_snapshot!(with_fix("[fix]\ntitle = \"t\"\nup = '''\nSELECT 1;\nSELECT (2'''\ndown = \"SELECT $1\""), @r#"
mine.toml:16:8: SQL: a parenthesis that is never closed
mine.toml:17:16: `$1` has no value here (only the statements of the workload take parameters)
"#);
    assert_snapshot!(with_fix("[fix]\ntitle = \"t\"\nup = \"SELECT 1\"\nup_file = \"x.sql\"\n"), @r#"
mine.toml:12:1: missing key, expected `down` or `down_file`
mine.toml:15:1: `up_file` beside `up`, expected only one of them
"#);
    let rewrite = |rest: &str| with_fix(&format!("[fix]\ntitle = \"t\"\n{rest}\n"));
    assert_snapshot!(rewrite("statements.latets.sql = \"SELECT 1\"\nstatements.latest.sql = \"SELECT $2\""), @r#"
mine.toml:14:12: no statement `latets` in the workload (did you mean `latest`?)
mine.toml:15:12: a parameter that the SQL does not use: no `$1` in it
mine.toml:15:33: `$2` has no parameter: 1 source given (`parameters` needs a generator or query for each `$n`)
"#);
    assert_snapshot!(rewrite("up = \"SELECT 1\"\nstatements.latest.sql = \"SELECT 2\""), @r#"
mine.toml:12:1: missing key, expected `down` or `down_file`
mine.toml:15:12: a parameter that the SQL does not use: no `$1` in it
"#);
    assert_snapshot!(rewrite(""), @r#"
mine.toml:12:1: missing key, expected `up` or `up_file`
mine.toml:12:1: missing key, expected `down` or `down_file`
"#);
    let fix = "[fix]\ntitle = \"t\"\nstatements.latest.sql = \"SELECT $1\"\n";
    let scenario = read(&format!("title = \"t\"\n{DATASET}{WORKLOAD}{fix}")).unwrap();
    assert!(!scenario.fix.changes_database());
    assert_eq!(scenario.rewritten().statements[0].sql.text, "SELECT $1");
    let file = DATASET.lines().filter(|line| !line.starts_with("schema")).collect::<Vec<_>>().join("\n");
    let file = |name: &str| format!("{}\n", file.replace("[dataset]", &format!("[dataset]\nschema_file = \"{name}\"")));
    assert_snapshot!(with_dataset(&file("schema.sql")), @r#"schema.sql:3:8: SQL: unterminated string literal"#);
    assert_snapshot!(with_dataset(&file("shema.sql")), @r#"mine.toml:3:15: no file shema.sql (did you mean `schema.sql`?)"#);
    assert_snapshot!(with_dataset(&file("folder")), @r#"mine.toml:3:15: cannot read folder: it is a folder, not a file"#);
}

#[test]
fn parameters() {
    let statement = |rest: &str| with_workload(&format!("[workload.statements.s]\n{rest}"));
    assert_snapshot!(statement("sql = \"SELECT $1, $3, '$4', $0\"\nparameters = [{ constant = 1 }, { constant = 2 }]"), @r#"
mine.toml:14:19: `$3` has no parameter: 2 sources given (`parameters` needs a generator or query for each `$n`)
mine.toml:14:29: `$0` is not a parameter, expected `$1`, `$2` and so on
mine.toml:15:33: a parameter that the SQL does not use: no `$2` in it
"#);
    assert_snapshot!(statement("sql = \"SELECT 1; SELECT 2\"\nweight = 0"), @r#"
mine.toml:14:18: 2 statements, expected exactly one
mine.toml:15:10: 0 is out of range, expected a number above 0
"#);
    assert_snapshot!(statement("sql = \"SELECT $1, $2\"\nparameters = [{ sequence = {} }, { qery = \"SELECT $1; SELECT 2\" }]"), @r#"
mine.toml:15:17: `sequence` outside of a column (it follows the rows of a table, which a parameter or a part of a value does not have)
mine.toml:15:36: unknown key `qery` (did you mean `query`?)
mine.toml:15:51: `$1` has no value here (the query runs once, before the load, without parameters)
mine.toml:15:55: 2 statements, expected exactly one
"#);
    assert_snapshot!(statement("sql = \"SELECT $1\"\nparameters = [{ constant = 1 }]\nclasses = { hot = [], typcal = [1, 2] }"), @r#"
mine.toml:16:19: 0 values for 1 parameter, expected a value for each parameter, in order
mine.toml:16:23: unknown key `typcal` (did you mean `typical`?)
mine.toml:16:32: 2 values for 1 parameter, expected a value for each parameter, in order
"#);
    assert_snapshot!(with_workload("[workload]\nstatements = {}"), @r#"mine.toml:14:14: an empty table, expected at least one entry"#);
}

#[test]
fn syntax_faults_hide_no_others() {
    let text = format!("title = t\n{DATASET}{WORKLOAD}{FIX}[load]\nclients = 0\nwarmup = \"5s\nduratoin = \"1s\"\n");
    assert_snapshot!(lines(read(&text)), @r#"
mine.toml:1:9: invalid boolean, expected `true`
mine.toml:17:11: 0 is out of range, expected an integer from 1 to 10000
mine.toml:18:13: invalid basic string, expected `"`
mine.toml:19:1: unknown key `duratoin` (did you mean `duration`?)
"#);
    assert_snapshot!(lines(read("title = \"a\"\ntitle = \"b\"\n[x\ny = 1")), @r#"
mine.toml:2:1: duplicate key
mine.toml:3:3: unclosed table, expected `]`
"#);
}

#[test]
fn file_names_that_are_no_id() {
    let text = format!("title = \"t\"\n{DATASET}{WORKLOAD}{FIX}");
    assert_snapshot!(lines(read_as("My-Case.toml", &text)), @r#"My-Case.toml:1:1: the file's name makes the id `My-Case`, expected a-z, then a-z, 0-9 and _, at most 40 in all (rename the file: its name is the scenario's id and names its schema in the database)"#);
}

#[test]
fn no_such_scenario() {
    assert_snapshot!(scenario::load("evnts").unwrap_err().to_string(), @r#"no scenario `evnts`, did you mean `events`?"#);
    assert_snapshot!(scenario::load("zzz").unwrap_err().to_string(), @r#"no scenario `zzz`, there are: events"#);
    assert_snapshot!(scenario::load("nowhere/x.toml").unwrap_err().to_string(), @r#"cannot read the scenario nowhere/x.toml"#);
}

#[test]
fn the_recipe_is_that_of_the_rows() {
    let text = format!("title = \"t\"\n{DATASET}{WORKLOAD}{FIX}");
    let recipe = |text: &str| read(text).unwrap().recipe();
    let same = recipe(&text);
    assert_eq!(same.len(), 64);
    assert_eq!(recipe(&text.replace("an index", "another").replace("max = 10 } }]", "max = 11 } }]")), same);
    for (from, to) in [("rows = 100", "rows = 101"), ("[dataset]", "[dataset]\nseed = 2"), ("note text", "note  text")]
    {
        assert_ne!(recipe(&text.replacen(from, to, 1)), same, "{to}");
    }
    let whole = text.replace("{ zipf = { min = 1, max = 10 } }", "{ constant = 1 }");
    assert_ne!(recipe(&whole), recipe(&whole.replace("constant = 1", "constant = 1.0")));
    let scaled = read(&text).unwrap().with_rows(7);
    assert_ne!(scaled.recipe(), same);
}

pub(crate) fn latclinic(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_latclinic")).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_command_line_lists_shows_and_checks() {
    let (code, listed, _) = latclinic(&["scenarios", "list"]);
    assert_eq!(code, Some(0));
    assert!(listed.starts_with("events  "));
    let (_, listed, _) = latclinic(&["scenarios", "list", "--format", "json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["rows"], 1_000_000);
    let (_, shown, _) = latclinic(&["scenarios", "show"]);
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    let (_, shown, _) = latclinic(&["scenarios", "show", "events", "--format", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["load"]["duration_s"], 25.0);
    let (code, checked, _) = latclinic(&["scenarios", "check", "scenarios/events.toml"]);
    assert_eq!((code, checked.as_str()), (Some(0), "scenarios/events.toml: ok\n"));
    let (_, schema, _) = latclinic(&["scenarios", "schema"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&schema).unwrap(), scenario::json_schema());
}

#[test]
fn the_command_line_tells_all_faults() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.toml");
    fs::write(&path, "titel = 1\n").unwrap();
    let path = path.to_str().unwrap();
    let (code, stdout, stderr) = latclinic(&["scenarios", "check", path, "events"]);
    assert_eq!((code, stdout.as_str()), (Some(2), "events: ok\n"));
    assert!(stderr.contains("unknown key `titel`") && stderr.contains("5 faults"), "{stderr}");
    let (code, stdout, _) = latclinic(&["scenarios", "check", path, "--format", "json"]);
    let checked: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, checked[0]["faults"][0]["line"].as_u64()), (Some(2), Some(1)));
    let (code, _, stderr) = latclinic(&["scenarios", "show", "evnts"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("did you mean `events`?"), "{stderr}");
}

/// A value that TOML can write, of any shape, with the words that scenarios are made of.
fn value() -> impl Strategy<Value = String> {
    let word = prop::sample::select(
        [
            &GENERATORS[..],
            &["min", "max", "rows", "columns", "template", "\"$zipf\"", "sql", "query", "of", "null"],
            &[
                "result", "step", "column", "all", "shares", "hot", "steps", "name", "for_each", "rate", "duration",
                "size",
            ],
        ]
        .concat(),
    );
    let leaf = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:?}").replace("NaN", "nan")),
        any::<bool>().prop_map(|truth| truth.to_string()),
        "[ -~äß€]{0,12}".prop_map(|text| toml::Value::String(text).to_string()),
        Just("\"SELECT $1; '\"".to_owned()),
        Just("2025-01-01".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let entries = prop::collection::btree_map(word.clone(), inner.clone(), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            entries.prop_map(|entries| {
                let entries: Vec<_> = entries.iter().map(|(key, value)| format!("{key} = {value}")).collect();
                format!("{{ {} }}", entries.join(", "))
            }),
        ]
    })
}

/// Faults are within their file, and there is a scenario or a fault.
fn is_sane(text: &str) {
    if let Err(error) = read(text) {
        let Error::Faults(faults) = error else { panic!("{error}") };
        assert_ne!(faults.len(), 0);
        for fault in &faults {
            assert!(!fault.message.contains("invalid type") && !fault.message.contains("makes no scenario"), "{fault}");
            if fault.file.ends_with("mine.toml") {
                assert!(fault.span.end <= text.len() && text.get(fault.span.clone()).is_some(), "{fault:?}");
                assert!(fault.line <= text.split('\n').count(), "{fault}");
            }
        }
        assert!(!faults.render(true).is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gets_a_scenario_or_faults(text in "\\PC*|[\\x00-\\x7f]{0,80}") {
        is_sane(&text);
    }

    #[test]
    fn any_value_anywhere_gets_a_scenario_or_faults(
        key in prop::sample::select(vec![
            "title", "dataset", "dataset.schema", "dataset.tables", "dataset.tables.t", "dataset.tables.t.columns",
            "dataset.tables.t.columns.c", "dataset.tables.t.columns.c.zipf", "dataset.tables.t.columns.c.json.template",
            "workload.statements.s", "workload.statements.s.sql", "workload.statements.s.parameters", "load", "fix.up",
            "workload.scripts", "workload.scripts.s", "workload.scripts.s.steps", "load.stages", "load.think_time",
            "load.pool", "load.settings", "load.rate", "thresholds", "gates",
        ]),
        value in value(),
    ) {
        is_sane(&format!("{key} = {value}\n"));
    }

    #[test]
    fn a_cut_file_gets_faults(cut in 0_usize..500) {
        let text = format!("title = \"t\"\n{DATASET}{WORKLOAD}{FIX}");
        is_sane(text.get(..cut.min(text.len())).unwrap_or_default());
    }
}
