//! The words that people read: no riddles in README, docs, help and messages, and help that can be used.

#![expect(clippy::unwrap_used, reason = "a test fails by it, as it should")]

use std::{fs, path::Path, process::Command};

/// Phrases of the old dialect, each with what to write instead.
const RIDDLES: [(&str, &str); 15] = [
    ("told to stop", "stopped by a signal"),
    ("broke off", "stopped early"),
    ("breaks off", "is incomplete"),
    ("is told", "is reported"),
    ("are told", "are reported"),
    ("only good to know", "of severity info"),
    ("what came of", "the result of"),
    ("no round is whole", "no round was completed"),
    ("one of them away", "omit one"),
    ("stood still", "did not run"),
    ("is none of its own", "rephrase"),
    ("stands beside", "is shown beside"),
    ("stand in the", "are counted in the"),
    ("nothing to do: the fix", "rephrase"),
    ("and that is said", "and the output says so"),
];

/// Every riddle in a text, line by line.
fn riddles(name: &str, text: &str) -> Vec<String> {
    // A phrase may be broken over two lines.
    let unbroken = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let lines: Vec<String> = text.lines().map(unbroken).collect();
    let mut found = Vec::new();
    for (number, pair) in lines.iter().zip(lines.iter().skip(1).map(Some).chain([None])).enumerate() {
        let (line, next) = pair;
        let both = format!("{line} {}", next.map_or("", String::as_str));
        for (riddle, instead) in RIDDLES {
            let begins_here = both.find(riddle).is_some_and(|at| at < line.len());
            if begins_here {
                found.push(format!("{name}:{}: `{riddle}`: write `{instead}`", number + 1));
            }
        }
    }
    found
}

fn latclinic(arguments: &[&str]) -> (Option<i32>, String, String) {
    let told = Command::new(env!("CARGO_BIN_EXE_latclinic")).args(arguments).env("COLUMNS", "100").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (told.status.code(), text(&told.stdout), text(&told.stderr))
}

/// Each command with those below it: `[]`, `["run"]`, `["baseline", "save"]`.
fn commands() -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    let mut next = 0;
    while let Some(command) = all.get(next).cloned() {
        next += 1;
        let (_, help, _) = help(&command);
        let Some((_, listed)) = help.split_once("\nCommands:\n") else { continue };
        let names = listed.lines().take_while(|line| line.starts_with("  "));
        let names = names.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
        all.extend(names.filter(|name| *name != "help").map(|name| [command.clone(), vec![name.to_owned()]].concat()));
    }
    all
}

fn help(command: &[String]) -> (Option<i32>, String, String) {
    let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
    latclinic(&arguments)
}

fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(folder).to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.to_string_lossy().ends_with(ending) => found.push(path.to_string_lossy().into_owned()),
                false => {}
            }
        }
    }
    found
}

/// The strings of Rust source: what is between quotes, comments left out, line by line as it stands.
fn strings(source: &str) -> String {
    let code = source.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line });
    let mut inside = false;
    let mut text = String::new();
    for line in code {
        let mut before = ' ';
        for c in line.chars() {
            match c {
                '"' if before != '\\' && before != '\'' => inside = !inside,
                c if inside => text.push(c),
                _ => text.push(if text.ends_with('|') { '|' } else { ' ' }),
            }
            before = c;
        }
        text.push('\n');
    }
    text
}

#[test]
fn nothing_that_people_read_speaks_in_riddles() {
    let mut found = Vec::new();
    for page in files("docs", ".md").into_iter().chain(["README.md".to_owned()]) {
        found.extend(riddles(&page, &fs::read_to_string(&page).unwrap()));
    }
    for command in commands() {
        found.extend(riddles(&format!("latclinic {} --help", command.join(" ")), &help(&command).1));
    }
    for source in files("src", ".rs") {
        found.extend(riddles(&source, &strings(&fs::read_to_string(&source).unwrap())));
    }
    assert!(found.is_empty(), "{} riddles:\n{}", found.len(), found.join("\n"));
}

