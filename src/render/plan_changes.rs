//! Two plans side by side.

use super::{
    document::{Block, Cell, Table, Tone},
    findings, plan_tree,
    plan_trees::{Trees, trees},
    rows,
    under_load::under_load,
};
use crate::{
    compare::{Comparison, Effect, PlanChange, PlanChangeKind, PlanComparison},
    record::{Finding, PlanFigures, PlanNode, Severity},
    text,
};

/// Changes of a plan that are shown.
const MOST: usize = 8;
/// The same on a line.
const MOST_IN_BRIEF: usize = 2;

/// What changed in the plans of each statement, those of its classes together whose changes are the same; then both plans, to be
/// opened.
pub(super) fn plan_changes(comparison: &Comparison, [before, after]: [&'static str; 2]) -> Vec<Block> {
    let groups = groups(comparison);
    let several = comparison.plans.iter().any(|plan| plan.statement != comparison.plans[0].statement);
    let mut blocks: Vec<Block> = groups.iter().flat_map(|group| of_group(group, several, [before, after])).collect();
    let sampled: Vec<String> = [(before, &comparison.sides.before), (after, &comparison.sides.after)]
        .into_iter()
        .flat_map(|(name, side)| {
            let sentences = side.plans_under_load.as_ref().map_or_else(Vec::new, under_load);
            sentences.into_iter().map(move |sentence| format!("{name}: {sentence}"))
        })
        .collect();
    if !sampled.is_empty() {
        blocks.push(Block::List(sampled));
    }
    let side = |of: fn(&PlanComparison) -> &Option<PlanFigures>| -> Vec<&PlanFigures> {
        comparison.plans.iter().filter_map(|plan| of(plan).as_ref()).collect()
    };
    let known = comparison.findings.as_deref().unwrap_or_default();
    let on_before: Vec<Finding> = known.iter().flat_map(|change| change.before.clone()).collect();
    let on_after: Vec<Finding> = known.iter().flat_map(|change| change.after.clone()).collect();
    let shown = |prefix| Trees { prefix, in_terminal: false, numbered: false };
    let [title_before, title_after] = if before == "before" { ["Before: ", "After: "] } else { ["a: ", "b: "] };
    blocks.extend(trees(&side(|plan| &plan.before), &on_before, shown(title_before)));
    blocks.extend(trees(&side(|plan| &plan.after), &on_after, shown(title_after)));
    blocks
}

/// The plans of a statement whose changes are the same, together.
fn groups(comparison: &Comparison) -> Vec<Vec<&PlanComparison>> {
    let mut groups: Vec<Vec<&PlanComparison>> = Vec::new();
    for plan in &comparison.plans {
        match groups.iter_mut().find(|group| is_same(group[0], plan)) {
            Some(group) => group.push(plan),
            None => groups.push(vec![plan]),
        }
    }
    groups
}

/// A point for each statement and group of classes: what the most important changes are.
pub(super) fn in_brief(comparison: &Comparison) -> Vec<String> {
    let several = comparison.plans.iter().any(|plan| plan.statement != comparison.plans[0].statement);
    groups(comparison).iter().filter_map(|group| point(group, several)).collect()
}

fn point(group: &[&PlanComparison], several: bool) -> Option<String> {
    let (first, whose) = slowest(group, several)?;
    let (Some(before), Some(after)) = (&first.before, &first.after) else {
        let [before, after] = [&first.before, &first.after].map(|side| rows::scans(side.as_ref()));
        return Some(format!("{whose}: {before} -> {after}"));
    };
    let name = |at: Option<usize>, plan: &PlanFigures, otherwise: &str| {
        at.and_then(|at| plan.nodes.get(at)).map_or_else(|| otherwise.to_owned(), plan_tree::label)
    };
    let mut changes = shown(first);
    // A table that is read in another way is what a person looks for.
    changes.sort_by_key(|change| !matches!(change.kind, PlanChangeKind::Scan | PlanChangeKind::Index));
    let words: Vec<String> = changes
        .iter()
        .take(MOST_IN_BRIEF)
        .map(|change| {
            let worse = if change.effect == Effect::Worse { "worse: " } else { "" };
            format!("{worse}{} -> {}", name(change.before, before, "none"), name(change.after, after, "gone"))
        })
        .collect();
    Some(match words.is_empty() {
        true => format!("{whose}: the same plan, {}", rows::scans(Some(after))),
        false => format!("{whose}: {}", words.join("; ")),
    })
}

/// Whether what is shown of both is the same.
fn is_same(one: &PlanComparison, other: &PlanComparison) -> bool {
    let scans = |plan: &PlanComparison| [&plan.before, &plan.after].map(|side| rows::scans(side.as_ref()));
    let signs = |plan: &PlanComparison| -> Vec<_> {
        shown(plan).iter().map(|change| (change.kind, change.effect, change.severity, change.what.clone())).collect()
    };
    one.statement == other.statement && scans(one) == scans(other) && signs(one) == signs(other)
}

/// What is worth telling, the worst first, then what is better.
fn shown(plan: &PlanComparison) -> Vec<&PlanChange> {
    let is_worth = |change: &&PlanChange| match change.kind {
        PlanChangeKind::Scan | PlanChangeKind::Index | PlanChangeKind::Join | PlanChangeKind::Sort => true,
        PlanChangeKind::Parallel => true,
        PlanChangeKind::Node | PlanChangeKind::Details | PlanChangeKind::Figures => change.effect != Effect::Neither,
    };
    let mut changes: Vec<&PlanChange> = plan.changes.iter().filter(is_worth).collect();
    let rank = |change: &PlanChange| match change.effect {
        Effect::Worse => 0,
        Effect::Better => 1,
        Effect::Neither => 2,
    };
    changes.sort_by_key(|change| (std::cmp::Reverse(change.severity), rank(change)));
    changes
}

/// The plan of a group that took longest, and whose plans these are: `hot and cold values (hot: 74.8 ms -> 46.0 µs)`.
fn slowest<'p>(group: &[&'p PlanComparison], several: bool) -> Option<(&'p PlanComparison, String)> {
    let time = |plan: &PlanComparison| plan.before.as_ref().and_then(|before| before.execution_ms).unwrap_or(0.0);
    let first = *group.iter().max_by(|one, other| time(one).total_cmp(&time(other)))?;
    let classes = findings::classes_in_words(group.iter().map(|plan| plan.class.as_str()));
    let of = if several { format!("{}, ", first.statement) } else { String::new() };
    let mut whose = format!("{of}{classes}");
    let times = [&first.before, &first.after].map(|side| side.as_ref().and_then(|plan| plan.execution_ms));
    if let [Some(before), Some(after)] = times {
        let class = if group.len() > 1 { format!("{}: ", first.class) } else { String::new() };
        whose.push_str(&format!(" ({class}{} -> {})", text::milliseconds(before), text::milliseconds(after)));
    }
    Some((first, whose))
}

