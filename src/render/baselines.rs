//! Baselines as a document.

use std::path::Path;

use super::document::{Align, Block, Document, Table};
use crate::{record::Baseline, text};

/// A row for each baseline, and its file.
pub fn baselines(baselines: &[(&Path, &Baseline)]) -> Document {
    let mut table = Table::of_words(&["baseline", "scenario", "phase", "p99", "measured", "latclinic"]);
    table.columns[3].align = Align::Right;
    for (_, baseline) in baselines {
        let record = &baseline.record;
        let commit = record
            .tool
            .commit
            .as_deref()
            .map_or_else(String::new, |commit| format!(" ({})", commit.get(..9).unwrap_or(commit)));
        table.row([
            baseline.name.clone(),
            record.scenario.clone(),
            record.phase.to_string(),
            record.latency_ms.p99.map_or_else(|| text::NOTHING.into(), text::milliseconds),
            record.started_at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
            format!("{}{commit}", record.tool.version),
        ]);
    }
    let files = baselines.iter().map(|(file, baseline)| format!("{}: {}", baseline.name, file.display()));
    Document { blocks: vec![Block::Table(table), Block::List(files.collect())] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{BASELINE_FORMAT, sample},
        render::terminal,
    };

    #[test]
    fn a_baseline_is_a_row_and_a_file() {
        let baseline = Baseline {
            format: BASELINE_FORMAT,
            name: "main".into(),
            saved_at: "2026-11-21T02:00:00Z".parse().unwrap(),
            record: sample::full(),
            latency_hlog: None,
        };
        let text = terminal(&baselines(&[(Path::new("reports/baselines/main.json"), &baseline)]), 80, false);
        insta::assert_snapshot!(text, @"
         baseline   scenario   phase       p99   measured               latclinic
        ──────────────────────────────────────────────────────────────────────────
         main       events     before   307 ms   2026-11-21 01:23:45Z   0.1.0

        - main: reports/baselines/main.json
        ");
    }
}
