//! What `scenarios check` knows of a column's type is what the server says of it, and what a seed refuses it refuses too.

use std::{cell::RefCell, collections::BTreeMap, fs};

use latclinic::{
    draw::ColumnType,
    pg::column_type,
    scenario::{self, DeclaredType},
};
use rstest::rstest;

use super::{EXTENSIONS, TYPES, kind::kinds, own_server::OwnServer, scenario as scenario_of, site::Site};

/// Whether two types take the same values; OIDs only the server knows.
fn same(one: &ColumnType, other: &ColumnType) -> bool {
    match (one, other) {
        (ColumnType::Array(one), ColumnType::Array(other)) => same(one, other),
        (ColumnType::Enum(one), ColumnType::Enum(other)) => one.name == other.name && one.labels == other.labels,
        (ColumnType::TextLike(_), ColumnType::TextLike(_)) => true,
        (one, other) => one == other,
    }
}

#[tokio::test]
async fn a_type_is_known_from_the_ddl_as_the_server_has_it() {
    let server = OwnServer::start();
    let client = server.connector().connect_unprotected("test").await.unwrap();
    for extension in EXTENSIONS {
        let _ = client.batch_execute(&format!("CREATE EXTENSION {extension} SCHEMA public")).await;
    }
    let mut known = Vec::new();
    for kind in kinds() {
        let missing = kind.needs.filter(|needs| !needs.contains("xml"));
        if missing.is_none() || client.batch_execute(missing.unwrap()).await.is_ok() {
            known.push(kind);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("types.toml");
    fs::write(&file, scenario_of(&known)).unwrap();
    let declared = RefCell::new(BTreeMap::<String, DeclaredType>::new());
    let told = scenario::check(file.to_str().unwrap(), &|_, _, column, ty| {
        declared.borrow_mut().insert(column.name.clone(), ty.clone());
        None
    });
    let scenario = told.unwrap();
    client.batch_execute("CREATE SCHEMA s; SET search_path = s, public").await.unwrap();
    for statement in &scenario.dataset.schema.statements {
        client.batch_execute(&statement.text).await.unwrap();
    }
    let prepared = client.prepare("SELECT * FROM t").await.unwrap();
    let declared = declared.into_inner();
    assert!(declared.len() > 120, "{}", declared.len());
    for column in prepared.columns() {
        let server = column_type(column.type_()).unwrap();
        let declared = declared.get(column.name()).map(ColumnType::declared);
        assert!(declared.as_ref().is_some_and(|declared| same(declared, &server)), "{declared:?} is {server:?}");
    }
}

#[rstest]
#[case("n int", "n = { text = { length = [1, 5] } }", "a text generator cannot make integer: use sequence")]
#[case("n mood", "n = { choice = { values = ['calm', 'angry'] } }", "'angry'")]
#[case(
    "n interval",
    "n = { array = { of = { boolean = {} }, length = [0, 2] } }",
    "a array generator cannot make interval"
)]
#[case("n int[]", "n = { boolean = {} }", "a boolean generator cannot make integer[]: use array")]
#[case("n zip", "n = { timestamp = { from = 2025-01-01, to = 2025-02-01 } }", "a timestamp generator cannot make text")]
#[case("n timestamp(3) with time zone", "n = { boolean = {} }", "a boolean generator cannot make timestamptz")]
#[case("n smallint", "n = { uniform = { min = 1, max = 99_999 } }", "cannot fill smallint")]
#[case("n hstore", "n = { array = { of = { boolean = {} }, length = [0, 2] } }", "cannot make hstore")]
#[case("n pair", "n = { array = { of = { boolean = {} }, length = [0, 2] } }", "cannot make pair")]
fn what_a_seed_refuses_the_check_refuses_in_the_same_words(
    #[case] column: &str,
    #[case] generator: &str,
    #[case] words: &str,
) {
    let site = Site::with(&EXTENSIONS);
    let scenario = format!(
        "title = 'Refused'\n[dataset]\nschema = \"\"\"{}CREATE TABLE t (id int PRIMARY KEY, {column});\"\"\"\n\
         [dataset.tables.t]\nrows = 10\n[dataset.tables.t.columns]\nid = {{ sequence = {{}} }}\n{generator}\n\
         [workload.statements.s]\nsql = 'SELECT 1'\n[load]\nclients = 1\n\
         [fix]\ntitle = 'f'\nup = 'CREATE INDEX i ON t (id)'\ndown = 'DROP INDEX i'\n",
        TYPES.replace('\\', "\\\\").replace('"', "\\\"")
    );
    let seeded = site.command("seed", "refused", &scenario, &[]);
    assert_eq!(seeded.code, Some(2), "{}", seeded.stderr);
    let checked = site.command("scenarios", "refused", &scenario, &["check"]);
    assert_eq!(checked.code, Some(2), "{}", checked.stdout);
    let line = scenario.lines().position(|line| line == generator).unwrap() + 1;
    let said = format!("{}{}", checked.stdout, checked.stderr);
    assert!(said.contains(&format!("refused.toml:{line}:")), "{said}");
    let reason = said.lines().find_map(|line| line.strip_prefix("error: ")).unwrap();
    assert!(reason.starts_with("t.n: ") && reason.contains(words), "{reason}");
    let unbroken = seeded.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(unbroken.contains(reason), "{reason} is not in {unbroken}");
}
