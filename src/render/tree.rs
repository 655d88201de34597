//! A tree as lines of text.

use super::{
    columns::{columns, shortened, split},
    document::{Tone, Tree, TreeNode, clean},
};

/// What labels with their indentation have of a line before columns go.
const LABELS: usize = 26;
/// What a label has of a line before its indentation is cut.
const LABEL: usize = 18;
/// Columns of a detail at most; the middle of a longer one is left out.
const DETAIL: usize = 320;
/// Between columns.
const GAP: &str = "  ";

/// Draws it at most `width` columns wide.
pub(super) fn lines(tree: &Tree, width: usize, colour: bool) -> Vec<String> {
    let layout = Layout::new(tree, width);
    let mut lines = vec![layout.header(tree, colour), "─".repeat(width)];
    let depths = depths(&tree.nodes);
    let last = last_children(&depths);
    // By level: whether more follows there.
    let mut open: Vec<bool> = Vec::new();
    for (at, node) in tree.nodes.iter().enumerate() {
        open.truncate(depths[at]);
        open.push(!last[at]);
        let has_children = depths.get(at + 1).is_some_and(|next| *next > depths[at]);
        layout.node(node, &open, has_children, colour, &mut lines);
    }
    lines
}

/// Where things stand.
struct Layout {
    width: usize,
    /// Of the margin with the marks.
    margin: usize,
    /// Of each column; `None` where there is no room for it.
    columns: Vec<Option<usize>>,
    /// Of the part left of the columns, the margin left out.
    tree: usize,
    /// Characters that a level is indented by.
    step: usize,
    /// Levels that are drawn; what is deeper is cut on the left.
    levels: usize,
}

impl Layout {
    fn new(tree: &Tree, width: usize) -> Self {
        let marks = tree.nodes.iter().map(|node| columns(&node.mark)).max().unwrap_or(0);
        let margin = if marks == 0 { 0 } else { marks + 1 };
        let widest = |at: usize| {
            let figures = tree.nodes.iter().filter_map(|node| node.figures.get(at)).map(|figure| columns(figure));
            figures.chain([columns(tree.columns[at].title)]).max()
        };
        let mut columns: Vec<Option<usize>> = (0..tree.columns.len()).map(widest).collect();
        let left = |columns: &[Option<usize>]| {
            let taken: usize = columns.iter().flatten().map(|column| column + GAP.len()).sum();
            width.saturating_sub(margin + taken)
        };
        for (at, column) in tree.columns.iter().enumerate() {
            if column.is_optional && left(&columns) < LABELS {
                columns[at] = None;
            }
        }
        let room = left(&columns);
        let deepest = tree.nodes.iter().map(|node| node.depth).max().unwrap_or(0);
        let indent = room.saturating_sub(LABEL).max(3);
        let step = if deepest * 3 <= indent {
            3
        } else if deepest * 2 <= indent {
            2
        } else {
            1
        };
        Self { width, margin, columns, tree: room, step, levels: indent / step }
    }

    fn header(&self, tree: &Tree, colour: bool) -> String {
        let titles: Vec<String> = tree.columns.iter().map(|column| column.title.to_owned()).collect();
        let (margin, node) = (" ".repeat(self.margin), "node");
        let line = format!("{margin}{node:<width$}{}", self.figures(&titles), width = self.tree);
        painted(line.trim_end(), "1", colour)
    }

