//! Why there is no scenario.

use std::{io, path::PathBuf};

use super::faults::Faults;

/// Why a scenario cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Its files have faults.
    #[error("{0}")]
    Faults(Faults),
    /// No bundled scenario has this id.
    #[error("no scenario `{id}`{}", way_out(.nearest.as_deref(), .known))]
    NotFound {
        /// What was asked for.
        id: String,
        /// The bundled id nearest to it.
        nearest: Option<String>,
        /// Every bundled id.
        known: Vec<&'static str>,
    },
    /// Its file cannot be read.
    #[error("cannot read the scenario {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn way_out(nearest: Option<&str>, known: &[&str]) -> String {
    match nearest {
        Some(nearest) => format!(", did you mean `{nearest}`?"),
        None => format!(", there are: {}", known.join(", ")),
    }
}
