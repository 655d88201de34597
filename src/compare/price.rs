//! The price of a fix from what was watched and probed: pure.

use std::collections::BTreeSet;

use crate::{
    record::{Applied, BreakEven, Operation, Price, WriteCost, WritePrice, WriteProbe, WriteVerdict},
    stats::{Claim, claim_of_rounds, step_down, t_interval},
};

/// Error rate of all verdicts on writes together.
const ALPHA: f64 = 0.05;
/// Seed of the bootstrap's draws, where there are more rounds than it can go through.
const BOOTSTRAP_SEED: u64 = 1;

/// The price of a fix, from each time it was applied and from the probes of each round before and after it, an entry a round
/// with a probe for each table. `read_saving_ms` is what the fix takes from the mean service time of the workload's
/// operations, negative where it adds to it; `None` where that is not known.
///
/// A write's ratio is the geometric mean over the rounds with Student's t interval over their logarithms. Its verdict needs six
/// rounds, the whole interval beyond (or within) `tolerance` (0.02 is 2 %), and a bootstrap over the rounds that agrees. All writes are
/// one family by Holm's procedure, so that the probability of any wrong verdict is at most 5 %; the interval of each is the one that
/// decided.
pub fn price(
    applies: &[Applied],
    before: &[Vec<WriteProbe>],
    after: &[Vec<WriteProbe>],
    read_saving_ms: Option<f64>,
    tolerance: f64,
) -> Price {
    let mut tables: Vec<&str> = Vec::new();
    for probe in before.iter().chain(after).flatten() {
        if !tables.contains(&probe.table.as_str()) {
            tables.push(&probe.table);
        }
    }
    let mut writes: Vec<(WritePrice, Vec<f64>)> = tables
        .iter()
        .flat_map(|table| Operation::ALL.map(|operation| write_price(table, operation, before, after)))
        .collect();
    judge(&mut writes, tolerance);
    let writes: Vec<WritePrice> = writes.into_iter().map(|(write, _)| write).collect();
    let (break_even, no_break_even) = match break_even(&writes, read_saving_ms) {
        Ok(found) => (Some(found), None),
        Err(reason) => (None, Some(reason.to_owned())),
    };
    let longest = |figure: fn(&Applied) -> Option<f64>| applies.iter().filter_map(figure).reduce(f64::max);
    let notes = applies.iter().flat_map(|applied| &applied.notes).cloned();
    let of_probes = before.iter().chain(after).flatten();
    let notes =
        notes.chain(of_probes.flat_map(|probe| probe.notes.iter().map(|note| format!("{}: {note}", probe.table))));
    let mut told = BTreeSet::new();
    Price {
        builds: u32::try_from(applies.len()).unwrap_or(u32::MAX),
        build_s: median(applies.iter().map(|applied| applied.build_s)),
        size_bytes: median(applies.iter().filter_map(|applied| applied.size_bytes).map(|bytes| bytes as f64))
            .map(|bytes| bytes.round() as i64),
        locks: applies.iter().flat_map(|applied| applied.locks.clone()).collect::<BTreeSet<_>>().into_iter().collect(),
        longest_wait_ms: longest(|applied| applied.longest_wait_ms),
        reader_longest_ms: longest(|applied| applied.reader_longest_ms),
        writer_longest_ms: longest(|applied| applied.writer_longest_ms),
        writes,
        break_even,
        no_break_even,
        notes: notes.filter(|note| told.insert(note.clone())).collect(),
    }
}

