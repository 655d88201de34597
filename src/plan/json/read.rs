//! FORMAT JSON to the normal form. Any JSON is read or refused with its place; unknown keys are passed over.

use std::collections::BTreeMap;

use serde_json::Value;

use super::tokens::{Tape, Token};
use crate::plan::{
    error::{Error, Kind},
    known_words::is_passed_over,
    model::{Jit, Node, Plan, Trigger},
    own_time,
    unfinished_node::{self as draft, Draft, Expected, Field},
};

/// Levels of nodes that are read.
pub(crate) const MAX_DEPTH: usize = 1_000;

type Result<T> = std::result::Result<T, Error>;

impl Plan {
    /// Reads what `FORMAT JSON` prints.
    ///
    /// # Errors
    /// It is not JSON, is not a plan, or is nested too deeply.
    pub fn parse(text: &str) -> Result<Self> {
        let (tape, end) = Tape::read(text).map_err(|fault| Kind::json(fault, text, 0))?;
        if let Some(more) = text[end..].find(|c: char| !c.is_ascii_whitespace()) {
            return Err(Kind::MoreThanJson(crate::plan::error::line(text, end + more)).into());
        }
        Self::of_array(&tape)
    }

    /// Reads what `FORMAT JSON` returned: an array of one statement, or that statement itself.
    ///
    /// # Errors
    /// It is not a plan, or is nested too deeply. Several plans, as rules make them, are not one plan.
    pub fn from_json(json: &Value) -> Result<Self> {
        Self::of_array(&Tape::of(json).map_err(|fault| Kind::json(fault, "", 0))?)
    }

    fn of_array(tape: &Tape<'_>) -> Result<Self> {
        let statement = match tape.token(0) {
            Token::Array(_) => {
                let mut statements = tape.elements(0);
                match (statements.next(), statements.next()) {
                    (Some(statement), None) => statement,
                    _ => return Err(shape("top level", "an array of one statement")),
                }
            }
            _ => 0,
        };
        Self::of_statement(tape, statement)
    }

    /// Reads the node at `at`, of whose statement nothing is known.
    pub(crate) fn of_node(tape: &Tape<'_>, at: usize) -> Result<Self> {
        Ok(Self {
            nodes: nodes(tape, at)?,
            planning_ms: None,
            execution_ms: None,
            settings: BTreeMap::new(),
            jit: None,
            triggers: Vec::new(),
            query: None,
        })
    }

    /// Reads the object at `at`, which holds a `Plan`.
    pub(crate) fn of_statement(tape: &Tape<'_>, at: usize) -> Result<Self> {
        let Token::Object(_) = tape.token(at) else { return Err(shape("top level", "an object")) };
        let member = |key: &str| tape.member(at, key);
        let root = member("Plan").ok_or_else(|| shape("Plan", "there"))?;
        let number = |key: &str| match member(key) {
            None => Ok(None),
            Some(at) => draft::number(&field(tape, at)).map_err(|expected| shape(key, expected)),
        };
        Ok(Self {
            planning_ms: number("Planning Time")?,
            execution_ms: number("Execution Time")?,
            settings: member("Settings").map_or_else(|| Ok(BTreeMap::new()), |at| settings(tape, at))?,
            jit: member("JIT").map(|at| jit(tape, at)).transpose()?,
            triggers: member("Triggers").map_or_else(|| Ok(Vec::new()), |at| triggers(tape, at))?,
            query: match member("Query Text").map(|at| tape.token(at)) {
                Some(Token::Text(text)) => Some(text.trim().to_owned()),
                _ => None,
            },
            nodes: nodes(tape, root)?,
        })
    }
}

fn settings(tape: &Tape<'_>, at: usize) -> Result<BTreeMap<String, String>> {
    let Token::Object(_) = tape.token(at) else { return Err(shape("Settings", "an object")) };
    let text = |at| match tape.token(at) {
        Token::Text(text) => text.to_string(),
        Token::Number(number) => number.to_string(),
        Token::Bool(is) => is.to_string(),
        _ => String::new(),
    };
    Ok(tape.members(at).map(|(name, at)| (name.to_owned(), text(at))).collect())
}

