//! What others wrote, and one's own arguments: none of it controls a terminal, turns or hides text, or is a command to a CI system.

use std::fs;

use serde_json::Value as Json;

use crate::site::{File, QUICK, Site, Told};

/// Controls, what turns and hides text, and commands to GitHub, Azure and TeamCity, at the begin of lines and within them.
const HOSTILE: &str = "x\u{1b}[31m\u{7}\u{202e}\u{2066}\u{200b}\u{85} ##[error]a ##vso[task.setvariable]b ##teamcity[c]\r\n::error title=fake::d\n  ::warning::e\r::notice::f";

fn check(told: &Told, what: &str) {
    for text in [&told.stdout, &told.stderr] {
        for line in text.split('\n') {
            let bad = |c: char| (c.is_control() && c != '\t') || matches!(c, '\u{200b}' | '\u{202e}' | '\u{2066}');
            assert!(!line.contains(bad), "{what}: {line:?}");
            assert!(!line.trim_start().starts_with("::"), "{what}: {line:?}");
            assert!(!["##[", "##vso[", "##teamcity["].iter().any(|command| line.contains(command)), "{what}: {line:?}");
        }
    }
}

/// A TOML string of any text.
fn toml(text: &str) -> String {
    text.chars().map(|c| format!("\\U{:08x}", u32::from(c))).collect()
}

#[test]
fn arguments_scenarios_and_plans() {
    let site = Site::new();
    let hostile = toml(HOSTILE);
    let title = hostile.replace("\\U0000000a", " ").replace("\\U0000000d", " ");
    let text = File::default()
        .text()
        .replace("title = \"a test\"", &format!("title = \"{title}\"\ndescription = \"{hostile}\""));
    let text = text.replace("title = \"an index\"", &format!("title = \"{title}\""));
    site.write("hostile.toml", &text);
    site.write("raw.toml", &format!("title = \"{HOSTILE}\"\n{}", File::default().text()));
    let sql = format!("SELECT * FROM events WHERE user_id = $1 -- {HOSTILE}\\n");
    let written = File { statement: &format!("sql = \"{}\"\nparameters = []", toml(&sql)), ..File::default() };
    site.write("sql.toml", &written.text());
    site.write(
        "plan.txt",
        &format!("Seq Scan on \"{HOSTILE}\"  (cost=0.00..10.00 rows=1 width=4)\n  Filter: (a = '{HOSTILE}'::text)\n"),
    );
    let argument = HOSTILE;
    for args in [
        &["scenarios", "show", "hostile.toml"][..],
        &["scenarios", "show", "hostile.toml", "--format", "json"],
        &["scenarios", "check", "hostile.toml", "raw.toml", "sql.toml"],
        &["scenarios", "check", "raw.toml", "--format", "json"],
        &["scenarios", "show", "raw.toml"],
        &["scenarios", "show", argument],
        &["scenarios", "check", argument],
        &["bench", argument, "--phase", "before"],
        &["bench", "--phase", argument],
        &["bench", "--gate", argument],
        &["run", "--gate", argument],
        &["run", "--rows", argument],
        &["compare", argument],
        &["compare", argument, argument, "--format", "json"],
        &["baseline", "show", argument],
        &["explain", "--plan", argument],
        &["explain", "--plan", "plan.txt"],
        &["explain", "--plan", "plan.txt", "--format", "json"],
        &["explain", "--plan", "plan.txt", "--format", "markdown"],
        &["explain", "--rule", argument],
        &["explain", "--query", argument],
        &["seed", "--database-url", argument],
        &["server", "status", "--data-dir", argument],
        &[argument],
        &[
            "run",
            "hostile.toml",
            "--database-url",
            "postgres://u@127.0.0.1:1/d",
            "--annotations",
            "github",
            "--junit",
            "junit.xml",
        ],
    ] {
        let told = site.run(args);
        let shown = Told { stderr: without_annotations(args, &told.stderr), ..told };
        assert!(!format!("{}{}", shown.stdout, shown.stderr).is_empty(), "{args:?}");
        check(&shown, &format!("{args:?}"));
    }
    let show = |file: &str| site.done(&["scenarios", "show", file, "--format", "json"]).stdout;
    let shown: Json = serde_json::from_str(&show("hostile.toml")).unwrap();
    // JSON has the same data, with escapes.
    assert!(shown["description"].as_str().unwrap().contains("\u{202e}"), "{shown}");
}

