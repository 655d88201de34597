//! The rules in `docs/findings.md` are those of the program: made from their metadata, between two markers of that file.
//! `LATCLINIC_WRITE_DOCS=1 cargo test --test rules` writes them.

use std::{env, fs};

use latclinic::findings::{RULES, Rule};

const FILE: &str = "docs/findings.md";
const BEGIN: &str = "<!-- rules: made from src/findings/plan by `LATCLINIC_WRITE_DOCS=1 cargo test --test rules` -->\n";
const END: &str = "<!-- end of rules -->\n";

#[test]
fn the_docs_have_every_rule_as_the_program_has_it() {
    let file = fs::read_to_string(FILE).unwrap();
    let (before, rest) = file.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let sections: String = RULES.iter().map(section).collect();
    let made = format!("{before}{BEGIN}{}{sections}\n{END}{after}", asked());
    if env::var_os("LATCLINIC_WRITE_DOCS").is_some() {
        fs::write(FILE, &made).unwrap();
        return;
    }
    let difference = made.lines().zip(file.lines()).find(|(made, there)| made != there);
    assert!(
        made == file,
        "{FILE} is not up to date: `LATCLINIC_WRITE_DOCS=1 cargo test --test rules` writes it; {difference:?}"
    );
}

#[test]
fn ids_are_unique_and_every_rule_says_all_of_itself() {
    let mut ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), RULES.len());
    for rule in RULES {
        assert!(rule.id.bytes().all(|c| c.is_ascii_lowercase() || c == b'-'), "{}", rule.id);
        let sentences = [rule.why, rule.advice];
        assert!(sentences.iter().all(|text| text.ends_with('.')), "{}: whole sentences", rule.id);
        let fragments = [rule.title, rule.sees, rule.source];
        assert!(rule.shown_by.iter().all(|address| address.starts_with("https://")), "{}", rule.id);
        assert!(fragments.iter().all(|text| !text.is_empty() && !text.ends_with('.')), "{}: no full stop", rule.id);
    }
}

/// The rules beside the public questions that show them.
fn asked() -> String {
    let row = |rule: &Rule| {
        let asked = if rule.shown_by.is_empty() { "none was found".to_owned() } else { rule.shown_by.join(", ") };
        format!("| [{}](#{}) | {asked} |\n", rule.id, rule.id)
    };
    let rows: String = RULES.iter().map(row).collect();
    format!("\n| Rule | Public questions, issues and articles that show it |\n| --- | --- |\n{rows}")
}

fn section(rule: &Rule) -> String {
    let estimates = if rule.reads_estimates { " Works on a plan that was not executed, too." } else { "" };
    format!(
        "\n### {}\n\n{}.\n\n- **Fires on** {}.{estimates}\n- **Why it matters.** {}\n- **What to do.** {}\n- **Source:** {}.\n",
        rule.id, rule.title, rule.sees, rule.why, rule.advice, rule.source
    )
}
