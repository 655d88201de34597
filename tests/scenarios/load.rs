//! `[load]`: what it makes, and what contradicts itself.

use std::time::Duration;

use insta::assert_snapshot;
use latclinic::scenario::{
    Arrivals, Connections, LoadDefaults, LoadModel, Pool, Protocol, Recycling, Sharing, Stage, ThinkDistribution,
    ThinkTime,
};

use super::{DATASET, FIX, WORKLOAD, lines, read};

fn text(load: &str) -> String {
    format!("title = \"t\"\n{DATASET}{WORKLOAD}{FIX}[load]\n{load}")
}

fn load(load: &str) -> LoadDefaults {
    read(&text(load)).unwrap_or_else(|error| panic!("{error}")).load
}

/// Faults; `[load]` is line 16.
fn faults(load: &str) -> String {
    lines(read(&text(load)))
}

#[test]
fn a_load_is_closed_unless_it_has_a_rate() {
    let mean = Duration::from_millis(10);
    let think_time = |distribution| LoadModel::Closed { think_time: Some(ThinkTime { mean, distribution }) };
    assert_eq!(load("").model, LoadModel::Closed { think_time: None });
    assert_eq!(load("think_time = \"10ms\"").model, think_time(ThinkDistribution::Constant));
    assert_eq!(
        load("think_time = { mean = \"10ms\", distribution = \"exponential\" }").model,
        think_time(ThinkDistribution::Exponential)
    );
    let open = load("rate = \"30/min\"\nclients = 3");
    let arrivals = Arrivals::Poisson;
    assert_eq!((open.clients, open.model), (3, LoadModel::Open { rate: 0.5, arrivals, latency_limit: None }));
    let (arrivals, latency_limit) = (Arrivals::Constant, Some(Duration::from_secs(2)));
    assert_eq!(
        load("rate = \"500/s\"\narrivals = \"constant\"\nlatency_limit = \"2s\"").model,
        LoadModel::Open { rate: 500.0, arrivals, latency_limit }
    );
}

#[test]
fn a_block_has_a_length_or_two_bounds() {
    let block = |text: &str| load(text).block.map(|block| (block.least.as_millis(), block.most.as_millis()));
    assert_eq!(block(""), None);
    assert_eq!(block("block = \"5s\""), Some((5_000, 5_000)));
    assert_eq!(block("block = \"250ms..1m 30s\""), Some((250, 90_000)));
    assert_snapshot!(
        faults("block = \"20s..2s\""),
        @"mine.toml:17:9: `20s..2s` ends before it begins, expected a time or two: 5s, 2s..20s"
    );
    assert_snapshot!(
        faults("block = \"5s\"\nstages = [{ duration = \"10s\", clients = 2 }]"),
        @"mine.toml:17:1: `block` with `stages` (a block goes through all stages: remove `block`)"
    );
}

#[test]
fn stages_start_where_the_load_or_the_stage_before_stands() {
    let stages = |text: &str| {
        let load = load(text);
        (load.stages, load.clients, load.duration.as_secs(), load.model)
    };
    let stage = |s, from, to| Stage { duration: Duration::from_secs(s), from, to };
    let closed = LoadModel::Closed { think_time: None };
    let two = "stages = [{ duration = \"10s\", clients = 20 }, { duration = \"5s\", clients = 4 }]";
    assert_eq!(stages(two), (vec![stage(10, 20.0, 20.0), stage(5, 20.0, 4.0)], 20, 15, closed));
    let from = vec![stage(10, 30.0, 20.0), stage(5, 20.0, 4.0)];
    assert_eq!(stages(&format!("clients = 30\n{two}")), (from, 30, 15, closed));
    let open = |rate| LoadModel::Open { rate, arrivals: Arrivals::Poisson, latency_limit: None };
    let one = "stages = [{ duration = \"10s\", rate = \"600/min\" }]";
    assert_eq!(stages(one), (vec![stage(10, 10.0, 10.0)], 8, 10, open(10.0)));
    assert_eq!(stages(&format!("rate = \"50/s\"\n{one}")), (vec![stage(10, 50.0, 10.0)], 8, 10, open(50.0)));
}

