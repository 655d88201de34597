//! Which executions the comparison of results wants, the most telling first, and how long there is for them.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

/// Sets that stand for classes of values; they are the first ones.
const CLASSES: usize = 4;

/// Sets that are executed a second time in each state.
pub(super) const REPEATED: usize = 20;

/// One execution of an operation as a role for one of its sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) role: usize,
    pub(super) script: usize,
    pub(super) set: usize,
    /// Whether it is the second execution, which shows whether the operation is deterministic.
    pub(super) again: bool,
}

/// All executions for `roles` roles of operations with so many sets each: those for the classes of values first, of every operation as
/// every role, then the others in turns. Whatever the time ends, it ends for all of them alike.
pub(super) fn jobs(roles: usize, sets: &[usize]) -> Vec<Job> {
    let most = sets.iter().copied().max().unwrap_or(0);
    let mut jobs = Vec::new();
    for (range, repeated) in [(0..CLASSES, CLASSES), (CLASSES..most, REPEATED)] {
        for again in [false, true] {
            for set in range.clone().take_while(|set| !again || *set < repeated) {
                let of_set = sets.iter().enumerate().filter(|(_, count)| set < **count);
                jobs.extend(
                    of_set.flat_map(|(script, _)| (0..roles).map(move |role| Job { role, script, set, again })),
                );
            }
        }
    }
    jobs
}

/// What is still to be done in one phase, and what is done. For the workers of one thread.
pub(super) struct Agenda<T> {
    jobs: Vec<Job>,
    next: Cell<usize>,
    done: RefCell<Vec<(Job, T)>>,
    /// No job is begun after it, but the first ones.
    deadline: Instant,
    /// Jobs that are begun however late it is: the first of each operation as each role.
    least: usize,
}

impl<T> Agenda<T> {
    /// With `limit` from now on; `least` jobs are begun in any case.
    pub(super) fn new(jobs: Vec<Job>, limit: Duration, least: usize) -> Self {
        let done = RefCell::new(Vec::with_capacity(jobs.len()));
        Self { jobs, next: Cell::new(0), done, deadline: Instant::now() + limit, least }
    }

    /// The next job; `None` when there is none, or no time for it.
    pub(super) fn next(&self) -> Option<Job> {
        let at = self.next.get();
        if at >= self.least && Instant::now() >= self.deadline {
            return None;
        }
        let job = self.jobs.get(at).copied()?;
        self.next.set(at + 1);
        Some(job)
    }

    /// Notes the result of a job.
    pub(super) fn put(&self, job: Job, result: T) {
        self.done.borrow_mut().push((job, result));
    }

    /// How many are done, of how many.
    pub(super) fn progress(&self) -> (usize, usize) {
        (self.done.borrow().len(), self.jobs.len())
    }

    /// When no further job is begun.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// What was done.
    pub(super) fn end(self) -> Vec<(Job, T)> {
        self.done.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_come_first_and_operations_take_turns() {
        let jobs = jobs(2, &[30, 1, 6]);
        let of = |job: &Job| (job.set, job.script, job.role, job.again);
        let begin: Vec<_> = jobs.iter().take(7).map(of).collect();
        assert_eq!(
            begin,
            [
                (0, 0, 0, false),
                (0, 0, 1, false),
                (0, 1, 0, false),
                (0, 1, 1, false),
                (0, 2, 0, false),
                (0, 2, 1, false),
                (1, 0, 0, false)
            ]
        );
        let firsts = jobs.iter().filter(|job| !job.again).count();
        assert_eq!((firsts, jobs.len() - firsts), (2 * (30 + 1 + 6), 2 * (20 + 1 + 6)));
        let first_again = jobs.iter().position(|job| job.again).unwrap();
        assert!(jobs[..first_again].iter().all(|job| job.set < CLASSES));
        let mut distinct = jobs.clone();
        distinct.sort_by_key(of);
        distinct.dedup();
        assert_eq!(distinct.len(), jobs.len());
    }

    #[test]
    fn the_first_job_of_each_is_begun_without_any_time() {
        let agenda = Agenda::new(jobs(1, &[3, 3]), Duration::ZERO, 2);
        let mut begun = Vec::new();
        while let Some(job) = agenda.next() {
            begun.push((job.script, job.set));
            agenda.put(job, ());
        }
        assert_eq!((begun, agenda.progress()), (vec![(0, 0), (1, 0)], (2, 12)));
        let agenda = Agenda::new(jobs(1, &[3, 3]), Duration::from_secs(3600), 2);
        while let Some(job) = agenda.next() {
            agenda.put(job, ());
        }
        assert_eq!(agenda.end().len(), 12);
    }
}
