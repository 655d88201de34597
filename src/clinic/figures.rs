//! A measurement's figures as a record keeps them.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::{
    engine::{self, CompactFigures, Figures, Measurement, SliceFigures},
    load::Load,
    record::{
        ArrivalFigures, Client, ConnectionFigures, ErrorCount, Latency, PoolUse, Slice, StageFigures, StatementFigures,
        StepFigures, Totals,
    },
    scenario::{Scenario, Script},
    stats::CompactHistogram,
};

/// Counts of operations over a window in which they were sent for `sending`.
pub(super) fn totals<T>(figures: &Figures<T>, sending: Duration) -> Totals {
    Totals {
        skipped: figures.skipped,
        late: figures.late,
        retries: figures.retries,
        ..Totals::new(figures.operations, figures.error_count(), sending)
    }
}

/// The operations of the mix, in the order of the scenario.
pub(super) fn statements(scenario: &Scenario, measurement: &Measurement) -> Vec<StatementFigures> {
    let figures = scenario.scripts.iter().zip(&measurement.scripts);
    let of = |(script, figures): (&Script, &CompactFigures)| StatementFigures {
        name: script.name.clone(),
        sql: script.steps.iter().map(|step| sql(scenario, step.statement)).collect::<Vec<_>>().join(";\n"),
        weight: script.weight,
        totals: totals(figures, measurement.sending),
        latency_ms: latency(&figures.response),
        service_ms: latency(&figures.service),
        lag_ms: latency(&figures.lag),
        wait_ms: figures.wait.as_ref().map(latency),
        steps: steps(scenario, script, measurement),
    };
    figures.map(of).collect()
}

fn latency(times: &CompactHistogram) -> Latency {
    Latency::from_histogram(&times.histogram())
}

fn sql(scenario: &Scenario, statement: usize) -> &str {
    scenario.statements[statement].sql.text.trim()
}

fn steps(scenario: &Scenario, script: &Script, measurement: &Measurement) -> Vec<StepFigures> {
    if script.steps.len() == 1 {
        return Vec::new();
    }
    let of = |step: &crate::scenario::Step| {
        let name = &scenario.statements[step.statement].name;
        let name = name.strip_prefix(&script.name).and_then(|name| name.strip_prefix('.')).unwrap_or(name);
        let figures = measurement.steps.iter().find(|figures| figures.statement == step.statement);
        StepFigures {
            name: name.to_owned(),
            sql: sql(scenario, step.statement).to_owned(),
            executions: figures.map_or(0, |figures| figures.executions),
            errors: figures.map_or(0, |figures| figures.errors),
            service_ms: figures.map_or_else(Latency::default, |figures| latency(&figures.service)),
        }
    };
    script.steps.iter().map(of).collect()
}

/// Response times of the operation of this name, or service times of the step (`script.step`).
pub(super) fn times(scenario: &Scenario, measurement: &Measurement, name: &str) -> Option<Histogram<u64>> {
    if let Some(script) = scenario.scripts.iter().position(|script| script.name == name) {
        return measurement.scripts.get(script).map(|figures| figures.response.histogram());
    }
    let statement = scenario.statements.iter().position(|statement| statement.name == name)?;
    measurement.steps.iter().find(|step| step.statement == statement).map(|step| step.service.histogram())
}

/// Errors by SQLSTATE.
pub(super) fn errors(figures: &Figures) -> Vec<ErrorCount> {
    let of = |(sqlstate, (count, sample)): (&String, &(u64, String))| ErrorCount {
        sqlstate: sqlstate.clone(),
        count: *count,
        sample: sample.clone(),
    };
    figures.errors.iter().map(of).collect()
}

/// What became of the arrivals of an open load.
pub(super) fn arrivals(measurement: &Measurement) -> Option<ArrivalFigures> {
    let engine::ArrivalFigures { planned, sent, window } = measurement.arrivals?;
    let rate = |count: u64, time: Duration| if time.is_zero() { 0.0 } else { count as f64 / time.as_secs_f64() };
    Some(ArrivalFigures {
        planned,
        sent,
        planned_rate_per_s: rate(planned, window),
        achieved_rate_per_s: rate(sent, measurement.sending),
        max_lag_ms: Latency::from_histogram(&measurement.total.lag).max,
    })
}

/// The stages of a load that has any.
pub(super) fn stages(measurement: &Measurement, load: &Load) -> Vec<StageFigures> {
    let stages = measurement.stages.iter().zip(&load.stages);
    let of = |(figures, stage): (&engine::StageFigures, &crate::scenario::Stage)| StageFigures {
        start_s: figures.start.as_secs_f64(),
        length_s: figures.length.as_secs_f64(),
        from: stage.from,
        to: stage.to,
        totals: totals(&figures.figures, figures.length.min(measurement.sending.saturating_sub(figures.start))),
        latency_ms: latency(&figures.figures.response),
        lag_ms: latency(&figures.figures.lag),
    };
    stages.map(of).collect()
}

/// What became of the connections.
pub(super) fn connections(figures: &engine::ConnectionFigures) -> ConnectionFigures {
    ConnectionFigures {
        opened: None,
        lost: figures.lost,
        reconnected: figures.reconnected,
        failed_attempts: figures.failed_attempts,
        without_s: figures.without.as_secs_f64(),
        sample: figures.sample.clone(),
    }
}

/// One second of the window.
pub(super) fn slice(figures: &SliceFigures) -> Slice {
    Slice {
        start_s: figures.start.as_secs_f64(),
        length_s: figures.length.as_secs_f64(),
        totals: Totals {
            skipped: figures.skipped,
            retries: figures.retries,
            ..Totals::new(figures.operations, figures.errors, figures.length)
        },
        latency_ms: latency(&figures.response),
        active_clients: Some(figures.active_clients),
        connected_clients: Some(figures.connected_clients),
        pool: figures.pool.map(|[in_use, idle, waiting]| PoolUse { in_use, idle, waiting }),
    }
}

/// What the load cost the client.
pub(super) fn client(measurement: &Measurement, load: &Load) -> Client {
    let cpu_s = measurement.client_cpu.as_secs_f64();
    // The processor time is that of the window, not of what was sent late after it.
    let available = measurement.sending.min(load.duration).as_secs_f64() * f64::from(load.threads);
    Client { cpu_s, cpu_share: if available > 0.0 { cpu_s / available } else { 0.0 } }
}
