use std::{fs, path::PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::plan::model::{Node, Plan};

/// All plans that `tests/fixtures/plans/make.sh` captured, with their names.
fn captured() -> Vec<(String, Plan)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/plans");
    let mut plans = Vec::new();
    for major in ["14", "15", "16", "17", "18"] {
        for entry in fs::read_dir(folder.join(major)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let name = format!("{major}/{}", path.file_stem().unwrap().to_string_lossy());
                plans.push((name, Plan::parse(&fs::read_to_string(&path).unwrap()).unwrap()));
            }
        }
    }
    assert!(plans.len() > 300);
    plans
}

fn of(major: u32, name: &str) -> Plan {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/plans/{major}/{name}.json"));
    Plan::parse(&fs::read_to_string(path).unwrap()).unwrap()
}

fn own(plan: &Plan) -> f64 {
    plan.nodes().iter().filter_map(|node| node.own_ms).sum()
}

#[track_caller]
fn find<'p>(plan: &'p Plan, label: &str) -> &'p Node {
    plan.nodes().iter().find(|node| node.label() == label).unwrap()
}

#[test]
fn own_times_of_every_captured_plan_add_up_to_the_whole() {
    for (name, plan) in captured() {
        let Some(total) = plan.root().total_ms else {
            assert!(plan.nodes().iter().all(|node| node.own_ms.is_none()), "{name}");
            continue;
        };
        assert!(plan.nodes().iter().all(|node| node.own_ms.is_some_and(|own| own >= 0.0)), "{name}");
        // A CTE that writes and that nothing reads runs after the rest.
        let after = if name.ends_with("writing_cte_unread") { plan.nodes()[1].total_ms.unwrap() } else { 0.0 };
        assert!((own(&plan) - total - after).abs() < 1e-6, "{name}: {} of {total}", own(&plan));
        assert!(plan.execution_ms.is_none_or(|execution| total <= execution + 0.002), "{name}");
    }
}

#[test]
fn own_buffers_of_every_captured_plan_add_up_to_the_whole() {
    for (name, plan) in captured() {
        let Some(all) = plan.root().buffers else { continue };
        let own: u64 = plan.nodes().iter().filter_map(|node| node.own_buffers).map(|own| own.shared()).sum();
        let after = if name.ends_with("writing_cte_unread") { plan.nodes()[1].buffers.unwrap().shared() } else { 0 };
        // A Limit that stops a Gather is counted before the workers' last blocks are.
        assert!(own.abs_diff(all.shared() + after) <= 2, "{name}: {own} of {}", all.shared());
    }
}

#[test]
fn an_init_plan_runs_inside_the_node_that_refers_to_it() {
    for major in 14..=18 {
        let plan = of(major, "init_plan");
        let scan = plan.root();
        let made = plan.children(scan).next().unwrap().total_ms.unwrap();
        assert!(made > 0.0 && (scan.own_ms.unwrap() + made - scan.total_ms.unwrap()).abs() < 1e-6);

        // Two, defined above a join and asked for below it.
        let plan = of(major, "init_plan_filter");
        let scan = find(&plan, "Seq Scan on events");
        let events = plan.nodes().iter().rfind(|node| node.relation.as_deref() == Some("events")).unwrap();
        assert_eq!(scan.label(), events.label());
        let average = plan.children(plan.root()).next().unwrap();
        assert!(
            (events.own_ms.unwrap() + average.total_ms.unwrap() - events.total_ms.unwrap()).abs() < 1e-6,
            "{major}"
        );
        assert_eq!(
            events.own_buffers.unwrap().shared(),
            scan.own_buffers.unwrap().shared(),
            "the table once each, {major}"
        );

        // One that workers need is made by the Gather above them.
        let plan = of(major, "parallel_init_plan");
        let gather = plan.nodes().iter().rfind(|node| node.node_type == "Gather").unwrap();
        assert_eq!(gather.own_buffers.unwrap().shared(), 0, "{major}");

        assert!(of(major, "init_plan_never_run").nodes().iter().skip(1).all(|node| node.own_ms == Some(0.0)));
    }
}

