//! A node that is being read: takes what EXPLAIN says of it, key by key, as FORMAT JSON names it.

use super::{
    known_words::is_passed_over,
    model::{Actual, Buffers, HashAggregate, HashTable, Memoize, Node, Sort},
    relatives::Relative,
};

/// What is said under a key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Field<'a> {
    Bool(bool),
    Number(f64),
    Text(&'a str),
    Texts(Vec<&'a str>),
    /// An object, or an array of anything else than texts.
    Nested,
    /// Null, or something that no key of a node that is read holds.
    Other,
}

/// What a key should have held.
pub(crate) type Expected = &'static str;

#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) node: Node,
    loops: Option<f64>,
    rows: f64,
    startup_ms: Option<f64>,
    total_ms: Option<f64>,
    /// Whether text said `never executed`.
    never_executed: bool,
    buffers: Option<Buffers>,
    sort_method: Option<String>,
    sort_kib: f64,
    sort_on_disk: bool,
    peak_kib: f64,
    disk_kib: f64,
    hash_batches: Option<f64>,
    planned_batches: Option<f64>,
    aggregate_batches: Option<f64>,
    cache: Option<Memoize>,
    has_type: bool,
    /// Rows that YugabyteDB's storage looked at, by loop: those of the table, or else of the index.
    scanned: Option<f64>,
    has_storage_filter: bool,
}

impl Draft {
    /// Takes what is said under `key`; keys that nothing is made of are passed over.
    pub(crate) fn set(&mut self, key: &str, field: &Field<'_>) -> Result<(), Expected> {
        self.note_references(key, field);
        let node = &mut self.node;
        let conditions = &mut node.conditions;
        match key {
            "Node Type" => {
                node.node_type = text(field)?.unwrap_or_default();
                node.relative = node.relative.or_else(|| Relative::of(&node.node_type));
                self.has_type = true;
            }
            "Parent Relationship" => node.relationship = text(field)?,
            "Subplan Name" => node.subplan = text(field)?,
            "Parallel Aware" => node.parallel_aware = is(field)?,
            "Inner Unique" => node.inner_unique = is(field)?,
            "Disabled" => node.disabled = is(field)?,
            "Scan Direction" => node.backward = text(field)?.as_deref() == Some("Backward"),
            "Relation Name" => node.relation = text(field)?,
            "Schema" => node.schema = text(field)?,
            "Alias" => node.alias = text(field)?,
            "Index Name" => node.index = text(field)?,
            "CTE Name" => node.cte = text(field)?,
            "Function Name" => node.function = text(field)?,
            "Custom Plan Provider" => {
                node.provider = text(field)?;
                let name = format!("Custom Scan ({})", node.provider.as_deref().unwrap_or_default());
                node.relative = node.relative.or_else(|| Relative::of(&name));
            }
            "Operation" => node.operation = text(field)?,
            "Strategy" => node.strategy = text(field)?,
            "Partial Mode" => node.partial_mode = text(field)?,
            "Join Type" => node.join_type = text(field)?,
            "Startup Cost" => node.startup_cost = number(field)?,
            "Total Cost" => node.total_cost = number(field)?,
            "Plan Rows" => node.plan_rows = count(field)?,
            "Plan Width" => node.plan_width = count(field)?,
            "Actual Loops" => self.loops = some_count(field)?,
            "Actual Rows" => self.rows = count(field)?,
            "Actual Startup Time" => self.startup_ms = some_count(field)?,
            "Actual Total Time" => self.total_ms = some_count(field)?,
            "Rows Removed by Filter" => node.removed.filter = count(field)?,
            "Rows Removed by Index Recheck" => node.removed.recheck = count(field)?,
            "Rows Removed by Join Filter" => node.removed.join_filter = count(field)?,
            "Index Cond" => conditions.index = text(field)?,
            "Recheck Cond" => conditions.recheck = text(field)?,
            "TID Cond" => conditions.tid = text(field)?,
            // What YugabyteDB's storage filters comes before what is left to filter.
            "Filter" => {
                let storage = conditions.filter.take();
                conditions.filter = match (storage, text(field)?) {
                    (Some(storage), Some(own)) => Some(format!("({storage} AND {own})")),
                    (storage, own) => own.or(storage),
                };
            }
            "Join Filter" => conditions.join_filter = text(field)?,
            "Hash Cond" => conditions.hash = text(field)?,
            "Merge Cond" => conditions.merge = text(field)?,
            "Run Condition" => conditions.run = text(field)?,
            "One-Time Filter" => conditions.one_time = text(field)?,
            "Sort Key" => conditions.sort_key.extend(texts(field)?),
            "Order By" => conditions.order_by = text(field)?,
            "Presorted Key" => conditions.presorted_key.extend(texts(field)?),
            "Group Key" => conditions.group_key.extend(texts(field)?),
            "Cache Key" => conditions.cache_key = text(field)?,
            "Output" => conditions.output.extend(texts(field)?),
            "Sort Method" => self.sort_method = text(field)?,
            "Sort Space Used" => self.sort_kib = count(field)?,
            "Sort Space Type" => self.sort_on_disk = text(field)?.as_deref() == Some("Disk"),
            "Peak Memory Usage" => self.peak_kib = count(field)?,
            "Disk Usage" => self.disk_kib = count(field)?,
            "Hash Batches" => self.hash_batches = some_count(field)?,
            "Original Hash Batches" => self.planned_batches = some_count(field)?,
            "HashAgg Batches" => self.aggregate_batches = some_count(field)?,
            "Cache Hits" => self.cache().hits = count(field)?,
            "Cache Misses" => self.cache().misses = count(field)?,
            "Cache Evictions" => self.cache().evictions = count(field)?,
            "Cache Overflows" => self.cache().overflows = count(field)?,
            "Heap Fetches" => node.heap_fetches = some_count(field)?,
            "Exact Heap Blocks" => node.exact_blocks = some_count(field)?,
            "Lossy Heap Blocks" => node.lossy_blocks = some_count(field)?,
            "Index Searches" => node.index_searches = some_count(field)?,
            "Subplans Removed" => node.subplans_removed = some_count(field)?,
            "Workers Planned" => node.workers_planned = some_count(field)?.map(whole),
            "Workers Launched" => node.workers_launched = some_count(field)?.map(whole),
            "Shared Hit Blocks" => self.buffers().hit = whole(count(field)?),
            "Shared Read Blocks" => self.buffers().read = whole(count(field)?),
            "Shared Dirtied Blocks" => self.buffers().dirtied = whole(count(field)?),
            "Shared Written Blocks" => self.buffers().written = whole(count(field)?),
            "Temp Read Blocks" => self.buffers().temp_read = whole(count(field)?),
            "Temp Written Blocks" => self.buffers().temp_written = whole(count(field)?),
            "Storage Filter" | "Storage Index Filter" | "Remote Filter" => {
                node.relative = Relative::of(key);
                let storage = text(field)?;
                let own = conditions.filter.take();
                conditions.filter = match (own, storage) {
                    (Some(own), Some(storage)) => Some(format!("({storage} AND {own})")),
                    (own, storage) => own.or(storage),
                };
                self.has_storage_filter = true;
            }
            _ if is_passed_over(key) => {}
            _ => {
                match key {
                    "Storage Table Rows Scanned" => self.scanned = some_count(field)?,
                    "Storage Index Rows Scanned" => self.scanned = self.scanned.or(some_count(field)?),
                    _ => {}
                }
                let value = match field {
                    Field::Bool(is) => is.to_string(),
                    Field::Number(number) => number.to_string(),
                    Field::Text(text) => (*text).to_owned(),
                    Field::Texts(texts) => texts.join(", "),
                    Field::Nested | Field::Other => return Ok(()),
                };
                self.other(&format!("{key}: {value}"));
            }
        }
        Ok(())
    }