    fn node(&self, node: &TreeNode, open: &[bool], has_children: bool, colour: bool, lines: &mut Vec<String>) {
        let (branch, trunk) = self.indent(open);
        let under = format!("{trunk}{}{}", if has_children { '│' } else { ' ' }, " ".repeat(self.step));
        let label_width = self.tree.saturating_sub(columns(&branch));
        let rest_width = self.width.saturating_sub(self.margin + columns(&under)).max(8);
        let mut label = wrapped(&clean(&node.label), label_width.max(8), rest_width).into_iter();
        let first = label.next().unwrap_or_default();
        let style = match node.tone {
            Tone::Bad => "1;31",
            Tone::Faint => "2",
            Tone::Plain | Tone::Good => "0",
        };
        let fill = " ".repeat(label_width.saturating_sub(columns(&first)));
        let (mark, figures) = (&node.mark, self.figures(&node.figures));
        let margin = self.margin;
        lines.push(format!(
            "{}{branch}{}{fill}{}",
            painted(&format!("{mark:<margin$}"), "1;31", colour && !mark.is_empty()),
            painted(&first, style, colour && style != "0"),
            painted(&figures, style, colour && style != "0"),
        ));
        let begin = lines.len();
        let blank = " ".repeat(margin);
        let mut below = |text: String, style: &str| {
            lines.push(format!("{blank}{under}{}", painted(&text, style, colour && style != "0")));
        };
        label.for_each(|line| below(line, style));
        for detail in &node.details {
            let detail = shortened(&clean(detail), DETAIL);
            // What goes on is indented below what it goes on from.
            let parts = wrapped(&detail, rest_width, rest_width - 2);
            parts.into_iter().enumerate().for_each(|(part, line)| {
                below(if part == 0 { line } else { format!("  {line}") }, "2");
            });
        }
        if let Some((column, remark)) = &node.remark {
            let first = (lines.len() > begin).then_some(begin);
            self.remark(*column, remark, first, &format!("{blank}{under}"), colour, lines);
        }
        for line in &mut lines[begin - 1..] {
            line.truncate(line.trim_end().len());
        }
    }

    /// What stands before a node, and what before its further lines.
    fn indent(&self, open: &[bool]) -> (String, String) {
        // The root has no line to it.
        let Some((own, above)) = open.get(1..).and_then(|below| below.split_last()) else {
            return (String::new(), String::new());
        };
        let level = |text: &str| text.chars().take(self.step).collect::<String>();
        let cut = above.len().saturating_sub(self.levels.saturating_sub(1));
        let mut line: String = above[cut..].iter().map(|more| level(if *more { "│  " } else { "   " })).collect();
        if cut > 0 {
            line = std::iter::once('…').chain(line.chars().skip(1)).collect();
        }
        let branch = match (self.step, own) {
            (3, true) => "├─ ",
            (3, false) => "└─ ",
            (2, true) => "├ ",
            (2, false) => "└ ",
            (_, true) => "├",
            (_, false) => "└",
        };
        (format!("{line}{branch}"), format!("{line}{}", level(if *own { "│  " } else { "   " })))
    }

    fn figures(&self, figures: &[String]) -> String {
        let cell = |(at, column): (usize, &Option<usize>)| {
            let (width, figure) = ((*column)?, figures.get(at).map_or("", String::as_str));
            Some(format!("{GAP}{figure:>width$}"))
        };
        self.columns.iter().enumerate().filter_map(cell).collect()
    }

    /// Puts a remark under a column: into the `first` line under the node where that leaves room, else into one of its own.
    fn remark(
        &self,
        column: usize,
        remark: &str,
        first: Option<usize>,
        blank: &str,
        colour: bool,
        lines: &mut Vec<String>,
    ) {
        let after: usize = self.columns[(column + 1).min(self.columns.len())..]
            .iter()
            .flatten()
            .map(|column| column + GAP.len())
            .sum();
        let begin = self.width.saturating_sub(after + columns(remark));
        let remark = painted(remark, "33", colour);
        let fits = |line: &str| visible(line) + GAP.len() <= begin;
        let fill = |line: &str| " ".repeat(begin.saturating_sub(visible(line)));
        match first {
            Some(at) if fits(&lines[at]) => {
                let fill = fill(&lines[at]);
                lines[at].push_str(&format!("{fill}{remark}"));
            }
            _ => {
                let at = first.unwrap_or(lines.len());
                lines.insert(at, format!("{blank}{}{remark}", fill(blank)));
            }
        }
    }
}