/// What is said beside the annotations that were asked for.
fn without_annotations(args: &[&str], said: &str) -> String {
    let ours = |line: &&str| line.starts_with("::error title=latclinic") || line.starts_with("::error file=");
    match args.contains(&"--annotations") {
        true => said.lines().filter(|line| !ours(line)).collect::<Vec<_>>().join("\n"),
        false => said.to_owned(),
    }
}

#[test]
fn servers_and_records() {
    let site = Site::with_server();
    let raise = HOSTILE.replace('\'', "''");
    site.sql(&format!(
        "CREATE FUNCTION public.complain(int) RETURNS int LANGUAGE plpgsql AS $f$BEGIN
            RAISE NOTICE '%', $x${raise}$x$; RAISE EXCEPTION USING MESSAGE = $x${raise}$x$, DETAIL = $x${raise}$x$, HINT = $x${raise}$x$; END$f$"
    ));
    let schema = File {
        schema: "CREATE TABLE events (id bigint PRIMARY KEY, user_id int NOT NULL); SELECT public.complain(1)",
        ..File::default()
    };
    site.write("schema.toml", &schema.text());
    let statement = "sql = \"SELECT public.complain(user_id) FROM events WHERE user_id = $1\"\nparameters = [{ uniform = { min = 1, max = 10 } }]";
    site.write("work.toml", &File { statement, ..File::default() }.text());
    site.write("fix.toml", &File { up: "SELECT public.complain(1)", ..File::default() }.text());
    site.done(&["seed", "work.toml"]);
    site.done(&["seed", "fix.toml"]);
    for args in [
        &["seed", "schema.toml"][..],
        &["bench", "work.toml", "--phase", "before"],
        &["explain", "work.toml", "--phase", "before"],
        &["apply-fix", "fix.toml"],
        &["explain", "--query", "SELECT public.complain(1)", "--execute-volatile"],
        &["explain", "--query", &format!("SELECT \"{HOSTILE}\"")],
    ] {
        let told = site.run(args);
        // A plan whose execution fails is estimated.
        let said = format!("{}{}", told.stdout, told.stderr);
        assert!(said.contains("SQLSTATE") || said.contains("the server refuses it"), "{args:?}: {said}");
        check(&told, &format!("{args:?}"));
    }

    let after = site.path("after");
    let bench =
        |phase: &str, folder: &str| site.done(&[&["bench", "--phase", phase, "--output", folder], &QUICK[..]].concat());
    site.done(&["seed", "--rows", "2000"]);
    bench("before", "before");
    site.done(&["apply-fix", "--rows", "2000"]);
    bench("after", "after");
    let sound: Json = serde_json::from_slice(&fs::read(after.join("record.json")).unwrap()).unwrap();
    // Each text of a record, by its place.
    let mut places = Vec::new();
    texts(&sound, String::new(), &mut places);
    assert!(places.len() > 50, "{places:?}");
    let pick = |number: usize| number.is_multiple_of(4);
    for place in places.iter().enumerate().filter(|(number, _)| pick(*number)).map(|(_, place)| place) {
        let mut record = sound.clone();
        *record.pointer_mut(place).unwrap() = HOSTILE.into();
        fs::write(after.join("record.json"), record.to_string()).unwrap();
        let format = ["table", "markdown", "json"][place.len() % 3];
        let told = site.run(&["compare", "before", "after", "--format", format]);
        check(&told, place);
    }
}

fn texts(json: &Json, place: String, places: &mut Vec<String>) {
    match json {
        Json::String(_) => places.push(place),
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| texts(item, format!("{place}/{at}"), places))
        }
        Json::Object(fields) => fields.iter().for_each(|(name, field)| {
            texts(field, format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")), places);
        }),
        _ => {}
    }
}
