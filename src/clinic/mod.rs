//! The use cases: put the parts together, print nothing.
//!
//! A use case takes a [`Clinic`] (where to work, whom to tell, when to stop) and a scenario, and returns what it did.

mod arm;
mod baseline;
mod bench;
mod bracket;
mod capacity;
mod check;
mod compare;
mod consent;
mod error;
mod event;
mod explain;
mod figures;
mod fix;
mod gates;
mod laps;
mod load;
mod load_info;
mod machine;
pub mod managed;
mod measure;
mod noise;
mod place;
mod price;
pub mod results;
mod rounds;
mod rules;
mod run;
mod saving;
mod seed;
mod thresholds;
mod warnings;
mod watched;

pub use crate::pg::Effect;
pub use baseline::{Baselines, find_baseline, list_baselines, save_baseline};
pub use bench::{BenchOutcome, Reports, bench};
pub use capacity::{CapacityPlan, find_capacity};
pub use check::check_scenario;
pub use compare::{BeforeSide, CompareRequest, Compared, Judging, compare, write_comparison};
pub use consent::{Job, Reaches, Undertaken, Undertaking, undertaking};
pub use error::{Error, ErrorKind};
pub use event::{Event, Events, LoadProgress, LoadStage, RoundPlace};
pub use explain::{
    Captured, ClassGiven, ExplainOutcome, Question, TIME_LIMIT, TryBy, examine, examine_plans, explain, explain_query,
    question,
};
pub use fix::{
    Direction, FixOutcome, FixPlan, FixState, WayBack, apply_fix, apply_fix_watched, plan_fix, require_fix, revert_fix,
};
pub use load::{LoadOptions, PlannedLoad, SharingOption};
pub use place::{Clinic, Place};
pub use price::probe_writes;
pub use rounds::{Rounds, RoundsOptions, RunPlan};
pub use rules::{rule, rules};
pub use run::{RunOutcome, run};
pub use seed::{DatasetFacts, SeedOptions, SeedOutcome, Seeded, seed};