/// What was measured of a write, not judged yet, and each round's ln(after / before).
fn write_price(
    table: &str,
    operation: Operation,
    before: &[Vec<WriteProbe>],
    after: &[Vec<WriteProbe>],
) -> (WritePrice, Vec<f64>) {
    let of_table = |round: &'_ Vec<WriteProbe>| round.iter().find(|probe| probe.table == table).cloned();
    let (before, after): (Vec<_>, Vec<_>) =
        (before.iter().map(of_table).collect(), after.iter().map(of_table).collect());
    let costs = |probes: &[Option<WriteProbe>]| -> Vec<Option<WriteCost>> {
        probes.iter().map(|probe| probe.as_ref().and_then(|probe| probe.cost(operation))).collect()
    };
    let (costs_before, costs_after) = (costs(&before), costs(&after));
    let effects: Vec<f64> = costs_before
        .iter()
        .zip(&costs_after)
        .filter_map(|(before, after)| Some((after.as_ref()?.ms / before.as_ref()?.ms).ln()))
        .filter(|effect| effect.is_finite())
        .collect();
    let time = |costs: &[Option<WriteCost>]| median(costs.iter().flatten().map(|cost| cost.ms));
    let wal = |costs: &[Option<WriteCost>]| median(costs.iter().flatten().filter_map(|cost| cost.wal_bytes));
    let hot = |probes: &[Option<WriteProbe>]| {
        let ratios = median(probes.iter().flatten().filter_map(|probe| probe.hot_ratio));
        ratios.filter(|_| operation == Operation::Update)
    };
    let mean = effects.iter().sum::<f64>() / effects.len() as f64;
    let write = WritePrice {
        table: table.to_owned(),
        operation,
        rounds: u32::try_from(effects.len()).unwrap_or(u32::MAX),
        before_ms: time(&costs_before),
        after_ms: time(&costs_after),
        ratio: (!effects.is_empty()).then(|| mean.exp()),
        ci_low: None,
        ci_high: None,
        confidence: None,
        verdict: WriteVerdict::Inconclusive,
        wal_bytes_before: wal(&costs_before),
        wal_bytes_after: wal(&costs_after),
        hot_ratio_before: hot(&before),
        hot_ratio_after: hot(&after),
    };
    (write, effects)
}

/// Gives the writes that were measured on both sides their intervals and verdicts.
fn judge(writes: &mut [(WritePrice, Vec<f64>)], tolerance: f64) {
    let mut family: Vec<_> = writes.iter_mut().filter(|(_, effects)| !effects.is_empty()).collect();
    let claim = |effects: &[f64], confidence| claim_of_rounds(effects, confidence, tolerance, BOOTSTRAP_SEED);
    let steps =
        step_down(family.len(), ALPHA, |member, confidence| claim(&family[member].1, confidence) != Claim::Unclear);
    for ((write, effects), step) in family.iter_mut().zip(steps) {
        let estimate = t_interval(effects, step.confidence);
        write.ci_low = estimate.map(|estimate| estimate.low.exp());
        write.ci_high = estimate.map(|estimate| estimate.high.exp());
        write.confidence = estimate.map(|estimate| estimate.confidence);
        write.verdict = match claim(effects, step.confidence) {
            Claim::Lower => WriteVerdict::Improved,
            Claim::Higher => WriteVerdict::Regressed,
            Claim::Within => WriteVerdict::Equivalent,
            Claim::Unclear => WriteVerdict::Inconclusive,
        };
    }
}

/// The break-even of the write that costs the most more, of those whose verdict is that they are slower.
fn break_even(writes: &[WritePrice], read_saving_ms: Option<f64>) -> Result<BreakEven, &'static str> {
    if writes.iter().all(|write| write.ratio.is_none()) {
        return Err("no write was measured");
    }
    let extra = |write: &WritePrice| Some(write.after_ms? - write.before_ms?).filter(|extra| *extra > 0.0);
    let slower = writes.iter().filter(|write| write.verdict == WriteVerdict::Regressed);
    let Some((write, extra_write_ms)) =
        slower.filter_map(|write| Some((write, extra(write)?))).max_by(|(_, one), (_, other)| one.total_cmp(other))
    else {
        return Err("no write is measurably slower");
    };
    match read_saving_ms {
        None => Err("the time that the fix saves per read is not known"),
        Some(saved_read_ms) if saved_read_ms > 0.0 => Ok(BreakEven {
            table: write.table.clone(),
            operation: write.operation,
            extra_write_ms,
            saved_read_ms,
            reads_per_write: extra_write_ms / saved_read_ms,
        }),
        Some(_) => Err("reads are not faster, so they never pay for a write"),
    }
}

