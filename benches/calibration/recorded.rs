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

/// Of each recording the share of comparisons with a verdict of a difference, which is wrong of an A/A; and what all of its rounds
/// together say.
pub(crate) fn tables(folders: &[PathBuf]) -> Result<[Table; 2], Box<dyn Error>> {
    let mut table =
        Table::new(&["recording", "judged", "rounds", "comparisons", "p50", "p95", "p99", "any of the three"]);
    let mut whole = Table::new(&["recording", "rounds", "p50", "sd of a round", "p99", "sd of a round"]);
    for folder in folders {
        let name = folder.file_name().map_or_else(|| folder.display().to_string(), |name| name.display().to_string());
        let blocks = read(folder)?;
        let mut row = vec![name.clone(), (blocks.len() / 2).to_string()];
        row.extend(all_rounds(&blocks, 0)?);
        row.extend(all_rounds(&blocks, 2)?);
        whole.row(row);
        for rounds in CUTS {
            let (mut in_rounds, mut halves, mut any) = ([0; PERCENTILES.len()], [0; PERCENTILES.len()], 0);
            let cuts = blocks.chunks_exact(2 * rounds);
            let comparisons = cuts.len() as u64;
            for (seed, cut) in (0..).zip(cuts) {
                for (metric, (in_rounds, halves)) in in_rounds.iter_mut().zip(&mut halves).enumerate() {
                    let claim = trial::claim(&trial::effects(cut, metric), 1.0 - ALPHA, seed);
                    *in_rounds += u64::from(trial::differs(claim));
                    *halves += u64::from(trial::differs(trial::one_after_the_other(cut, metric)));
                }
                any += u64::from(trial::family(cut, ALPHA, seed).into_iter().any(trial::differs));
            }
            let mut row = |judged: &str, counts: &[u64], any: String| {
                let mut row = vec![name.clone(), judged.to_owned(), rounds.to_string(), comparisons.to_string()];
                row.extend(counts.iter().map(|count| share(*count, comparisons)));
                row.push(any);
                table.row(row);
            };
            if comparisons > 0 {
                row("in rounds", &in_rounds, share(any, comparisons));
            }
            if comparisons > 0 && rounds == ROUNDS_NEEDED {
                row("one half after the other", &halves, String::new());
            }
        }
    }
    Ok([table, whole])
}

/// The effect of a percentile over all rounds that have one, with its interval, and the deviation of a round.
fn all_rounds(blocks: &[Block], metric: usize) -> Result<[String; 2], Box<dyn Error>> {
    let effects: Vec<f64> = trial::effects(blocks, metric).into_iter().filter(|effect| effect.is_finite()).collect();
    let all = stats::t_interval(&effects, 1.0 - ALPHA).ok_or("there are too few rounds")?;
    let [effect, low, high] = [all.effect, all.low, all.high].map(|ln| format!("{:+.1} %", 100.0 * ln.exp_m1()));
    Ok([format!("{effect} ({low} to {high})"), format!("{:.1} %", 100.0 * all.sd)])
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
        let (before, after) =
            (Block::new(false, &before.total.histogram()), Block::new(true, &after.total.histogram()));
        blocks.extend(if *first == Phase::Before { [before, after] } else { [after, before] });
    }
    Ok(blocks)
}

fn histograms(folder: &Path) -> Result<Vec<BlockHistograms>, record::Error> {
    record::read_histograms(&record::read(folder)?)
}
