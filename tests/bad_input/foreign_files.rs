//! Files that are none, or of any size: refused at once wherever a file is named.

use std::fs::{self, File};

use nix::{sys::stat::Mode, unistd::mkfifo};

use crate::site::{Site, Told};

/// What a name may stand for, and what is said of it.
const ODD: [(&str, &str); 4] =
    [("pipe", "a named pipe"), ("device", "a device"), ("folder", "a folder"), ("sparse", "larger than ")];

/// Puts something odd in the place of a file.
fn put(site: &Site, what: &str, name: &str) {
    let path = site.path(name);
    let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
    match what {
        "pipe" => mkfifo(&path, Mode::S_IRWXU).unwrap(),
        "device" => std::os::unix::fs::symlink("/dev/zero", &path).unwrap(),
        "folder" => fs::create_dir(&path).unwrap(),
        _ => File::create(&path).unwrap().set_len(3 << 30).unwrap(),
    }
}

/// What the program says within a time and little memory.
fn told(site: &Site, args: &[&str]) -> Told {
    site.tell(&mut site.shell("ulimit -v 2000000; exec timeout 20 \"$@\"", args))
}

fn record(site: &Site, folder: &str, phase: &str) {
    let fixture = fs::read_to_string("tests/fixtures/records/earlier/record.json").unwrap();
    fs::create_dir_all(site.path(folder)).unwrap();
    let record = fixture.replacen("\"phase\": \"before\"", &format!("\"phase\": \"{phase}\""), 1);
    site.write(&format!("{folder}/record.json"), &record);
}

#[test]
fn what_is_no_file_is_refused_wherever_a_file_is_named() {
    let site = Site::new();
    record(&site, "after", "after");
    let toml = "title = \"t\"\ndataset.schema_file = \"odd\"\n";
    site.write("schema.toml", toml);
    for (what, words) in ODD {
        put(&site, what, "odd");
        put(&site, what, "odd.toml");
        put(&site, what, "odd.json");
        fs::create_dir_all(site.path("holds")).unwrap();
        put(&site, what, "holds/record.json");
        record(&site, "hlog", "before");
        put(&site, what, "hlog/latency.hlog");
        fs::create_dir_all(site.path("reports/baselines")).unwrap();
        put(&site, what, "reports/baselines/odd.json");
        let cases: [(&[&str], i32); 12] = [
            (&["explain", "--plan", "odd"], if what == "sparse" { 1 } else { 2 }),
            (&["explain", "--query", "@odd"], 2),
            (&["scenarios", "check", "./odd.toml"], 2),
            (&["scenarios", "check", "schema.toml"], 2),
            (&["run", "./odd.toml"], 2),
            (&["bench", "schema.toml", "--phase", "before"], 2),
            (&["compare", "holds", "after"], 4),
            (&["compare", "holds/record.json", "after"], 4),
            (&["compare", "hlog", "after"], 4),
            (&["compare", "--baseline", "odd", "after"], 4),
            (&["baseline", "show", "./odd.json"], 4),
            (&["baseline", "save", "new", "hlog"], 4),
        ];
        for (args, exit) in cases {
            // A folder is looked into for a record.
            let into = what == "folder" && args.contains(&"holds/record.json");
            let told = told(&site, args);
            assert_eq!(told.exit, if into { 2 } else { exit }, "{what} {args:?}: {}", told.stderr);
            let found = told.stderr.contains(words) || into;
            assert!(found, "{what} {args:?}: {}", told.stderr);
        }
        let listed = told(&site, &["baseline", "list"]);
        assert!(listed.exit == 0 && listed.stderr.contains("skipped: reports/baselines/odd.json"), "{what}");
    }
}

#[test]
fn a_password_file_that_is_none_is_not_waited_for() {
    let site = Site::new();
    for (what, _) in ODD {
        put(&site, what, "pass");
        if what == "sparse" {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(site.path("pass"), fs::Permissions::from_mode(0o600)).unwrap();
        }
        let url = "postgresql://me@127.0.0.1:1/db?passfile=pass";
        let told = told(&site, &["explain", "--database-url", url, "--query", "SELECT 1"]);
        assert_eq!(told.exit, 1, "{what}: {}", told.stderr);
    }
}

#[test]
fn the_pipes_of_a_shell_are_read() {
    let site = Site::new();
    site.write("plan.txt", "Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n");
    let explain = ["explain", "--plan"];
    let direct = site.done(&["explain", "--plan", "plan.txt"]).stdout;
    for script in ["exec \"$@\" - <plan.txt", "cat plan.txt | \"$@\" /dev/stdin", "cat plan.txt | \"$@\" /dev/fd/0"] {
        let told = site.tell(&mut site.shell(script, &explain));
        assert_eq!((told.exit, told.stdout), (0, direct.clone()), "{script}: {}", told.stderr);
    }
    // Process substitution is no part of POSIX's shell.
    let mut command = site.command(&explain);
    let mut bash = std::process::Command::new("bash");
    bash.args(["-c", "exec \"$@\" <(cat plan.txt)", "bash"]).arg(command.get_program()).args(command.get_args());
    bash.current_dir(site.path(""));
    command.args(["plan.txt"]);
    let output = bash.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), direct);
}

#[test]
fn a_report_to_a_pipe_that_nobody_reads_is_not_waited_for() {
    let site = Site::new();
    record(&site, "before", "before");
    record(&site, "after", "after");
    mkfifo(&site.path("pipe"), Mode::S_IRWXU).unwrap();
    for flag in ["--junit", "--summary", "--code-quality"] {
        let told = told(&site, &["compare", "before", "after", flag, "pipe"]);
        assert_eq!(told.exit, 1, "{flag}: {}", told.stderr);
        assert!(told.stderr.contains("cannot write pipe"), "{flag}: {}", told.stderr);
    }
}
