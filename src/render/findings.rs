//! What rules saw in plans.

use super::document::{Block, Item, Tone};
use crate::{
    compare::{FindingChange, FindingState},
    findings::rule,
    record::{Confidence, Finding, PlanFigures, Severity},
    text,
};

/// Findings that are shown; the others are counted.
pub(super) const MOST: usize = 5;

/// The findings on these plans, the first ones in full. `None` is not examined.
pub(super) fn findings(findings: Option<&[Finding]>, plans: &[PlanFigures]) -> Vec<Block> {
    let Some(findings) = findings else {
        return vec![Block::Paragraph("The plans were not examined.".into())];
    };
    let Some(first) = findings.first() else {
        return vec![Block::Paragraph(nothing(plans))];
    };
    let numbered = (1..).zip(findings).take(MOST);
    let mut blocks: Vec<Block> = numbered.map(|(number, finding)| Block::Item(item(number, finding, plans))).collect();
    blocks.extend(others(findings).map(Block::Paragraph));
    blocks.push(Block::Paragraph(format!("What a finding means: latclinic explain --rule {}", first.rule)));
    blocks
}

/// What became of the findings of a comparison, in points, the worst first; what is only good to know is counted.
pub(super) fn finding_changes(changes: Option<&[FindingChange]>) -> Vec<Block> {
    let Some(changes) = changes else {
        return vec![Block::Paragraph("The plans of both phases were not examined.".into())];
    };
    let (above, info): (Vec<&FindingChange>, Vec<&FindingChange>) = changes
        .iter()
        .partition(|change| change.severities().into_iter().flatten().any(|severity| severity > Severity::Info));
    let mut points: Vec<String> = above.iter().take(MOST).map(|change| point(change)).collect();
    let more = above.len().saturating_sub(MOST);
    if more > 0 {
        points.push(format!("and {more} more, see comparison.json"));
    }
    let known = |count: usize| format!("{count} more of severity info, see comparison.json");
    match (points.is_empty(), info.len()) {
        (true, 0) => vec![Block::Paragraph("Nothing stands out in the plans, before or after.".into())],
        (true, count) => vec![Block::Paragraph(format!("Nothing stands out in the plans; {}.", known(count)))],
        (false, 0) => vec![Block::List(points)],
        (false, count) => {
            points.push(known(count));
            vec![Block::List(points)]
        }
    }
}

/// `gone: critical seq-scan-filter of latest: Seq Scan on events read 1 000 000 rows to keep 20`; what is to be done where it is not gone.
fn point(change: &FindingChange) -> String {
    let Some(worst) = change.worst() else { return change.rule.clone() };
    let of = change.statement.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    let was = match (change.change, change.severities()[0]) {
        (FindingState::Worse | FindingState::Milder, Some(before)) => format!(" (was {})", before.as_str()),
        _ => String::new(),
    };
    let to_do = match change.change {
        FindingState::Gone => String::new(),
        FindingState::Unknown => "; the other phase's plan was not executed or not captured".to_owned(),
        _ => format!("; what to do: {}", worst.advice),
    };
    let (state, severity) = (state_name(change.change), worst.severity.as_str());
    format!("{state}: {severity}{was} {}{of}: {}{to_do}", change.rule, worst.evidence)
}

/// The same on a line, without its evidence where the finding is gone.
pub(super) fn in_brief(change: &FindingChange) -> String {
    let Some(worst) = change.worst().filter(|_| change.change == FindingState::Gone) else { return point(change) };
    let of = change.statement.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    format!("gone: {} {}{of}", worst.severity.as_str(), change.rule)
}

fn state_name(state: FindingState) -> &'static str {
    match state {
        FindingState::New => "new",
        FindingState::Worse => "worse",
        FindingState::Unknown => "unknown",
        FindingState::Stays => "stays",
        FindingState::Milder => "milder",
        FindingState::Gone => "gone",
    }
}

/// The same in a line: `Findings: 1 new (critical seq-scan-filter of latest), 2 gone.` `None` where there is nothing to say.
pub(super) fn changes_line(changes: &[FindingChange]) -> Option<String> {
    let is_above =
        |change: &&FindingChange| change.severities().into_iter().flatten().any(|severity| severity > Severity::Info);
    let of_state = |state| {
        let all: Vec<&FindingChange> =
            changes.iter().filter(is_above).filter(|change| change.change == state).collect();
        let name = |change: &&FindingChange| {
            let severity = change.worst().map_or("", |finding| finding.severity.as_str());
            let of = change.statement.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
            format!("{severity} {}{of}", change.rule)
        };
        let names: Vec<String> = all.iter().take(MOST).map(name).collect();
        (!all.is_empty()).then(|| format!("{} {} ({})", all.len(), state_name(state), names.join(", ")))
    };
    let states = [
        FindingState::New,
        FindingState::Worse,
        FindingState::Unknown,
        FindingState::Stays,
        FindingState::Milder,
        FindingState::Gone,
    ];
    let parts: Vec<String> = states.into_iter().filter_map(of_state).collect();
    (!parts.is_empty()).then(|| format!("Findings: {}.", parts.join("; ")))
}

/// `Seq Scan on events, 96 % of the time at stake`.
pub(super) fn place(finding: &Finding) -> String {
    let node = finding.path.rsplit(" > ").next().filter(|node| !node.is_empty());
    format!("{}{}", node.map_or_else(|| title(finding), str::to_owned), share(finding))
}