#[test]
fn a_cte_runs_inside_the_scan_that_asks_for_it_first() {
    for major in 14..=18 {
        let plan = of(major, "cte_in_sub_plan");
        let scan = find(&plan, "CTE Scan");
        let made = plan.children(plan.root()).next().unwrap();
        assert!((scan.own_ms.unwrap() + made.total_ms.unwrap() - scan.total_ms.unwrap()).abs() < 0.05, "{major}");
        assert_eq!(scan.own_buffers.unwrap().shared(), 0);
        assert!(made.buffers.unwrap().shared() > 0);

        // `one` runs inside `two`, which runs inside the scan at the bottom.
        let plan = of(major, "cte_of_cte");
        let reads: Vec<u64> = plan.nodes().iter().map(|node| node.own_buffers.unwrap().shared()).collect();
        let readers: Vec<&str> = plan
            .nodes()
            .iter()
            .filter(|node| node.own_buffers.unwrap().shared() > 0)
            .map(|node| node.node_type.as_str())
            .collect();
        assert_eq!(readers, ["Seq Scan"], "{major}: {reads:?}");
    }
}

#[test]
fn processes_side_by_side_count_once() {
    for major in 14..=18 {
        // The leader takes no part: two processes, not three.
        let plan = of(major, "parallel_append");
        let append = find(&plan, "Parallel Append");
        assert_eq!(append.loops(), 2.0);
        assert!((append.total_ms.unwrap() - append.actual.unwrap().total_ms.unwrap()).abs() < 1e-9);
        let none = of(major, "no_workers");
        let gather = none.nodes().iter().find(|node| node.node_type == "Gather").unwrap();
        assert_eq!((gather.workers_planned.is_some(), gather.workers_launched), (true, Some(0)));
    }
}

#[test]
fn many_loops_hide_what_they_removed() {
    let plan = of(17, "recursive_cte");
    let scan = plan.nodes().iter().find(|node| node.node_type == "WorkTable Scan").unwrap();
    assert_eq!((scan.loops(), scan.removed.filter, scan.removed_in_all().sum()), (100.0, 0.0, 0.0));
    assert_eq!(scan.removed_at_most().filter, 50.0);
    assert_eq!((scan.removed_at_most().recheck, scan.removed_at_most().join_filter), (0.0, 0.0));
    let once = of(17, "seq_scan_sort");
    assert_eq!(find(&once, "Seq Scan on events").removed_at_most().filter, 99_900.0);
}

/// What a node of a made plan is, and what it takes itself, in microseconds over all its loops and of each process.
#[derive(Debug, Clone)]
enum Made {
    Plain {
        own: u32,
        loops: u32,
        inside: Vec<Made>,
    },
    Gather {
        own: u32,
        workers: u32,
        leader: bool,
        below: Box<Made>,
    },
    /// Defines an InitPlan or a CTE that a node far below asks for.
    Defines {
        own: u32,
        cte: bool,
        made: Box<Made>,
        deep: u32,
        asking: u32,
    },
}

fn made() -> impl Strategy<Value = Made> {
    let leaf =
        (0..5_000_000_u32, 1..200_000_u32).prop_map(|(own, loops)| Made::Plain { own, loops, inside: Vec::new() });
    leaf.prop_recursive(6, 40, 4, |inner| {
        prop_oneof![
            3 => (0..5_000_000_u32, 1..200_000_u32, prop::collection::vec(inner.clone(), 1..4))
                .prop_map(|(own, loops, inside)| Made::Plain { own, loops, inside }),
            1 => (0..5_000_000_u32, 0..5_u32, any::<bool>(), inner.clone()).prop_map(|(own, workers, leader, below)| {
                Made::Gather { own, workers, leader: leader || workers == 0, below: Box::new(below) }
            }),
            1 => (0..5_000_000_u32, any::<bool>(), inner, 0..4_u32, 0..5_000_000_u32).prop_map(
                |(own, cte, made, deep, asking)| Made::Defines { own, cte, made: Box::new(made), deep, asking }
            ),
        ]
    })
}

/// The made nodes as EXPLAIN prints them, and what each took itself in milliseconds, in the same order.
struct Printed {
    own: Vec<f64>,
    /// How far rounding may put a node's total off, in milliseconds.
    rounding: f64,
    names: u32,
}

