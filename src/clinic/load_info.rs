//! A load as a record keeps it.

use crate::{
    load::Load,
    record::{EnoughInfo, LoadInfo, LoadStage, PoolInfo},
    scenario::{Arrivals, Connections, LoadModel, Protocol, Recycling, Sharing, ThinkDistribution},
};

/// What a record keeps of `load`, driven over `connections`.
pub(super) fn load_info(load: &Load, connections: &Connections) -> LoadInfo {
    let (model, rate, arrivals, think_time, latency_limit) = match load.model {
        LoadModel::Closed { think_time } => ("closed", None, None, think_time, None),
        LoadModel::Open { rate, arrivals, latency_limit } => ("open", Some(rate), Some(arrivals), None, latency_limit),
    };
    let (sharing, pool) = match connections.sharing {
        Sharing::Client => ("client", None),
        Sharing::Operation => ("operation", None),
        Sharing::Pool(pool) => ("pool", Some(pool)),
    };
    LoadInfo {
        model: model.to_owned(),
        clients: load.clients,
        threads: load.threads,
        rate,
        arrivals: arrivals.map(|arrivals| match arrivals {
            Arrivals::Poisson => "poisson".to_owned(),
            Arrivals::Constant => "constant".to_owned(),
        }),
        think_time_s: think_time.map(|time| time.mean.as_secs_f64()),
        think_distribution: think_time.map(|time| match time.distribution {
            ThinkDistribution::Constant => "constant".to_owned(),
            ThinkDistribution::Exponential => "exponential".to_owned(),
        }),
        latency_limit_s: latency_limit.map(|limit| limit.as_secs_f64()),
        stages: load
            .stages
            .iter()
            .map(|stage| LoadStage { duration_s: stage.duration.as_secs_f64(), from: stage.from, to: stage.to })
            .collect(),
        duration_s: load.duration.as_secs_f64(),
        enough: load.enough.map(|enough| EnoughInfo { samples: enough.samples, time_s: enough.time.as_secs_f64() }),
        warmup_s: load.warmup.as_secs_f64(),
        random_seed: load.seed,
        protocol: match connections.protocol {
            Protocol::Simple => "simple".to_owned(),
            Protocol::Extended => "extended".to_owned(),
            Protocol::Prepared => "prepared".to_owned(),
        },
        connections: sharing.to_owned(),
        pool: pool.map(|pool| PoolInfo {
            size: pool.size,
            wait_timeout_s: pool.wait_timeout.map(|timeout| timeout.as_secs_f64()),
            recycling: match pool.recycling {
                Recycling::Fast => "fast".to_owned(),
                Recycling::Verified => "verified".to_owned(),
                Recycling::Clean => "clean".to_owned(),
            },
        }),
        statement_timeout_s: connections.statement_timeout.map(|timeout| timeout.as_secs_f64()),
        settings: connections.settings.clone(),
        retries: load.retries,
        error_limit: load.error_limit,
    }
}