fn jit(tape: &Tape<'_>, at: usize) -> Result<Jit> {
    let Token::Object(_) = tape.token(at) else { return Err(shape("JIT", "an object")) };
    let of = |at: Option<usize>, place: &str| match at.map(|at| tape.token(at)) {
        None => Ok(0.0),
        Some(Token::Number(number)) => Ok(*number),
        // Since PostgreSQL 17 `Deform` lies inside `Generation`, which is then an object of its own.
        Some(_) => Err(shape(place, "a number")),
    };
    let timing = tape.member(at, "Timing");
    Ok(Jit {
        functions: of(tape.member(at, "Functions"), "JIT.\"Functions\"")?,
        total_ms: of(timing.and_then(|timing| tape.member(timing, "Total")), "JIT.Timing.\"Total\"")?,
    })
}

fn triggers(tape: &Tape<'_>, at: usize) -> Result<Vec<Trigger>> {
    let Token::Array(_) = tape.token(at) else { return Err(shape("Triggers", "an array")) };
    let trigger = |(index, at): (usize, usize)| {
        let text = |key| match tape.member(at, key).map(|at| tape.token(at)) {
            Some(Token::Text(text)) => Some(text.to_string()),
            _ => None,
        };
        let number = |key: &str| match tape.member(at, key) {
            None => Ok(None),
            Some(at) => draft::number(&field(tape, at))
                .map_err(|expected| shape(&format!("Triggers[{index}].\"{key}\""), expected)),
        };
        Ok(Trigger {
            name: text("Trigger Name").unwrap_or_default(),
            constraint: text("Constraint Name"),
            relation: text("Relation"),
            calls: number("Calls")?.unwrap_or(0.0),
            time_ms: number("Time")?,
        })
    };
    tape.elements(at).enumerate().map(trigger).collect()
}

/// A node that is yet to be read: its place on the tape, its parent, its place among the parent's `Plans`.
type Next = (usize, Option<usize>, usize);

/// The node at `root` and all below it, each before its children.
fn nodes(tape: &Tape<'_>, root: usize) -> Result<Vec<Node>> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut among: Vec<usize> = Vec::new();
    let mut next: Vec<Next> = vec![(root, None, 0)];
    while let Some((at, parent, index)) = next.pop() {
        let depth = parent.map_or(0, |parent| nodes[parent].depth + 1);
        if depth >= MAX_DEPTH {
            return Err(Kind::Depth(MAX_DEPTH).into());
        }
        let (mut node, children) = node(tape, at).map_err(|(key, expected)| {
            let path = path(&nodes, &among, parent, index);
            let place = if key.is_empty() { path } else { format!("{path}.\"{key}\"") };
            Error::from(Kind::Shape { place, expected })
        })?;
        let place = nodes.len();
        (node.parent, node.depth) = (parent, depth);
        // That of a plan which an extension nests in its own says of itself nothing.
        if parent.is_some() && node.relationship.is_none() {
            node.relationship = Some("Outer".to_owned());
        }
        nodes.push(node);
        among.push(index);
        if let Some(parent) = parent {
            nodes[parent].children.push(place);
        }
        let begin = next.len();
        next.extend(children.into_iter().enumerate().map(|(index, child)| (child, Some(place), index)));
        next[begin..].reverse();
    }
    own_time::fill_in(&mut nodes);
    Ok(nodes)
}

/// The way to a node: `Plan.Plans[0].Plans[1]`.
fn path(nodes: &[Node], among: &[usize], parent: Option<usize>, index: usize) -> String {
    let Some(parent) = parent else { return "Plan".to_owned() };
    let mut path = vec![index];
    path.extend(
        std::iter::successors(Some(parent), |at| nodes[*at].parent)
            .filter(|at| nodes[*at].parent.is_some())
            .map(|at| among[at]),
    );
    let steps: String = path.into_iter().rev().map(|index| format!(".Plans[{index}]")).collect();
    format!("Plan{steps}")
}

