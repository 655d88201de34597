//! One sending thread: its clients from the first connection to the last answer.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{Arc, mpsc::Receiver},
    time::Duration,
};

use tokio::{
    sync::{
        Notify, Semaphore,
        mpsc::{UnboundedReceiver, UnboundedSender},
    },
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    client::Client,
    course::{Clock, Course, Flight, Shared},
    cpu::cpu_time,
    crew::Crew,
    measurement::ConnectionFigures,
    recorder::{Done, Layout, PART_NS, Part, Recorder},
    target::{Failure, FailureKind, Steps, Target},
};

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
    /// End the window at this moment, before its time; nanoseconds since the epoch.
    End { at: u64 },
    /// End at once.
    Stop,
}

/// What a worker tells the conductor.
pub(super) enum Report {
    /// All clients are connected.
    Ready { at: Instant },
    /// A client cannot connect.
    Unconnected { client: u32, failure: Failure },
    /// The warm-up may end, as far as this thread is concerned; `cold` clients had not executed every script often enough.
    Warm { at: Instant, cold: u32 },
    /// Figures of the window.
    Part { thread: usize, part: Part },
    /// All is over.
    Finished(Finished),
    /// The thread is gone.
    Gone,
}

/// What a thread has to say at the end.
pub(super) struct Finished {
    /// User and system time of the thread in the window.
    pub(super) cpu: Duration,
    /// When the last operation ended; nanoseconds since the epoch.
    pub(super) last_end: u64,
    /// When the last operation was sent.
    pub(super) last_sent: u64,
    pub(super) losses: ConnectionFigures,
}

/// One sending thread's share of a measurement.
pub(super) struct Worker<T> {
    pub(super) target: Arc<T>,
    pub(super) shared: Arc<Shared>,
    pub(super) layout: Layout,
    pub(super) clock: Clock,
    pub(super) thread: usize,
    pub(super) orders: UnboundedReceiver<Order>,
    pub(super) reports: UnboundedSender<Report>,
    pub(super) spares: Receiver<Part>,
    /// Held while operations of this thread are in flight.
    pub(super) at_work: Arc<DropGuard>,
    /// Cancelled when those of all threads have ended.
    pub(super) all_ended: CancellationToken,
}

/// Says that the thread is gone, however it went.
pub(super) struct Farewell(pub(super) UnboundedSender<Report>);

impl Drop for Farewell {
    fn drop(&mut self) {
        // A conductor that has gone away needs no farewell.
        let _ = self.0.send(Report::Gone);
    }
}

impl<T: Target> Worker<T> {
    /// Connects, warms up, measures, awaits what is in flight.
    pub(super) async fn run(mut self) {
        let Some(sessions) = self.connect().await else { return };
        self.report(Report::Ready { at: Instant::now() });
        let Order::Start { epoch } = order(&mut self.orders).await else { return };
        sleep_until(epoch).await;
        self.drive(sessions, epoch).await;
        drop(self.at_work);
        // Until then others may work on a pool's connections that this thread's runtime drives.
        self.all_ended.cancelled().await;
    }

    /// The sessions of this thread's clients; `None` when one fails or the measurement is stopped meanwhile.
    async fn connect(&mut self) -> Option<Vec<(u32, T::Session)>> {
        let target = &self.target;
        let load = &self.shared.load;
        let threads = load.threads.max(1) as usize;
        let clients = (self.thread as u32..load.clients).step_by(threads);
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
        let load = &self.shared.load;
        let course = Rc::new(Course {
            shared: Arc::clone(&self.shared),
            clock: self.clock,
            epoch,
            profile: load.profile(),
            pauses: load.pauses(),
            shares: self.target.shares(),
            begin: Cell::new(u64::MAX),
            end: Cell::new(u64::MAX),
            stopped: Cell::new(false),
            cold: Cell::new(sessions.len() as u32),
            warm: Notify::new(),
            recorder: RefCell::new(Recorder::new(self.layout.clone(), spares, hand_over)),
            losses: RefCell::default(),
        });
        let mut flights = Vec::with_capacity(sessions.len());
        let clients = sessions.into_iter().map(|(number, session)| {
            let flight = Rc::new(Flight::default());
            flights.push(Rc::clone(&flight));
            Client::new(number, Arc::clone(&self.target), Rc::clone(&course), flight).run(session)
        });
        let mut crew = Crew::new(clients);
        let (cpu, all_ended) = self.conduct(&course, &mut crew).await;
        if !all_ended {
            cut(&course, &flights).await;
        }
        drop(crew);
        for since in flights.iter().filter_map(|flight| flight.lost_since.get()) {
            course.was_without(since, course.now());
        }
        let mut recorder = course.recorder.borrow_mut();
        recorder.close(course.now());
        let (last_end, last_sent) = recorder.last();
        self.report(Report::Finished(Finished { cpu, last_end, last_sent, losses: course.losses.take() }));
    }

    /// Leads the clients through warm-up, window and drain. Returns when all have ended or the grace time is over; the
    /// processor time is that of the window.
    async fn conduct<F: Future<Output = ()>>(&mut self, course: &Course, mut crew: &mut Crew<F>) -> (Duration, bool) {
        let mut ticker = interval(Duration::from_nanos(PART_NS));
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut warm_limit = Some(course.epoch + self.shared.load.longest_warmup());
        let mut begin = None;
        let mut end = None;
        let mut deadline = None;
        let mut cpu_begin = None;
        let mut cpu = Duration::ZERO;
        let mut all_ended = false;
        loop {
            tokio::select! {
                () = &mut crew, if !all_ended => all_ended = true,
                order = order(&mut self.orders) => match order {
                    Order::Measure { begin: from, end: to } => {
                        course.open(from, to);
                        begin = Some(course.epoch + Duration::from_nanos(from));
                        end = Some(course.epoch + Duration::from_nanos(to));
                    }
                    Order::End { at } => {
                        course.end_at(at);
                        end = end.map(|_| course.epoch + Duration::from_nanos(at));
                    }
                    Order::Stop | Order::Start { .. } => {
                        course.stopped.set(true);
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
                    deadline = Some(Instant::now() + self.shared.load.grace);
                }
                () = at(deadline) => break,
                _ = ticker.tick() => course.recorder.borrow_mut().roll(course.now()),
            }
            // The window lasts, though nothing more may be due in it.
            if all_ended && end.is_none() {
                break;
            }
        }
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
async fn cut(course: &Course, flights: &[Rc<Flight>]) {
    let now = course.now();
    let mut cancellations = Vec::new();
    for flight in flights {
        let Some(mut flown) = flight.current() else { continue };
        if flown.measured {
            let failure = Failure {
                kind: FailureKind::Timeout,
                sqlstate: None,
                message: "no answer until the measurement ended".to_owned(),
            };
            if flown.sent.is_none() {
                flown.wait = now - flown.begun;
            }
            course.recorder.borrow_mut().note(&Done::new(&flown, now), &Err(failure), &Steps::default());
        }
        cancellations.extend(flight.cancellation.take());
    }
    let _ = timeout(CANCEL_GRACE, futures_util::future::join_all(cancellations)).await;
}

/// The next order. A conductor that has gone away wants an end.
async fn order(orders: &mut UnboundedReceiver<Order>) -> Order {
    orders.recv().await.unwrap_or(Order::Stop)
}

/// Waits until the moment; for ever without one.
pub(super) async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
