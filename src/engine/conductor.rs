//! Conducts the sending threads through a measurement.

use std::{
    sync::{Arc, atomic::Ordering, mpsc::Sender},
    time::Duration,
};

use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender},
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{
    client::LOOK_AGAIN,
    course::Shared,
    crew::LONG_TURN,
    error::Error,
    ledger::{Closed, Ledger},
    measurement::{ArrivalFigures, ConnectionFigures, Ended, Measurement, WarmUp},
    observer::{LoadStage, Observer, Progress, Stage},
    recorder::{Layout, Part},
    standstill::Standstills,
    target::PoolUse,
    worker::{Order, Report, at},
};
use crate::load::{Operation, Profile};

/// From the decision to begin until the begin: time for every thread to hear of it, which it does in its crew's turn.
const LEAD: Duration = Duration::from_millis(25);
const _: () = assert!(LEAD.as_nanos() > LONG_TURN.as_nanos() + LOOK_AGAIN as u128);

/// How often the observer is told.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// Fewest operations by which an error limit is judged.
const LEAST_OPERATIONS: u64 = 100;

/// How long all clients may be without a connection.
const ALONE_FOR: Duration = Duration::from_secs(30);

/// Most seconds of the window that an observer is told of.
const SECONDS_SHOWN: usize = 120;

/// A sending thread, as the conductor reaches it.
pub(super) struct Thread {
    pub(super) orders: UnboundedSender<Order>,
    pub(super) spares: Sender<Part>,
}

/// What is known of the measurement. Times without a type are nanoseconds since the epoch.
pub(super) struct Conductor {
    shared: Arc<Shared>,
    /// How the pool is used now.
    pool: Box<dyn Fn() -> Option<PoolUse> + Send>,
    profile: Profile,
    pub(super) threads: Vec<Thread>,
    layout: Layout,
    ledger: Ledger,
    ready: usize,
    latest_ready: Option<Instant>,
    warm: usize,
    latest_warm: Option<Instant>,
    cold_clients: u32,
    finished: usize,
    gone: usize,
    epoch: Option<Instant>,
    window: Option<(u64, u64)>,
    started_at: jiff::Timestamp,
    stopped_at: Option<Instant>,
    last_end: u64,
    last_sent: u64,
    losses: ConnectionFigures,
    client_cpu: Duration,
    standstills: Standstills,
    /// Since when no client has had a session.
    alone_since: Option<Instant>,
    /// Whether it is settled that the window ends by its samples.
    ends_early: bool,
    /// When the observer is to hear that the window begins.
    notice: Option<Instant>,
    ended: Ended,
    error: Option<Error>,
    connecting_since: Instant,
}

impl Conductor {
    pub(super) fn new(shared: Arc<Shared>, layout: Layout, pool: Box<dyn Fn() -> Option<PoolUse> + Send>) -> Self {
        Self {
            standstills: Standstills::new(shared.load.duration),
            ledger: Ledger::new(&shared.load, &shared.workload),
            profile: shared.load.profile(),
            shared,
            pool,
            threads: Vec::new(),
            layout,
            ready: 0,
            latest_ready: None,
            warm: 0,
            latest_warm: None,
            cold_clients: 0,
            finished: 0,
            gone: 0,
            epoch: None,
            window: None,
            started_at: jiff::Timestamp::UNIX_EPOCH,
            stopped_at: None,
            last_end: 0,
            last_sent: 0,
            losses: ConnectionFigures::default(),
            alone_since: None,
            notice: None,
            ends_early: false,
            client_cpu: Duration::ZERO,
            ended: Ended::Completed,
            error: None,
            connecting_since: Instant::now(),
        }
    }

