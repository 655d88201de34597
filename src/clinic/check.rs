//! Whether a scenario is sound, as far as that shows without a server.

use crate::{
    dataset::misfit,
    scenario::{self, Error, Scenario},
};

/// Loads a scenario and holds its generators against the types of their columns, as a seed does.
///
/// # Errors
/// As of [`scenario::load`]; among the faults are the columns that a seed would refuse.
pub fn check_scenario(id_or_path: &str) -> Result<Scenario, Error> {
    scenario::check(id_or_path, &misfit)
}
