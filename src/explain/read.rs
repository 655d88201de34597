//! JSON to the normal form. Any JSON is read or refused with its place; unknown keys are passed over.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    error::{Error, Kind},
    own,
    plan::{Actual, Buffers, Conditions, HashAggregate, HashTable, Jit, Memoize, Node, Plan, Removed, Sort, Trigger},
};

/// Deepest tree that is read. `serde_json` stops at 128 levels, two of which make a node.
const MAX_DEPTH: usize = 64;

type Result<T> = std::result::Result<T, Error>;

impl Plan {
    /// Reads what `FORMAT JSON` prints.
    ///
    /// # Errors
    /// It is not JSON, is not a plan, or is nested too deeply.
    pub fn parse(text: &str) -> Result<Self> {
        Self::from_json(&serde_json::from_str(text)?)
    }

    /// Reads what `FORMAT JSON` returned: an array of one statement, or that statement itself.
    ///
    /// # Errors
    /// It is not a plan, or is nested too deeply. Several plans, as rules make them, are not one plan.
    pub fn from_json(json: &Value) -> Result<Self> {
        let statement = match json {
            Value::Array(statements) => match statements.as_slice() {
                [statement] => statement,
                _ => return Err(shape("top level".to_owned(), "an array of one statement")),
            },
            statement => statement,
        };
        let statement = Place::new("top level", statement)?;
        let root = match statement.object.get("Plan") {
            Some(root) => Place::new("Plan", root)?,
            None => return Err(shape("Plan".to_owned(), "there")),
        };
        let mut nodes = Vec::new();
        read(&root, None, &mut nodes)?;
        own::fill_in(&mut nodes);
        Ok(Self {
            nodes,
            planning_ms: statement.number("Planning Time")?,
            execution_ms: statement.number("Execution Time")?,
            settings: settings(&statement)?,
            jit: jit(&statement)?,
            triggers: triggers(&statement)?,
            query: statement.text("Query Text")?,
        })
    }
}

