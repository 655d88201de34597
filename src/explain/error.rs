//! Why plan JSON cannot be read.

/// What is wrong with the JSON, and where in it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Kind);

#[derive(Debug, thiserror::Error)]
pub(super) enum Kind {
    #[error("the plan is not JSON, or is nested too deeply: {0}")]
    Syntax(#[from] serde_json::Error),
    #[error("the plan's {place} is not {expected}")]
    Shape { place: String, expected: &'static str },
    #[error("the plan is more than {0} nodes deep")]
    Depth(usize),
}

impl From<serde_json::Error> for Error {
    fn from(cause: serde_json::Error) -> Self {
        Self(Kind::Syntax(cause))
    }
}
