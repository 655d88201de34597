//! Whether the verdicts keep what they promise: shares of wrong verdicts, of planted slowdowns that are found, and of intervals that
//! have the truth in them. `docs/statistics.md` has the tables.
//!
//!     cargo bench --bench calibration
//!     cargo bench --bench calibration -- --comparisons 500 same slices
//!
//! Tables: same, power, coverage, slices, interleaving. What the real server did is in recordings of `latclinic run` with many rounds,
//! which `benches/calibration/server.sh` makes; they are cut into comparisons:
//!
//!     cargo bench --bench calibration -- --recorded DIR --recorded DIR

#![expect(clippy::print_stdout, reason = "a benchmark prints its tables")]

mod machine;
mod recorded;
mod simulated;
mod table;
mod trial;

use std::{path::PathBuf, time::Instant};

use table::Table;

/// A table: its name, its title, what makes it, and by how much fewer comparisons it takes than the others.
type Simulated = (&'static str, &'static str, fn(u64) -> Table, u64);

const TABLES: [Simulated; 5] = [
    ("same", "A/A: verdicts of a difference that is not there", simulated::same, 1),
    ("power", "Planted slowdowns of p99 that are found", simulated::power, 2),
    ("coverage", "95 % intervals of rounds with the truth in them", simulated::coverage, 1),
    ("slices", "95 % intervals of slices with the truth in them", simulated::slices, 4),
    ("interleaving", "A/A: wrong verdicts with and without rounds", simulated::interleaving, 1),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut comparisons = 2_000;
    let (mut asked, mut folders) = (Vec::new(), Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--comparisons" => comparisons = arguments.next().ok_or("--comparisons needs a number")?.parse()?,
            "--recorded" => folders.push(PathBuf::from(arguments.next().ok_or("--recorded needs a folder")?)),
            "--bench" => {} // Cargo's.
            name if TABLES.iter().any(|(known, ..)| *known == name) => asked.push(argument),
            other => return Err(format!("neither an option nor a table: {other}").into()),
        }
    }
    if !folders.is_empty() {
        let [cuts, whole] = recorded::tables(&folders)?;
        println!("Verdicts of a difference\n\n{cuts}\nAll rounds together\n\n{whole}");
        return Ok(());
    }
    for (name, title, make, fewer) in TABLES {
        if asked.is_empty() || asked.iter().any(|asked| asked == name) {
            let begun = Instant::now();
            let table = make(comparisons / fewer);
            let took = begun.elapsed().as_secs_f64();
            println!("{title} ({} comparisons a row, {took:.0} s)\n\n{table}", comparisons / fewer);
        }
    }
    Ok(())
}
