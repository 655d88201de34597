//! Who may import whom: walks `src` and names file and line of every breach, and that no files import each other in a circle.
//!
//! Paths count wherever they stand in code (`use`, types, calls), tests within files included; comments, doc links and
//! strings do not. For circles a name counts as the import of the file that defines it, whatever `use` hands it on, and tests
//! do not count.

#![expect(clippy::unwrap_used, reason = "a test fails by it, as it should")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Each module of the crate and the modules that it may import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("stats", &[]),
    ("files", &[]),
    ("text", &[]),
    ("scenario", &["files", "text"]),
    ("server", &["files", "text"]),
    ("draw", &["scenario"]),
    ("record", &["files", "stats", "text"]),
    ("dataset", &["scenario", "draw"]),
    ("load", &["scenario", "draw", "text"]),
    ("engine", &["load", "record", "stats"]),
    ("sqltext", &[]),
    ("catalog", &[]),
    ("plan", &["record", "sqltext", "text"]),
    ("advice", &["catalog", "plan", "sqltext"]),
    ("findings", &["advice", "catalog", "plan", "record", "sqltext", "text"]),
    ("compare", &["record", "stats", "text"]),
    ("pg", &["catalog", "dataset", "draw", "engine", "files", "load", "plan", "record", "scenario", "sqltext", "text"]),
    (
        "clinic",
        &[
            "catalog", "compare", "dataset", "draw", "engine", "files", "findings", "load", "pg", "plan", "record",
            "scenario", "server", "stats", "text",
        ],
    ),
    ("render", &["compare", "findings", "record", "text"]),
    ("cli", &["clinic", "compare", "files", "record", "render", "scenario", "text"]),
];

/// Rooms that still have circles of files.
const STILL_TIED: &[&str] = &["cli/", "clinic/", "compare/", "pg/", "render/"];

/// Pages about the code.
const PAGES: [&str; 2] = ["docs/architecture.md", "docs/contributing.md"];

/// Crates that only one module may name.
const ONLY_IN: &[(&str, &str)] = &[
    ("clap", "cli"),
    ("clap_complete", "cli"),
    ("clap_mangen", "cli"),
    ("indicatif", "cli"),
    ("tokio_postgres", "pg"),
    ("deadpool", "pg"),
    ("deadpool_postgres", "pg"),
];

#[test]
fn modules_import_only_what_they_may() {
    let breaches: Vec<String> = sources()
        .iter()
        .flat_map(|(file, text)| breaches(&file.strip_prefix("src").unwrap().to_string_lossy(), text))
        .collect();
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn every_module_stands_in_the_table_and_the_table_has_no_cycle() {
    let declared: BTreeSet<String> = fs::read_to_string("src/lib.rs")
        .unwrap()
        .lines()
        .filter_map(|line| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned()))
        .collect();
    let listed: BTreeSet<String> = MAY_IMPORT.iter().map(|(module, _)| (*module).to_owned()).collect();
    assert_eq!(declared, listed);
    let edges = MAY_IMPORT.iter().map(|(module, may)| (*module, may.iter().copied().collect())).collect();
    assert_eq!(cycle(&edges), None);
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let files: Vec<(String, String)> = sources()
        .into_iter()
        .map(|(file, text)| (file.strip_prefix("src").unwrap().to_string_lossy().into_owned(), text))
        .collect();
    let circles: Vec<String> = (circles(&files).iter())
        .filter(|circle| !STILL_TIED.iter().any(|room| circle[0].starts_with(room)))
        .map(|circle| circle.join(" "))
        .collect();
    assert!(circles.is_empty(), "\n{}\n", circles.join("\n"));
}

