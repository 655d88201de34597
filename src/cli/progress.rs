//! What a person sees on stderr while a command works: one live line on a terminal, plain lines elsewhere.

use std::{
    io::IsTerminal,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    clinic::{Event, Events, LoadProgress, LoadStage as Stage},
    record::Phase,
    render,
};

/// Most columns of a live message: with the spinner before it, it fits a terminal of 80.
const LIVE_COLUMNS: usize = 76;

/// How often a plain line is written while something goes on.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// Shows events on stderr.
#[derive(Debug)]
pub(super) struct Progress {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    bar: ProgressBar,
    live: bool,
    activity: String,
    last_line: Option<Instant>,
}

impl Progress {
    /// A live line where stderr is a terminal, plain lines elsewhere.
    pub(super) fn new() -> Self {
        let live = std::io::stderr().is_terminal();
        let target = if live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        if live {
            bar.enable_steady_tick(Duration::from_millis(125));
        }
        Self { state: Mutex::new(State { bar, live, activity: String::new(), last_line: None }) }
    }

    /// Takes the live line away.
    pub(super) fn finish(&self) {
        self.lock().bar.finish_and_clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Events for Progress {
    fn event(&self, event: Event) {
        let mut state = self.lock();
        match event {
            Event::Step(text) => state.step(&text),
            Event::Note(text) => state.line(&text),
            Event::Seeding { rows, total } => {
                let share = if total == 0 { 100 } else { u128::from(rows) * 100 / u128::from(total) };
                state.update(
                    "seeding",
                    &format!("{share:>3} %  {} of {} rows", render::count(rows), render::count(total)),
                );
            }
            Event::Load { phase, progress } => state.update(activity(phase, progress.stage), &describe(&progress)),
        }
    }
}

impl State {
    fn line(&mut self, text: &str) {
        if self.live {
            self.bar.println(text);
        } else {
            let _ = std::io::Write::write_fmt(&mut std::io::stderr().lock(), format_args!("{text}\n"));
        }
        self.last_line = Some(Instant::now());
    }

    fn step(&mut self, text: &str) {
        self.activity = text.to_owned();
        if self.live {
            self.bar.set_message(cut(text));
        } else {
            self.line(text);
        }
    }

    /// A live line follows each update; plain lines are written when the activity changes and then every few seconds.
    fn update(&mut self, activity: &str, text: &str) {
        let message = format!("{activity}  {text}").trim_end().to_owned();
        if self.live {
            self.bar.set_message(cut(&message));
        } else if self.activity != activity || self.last_line.is_none_or(|last| last.elapsed() >= PLAIN_INTERVAL) {
            self.line(&message);
        }
        if self.activity != activity {
            self.activity = activity.to_owned();
        }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LIVE_COLUMNS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn activity(phase: Phase, stage: Stage) -> &'static str {
    match (phase, stage) {
        (Phase::Before, Stage::Connecting) => "before, connecting",
        (Phase::Before, Stage::WarmUp) => "before, warm-up",
        (Phase::Before, Stage::Measuring) => "before",
        (Phase::Before, Stage::Draining) => "before, ending",
        (Phase::After, Stage::Connecting) => "after, connecting",
        (Phase::After, Stage::WarmUp) => "after, warm-up",
        (Phase::After, Stage::Measuring) => "after",
        (Phase::After, Stage::Draining) => "after, ending",
    }
}

/// Time left, throughput, percentiles and errors so far; with the activity before it about as wide as a live message may be.
fn describe(progress: &LoadProgress) -> String {
    let left = progress.planned.saturating_sub(progress.elapsed).as_secs_f64().ceil();
    let mut text = match progress.stage {
        Stage::Connecting => String::new(),
        Stage::WarmUp | Stage::Measuring => format!("{left:.0} s left"),
        Stage::Draining => "awaiting what is in flight".to_owned(),
    };
    if progress.stage == Stage::Measuring && progress.operations > 0 {
        text.push_str(&format!("  {}", render::per_second(progress.throughput_per_s)));
        for (name, nanoseconds) in [("p50", progress.p50_ns), ("p95", progress.p95_ns), ("p99", progress.p99_ns)] {
            if let Some(nanoseconds) = nanoseconds {
                text.push_str(&format!("  {name} {}", render::milliseconds(nanoseconds as f64 / 1e6)));
            }
        }
        text.push_str(&format!("  err {}", render::count(progress.errors)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_live_line_fits_80_columns() {
        let progress = LoadProgress {
            stage: Stage::Measuring,
            elapsed: Duration::from_secs(5),
            planned: Duration::from_secs(125),
            operations: 4_000_000,
            errors: 12,
            throughput_per_s: 135_812.0,
            p50_ns: Some(1_230_000),
            p95_ns: Some(12_300_000),
            p99_ns: Some(1_230_000_000),
            skipped: 0,
            seconds: Vec::new(),
            load_stage: None,
            disconnected: 0,
        };
        let line = format!("{}  {}", activity(Phase::Before, progress.stage), describe(&progress));
        assert_eq!(line, "before  120 s left  135 812/s  p50 1.23 ms  p95 12.3 ms  p99 1.23 s  err 12");
        assert_eq!(cut(&line), line, "it fits beside the spinner");
        let warming = LoadProgress { stage: Stage::WarmUp, ..progress };
        assert_eq!(describe(&warming), "120 s left");
    }
}
