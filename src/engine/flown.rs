//! An operation that was sent and is not over.

/// An operation in flight.
#[derive(Clone, Copy)]
pub(crate) struct Flown {
    pub(super) script: usize,
    pub(super) due: u64,
    pub(super) begun: u64,
    /// How long connections for it were waited for, in the tries so far.
    pub(super) wait: u64,
    /// When it was sent; `None` while a connection is waited for.
    pub(super) sent: Option<u64>,
    pub(super) tries: u32,
    pub(super) measured: bool,
}
