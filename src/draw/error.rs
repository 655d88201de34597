//! Why a value cannot be made.

/// A result of this module.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a generator or a value does not fit a type, and what would. The caller knows the column or parameter and adds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    message: String,
}

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    /// The same with the place in front of it: `events.user_id: ..`.
    #[must_use]
    pub fn at(self, place: &str) -> Self {
        Self { message: format!("{place}: {}", self.message) }
    }
}
