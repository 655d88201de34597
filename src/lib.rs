//! latclinic measures what a PostgreSQL query costs under concurrent load before and after a fix, and says why.
//!
//! Data flows one way: scenario file -> [`scenario::Scenario`] -> [`load`] (what to send when) -> [`engine`] (sends and
//! times) -> [`record`] -> [`compare`] -> [`render`].
//!
//! | module | subject |
//! | --- | --- |
//! | [`cli`] | the only place with clap, progress bars, stdout, stderr and exit codes; one file a subcommand |
//! | [`clinic`] | the use cases: puts the parts together, prints nothing |
//! | [`scenario`] | a TOML file to a checked [`scenario::Scenario`], all faults at once, each with its place |
//! | [`draw`] | deterministic values from (seed, address), typed and encoded for PostgreSQL: pure |
//! | [`dataset`] | deterministic rows from (seed, table, row): pure |
//! | [`load`] | statement mix, parameters from (seed, operation), arrivals: pure |
//! | [`engine`] | drives a [`engine::Target`] through a load; knows no PostgreSQL and no terminal |
//! | [`pg`] | the only place that talks to PostgreSQL: `link` for sessions, `site` for what is in a database |
//! | [`server`] | the managed PostgreSQL: find, initdb, start, stop |
//! | [`plan`] | plans of any supported version, JSON and text, pasted or captured, to one normal form |
//! | [`advice`] | a plan and what the catalog says to the index that would serve it |
//! | [`findings`] | the rules about plans, and the order of what they find |
//! | [`catalog`] | tables, columns, indexes and their statistics, as facts |
//! | [`sqltext`] | SQL as text: names, literals, the conditions that plans print |
//! | [`files`] | files by name: read within a bound, written complete or not at all |
//! | [`record`] | what a measurement wrote: plain data, and the store that reads and writes it |
//! | [`stats`] | pure maths |
//! | [`text`] | numbers, shares, plurals and lists in words |
//! | [`compare`] | two records to a comparison |
//! | [`render`] | one file a format |
//!
//! Who may import whom is checked by `tests/architecture.rs`.

pub mod advice;
pub mod catalog;
pub mod cli;
pub mod clinic;
pub mod compare;
pub mod dataset;
pub mod draw;
pub mod engine;
pub mod files;
pub mod findings;
pub mod load;
pub mod pg;
pub mod plan;
pub mod record;
pub mod render;
pub mod scenario;
pub mod server;
pub mod sqltext;
pub mod stats;
pub mod text;
