//! The clients of a thread and the sockets they wait for.
//!
//! A [`Crew`] is a future that polls the futures of a thread's clients. What makes it faster than tasks of a runtime is how it
//! waits for sockets: with `poll(2)`, and only when no client can go on. An epoll instance is told of every answer, which costs the
//! server's process as it sends and this one as it asks; `poll` looks at sockets when there is nothing else to do, which on
//! a busy machine is once in dozens of operations.
//!
//! Everything else that a client may wait for (a pool, a connection that is opened) wakes it through its waker, as in any
//! executor; the runtime around has its turn once a [`TURN`] where a client waits for it.

use std::{
    cell::{Cell, RefCell},
    collections::BinaryHeap,
    future::Future,
    mem,
    os::fd::AsFd,
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags},
};

/// Longest time without a turn of the runtime around while a client waits for something of it and others for sockets or the clock.
const TURN: Duration = Duration::from_micros(50);

/// The same while no client waits for the runtime. A wait that is limited to less makes the system set a timer for each operation.
pub(super) const LONG_TURN: Duration = Duration::from_millis(10);

/// How long before a moment a timer of the runtime, which has milliseconds, is set to wake the crew.
const EARLY: Duration = Duration::from_millis(2);

/// Longest time without a look at sockets while some clients find their answers at once. On a machine that is busy to the brim
/// these go on first, as in pgbench; looking twenty times as often costs a sixth of the throughput and improves no percentile.
const LOOK: Duration = Duration::from_millis(1);

/// Rounds of clients that can go on between two looks at the clock, where no timer waits.
const ROUNDS: u32 = 8;

thread_local! {
    /// What the future that is being polled asks of its crew.
    static WISHES: Wishes = const { Wishes::new() };
}

/// What futures ask of their crew.
struct Wishes {
    /// Whose future is being polled.
    seat: Cell<Option<usize>>,
    /// Wants to be polled again after the others.
    again: Cell<bool>,
    /// Wants to be polled when this can be read.
    readable: RefCell<Option<Rc<dyn AsFd>>>,
    /// Wants to be polled at this time.
    at: Cell<Option<Instant>>,
}

impl Wishes {
    const fn new() -> Self {
        Self { seat: Cell::new(None), again: Cell::new(false), readable: RefCell::new(None), at: Cell::new(None) }
    }
}

/// Waits until `source` can be read or has failed. May return early: whoever waits tries and waits again.
///
/// Quick inside an engine's client; anywhere else it returns at once, so that a caller works there too, without a rest.
pub async fn readable(source: &Rc<impl AsFd + 'static>) {
    wish(|wishes| {
        let source: Rc<dyn AsFd> = Rc::clone(source) as Rc<dyn AsFd>;
        wishes.readable.replace(Some(source));
    })
    .await;
}

/// Lets the other clients that can go on do so first.
pub(super) async fn after_the_others() {
    wish(|wishes| wishes.again.set(true)).await;
}

/// Waits until `moment`, to some microseconds.
pub(super) async fn until(moment: Instant) {
    while Instant::now() < moment {
        wish(|wishes| wishes.at.set(Some(moment))).await;
    }
}

/// Leaves a wish and returns when the future is polled again.
async fn wish(leave: impl FnOnce(&Wishes)) {
    let mut leave = Some(leave);
    std::future::poll_fn(|cx| match leave.take() {
        None => Poll::Ready(()),
        Some(leave) => {
            WISHES.with(|wishes| match wishes.seat.get() {
                Some(_) => leave(wishes),
                None => cx.waker().wake_by_ref(),
            });
            Poll::Pending
        }
    })
    .await;
}

/// Futures that are polled on one thread until all have ended.
pub(super) struct Crew<F> {
    seats: Vec<Seat<F>>,
    /// Futures that have not ended.
    left: usize,
    /// To be polled next, in order.
    ready: Vec<usize>,
    /// Being polled.
    round: Vec<usize>,
    timers: BinaryHeap<Timer>,
    /// Wakes the crew while the thread is left to the runtime.
    alarm: Option<Pin<Box<tokio::time::Sleep>>>,
    bell: Arc<Bell>,
}

