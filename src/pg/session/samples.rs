//! Plans as the load ran them: `auto_explain` shows a few of them on the connection that ran them, and they are kept here.
//!
//! Its hooks cost an execution that is not sampled one random number. One that is sampled is planned and executed as any other, without
//! any timing of its nodes; what it costs is writing the plan down at its end. How many are sampled follows from the warm-up.

use std::{
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use tokio_postgres::{Client, SimpleQueryMessage};

use super::direct::Direct;
use crate::{
    engine::Failure,
    load::WARM_UP,
    pg::error::server_words,
    scenario::{Protocol, Sharing},
};

/// Plans that are wanted of each statement in a window.
const WANTED: f64 = 20.0;

/// What it takes to write a plan down: generously, so that samples stay below [`SHARE`].
const WRITING: Duration = Duration::from_micros(200);

/// Share of the executions' time that samples may take.
const SHARE: f64 = 0.005;

/// Operations, and the time instead of them, after which a session knows how fast it is.
const ENOUGH: (u32, Duration) = (5, Duration::from_secs(1));

/// Most plans that are kept of a session.
const MOST: usize = 256;

/// Nothing is sampled until it is known how much.
const LOAD: &str = "LOAD 'auto_explain'; SET auto_explain.sample_rate = 0; SET auto_explain.log_min_duration = 0;
    SET auto_explain.log_level = info; SET auto_explain.log_format = json; SET auto_explain.log_analyze = off;
    SET auto_explain.log_verbose = off; SET auto_explain.log_triggers = off; SET auto_explain.log_nested_statements = off;";

/// Has a row where `auto_explain` is loaded already and shows plans to somebody else.
const IN_USE: &str = "SELECT setting FROM pg_settings WHERE name = 'auto_explain.log_min_duration' AND setting <> '-1'";

/// How much of a load is sampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Length of the measured window.
    pub window: Duration,
    /// Length of the warm-up.
    pub warm_up: Duration,
    /// Clients.
    pub clients: u32,
    /// Share of the operations that the rarest of the mix has, above 0.
    pub rarest: f64,
}

/// What was sampled in a load.
#[derive(Debug, Default)]
pub(super) struct Samples {
    kept: Mutex<Vec<String>>,
    /// Why nothing can be.
    refused: OnceLock<String>,
}

/// One session's part.
pub(super) struct Sampler {
    sampling: Sampling,
    begin: Option<Instant>,
    operations: u32,
    busy: Duration,
}

/// Why a load of this kind is not sampled, where it is not.
pub(super) fn unfit(protocol: Protocol, sharing: Sharing) -> Option<&'static str> {
    match (sharing, protocol) {
        (Sharing::Pool(_), _) => Some("plans are not sampled on the connections of a pool"),
        (Sharing::Operation, _) => Some("plans are not sampled on connections that are opened for each operation"),
        (Sharing::Client, Protocol::Simple) => {
            Some("plans are not sampled of statements that are sent as text (--protocol simple)")
        }
        (Sharing::Client, _) => None,
    }
}

impl Samples {
    /// Makes a session one that can be sampled; whether it is.
    pub(super) async fn prepare(&self, client: &Client) -> bool {
        if self.refused.get().is_some() {
            return false;
        }
        if let Ok(answer) = client.simple_query(IN_USE).await
            && let Some(set) = answer.iter().find_map(|message| match message {
                SimpleQueryMessage::Row(row) => row.get(0),
                _ => None,
            })
        {
            let _ = self.refused.set(format!(
                "auto_explain is in use on the server (auto_explain.log_min_duration = {set}) and left as it is"
            ));
            return false;
        }
        match client.batch_execute(LOAD).await {
            Ok(()) => true,
            Err(cause) => {
                // Hooks that are there all the same shall be without effect.
                let _ = client.batch_execute("SET auto_explain.log_min_duration = -1").await;
                let _ = self.refused.set(format!("auto_explain cannot be loaded: {}", server_words(&cause)));
                false
            }
        }
    }

    /// Keeps what a session was shown.
    pub(super) fn keep(&self, notices: Vec<String>) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).extend(notices);
    }

    /// The plans' JSON, and why there is none where there cannot be any.
    pub(super) fn take(&self) -> (Vec<String>, Option<String>) {
        let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        (kept, self.refused.get().cloned())
    }
}

impl Sampler {
    pub(super) fn new(sampling: Sampling) -> Self {
        Self { sampling, begin: None, operations: 0, busy: Duration::ZERO }
    }

