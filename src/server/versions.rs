//! Which versions of PostgreSQL are managed.

use std::ops::RangeInclusive;

/// Major versions that latclinic runs.
pub const SUPPORTED: RangeInclusive<u32> = 14..=18;
