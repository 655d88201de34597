//! Files: read within a bound and only if they are files, written complete or not at all.
//!
//! Every file that latclinic reads or writes by name goes through here. What a person names may be a named pipe, a device, a
//! folder, or of any size ([`read`]); what is written may be interrupted at any moment ([`write`](write()), [`Draft`]).

mod read;
mod write;

pub use read::{MIB, open_piped, read, read_all, read_text};
pub use write::{Draft, Over, is_unfinished, open_to_append, write, write_waiting};