struct Seat<F> {
    future: Option<Pin<Box<F>>>,
    waker: Waker,
    queued: bool,
    readable: Option<Rc<dyn AsFd>>,
    /// When a timer wakes it; an entry of the heap with another time is out of date.
    at: Option<Instant>,
}

/// The earliest is the greatest.
#[derive(PartialEq, Eq)]
struct Timer {
    at: Instant,
    seat: usize,
}

impl Ord for Timer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.at, other.seat).cmp(&(self.at, self.seat))
    }
}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Where wakers say whom they woke.
#[derive(Default)]
struct Bell(Mutex<Rung>);

#[derive(Default)]
struct Rung {
    seats: Vec<usize>,
    crew: Option<Waker>,
}

struct SeatWaker {
    bell: Arc<Bell>,
    seat: usize,
}

impl Wake for SeatWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let crew = {
            let mut rung = self.bell.lock();
            rung.seats.push(self.seat);
            rung.crew.take()
        };
        if let Some(crew) = crew {
            crew.wake();
        }
    }
}

impl Bell {
    fn lock(&self) -> std::sync::MutexGuard<'_, Rung> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Future<Output = ()>> Crew<F> {
    pub(super) fn new(futures: impl IntoIterator<Item = F>) -> Self {
        let bell = Arc::new(Bell::default());
        let seat = |(seat, future)| Seat {
            future: Some(Box::pin(future)),
            waker: Waker::from(Arc::new(SeatWaker { bell: Arc::clone(&bell), seat })),
            queued: true,
            readable: None,
            at: None,
        };
        let seats: Vec<_> = futures.into_iter().enumerate().map(seat).collect();
        Self {
            left: seats.len(),
            ready: (0..seats.len()).collect(),
            round: Vec::with_capacity(seats.len()),
            timers: BinaryHeap::new(),
            alarm: None,
            seats,
            bell,
        }
    }

    fn queue(&mut self, seat: usize) {
        let waiting = &mut self.seats[seat];
        if waiting.future.is_some() && !mem::replace(&mut waiting.queued, true) {
            self.ready.push(seat);
        }
    }

    fn poll_seat(&mut self, seat: usize) {
        let polled = &mut self.seats[seat];
        polled.queued = false;
        polled.readable = None;
        polled.at = None;
        let Some(future) = &mut polled.future else { return };
        let outcome = WISHES.with(|wishes| {
            wishes.seat.set(Some(seat));
            let outcome = future.as_mut().poll(&mut Context::from_waker(&polled.waker));
            wishes.seat.set(None);
            polled.readable = wishes.readable.take();
            polled.at = wishes.at.take();
            (outcome, wishes.again.take())
        });
        if let Some(at) = polled.at {
            self.timers.push(Timer { at, seat });
        }
        match outcome {
            (Poll::Ready(()), _) => {
                polled.future = None;
                polled.readable = None;
                self.left -= 1;
            }
            (Poll::Pending, true) => self.queue(seat),
            (Poll::Pending, false) => {}
        }
    }

    /// Polls those that are queued, once each.
    fn poll_ready(&mut self) {
        let mut round = mem::replace(&mut self.ready, mem::take(&mut self.round));
        for seat in round.drain(..) {
            self.poll_seat(seat);
        }
        self.round = round;
    }

    /// Leaves the thread to the runtime until shortly before `next`. Whether it has any time until then.
    fn rests_until(&mut self, next: Option<Instant>, cx: &mut Context<'_>) -> bool {
        let Some(next) = next else { return true };
        let at = tokio::time::Instant::from_std(next - EARLY);
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        alarm.as_mut().reset(at);
        alarm.as_mut().poll(cx).is_pending()
    }

    /// Whether a client waits for neither a socket nor the clock.
    fn waits_for_the_runtime(&self) -> bool {
        let waits =
            |seat: &Seat<F>| seat.future.is_some() && !seat.queued && seat.readable.is_none() && seat.at.is_none();
        self.seats.iter().any(waits)
    }