    /// Keeps a line that nothing is made of.
    pub(crate) fn other(&mut self, line: &str) {
        let key_aside = || line.split_once(": ").and_then(|(_, value)| Relative::of(value));
        self.node.relative = self.node.relative.or_else(|| Relative::of(line)).or_else(key_aside);
        self.node.others.push(line.to_owned());
    }

    /// Takes what text says of a node that ANALYZE never ran; whether anything was timed others say.
    pub(crate) fn never_executed(&mut self) {
        self.never_executed = true;
    }

    /// Adds what a sort in groups did: the method, KiB at most, whether on disk.
    pub(crate) fn sorted(&mut self, method: &str, kib: f64, on_disk: bool) {
        if self.sort_method.is_none() || (on_disk, kib) > (self.sort_on_disk, self.sort_kib) {
            self.sort_method = Some(method.to_owned());
            (self.sort_kib, self.sort_on_disk) = (kib, on_disk);
        }
    }

    /// Adds what the worker of this number says of itself: of sorts and hash tables the one that used most counts, of
    /// lookups the sum. What nothing is made of is kept.
    pub(crate) fn worker(&mut self, number: &str, worker: Self) {
        for line in &worker.node.others {
            self.other(&format!("Worker {number}: {line}"));
        }
        self.node.relative = self.node.relative.or(worker.node.relative);
        if let Some(method) = &worker.sort_method {
            self.sorted(method, worker.sort_kib, worker.sort_on_disk);
        }
        if let Some(batches) = worker.aggregate_batches {
            self.aggregate_batches = Some(self.aggregate_batches.unwrap_or(0.0).max(batches));
            self.peak_kib = self.peak_kib.max(worker.peak_kib);
            self.disk_kib = self.disk_kib.max(worker.disk_kib);
        }
        if let Some(cache) = worker.cache {
            let all = self.cache();
            all.hits += cache.hits;
            all.misses += cache.misses;
            all.evictions += cache.evictions;
            all.overflows += cache.overflows;
        }
    }