fn settings(statement: &Place<'_>) -> Result<BTreeMap<String, String>> {
    let settings = match statement.object.get("Settings") {
        None => return Ok(BTreeMap::new()),
        Some(Value::Object(settings)) => settings,
        Some(_) => return Err(shape("Settings".to_owned(), "an object")),
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(settings.iter().map(|(name, value)| (name.clone(), text(value))).collect())
}

fn jit(statement: &Place<'_>) -> Result<Option<Jit>> {
    let Some(jit) = statement.object.get("JIT") else { return Ok(None) };
    let jit = Place::new("JIT", jit)?;
    let timing = jit.object.get("Timing").map(|timing| Place::new("JIT.Timing", timing)).transpose()?;
    Ok(Some(Jit {
        functions: jit.count("Functions")?.unwrap_or(0.0),
        total_ms: timing.map_or(Ok(None), |timing| timing.count("Total"))?.unwrap_or(0.0),
    }))
}

fn triggers(statement: &Place<'_>) -> Result<Vec<Trigger>> {
    let triggers = match statement.object.get("Triggers") {
        None => return Ok(Vec::new()),
        Some(Value::Array(triggers)) => triggers,
        Some(_) => return Err(shape("Triggers".to_owned(), "an array")),
    };
    let trigger = |(index, trigger): (usize, &Value)| {
        let place = Place::new(format!("Triggers[{index}]"), trigger)?;
        Ok(Trigger {
            name: place.text("Trigger Name")?.unwrap_or_default(),
            constraint: place.text("Constraint Name")?,
            relation: place.text("Relation")?,
            calls: place.count("Calls")?.unwrap_or(0.0),
            time_ms: place.count("Time")?,
        })
    };
    triggers.iter().enumerate().map(trigger).collect()
}

/// Reads a node and all below it into `nodes`; gives the node's place among them.
fn read(place: &Place<'_>, parent: Option<usize>, nodes: &mut Vec<Node>) -> Result<usize> {
    let depth = parent.map_or(0, |parent| nodes[parent].depth + 1);
    if depth >= MAX_DEPTH {
        return Err(Error::from(Kind::Depth(MAX_DEPTH)));
    }
    let at = nodes.len();
    nodes.push(Node { parent, depth, ..node(place)? });
    match place.object.get("Plans") {
        None => {}
        Some(Value::Array(plans)) => {
            for (index, plan) in plans.iter().enumerate() {
                let child = read(&Place::new(format!("{}.Plans[{index}]", place.path), plan)?, Some(at), nodes)?;
                nodes[at].children.push(child);
            }
        }
        Some(_) => return Err(place.not("Plans", "an array")),
    }
    Ok(at)
}

fn node(place: &Place<'_>) -> Result<Node> {
    let count = |key| Ok::<_, Error>(place.count(key)?.unwrap_or(0.0));
    let whole = |key| Ok::<_, Error>(place.count(key)?.map(whole));
    let is = |key| place.object.get(key).and_then(Value::as_bool).unwrap_or(false);
    let actual = match place.count("Actual Loops")? {
        None => None,
        Some(loops) => Some(Actual {
            loops,
            rows: count("Actual Rows")?,
            startup_ms: place.count("Actual Startup Time")?,
            total_ms: place.count("Actual Total Time")?,
        }),
    };
    let mut sort_key = place.texts("Sort Key")?;
    if let Some(order) = place.text("Order By")? {
        sort_key.push(order);
    }
    Ok(Node {
        node_type: place.text("Node Type")?.ok_or_else(|| place.not("Node Type", "there"))?,
        relationship: place.text("Parent Relationship")?,
        subplan: place.text("Subplan Name")?,
        parallel_aware: is("Parallel Aware"),
        backward: place.text("Scan Direction")?.as_deref() == Some("Backward"),
        relation: place.text("Relation Name")?,
        schema: place.text("Schema")?,
        alias: place.text("Alias")?,
        index: place.text("Index Name")?,
        cte: place.text("CTE Name")?,
        function: place.text("Function Name")?,
        operation: place.text("Operation")?,
        strategy: place.text("Strategy")?,
        partial_mode: place.text("Partial Mode")?,
        join_type: place.text("Join Type")?,
        inner_unique: is("Inner Unique"),
        startup_cost: place.number("Startup Cost")?,
        total_cost: place.number("Total Cost")?,
        plan_rows: count("Plan Rows")?,
        plan_width: count("Plan Width")?,
        actual,
        removed: Removed {
            filter: count("Rows Removed by Filter")?,
            recheck: count("Rows Removed by Index Recheck")?,
            join_filter: count("Rows Removed by Join Filter")?,
        },
        buffers: buffers(place)?,
        conditions: Conditions {
            index: place.text("Index Cond")?,
            recheck: place.text("Recheck Cond")?,
            filter: place.text("Filter")?,
            join_filter: place.text("Join Filter")?,
            hash: place.text("Hash Cond")?,
            merge: place.text("Merge Cond")?,
            one_time: place.text("One-Time Filter")?,
            sort_key,
            presorted_key: place.texts("Presorted Key")?,
            group_key: place.texts("Group Key")?,
            cache_key: place.text("Cache Key")?,
            output: place.texts("Output")?,
        },
        sort: sort(place)?,
        hash: match place.count("Hash Batches")? {
            None => None,
            Some(batches) => Some(HashTable {
                batches,
                planned_batches: place.count("Original Hash Batches")?.unwrap_or(batches),
                peak_kib: count("Peak Memory Usage")?,
            }),
        },
        hash_aggregate: match place.count("HashAgg Batches")? {
            None => None,
            Some(batches) => {
                Some(HashAggregate { batches, peak_kib: count("Peak Memory Usage")?, disk_kib: count("Disk Usage")? })
            }
        },
        cache: match place.count("Cache Hits")? {
            None => None,
            Some(hits) => Some(Memoize {
                hits,
                misses: count("Cache Misses")?,
                evictions: count("Cache Evictions")?,
                overflows: count("Cache Overflows")?,
            }),
        },
        heap_fetches: place.count("Heap Fetches")?,
        exact_blocks: place.count("Exact Heap Blocks")?,
        lossy_blocks: place.count("Lossy Heap Blocks")?,
        index_searches: place.count("Index Searches")?,
        workers_planned: whole("Workers Planned")?,
        workers_launched: whole("Workers Launched")?,
        ..Node::default()
    })
}

fn buffers(place: &Place<'_>) -> Result<Option<Buffers>> {
    let Some(hit) = place.count("Shared Hit Blocks")? else { return Ok(None) };
    let blocks = |key| Ok::<_, Error>(place.count(key)?.map_or(0, whole));
    Ok(Some(Buffers {
        hit: whole(hit),
        read: blocks("Shared Read Blocks")?,
        dirtied: blocks("Shared Dirtied Blocks")?,
        written: blocks("Shared Written Blocks")?,
        temp_read: blocks("Temp Read Blocks")?,
        temp_written: blocks("Temp Written Blocks")?,
    }))
}

/// Of the process that used most; a parallel sort has one beside each worker's, and none itself where only workers sorted.
fn sort(place: &Place<'_>) -> Result<Option<Sort>> {
    let of = |place: &Place<'_>| -> Result<Option<Sort>> {
        let Some(method) = place.text("Sort Method")? else { return Ok(None) };
        let on_disk = place.text("Sort Space Type")?.as_deref() == Some("Disk");
        Ok(Some(Sort { method, kib: place.count("Sort Space Used")?.unwrap_or(0.0), on_disk }))
    };
    let mut most = of(place)?;
    if let Some(Value::Array(workers)) = place.object.get("Workers") {
        for (index, worker) in workers.iter().enumerate() {
            let worker = of(&Place::new(format!("{}.Workers[{index}]", place.path), worker)?)?;
            let key = |sort: &Sort| (sort.on_disk, sort.kib);
            if worker.as_ref().is_some_and(|sort| most.as_ref().is_none_or(|most| key(sort) > key(most))) {
                most = worker;
            }
        }
    }
    Ok(most)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and `count` gives no negatives"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

/// An object and the way to it.
struct Place<'a> {
    path: String,
    object: &'a Map<String, Value>,
}

