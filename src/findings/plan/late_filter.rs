//! Rows are computed, and then thrown away by a condition above.

use crate::{
    findings::{
        case::{Case, Sighting},
        fence::{Fence, fence},
        rule::Rule,
        vain::Vain,
    },
    plan::Node,
    record::Confidence,
    sqltext::condition,
    text::{part as percent, rounded as count},
};

pub(crate) const RULE: Rule = Rule {
    id: "late-filter",
    title: "Rows are computed first and thrown away afterwards",
    sees: "a Subquery Scan, CTE Scan or Function Scan that got 10 000 rows and over (or 1 000 that took 10 % of the time) and removed over 50 % of them by its filter; a warning from 10 % of the time, critical from 40 %",
    why: "A condition is checked where its rows are read if that gives the same rows. It cannot go below DISTINCT ON, a window function, LIMIT or OFFSET, nor into a CTE that is \
          materialized or a function: all rows are computed for each execution, and most are thrown away.",
    advice: "Put the condition inside, if what it then means is what you want; give a condition on the columns of PARTITION BY or DISTINCT ON, which goes inside by itself; \
             ask by LATERAL for each key; write NOT MATERIALIZED; leave out OFFSET 0.",
    source: "https://www.postgresql.org/docs/current/queries-with.html; which conditions go into a subquery: subquery_is_pushdown_safe of \
             https://github.com/postgres/postgres/blob/master/src/backend/optimizer/path/allpaths.c",
    shown_by: &["https://devhide.com/why-does-distinct-on-in-subqueries-hurt-performance-in-postgresql-62918482"],
    reads_estimates: false,
    explains: &["hot-node", "misestimate"],
    throws_away: true,
    check,
};

fn check(case: &Case<'_>) -> Vec<Sighting> {
    let nodes = case.plan.nodes().iter().enumerate();
    let late =
        nodes.filter(|(_, node)| matches!(node.node_type.as_str(), "Subquery Scan" | "CTE Scan" | "Function Scan"));
    late.filter_map(|(at, node)| sighting(case, at, node)).collect()
}

fn sighting(case: &Case<'_>, at: usize, node: &Node) -> Option<Sighting> {
    let filter = node.conditions.filter.as_deref()?;
    let Vain { got, kept, removed, severity, at_stake_ms } = Vain::by_filter(case, node)?;
    let fence = fence(case, at);
    let name = node.alias.as_deref().or(node.cte.as_deref()).or(node.function.as_deref());
    Some(Sighting {
        severity,
        node: Some(at),
        evidence: format!(
            "{} rows of {} were computed{} to keep {} by {filter} ({} removed){}",
            count(got),
            name.unwrap_or("the subquery"),
            fence.computed(),
            count(kept),
            percent(removed),
            case.cost(node.buffers.map(|buffers| buffers.shared()), node.total_ms)
        ),
        at_stake_ms,
        advice: advice(node, filter, &fence),
        statements: Vec::new(),
        confidence: if fence == Fence::Unknown { Confidence::Low } else { Confidence::Medium },
    })
}