    /// Leads the threads until all are gone.
    pub(super) async fn lead(
        &mut self,
        inbox: &mut UnboundedReceiver<Report>,
        observer: &dyn Observer,
        stop: &CancellationToken,
    ) {
        let mut progress = interval(PROGRESS_EVERY);
        progress.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                report = inbox.recv() => match report {
                    Some(report) => self.hear(report),
                    None => return,
                },
                () = stop.cancelled(), if self.stopped_at.is_none() => {
                    self.ended = Ended::Stopped;
                    self.stop();
                }
                () = at(self.notice) => {
                    self.notice = None;
                    observer.window_begins();
                }
                _ = progress.tick() => {
                    let progress = self.progress();
                    self.watch(&progress);
                    observer.progress(&progress);
                }
            }
            self.look_for_standstill();
            if self.gone == self.threads.len() {
                return;
            }
        }
    }

    fn hear(&mut self, report: Report) {
        match report {
            Report::Ready { at } => {
                self.ready += 1;
                self.latest_ready = self.latest_ready.max(Some(at));
                if self.ready == self.threads.len() {
                    self.begin_warm_up();
                }
            }
            Report::Unconnected { client, failure } => {
                self.error.get_or_insert_with(|| Error::connect(client, failure));
                self.stop();
            }
            Report::Warm { at, cold } => {
                self.warm += 1;
                self.latest_warm = self.latest_warm.max(Some(at));
                self.cold_clients += cold;
                if self.warm == self.threads.len() {
                    self.begin_window();
                }
            }
            Report::Part { thread, mut part } => {
                self.ledger.add(&part);
                part.clear();
                self.end_if_enough();
                // A thread that has ended needs no spare.
                let _ = self.threads[thread].spares.send(part);
            }
            Report::Finished(finished) => {
                self.finished += 1;
                self.client_cpu += finished.cpu;
                self.last_end = self.last_end.max(finished.last_end);
                self.last_sent = self.last_sent.max(finished.last_sent);
                let ConnectionFigures { lost, reconnected, failed_attempts, without, sample } = finished.losses;
                self.losses.lost += lost;
                self.losses.reconnected += reconnected;
                self.losses.failed_attempts += failed_attempts;
                self.losses.without += without;
                self.losses.sample = self.losses.sample.take().or(sample);
            }
            Report::Gone => {
                self.gone += 1;
                if self.finished < self.gone && self.stopped_at.is_none() {
                    self.error.get_or_insert_with(Error::broke_off);
                    self.stop();
                }
            }
        }
    }

    fn begin_warm_up(&mut self) {
        let epoch = self.latest_ready.unwrap_or_else(Instant::now).max(Instant::now()) + LEAD;
        self.epoch = Some(epoch);
        self.order(Order::Start { epoch });
    }

    fn begin_window(&mut self) {
        let Some(epoch) = self.epoch else { return };
        let planned = epoch + self.shared.load.warmup;
        let begin = match self.latest_warm {
            Some(warm) if warm + LEAD > planned => warm.max(Instant::now()) + LEAD,
            _ => planned,
        };
        let from = nanoseconds(begin.duration_since(epoch));
        let to = from.saturating_add(nanoseconds(self.shared.load.duration));
        self.window = Some((from, to));
        if let Some(schedule) = &self.shared.schedule {
            schedule.open(from);
        }
        self.started_at = wall_clock(begin);
        self.notice = begin.checked_sub(LEAD);
        self.order(Order::Measure { begin: from, end: to });
    }

    /// Ends the window once it has lasted long enough. The end lies as far ahead as it takes every thread to hear of it.
    fn end_if_enough(&mut self) {
        let (Some(enough), Some((begin, end))) = (self.shared.load.enough, self.window) else { return };
        if self.ends_early || self.stopped_at.is_some() {
            return;
        }
        let counts = self.ledger.counts();
        // Without pauses each client has an operation under way, which is awaited and counts. After errors nothing is taken for granted.
        let is_busy = self.shared.load.pauses().is_none() && counts.errors == 0;
        let in_flight = if is_busy { u64::from(self.shared.load.clients) } else { 0 };
        if counts.operations - counts.errors + in_flight < enough.samples {
            return;
        }
        let soonest = self.since_epoch(Instant::now() + LEAD);
        let at = begin.saturating_add(nanoseconds(enough.time)).max(soonest);
        self.ends_early = true;
        if at < end {
            self.window = Some((begin, at));
            self.order(Order::End { at });
        }
    }

    fn stop(&mut self) {
        self.stopped_at.get_or_insert_with(Instant::now);
        self.order(Order::Stop);
    }

    fn order(&self, order: Order) {
        for thread in &self.threads {
            // A thread that has ended takes no orders.
            let _ = thread.orders.send(order);
        }
    }

    /// Nanoseconds since the epoch; 0 before it.
    fn since_epoch(&self, moment: Instant) -> u64 {
        self.epoch.map_or(0, |epoch| nanoseconds(moment.saturating_duration_since(epoch)))
    }

    /// Gives the measurement up when it has lost its sense.
    fn watch(&mut self, progress: &Progress) {
        if self.stopped_at.is_some() {
            return;
        }
        let limit = self.shared.load.error_limit;
        if progress.operations >= LEAST_OPERATIONS && progress.errors as f64 > limit * progress.operations as f64 {
            let share = progress.errors as f64 / progress.operations as f64 * 100.0;
            let limit = limit * 100.0;
            self.give_up(format!("{share:.1} % of the operations failed, and the error limit is {limit} %"));
        }
        let alone = self.epoch.is_some() && progress.disconnected >= self.shared.load.clients;
        self.alone_since = alone.then(|| self.alone_since.unwrap_or_else(Instant::now));
        if self.alone_since.is_some_and(|since| since.elapsed() >= ALONE_FOR) {
            let seconds = ALONE_FOR.as_secs();
            self.give_up(format!("no client has had a connection for {seconds} s"));
        }
        if progress.stage == Stage::Measuring
            && let Some(pool) = (self.pool)()
        {
            self.ledger.add_pool(progress.elapsed, pool);
        }
    }

    /// Whether the window stood still since the last look.
    fn look_for_standstill(&mut self) {
        let (epoch, window) = (self.epoch, self.window);
        self.standstills.look(PROGRESS_EVERY, |now| {
            let since_epoch =
                |moment: Instant| epoch.map_or(0, |epoch| nanoseconds(moment.saturating_duration_since(epoch)));
            // What is in flight after the end is late as well.
            window.is_some_and(|(begin, _)| since_epoch(now) >= begin)
        });
    }

    fn give_up(&mut self, why: String) {
        self.ended = Ended::Failed(why);
        self.stop();
    }

    fn progress(&self) -> Progress {
        let load = &self.shared.load;
        let now = self.since_epoch(Instant::now());
        let (stage, elapsed, planned) = match (self.epoch, self.window) {
            (None, _) => (Stage::Connecting, nanoseconds(self.connecting_since.elapsed()), Duration::ZERO),
            (Some(_), Some((_, end))) if now >= end => (Stage::Draining, now - end, load.grace),
            (Some(_), Some((begin, end))) if now >= begin => {
                (Stage::Measuring, now - begin, self.expected_window(now - begin, end - begin))
            }
            (Some(_), Some((begin, _))) => (Stage::WarmUp, now, Duration::from_nanos(begin)),
            (Some(_), None) => (Stage::WarmUp, now, load.warmup),
        };
        let counts = self.ledger.counts();
        let measured = match stage {
            Stage::Measuring => Duration::from_nanos(elapsed),
            Stage::Draining => self.window_length(),
            Stage::Connecting | Stage::WarmUp => Duration::ZERO,
        };
        let good = (counts.operations - counts.errors) as f64;
        let response = self.ledger.response();
        let quantile = |q| (!response.is_empty()).then(|| response.value_at_quantile(q));
        let load_stage = (stage == Stage::Measuring && !load.stages.is_empty()).then(|| LoadStage {
            number: self.profile.stage_at(elapsed) + 1,
            of: load.stages.len(),
            target: self.profile.at(elapsed),
        });
        Progress {
            stage,
            elapsed: Duration::from_nanos(elapsed),
            planned,
            operations: counts.operations,
            errors: counts.errors,
            skipped: counts.skipped,
            throughput_per_s: if measured.is_zero() { 0.0 } else { good / measured.as_secs_f64() },
            p50_ns: quantile(0.5),
            p95_ns: quantile(0.95),
            p99_ns: quantile(0.99),
            seconds: self.ledger.seconds(SECONDS_SHOWN),
            load_stage,
            disconnected: self.shared.disconnected.load(Ordering::Relaxed),
        }
    }

    fn window_length(&self) -> Duration {
        self.window.map_or(Duration::ZERO, |(begin, end)| Duration::from_nanos(end - begin))
    }

    /// How long a window of at most `longest` is going to be, `elapsed` of which is over: as it goes on if it goes on as it began.
    fn expected_window(&self, elapsed: u64, longest: u64) -> Duration {
        let counts = self.ledger.counts();
        let expected = match self.shared.load.enough {
            Some(enough) if !self.ends_early => {
                let share = enough.samples as f64 / (counts.operations - counts.errors).max(1) as f64;
                longest.min(((elapsed as f64 * share) as u64).max(nanoseconds(enough.time)).max(elapsed))
            }
            _ => longest,
        };
        Duration::from_nanos(expected)
    }

    pub(super) fn close(mut self) -> Result<Measurement, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if let (Ended::Failed(why), Some(_), Some(sample)) = (&mut self.ended, self.alone_since, &self.losses.sample) {
            why.push_str(&format!("; {sample}"));
        }
        let stopped = self
            .stopped_at
            .map(|moment| self.epoch.map_or(0, |epoch| nanoseconds(moment.saturating_duration_since(epoch))));
        let (begin, end) = self.window.unwrap_or((0, 0));
        let until = stopped.map_or(end, |stopped| stopped.min(end));
        let arrivals = self.add_untaken(until);
        let sending = until.max(self.last_sent.min(self.last_end)).saturating_sub(begin);
        let measured = Duration::from_nanos(until.max(self.last_end).saturating_sub(begin));
        let planned = self.window_length();
        let warm_up = WarmUp {
            length: if measured.is_zero() { Duration::ZERO } else { Duration::from_nanos(begin) },
            cold_clients: self.cold_clients,
        };
        let started_at = if measured.is_zero() { jiff::Timestamp::now() } else { self.started_at };
        let Closed { total, scripts, steps, stages, slices } = self.ledger.close(&self.shared.load, planned, measured);
        Ok(Measurement {
            started_at,
            measured,
            sending: Duration::from_nanos(sending),
            total,
            scripts,
            steps,
            stages,
            arrivals,
            connections: self.losses,
            suspended: self.standstills.total(),
            slices,
            client_cpu: self.client_cpu,
            warm_up,
            ended: self.ended,
        })
    }

    /// Counts the arrivals of an open load that were due before `until`. Those that no client was free for are timeouts at the time
    /// that they have waited.
    fn add_untaken(&mut self, until: u64) -> Option<ArrivalFigures> {
        let schedule = self.shared.schedule.as_ref()?;
        let sent = self.ledger.counts().operations;
        let now = self.last_end.max(until);
        let (begin, end) = self.window.unwrap_or((0, 0));
        let mut untaken = 0;
        let mut part = Part::at(&self.layout, until.min(end.saturating_sub(1)).saturating_sub(begin));
        let mut operation = Operation::default();
        schedule.visit_untaken(until, |arrival| {
            if self.shared.workload.scripts() > 1 {
                self.shared.workload.fill(arrival.number, &mut operation);
            }
            part.scripts[operation.script].never_sent(now - arrival.due);
            untaken += 1;
        });
        self.ledger.add(&part);
        let skipped = self.ledger.counts().skipped;
        let window = Duration::from_nanos(until.saturating_sub(begin));
        Some(ArrivalFigures { planned: sent + skipped + untaken, sent, window })
    }
}

/// The wall clock's time at a moment that is near.
fn wall_clock(moment: Instant) -> jiff::Timestamp {
    let now = Instant::now();
    let ahead = jiff::SignedDuration::try_from(moment.saturating_duration_since(now)).unwrap_or_default();
    jiff::Timestamp::now().checked_add(ahead).unwrap_or(jiff::Timestamp::MAX)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