#[test]
fn pages_about_the_code_name_every_room_and_no_path_that_is_not_there() {
    let architecture = fs::read_to_string(PAGES[0]).unwrap();
    let unnamed: Vec<&str> = MAY_IMPORT
        .iter()
        .map(|(room, _)| *room)
        .filter(|room| !architecture.contains(&format!("`src/{room}`")))
        .collect();
    assert_eq!(unnamed, [""; 0], "{} names every room", PAGES[0]);
    for page in PAGES {
        let text = fs::read_to_string(page).unwrap();
        let quoted = text.split('`').skip(1).step_by(2);
        let paths = quoted.filter(|word| {
            ["src/", "tests/", "docs/", "benches/", "scenarios/", "sql/", ".ci/"]
                .iter()
                .any(|top| word.starts_with(top))
        });
        let dead: Vec<&str> = paths
            .filter_map(|path| path.split_whitespace().next())
            // What is to be written has its name in angle brackets.
            .filter(|path| !Path::new(path.split('<').next().unwrap_or_default().trim_end_matches("healthy_")).exists())
            .collect();
        assert_eq!(dead, [""; 0], "paths in {page}");
    }
}
#[test]
fn time_limits_of_the_server_are_set_in_one_place() {
    // There the stricter of ours and of the role's own is taken; in setup.rs the user names one for the load.
    let own = ["pg/link/timeout.rs", "pg/link/setup.rs"];
    for (file, text) in sources() {
        let file = file.strip_prefix("src").unwrap().to_string_lossy().into_owned();
        let sets = text.lines().filter(|line| line.contains("_timeout") && !line.trim_start().starts_with("//"));
        let sets: Vec<&str> = sets.filter(|line| line.contains("SET ") || line.contains("set_config")).collect();
        assert!(sets.is_empty() || own.contains(&file.as_str()), "src/{file}: {sets:?}");
    }
}

/// Every use in `text`, the file `file` below `src`, of a module that its own may not import.
fn breaches(file: &str, text: &str) -> Vec<String> {
    let place: Vec<&str> = module_path(file);
    let Some(own) = place.first() else {
        return Vec::new(); // lib.rs declares all modules, main.rs names cli, build.rs is a program of its own
    };
    let Some((_, may)) = MAY_IMPORT.iter().find(|(module, _)| module == own) else {
        return vec![format!("src/{file}:1: module `{own}` is not in the table of tests/architecture.rs")];
    };
    let mut breaches = Vec::new();
    for Use { line, path, .. } in uses(&place, text) {
        match path.as_slice() {
            [root, module, ..] if root == "crate" && module == "*" => {
                breaches.push(format!("src/{file}:{line}: `{own}` imports all of the crate"));
            }
            [root, module, ..]
                if root == "crate"
                    && module != own
                    && MAY_IMPORT.iter().any(|(known, _)| known == module)
                    && !may.contains(&module.as_str()) =>
            {
                breaches.push(format!("src/{file}:{line}: `{own}` may not import `{module}`"));
            }
            [first, ..] => {
                if let Some((name, home)) = ONLY_IN.iter().find(|(name, home)| name == first && home != own) {
                    breaches.push(format!("src/{file}:{line}: only `{home}` may name the crate `{name}`"));
                }
            }
            [] => {}
        }
    }
    breaches.dedup();
    breaches
}

/// `record/store.rs` is the module `record::store`, `record/mod.rs` is `record`, `lib.rs` is the root.
fn module_path(file: &str) -> Vec<&str> {
    let file = file.strip_suffix(".rs").unwrap_or(file);
    let mut path: Vec<&str> = file.split('/').collect();
    if matches!(path.last(), Some(&("mod" | "lib" | "main" | "build"))) {
        path.pop();
    }
    path
}

/// A path in code, `super` and `self` resolved: it begins with `crate` or with a crate's name.
#[derive(Debug, PartialEq)]
struct Use {
    line: usize,
    path: Vec<String>,
    /// The name that a `use` gives it in its module; `None` where the path stands in other code.
    name: Option<String>,
    /// Whether it stands in a module `tests` of its file.
    in_tests: bool,
}

