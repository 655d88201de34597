//! What the parameters of a statement are compared with.

pub(crate) mod inverse;
pub(crate) mod parameters;
