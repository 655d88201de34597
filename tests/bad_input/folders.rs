//! Folders that cannot be written to, have been written to, or are full.

use std::{
    fs::{self, File},
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

use insta::assert_snapshot;
use nix::sys::signal::Signal;

use crate::site::{MEASURING, QUICK, Running, Site, record};

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
    error: file exists already
      help: nothing is ever overwritten: name a folder that does not exist
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
    error: out exists already
      help: nothing is ever overwritten: name a folder that does not exist
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
      help: make room, or name another folder with --output
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