/// All paths of two parts and more in the file of the module `place`; groups are taken apart.
fn uses(place: &[&str], text: &str) -> Vec<Use> {
    let tokens = tokens(&without_comments_and_strings(text));
    let mut found = Vec::new();
    // For each open brace the module it opens, if it opens one.
    let mut braces: Vec<Option<&str>> = Vec::new();
    let mut at = 0;
    while let Some((_, token)) = tokens.get(at) {
        match token.as_str() {
            "{" => {
                let named = at.checked_sub(2).is_some_and(|before| tokens[before].1 == "mod");
                braces.push(named.then(|| tokens[at - 1].1.as_str()));
            }
            "}" => {
                braces.pop();
            }
            "::" => {}
            word if is_word(word) && at.checked_sub(1).is_none_or(|before| tokens[before].1 != "::") => {
                let mut here: Vec<&str> = place.to_vec();
                here.extend(braces.iter().flatten());
                let first = found.len();
                let binds = at.checked_sub(1).is_some_and(|before| tokens[before].1 == "use");
                at = path(&tokens, at, &[], &here, &mut found);
                for one in &mut found[first..] {
                    one.name = one.name.take().filter(|_| binds);
                    one.in_tests = braces.iter().flatten().any(|module| *module == "tests");
                }
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Reads the path that begins at `at` and the groups it ends in; returns the place after it.
fn path(tokens: &[(usize, String)], mut at: usize, prefix: &[String], here: &[&str], found: &mut Vec<Use>) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |(_, token)| token.as_str());
    let line = tokens[at].0;
    let mut parts = prefix.to_vec();
    loop {
        match text(at) {
            "{" => {
                at += 1;
                while !matches!(text(at), "}" | "") {
                    at = if text(at) == "," { at + 1 } else { path(tokens, at, &parts, here, found) };
                }
                return at + 1;
            }
            part if is_word(part) || part == "*" => parts.push(part.to_owned()),
            _ => {
                // No path at all: step over it.
                at += usize::from(parts.len() == prefix.len());
                break;
            }
        }
        at += 1;
        if text(at) != "::" {
            break;
        }
        at += 1;
        // `Vec::<T>::new`: what follows is a path of its own.
        if text(at) == "<" {
            break;
        }
    }
    // `use a::{self}` names `a`.
    if parts.last().is_some_and(|last| last == "self") && parts.len() > 1 {
        parts.pop();
    }
    let mut name = parts.last().cloned();
    if text(at) == "as" {
        name = tokens.get(at + 1).map(|(_, alias)| alias.clone());
        at += 2;
    }
    if parts.len() > 1 {
        found.push(Use { line, path: resolve(&parts, here), name, in_tests: false });
    }
    at
}

fn resolve(parts: &[String], here: &[&str]) -> Vec<String> {
    if !matches!(parts[0].as_str(), "super" | "self") {
        return parts.to_vec();
    }
    let ups = parts.iter().filter(|part| *part == "super").count();
    let rest = parts.iter().skip_while(|part| matches!(part.as_str(), "super" | "self"));
    let base = here.iter().take(here.len().saturating_sub(ups)).map(|part| (*part).to_owned());
    std::iter::once("crate".to_owned()).chain(base).chain(rest.cloned()).collect()
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Words, `::` and single characters, each with its line.
fn tokens(code: &str) -> Vec<(usize, String)> {
    let mut tokens: Vec<(usize, String)> = Vec::new();
    let mut line = 1;
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let length = if c.is_alphanumeric() || c == '_' {
            rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            c.len_utf8()
        };
        if c == '\n' {
            line += 1;
        } else if !c.is_whitespace() {
            tokens.push((line, rest[..length].to_owned()));
        }
        rest = &rest[length..];
    }
    tokens
}

/// The code with its lines where they were.
fn without_comments_and_strings(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if c == '"' {
            string(rest)
        } else if c == 'r' && !code.ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            raw_string(rest)
        } else if c == '\'' {
            character(rest)
        } else {
            0
        };
        if skipped == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            code.push(' ');
            code.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
            rest = &rest[skipped..];
        }
    }
    code
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// 0 where it is none.
fn raw_string(text: &str) -> usize {
    let hashes = text[1..].chars().take_while(|c| *c == '#').count();
    if !text[1 + hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let begin = hashes + 2;
    text[begin..].find(&end).map_or(text.len(), |at| begin + at + end.len())
}

/// 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(0, |at| 3 + at + 1),
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 0,
        },
        None => 0,
    }
}

fn cycle<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Option<Vec<&'a str>> {
    fn visit<'a>(
        module: &'a str,
        edges: &BTreeMap<&'a str, BTreeSet<&'a str>>,
        trail: &mut Vec<&'a str>,
    ) -> Option<Vec<&'a str>> {
        if let Some(begin) = trail.iter().position(|on_trail| *on_trail == module) {
            return Some(trail[begin..].to_vec());
        }
        trail.push(module);
        let found = edges.get(module).and_then(|next| next.iter().find_map(|next| visit(next, edges, trail)));
        trail.pop();
        found
    }
    edges.keys().find_map(|module| visit(module, edges, &mut Vec::new()))
}