impl<'a> Place<'a> {
    fn new(path: impl Into<String>, value: &'a Value) -> Result<Self> {
        match value {
            Value::Object(object) => Ok(Self { path: path.into(), object }),
            _ => Err(shape(path.into(), "an object")),
        }
    }

    fn not(&self, key: &str, expected: &'static str) -> Error {
        shape(format!("{}.\"{key}\"", self.path), expected)
    }

    fn text(&self, key: &str) -> Result<Option<String>> {
        match self.object.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.not(key, "text")),
        }
    }

    fn texts(&self, key: &str) -> Result<Vec<String>> {
        match self.object.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(texts)) => {
                let text = |text: &Value| text.as_str().map(str::to_owned);
                texts.iter().map(text).collect::<Option<_>>().ok_or_else(|| self.not(key, "an array of texts"))
            }
            Some(_) => Err(self.not(key, "an array of texts")),
        }
    }

    fn number(&self, key: &str) -> Result<Option<f64>> {
        match self.object.get(key) {
            None => Ok(None),
            Some(value) => value.as_f64().map(Some).ok_or_else(|| self.not(key, "a number")),
        }
    }

    fn count(&self, key: &str) -> Result<Option<f64>> {
        match self.number(key)? {
            Some(number) if number < 0.0 => Err(self.not(key, "a number of 0 or more")),
            number => Ok(number),
        }
    }
}

fn shape(place: String, expected: &'static str) -> Error {
    Error::from(Kind::Shape { place, expected })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

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
        assert!(Plan::parse(&deep(50)).is_ok());
        assert!(Plan::parse(&deep(100_000)).unwrap_err().to_string().contains("nested too deeply"));
        let mut value = json!({ "Node Type": "Result" });
        for _ in 0..200 {
            value = json!({ "Node Type": "Limit", "Plans": [value] });
        }
        assert_eq!(refused(&json!({ "Plan": value })), "the plan is more than 64 nodes deep");
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
            let figures = crate::explain::figures(&plan, "s", "hot", Vec::new());
            prop_assert!(figures.shape.starts_with(&plan.root().node_type));
        }
    }
}