impl Printed {
    /// Gives the node and its total in milliseconds of each process.
    fn node(&mut self, made: &Made, processes: f64, relationship: &str) -> (Value, f64) {
        let at = self.own.len();
        match made {
            Made::Plain { own, loops, inside } => {
                self.own.push(f64::from(*own) / 1e3);
                let parts: Vec<(Value, f64)> = inside.iter().map(|part| self.node(part, processes, "Outer")).collect();
                let total = self.own[at] + parts.iter().map(|(_, total)| total).sum::<f64>();
                let plans: Vec<Value> = parts.into_iter().map(|(plan, _)| plan).collect();
                (
                    self.print("Result", total, f64::from(*loops), processes, relationship, json!({ "Plans": plans })),
                    total,
                )
            }
            Made::Gather { own, workers, leader, below } if processes == 1.0 => {
                self.own.push(f64::from(*own) / 1e3);
                let running = f64::from(*workers) + f64::from(u8::from(*leader));
                // Each process runs the node below a Gather once.
                let below = match &**below {
                    Made::Plain { own, inside, .. } => Made::Plain { own: *own, loops: 1, inside: inside.clone() },
                    other => Made::Plain { own: 0, loops: 1, inside: vec![other.clone()] },
                };
                let (plan, of_below) = self.node(&below, running, "Outer");
                let total = self.own[at] + of_below;
                let rest = json!({ "Workers Planned": workers, "Workers Launched": workers, "Plans": [plan] });
                (self.print("Gather", total, 1.0, 1.0, relationship, rest), total)
            }
            Made::Gather { below, .. } => self.node(below, processes, relationship),
            Made::Defines { own, cte, made, deep, asking } if processes == 1.0 => {
                self.own.push(f64::from(*own) / 1e3);
                self.names += 1;
                let name = self.names;
                let (mut plan, of_made) = self.node(made, 1.0, "InitPlan");
                plan["Subplan Name"] = if *cte {
                    json!(format!("CTE c{name}"))
                } else {
                    json!(format!("InitPlan {name} (returns ${name})"))
                };
                let between = self.own.len();
                self.own.extend((0..*deep).map(|_| 0.125));
                self.own.push(f64::from(*asking) / 1e3);
                let mut total = f64::from(*asking) / 1e3 + of_made;
                let rest = if *cte {
                    json!({ "CTE Name": format!("c{name}") })
                } else {
                    json!({ "Filter": format!("(a > ${name})") })
                };
                let kind = if *cte { "CTE Scan" } else { "Result" };
                let mut below = self.print(kind, total, 1.0, 1.0, "Outer", rest);
                for _ in 0..*deep {
                    total += 0.125;
                    below = self.print("Result", total, 1.0, 1.0, "Outer", json!({ "Plans": [below] }));
                }
                assert_eq!(self.own.len(), between + 1 + *deep as usize);
                total += self.own[at];
                (self.print("Result", total, 1.0, 1.0, relationship, json!({ "Plans": [plan, below] })), total)
            }
            Made::Defines { made, .. } => self.node(made, processes, relationship),
        }
    }

    fn print(&mut self, kind: &str, total: f64, loops: f64, processes: f64, relationship: &str, rest: Value) -> Value {
        let loops = loops * processes;
        let by_loop = (total * processes / loops * 1e3).round() / 1e3;
        self.rounding += 0.000_501 * loops / processes;
        let mut node = json!({
            "Node Type": kind, "Parent Relationship": relationship, "Actual Loops": loops, "Actual Rows": 1,
            "Actual Startup Time": 0.0, "Actual Total Time": by_loop,
        });
        for (key, value) in rest.as_object().unwrap() {
            node[key] = value.clone();
        }
        node
    }
}

proptest! {
    #[test]
    fn what_each_node_took_is_found_again(made in made()) {
        let mut printed = Printed { own: Vec::new(), rounding: 0.0, names: 0 };
        let (root, _) = printed.node(&made, 1.0, "Outer");
        let plan = Plan::from_json(&json!({ "Plan": root })).unwrap();
        let total = plan.root().total_ms.unwrap();
        prop_assert_eq!(plan.nodes().len(), printed.own.len());
        prop_assert!((own(&plan) - total).abs() <= total * 1e-9 + 1e-9, "{} of {}", own(&plan), total);
        for (node, expected) in plan.nodes().iter().zip(&printed.own) {
            let found = node.own_ms.unwrap();
            prop_assert!(found >= 0.0);
            prop_assert!((found - expected).abs() <= printed.rounding + 1e-6, "{found} is not {expected}: {}", printed.rounding);
        }
    }
}
