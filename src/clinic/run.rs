//! The main job: dataset, both phases in rounds, comparison.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{
    Clinic, Error, ErrorKind, FixOutcome, Reports, RoundPlace, RunPlan, SeedOptions, SeedOutcome,
    arm::Arm,
    bench::{all_failed, changed, nothing_sent},
    compare::{Judging, compare_measured, write_comparison},
    fix::{self, apply_fix_watched, revert_fix},
    gates,
    laps::{Laps, Spent},
    measure::{Measured, Ready},
    price::probe_writes,
    results::Collector,
    rounds::Rounds,
    saving,
    seed::{rows_text, seed},
    warnings,
};
use crate::{
    compare::{self, Comparison},
    engine::Ended,
    pg::fix::{FixState, WayBack},
    record::{
        Applied, BlockHistograms, Folder, Found, Phase, Price, Record, ResultsCheck, RunInfo, Warning, WriteProbe,
    },
    scenario::Scenario,
};

/// A run that measured something.
#[derive(Debug)]
pub struct RunOutcome {
    /// The comparison of the whole rounds; `None` when there was none.
    pub comparison: Option<Comparison>,
    /// Where everything was saved: the records in `before` and `after` (`a` and `b` without a fix), the comparison beside them;
    /// `None` where nothing could be written.
    pub folder: Option<PathBuf>,
    /// How the fix was left, and the command that takes it back; `None` where nothing in the database is changed by it.
    pub fix_left: Option<String>,
    /// Why it ended before its time, or is not saved where it was asked for; of kind [`ErrorKind::Interrupted`] when stopped by a signal.
    pub failure: Option<Error>,
}

/// Seeds the dataset if needed, measures both phases in turns, round by round, applying and taking back the fix in between, and
/// compares. `markdown` words the comparison. The fix stays applied. What was measured is saved however it ends, and the whole
/// rounds are compared.
///
/// # Errors
/// What failed before anything was measured; what fails later is in [`RunOutcome::failure`].
pub async fn run(
    clinic: &Clinic,
    scenario: &Scenario,
    seed_options: &SeedOptions,
    plan: &RunPlan,
    judging: &Judging,
    reports: &Reports,
    markdown: impl Fn(&Comparison) -> String,
) -> Result<RunOutcome, Error> {
    let mut laps = Laps::start();
    let folder = reports.prepare(&scenario.id, if plan.aa { "aa" } else { "run" }, plan.extent(scenario))?;
    if !plan.aa {
        fix::require_writable(clinic, scenario).await?;
    }
    if let SeedOutcome::AlreadyComplete(facts) = seed(clinic, scenario, seed_options).await? {
        clinic.note(format!("the dataset of {} is complete: {}", scenario.id, rows_text(&facts.rows)));
    }
    if let FixOutcome::Done { .. } = revert_fix(clinic, scenario, plan.way_back).await? {
        clinic.note("the fix was applied; it was reverted to measure phase before");
    }
    laps.lap(Spent::Seed);
    let mut run = Run::new(clinic, scenario, plan, judging, laps);
    if !plan.aa
        && let Err(failure) = run.compare_results().await
    {
        let failure = clinic.explained(failure).await;
        run.tell_state(true).await;
        return Err(failure.before_measuring());
    }
    let mut failure = run.rounds().await.err();
    if failure.is_none() {
        failure = run.finish().await.err();
    }
    if let Some(error) = failure {
        failure = Some(clinic.explained(error).await);
    }
    run.close_open();
    let records = run.records(failure.as_ref());
    if records.iter().all(Option::is_none)
        && let Some(failure) = failure
    {
        run.tell_state(true).await;
        return Err(failure.before_measuring());
    }
    // First of all: what follows may wait for a server that is gone.
    let compare = |found| run.compare(found, judging, &reports.root);
    let ((comparison, folder), elsewhere) = saving::save(
        &folder,
        |folder| {
            let comparison = compare(run.write(&records, folder)?);
            if let Some(Ok(comparison)) = &comparison {
                write_comparison(folder, comparison, &markdown)?;
            }
            Ok((comparison, Some(folder.path().to_owned())))
        },
        || (compare(run.unwritten(&records, folder.path())), None),
    );
    let fix_left = run.tell_state(failure.is_some()).await;
    if let (Some(_), Some(failure)) = (&elsewhere, &failure) {
        clinic.note(failure.to_string());
    }
    let failure = elsewhere.or(failure).map(Error::after_measuring);
    Ok(RunOutcome { comparison: comparison.transpose()?, folder, fix_left, failure })
}