/// A node without what lies below it, and the places of the nodes below it.
fn node<'t>(tape: &'t Tape<'_>, at: usize) -> std::result::Result<(Node, Vec<usize>), (&'t str, Expected)> {
    let Token::Object(_) = tape.token(at) else { return Err(("", "an object")) };
    let mut draft = Draft::default();
    let mut children = Vec::new();
    for (key, at) in tape.members(at) {
        let is_array = matches!(tape.token(at), Token::Array(_));
        match key {
            "Plans" if is_array => children.extend(tape.elements(at)),
            "Plans" => return Err((key, "an array")),
            "Workers" if is_array => {
                for worker in tape.elements(at) {
                    let mut of_worker = Draft::default();
                    let number = match tape.member(worker, "Worker Number").map(|at| tape.token(at)) {
                        Some(Token::Number(number)) => number.to_string(),
                        _ => String::new(),
                    };
                    for (key, at) in tape.members(worker) {
                        set(tape, key, at, &mut of_worker, &mut children)?;
                    }
                    draft.worker(&number, of_worker);
                }
            }
            "Full-sort Groups" | "Pre-sorted Groups" => groups(tape, at, &mut draft),
            "Grouping Sets" => {
                for set in tape.elements(at) {
                    grouping_set(tape, set, &mut draft);
                }
            }
            _ => set(tape, key, at, &mut draft, &mut children)?,
        }
    }
    if draft.has_type() { Ok((draft.finish(), children)) } else { Err(("Node Type", "there")) }
}

/// Takes what is said under `key`.
fn set<'t>(
    tape: &'t Tape<'_>,
    key: &'t str,
    at: usize,
    draft: &mut Draft,
    plans: &mut Vec<usize>,
) -> std::result::Result<(), (&'t str, Expected)> {
    let field = field(tape, at);
    draft.set(key, &field).map_err(|expected| (key, expected))?;
    // No key that is known holds such, or it is passed over.
    if field == Field::Nested && !is_passed_over(key) {
        nested(tape, key, at, draft, plans);
    }
    Ok(())
}

/// Keeps what an extension nests under a key of its own, each value with its key, and finds the plans in it: Citus shows
/// those of its tasks and subplans in this way.
fn nested(tape: &Tape<'_>, key: &str, at: usize, draft: &mut Draft, plans: &mut Vec<usize>) {
    let mut next = vec![(key, at)];
    while let Some((key, at)) = next.pop() {
        let begin = next.len();
        match tape.token(at) {
            Token::Object(_) if tape.member(at, "Node Type").is_some() => plans.push(at),
            Token::Object(_) => next.extend(tape.members(at)),
            Token::Array(_) => match field(tape, at) {
                Field::Texts(texts) if texts.is_empty() => {}
                Field::Texts(texts) => draft.other(&format!("{key}: {}", texts.join(", "))),
                _ => next.extend(tape.elements(at).map(|element| (key, element))),
            },
            Token::Text(text) => draft.other(&format!("{key}: {text}")),
            Token::Number(number) => draft.other(&format!("{key}: {number}")),
            Token::Bool(is) => draft.other(&format!("{key}: {is}")),
            Token::Null => {}
        }
        next[begin..].reverse();
    }
}

/// What an incremental sort did with one kind of its groups.
fn groups(tape: &Tape<'_>, at: usize, draft: &mut Draft) {
    let method = tape.member(at, "Sort Methods Used").and_then(|methods| tape.elements(methods).last());
    let Some(Token::Text(method)) = method.map(|method| tape.token(method)) else { return };
    for (place, on_disk) in [("Sort Space Memory", false), ("Sort Space Disk", true)] {
        let peak = tape.member(at, place).and_then(|space| tape.member(space, "Peak Sort Space Used"));
        if let Some(Token::Number(kib)) = peak.map(|peak| tape.token(peak)) {
            draft.sorted(method, *kib, on_disk);
        }
    }
}

fn grouping_set(tape: &Tape<'_>, at: usize, draft: &mut Draft) {
    for (key, at) in tape.members(at) {
        if matches!(key, "Group Keys" | "Hash Keys") {
            for keys in tape.elements(at) {
                let keys = tape.elements(keys).filter_map(|key| match tape.token(key) {
                    Token::Text(key) => Some(key.to_string()),
                    _ => None,
                });
                draft.node.conditions.group_key.extend(keys);
            }
        }
    }
}