fn share(finding: &Finding) -> String {
    finding.share.map(|share| format!(", {} of the time at stake", text::percent(share))).unwrap_or_default()
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
    lines.push(match finding.planned {
        Some(true) => format!("What to do: {} (planned: the planner uses it).", finding.advice),
        Some(false) => format!("Planned, but the planner does not use it: {}. Try another way.", finding.advice),
        None => format!("What to do: {}{}.", finding.advice, sure(finding.confidence)),
    });
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
    // Of values that have no class, since somebody gave them, or the plan is all that there is.
    let classes =
        (!all && !finding.classes.is_empty()).then(|| classes_in_words(finding.classes.iter().map(String::as_str)));
    let parts: Vec<String> = [statement, classes].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("Seen for: {}.", parts.join(", ")))
}

/// `hot and cold values, the generic plan`.
pub(super) fn classes_in_words<'c>(classes: impl Iterator<Item = &'c str>) -> String {
    let (generic, named): (Vec<&str>, Vec<&str>) = classes.partition(|class| *class == "generic");
    let of_values = match named.as_slice() {
        [] => None,
        all => Some(format!("{} values", text::list(all))),
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

/// Whether it was executed; otherwise there are only estimates.
pub(super) fn was_executed(plan: &PlanFigures) -> bool {
    plan.rows_returned.is_some()
}

/// `Nothing stands out: all rules looked at 8 plans of 2 statements.`, and of how many of them there are only estimates.
fn nothing(plans: &[PlanFigures]) -> String {
    let estimated = plans.iter().filter(|plan| !was_executed(plan)).count();
    let looked_at = looked_at(plans);
    match estimated {
        0 => format!("Nothing stands out: all rules examined {looked_at}."),
        _ if estimated == plans.len() => {
            format!(
                "Nothing stands out in the estimates: only rules that need no actual figures could examine {looked_at}."
            )
        }
        _ => format!(
            "Nothing stands out: all rules examined {looked_at}, but only rules that need no actual figures examined the {estimated} not executed."
        ),
    }
}

/// `8 plans of 2 statements`.
fn looked_at(plans: &[PlanFigures]) -> String {
    let mut names: Vec<&str> = plans.iter().map(|plan| plan.statement.as_str()).collect();
    names.dedup();
    let statements = if names.len() > 1 { format!(" of {} statements", names.len()) } else { String::new() };
    format!("{}{statements}", text::counted(plans.len(), "plan"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{Phase, sample},
        render::{Document, terminal},
    };

    fn change(state: FindingState, before: &[Severity], after: &[Severity]) -> FindingChange {
        let known = sample::record(Phase::Before).findings.unwrap().remove(0);
        let of = |severities: &[Severity]| {
            severities.iter().map(|severity| Finding { severity: *severity, ..known.clone() }).collect()
        };
        FindingChange {
            rule: known.rule.clone(),
            statement: known.statement.clone(),
            change: state,
            before: of(before),
            after: of(after),
        }
    }

    fn told(changes: Option<&[FindingChange]>) -> String {
        terminal(&Document { blocks: finding_changes(changes) }, 80, false)
    }

    #[test]
    fn what_became_of_findings_is_told_in_points_and_in_a_line() {
        use Severity::{Critical, Info, Warning};
        let changes = [
            change(FindingState::New, &[], &[Warning]),
            change(FindingState::Worse, &[Warning], &[Critical]),
            change(FindingState::Unknown, &[], &[Warning]),
            change(FindingState::Gone, &[Critical], &[]),
            change(FindingState::Stays, &[Info], &[Info]),
        ];
        insta::assert_snapshot!(told(Some(&changes)), @"
        - new: warning seq-scan-filter of latest_of_user: Seq Scan on events read
          1 000 000 rows to keep 20 (99.99 % removed), 17 412 buffers, 99.8 % of the
          time; what to do: give its filter an index, so that only the rows it keeps are
          read
        - worse: critical (was warning) seq-scan-filter of latest_of_user: Seq Scan on
          events read 1 000 000 rows to keep 20 (99.99 % removed), 17 412 buffers,
          99.8 % of the time; what to do: give its filter an index, so that only the
          rows it keeps are read
        - unknown: warning seq-scan-filter of latest_of_user: Seq Scan on events read
          1 000 000 rows to keep 20 (99.99 % removed), 17 412 buffers, 99.8 % of the
          time; the other phase's plan was not executed or not captured
        - gone: critical seq-scan-filter of latest_of_user: Seq Scan on events read
          1 000 000 rows to keep 20 (99.99 % removed), 17 412 buffers, 99.8 % of the
          time
        - 1 more of severity info, see comparison.json
        ");
        insta::assert_snapshot!(changes_line(&changes).unwrap(), @"Findings: 1 new (warning seq-scan-filter of latest_of_user); 1 worse (critical seq-scan-filter of latest_of_user); 1 unknown (warning seq-scan-filter of latest_of_user); 1 gone (critical seq-scan-filter of latest_of_user).");
        let many = vec![changes[0].clone(); 7];
        assert!(told(Some(&many)).ends_with("\n- and 2 more, see comparison.json"));
    }

    #[test]
    fn nothing_is_said_as_such() {
        let info = [change(FindingState::New, &[], &[Severity::Info])];
        assert_eq!(told(None), "The plans of both phases were not examined.");
        assert_eq!(told(Some(&[])), "Nothing stands out in the plans, before or after.");
        assert_eq!(told(Some(&info)), "Nothing stands out in the plans; 1 more of severity info, see comparison.json.");
        assert_eq!((changes_line(&[]), changes_line(&info)), (None, None));
    }
}
