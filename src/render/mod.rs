//! One file a format; rows and units are made once, in one place.
//!
//! [`comparison`] and [`record`] make a [`Document`]; [`terminal`] and [`markdown`] write one, [`json`] writes the data
//! themselves. A new format is one file that writes a [`Document`].

mod comparison;
mod document;
mod json;
mod markdown;
mod price;
mod record;
mod results;
mod rows;
mod terminal;
mod units;

pub use comparison::{comparison, headline};
pub use document::{Align, Block, Cell, Column, Document, Table, Tone};
pub use json::json;
pub use markdown::markdown;
pub use record::record;
pub use terminal::terminal;
pub use units::{bytes, count, milliseconds, per_second, share, threshold_value};
