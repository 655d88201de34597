//! A process that is stopped for a while: what it measured meanwhile is void.

use std::{thread, time::Duration};

use nix::sys::signal::Signal;

use crate::site::{MEASURING, Running, Site, record};

/// Stops a program for so long.
fn suspend(running: &Running, time: Duration) {
    running.signal(Signal::SIGSTOP);
    thread::sleep(time);
    running.signal(Signal::SIGCONT);
}

#[test]
fn a_block_that_was_slept_through_is_measured_again() {
    let site = Site::new();
    site.done(&["seed", "--rows", "2000"]);
    let run = ["run", "--rows", "2000", "--rounds", "1", "--block", "2s", "--warmup", "100ms", "--output", "run"];
    let mut running = site.start(&run);
    running.hear(MEASURING);
    suspend(&running, Duration::from_millis(1_800));
    let told = running.end(&site);
    assert_eq!(told.exit, 0, "{}", told.stderr);
    assert!(told.stderr.contains("latclinic did not run for "), "{}", told.stderr);
    assert!(told.stderr.contains("; the block is measured again"), "{}", told.stderr);
    assert_eq!(record(&site.path("run/before"))["suspended_s"], 0.0);
}

#[test]
fn a_measurement_in_one_go_says_so() {
    let site = Site::new();
    site.done(&["seed", "--rows", "2000"]);
    let bench =
        ["bench", "--phase", "before", "--rows", "2000", "--warmup", "100ms", "--duration", "3s", "--output", "one"];
    let mut running = site.start(&bench);
    running.hear(MEASURING);
    suspend(&running, Duration::from_millis(1_800));
    let told = running.end(&site);
    assert_eq!(told.exit, 0, "{}", told.stderr);
    let record = record(&site.path("one"));
    assert!(record["suspended_s"].as_f64().unwrap() > 1.0, "{}", record["suspended_s"]);
    let warnings = record["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|warning| warning["id"] == "suspended"), "{warnings:?}");
}
