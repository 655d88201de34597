//! Plans as the load ran them: `auto_explain` shows a few of them on the connection that ran them, and they are kept here.
//!
//! Its hooks cost an execution that is not sampled one random number. One that is sampled is planned and executed as any other, without
//! any timing of its nodes; what it costs is writing the plan down at its end.

use std::sync::{Mutex, OnceLock, PoisonError};

use tokio_postgres::SimpleQueryMessage;

use crate::{
    pg::link::{Client, error::server_words},
    scenario::{Protocol, Sharing},
};

/// Nothing is sampled until a session says so.
const LOAD: &str = "LOAD 'auto_explain'; SET auto_explain.sample_rate = 0; SET auto_explain.log_min_duration = 0;
    SET auto_explain.log_level = info; SET auto_explain.log_format = json; SET auto_explain.log_analyze = off;
    SET auto_explain.log_verbose = off; SET auto_explain.log_triggers = off; SET auto_explain.log_nested_statements = off;";

/// Has a row where `auto_explain` is loaded already and shows plans to somebody else.
const IN_USE: &str = "SELECT setting FROM pg_catalog.pg_settings
    WHERE name OPERATOR(pg_catalog.=) 'auto_explain.log_min_duration' AND setting OPERATOR(pg_catalog.<>) '-1'";

/// A plan that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampledPlan {
    /// Index of its statement in the workload.
    pub statement: usize,
    /// As EXPLAIN's JSON.
    pub json: String,
    /// Whether it ran in the warm-up, or else in the measured window.
    pub in_warmup: bool,
}

/// What was sampled in a load.
#[derive(Debug, Clone, Default)]
pub struct SampledPlans {
    /// The plans.
    pub plans: Vec<SampledPlan>,
    /// Sessions that could be sampled.
    pub sessions: u64,
    /// Those of which plans of the measured window could be: they had their warm-up.
    pub sessions_sampled: u64,
    /// Why none can be, where none can.
    pub not_sampled: Option<String>,
}

/// What is sampled in a load that goes on.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    kept: Mutex<SampledPlans>,
    /// Why nothing can be.
    refused: OnceLock<String>,
}

/// Why a load of this kind is not sampled, where it is not.
pub(crate) fn unfit(protocol: Protocol, sharing: Sharing) -> Option<&'static str> {
    match (sharing, protocol) {
        (Sharing::Pool(_), _) => Some("plans are not sampled on the connections of a pool"),
        (Sharing::Operation, _) => Some("plans are not sampled on connections that are opened for each operation"),
        (Sharing::Client, Protocol::Simple) => {
            Some("plans are not sampled of statements that are sent as text (protocol simple)")
        }
        (Sharing::Client, _) => None,
    }
}

impl Samples {
    /// Makes a session one that can be sampled; whether it is.
    pub(crate) async fn prepare(&self, client: &Client) -> bool {
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

    /// Keeps what a session was shown, and whether plans of its window could be.
    pub(crate) fn keep(&self, (plans, is_sampled): (Vec<SampledPlan>, bool)) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.plans.extend(plans);
        kept.sessions += 1;
        kept.sessions_sampled += u64::from(is_sampled);
    }

    /// What was kept.
    pub(crate) fn take(&self) -> SampledPlans {
        let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        SampledPlans { not_sampled: self.refused.get().cloned(), ..kept }
    }
}

/// The plan in a notice; `None` where it is another notice.
pub(crate) fn plan(body: &[u8]) -> Option<&str> {
    let message = body.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(b"M"))?;
    let (head, plan) = std::str::from_utf8(message).ok()?.split_once("plan:\n")?;
    head.starts_with("duration: ").then_some(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_told_from_other_notices() {
        let body = b"SINFO\0VINFO\0C00000\0Mduration: 0.010 ms  plan:\n{\n  \"Plan\": {}\n}\0\0";
        assert_eq!(plan(body), Some("{\n  \"Plan\": {}\n}"));
        assert_eq!(plan(b"SNOTICE\0Mplan:\nnone\0\0"), None);
        assert_eq!(plan(b"SNOTICE\0Mtable \"x\" does not exist, skipping\0\0"), None);
        assert_eq!(plan(b""), None);
    }
}
