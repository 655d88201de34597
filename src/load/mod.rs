//! What to send when: the statement mix, parameters from (seed, operation), the schedule. Pure.

mod classes;
mod error;
mod model;
mod workload;

pub use classes::ClassValues;
pub use error::{Error, Result};
pub use model::{GRACE, Load, Operation, WARM_UP};
pub use workload::{ParameterFacts, Workload};
