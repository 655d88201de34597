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
    #[error("no scenario `{id}`{}; there are: {}", did_you_mean(.nearest.as_deref()), .known.join(", "))]
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

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!(", did you mean `{nearest}`?"))
}