    /// Whether it says what ANALYZE measured, or that it never ran.
    pub(crate) fn is_analyzed(&self) -> bool {
        self.loops.is_some() || self.never_executed
    }

    /// Whether its type was said.
    pub(crate) fn has_type(&self) -> bool {
        self.has_type
    }

    /// The node.
    pub(crate) fn finish(self) -> Node {
        let mut node = self.node;
        let loops = self.loops.or(self.never_executed.then_some(0.0));
        node.actual =
            loops.map(|loops| Actual { loops, rows: self.rows, startup_ms: self.startup_ms, total_ms: self.total_ms });
        if let Some(scanned) = self.scanned.filter(|_| self.has_storage_filter && loops != Some(0.0)) {
            node.removed.filter = (scanned - self.rows).max(node.removed.filter);
        }
        node.buffers = self.buffers;
        node.sort = self.sort_method.map(|method| Sort { method, kib: self.sort_kib, on_disk: self.sort_on_disk });
        node.hash = self.hash_batches.map(|batches| HashTable {
            batches,
            planned_batches: self.planned_batches.unwrap_or(batches),
            peak_kib: self.peak_kib,
        });
        node.hash_aggregate = self.aggregate_batches.map(|batches| HashAggregate {
            batches,
            peak_kib: self.peak_kib,
            disk_kib: self.disk_kib,
        });
        node.cache = self.cache;
        node.refers.sort_unstable();
        node.refers.dedup();
        node
    }

    fn buffers(&mut self) -> &mut Buffers {
        self.buffers.get_or_insert_default()
    }

    fn cache(&mut self) -> &mut Memoize {
        self.cache.get_or_insert(Memoize { hits: 0.0, misses: 0.0, evictions: 0.0, overflows: 0.0 })
    }

    /// Notes the parameters and InitPlans that a text refers to: `$0`, `(InitPlan 1).col1`.
    fn note_references(&mut self, key: &str, field: &Field<'_>) {
        let texts: &[&str] = match field {
            Field::Text(text) => std::slice::from_ref(text),
            Field::Texts(texts) => texts,
            _ => return,
        };
        if key == "Subplan Name" {
            return;
        }
        for text in texts.iter().filter(|text| text.bytes().any(|byte| matches!(byte, b'$' | b'('))) {
            for part in text.split('$').skip(1) {
                let digits = part.bytes().take_while(u8::is_ascii_digit).count();
                if digits > 0 {
                    self.node.refers.push(format!("${}", &part[..digits]));
                }
            }
            for part in text.split("(InitPlan ").skip(1) {
                let digits = part.bytes().take_while(u8::is_ascii_digit).count();
                if digits > 0 {
                    self.node.refers.push(format!("InitPlan {}", &part[..digits]));
                }
            }
        }
    }
}

fn text(field: &Field<'_>) -> Result<Option<String>, Expected> {
    match field {
        Field::Text(text) => Ok(Some((*text).to_owned())),
        Field::Other => Ok(None),
        _ => Err("text"),
    }
}

fn texts(field: &Field<'_>) -> Result<Vec<String>, Expected> {
    match field {
        Field::Texts(texts) => Ok(texts.iter().map(|text| (*text).to_owned()).collect()),
        Field::Other => Ok(Vec::new()),
        _ => Err("an array of texts"),
    }
}

fn is(field: &Field<'_>) -> Result<bool, Expected> {
    match field {
        Field::Bool(is) => Ok(*is),
        Field::Other => Ok(false),
        _ => Err("true or false"),
    }
}

pub(crate) fn number(field: &Field<'_>) -> Result<Option<f64>, Expected> {
    match field {
        Field::Number(number) => Ok(Some(*number)),
        Field::Other => Ok(None),
        _ => Err("a number"),
    }
}

fn some_count(field: &Field<'_>) -> Result<Option<f64>, Expected> {
    match number(field)? {
        Some(number) if number < 0.0 => Err("a number of 0 or more"),
        number => Ok(number),
    }
}

fn count(field: &Field<'_>) -> Result<f64, Expected> {
    Ok(some_count(field)?.unwrap_or(0.0))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and `count` gives no negatives"
)]
fn whole(number: f64) -> u64 {
    number as u64
}
