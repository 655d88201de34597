//! Folders that cannot be written to, have been written to, or are full.

use std::{
    fs::{self, File},
    os::fd::AsRawFd,
    path::{Path, PathBuf},
    process::Command,
};

use insta::assert_snapshot;
use latclinic::pg::Connector;
use nix::sys::signal::Signal;

use crate::site::{BEFORE_FIRST, MEASURING, QUICK, Running, Site, Told, record, wait_for};

fn bench<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["bench", "--phase", "before"][..], &QUICK, more].concat()
}

#[test]
fn a_folder_that_cannot_be_written_to() {
    let site = Site::new();
    site.write("file", "");
    assert_snapshot!(site.refused(1, &bench(&["--output", "file/out"])), @"
    error: cannot create the folder file/out: file is a file
      help: name a folder that can be written to, with --reports or --output
    ");
    assert_snapshot!(site.refused(2, &bench(&["--output", "file"])), @"
    error: file already exists
      help: latclinic overwrites nothing; name a folder that does not exist
    ");
    assert_snapshot!(site.refused(1, &["run", "--reports", "file/reports", "--output", "file/out"]), @"
    error: cannot create the folder file/out: file is a file
      help: name a folder that can be written to, with --reports or --output
    ");
    let words = site.refused(1, &["run", "--reports", "file/reports"]);
    assert!(words.contains("file/reports/events/"), "{words}");
}

#[test]
fn an_output_folder_is_written_once() {
    let site = Site::with_server();
    site.done(&["seed", "--rows", "2000"]);
    site.done(&bench(&["--output", "out"]));
    let all = || {
        let mut files: Vec<(PathBuf, Vec<u8>)> = fs::read_dir(site.path("out"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    let written = all();
    assert_eq!(written.len(), 4);
    assert_snapshot!(site.refused(2, &bench(&["--output", "out"])), @"
    error: out already exists
      help: latclinic overwrites nothing; name a folder that does not exist
    ");
    site.refused(2, &[&["run", "--output", "out"][..], &QUICK].concat());
    assert_eq!(all(), written);
}

#[test]
fn a_disk_without_room_is_told_before_anything_is_measured() {
    let site = Site::with_server();
    site.done(&["seed", "--rows", "2000"]);
    let Some(command) = site.on_a_small_disk(512, &bench(&["--output", "disk/out"])) else { return };
    let told = Running::new(command).end(&site);
    assert_eq!(told.exit, 1);
    assert_snapshot!(told.stderr.trim_end(), @"
    error: cannot write into disk/out: No space left on device (os error 28)
      help: free disk space, or name another folder with --output
    ");
}

#[test]
fn a_disk_that_fills_up_during_a_measurement_does_not_take_its_record() {
    let site = Site::with_server();
    site.done(&["seed", "--rows", "2000"]);
    let endless = ["bench", "--phase", "before", "--rows", "2000", "--duration", "2m", "--output", "disk/out"];
    let Some(command) = site.on_a_small_disk(2048, &endless) else { return };
    let mut running = Running::new(command);
    running.hear(MEASURING);
    let inside = format!("/proc/{}/root{}", running.pid(), site.path("disk").display());
    // Holds the file system when its last process is gone.
    let disk = File::open(&inside).unwrap();
    fs::write(Path::new(&inside).join("filler"), vec![1; 4 << 20]).unwrap_err();
    running.signal(Signal::SIGINT);
    let told = running.end(&site);
    assert_eq!(told.exit, 130, "{}", told.stderr);
    let record = record(Path::new(&format!("/proc/self/fd/{}/out", disk.as_raw_fd())));
    assert_eq!(record["interrupted"], true);
}

/// A run of a few seconds.
fn run<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let quick = ["run", "--rows", "2000", "--clients", "2", "--rounds", "2", "--block", "500ms", "--warmup", "100ms"];
    [&quick[..], &BEFORE_FIRST, more].concat()
}

/// Whether both records and the comparison of a run are in a folder, complete.
fn assert_saved(folder: &Path) {
    for side in ["before", "after"] {
        assert_eq!(record(&folder.join(side))["interrupted"], false);
        assert!(folder.join(side).join("latency.hlog").is_file());
    }
    let comparison = fs::read(folder.join("comparison.json")).unwrap();
    serde_json::from_slice::<serde_json::Value>(&comparison).unwrap();
}

#[test]
fn a_disk_without_room_for_both_sides_is_told_before_a_run_measures() {
    let site = Site::with_server();
    site.done(&["seed", "--rows", "2000"]);
    for kilobytes in [200, 500] {
        let Some(command) = site.on_a_small_disk(kilobytes, &run(&["--output", "disk/out"])) else { return };
        let told = Running::new(command).end(&site);
        assert_eq!(told.exit, 1, "{kilobytes}: {}", told.stderr);
        assert_eq!(told.stderr.lines().count(), 2, "{kilobytes}: {}", told.stderr);
        assert!(told.stderr.contains("cannot write into disk/out: No space left"), "{kilobytes}: {}", told.stderr);
    }
}

#[test]
fn a_disk_that_fills_up_during_a_run_takes_neither_side_nor_the_comparison() {
    let site = Site::with_server();
    site.done(&["seed", "--rows", "2000"]);
    let Some(command) = site.on_a_small_disk(1500, &run(&["--output", "disk/out"])) else { return };
    let mut running = Running::new(command);
    running.hear(MEASURING);
    let inside = format!("/proc/{}/root{}", running.pid(), site.path("disk").display());
    // Holds the file system when its last process is gone.
    let disk = File::open(&inside).unwrap();
    fs::write(Path::new(&inside).join("filler"), vec![1; 4 << 20]).unwrap_err();
    let told = running.end(&site);
    assert!([0, 4].contains(&told.exit), "{}", told.stderr);
    assert_saved(Path::new(&format!("/proc/self/fd/{}/out", disk.as_raw_fd())));
}

/// Runs something and lets `meanwhile` happen while it measures.
fn disturbed(site: &Site, args: &[&str], meanwhile: impl FnOnce(u32)) -> Told {
    fs::create_dir_all(site.path("tmp")).unwrap();
    let mut command = site.command(args);
    command.env("TMPDIR", site.path("tmp"));
    let mut running = Running::new(command);
    running.hear(MEASURING);
    meanwhile(running.pid());
    running.end(site)
}

#[test]
fn what_cannot_be_saved_where_it_was_asked_for_is_saved_elsewhere_and_told() {
    let site = Site::with_server();
    site.done(&["seed", "--rows", "2000"]);

    // Somebody else's record is in the way.
    let told = disturbed(&site, &bench(&["--output", "out"]), |_| site.write("out/record.json", "another's"));
    assert_eq!(told.exit, 1, "{}", told.stderr);
    assert_snapshot!(told.refusal(), @"
    error: the results were saved in out-2 instead of out: out/record.json already exists
      help: move the folder to where you want it
    ");
    assert!(told.stdout.ends_with("written: out-2\n"), "{}", told.stdout);
    assert_eq!(record(&site.path("out-2"))["interrupted"], false);
    assert_eq!(fs::read_to_string(site.path("out/record.json")).unwrap(), "another's");
    assert_eq!(fs::read_dir(site.path("out")).unwrap().count(), 1, "no histogram beside another's record");

    // The folder is gone, and with it every place beside it.
    fs::create_dir(site.path("reports")).unwrap();
    let told = disturbed(&site, &run(&["--output", "reports/run"]), |_| {
        fs::remove_dir_all(site.path("reports")).unwrap();
        site.write("reports", "a file");
    });
    assert_eq!(told.exit, 1, "{}", told.stderr);
    let place = site.path("tmp/latclinic-run");
    assert!(told.stdout.ends_with(&format!("written: {}\n", place.display())), "{}", told.stdout);
    assert!(told.stderr.contains("error: the results were saved in "), "{}", told.stderr);
    assert_saved(&place);
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_and_no_end() {
    let site = Site::with_server();
    site.done(&["seed", "--rows", "2000"]);
    for args in [bench(&["--output", "out"]), run(&["--output", "out"])] {
        let told = site.tell(&mut site.shell("ulimit -f 16; exec \"$@\"", &args));
        assert_eq!(told.exit, 1, "{}", told.stderr);
        let words =
            "error: cannot write into out: File too large (os error 27)\n  help: raise the limit on the size of files";
        assert!(told.stderr.starts_with(words), "{}", told.stderr);
        assert!(!site.path("out").exists());
    }
    let told = site.tell(&mut site.shell("ulimit -f 0; exec \"$@\" >result.txt", &["scenarios", "schema"]));
    assert_eq!(told.exit, 1, "{}", told.stderr);
    assert!(told.stderr.contains("cannot write the result to stdout: File too large"), "{}", told.stderr);
}

#[test]
fn connections_that_others_take_during_a_run_are_no_wrong_usage() {
    let site = Site::with_server();
    site.done(&["seed", "--rows", "2000"]);
    let args = ["run", "--rows", "2000", "--clients", "60", "--rounds", "6", "--block", "1s", "--output", "out"];
    let mut running = site.start(&[&args[..], &BEFORE_FIRST].concat());
    running.hear("round 1 of 6");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let connector = Connector::from_url(&site.url("latclinic", "latclinic"), &|_| None).unwrap();
    let mut others = Vec::new();
    // As many as leave too few for the next block; the last ones come in when the present block has ended.
    wait_for("others have taken the connections", || {
        others.extend(runtime.block_on(connector.connect("others")).ok());
        others.len() == 45
    });
    let told = running.end(&site);
    drop(others);
    assert_eq!(told.exit, 1, "{}", told.stderr);
    assert!(told.stderr.contains("60 clients need 60 connections"), "{}", told.stderr);
    assert!(site.path("out").join("before/record.json").exists(), "{}", told.stderr);
    // Before anything is measured it is wrong usage.
    site.refused(2, &["bench", "--phase", "after", "--rows", "2000", "--clients", "101"]);
}

/// A limit on the size of files, which comes while it measures, leaves no place to save anything.
#[test]
fn what_can_be_saved_nowhere_is_shown() {
    let site = Site::with_server();
    site.done(&["seed", "--rows", "2000"]);
    let commands = [(bench(&["--output", "none"]), "p99 "), (run(&["--output", "none"]), "Verdict  ")];
    for (command, figures) in commands {
        let told = disturbed(&site, &command, |pid| {
            let pid = pid.to_string();
            assert!(Command::new("prlimit").args(["--pid", &pid, "--fsize=0"]).status().unwrap().success());
        });
        assert_eq!(told.exit, 1, "{}", told.stderr);
        assert!(told.stdout.contains(figures) && !told.stdout.contains("written: "), "{}", told.stdout);
        assert!(told.refusal().starts_with("error: the results are only shown here: "), "{}", told.stderr);
        assert!(told.stderr.contains("File too large"), "{}", told.stderr);
        assert!(!site.path("none").exists() && !site.path("none-2").exists());
    }
}