/// The mean of the middle two for an even number; `None` of nothing.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().checked_sub(1)? / 2, values.len() / 2);
    Some((values[low] + values[high]) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::LockHeld;

    const TOLERANCE: f64 = 0.02;

    fn probe(insert_ms: f64, hot_ratio: f64) -> Vec<WriteProbe> {
        let cost = |ms, wal_bytes| Some(WriteCost { ms, wal_bytes: Some(wal_bytes), rows: 200 });
        vec![WriteProbe {
            table: "events".into(),
            insert: cost(insert_ms, 1000.0 * insert_ms),
            update: cost(0.1, 150.0),
            delete: None,
            hot_ratio: Some(hot_ratio),
            notes: vec!["no deletes".into()],
        }]
    }

    fn rounds(inserts_ms: &[f64], hot_ratio: f64) -> Vec<Vec<WriteProbe>> {
        inserts_ms.iter().map(|ms| probe(*ms, hot_ratio)).collect()
    }

    const BEFORE: [f64; 6] = [0.100, 0.102, 0.098, 0.101, 0.099, 0.100];

    fn slower(by: f64) -> [f64; 6] {
        let noise = [0.01, -0.01, 0.005, 0.0, -0.005, 0.0];
        std::array::from_fn(|round| BEFORE[round] * (by + noise[round]))
    }

    fn find(price: &Price, operation: Operation) -> &WritePrice {
        price.writes.iter().find(|write| write.operation == operation).unwrap()
    }

    #[test]
    fn a_slower_insert_is_found_with_its_interval_and_what_pays_for_it() {
        let price = price(&[], &rounds(&BEFORE, 1.0), &rounds(&slower(1.12), 0.5), Some(2.0), TOLERANCE);
        let insert = find(&price, Operation::Insert);
        assert_eq!((insert.rounds, insert.verdict, insert.confidence), (6, WriteVerdict::Regressed, Some(0.975)));
        let (ratio, low, high) = (insert.ratio.unwrap(), insert.ci_low.unwrap(), insert.ci_high.unwrap());
        assert!((ratio - 1.12).abs() < 1e-3 && low < 1.12 && 1.12 < high && low > 1.1, "{ratio} {low} {high}");
        assert_eq!(
            (insert.before_ms, insert.wal_bytes_before, insert.hot_ratio_before),
            (Some(0.1), Some(100.0), None)
        );
        let update = find(&price, Operation::Update);
        assert_eq!((update.verdict, update.ratio), (WriteVerdict::Equivalent, Some(1.0)));
        assert_eq!((update.hot_ratio_before, update.hot_ratio_after), (Some(1.0), Some(0.5)));
        let delete = find(&price, Operation::Delete);
        assert_eq!((delete.rounds, delete.ratio, delete.before_ms), (0, None, None));
        assert_eq!(price.notes, ["events: no deletes"]);
        let even = price.break_even.unwrap();
        assert_eq!((even.operation, even.saved_read_ms), (Operation::Insert, 2.0));
        assert!((even.reads_per_write - 0.006).abs() < 1e-3, "{}", even.reads_per_write);
    }

    #[test]
    fn without_a_break_even_it_says_why() {
        let why = |after: &[f64], saving| {
            price(&[], &rounds(&BEFORE, 1.0), &rounds(after, 1.0), saving, TOLERANCE).no_break_even
        };
        assert_eq!(why(&BEFORE, Some(2.0)).as_deref(), Some("no write is measurably slower"));
        assert_eq!(
            why(&slower(1.12), Some(-1.0)).as_deref(),
            Some("reads are not faster, so they never pay for a write")
        );
        assert_eq!(why(&slower(1.12), None).as_deref(), Some("the time that the fix saves per read is not known"));
        assert_eq!(price(&[], &[], &[], Some(1.0), TOLERANCE).no_break_even.as_deref(), Some("no write was measured"));
    }

    #[test]
    fn five_rounds_have_an_interval_and_no_verdict_and_nothing_pays_for_what_is_not_known() {
        let price = price(&[], &rounds(&BEFORE[..5], 1.0), &rounds(&slower(1.5)[..5], 1.0), Some(2.0), TOLERANCE);
        let insert = find(&price, Operation::Insert);
        assert_eq!(insert.verdict, WriteVerdict::Inconclusive);
        assert!(insert.ci_low.unwrap() > 1.4);
        assert_eq!(price.no_break_even.as_deref(), Some("no write is measurably slower"));
    }

    #[test]
    fn the_tolerance_is_that_of_the_comparison() {
        let verdict = |tolerance| {
            let price = price(&[], &rounds(&BEFORE, 1.0), &rounds(&slower(1.12), 1.0), None, tolerance);
            find(&price, Operation::Insert).verdict
        };
        let verdicts = [0.02, 0.12, 0.2].map(verdict);
        assert_eq!(verdicts, [WriteVerdict::Regressed, WriteVerdict::Inconclusive, WriteVerdict::Equivalent]);
    }

    #[test]
    fn writes_are_judged_as_a_family() {
        // By itself the interval at 95 % is beyond 2 %, that at 1 - 0.05 / 3 is not.
        let effects = [0.02, 0.06, 0.03, 0.05, 0.04, 0.04];
        let (alone, among_three) =
            (t_interval(&effects, 0.95).unwrap(), t_interval(&effects, 1.0 - ALPHA / 3.0).unwrap());
        assert!(alone.low > TOLERANCE.ln_1p() && among_three.low < TOLERANCE.ln_1p(), "{alone:?} {among_three:?}");
        let verdicts = |others: &[[f64; 6]]| {
            let write =
                find(&price(&[], &rounds(&BEFORE, 1.0), &rounds(&BEFORE, 1.0), None, TOLERANCE), Operation::Insert)
                    .clone();
            let mut writes: Vec<_> =
                [&[effects], others].concat().iter().map(|own| (write.clone(), own.to_vec())).collect();
            judge(&mut writes, TOLERANCE);
            writes.into_iter().map(|(write, _)| write.verdict).collect::<Vec<_>>()
        };
        let unclear = [0.5, -0.5, 0.5, -0.5, 0.5, -0.5];
        assert_eq!(verdicts(&[]), [WriteVerdict::Regressed]);
        assert_eq!(verdicts(&[unclear, unclear]), [WriteVerdict::Inconclusive; 3]);
        // Those that are decided leave the others more.
        assert_eq!(
            verdicts(&[[0.001; 6], [0.5; 6]]),
            [WriteVerdict::Regressed, WriteVerdict::Equivalent, WriteVerdict::Regressed]
        );
    }

    #[test]
    fn of_several_builds_it_is_the_median_time_and_the_longest_wait() {
        let lock = |mode: &str| LockHeld { relation: "events".into(), mode: mode.into() };
        let applied = |build_s, wait, locks| Applied {
            build_s,
            size_bytes: Some((build_s * 10.0) as i64),
            longest_wait_ms: wait,
            locks,
            ..Applied::default()
        };
        let price = price(
            &[
                applied(3.0, Some(7.0), vec![lock("ShareLock")]),
                applied(1.0, None, vec![lock("ShareLock"), lock("AccessShareLock")]),
                applied(2.0, Some(9.0), vec![]),
            ],
            &[],
            &[],
            None,
            TOLERANCE,
        );
        assert_eq!((price.builds, price.build_s, price.size_bytes), (3, Some(2.0), Some(20)));
        assert_eq!((price.longest_wait_ms, price.reader_longest_ms), (Some(9.0), None));
        assert_eq!(price.locks, [lock("AccessShareLock"), lock("ShareLock")]);
    }
}
