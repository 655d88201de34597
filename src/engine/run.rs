//! Starts the threads of a measurement.

use std::sync::{Arc, atomic::AtomicU32};

use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use super::{
    conductor::{Conductor, Thread},
    course::{Clock, Shared},
    error::Error,
    measurement::Measurement,
    observer::Observer,
    recorder::Layout,
    schedule::Schedule,
    target::Target,
    worker::{Farewell, Worker},
};
use crate::load::{Load, Workload};

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
            // The least: the system may otherwise let a thread sleep 50 us longer than it asks for.
            #[cfg(target_os = "linux")]
            let _ = nix::sys::prctl::set_timerslack(1);
            let farewell = Farewell(worker.reports.clone());
            runtime.block_on(worker.run());
            // The thread says that it is gone when its connections are.
            runtime.shutdown_background();
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
    let shared = Arc::new(Shared { schedule: Schedule::new(&load), load, workload, disconnected: AtomicU32::new(0) });
    let (reports, mut inbox) = unbounded_channel();
    let pool = {
        let target = Arc::clone(&target);
        Box::new(move || target.pool())
    };
    let layout = Layout::new(&shared.load, &shared.workload, target.shares());
    let mut conductor = Conductor::new(Arc::clone(&shared), layout.clone(), pool);
    let all_ended = CancellationToken::new();
    let at_work = Arc::new(all_ended.clone().drop_guard());
    for thread in 0..shared.load.threads as usize {
        let (orders, orders_of_worker) = unbounded_channel();
        let (spares, spares_of_worker) = std::sync::mpsc::channel();
        start(Worker {
            target: Arc::clone(&target),
            shared: Arc::clone(&shared),
            layout: layout.clone(),
            clock: Clock::Crew,
            thread,
            orders: orders_of_worker,
            reports: reports.clone(),
            spares: spares_of_worker,
            at_work: Arc::clone(&at_work),
            all_ended: all_ended.clone(),
        })?;
        conductor.threads.push(Thread { orders, spares });
    }
    drop((reports, at_work));
    conductor.lead(&mut inbox, &*observer, &stop).await;
    conductor.close()
}
