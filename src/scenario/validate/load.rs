//! The load: whether it is closed or open, and what goes with that.

use std::{ops::Range, time::Duration};

use super::{Check, Finding, LONGEST, Node};
use crate::scenario::{
    block_length::BlockLength,
    load_model::{Connections, LoadDefaults, LoadModel, Pool, Sharing, Stage, ThinkDistribution, ThinkTime},
    rate::{RateFault, parse_rate, parse_target_rate},
    raw,
};

const MILLISECOND: Duration = Duration::from_millis(1);

impl Check<'_> {
    pub(super) fn load(&mut self, raw: &raw::Load, at: &Node<'_>) -> Option<LoadDefaults> {
        let first = at.get("stages").item(0);
        let open = at.has("rate") || first.has("rate") && !first.has("clients");
        let warmup = self.duration(raw.warmup.as_deref().unwrap_or("5s"), Duration::ZERO, &at.get("warmup"));
        let duration = self.duration(raw.duration.as_deref().unwrap_or("20s"), MILLISECOND, &at.get("duration"));
        let block = self.block(raw, at);
        let rate = raw.rate.as_deref().and_then(|text| self.rate(parse_rate(text), &at.get("rate")));
        let stages = self.stages(raw, rate, open, at);
        let model = self.model(raw, rate, open, at);
        let greatest = stages.as_deref().and_then(greatest);
        let clients = match greatest {
            Some(greatest) if !open => greatest as u32,
            _ => raw.clients.unwrap_or(8),
        };
        let connections = self.connections(raw, clients, at);
        let (stages, mut model) = (stages?, model?);
        if let LoadModel::Open { rate: target, .. } = &mut model {
            *target = greatest.or(rate)?;
        }
        let staged = || stages.iter().map(|stage| stage.duration).sum();
        Some(LoadDefaults {
            model,
            clients,
            warmup: warmup?,
            duration: if stages.is_empty() { duration? } else { staged() },
            stages,
            block: block?,
            seed: raw.seed.unwrap_or(1),
            connections: connections?,
            retries: raw.retries.unwrap_or(0),
            error_limit: raw.error_limit.unwrap_or(1.0),
        })
    }

    /// The model, with a rate that stages have yet to set where the load has none.
    fn model(&mut self, raw: &raw::Load, rate: Option<f64>, open: bool, at: &Node<'_>) -> Option<LoadModel> {
        if open {
            if at.has("think_time") {
                let finding = Finding::new(at.key("think_time"), "`think_time` in an open load");
                self.faults.push(
                    finding
                        .help("in an open load, operations arrive at the given rate, whatever the clients do")
                        .relative(),
                );
            }
            let latency_limit = self.optional(raw.latency_limit.as_deref(), &at.get("latency_limit"))?;
            let arrivals = raw.arrivals.unwrap_or_default();
            return Some(LoadModel::Open { rate: rate.unwrap_or(0.0), arrivals, latency_limit });
        }
        for key in ["arrivals", "latency_limit"].into_iter().filter(|key| at.has(key)) {
            let finding = Finding::new(at.key(key), format!("`{key}` without `rate`"));
            self.faults.push(finding.help("only an open load has arrivals: give it a `rate`").relative());
        }
        let at = at.get("think_time");
        let (text, place, distribution) = match &raw.think_time {
            None => return Some(LoadModel::Closed { think_time: None }),
            Some(raw::ThinkTime::Constant(text)) => (text, at, ThinkDistribution::Constant),
            Some(raw::ThinkTime::Drawn(drawn)) => (drawn.mean.as_ref()?, at.get("mean"), drawn.distribution),
        };
        let mean = self.duration(text, Duration::ZERO, &place)?;
        let think_time = (!mean.is_zero()).then_some(ThinkTime { mean, distribution });
        Some(LoadModel::Closed { think_time })
    }

    /// `None` when it is faulty.
    fn block(&mut self, raw: &raw::Load, at: &Node<'_>) -> Option<Option<BlockLength>> {
        let Some(text) = &raw.block else { return Some(None) };
        if raw.stages.is_some() {
            let finding = Finding::new(at.key("block"), "`block` with `stages`");
            self.faults.push(finding.help("a block goes through all stages: remove `block`").relative());
        }
        let fault = |message| Finding::new(at.get("block").span(), message).expected("a time or two: 5s, 2s..20s");
        BlockLength::parse(text).map(Some).map_err(|message| self.faults.push(fault(message))).ok()
    }

    fn stages(&mut self, raw: &raw::Load, rate: Option<f64>, open: bool, at: &Node<'_>) -> Option<Vec<Stage>> {
        let all = at.get("stages");
        let Some(written) = &raw.stages else { return (!at.has("stages")).then(Vec::new) };
        if at.has("duration") {
            let finding = Finding::new(at.key("duration"), "`duration` beside `stages`");
            self.faults.push(finding.help("the stages have their own durations; remove this one").relative());
        }
        let (own, other, kind) =
            if open { ("rate", "clients", "an open load") } else { ("clients", "rate", "a closed load") };
        let mut before = if open { rate } else { raw.clients.map(f64::from) };
        let mut stages = Vec::new();
        let mut sound = true;
        for (index, stage) in written.iter().enumerate() {
            let at = all.item(index);
            if at.has(other) && !at.has(own) {
                let finding = Finding::new(at.key(other), format!("a stage of `{other}` in {kind}"));
                let help = if open { "all its stages set the `rate`" } else { "give the load a `rate` to open it" };
                self.faults.push(finding.expected(format!("`{own}`")).help(help).relative());
            }
            let duration =
                stage.duration.as_deref().and_then(|text| self.duration(text, MILLISECOND, &at.get("duration")));
            let to = match (open, &stage.rate, stage.clients) {
                (true, Some(text), _) => self.rate(parse_target_rate(text), &at.get("rate")),
                (false, _, clients) => clients.map(f64::from),
                (true, None, _) => None,
            };
            match (duration, to) {
                (Some(duration), Some(to)) => stages.push(Stage { duration, from: before.unwrap_or(to), to }),
                _ => sound = false,
            }
            before = to.or(before);
        }
        if !sound {
            return None;
        }
        if stages.iter().map(|stage| stage.duration).sum::<Duration>() > LONGEST {
            self.faults.push(Finding::new(all.span(), "stages that take longer than 7 days").relative());
        }
        if stages.iter().all(|stage| stage.from == 0.0 && stage.to == 0.0) {
            let finding = Finding::new(all.span(), "stages that send nothing");
            self.faults.push(finding.expected(format!("`{own}` above 0 in one of them")).relative());
        }
        Some(stages)
    }

    /// A duration that need not be there; `None` when it is faulty.
    fn optional(&mut self, text: Option<&str>, at: &Node<'_>) -> Option<Option<Duration>> {
        text.map_or(Some(None), |text| self.duration(text, MILLISECOND, at).map(Some))
    }

    fn rate(&mut self, rate: Result<f64, RateFault>, at: &Node<'_>) -> Option<f64> {
        rate.map_err(|fault| self.faults.push(Finding::new(at.span(), fault.message).expected(fault.expected))).ok()
    }

    fn connections(&mut self, raw: &raw::Load, clients: u32, at: &Node<'_>) -> Option<Connections> {
        let sharing = match (&raw.pool, raw.connections) {
            (Some(pool), _) => self.pool(pool, clients, at).map(Sharing::Pool),
            (None, Some(raw::Connections::Operation)) => Some(Sharing::Operation),
            (None, Some(raw::Connections::Client) | None) => Some(Sharing::Client),
        };
        let statement_timeout = self.optional(raw.statement_timeout.as_deref(), &at.get("statement_timeout"));
        let settings = raw.settings.clone().unwrap_or_default();
        let all = at.get("settings");
        for name in settings.keys() {
            let span = all.key(name);
            let folded = name.to_lowercase();
            if !is_setting(name) {
                let finding = Finding::new(span, format!("`{}` is not the name of a setting", name.escape_debug()));
                self.faults.push(finding.expected("a-z, 0-9 and _, like `work_mem`, or with a prefix and a `.`"));
            } else if folded == "search_path" {
                let finding = Finding::new(span, "`search_path` is the scenario's own schema");
                self.faults.push(finding.help("name other schemas in the SQL"));
            } else if folded == "statement_timeout" && at.has("statement_timeout") {
                self.second_timeout(span);
            }
        }
        let protocol = raw.protocol.unwrap_or_default();
        Some(Connections { sharing: sharing?, protocol, statement_timeout: statement_timeout?, settings })
    }

    fn second_timeout(&mut self, span: Range<usize>) {
        let finding = Finding::new(span, "`statement_timeout` a second time");
        self.faults.push(finding.help("`load.statement_timeout` sets it already").relative());
    }

    fn pool(&mut self, raw: &raw::Pool, clients: u32, load: &Node<'_>) -> Option<Pool> {
        let at = load.get("pool");
        if load.has("connections") {
            let finding = Finding::new(load.key("connections"), "`connections` beside `pool`");
            self.faults.push(finding.help("operations take their connections from the pool").relative());
        }
        let wait_timeout = self.optional(raw.wait_timeout.as_deref(), &at.get("wait_timeout"));
        let size = raw.size?;
        if size > clients {
            let finding = Finding::new(at.get("size").span(), format!("a pool of {size} for {clients} clients"));
            let help = "a client uses one connection at a time: more than clients are never used";
            self.faults.push(finding.expected(format!("at most {clients}")).help(help).relative());
        }
        Some(Pool { size, wait_timeout: wait_timeout?, recycling: raw.recycling })
    }
}

/// The greatest target of stages, if there are any.
fn greatest(stages: &[Stage]) -> Option<f64> {
    stages.iter().flat_map(|stage| [stage.from, stage.to]).reduce(f64::max)
}

/// Whether it can be the name of a setting: an identifier, or several with dots between them for an extension's.
fn is_setting(name: &str) -> bool {
    name.split('.').all(|part| {
        part.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
            && part.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '$')
    })
}