fn of_group(group: &[&PlanComparison], several: bool, names: [&'static str; 2]) -> Vec<Block> {
    let Some((first, whose)) = slowest(group, several) else { return Vec::new() };
    let (Some(before), Some(after)) = (&first.before, &first.after) else {
        let [before, after] = [&first.before, &first.after].map(|side| rows::scans(side.as_ref()));
        return vec![Block::Paragraph(format!("{whose}: {before} -> {after}."))];
    };
    let changes = shown(first);
    if changes.is_empty() {
        let scans = [rows::scans(Some(before)), rows::scans(Some(after))];
        let is_same = scans[0] == scans[1];
        let what = if is_same { format!("the same plan, {}", scans[0]) } else { scans.join(" -> ") };
        return vec![Block::Paragraph(format!("{whose}: {what}."))];
    }
    let mut table = Table::of_words(&["change", names[0], names[1]]);
    for change in changes.iter().take(MOST) {
        let side = |at: Option<usize>, plan: &PlanFigures| at.and_then(|at| Some((at, plan.nodes.get(at)?.clone())));
        let sides = [side(change.before, before), side(change.after, after)];
        let name = |side: &Option<(usize, PlanNode)>, otherwise: &str| {
            side.as_ref().map_or_else(|| otherwise.to_owned(), |(_, node)| plan_tree::label(node))
        };
        let (one, other) = (name(&sides[0], "none"), name(&sides[1], "gone"));
        table.rows.push(vec![effect(change), Cell::plain(one), Cell::plain(other)]);
        let alone = change.before.is_none() || change.after.is_none();
        let of = |side: &Option<(usize, PlanNode)>, plan: &PlanFigures| match side {
            Some((at, _)) => figures(&plan.nodes, *at, alone),
            None => String::new(),
        };
        table.texts([String::new(), of(&sides[0], before), of(&sides[1], after)]);
    }
    let mut blocks = vec![Block::Paragraph(format!("{whose}:")), Block::Table(table)];
    if changes.len() > MOST {
        let more = changes.len() - MOST;
        blocks.push(Block::Paragraph(format!("And {more} more, see comparison.json.")));
    }
    blocks
}

fn effect(change: &PlanChange) -> Cell {
    let (text, tone) = match (change.effect, change.severity) {
        (Effect::Better, _) => ("better".to_owned(), Tone::Good),
        (Effect::Worse, Severity::Info) => ("worse".to_owned(), Tone::Bad),
        (Effect::Worse, severity) => (format!("worse, {}", severity.as_str()), Tone::Bad),
        (Effect::Neither, _) => ("other".to_owned(), Tone::Plain),
    };
    Cell { text, tone }
}

/// `1 000 000 rows read, 17 412 buffers, 74.8 ms`: its own buffers, and the time with what is below it; only its own where it is in one
/// of the plans `alone`.
fn figures(nodes: &[PlanNode], at: usize, alone: bool) -> String {
    let node = &nodes[at];
    let of_bitmap =
        nodes[at + 1..].iter().take_while(|next| next.depth > node.depth && next.node_type.starts_with("Bitmap"));
    let of_bitmap: u64 = of_bitmap.filter_map(|next| next.own_buffers).sum();
    let rows = match node.rows {
        Some(rows) if node.relation.is_some() => {
            Some(format!("{} rows read", text::rounded(rows + node.rows_removed.unwrap_or(0.0))))
        }
        Some(rows) => Some(format!("{} rows", text::rounded(rows))),
        None => Some(format!("{} rows expected", text::rounded(node.estimated_rows))),
    };
    let buffers = node.own_buffers.map(|own| own + of_bitmap).filter(|buffers| *buffers > 0);
    let buffers = buffers.map(|buffers| format!("{} buffers", text::count(buffers)));
    let time = if alone { node.own_ms } else { node.total_ms };
    [rows, buffers, time.map(text::milliseconds)].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{Phase, sample},
        render::{Document, comparison::tests::of, terminal},
    };

    /// What is told of these plans before and after.
    fn told(before: Vec<PlanFigures>, after: Vec<PlanFigures>) -> String {
        let (mut one, mut other) = (sample::record(Phase::Before), sample::record(Phase::After));
        (one.plans, other.plans) = (before, after);
        let text = terminal(&Document { blocks: plan_changes(&of(one, other), ["before", "after"]) }, 80, false);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        text
    }

    fn joined(method: &str, ms: f64) -> PlanFigures {
        let mut plan = sample::plan("latest", true);
        let scan = plan.nodes.remove(0);
        let own = |depth, label: &str| PlanNode {
            depth,
            label: label.into(),
            node_type: label.into(),
            relation: None,
            alias: None,
            own_buffers: Some(0),
            ..scan.clone()
        };
        let join = PlanNode { total_ms: Some(ms), own_ms: Some(ms / 10.0), ..own(1, method) };
        let orders = PlanNode {
            depth: 2,
            label: "Seq Scan on orders".into(),
            relation: Some("orders".into()),
            alias: Some("o".into()),
            ..scan.clone()
        };
        plan.nodes =
            vec![PlanNode { total_ms: Some(ms), ..own(0, "Limit") }, join, PlanNode { depth: 2, ..scan }, orders];
        plan.execution_ms = Some(ms);
        plan
    }

    #[test]
    fn what_is_worse_comes_first_and_classes_share_a_table() {
        let of = |class: &str, plan: PlanFigures| PlanFigures { class: class.into(), ..plan };
        let (fast, slow) = (joined("Hash Join", 20.0), joined("Nested Loop", 900.0));
        let mut sorted = slow.clone();
        sorted.nodes.insert(
            1,
            PlanNode { label: "Sort".into(), node_type: "Sort".into(), own_ms: Some(1.5), ..slow.nodes[1].clone() },
        );
        sorted.nodes[2..].iter_mut().for_each(|node| node.depth += 1);
        let before = vec![of("hot", fast.clone()), of("typical", fast.clone()), of("cold", fast)];
        insta::assert_snapshot!(told(before, vec![of("hot", slow.clone()), of("typical", slow), of("cold", sorted)]), @"
        hot and typical values (typical: 20.0 ms -> 900 ms):

         change           before             after
        ─────────────────────────────────────────────────────
         worse, warning   Hash Join          Nested Loop
                          20 rows, 20.0 ms   20 rows, 900 ms

        cold values (20.0 ms -> 900 ms):

         change           before             after
        ──────────────────────────────────────────────────────
         worse, warning   none               Sort
                                             20 rows, 1.50 ms
         worse, warning   Hash Join          Nested Loop
                          20 rows, 20.0 ms   20 rows, 900 ms

        - before: latest_of_user: all 19 plans sampled under the load match these
        - after: latest_of_user: all 19 plans sampled under the load match these
        ");
    }

    #[test]
    fn the_same_plan_and_what_was_not_captured_take_a_line() {
        let (slow, fast) = (sample::plan("latest", true), sample::plan("latest", false));
        let old = |plan: &PlanFigures| PlanFigures { nodes: Vec::new(), class: "cold".into(), ..plan.clone() };
        let before = vec![slow.clone(), old(&slow)];
        let generic = PlanFigures { class: "generic".into(), ..fast.clone() };
        insta::assert_snapshot!(told(before, vec![slow, old(&fast), generic]), @"
        typical values (74.8 ms -> 74.8 ms): the same plan, Seq Scan on events.

        cold values (74.8 ms -> 46.0 µs): Seq Scan on events -> Index Scan using
        events_user_id_created_at_idx on events.

        the generic plan (74.8 ms -> 46.0 µs):

         change   before                        after
        ────────────────────────────────────────────────────────────────────────────────
         better   Seq Scan on events            Index Scan using
                                                events_user_id_created_at_idx on events
                  1 000 000 rows read, 17 412   20 rows read, 23 buffers, 46.0 µs
                  buffers, 74.8 ms

        - before: latest_of_user: all 19 plans sampled under the load match these
        - after: latest_of_user: all 19 plans sampled under the load match these
        ");
    }
}