#[test]
fn connections_are_as_written() {
    assert_eq!(load("").connections, Connections::default());
    let text = "connections = \"operation\"\nprotocol = \"simple\"\nstatement_timeout = \"2s\"\nretries = 3\n\
                error_limit = 0.1\nsettings = { \"work_mem\" = \"64MB\", \"pg_stat.x\" = \"1\" }";
    let one = load(text);
    assert_eq!((one.retries, one.error_limit), (3, 0.1));
    assert_eq!(one.connections.sharing, Sharing::Operation);
    assert_eq!(one.connections.protocol, Protocol::Simple);
    assert_eq!(one.connections.statement_timeout, Some(Duration::from_secs(2)));
    assert_eq!(one.connections.settings.len(), 2);
    let pool = load("pool = { size = 4, wait_timeout = \"1s\", recycling = \"clean\" }").connections.sharing;
    let wait_timeout = Some(Duration::from_secs(1));
    assert_eq!(pool, Sharing::Pool(Pool { size: 4, wait_timeout, recycling: Recycling::Clean }));
    let Sharing::Pool(pool) = load("pool.size = 8").connections.sharing else { panic!("a pool") };
    assert_eq!((pool.wait_timeout, pool.recycling), (None, Recycling::Fast));
}

#[test]
fn rates_that_cannot_be() {
    assert_snapshot!(faults("rate = \"0/s\""), @r"mine.toml:17:8: `0/s` is out of range, expected above 0/s, at most 10000000/s");
    assert_snapshot!(faults("rate = \"-5/s\""), @r"mine.toml:17:8: `-5/s` is out of range, expected above 0/s, at most 10000000/s");
    assert_snapshot!(faults("rate = \"10000001/s\"\nlatency_limit = \"0s\""), @r"
mine.toml:17:8: `10000001/s` is out of range, expected above 0/s, at most 10000000/s
mine.toml:18:17: `0s` is out of range, expected 1ms to 7 days
");
    assert_snapshot!(faults("rate = \"500\"\nclients = 0"), @r"
mine.toml:17:8: `500` is not a rate, expected something like 500/s or 30/min
mine.toml:18:11: 0 is out of range, expected an integer from 1 to 10000
");
    assert_snapshot!(faults("rate = 500"), @r#"mine.toml:17:8: wrong type: an integer, expected a string like "500/s" or "30/min""#);
}

#[test]
fn what_belongs_to_the_other_kind_of_load() {
    assert_snapshot!(faults("rate = \"5/s\"\nthink_time = \"10ms\""), @r"mine.toml:18:1: `think_time` in an open load (in an open load, operations arrive at the given rate, whatever the clients do)");
    assert_snapshot!(faults("arrivals = \"poisson\"\nlatency_limit = \"1s\""), @r"
mine.toml:17:1: `arrivals` without `rate` (only an open load has arrivals: give it a `rate`)
mine.toml:18:1: `latency_limit` without `rate` (only an open load has arrivals: give it a `rate`)
");
    assert_snapshot!(faults("think_time = { men = \"10ms\", distribution = \"normal\" }"), @r"
mine.toml:17:16: unknown key `men` (did you mean `mean`?)
mine.toml:17:45: unknown value `normal`, expected `constant` or `exponential`
");
    assert_snapshot!(faults("think_time = { distribution = \"constant\" }"), @r"mine.toml:17:14: missing key `mean`");
    assert_snapshot!(faults("think_time = 10"), @r#"mine.toml:17:14: wrong type: an integer, expected a string like "10ms" or a table"#);
}

#[test]
fn stages_that_contradict_the_load() {
    assert_snapshot!(faults("rate = \"5/s\"\nduration = \"5s\"\nstages = [{ duration = \"5s\", clients = 2 }]"), @r"
mine.toml:18:1: `duration` beside `stages` (the stages have their own durations; remove this one)
mine.toml:19:30: a stage of `clients` in an open load, expected `rate` (all its stages set the `rate`)
");
    assert_snapshot!(faults("stages = [{ duration = \"5s\", clients = 2 }, { duration = \"5s\", rate = \"2/s\" }]"), @r"mine.toml:17:64: a stage of `rate` in a closed load, expected `clients` (give the load a `rate` to open it)");
    assert_snapshot!(faults("stages = [{ duration = \"5s\", rate = \"2/s\" }, { duration = \"5s\", clients = 2 }]"), @r"mine.toml:17:65: a stage of `clients` in an open load, expected `rate` (all its stages set the `rate`)");
    assert_snapshot!(faults("[[load.stages]]\nduration = \"5 parsecs\"\nrate = \"x\"\n[[load.stages]]\nclints = 3\n"), @r"
mine.toml:18:12: `5 parsecs` is not a duration, expected something like 20s, 250ms or 1m 30s
mine.toml:19:8: `x` is not a rate, expected something like 500/s or 30/min
mine.toml:20:1: missing key `duration`
mine.toml:21:1: unknown key `clints` (did you mean `clients`?)
mine.toml:21:1: a stage of `clients` in an open load, expected `rate` (all its stages set the `rate`)
");
    assert_snapshot!(faults("stages = [{ duration = \"5s\", clients = 2, rate = \"1/s\" }, { duration = \"5s\" }]"), @r"
mine.toml:17:43: `rate` beside `clients`, expected only one of them
mine.toml:17:59: missing key, expected `clients` or `rate`
");
    assert_snapshot!(faults("stages = [{ duration = \"5s\", clients = 0 }]"), @r"mine.toml:17:10: stages that send nothing, expected `clients` above 0 in one of them");
    let long = "{ duration = \"100h\", clients = 1 }";
    assert_snapshot!(faults(&format!("stages = [{long}, {long}]")), @"mine.toml:17:10: stages that take longer than 7 days");
    assert_snapshot!(faults("stages = []"), @r"mine.toml:17:10: an empty array, expected at least 1");
}

#[test]
fn connections_that_cannot_be() {
    assert_snapshot!(faults("connections = \"operation\"\npool = { size = 2 }"), @r"mine.toml:17:1: `connections` beside `pool` (operations take their connections from the pool)");
    assert_snapshot!(faults("clients = 4\npool = { size = 5 }"), @r"mine.toml:18:17: a pool of 5 for 4 clients, expected at most 4 (a client uses one connection at a time: more than clients are never used)");
    assert_snapshot!(faults("pool = { sise = 0, wait_timeout = \"0s\", recycling = \"never\" }"), @r"
mine.toml:17:10: unknown key `sise` (did you mean `size`?)
mine.toml:17:17: 0 is out of range, expected an integer from 1 to 10000
mine.toml:17:35: `0s` is out of range, expected 1ms to 7 days
mine.toml:17:53: unknown value `never`, expected `fast`, `verified` or `clean`
");
    assert_snapshot!(faults("statement_timeout = \"1s\"\nsettings = { statement_timeout = \"1s\", search_path = \"x\", \"work mem\" = \"1\", \"\" = \"x\", jit = true }"), @"
    mine.toml:18:14: `statement_timeout` a second time (`load.statement_timeout` sets it already)
    mine.toml:18:40: `search_path` is the scenario's own schema (name other schemas in the SQL)
    mine.toml:18:59: `work mem` is not the name of a setting, expected a-z, 0-9 and _, like `work_mem`, or with a prefix and a `.`
    mine.toml:18:77: `` is not the name of a setting, expected a-z, 0-9 and _, like `work_mem`, or with a prefix and a `.`
    mine.toml:18:93: wrong type: true or false, expected a string
    ");
    assert_snapshot!(faults("retries = -1\nerror_limit = 10\nprotocol = \"binary\""), @r"
mine.toml:17:11: -1 is out of range, expected an integer from 0 to 1000
mine.toml:18:15: 10 is out of range, expected a number from 0 to 1
mine.toml:19:12: unknown value `binary`, expected `simple`, `extended` or `prepared`
");
}
