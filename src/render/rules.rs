//! What rules look for, as a document.

use super::document::{Block, Document, Table};
use crate::findings::Rule;

/// A row for each rule.
pub fn rules(rules: &[Rule]) -> Document {
    let mut table = Table::of_words(&["rule", "what it finds"]);
    for rule in rules {
        table.row([rule.id.to_owned(), rule.title.to_owned()]);
    }
    let more = "`latclinic explain --rule ID` explains a rule: what it looks at, why that matters and what to do.";
    Document { blocks: vec![Block::Table(table), Block::Paragraph(more.to_owned())] }
}

/// All that is to be said of one rule.
pub fn rule(rule: &Rule) -> Document {
    let mut blocks = vec![Block::Headline(format!("{}: {}", rule.id, rule.title))];
    for (heading, text) in [
        ("What it looks at", format!("Fires on {}.{}", rule.sees, estimates(rule))),
        ("Why it matters", rule.why.to_owned()),
        ("What to do", rule.advice.to_owned()),
        ("Source", format!("{}.", rule.source)),
    ] {
        blocks.extend([Block::Heading(heading.to_owned()), Block::Paragraph(text)]);
    }
    Document { blocks }
}

/// What is said of a rule that works without ANALYZE.
fn estimates(rule: &Rule) -> &'static str {
    if rule.reads_estimates { " Works on a plan that was not executed, too." } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{findings, render::terminal};

    #[test]
    fn a_rule_says_what_it_sees_why_and_what_to_do() {
        for known in findings::RULES {
            let text = terminal(&rule(known), 100_000, false);
            assert!(text.starts_with(&format!("{}: {}", known.id, known.title)), "{text}");
            assert_eq!(text.contains("not executed"), known.reads_estimates);
            for part in [known.sees, known.why, known.advice, known.source] {
                assert!(text.contains(part), "{text}");
            }
        }
    }

    #[test]
    fn every_rule_is_listed_within_the_width() {
        let text = terminal(&rules(findings::RULES), 80, false);
        for rule in findings::RULES {
            assert!(text.contains(rule.id), "{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}