/// A run that goes on.
struct Run<'a> {
    clinic: &'a Clinic,
    scenario: &'a Scenario,
    plan: &'a RunPlan,
    judging: &'a Judging,
    info: RunInfo,
    /// Both sides; a side is there once its phase was entered.
    arms: [Option<Arm<'a>>; 2],
    /// Blocks of a round that is not whole yet, each with what writes cost after it.
    open: [Option<(Measured, Vec<WriteProbe>)>; 2],
    /// What writes cost after each block of the whole rounds.
    probes: [Vec<Vec<WriteProbe>>; 2],
    /// What applying the fix cost, each time.
    applies: Vec<Applied>,
    /// Whether the fix is applied.
    applied: bool,
    /// Whether it is being applied or taken back.
    switching: bool,
    /// Time that all changes between the phases took so far, and how many there were.
    switched: (Duration, u32),
    /// What speaks against both records.
    warnings: Vec<Warning>,
    /// Where its time went.
    laps: Laps,
    /// Whether the statements return the same without and with the fix; `None` where that was not asked.
    results: Option<ResultsCheck>,
}

/// The place of a phase among the sides.
fn side(phase: Phase) -> usize {
    usize::from(phase == Phase::After)
}

impl<'a> Run<'a> {
    fn new(clinic: &'a Clinic, scenario: &'a Scenario, plan: &'a RunPlan, judging: &'a Judging, laps: Laps) -> Self {
        let info = RunInfo {
            id: format!("{:032x}", rand::random::<u128>()),
            aa: plan.aa,
            rounds_asked: plan.rounds.most(),
            automatic: matches!(plan.rounds, Rounds::Automatic(_)),
            rounds: 0,
            first: Vec::new(),
            time_s: BTreeMap::new(),
        };
        Self {
            clinic,
            scenario,
            plan,
            judging,
            info,
            arms: [None, None],
            open: [None, None],
            probes: [Vec::new(), Vec::new()],
            applies: Vec::new(),
            applied: false,
            switching: false,
            switched: (Duration::ZERO, 0),
            warnings: Vec::new(),
            laps,
            results: None,
        }
    }

    /// Compares what the statements return without and with the fix, before any load changes the data.
    async fn compare_results(&mut self) -> Result<(), Error> {
        self.enter(Phase::Before).await?;
        let Some(arm) = &self.arms[side(Phase::Before)] else { return Ok(()) };
        let collector = Collector::new(self.clinic, self.scenario, arm.ready.workload())?;
        let before = collector.collect(Phase::Before, self.scenario, None).await?;
        self.laps.lap(Spent::Results);
        self.switch(Phase::After).await?;
        self.enter(Phase::After).await?;
        let Some(arm) = &self.arms[side(Phase::After)] else { return Ok(()) };
        let after = collector.collect(Phase::After, arm.ready.scenario(), Some(&before)).await?;
        let check = collector.compare(&before, &after, arm.ready.scenario()).await?;
        if check.identical == Some(false) {
            self.clinic.note("the statements return different rows before and after the fix");
        }
        self.results = Some(check);
        self.laps.lap(Spent::Results);
        Ok(())
    }

