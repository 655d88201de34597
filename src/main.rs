//! The `latclinic` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    latclinic::cli::main()
}
