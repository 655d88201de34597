//! What a person sees on stderr while a command works: a live panel on a terminal, plain lines elsewhere.

mod figures;
mod panel;
mod sparkline;
mod terminal;

use std::{
    io::IsTerminal,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output;
use crate::{
    clinic::{Event, Events, LoadProgress},
    render, text,
};
use figures::Place;
use panel::{INDENT, cut, panel};
use terminal::Terminal;

/// How often the panel is drawn, a second.
const DRAWN_PER_S: u8 = 4;

/// How often a plain line is written while something goes on.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// Shows events on stderr.
#[derive(Debug)]
pub(super) struct Progress {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    live: Option<Live>,
    activity: String,
    last_line: Option<Instant>,
}

/// A spinner and what is going on beside and below it.
#[derive(Debug)]
struct Live {
    bar: ProgressBar,
    terminal: Term,
    colour: bool,
}

impl Progress {
    /// Live where stderr is a terminal that can move its cursor, plain lines elsewhere.
    pub(super) fn new() -> Self {
        let live = (std::io::stderr().is_terminal() && !console::is_dumb()).then(Live::new);
        Self { state: Mutex::new(State { live, activity: String::new(), last_line: None }) }
    }

    /// Takes the panel away.
    pub(super) fn finish(&self) {
        if let Some(live) = self.lock().live.take() {
            live.bar.finish_and_clear();
        }
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
                let (rows, total) = (text::count(rows), text::count(total));
                state.seeding(&format!("{share:>3} %  {rows} of {total} rows"));
            }
            Event::Load { phase, progress, round } => state.load(&Place { phase, round }, &progress),
            Event::Probe { threshold, unit, point } => state.line(&figures::probe(&threshold, unit, &point)),
        }
    }
}

impl State {
    fn line(&mut self, text: &str) {
        let text = &render::harmless(text);
        match &self.live {
            Some(live) => live.bar.println(text),
            None => {
                let _ = std::io::Write::write_fmt(&mut std::io::stderr().lock(), format_args!("{text}\n"));
            }
        }
        self.last_line = Some(Instant::now());
    }

    fn step(&mut self, text: &str) {
        text.clone_into(&mut self.activity);
        match &self.live {
            Some(live) => live.show_line(&render::harmless(text)),
            None => self.line(text),
        }
    }

    fn seeding(&mut self, text: &str) {
        let line = format!("seeding  {text}");
        match &self.live {
            Some(live) => live.show_line(&line),
            None => self.sometimes("seeding", || line),
        }
    }

    fn load(&mut self, place: &Place, progress: &LoadProgress) {
        match &self.live {
            Some(live) => live.show(&panel(place, progress, live.width(), live.colour)),
            None => self.sometimes(&figures::activity(place, progress.stage), || figures::line(place, progress)),
        }
    }

    /// A plain line when the activity changes and then every few seconds.
    fn sometimes(&mut self, activity: &str, line: impl FnOnce() -> String) {
        let changed = self.activity != activity;
        if changed || self.last_line.is_none_or(|last| last.elapsed() >= PLAIN_INTERVAL) {
            self.line(&line());
        }
        if changed {
            activity.clone_into(&mut self.activity);
        }
    }
}

impl Live {
    fn new() -> Self {
        let terminal = Term::buffered_stderr();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(Terminal::new(terminal.clone())), DRAWN_PER_S);
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_secs(1) / u32::from(DRAWN_PER_S));
        Self { bar, terminal, colour: !output::no_colour() }
    }

    /// Columns beside the spinner and below it.
    fn width(&self) -> usize {
        usize::from(self.terminal.size().1).saturating_sub(INDENT.len())
    }

    fn show_line(&self, text: &str) {
        self.show(&[cut(text, self.width())]);
    }

    /// Lines that fit.
    fn show(&self, lines: &[String]) {
        self.bar.set_message(lines.join(&format!("\n{INDENT}")));
    }
}

#[cfg(test)]
mod tests;