    /// Measures round after round.
    async fn rounds(&mut self) -> Result<(), Error> {
        let most = self.plan.rounds.most();
        for round in 1..=most {
            let first = self.plan.first(round);
            let second = if first == Phase::Before { Phase::After } else { Phase::Before };
            for (phase, blocks_left) in [(first, 2 * (most - round) + 1), (second, 2 * (most - round))] {
                self.block(round, phase, blocks_left).await?;
            }
            for ((arm, open), probes) in self.arms.iter_mut().zip(&mut self.open).zip(&mut self.probes) {
                if let (Some(arm), Some((measured, probe))) = (arm, open.take()) {
                    arm.add(round, measured);
                    probes.push(probe);
                }
            }
            self.info.rounds = round;
            self.info.first.push(first);
            if self.plan.rounds.is_look(round) && round < most && self.is_decided()? {
                self.clinic.note(format!("every gate is decided after {round} rounds; stopping early"));
                break;
            }
        }
        Ok(())
    }

    /// Measures one block of a side.
    async fn block(&mut self, round: u32, phase: Phase, blocks_left: u32) -> Result<(), Error> {
        self.switch(phase).await?;
        self.enter(phase).await?;
        let place = RoundPlace {
            round,
            of: self.info.rounds_asked,
            at_most: self.info.automatic,
            block: self.block_time(phase),
            rest: self.time_of_rounds(phase, blocks_left) + self.time_of_switches(blocks_left),
        };
        let Some(arm) = &mut self.arms[side(phase)] else { return Ok(()) };
        let measured = arm.measure(&self.plan.block(round), place).await?;
        self.laps.lap(Spent::Around);
        self.laps.moved(Spent::Around, Spent::WarmUp, measured.measurement.warm_up.length);
        self.laps.moved(Spent::Around, Spent::Measured, measured.measurement.measured);
        let (measured, probe) = self.open[side(phase)].insert((measured, Vec::new()));
        let Measured { measurement, record, .. } = &*measured;
        match &measurement.ended {
            Ended::Stopped => {
                return Err(Error::new(ErrorKind::Interrupted, format!("stopped by a signal in round {round}")));
            }
            Ended::Failed(reason) => {
                let message = format!("the measurement stopped early in round {round}, phase {phase}: {reason}");
                return Err(Error::new(ErrorKind::Failed, message)
                    .with_hint("all rounds completed until then were saved and compared, marked as interrupted"));
            }
            Ended::Completed if record.changed_by_others.is_some() => {
                return Err(changed(record));
            }
            Ended::Completed if measurement.total.operations == 0 => {
                return Err(nothing_sent(record));
            }
            Ended::Completed if record.totals.errors == record.totals.operations => {
                return Err(all_failed(phase, &measurement.total));
            }
            Ended::Completed => {}
        }
        if arm.captured.is_none() {
            let captured = arm.ready.capture().await.map_err(|error| match error.kind() {
                ErrorKind::Interrupted => Error::new(
                    ErrorKind::Interrupted,
                    format!("stopped by a signal while plans were captured, in round {round}"),
                ),
                _ => error,
            });
            arm.captured = Some(captured?);
            self.laps.lap(Spent::Plans);
        }
        if !self.plan.aa {
            match probe_writes(self.clinic, self.scenario).await {
                Ok(probes) => *probe = probes,
                Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
                // A run is not lost to its price.
                Err(error) => self.clinic.note(format!("the cost of writes could not be measured: {error}")),
            }
            self.laps.lap(Spent::WriteProbe);
        }
        Ok(())
    }

    /// Says how the fix was left; asks the server if the run ended early.
    async fn tell_state(&self, early: bool) -> Option<String> {
        let (clinic, scenario) = (self.clinic, self.scenario);
        if !scenario.fix.changes_database() || self.plan.aa {
            return None;
        }
        let known = match (self.switching, self.applied) {
            (true, _) => None,
            (false, true) => Some(FixState::Applied),
            (false, false) => Some(FixState::Absent),
        };
        let state = match early {
            true => fix::state_now(clinic, scenario).await.or(known),
            false => known,
        };
        let left = fix::way_back(clinic, scenario, state.as_ref());
        clinic.note(left.clone());
        Some(left)
    }

