//! Conducts the sending threads through a measurement.

use std::{
    sync::{Arc, mpsc::Sender},
    time::Duration,
};

use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{
    error::Error,
    ledger::Ledger,
    measurement::{ConnectionFigures, Ended, Measurement, WarmUp},
    observer::{Observer, Progress, Stage},
    recorder::Part,
    target::Target,
    worker::{Farewell, Order, Report, Worker},
};
use crate::load::{Load, Workload};

/// From the decision to begin until the begin: time for every thread to hear of it.
const LEAD: Duration = Duration::from_millis(10);

/// How often the observer is told.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// Drives `target` through `load` and returns what was measured.
///
/// One thread for each of `load.threads`, each with a runtime, clients, connections and histograms of its own. All clients
/// connect; all begin the warm-up at one moment; it ends, again at one moment for all, when its time is over and every client
/// has executed every statement five times, but not later than [`Load::longest_warmup`]; what is sent from then on is
/// measured; what is in flight at the end is awaited for `load.grace` and then counted as a timeout.
///
/// Ends within a second of `stop`, with what was measured so far. `observer` is called from the calling task, never from a
/// thread that sends.
///
/// # Errors
/// When a client cannot connect or a thread cannot be started. Once the warm-up has begun, failures are in
/// [`Measurement::ended`] and in the figures instead.
pub async fn run<T: Target>(
    target: Arc<T>,
    load: &Load,
    workload: Arc<Workload>,
    observer: Arc<dyn Observer>,
    stop: CancellationToken,
) -> Result<Measurement, Error> {
    conduct(target, load, workload, observer, stop, start_thread).await
}

/// Starts a worker on a thread with a runtime of its own.
fn start_thread<T: Target>(worker: Worker<T>) -> Result<(), Error> {
    let number = worker.thread as u32;
    let failed = move |cause| Error::spawn(number, cause);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    std::thread::Builder::new()
        .name(format!("load {number}"))
        .spawn(move || {
            let farewell = Farewell(worker.reports.clone());
            runtime.block_on(worker.run());
            // The thread says that it is gone when its connections are.
            drop(runtime);
            drop(farewell);
        })
        .map(drop)
        .map_err(failed)
}

/// [`run`] with another way to start workers.
pub(super) async fn conduct<T: Target>(
    target: Arc<T>,
    load: &Load,
    workload: Arc<Workload>,
    observer: Arc<dyn Observer>,
    stop: CancellationToken,
    mut start: impl FnMut(Worker<T>) -> Result<(), Error>,
) -> Result<Measurement, Error> {
    let mut load = load.clone();
    load.threads = load.threads.clamp(1, load.clients.max(1));
    let (reports, mut inbox) = unbounded_channel();
    let mut conductor = Conductor::new(load.clone(), workload.statements());
    for thread in 0..load.threads as usize {
        let (orders, orders_of_worker) = unbounded_channel();
        let (spares, spares_of_worker) = std::sync::mpsc::channel();
        start(Worker {
            target: Arc::clone(&target),
            workload: Arc::clone(&workload),
            load: load.clone(),
            thread,
            orders: orders_of_worker,
            reports: reports.clone(),
            spares: spares_of_worker,
        })?;
        conductor.threads.push(Thread { orders, spares });
    }
    drop(reports);
    conductor.lead(&mut inbox, &*observer, &stop).await;
    conductor.close()
}

struct Thread {
    orders: UnboundedSender<Order>,
    spares: Sender<Part>,
}

/// What is known of the measurement. Times without a type are nanoseconds since the epoch.
struct Conductor {
    load: Load,
    threads: Vec<Thread>,
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
    client_cpu: Duration,
    ended: Ended,
    error: Option<Error>,
    connecting_since: Instant,
}

impl Conductor {
    fn new(load: Load, statements: usize) -> Self {
        Self {
            load,
            threads: Vec::new(),
            ledger: Ledger::new(statements),
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
            client_cpu: Duration::ZERO,
            ended: Ended::Completed,
            error: None,
            connecting_since: Instant::now(),
        }
    }

