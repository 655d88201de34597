//! One sending thread: its clients from the first connection to the last answer.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{Arc, mpsc::Receiver},
    time::Duration,
};

use futures_util::future::LocalBoxFuture;
use tokio::{
    sync::{
        Notify, Semaphore,
        mpsc::{UnboundedReceiver, UnboundedSender},
    },
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};

use super::{
    client::{Client, Course, Flight},
    cpu::cpu_time,
    crew::Crew,
    recorder::{PART_NS, Part, Recorder},
    target::{Failure, FailureKind, Session, Target},
};
use crate::load::{Load, Workload};

/// Connections that one thread opens at a time: enough to be quick, few enough for a server's listen queue.
const CONNECTING_AT_ONCE: usize = 16;

/// How long operations in flight may go on when the measurement is stopped.
const STOP_GRACE: Duration = Duration::from_millis(250);

/// How long a target may take to give up what was cut.
const CANCEL_GRACE: Duration = Duration::from_millis(400);

/// What the conductor tells a worker.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    /// Begin the warm-up at this moment.
    Start { epoch: Instant },
    /// Measure what is sent in this window; nanoseconds since the epoch.
    Measure { begin: u64, end: u64 },
    /// End at once.
    Stop,
}

/// What a worker tells the conductor.
pub(super) enum Report {
    /// All clients are connected.
    Ready { at: Instant },
    /// A client cannot connect.
    Unconnected { client: u32, failure: Failure },
    /// The warm-up may end, as far as this thread is concerned; `cold` clients had not executed every statement often enough.
    Warm { at: Instant, cold: u32 },
    /// Figures of the window.
    Part { thread: usize, part: Part },
    /// A connection died.
    Lost { client: u32, failure: Failure },
    /// All is over: user and system time in the window, and when the last operation ended.
    Finished { cpu: Duration, last_end: u64 },
    /// The thread is gone.
    Gone,
}

/// One sending thread's share of a measurement.
pub(super) struct Worker<T> {
    pub(super) target: Arc<T>,
    pub(super) workload: Arc<Workload>,
    pub(super) load: Load,
    pub(super) thread: usize,
    pub(super) orders: UnboundedReceiver<Order>,
    pub(super) reports: UnboundedSender<Report>,
    pub(super) spares: Receiver<Part>,
}

/// Says that the thread is gone, however it went.
pub(super) struct Farewell(pub(super) UnboundedSender<Report>);

impl Drop for Farewell {
    fn drop(&mut self) {
        // A conductor that has gone away needs no farewell.
        let _ = self.0.send(Report::Gone);
    }
}

/// A running client as its thread sees it.
struct Running {
    flight: Rc<Flight>,
    cancellation: LocalBoxFuture<'static, ()>,
}

impl<T: Target> Worker<T> {
    /// Connects, warms up, measures, awaits what is in flight.
    pub(super) async fn run(mut self) {
        let Some(sessions) = self.connect().await else { return };
        self.report(Report::Ready { at: Instant::now() });
        let Order::Start { epoch } = order(&mut self.orders).await else { return };
        sleep_until(epoch).await;
        self.drive(sessions, epoch).await;
    }

    /// The sessions of this thread's clients; `None` when one fails or the measurement is stopped meanwhile.
    async fn connect(&mut self) -> Option<Vec<(u32, T::Session)>> {
        let target = &self.target;
        let threads = self.load.threads.max(1) as usize;
        let clients = (self.thread as u32..self.load.clients).step_by(threads);
        let turns = Semaphore::new(CONNECTING_AT_ONCE);
        let connected = RefCell::new(Vec::new());
        let failed = RefCell::new(None);
        let connecting = Crew::new(clients.map(async |client| {
            // Never closed, so that a turn always comes.
            let _turn = turns.acquire().await;
            if failed.borrow().is_some() {
                return;
            }
            match target.connect(client).await {
                Ok(session) => connected.borrow_mut().push((client, session)),
                Err(failure) => drop(failed.borrow_mut().get_or_insert((client, failure))),
            }
        }));
        tokio::select! {
            () = connecting => {}
            _ = order(&mut self.orders) => return None,
        }
        match failed.into_inner() {
            None => Some(connected.into_inner()),
            Some((client, failure)) => {
                self.report(Report::Unconnected { client, failure });
                None
            }
        }
    }