    /// What the fix costs; `None` where neither side has it.
    fn price(&self) -> Option<Price> {
        let mean = |phase| self.arms[side(phase)].as_ref()?.mean_service_ms();
        let saving = mean(Phase::Before).zip(mean(Phase::After)).map(|(before, after)| before - after);
        let [before, after] = &self.probes;
        (!self.plan.aa).then(|| compare::price(&self.applies, before, after, saving, self.judging.tolerance))
    }

    /// Brings the database into the state of a phase.
    async fn switch(&mut self, phase: Phase) -> Result<(), Error> {
        let apply = phase == Phase::After && !self.plan.aa;
        if apply == self.applied || !self.scenario.fix.changes_database() {
            return Ok(());
        }
        let begin = Instant::now();
        self.switching = true;
        match apply {
            true => {
                let (outcome, applied) = apply_fix_watched(self.clinic, self.scenario).await?;
                self.applies.extend(applied);
                tell(self.clinic, &outcome, &FixState::Applied);
            }
            false => {
                tell(self.clinic, &revert_fix(self.clinic, self.scenario, WayBack::OfFile).await?, &FixState::Absent)
            }
        }
        self.applied = apply;
        self.switching = false;
        self.switched = (self.switched.0 + begin.elapsed(), self.switched.1 + 1);
        self.laps.lap(Spent::Fix);
        Ok(())
    }

    /// Gets a side ready, once.
    async fn enter(&mut self, phase: Phase) -> Result<(), Error> {
        if self.arms[side(phase)].is_some() {
            return Ok(());
        }
        let seed = self.plan.load.load.seed;
        let shown = if self.plan.aa { Phase::Before } else { phase };
        let mut ready = Ready::new(self.clinic, self.scenario, shown, seed).await?;
        if let Some(other) = self.arms.iter().flatten().next() {
            ready.share_values(&other.ready, seed)?;
        }
        if !ready.has_values() {
            ready.find_values().await?;
        }
        self.arms[side(phase)] = Some(Arm::new(ready));
        Ok(())
    }

    /// How long a block of a phase is expected to be: as the last one was.
    fn block_time(&self, phase: Phase) -> Duration {
        let last = self.arms[side(phase)].as_ref().and_then(Arm::last_block);
        last.unwrap_or_else(|| self.plan.least_block())
    }

    /// How long `blocks` blocks are expected to take that begin with the other one than `phase`.
    fn time_of_rounds(&self, phase: Phase, blocks: u32) -> Duration {
        let other = if phase == Phase::Before { Phase::After } else { Phase::Before };
        let warmup = self.plan.load.load.warmup;
        let [of_phase, of_other] = [phase, other].map(|phase| warmup + self.block_time(phase));
        of_other * blocks.div_ceil(2) + of_phase * (blocks / 2)
    }

    /// Time that is still needed for changes between the phases: about one for each block.
    fn time_of_switches(&self, blocks_left: u32) -> Duration {
        let (time, count) = self.switched;
        time.checked_div(count).unwrap_or_default() * blocks_left
    }

    /// Whether every gate on a change is decided; where there is none, whether the headline has a verdict.
    fn is_decided(&self) -> Result<bool, Error> {
        let records = self.records(None);
        let [Some(before), Some(after)] = &records else { return Ok(false) };
        let histograms = self.arms.each_ref().map(|arm| arm.as_ref().map(Arm::histograms).unwrap_or_default());
        let found = |record: &Record| Found { folder: PathBuf::new(), record: record.clone() };
        let (before, after) = (found(before), found(after));
        let measured = |found, blocks| compare::Measured { found, blocks };
        let sides = (measured(&before, &histograms[0]), measured(&after, &histograms[1]));
        let conditions = gates::conditions(&self.plan.load.gates);
        let options = compare::Options { tolerance: self.judging.tolerance, conditions: &conditions, noise: None };
        let comparison = compare::compare(sides.0, sides.1, &options)
            .map_err(|error| Error::new(ErrorKind::Failed, error.to_string()).with_source(error))?;
        Ok(comparison.is_decided())
    }

