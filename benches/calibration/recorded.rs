//! Recordings of many rounds of the real server, cut into comparisons.

use std::{
    error::Error,
    path::{Path, PathBuf},
};

use latclinic::{
    record::{self, BlockHistograms, Phase},
    stats::{self, ROUNDS_NEEDED},
};

use crate::{
    table::{Table, share},
    trial::{self, ALPHA, Block, PERCENTILES},
};

/// Rounds of the comparisons that a recording is cut into.
const CUTS: [usize; 3] = [6, 10, 20];

/// Of each recording the share of comparisons with a verdict of a difference, which is wrong of an A/A and right of a planted one.
pub(crate) fn tables(folders: &[PathBuf]) -> Result<Table, Box<dyn Error>> {
    let head = [
        "recording",
        "blocks",
        "rounds",
        "comparisons",
        "p50",
        "p95",
        "p99",
        "any of the three",
        "p99 of all rounds",
        "sd of a round",
    ];
    let mut table = Table::new(&head);
    for folder in folders {
        let name = folder.file_name().map_or_else(|| folder.display().to_string(), |name| name.display().to_string());
        let blocks = read(folder)?;
        let effects: Vec<f64> = trial::effects(&blocks, 2).into_iter().filter(|effect| effect.is_finite()).collect();
        let all = stats::t_interval(&effects, 1.0 - ALPHA).ok_or("there are too few rounds")?;
        for rounds in CUTS {
            let (mut differs, mut any, mut one_by_one) = ([0; PERCENTILES.len()], 0, [0; PERCENTILES.len()]);
            let cuts = blocks.chunks_exact(2 * rounds);
            let comparisons = cuts.len() as u64;
            for (seed, cut) in (0..).zip(cuts) {
                for metric in 0..PERCENTILES.len() {
                    let claim = trial::claim(&trial::effects(cut, metric), 1.0 - ALPHA, seed);
                    differs[metric] += u64::from(trial::differs(claim));
                    one_by_one[metric] += u64::from(trial::differs(trial::one_after_the_other(cut, metric)));
                }
                any += u64::from(trial::family(cut, ALPHA, seed).into_iter().any(trial::differs));
            }
            let mut row = |how: &str, counts: &[u64], rest: [String; 3]| {
                let mut row = vec![name.clone(), how.to_owned(), rounds.to_string(), comparisons.to_string()];
                row.extend(counts.iter().map(|count| share(*count, comparisons)));
                row.extend(rest);
                table.row(row);
            };
            let in_percent = |ln: f64| format!("{:+.1} %", 100.0 * ln.exp_m1());
            let of_all = format!("{} ({} to {})", in_percent(all.effect), in_percent(all.low), in_percent(all.high));
            row("in rounds", &differs, [share(any, comparisons), of_all, format!("{:.1} %", 100.0 * all.sd)]);
            if rounds == ROUNDS_NEEDED {
                row("one half after the other", &one_by_one, Default::default());
            }
        }
    }
    Ok(table)
}

/// The blocks of a run in the order in which they were measured.
fn read(folder: &Path) -> Result<Vec<Block>, Box<dyn Error>> {
    let (found, sides) = match record::read(&folder.join("a")) {
        Ok(found) => (found, ["a", "b"]),
        Err(_) => (record::read(&folder.join("before"))?, ["before", "after"]),
    };
    let [before, after] = sides.map(|side| histograms(&folder.join(side)));
    let (before, after) = (before?, after?);
    let run = found.record.run.ok_or_else(|| format!("{} is no run in rounds", folder.display()))?;
    let mut blocks = Vec::new();
    for ((first, before), after) in run.first.iter().zip(&before).zip(&after) {
        let (before, after) = (Block::new(false, &before.total), Block::new(true, &after.total));
        blocks.extend(if *first == Phase::Before { [before, after] } else { [after, before] });
    }
    Ok(blocks)
}

fn histograms(folder: &Path) -> Result<Vec<BlockHistograms>, record::Error> {
    record::read_histograms(&record::read(folder)?)
}