/// The files of each circle, sorted: those that can reach each other by imports.
fn circles(files: &[(String, String)]) -> Vec<Vec<String>> {
    let imports = imports(files);
    let reach: BTreeMap<&str, BTreeSet<&str>> = imports.keys().map(|file| (*file, reached(file, &imports))).collect();
    let circle = |file: &str| -> Vec<String> {
        reach[file].iter().filter(|other| reach[**other].contains(file)).map(|other| (*other).to_owned()).collect()
    };
    let circles: BTreeSet<Vec<String>> =
        reach.keys().map(|file| circle(file)).filter(|circle| !circle.is_empty()).collect();
    circles.into_iter().collect()
}

/// All files that `file` imports, and that these import.
fn reached<'a>(file: &str, imports: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut ahead: Vec<&str> = imports[file].iter().copied().collect();
    while let Some(next) = ahead.pop() {
        if reached.insert(next) {
            ahead.extend(&imports[next]);
        }
    }
    reached
}

/// For each file the files that define what it names.
fn imports(files: &[(String, String)]) -> BTreeMap<&str, BTreeSet<&str>> {
    let homes: BTreeMap<Vec<String>, &str> = (files.iter())
        .map(|(file, _)| (module_path(file).into_iter().map(str::to_owned).collect(), file.as_str()))
        .filter(|(module, _): &(Vec<String>, _)| !module.is_empty())
        .collect();
    let uses: BTreeMap<&str, Vec<Use>> = (files.iter())
        .map(|(file, text)| {
            let mut uses = uses(&module_path(file), text);
            uses.retain(|one| !one.in_tests);
            (file.as_str(), uses)
        })
        .collect();
    let house = House { homes, uses };
    let mut imports = BTreeMap::new();
    for (file, _) in files {
        let of = house.uses[file.as_str()].iter().filter_map(|one| house.definer(file, &one.path, 0));
        imports.insert(file.as_str(), of.filter(|other| other != file).collect());
    }
    imports
}

/// All files and what they name.
struct House<'a> {
    /// Files by their modules' paths.
    homes: BTreeMap<Vec<String>, &'a str>,
    uses: BTreeMap<&'a str, Vec<Use>>,
}

impl<'a> House<'a> {
    /// The file that defines what `path` ends in, as `file` names it. `None` for a module itself, and for what other crates define.
    fn definer(&self, file: &str, path: &[String], depth: usize) -> Option<&'a str> {
        let mut full = path.to_vec();
        if full[0] == "crate" {
            full.remove(0);
        } else {
            // The path begins with a name that a `use` gave, or with a module below this one.
            let below: Vec<String> =
                module_path(file).into_iter().map(str::to_owned).chain([full[0].clone()]).collect();
            let bound = self.bound(file, &full[0]).filter(|bound| bound[0] == "crate" && bound != &path);
            let whole: Vec<String> = match bound {
                Some(bound) => bound[1..].to_vec(),
                None if self.homes.contains_key(&below) => below,
                None => return None,
            };
            full.splice(..1, whole);
        }
        let length = (1..=full.len()).rev().find(|length| self.homes.contains_key(&full[..*length]))?;
        let home = self.homes[&full[..length]];
        let name = full.get(length)?;
        match self.bound(home, name) {
            Some(bound) if depth < 8 => {
                let handed_on: Vec<String> = bound.iter().chain(&full[length + 1..]).cloned().collect();
                self.definer(home, &handed_on, depth + 1)
            }
            _ => Some(home),
        }
    }

    /// What a `use` of the file gives this name to.
    fn bound(&self, file: &str, name: &str) -> Option<&[String]> {
        let one = self.uses.get(file)?.iter().find(|one| one.name.as_deref() == Some(name))?;
        Some(&one.path)
    }
}

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // Unit tests in files of their own may set up more than their module may import.
            if path.ends_with("tests") || path.ends_with("tests.rs") {
                continue;
            }
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.clone(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new("src"), &mut found);
    assert!(found.len() > 20, "tests run in the folder of Cargo.toml");
    found.sort();
    found
}

