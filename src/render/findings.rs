//! What rules saw in plans.

use super::{
    document::{Block, Item, Tone},
    plan_tree::Mark,
    units,
};
use crate::{
    explain::{RULES, rule},
    record::{Confidence, Finding, PlanFigures, Severity},
};

/// Findings that are shown; the others are counted.
const MOST: usize = 5;

/// The findings on these plans, the first ones in full. `None` is not examined.
pub(super) fn findings(findings: Option<&[Finding]>, plans: &[PlanFigures]) -> Vec<Block> {
    let Some(findings) = findings else {
        return vec![Block::Paragraph("The plans were not examined.".into())];
    };
    let Some(first) = findings.first() else {
        return vec![Block::Paragraph(format!("Nothing stands out: {}.", looked_at(plans)))];
    };
    let numbered = (1..).zip(findings).take(MOST);
    let mut blocks: Vec<Block> = numbered.map(|(number, finding)| Block::Item(item(number, finding, plans))).collect();
    blocks.extend(others(findings).map(Block::Paragraph));
    blocks.push(Block::Paragraph(format!("What a finding means: latclinic explain --rule {}", first.rule)));
    blocks
}

/// Where the shown findings are in the plan at `place`: those that were seen in its class.
pub(super) fn marks(findings: &[Finding], plans: &[PlanFigures], place: usize) -> Vec<Mark> {
    let plan = &plans[place];
    let here = |finding: &&(usize, &Finding)| {
        let of = &finding.1;
        of.statement.as_ref().is_none_or(|name| *name == plan.statement)
            && (of.classes.is_empty() || of.classes.contains(&plan.class))
    };
    let numbered: Vec<(usize, &Finding)> = (1..).zip(findings.iter().take(MOST)).collect();
    let mark = |(number, finding): &(usize, &Finding)| {
        let place = finding.node?;
        // The place is one among the nodes of the first class's plan; other plans may be others.
        let last = finding.path.rsplit(" > ").next().unwrap_or_default();
        let is_it = |at: &usize| plan.nodes.get(*at).is_some_and(|node| node.label == last);
        let at = Some(place).filter(is_it).or_else(|| (0..plan.nodes.len()).find(is_it))?;
        Some(Mark { node: at, number: *number, severity: finding.severity })
    };
    numbered.iter().filter(here).filter_map(mark).collect()
}

/// `Seq Scan on events, 96 % of the time`.
pub(super) fn place(finding: &Finding) -> String {
    let node = finding.path.rsplit(" > ").next().filter(|node| !node.is_empty());
    format!("{}{}", node.map_or_else(|| title(finding), str::to_owned), share(finding))
}

fn share(finding: &Finding) -> String {
    finding.share.map(|share| format!(", {} of the time", units::percent(share))).unwrap_or_default()
}

/// `2 critical, 1 info`.
pub(super) fn counted<'f>(findings: impl Iterator<Item = &'f Finding> + Clone) -> String {
    let of = |severity| findings.clone().filter(|finding| finding.severity == severity).count();
    let counts = [Severity::Critical, Severity::Warning, Severity::Info].map(|severity| (severity, of(severity)));
    let words = |(severity, count): (Severity, usize)| {
        let s = if severity == Severity::Warning && count > 1 { "s" } else { "" };
        (count > 0).then(|| format!("{count} {}{s}", severity.as_str()))
    };
    counts.into_iter().filter_map(words).collect::<Vec<_>>().join(", ")
}

fn title(finding: &Finding) -> String {
    rule(&finding.rule).map_or_else(|| finding.rule.clone(), |rule| rule.title.to_owned())
}

fn item(number: usize, finding: &Finding, plans: &[PlanFigures]) -> Item {
    let mut lines = vec![format!("{}.", finding.evidence)];
    lines.extend(seen_in(finding, plans));
    lines.extend(rule(&finding.rule).map(|rule| format!("Why it matters: {}", first_sentence(rule.why))));
    lines.push(format!("What to do: {}{}.", finding.advice, sure(finding.confidence)));
    Item {
        number,
        title: format!("{}{}: {}", finding.severity.as_str(), share(finding), title(finding)),
        tone: if finding.severity == Severity::Info { Tone::Plain } else { Tone::Bad },
        lines,
        sql: finding.statements.clone(),
    }
}

fn sure(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "",
        Confidence::Medium => " (this usually helps)",
        Confidence::Low => " (this may help: it depends on what the plan does not show)",
    }
}

/// Its statement where there are several, and its classes where it was not seen in all.
fn seen_in(finding: &Finding, plans: &[PlanFigures]) -> Option<String> {
    let several = plans.iter().any(|plan| plan.statement != plans[0].statement);
    let statement = finding.statement.as_ref().filter(|_| several).map(|name| format!("statement {name}"));
    let of = plans.iter().filter(|plan| finding.statement.as_ref().is_none_or(|name| *name == plan.statement));
    let all = of.filter(|plan| !plan.class.is_empty()).all(|plan| finding.classes.contains(&plan.class));
    let classes = (!all).then(|| in_words(&finding.classes));
    let parts: Vec<String> = [statement, classes].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("Seen in: {}.", parts.join(", ")))
}

/// `the plan for hot values`, `the plans for hot and cold values, the generic plan`.
fn in_words(classes: &[String]) -> String {
    let (generic, named): (Vec<&str>, Vec<&str>) =
        classes.iter().map(String::as_str).partition(|class| *class == "generic");
    let of_values = match named.as_slice() {
        [] => None,
        [only] => Some(format!("the plan for {only} values")),
        [all @ .., last] => Some(format!("the plans for {} and {last} values", all.join(", "))),
    };
    let generic = (!generic.is_empty()).then(|| "the generic plan".to_owned());
    [of_values, generic].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end])
}

/// `and 3 more: 2 warnings, 1 info; --format json has all`.
fn others(findings: &[Finding]) -> Option<String> {
    let rest = findings.get(MOST..).filter(|rest| !rest.is_empty())?;
    Some(format!("And {} more: {}; --format json has all.", rest.len(), counted(rest.iter())))
}

/// `24 rules looked at 4 plans of 1 statement`.
fn looked_at(plans: &[PlanFigures]) -> String {
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let mut names: Vec<&str> = plans.iter().map(|plan| plan.statement.as_str()).collect();
    names.dedup();
    let statements = if names.len() > 1 { format!(" of {} statements", names.len()) } else { String::new() };
    format!("{} looked at {}{statements}", counted(RULES.len(), "rule"), counted(plans.len(), "plan"))
}