    async fn drive(&mut self, sessions: Vec<(u32, T::Session)>, epoch: Instant) {
        let reports = self.reports.clone();
        let thread = self.thread;
        let hand_over = move |part| {
            let _ = reports.send(Report::Part { thread, part });
        };
        let spares = std::mem::replace(&mut self.spares, std::sync::mpsc::channel().1);
        let course = Rc::new(Course {
            epoch,
            begin: Cell::new(u64::MAX),
            end: Cell::new(u64::MAX),
            cold: Cell::new(sessions.len() as u32),
            warm: Notify::new(),
            recorder: RefCell::new(Recorder::new(self.workload.statements(), spares, hand_over)),
        });
        let mut clients = Vec::with_capacity(sessions.len());
        let mut running = Vec::with_capacity(sessions.len());
        for (number, session) in sessions {
            let flight = Rc::new(Flight::default());
            running.push(Running { flight: Rc::clone(&flight), cancellation: session.cancellation() });
            let client = Client {
                number,
                clients: self.load.clients,
                session,
                workload: Arc::clone(&self.workload),
                course: Rc::clone(&course),
                flight,
            };
            let reports = self.reports.clone();
            clients.push(async move {
                if let Some(failure) = client.run().await {
                    let _ = reports.send(Report::Lost { client: number, failure });
                }
            });
        }
        let mut crew = Crew::new(clients);
        let (cpu, all_ended) = self.conduct(&course, &mut crew).await;
        if !all_ended {
            cut(&course, running, crew).await;
        }
        let mut recorder = course.recorder.borrow_mut();
        recorder.flush();
        self.report(Report::Finished { cpu, last_end: recorder.last_end() });
    }

    /// Leads the clients through warm-up, window and drain. Returns when all have ended or the grace time is over; the
    /// processor time is that of the window.
    async fn conduct<F: Future<Output = ()>>(&mut self, course: &Course, mut crew: &mut Crew<F>) -> (Duration, bool) {
        let mut ticker = interval(Duration::from_nanos(PART_NS));
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut warm_limit = Some(course.epoch + self.load.longest_warmup());
        let mut begin = None;
        let mut end = None;
        let mut deadline = None;
        let mut cpu_begin = None;
        let mut cpu = Duration::ZERO;
        let all_ended = loop {
            tokio::select! {
                () = &mut crew => break true,
                order = order(&mut self.orders) => match order {
                    Order::Measure { begin: from, end: to } => {
                        course.open(from, to);
                        begin = Some(course.epoch + Duration::from_nanos(from));
                        end = Some(course.epoch + Duration::from_nanos(to));
                    }
                    Order::Stop | Order::Start { .. } => {
                        course.end.set(0);
                        cpu = cpu_begin.take().map_or(cpu, |at| cpu_time().saturating_sub(at));
                        (warm_limit, begin, end) = (None, None, None);
                        deadline = Some(Instant::now() + STOP_GRACE);
                    }
                },
                () = course.warm.notified() => self.warm(course, &mut warm_limit),
                () = at(warm_limit) => self.warm(course, &mut warm_limit),
                () = at(begin) => {
                    begin = None;
                    cpu_begin = Some(cpu_time());
                }
                () = at(end) => {
                    end = None;
                    cpu = cpu_begin.take().map_or(cpu, |at| cpu_time().saturating_sub(at));
                    deadline = Some(Instant::now() + self.load.grace);
                }
                () = at(deadline) => break false,
                _ = ticker.tick() => course.recorder.borrow_mut().roll(course.now()),
            }
        };
        // All clients may have ended before the timer of the window's end.
        (cpu_begin.map_or(cpu, |at| cpu_time().saturating_sub(at)), all_ended)
    }

    fn warm(&self, course: &Course, limit: &mut Option<Instant>) {
        if limit.take().is_some() {
            self.report(Report::Warm { at: Instant::now(), cold: course.cold.get() });
        }
    }

    fn report(&self, report: Report) {
        // A conductor that has gone away stops this worker through the orders' channel.
        let _ = self.reports.send(report);
    }
}

/// Notes what is still in flight at its elapsed time, as a timeout, and has the target give it up.
async fn cut<F>(course: &Course, running: Vec<Running>, crew: Crew<F>) {
    let now = course.now();
    let mut cancellations = Vec::new();
    for client in running {
        let Some(flown) = client.flight.current() else { continue };
        if flown.measured {
            let failure = Failure {
                kind: FailureKind::Timeout,
                sqlstate: None,
                message: "no answer until the measurement ended".to_owned(),
            };
            let elapsed = now.saturating_sub(flown.intended);
            course.recorder.borrow_mut().note(flown.statement, now, elapsed, &Err(failure));
        }
        cancellations.push(client.cancellation);
    }
    let _ = timeout(CANCEL_GRACE, futures_util::future::join_all(cancellations)).await;
    drop(crew);
}

/// The next order. A conductor that has gone away wants an end.
async fn order(orders: &mut UnboundedReceiver<Order>) -> Order {
    orders.recv().await.unwrap_or(Order::Stop)
}

/// Waits until the moment; for ever without one.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