/// Levels below the root, no node further than one below that before it.
fn depths(nodes: &[TreeNode]) -> Vec<usize> {
    let below = |most: &mut usize, node: &TreeNode| {
        let depth = node.depth.min(*most);
        *most = depth + 1;
        Some(depth)
    };
    nodes.iter().scan(0, below).collect()
}

/// For each node whether it is the last one below its parent.
fn last_children(depths: &[usize]) -> Vec<bool> {
    let mut last = vec![true; depths.len()];
    // By level: whether one follows there below the same parent.
    let mut follows: Vec<bool> = Vec::new();
    for (at, depth) in depths.iter().copied().enumerate().rev() {
        follows.truncate(depth + 1);
        follows.resize(depth + 1, false);
        last[at] = !follows[depth];
        follows[depth] = true;
    }
    last
}

fn painted(text: &str, style: &str, colour: bool) -> String {
    if colour { format!("\u{1b}[{style}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Columns that a line takes, colours left out.
fn visible(line: &str) -> usize {
    // An escape itself takes no column, what follows up to its `m` would.
    let escapes: usize = line.split('\u{1b}').skip(1).filter_map(|rest| Some(rest.find('m')? + 1)).sum();
    columns(line) - escapes
}

/// Breaks text between words, and words that are longer than a line.
fn wrapped(text: &str, first: usize, rest: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let (mut used, mut room) = (0, first);
    for mut word in text.split(' ') {
        if used > 0 && used + 1 + columns(word) > room {
            lines.push(String::new());
            (used, room) = (0, rest);
        }
        if let Some(line) = lines.last_mut().filter(|_| used > 0) {
            line.push(' ');
            used += 1;
        }
        while columns(word) > room - used {
            let (begin, tail) = split(word, room - used);
            lines.last_mut().into_iter().for_each(|line| line.push_str(begin));
            lines.push(String::new());
            (word, used, room) = (tail, 0, rest);
        }
        used += columns(word);
        lines.last_mut().into_iter().for_each(|line| line.push_str(word));
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::render::document::TreeColumn;

    fn tree(nodes: Vec<TreeNode>) -> Tree {
        let column = |title, is_optional| TreeColumn { title, is_optional };
        let columns = vec![column("time", false), column("share", true), column("rows", false)];
        Tree { summary: "it".into(), in_terminal: true, columns, nodes, legend: String::new() }
    }

    fn node(depth: usize, label: &str, details: &[&str]) -> TreeNode {
        TreeNode {
            depth,
            mark: String::new(),
            label: label.into(),
            tone: Tone::Plain,
            figures: ["74.8 ms", "██████", "1 000 000"].map(Into::into).to_vec(),
            remark: None,
            details: details.iter().map(|detail| (*detail).to_owned()).collect(),
        }
    }

    fn joined() -> Tree {
        let scan = "Index Scan using the_events_of_a_tenant_by_user_and_time_idx on events";
        tree(vec![
            node(0, "Nested Loop", &["Join Filter: (a.id = b.id)"]),
            TreeNode {
                mark: "►1,2".into(),
                tone: Tone::Bad,
                remark: Some((2, "est 5 ✗100x".into())),
                ..node(
                    1,
                    scan,
                    &[
                        "Index Cond: (tenant_id = 42)",
                        "Filter: (((kind)::text = 'abc'::text) AND (state <> 'gone'::text))",
                    ],
                )
            },
            TreeNode { remark: Some((2, "est 5 ✗100x".into())), ..node(1, "Append", &[]) },
            node(2, "Seq Scan on one", &[]),
            TreeNode { tone: Tone::Faint, ..node(2, "Seq Scan on other", &["Filter: x"]) },
        ])
    }

    #[test]
    fn figures_stand_in_columns_and_long_names_go_on_below() {
        insta::assert_snapshot!(lines(&joined(), 80, false).join("\n"), @"
             node                                                time   share       rows
        ────────────────────────────────────────────────────────────────────────────────
             Nested Loop                                      74.8 ms  ██████  1 000 000
             │   Join Filter: (a.id = b.id)
        ►1,2 ├─ Index Scan using                              74.8 ms  ██████  1 000 000
             │      the_events_of_a_tenant_by_user_and_time_idx on events    est 5 ✗100x
             │      Index Cond: (tenant_id = 42)
             │      Filter: (((kind)::text = 'abc'::text) AND (state <> 'gone'::text))
             └─ Append                                        74.8 ms  ██████  1 000 000
                │                                                            est 5 ✗100x
                ├─ Seq Scan on one                            74.8 ms  ██████  1 000 000
                └─ Seq Scan on other                          74.8 ms  ██████  1 000 000
                       Filter: x
        ");
    }

    #[test]
    fn where_room_is_short_the_bar_goes_first() {
        insta::assert_snapshot!(lines(&joined(), 60, false).join("\n"), @"
             node                            time   share       rows
        ────────────────────────────────────────────────────────────
             Nested Loop                  74.8 ms  ██████  1 000 000
             │   Join Filter: (a.id = b.id)
        ►1,2 ├─ Index Scan using          74.8 ms  ██████  1 000 000
             │                                           est 5 ✗100x
             │      the_events_of_a_tenant_by_user_and_time_idx on
             │      events
             │      Index Cond: (tenant_id = 42)
             │      Filter: (((kind)::text = 'abc'::text) AND (state
             │        <> 'gone'::text))
             └─ Append                    74.8 ms  ██████  1 000 000
                │                                        est 5 ✗100x
                ├─ Seq Scan on one        74.8 ms  ██████  1 000 000
                └─ Seq Scan on other      74.8 ms  ██████  1 000 000
                       Filter: x
        ");
    }

    #[test]
    fn a_deep_tree_is_indented_less_and_then_cut_on_the_left() {
        let chain = |levels: usize| {
            let nodes = (0..levels).map(|level| node(level, &format!("Node {level}"), &[]));
            lines(&tree(nodes.collect()), 60, false)
        };
        assert_eq!(chain(5)[6].find("Node"), Some("         └─ ".len()));
        assert_eq!(chain(8)[9].find("Node"), Some("            └ ".len()));
        let deep = chain(40);
        insta::assert_snapshot!(deep[38..].join("\n"), @"
        …            └Node 36             74.8 ms  ██████  1 000 000
        …            └Node 37             74.8 ms  ██████  1 000 000
        …            └Node 38             74.8 ms  ██████  1 000 000
        …            └Node 39             74.8 ms  ██████  1 000 000
        ");
    }

    #[test]
    fn colour_only_adds() {
        let coloured = lines(&joined(), 80, true);
        let mut bare = coloured.join("\n");
        assert!(coloured[4].starts_with("\u{1b}[1;31m►1,2"), "{bare}");
        for code in ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[33m", "\u{1b}[1;31m"] {
            bare = bare.replace(code, "");
        }
        assert_eq!(bare, lines(&joined(), 80, false).join("\n"));
    }

    proptest! {
        #[test]
        fn nothing_leaves_the_width_and_no_node_is_lost(
            nodes in prop::collection::vec((0_usize..60, "[a-z注文é ]{1,90}", "[a-z(=件]{0,400}", any::<bool>()), 1..40),
            width in 60_usize..130,
        ) {
            let nodes = nodes.iter().enumerate().map(|(at, (depth, label, detail, remarked))| {
                let remark = remarked.then(|| (2, "est 5 ✗100x".to_owned()));
                TreeNode { remark, ..node(*depth, &format!("N{at} {label}"), &[detail]) }
            });
            let tree = tree(nodes.collect());
            let text = lines(&tree, width, false);
            prop_assert!(text.iter().all(|line| columns(line) <= width), "{}", text.join("\n"));
            for at in 0..tree.nodes.len() {
                prop_assert!(text.iter().any(|line| line.contains(&format!("N{at}"))), "{at}: {}", text.join("\n"));
            }
        }
    }
}
