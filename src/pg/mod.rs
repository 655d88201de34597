//! The only place that talks to PostgreSQL.

mod link;
mod site;

pub use crate::sqltext::quote::quote_identifier;
pub use link::connector::Connector;
pub use link::error::{Error, Result};
pub use link::session::{PgSession, PgTarget, SampledPlan, SampledPlans, Sampling};
pub use link::url::UrlError;
pub use link::user_session::UserSession;
pub use link::{Client, Fault};
pub use site::activity::Activity;
pub use site::capture::{Access, CapturedPlan, Explained, Explainer, Given, TimeLimits, lock_limit};
pub use site::catalog::{check_writable, column_type};
pub use site::dataset_ledger::{DatasetFacts, DatasetState, dataset_state};
pub use site::describe::describe;
pub use site::effects::{Beyond, Effect, Effects};
pub use site::facts::{checkpoint, server_facts};
pub use site::fix;
pub use site::ownership::Other;
pub use site::results::{Answer, Budget, Digest, Executed, Form, ResultsSession, Row, Shape};
pub use site::room::check_room;
pub(crate) use site::schema::command;
pub use site::script_values::script_values;
pub use site::seed::{SeededTables, Seeding};
pub use site::stamp::{Changed, Stamp};
pub use site::tables::tables;
pub use site::value_counts::{Column, Counted, ValueCounts};
pub use site::value_sample::{Group, Groups, ParameterTypes, Part, Place, Sought};
pub use site::what_if::{HypoPg, TriedIndex, built, hypopg, hypothetical};
pub use site::write_probe::probe_writes;
