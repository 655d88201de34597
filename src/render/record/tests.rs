use super::*;
use crate::{
    record::{ErrorCount, Phase, Totals, Warning, sample},
    render::{markdown, terminal},
};

fn plain(shown: &Record) -> String {
    let text = terminal(&record(shown), 80, false);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    text
}

#[test]
fn a_record_for_a_terminal() {
    insta::assert_snapshot!(plain(&sample::record(Phase::Before)), @"
    before: p99 307 ms at 90.5/s

    Scenario events, closed load of 8 clients, 30.2 s measured, PostgreSQL 15.18,
    managed by latclinic.

     time       response
    ─────────────────────
     min         21.4 ms
     mean        88.2 ms
     p50         80.5 ms
     p90          161 ms
     p95          190 ms
     p99          307 ms
     p99.9   needs 2 995
     max          413 ms

     total                               value
    ───────────────────────────────────────────
     operations                          2 716
     errors                                  0
     error rate                            0 %
     throughput                         90.5/s
     samples behind the times            2 716
     client's share of its processors   5.80 %

    Plans:
     parameters      time   rows read   buffers   tables read by
    ─────────────────────────────────────────────────────────────────
     typical      74.8 ms   1 000 000    17 412   Seq Scan on events

    - latest_of_user: all 19 plans sampled under the load match these

    What stands out in the plans:
    1. critical, 99.8 % of the time at stake: A table is read whole and most of it
       thrown away
       Seq Scan on events read 1 000 000 rows to keep 20 (99.99 % removed), 17 412
       buffers, 99.8 % of the time.
       Why it matters: Every execution reads every row of the table to find the few
       that it wants: it takes as long for one row as for all, grows with the table,
       and under concurrent load it takes the processor and the cache from
       everything else.
       What to do: give its filter an index, so that only the rows it keeps are
       read.

       CREATE INDEX CONCURRENTLY ON events (user_id, created_at DESC);

    What a finding means: latclinic explain --rule seq-scan-filter
    ");
}

#[test]
fn a_record_for_github() {
    insta::assert_snapshot!(markdown(&record(&sample::record(Phase::After))), @r"
    # after: p99 399 µs at 84 711/s

    Scenario events, closed load of 8 clients, 30.0 s measured, PostgreSQL 15.18, managed by latclinic.

    | time | response |
    | --- | ---: |
    | min | 41.0 µs |
    | mean | 93.1 µs |
    | p50 | 84.2 µs |
    | p90 | 131 µs |
    | p95 | 163 µs |
    | p99 | 399 µs |
    | p99.9 | 870 µs |
    | max | 4.21 ms |

    | total | value |
    | --- | ---: |
    | operations | 2 541 337 |
    | errors | 0 |
    | error rate | 0 % |
    | throughput | 84 711/s |
    | samples behind the times | 2 541 337 |
    | client's share of its processors | 5.80 % |

    ## Plans

    | parameters | time | rows read | buffers | tables read by |
    | --- | ---: | ---: | ---: | --- |
    | typical | 46.0 µs | 20 | 23 | Index Scan using events\_user\_id\_created\_at\_idx on events |

    - latest\_of\_user: all 19 plans sampled under the load match these

    ## What stands out in the plans

    Nothing stands out: all rules examined 1 plan.

    <details>
    <summary>Plan of latest_of_user for typical values (4711): 46.0 µs, the first 1.20 ms, planned in 100 µs</summary>

    ```text
    node                                                                     time   share  rows  buffers
    ────────────────────────────────────────────────────────────────────────────────────────────────────
    Index Scan using events_user_id_created_at_idx on events              46.0 µs  ██████    20       23
        Index Cond: (user_id = 4711)
    ```

    Time, share and buffers are a node's own, without the nodes below it; rows are all that it returned.

    </details>
    ");
}

#[test]
fn an_open_load_with_errors_and_two_statements() {
    let mut shown = sample::record(Phase::Before);
    shown.load.model = "open".into();
    shown.load.rate = Some(120.0);
    shown.lag_ms = sample::latency([0.01, 0.1, 0.1, 0.2, f64::NAN, f64::NAN, f64::NAN, 2.0], 40);
    shown.statements.push(sample::statement("count_by_kind", Totals::default(), Latency::default()));
    shown.errors.push(ErrorCount {
        sqlstate: "57014".into(),
        count: 1_204,
        sample: "canceling statement due to statement timeout\nCONTEXT: a|b".into(),
    });
    shown.warnings.push(Warning {
        id: "too-few-samples".into(),
        message: "p99.9 needs 2 995 samples; there are 2 716".into(),
        advice: "measure longer with --duration".into(),
    });
    insta::assert_snapshot!(plain(&shown), @"
    before: p99 307 ms at 90.5/s

    Scenario events, open load of 8 clients at 120/s, 30.2 s measured, PostgreSQL
    15.18, managed by latclinic.

     time       response       service           lag
    ─────────────────────────────────────────────────
     min         21.4 ms       21.4 ms       10.0 µs
     mean        88.2 ms       88.2 ms        100 µs
     p50         80.5 ms       80.5 ms        100 µs
     p90          161 ms        161 ms        200 µs
     p95          190 ms        190 ms      needs 59
     p99          307 ms        307 ms     needs 299
     p99.9   needs 2 995   needs 2 995   needs 2 995
     max          413 ms        413 ms       2.00 ms

     total                               value
    ───────────────────────────────────────────
     operations                          2 716
     errors                                  0
     error rate                            0 %
     throughput                         90.5/s
     samples behind the times            2 716
     client's share of its processors   5.80 %

    By statement:
     statement        operations   errors       p50      p95      p99      max
    ───────────────────────────────────────────────────────────────────────────
     latest_of_user        2 716        0   80.5 ms   190 ms   307 ms   413 ms
     count_by_kind             0        0         -        -        -        -

    Plans:
     parameters                   time   rows read   buffers   tables read by
    ──────────────────────────────────────────────────────────────────────────────
     latest_of_user: typical   74.8 ms   1 000 000    17 412   Seq Scan on events

    - latest_of_user: all 19 plans sampled under the load match these

    What stands out in the plans:
    1. critical, 99.8 % of the time at stake: A table is read whole and most of it
       thrown away
       Seq Scan on events read 1 000 000 rows to keep 20 (99.99 % removed), 17 412
       buffers, 99.8 % of the time.
       Why it matters: Every execution reads every row of the table to find the few
       that it wants: it takes as long for one row as for all, grows with the table,
       and under concurrent load it takes the processor and the cache from
       everything else.
       What to do: give its filter an index, so that only the rows it keeps are
       read.

       CREATE INDEX CONCURRENTLY ON events (user_id, created_at DESC);

    What a finding means: latclinic explain --rule seq-scan-filter

    Errors:
     SQLSTATE                        count   one of the messages
    ────────────────────────────────────────────────────────────────────────────────
     57014 (operator intervention)   1 204   canceling statement due to statement
                                             timeout CONTEXT: a|b

    Warnings:
    - p99.9 needs 2 995 samples; there are 2 716; measure longer with --duration
    ");
}

#[test]
fn every_part_at_once() {
    insta::assert_snapshot!(plain(&sample::full()), @"
    before: p99 307 ms at 90.5/s

    Scenario events, open load of 16 clients at 120/s (poisson), over a pool of 4
    connections, 30.2 s measured, PostgreSQL 15.18, managed by latclinic.

     time       response       service           lag          wait
    ───────────────────────────────────────────────────────────────
     min         21.4 ms       21.4 ms       10.0 µs       10.0 µs
     mean        88.2 ms       88.2 ms        100 µs        100 µs
     p50         80.5 ms       80.5 ms        100 µs        100 µs
     p90          161 ms        161 ms        200 µs        200 µs
     p95          190 ms        190 ms        400 µs        400 µs
     p99          307 ms        307 ms        800 µs        800 µs
     p99.9   needs 2 995   needs 2 995   needs 2 995   needs 2 995
     max          413 ms        413 ms       2.00 ms       2.00 ms

     total                                      value
    ──────────────────────────────────────────────────
     operations                                 2 716
     errors                                        12
     error rate                               0.442 %
     throughput                                90.5/s
     planned rate                               100/s
     achieved rate                              100/s
     skipped                                        4
     late                                           9
     retries                                       31
     connections lost                               2
     failed attempts to connect                     5
     clients without a connection, in total    1.25 s
     samples behind the times                   2 716
     client's share of its processors          5.80 %

    Thresholds:
     threshold                   measured   outcome
    ─────────────────────────────────────────────────────────────────────────────
     p(95)<250ms                   190 ms   PASS
     latest_of_user:p(99.9)<1s          -   undecided: needs 2995 samples; there
                                            are 2716
     error_rate<0.1%              0.442 %   FAIL

    Capacity: 480/s keep p(95)<50ms:
      rate   achieved   operations   errors       p50       p95   p99   kept
    ─────────────────────────────────────────────────────────────────────────
     100/s     99.9/s        3 000        0   6.00 ms   12.0 ms     -   yes
     480/s      480/s        3 000        0   24.4 ms   48.8 ms     -   yes
     600/s      599/s        3 000        0    206 ms    412 ms     -   no

    - 600/s: 540.0/s of 600.0/s were achieved

    Results:
    Same rows before and after: no, not those of latest_of_user as tenant_a.

    latest_of_user as tenant_a: 12 of 200 results differ; the first in row 3 for $1
    = 4711:

     column       before                     after
    ──────────────────────────────────────────────────────────────────
     id           '991'                      '990'
     created_at   '2026-01-02 03:04:05+00'   '2026-01-02 03:04:05+00'
     note         NULL                       ''

    - comments_of_post.authors: not deterministic: two executions before the fix
      gave different rows

    What the fix costs:
    It costs 31.0 MB, 900 ms to build, inserts +12 % (95 % 9 to 15).

     write of a row    before     after                      change    WAL bytes
    ─────────────────────────────────────────────────────────────────────────────
     insert           50.0 µs   56.0 µs        +12 % (95 % 9 to 15)   183 -> 247
     update           50.0 µs   50.5 µs   +1.0 % (95 % -2.0 to 4.0)   183 -> 247
     delete                 -         -                           -            -

    - applied 6 times: times and sizes are medians, waits are the longest
    - locks events in ShareUpdateExclusiveLock: neither reads nor writes wait
    - during the build, a read took up to 2.10 ms, a write took up to 3.20 ms, the
      longest lock wait was 1.40 ms
    - heap-only updates (HOT) of events: 98 % -> 49 %
    - break-even: an insert into events takes 6.00 µs more on the server, a read
      88.0 ms less under this load: one read pays for 14 666 writes
    - events: rows could not be deleted: permission denied

    By statement:
     statement          operations   errors       p50      p95      p99       max
    ──────────────────────────────────────────────────────────────────────────────
     latest_of_user          2 716        0   80.5 ms   190 ms   307 ms    413 ms
     comments_of_post        2 716       12   80.5 ms   190 ms   307 ms    413 ms
     - comments              2 716        0    100 µs   400 µs   800 µs   2.00 ms
     - authors              54 320        0    100 µs   400 µs   800 µs   2.00 ms

    A row that starts with - is a step of the script above it, with its executions
    and service times.

    By stage:
     stage     arrivals/s   errors   throughput       p50      p95      p99
    ────────────────────────────────────────────────────────────────────────
     0-10 s      0 to 120       12       90.5/s   80.5 ms   190 ms   307 ms
     10-30 s          120       12       90.5/s   80.5 ms   190 ms   307 ms

    Plans:
     parameters                   time   rows read   buffers   tables read by
    ──────────────────────────────────────────────────────────────────────────────
     latest_of_user: typical   74.8 ms   1 000 000    17 412   Seq Scan on events

    - latest_of_user: all 19 plans sampled under the load match these

    What stands out in the plans:
    1. critical, 99.8 % of the time at stake: A table is read whole and most of it
       thrown away
       Seq Scan on events read 1 000 000 rows to keep 20 (99.99 % removed), 17 412
       buffers, 99.8 % of the time.
       Why it matters: Every execution reads every row of the table to find the few
       that it wants: it takes as long for one row as for all, grows with the table,
       and under concurrent load it takes the processor and the cache from
       everything else.
       What to do: give its filter an index, so that only the rows it keeps are
       read.

       CREATE INDEX CONCURRENTLY ON events (user_id, created_at DESC);

    What a finding means: latclinic explain --rule seq-scan-filter

    Server:
     server                                                     value
    ──────────────────────────────────────────────────────────────────
     found in the cache             above 99.9 % of 8 001 234 buffers
     buffers read from outside it                               1 234
     time spent reading them                                   321 ms
     temporary files                                           123 MB
     deadlocks                                                      1
     WAL an operation                                       298 bytes
     checkpoints                             1, 4 000 buffers written
     heap-only updates of events                       1 900 of 2 000
     autovacuum of events                       1 vacuums, 2 analyzes

     costliest statements                 calls   in all      each   rows each
    ───────────────────────────────────────────────────────────────────────────
     SELECT id, created_at FROM events…   2 716    211 s   77.7 ms        20.0

    - cannot read pg_stat_wal: permission denied

    Errors:
     SQLSTATE                       count   one of the messages
    ───────────────────────────────────────────────────────────────────
     40001 (transaction rollback)   12      could not serialize access

    Warnings:
    - 2 connections were lost; look at the server's log
    ");
}

#[test]
fn a_closed_load_over_a_pool_shows_what_waiting_adds() {
    let full = sample::full();
    let mut shown = Record { wait_ms: full.wait_ms, ..sample::record(Phase::Before) };
    shown.load.connections = "pool".into();
    shown.load.pool = full.load.pool;
    shown.load.protocol = "simple".into();
    shown.load.think_time_s = Some(0.05);
    let text = plain(&shown);
    let text: Vec<&str> = text.lines().skip(2).take(8).collect();
    insta::assert_snapshot!(text.join("\n"), @"
    Scenario events, closed load of 8 clients with 50.0 ms think time, over a pool
    of 4 connections, simple protocol, 30.2 s measured, PostgreSQL 15.18, managed by
    latclinic.

     time       response       service          wait
    ─────────────────────────────────────────────────
     min         21.4 ms       21.4 ms       10.0 µs
     mean        88.2 ms       88.2 ms        100 µs
    ");
}

#[test]
fn nothing_measured() {
    let mut shown = sample::record(Phase::Before);
    shown.interrupted = true;
    shown.interrupted_by = Some("Ctrl-C".into());
    shown.measured_s = 0.0;
    shown.totals = Totals::default();
    shown.latency_ms = Latency::default();
    shown.plans.clear();
    insta::assert_snapshot!(plain(&shown), @"
    before: nothing was measured

    Scenario events, closed load of 8 clients, 0.0 s measured, PostgreSQL 15.18,
    managed by latclinic. Interrupted (Ctrl-C); 30 s were asked for.

     time    response
    ──────────────────
     min            -
     mean           -
     p50            -
     p90            -
     p95            -
     p99            -
     p99.9          -
     max            -

     total                               value
    ───────────────────────────────────────────
     operations                              0
     errors                                  0
     error rate                            0 %
     throughput                            0/s
     samples behind the times                0
     client's share of its processors   5.80 %
    ");
}
