//! What threads noted, in sum.

use super::*;
use crate::{
    engine::{
        ledger::{Closed, Ledger},
        recorder::{Layout, PART_NS, Part},
    },
    scenario::Step,
    stats::{CompactHistogram, empty_histogram},
};

const SECOND: Duration = Duration::from_secs(1);

fn close(load: &Load, workload: &Workload, parts: &[Part]) -> Closed {
    let mut ledger = Ledger::new(load, workload);
    parts.iter().for_each(|part| ledger.add(part));
    ledger.close(load, SECOND, SECOND)
}

fn compact(times: &[u64]) -> CompactHistogram {
    let mut histogram = empty_histogram();
    times.iter().for_each(|ns| histogram.saturating_record(*ns));
    CompactHistogram::new(&histogram)
}

#[test]
fn figures_are_those_of_histograms_of_all_times_however_many_there_are() {
    let load = Load { retries: 1, ..load(2, 2, MS, SECOND) };
    let workload = workload(4);
    let layout = Layout::new(&load, &workload, true);
    let mut parts = Vec::new();
    let mut noted = vec![[const { Vec::new() }; 4]; 4];
    for index in 0..8_u64 {
        let mut part = Part::at(&layout, index / 2 * PART_NS);
        // Of one statement there are few in all, of others many in all, of one many in each part, of one none.
        for (script, count) in [3, 300, 3_000, 0].into_iter().enumerate() {
            let tally = &mut part.scripts[script];
            for step in 0..count {
                let ns = (1 + step * 7_919 % 1_000) * (index + 1) * 10_007;
                tally.operations += 1;
                let apart = tally.apart.as_mut().unwrap();
                let all = [&mut tally.response, &mut apart.service, &mut apart.lag, tally.wait.as_mut().unwrap()];
                for (kind, times) in all.into_iter().enumerate() {
                    times.record(ns * (kind as u64 + 1));
                    noted[script][kind].push(ns * (kind as u64 + 1));
                }
                tally.failed.record(2 * ns);
            }
        }
        parts.push(part);
    }
    let closed = close(&load, &workload, &parts);
    let mut all = [const { Vec::new() }; 4];
    for (figures, noted) in closed.scripts.iter().zip(&noted) {
        let [response, service, lag, wait] = noted.each_ref().map(|times| compact(times));
        let found = (&figures.response, &figures.service, &figures.lag, figures.wait.clone().unwrap_or_default());
        assert_eq!(found, (&response, &service, &lag, wait));
        assert_eq!(figures.failed, service);
        all.iter_mut().zip(noted).for_each(|(all, times)| all.extend_from_slice(times));
    }
    let [response, service, lag, wait] = all.each_ref().map(|times| compact(times).histogram());
    let total = &closed.total;
    assert_eq!(
        (&total.response, &total.service, &total.lag, total.wait.as_ref()),
        (&response, &service, &lag, Some(&wait))
    );
    assert_eq!((&total.failed, closed.slices[0].response.histogram()), (&service, response));
}

#[test]
fn service_is_response_and_there_is_no_lag_where_they_are_not_noted_apart() {
    let (load, workload) = (load(1, 1, MS, SECOND), workload(2));
    let mut part = Part::at(&Layout::new(&load, &workload, false), 0);
    part.scripts[0].operations = 2;
    [5_000, 7_000].iter().for_each(|ns| part.scripts[0].response.record(*ns));
    let Closed { scripts, total, .. } = close(&load, &workload, &[part]);
    assert_eq!((&scripts[0].service, &scripts[0].lag), (&compact(&[5_000, 7_000]), &compact(&[0, 0])));
    assert_eq!((total.service, total.lag.len(), total.lag.max()), (total.response, 2, 0));
    assert_eq!((&scripts[1].response, &scripts[1].wait), (&CompactHistogram::default(), &None));
}

#[test]
fn a_statement_that_was_not_executed_has_its_place_among_the_others() {
    let load = load(1, 1, MS, SECOND);
    let steps = [0, 1].map(|statement| Step { statement, for_each: None }).to_vec();
    let script = Script { name: "page".into(), weight: 1.0, transaction: false, steps };
    let workload = workload_of(2, vec![script]);
    let steps_with = |executed: usize| {
        let mut part = Part::at(&Layout::new(&load, &workload, false), 0);
        (part.steps[executed].executions, part.steps[executed].errors) = (2, 1);
        part.steps[executed].service.record(5_000);
        close(&load, &workload, &[part]).steps
    };
    let executions =
        |steps: &[StepFigures]| steps.iter().map(|step| (step.statement, step.executions)).collect::<Vec<_>>();
    assert_eq!(executions(&steps_with(1)), [(0, 0), (1, 2)]);
    assert_eq!(executions(&steps_with(0)), [(0, 2), (1, 0)]);
    assert_eq!(steps_with(1)[1].service, compact(&[5_000]));
}