    /// Queues whom wakers have woken; `crew` is woken when there are more.
    fn answer_bell(&mut self, crew: Option<&Waker>) {
        let mut rung = self.bell.lock();
        rung.crew = crew.cloned();
        let mut seats = mem::take(&mut rung.seats);
        drop(rung);
        for seat in seats.drain(..) {
            self.queue(seat);
        }
    }

    /// Queues those whose time has come. The next time, if any.
    fn look_at_clock(&mut self, now: Instant) -> Option<Instant> {
        while let Some(Timer { at, seat }) = self.timers.peek() {
            let (at, seat) = (*at, *seat);
            if self.seats[seat].at != Some(at) {
                self.timers.pop();
            } else if at <= now {
                self.timers.pop();
                self.queue(seat);
            } else {
                return Some(at);
            }
        }
        None
    }

    /// Queues those whose sockets can be read, waiting for one for at most `limit`. Whether any is waited for.
    fn look_at_sockets(&mut self, limit: Duration) -> bool {
        let mut seats = Vec::with_capacity(self.seats.len());
        let mut sources = Vec::with_capacity(self.seats.len());
        for (seat, waiting) in self.seats.iter().enumerate() {
            if let Some(source) = &waiting.readable
                && !waiting.queued
            {
                seats.push(seat);
                sources.push(PollFd::new((**source).as_fd(), PollFlags::POLLIN));
            }
        }
        if sources.is_empty() {
            return false;
        }
        let is_told = poll(&mut sources, limit);
        let mut source = sources.iter();
        seats.retain(|_| source.next().is_some_and(|source| !is_told || source.any().unwrap_or(true)));
        drop(sources);
        for seat in seats {
            self.queue(seat);
        }
        true
    }
}

/// Waits until one of the sources can be read, for at most `limit`. Whether the system tells which: where it does not, everybody
/// has to try.
fn poll(sources: &mut [PollFd<'_>], limit: Duration) -> bool {
    #[cfg(target_os = "linux")]
    let outcome = nix::poll::ppoll(sources, Some(limit.into()), None);
    #[cfg(not(target_os = "linux"))]
    let outcome =
        nix::poll::poll(sources, nix::poll::PollTimeout::try_from(limit).unwrap_or(nix::poll::PollTimeout::ZERO));
    matches!(outcome, Ok(_) | Err(Errno::EINTR))
}

impl<F: Future<Output = ()>> Future for Crew<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let crew = self.get_mut();
        let begin = Instant::now();
        crew.answer_bell(None);
        crew.look_at_clock(begin);
        crew.look_at_sockets(Duration::ZERO);
        let mut rounds = 0_u32;
        let mut looked = begin;
        loop {
            crew.poll_ready();
            if crew.left == 0 {
                return Poll::Ready(());
            }
            rounds = rounds.wrapping_add(1);
            if !crew.ready.is_empty() && crew.timers.is_empty() && !rounds.is_multiple_of(ROUNDS) {
                continue;
            }
            let now = Instant::now();
            let next = crew.look_at_clock(now);
            crew.answer_bell(None);
            let turn = if crew.waits_for_the_runtime() { TURN } else { LONG_TURN };
            let left = turn.saturating_sub(now - begin);
            if left.is_zero() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if !crew.ready.is_empty() {
                if now - looked >= LOOK {
                    looked = now;
                    crew.look_at_sockets(Duration::ZERO);
                }
                continue;
            }
            looked = now;
            let limit = next.map_or(left, |at| left.min(at - now));
            if crew.look_at_sockets(limit) {
                continue;
            }
            // Nobody waits for a socket.
            match next {
                Some(at) if turn == LONG_TURN || at - now < EARLY => _ = poll(&mut [], limit),
                _ => {
                    crew.answer_bell(Some(cx.waker()));
                    if crew.ready.is_empty() && crew.rests_until(next, cx) {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}
