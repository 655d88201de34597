//! Figures in the words of a finding.

pub(super) use crate::text::{part as percent, rounded as count};