mod planted {
    use super::*;

    #[test]
    fn a_breach_is_named_with_file_and_line() {
        let text = "//! A module.\n\nuse std::io;\nuse crate::{\n    stats,\n    compare::{self, Comparison},\n};\n";
        assert_eq!(breaches("record/store.rs", text), ["src/record/store.rs:6: `record` may not import `compare`"]);
        let text = "fn f() -> crate::cli::Exit {\n    crate::pg::connect()\n}\n";
        assert_eq!(
            breaches("engine/run.rs", text),
            ["src/engine/run.rs:1: `engine` may not import `cli`", "src/engine/run.rs:2: `engine` may not import `pg`"]
        );
    }

    #[test]
    fn a_way_round_through_super_is_a_breach() {
        let expected = ["src/record/store.rs:1: `record` may not import `compare`"];
        assert_eq!(breaches("record/store.rs", "use super::super::compare::Comparison;"), expected);
        assert_eq!(breaches("record/store.rs", "mod tests { use super::super::super::compare::compare; }"), expected);
        assert_eq!(
            breaches("stats/mod.rs", "use super::record;"),
            ["src/stats/mod.rs:1: `stats` may not import `record`"]
        );
        assert_eq!(breaches("stats/mod.rs", "use crate::*;"), ["src/stats/mod.rs:1: `stats` imports all of the crate"]);
    }

    #[test]
    fn a_crate_outside_its_home_is_a_breach() {
        assert_eq!(
            breaches("engine/target.rs", "fn f(e: tokio_postgres::Error) {}"),
            ["src/engine/target.rs:1: only `pg` may name the crate `tokio_postgres`"]
        );
        assert_eq!(
            breaches("scenario/model.rs", "#[derive(Clone, clap::ValueEnum)]\nenum E {}"),
            ["src/scenario/model.rs:1: only `cli` may name the crate `clap`"]
        );
        assert_eq!(breaches("cli/mod.rs", "use clap::Parser;"), [""; 0]);
    }

    #[test]
    fn comments_strings_own_paths_and_what_is_allowed_are_none() {
        let text = r##"
//! See [`crate::cli`] and use crate::pg::connect.
/* use crate::cli; /* crate::pg::x */ crate::pg::y */
use crate::{record::{self, Phase}, stats::percentile as p};
use super::model::Comparison;
/// [`Comparison`](crate::render::comparison)
fn f<'a>(c: char) -> &'a str {
    let _ = (c == '"', c == '\'', "crate::cli::Exit \" crate::pg::x", r#"crate::pg::"y""#, Vec::<u8>::new());
    super::super::record::read
}
"##;
        assert_eq!(breaches("compare/metrics.rs", text), [""; 0]);
    }

    #[test]
    fn a_circle_of_files_is_found_through_faces_and_names_of_modules() {
        let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let faced = [
            file("plan/mod.rs", "mod node;\nmod read;\npub use node::Node;\npub use read::{read as reading};"),
            file("plan/node.rs", "use super::read;\nfn f() { read::read() }"),
            file("plan/read.rs", "use crate::plan::Node;\nstruct S(Node);"),
            file("render/tree.rs", "use crate::plan;\nfn f() { plan::reading() }"),
        ];
        assert_eq!(circles(&faced), [["plan/node.rs", "plan/read.rs"]]);
        let straight = [
            file("plan/mod.rs", "mod node;\nmod read;\npub use node::Node;\nuse read::read;\nfn g() { read() }"),
            file("plan/node.rs", "mod tests {\n    use super::super::read::read;\n}"),
            file("plan/read.rs", "use crate::plan::Node;\nstruct S(Node);"),
        ];
        assert_eq!(circles(&straight), Vec::<Vec<String>>::new());
    }

    #[test]
    fn an_unknown_module_and_a_cycle_are_found() {
        assert_eq!(breaches("helpers/mod.rs", "").len(), 1);
        let edges =
            BTreeMap::from([("a", BTreeSet::from(["b"])), ("b", BTreeSet::from(["c"])), ("c", BTreeSet::from(["b"]))]);
        assert_eq!(cycle(&edges), Some(vec!["b", "c"]));
    }
}
