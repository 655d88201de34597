//! What to send when: the statement mix, parameters from (seed, operation), the schedule. Pure.

mod arrivals;
mod classes;
mod error;
mod fetched;
mod model;
mod parameter;
mod profile;
mod think;
mod workload;

pub use arrivals::{Arrivals, WARM_UP};
pub use classes::{ByRows, ClassValues, beyond};
pub use error::{Error, Result};
pub use model::{Enough, GRACE, Load, Operation};
pub use parameter::{ParameterFacts, StatementFacts};
pub use profile::Profile;
pub use think::Pauses;
pub use workload::Workload;