fn field<'t>(tape: &'t Tape<'_>, at: usize) -> Field<'t> {
    match tape.token(at) {
        Token::Bool(is) => Field::Bool(*is),
        Token::Number(number) => Field::Number(*number),
        Token::Text(text) => Field::Text(text),
        Token::Array(_) => {
            let texts: Option<Vec<&str>> = tape
                .elements(at)
                .map(|element| match tape.token(element) {
                    Token::Text(text) => Some(&**text),
                    _ => None,
                })
                .collect();
            texts.map_or(Field::Nested, Field::Texts)
        }
        Token::Null => Field::Other,
        Token::Object(_) => Field::Nested,
    }
}

fn shape(place: &str, expected: Expected) -> Error {
    Error::from(Kind::Shape { place: place.to_owned(), expected })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::plan::figures;

    fn refused(json: &Value) -> String {
        Plan::from_json(json).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_plan_is_refused_with_its_place() {
        assert_eq!(refused(&json!(1)), "the plan's top level is not an object");
        assert_eq!(refused(&json!([])), "the plan's top level is not an array of one statement");
        assert_eq!(refused(&json!({})), "the plan's Plan is not there");
        assert_eq!(
            refused(
                &json!([{ "Plan": { "Node Type": "Limit", "Plans": [{ "Node Type": "Sort", "Actual Loops": "1" }] } }])
            ),
            r#"the plan's Plan.Plans[0]."Actual Loops" is not a number"#
        );
        assert_eq!(
            refused(&json!({ "Plan": { "Node Type": "Limit", "Plan Rows": -1 } })),
            r#"the plan's Plan."Plan Rows" is not a number of 0 or more"#
        );
    }

    #[test]
    fn deep_nesting_is_refused_not_followed() {
        let deep = |levels: usize| {
            let open = r#"{"Node Type":"Limit","Plans":["#.repeat(levels);
            format!(r#"[{{"Plan":{open}{{"Node Type":"Result"}}{}}}]"#, "]}".repeat(levels))
        };
        // A node is nested in two levels; a thread of a test has 2 MiB of stack.
        let plan = Plan::parse(&deep(MAX_DEPTH - 1)).unwrap();
        assert_eq!(plan.nodes().last().unwrap().depth, MAX_DEPTH - 1);
        assert!(figures(&plan, "s", "hot", Vec::new()).shape.ends_with("Result"));
        let refused = |levels| Plan::parse(&deep(levels)).unwrap_err().to_string();
        assert_eq!(refused(MAX_DEPTH), "the plan is more than 1000 nodes deep");
        assert_eq!(refused(1_000_000), "the JSON is nested too deeply");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        let key = prop_oneof![
            ".{0,6}",
            prop::sample::select(vec![
                "Plan",
                "Plans",
                "Node Type",
                "Actual Rows",
                "Actual Loops",
                "Plan Rows",
                "Rows Removed by Filter",
                "Shared Hit Blocks",
                "Relation Name",
                "Settings",
                "Planning Time",
                "Workers Planned",
                "Parallel Aware",
            ])
            .prop_map(str::to_owned)
        ];
        leaf.prop_recursive(6, 64, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((key.clone(), inner), 0..8)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    fn any_node() -> impl Strategy<Value = Value> {
        let number = || prop_oneof![0.0..1e308_f64, Just(0.0), Just(1.0)];
        let leaf = (number(), number(), number(), "[A-Z][a-z]{0,5} Scan").prop_map(|(rows, loops, removed, kind)| {
            json!({ "Node Type": kind, "Relation Name": "t", "Actual Rows": rows, "Actual Loops": loops,
                    "Rows Removed by Filter": removed, "Shared Hit Blocks": removed })
        });
        leaf.prop_recursive(5, 32, 4, |inner| {
            (prop::collection::vec(inner, 0..4), 0..u32::MAX)
                .prop_map(|(plans, rows)| json!({ "Node Type": "Append", "Plan Rows": rows, "Plans": plans }))
        })
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = Plan::parse(&text);
        }

        #[test]
        fn any_json_is_read_or_refused(json in any_json()) {
            let _ = Plan::from_json(&json);
            let _ = Plan::from_json(&json!([{ "Plan": json }]));
        }

        #[test]
        fn any_plan_is_read_and_has_figures(root in any_node()) {
            let plan = Plan::parse(&json!([{ "Plan": root }]).to_string()).unwrap();
            let figures = figures(&plan, "s", "hot", Vec::new());
            prop_assert!(figures.shape.starts_with(&plan.root().node_type));
        }
    }
}