    /// Most plans that are kept of a session.
    pub(super) const MOST: usize = MOST;

    /// Counts an operation of the warm-up. Whether it is known by now how fast operations are.
    pub(super) fn count(&mut self, number: u64, took: Duration) -> bool {
        let begin = *self.begin.get_or_insert_with(|| Instant::now() - took);
        self.operations += 1;
        self.busy += took;
        let elapsed = begin.elapsed();
        let is_late = number & WARM_UP == 0 || elapsed >= self.sampling.warm_up / 2;
        is_late && (self.operations >= ENOUGH.0 || elapsed >= ENOUGH.1)
    }

    /// Begins to sample, as much as fits.
    pub(super) async fn begin(&self, direct: &mut Direct) -> Result<(), Failure> {
        let elapsed = self.begin.map_or(Duration::ZERO, |begin| begin.elapsed());
        let rate = rate(&self.sampling, self.operations, self.busy, elapsed);
        direct.0.put_query(&format!("SET auto_explain.sample_rate = {rate:.9}"))?;
        direct.0.exchange(&mut ()).await
    }
}

/// Share of the executions to sample, 0 to 1: enough for what is wanted of the rarest statement, and no more than may be.
fn rate(sampling: &Sampling, operations: u32, busy: Duration, elapsed: Duration) -> f64 {
    let operations = f64::from(operations);
    let each = busy.as_secs_f64() / operations;
    let a_second = operations / elapsed.as_secs_f64().max(1e-9);
    let expected = a_second * f64::from(sampling.clients) * sampling.window.as_secs_f64() * sampling.rarest;
    let wanted = WANTED / expected.max(1.0);
    let allowed = SHARE * each / WRITING.as_secs_f64();
    wanted.min(allowed).clamp(0.0, 1.0)
}

/// The plan in a notice; `None` where it is another notice.
pub(super) fn plan(body: &[u8]) -> Option<String> {
    let message = body.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(b"M"))?;
    let (head, plan) = std::str::from_utf8(message).ok()?.split_once("plan:\n")?;
    head.starts_with("duration: ").then(|| plan.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLING: Sampling =
        Sampling { window: Duration::from_secs(5), warm_up: Duration::from_secs(1), clients: 8, rarest: 0.5 };

    #[test]
    fn fast_statements_are_sampled_rarely_and_slow_ones_always() {
        let of = |operations: u32, each: Duration| {
            let busy = each * operations;
            (rate(&SAMPLING, operations, busy, busy) * 1e6).round() / 1e6
        };
        // 8 clients at 10 000/s for 5 s, half of which count: 20 of 200 000.
        assert_eq!(of(1000, Duration::from_micros(100)), 0.0001);
        // 20 of 200.
        assert_eq!(of(50, Duration::from_millis(100)), 0.1);
        assert_eq!(of(5, Duration::from_secs(3)), 1.0);
        // What is wanted of a rare one would be too much of all.
        let rare = Sampling { rarest: 1e-6, ..SAMPLING };
        let busy = Duration::from_micros(100);
        assert_eq!((rate(&rare, 1, busy, busy) * 1e6).round() / 1e6, 0.0025);
    }

    #[test]
    fn it_is_decided_late_in_the_warm_up_and_not_by_a_single_operation() {
        let mut sampler = Sampler::new(Sampling { warm_up: Duration::ZERO, ..SAMPLING });
        let decided: Vec<bool> = (0..6).map(|_| sampler.count(7, Duration::from_micros(10))).collect();
        assert_eq!(decided, [false, false, false, false, true, true]);
        let mut sampler = Sampler::new(SAMPLING);
        assert!((0..100).all(|_| !sampler.count(WARM_UP | 7, Duration::from_micros(1))));
        assert!(Sampler::new(SAMPLING).count(WARM_UP | 7, Duration::from_secs(2)), "one that is slow is enough");
    }

    #[test]
    fn plans_are_told_from_other_notices() {
        let body = b"SINFO\0VINFO\0C00000\0Mduration: 0.010 ms  plan:\n{\n  \"Plan\": {}\n}\0\0";
        assert_eq!(plan(body).as_deref(), Some("{\n  \"Plan\": {}\n}"));
        assert_eq!(plan(b"SNOTICE\0Mplan:\nnone\0\0"), None);
        assert_eq!(plan(b"SNOTICE\0Mtable \"x\" does not exist, skipping\0\0"), None);
        assert_eq!(plan(b""), None);
    }
}