#[test]
fn a_riddle_is_found_where_a_line_ends_in_it() {
    let source = "let told = 1; // it was told to stop\nlet text = \"the load broke\n    off\";\n";
    assert_eq!(riddles("a", &strings(source)), ["a:2: `broke off`: write `stopped early`"]);
    assert_eq!(riddles("b", "It was Told\nto stop."), ["b:1: `told to stop`: write `stopped by a signal`"]);
}

#[test]
fn every_command_has_examples_that_its_parser_takes() {
    let all = commands();
    assert!(all.len() > 20, "{all:?}");
    for command in all {
        let (code, help, _) = help(&command);
        assert_eq!(code, Some(0));
        let name = command.join(" ");
        let (_, examples) = help.split_once("\nExamples:\n").unwrap_or_else(|| panic!("no examples: {name}\n{help}"));
        let examples: Vec<&str> = examples.lines().take_while(|line| line.starts_with("  latclinic ")).collect();
        assert!((2..=3).contains(&examples.len()), "{name}: {examples:?}");
        for example in examples {
            // As a person types it, only that a wrong flag at its end is what is refused.
            let typed = example.split(" #").next().unwrap().split(['>', '|']).next().unwrap();
            let mut arguments: Vec<String> = words(typed).into_iter().skip(1).collect();
            let at = arguments.iter().position(|word| word == "--").unwrap_or(arguments.len());
            arguments.insert(at, "--no-such-flag".to_owned());
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let (code, _, refused) = latclinic(&arguments);
            assert_eq!(code, Some(2), "{example}: {refused}");
            assert!(refused.starts_with("error: unexpected argument '--no-such-flag' found"), "{example}: {refused}");
        }
    }
}

/// The words of a command line, single quotes taken off.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.trim().chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn help_fits_100_columns_and_names_defaults_one_way() {
    for command in commands() {
        let (_, help, _) = help(&command);
        let wide: Vec<&str> = help.lines().filter(|line| line.chars().count() > 120).collect();
        assert!(wide.is_empty(), "{wide:?}");
        assert!(!help.contains("(default"), "{help}");
    }
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let (code, script, _) = latclinic(&["completions", shell]);
        assert_eq!(code, Some(0), "{shell}");
        for word in ["revert-fix", "completions", "find-capacity"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(latclinic(&["completions", "tcsh"]).0, Some(2));
    let checked = Command::new("bash").args(["-n", "/dev/stdin"]).stdin(piped(&["completions", "bash"])).output();
    assert!(checked.unwrap().status.success());
    for command in commands() {
        let arguments: Vec<&str> = ["man"].into_iter().chain(command.iter().map(String::as_str)).collect();
        let (code, page, _) = latclinic(&arguments);
        assert_eq!(code, Some(0), "{arguments:?}");
        assert!(page.contains(".TH latclinic") && page.contains("Examples"), "{page}");
    }
    let (code, _, refused) = latclinic(&["man", "rum"]);
    assert_eq!(code, Some(2));
    assert!(refused.starts_with("error: no command `rum`\n  help: the commands are run, seed, "), "{refused}");
}

fn piped(arguments: &[&str]) -> std::process::Stdio {
    let mut program = Command::new(env!("CARGO_BIN_EXE_latclinic"));
    program.args(arguments).stdout(std::process::Stdio::piped()).spawn().unwrap().stdout.unwrap().into()
}

#[test]
fn a_mistyped_command_gets_the_nearest_one() {
    for (typed, meant) in [("comapre", "compare"), ("explian", "explain"), ("revertfix", "revert-fix")] {
        let (code, _, refused) = latclinic(&[typed]);
        assert_eq!(code, Some(2));
        assert!(refused.contains("similar subcommand") && refused.contains(&format!("'{meant}'")), "{refused}");
    }
}