    /// Leads the threads until all are gone.
    async fn lead(&mut self, inbox: &mut UnboundedReceiver<Report>, observer: &dyn Observer, stop: &CancellationToken) {
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
                _ = progress.tick() => observer.progress(&self.progress()),
            }
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
                // A thread that has ended needs no spare.
                let _ = self.threads[thread].spares.send(part);
            }
            Report::Lost { client, failure } => {
                if self.stopped_at.is_none() {
                    self.ended = Ended::Failed(format!("client {client} lost its connection: {failure}"));
                    self.stop();
                }
            }
            Report::Finished { cpu, last_end } => {
                self.finished += 1;
                self.client_cpu += cpu;
                self.last_end = self.last_end.max(last_end);
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
        let planned = epoch + self.load.warmup;
        let begin = match self.latest_warm {
            Some(warm) if warm + LEAD > planned => warm.max(Instant::now()) + LEAD,
            _ => planned,
        };
        let from = nanoseconds(begin.duration_since(epoch));
        let to = from.saturating_add(nanoseconds(self.load.duration));
        self.window = Some((from, to));
        self.started_at = wall_clock(begin);
        self.order(Order::Measure { begin: from, end: to });
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

    fn progress(&self) -> Progress {
        let now = self.since_epoch(Instant::now());
        let (stage, elapsed, planned) = match (self.epoch, self.window) {
            (None, _) => (Stage::Connecting, nanoseconds(self.connecting_since.elapsed()), Duration::ZERO),
            (Some(_), Some((_, end))) if now >= end => (Stage::Draining, now - end, self.load.grace),
            (Some(_), Some((begin, _))) if now >= begin => (Stage::Measuring, now - begin, self.load.duration),
            (Some(_), Some((begin, _))) => (Stage::WarmUp, now, Duration::from_nanos(begin)),
            (Some(_), None) => (Stage::WarmUp, now, self.load.warmup),
        };
        let (operations, errors) = self.ledger.counts();
        let measured = match stage {
            Stage::Measuring => Duration::from_nanos(elapsed),
            Stage::Draining => self.load.duration,
            Stage::Connecting | Stage::WarmUp => Duration::ZERO,
        };
        let good = (operations - errors) as f64;
        let response = self.ledger.response();
        let quantile = |q| (!response.is_empty()).then(|| response.value_at_quantile(q));
        Progress {
            stage,
            elapsed: Duration::from_nanos(elapsed),
            planned,
            operations,
            errors,
            throughput_per_s: if measured.is_zero() { 0.0 } else { good / measured.as_secs_f64() },
            p50_ns: quantile(0.5),
            p95_ns: quantile(0.95),
            p99_ns: quantile(0.99),
            skipped: 0,
            seconds: Vec::new(),
            load_stage: None,
            disconnected: 0,
        }
    }

    fn close(self) -> Result<Measurement, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let stopped = self.stopped_at.map(|moment| self.since_epoch(moment));
        let (sending, measured) = self.window.map_or((0, 0), |(begin, end)| {
            let until = stopped.map_or(end, |stopped| stopped.min(end));
            (until.saturating_sub(begin), until.max(self.last_end).saturating_sub(begin))
        });
        let warm_up = WarmUp {
            length: self
                .window
                .filter(|_| measured > 0)
                .map_or(Duration::ZERO, |(begin, _)| Duration::from_nanos(begin)),
            cold_clients: self.cold_clients,
        };
        let started_at = if measured > 0 { self.started_at } else { jiff::Timestamp::now() };
        let measured = Duration::from_nanos(measured);
        let (total, statements, slices) = self.ledger.close(self.load.duration, measured);
        Ok(Measurement {
            started_at,
            measured,
            sending: Duration::from_nanos(sending),
            total,
            scripts: statements,
            steps: Vec::new(),
            stages: Vec::new(),
            arrivals: None,
            connections: ConnectionFigures::default(),
            slices,
            client_cpu: self.client_cpu,
            warm_up,
            ended: self.ended,
        })
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The wall clock's time at a moment that is near.
fn wall_clock(moment: Instant) -> jiff::Timestamp {
    let now = Instant::now();
    let ahead = jiff::SignedDuration::try_from(moment.saturating_duration_since(now)).unwrap_or_default();
    jiff::Timestamp::now().checked_add(ahead).unwrap_or(jiff::Timestamp::MAX)
}
