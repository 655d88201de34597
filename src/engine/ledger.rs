//! What all threads noted, merged.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use hdrhistogram::Histogram;

use super::{
    histogram::{CompactHistogram, empty_histogram, merge},
    measurement::{Figures, SliceFigures},
    recorder::{PARTS_IN_SLICE, Part, Tally},
};

/// Slices kept open for parts that other threads hand over later; older ones are compacted.
const OPEN_SLICES: usize = 2;

/// What all threads noted so far.
pub(super) struct Ledger {
    statements: Vec<Sum>,
    /// Response times over all statements.
    response: Histogram<u64>,
    slices: BTreeMap<u64, Slice>,
    open: BTreeSet<u64>,
}

struct Sum {
    operations: u64,
    response: Histogram<u64>,
    failed: Histogram<u64>,
    errors: BTreeMap<String, (u64, String)>,
}

/// A slice whose response times are open for more, or at rest, or neither when there are none.
#[derive(Default)]
struct Slice {
    operations: u64,
    errors: u64,
    open: Option<Box<Histogram<u64>>>,
    compact: Option<CompactHistogram>,
}

impl Ledger {
    pub(super) fn new(statements: usize) -> Self {
        let sum =
            || Sum { operations: 0, response: empty_histogram(), failed: empty_histogram(), errors: BTreeMap::new() };
        Self {
            statements: (0..statements).map(|_| sum()).collect(),
            response: empty_histogram(),
            slices: BTreeMap::new(),
            open: BTreeSet::new(),
        }
    }

    /// Adds what a thread handed over.
    pub(super) fn add(&mut self, part: &Part) {
        let at = part.index / PARTS_IN_SLICE;
        let slice = self.slices.entry(at).or_default();
        self.open.insert(at);
        for (sum, tally) in self.statements.iter_mut().zip(&part.statements) {
            if tally.operations == 0 {
                continue;
            }
            sum.add(tally);
            merge(&mut self.response, &tally.response);
            slice.add(tally);
        }
        while self.open.len() > OPEN_SLICES {
            if let Some(oldest) = self.open.pop_first().and_then(|oldest| self.slices.get_mut(&oldest)) {
                oldest.compact();
            }
        }
    }

    /// Response times over all statements so far.
    pub(super) fn response(&self) -> &Histogram<u64> {
        &self.response
    }

    /// Operations and, of these, errors so far.
    pub(super) fn counts(&self) -> (u64, u64) {
        self.slices
            .values()
            .fold((0, 0), |(operations, errors), slice| (operations + slice.operations, errors + slice.errors))
    }

    /// The figures by statement and over all, and the slices of a window that lasted `measured` of the `planned` time.
    pub(super) fn close(self, planned: Duration, measured: Duration) -> (Figures, Vec<Figures>, Vec<SliceFigures>) {
        let statements: Vec<Figures> = self.statements.into_iter().map(Sum::figures).collect();
        let mut total =
            Sum { operations: 0, response: self.response, failed: empty_histogram(), errors: BTreeMap::new() };
        for figures in &statements {
            total.operations += figures.operations;
            merge(&mut total.failed, &figures.failed);
            for (code, (count, sample)) in &figures.errors {
                total.errors.entry(code.clone()).or_insert_with(|| (0, sample.clone())).0 += count;
            }
        }
        (total.figures(), statements, close_slices(self.slices, planned, measured))
    }
}

/// Every slice of the window, those without operations too, the last one as long as the window went on.
fn close_slices(mut slices: BTreeMap<u64, Slice>, planned: Duration, measured: Duration) -> Vec<SliceFigures> {
    let second = Duration::from_secs(1);
    let last = planned.min(measured).as_nanos().div_ceil(second.as_nanos()).saturating_sub(1);
    let last = u64::try_from(last).unwrap_or(u64::MAX).max(slices.keys().next_back().copied().unwrap_or(0));
    if measured.is_zero() {
        return Vec::new();
    }
    (0..=last)
        .map(|at| {
            let start = Duration::from_secs(at);
            let length = if at == last { measured.saturating_sub(start) } else { second };
            let slice = slices.remove(&at).unwrap_or_default();
            let (operations, errors) = (slice.operations, slice.errors);
            SliceFigures {
                start,
                length,
                operations,
                errors,
                skipped: 0,
                retries: 0,
                response: slice.into_rest(),
                active_clients: 0.0,
                connected_clients: 0.0,
                pool: None,
            }
        })
        .collect()
}

impl Sum {
    fn add(&mut self, tally: &Tally) {
        self.operations += tally.operations;
        merge(&mut self.response, &tally.response);
        if let Some(failed) = &tally.failed {
            merge(&mut self.failed, failed);
        }
        for (code, (count, sample)) in &tally.errors {
            self.errors.entry(code.clone()).or_insert_with(|| (0, sample.clone())).0 += count;
        }
    }

    /// In a closed load an operation is sent when it is intended to be: service is response and lag is 0.
    fn figures(self) -> Figures {
        let mut lag = empty_histogram();
        lag.saturating_record_n(0, self.response.len());
        Figures {
            operations: self.operations,
            skipped: 0,
            late: 0,
            retries: 0,
            wait: None,
            service: self.response.clone(),
            response: self.response,
            lag,
            failed: self.failed,
            errors: self.errors,
        }
    }
}

impl Slice {
    fn add(&mut self, tally: &Tally) {
        self.operations += tally.operations;
        self.errors += tally.errors.values().map(|(count, _)| count).sum::<u64>();
        let rest = self.compact.take();
        let open =
            self.open.get_or_insert_with(|| Box::new(rest.map_or_else(empty_histogram, |compact| compact.histogram())));
        merge(open, &tally.response);
    }

    fn compact(&mut self) {
        if let Some(open) = self.open.take() {
            self.compact = Some(CompactHistogram::new(&open));
        }
    }

    fn into_rest(mut self) -> CompactHistogram {
        self.compact();
        self.compact.unwrap_or_else(|| CompactHistogram::new(&empty_histogram()))
    }
}