    /// Leaves the fix applied, and looks whether the server is set as it was.
    async fn finish(&mut self) -> Result<(), Error> {
        if !self.plan.aa {
            self.switch(Phase::After).await?;
        }
        if let Some(arm) = self.arms.iter().flatten().next() {
            let changed = arm.ready.changed_settings().await?;
            self.warnings.extend((!changed.is_empty()).then(|| warnings::settings_changed(&changed)));
        }
        Ok(())
    }

    /// The records of the rounds so far.
    fn records(&self, failure: Option<&Error>) -> [Option<Record>; 2] {
        let asked = if self.info.automatic { self.info.rounds } else { self.info.rounds_asked };
        [Phase::Before, Phase::After].map(|phase| {
            let info = RunInfo { time_s: self.laps.seconds(), ..self.info.clone() };
            let mut record = self.arms[side(phase)].as_ref()?.record(&self.plan.load, &info)?;
            if phase == Phase::After {
                record.results.clone_from(&self.results);
                record.price = self.price();
            }
            record.load.duration_s = (self.plan.load.load.duration * asked.max(1)).as_secs_f64();
            record.warnings.extend(self.warnings.iter().cloned());
            if let Some(failure) = failure {
                record.interrupted = true;
                record.interrupted_by = Some(failure.to_string());
            }
            Some(record)
        })
    }

    /// Where no round is whole, counts what there is of one.
    fn close_open(&mut self) {
        if self.info.rounds == 0 {
            for (arm, measured) in self.arms.iter_mut().zip(&mut self.open) {
                if let (Some(arm), Some((measured, _))) = (arm, measured.take()) {
                    arm.add(1, measured);
                }
            }
        }
    }

    /// The response times behind the record of a side.
    fn histograms(&self, phase: Phase) -> Vec<BlockHistograms> {
        self.arms[side(phase)].as_ref().map(Arm::histograms).unwrap_or_default()
    }

    /// Compares the records of both sides, where a round was completed.
    fn compare(
        &self,
        found: [Option<Found>; 2],
        judging: &Judging,
        reports: &Path,
    ) -> Option<Result<Comparison, Error>> {
        let [before, after] = found;
        let sides = [(before?, Phase::Before), (after?, Phase::After)];
        let sides = sides.map(|(found, phase)| (found, self.histograms(phase)));
        (self.info.rounds > 0).then(|| compare_measured(sides, judging, reports))
    }

    /// The folders of both sides in that of the run.
    fn names(&self) -> [&'static str; 2] {
        if self.plan.aa { ["a", "b"] } else { ["before", "after"] }
    }

    /// Writes the records of both sides.
    fn write(&self, records: &[Option<Record>; 2], folder: &Folder) -> Result<[Option<Found>; 2], Error> {
        let mut found = [None, None];
        for (index, record) in records.iter().enumerate() {
            if let (Some(arm), Some(record)) = (&self.arms[index], record) {
                found[index] = Some(arm.save(record.clone(), &folder.subfolder(self.names()[index])?)?);
            }
        }
        Ok(found)
    }

    /// The records of both sides, which could not be written into `folder`.
    fn unwritten(&self, records: &[Option<Record>; 2], folder: &Path) -> [Option<Found>; 2] {
        [0, 1].map(|index| {
            let record = records[index].clone()?;
            Some(Found { folder: folder.join(self.names()[index]), record })
        })
    }
}

/// Says so if another session has changed the fix meanwhile.
fn tell(clinic: &Clinic, outcome: &FixOutcome, state: &FixState) {
    if *outcome == FixOutcome::Nothing {
        clinic.note(format!("unexpected: {state}, although this run did not do that"));
    }
}