fn advice(node: &Node, filter: &str, fence: &Fence) -> String {
    let alias = node.alias.as_deref().unwrap_or_default();
    let condition = condition::unqualified(condition::bare(filter), alias);
    match fence {
        Fence::DistinctOn { key, table, columns } => format!(
            "the condition {condition} cannot go below DISTINCT ON. Give the key as well, which can: AND {key} = ANY (ARRAY(SELECT {key} FROM {} WHERE {condition})); \
             it keeps the same rows. Or put the condition inside the subquery, if the first row of those that meet it is wanted{}",
            table.as_deref().unwrap_or(".."),
            table
                .as_ref()
                .filter(|_| !columns.is_empty())
                .map(|table| format!("; an index on {table} ({columns}) then finds the first row of each key"))
                .unwrap_or_default()
        ),
        Fence::Window => format!(
            "the condition {condition} cannot go below the window function unless it is on the columns of its PARTITION BY. Give these as well: AND key = ANY \
             (ARRAY(SELECT key FROM .. WHERE ..)). If the first rows of each key are wanted, ask for them by LATERAL (.. ORDER BY .. LIMIT n) for each key, with an index \
             on the key and the order. If the place of one row is wanted, count the rows before it. Or put the condition inside, if only rows that meet it are to be numbered"
        ),
        Fence::Grouped => format!(
            "the condition {condition} is checked after the grouping: put it into the subquery's WHERE if it is on the columns that it groups by, or group only the \
             keys that are wanted"
        ),
        Fence::Offset => {
            format!("leave out OFFSET 0, which keeps the condition {condition} from going into the subquery")
        }
        Fence::Limit => format!(
            "the condition {condition} cannot go below a LIMIT: put it inside, if the first rows of those that meet it are wanted; the LIMIT then ends the reading early"
        ),
        Fence::Set => format!(
            "put the condition {condition} into each part of the UNION, INTERSECT or EXCEPT, and give their columns the same types: PostgreSQL does not put it there if a part's column \
             has another type than the result's"
        ),
        Fence::Cte { name, readers, inside } => {
            let within = match inside.as_deref() {
                // Taking the fence of the CTE away would lead to the next one.
                Some(inside) if inside.is_firm() => {
                    let once = if *readers == 1 { "" } else { ", which computes it for each reading" };
                    return format!(
                        "{}; what is given so goes into {name} only if that is NOT MATERIALIZED{once}",
                        advice(node, filter, inside)
                    );
                }
                Some(inside) => format!("; then {}", advice(node, filter, inside)),
                None => String::new(),
            };
            if *readers == 1 {
                format!(
                    "write WITH {name} AS NOT MATERIALIZED (..), so that the condition {condition} goes inside, or put it there{within}"
                )
            } else {
                format!(
                    "{name} is read {readers} times, and is computed once, for all: put into it what all of them want, or write WITH {name} AS NOT \
                     MATERIALIZED (..), so that each condition goes inside and each reading computes only its own rows{within}"
                )
            }
        }
        Fence::Recursive { name } => format!(
            "the condition {condition} cannot go into a recursive CTE: put it into the first part of {name} if all that follows from a row meets it as well, or start \
             from the rows that are wanted and go the other way"
        ),
        Fence::Writes { name } => {
            format!("{name} writes, and returns all that it wrote: put the condition {condition} into its WHERE")
        }
        Fence::Function { name } => format!(
            "a condition cannot go into {name}: give it what is wanted as an argument, or write it in LANGUAGE sql, STABLE, as one SELECT, so that \
             PostgreSQL takes it apart like a view"
        ),
        Fence::SetReturning => format!(
            "the condition {condition} cannot go below a function in the output that returns several rows: put that function into FROM, or the condition inside"
        ),
        Fence::Locks => format!(
            "the condition {condition} cannot go below FOR UPDATE: put it inside, so that other rows are neither read nor locked"
        ),
        Fence::Unknown => format!(
            "put the condition {condition} inside the subquery. What keeps it out is a volatile function in the subquery, or a view with \
             security_barrier and a function in the condition that is not LEAKPROOF"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::plan::captured::{assert_silent, findings_of_text, rules_of};

    const DISTINCT_ON: &str = "\
Subquery Scan on latest  (cost=31044.82..36044.83 rows=1000 width=8) (actual time=412.510..598.007 rows=1 loops=1)
  Filter: (latest.id = 4711)
  Rows Removed by Filter: 199999
  ->  Unique  (cost=31044.82..33544.82 rows=200000 width=36) (actual time=318.002..581.333 rows=200000 loops=1)
        ->  Sort  (cost=31044.82..31794.82 rows=300000 width=36) (actual time=318.000..498.111 rows=300000 loops=1)
              Sort Key: people.mail
              Sort Method: external merge  Disk: 10080kB
              ->  Seq Scan on people  (cost=0.00..5942.00 rows=300000 width=36) (actual time=0.011..41.207 rows=300000 loops=1)
Execution Time: 602.913 ms";

    #[test]
    fn a_filter_above_distinct_on_is_the_cause_and_not_the_sort_that_spills() {
        let findings = findings_of_text(DISTINCT_ON);
        assert_eq!(rules_of(&findings)[0], RULE.id);
        assert!(!rules_of(&findings).contains(&"sort-spill"), "{findings:#?}");
        insta::assert_snapshot!(findings[0].evidence, @"200 000 rows of latest were computed by DISTINCT ON (mail, ..) to keep 1 by (latest.id = 4711) (99.99 % removed), 99.1 % of the time");
        assert!(
            findings[0].advice.contains("AND mail = ANY (ARRAY(SELECT mail FROM people WHERE id = 4711))"),
            "{}",
            findings[0].advice
        );
    }

    #[test]
    fn a_window_in_a_cte_is_not_helped_by_the_cte_alone() {
        let advice = |inside: &str| {
            let findings = findings_of_text(&format!(
                "\
CTE Scan on ranked  (cost=24000.00..27900.00 rows=1 width=80) (actual time=820.1..1190.4 rows=1 loops=1)
  Filter: (id = 7)
  Rows Removed by Filter: 174999
  CTE ranked
    ->  {inside}  (cost=20000.00..24000.00 rows=175000 width=60) (actual time=700.1..1080.2 rows=175000 loops=1)
          ->  Seq Scan on entries  (cost=0.00..5000.00 rows=175000 width=52) (actual time=0.01..90.2 rows=175000 loops=1)
Execution Time: 1195.0 ms"
            ));
            assert_eq!(findings[0].rule, RULE.id, "{findings:#?}");
            findings[0].advice.clone()
        };
        let of_window = advice("WindowAgg");
        assert!(of_window.starts_with("the condition id = 7 cannot go below the window function"), "{of_window}");
        assert!(advice("Result").starts_with("write WITH ranked AS NOT MATERIALIZED (..)"));
    }

    #[test]
    fn it_is_silent_where_it_is_not() {
        assert_silent(RULE.id, &["healthy_subquery", "sort_spill", "healthy_keyset_page"]);
    }
}
