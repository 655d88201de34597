//! The state of the managed server, for a person and for a program.

use serde_json::json;

use crate::clinic::managed::{Running, Status};

/// The command line that connects to a server.
pub(super) fn psql_line(running: &Running) -> String {
    format!("psql -h {} -p {} -U latclinic latclinic", running.socket_dir.display(), running.port)
}

/// As a person reads it.
pub(super) fn lines(status: &Status) -> String {
    let Some(data_dir) = &status.data_dir else {
        return "server    not running\ndata      none yet; created by the first command that needs it".to_owned();
    };
    let majors = match status.majors.as_slice() {
        [] => "empty".to_owned(),
        majors => format!("PostgreSQL {}", majors.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
    };
    let mut rows = vec![("data", format!("{} ({}, {majors})", data_dir.display(), size(status.size_bytes)))];
    if let Some(job) = &status.job {
        rows.push(("job", format!("{} (pid {})", job.command, job.pid)));
    }
    match (&status.running, status.unsettled) {
        (Some(running), _) => {
            let until = if running.kept { "until `latclinic server stop`" } else { "until its command ends" };
            rows.insert(0, ("server", format!("PostgreSQL {}, running {until}", running.version)));
            rows.push(("pid", running.pid.to_string()));
            rows.push(("since", since(running)));
            rows.push(("socket", running.socket_dir.display().to_string()));
            rows.push(("binaries", running.bin_dir.display().to_string()));
            rows.push(("connect", psql_line(running)));
            rows.extend(running.settings.iter().enumerate().map(|(index, (name, value))| {
                let value = if value.is_empty() { "''" } else { value };
                (if index == 0 { "settings" } else { "" }, format!("{name} = {value}"))
            }));
        }
        (None, Some(pid)) => rows.insert(0, ("server", format!("starting, stopping or not latclinic's (pid {pid})"))),
        (None, None) => rows.insert(0, ("server", "not running".to_owned())),
    }
    rows.iter().map(|(name, value)| format!("{name:<9} {value}")).collect::<Vec<_>>().join("\n")
}

/// As a program reads it.
pub(super) fn json(status: &Status) -> serde_json::Value {
    json!({
        "data_dir": status.data_dir.as_ref().map(|path| path.display().to_string()),
        "size_bytes": status.size_bytes,
        "majors": status.majors,
        "job": status.job.as_ref().map(|job| json!({ "pid": job.pid, "command": job.command })),
        "unsettled_pid": status.unsettled,
        "running": status.running.as_ref().map(|running| json!({
            "version": running.version,
            "pid": running.pid,
            "since": since(running),
            "kept": running.kept,
            "cluster": running.cluster.display().to_string(),
            "bin_dir": running.bin_dir.display().to_string(),
            "socket_dir": running.socket_dir.display().to_string(),
            "port": running.port,
            "max_connections": running.max_connections,
            "settings": running.settings,
        })),
    })
}

fn since(running: &Running) -> String {
    jiff::Timestamp::from_second(running.started_at).map_or_else(|_| "unknown".to_owned(), |moment| moment.to_string())
}

/// Bytes as PostgreSQL writes sizes: 1 kB is 1024 bytes.
pub(super) fn size(bytes: u64) -> String {
    let mut size = bytes;
    for unit in ["bytes", "kB", "MB"] {
        if size < 10 * 1024 {
            return format!("{size} {unit}");
        }
        size /= 1024;
    }
    format!("{size} GB")
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::PathBuf};

    use super::*;
    use crate::clinic::managed::Job;

    fn running() -> Status {
        Status {
            data_dir: Some(PathBuf::from("/var/lib/latclinic")),
            size_bytes: 48_234_496,
            majors: vec![15],
            running: Some(Running {
                pid: 4711,
                started_at: 1_767_268_800,
                socket_dir: PathBuf::from("/run/latclinic-0123456789abcdef"),
                port: 5432,
                cluster: PathBuf::from("/var/lib/latclinic/pg15"),
                version: "15.18".to_owned(),
                bin_dir: PathBuf::from("/usr/lib/postgresql/15/bin"),
                kept: false,
                max_connections: 100,
                settings: BTreeMap::from([
                    ("fsync".to_owned(), "on".to_owned()),
                    ("listen_addresses".to_owned(), String::new()),
                ]),
            }),
            unsettled: None,
            job: Some(Job { pid: 4700, command: "latclinic run".to_owned() }),
        }
    }

    #[test]
    fn a_running_server_as_a_person_reads_it() {
        insta::assert_snapshot!(lines(&running()), @r"
        server    PostgreSQL 15.18, running until its command ends
        data      /var/lib/latclinic (46 MB, PostgreSQL 15)
        job       latclinic run (pid 4700)
        pid       4711
        since     2026-01-01T12:00:00Z
        socket    /run/latclinic-0123456789abcdef
        binaries  /usr/lib/postgresql/15/bin
        connect   psql -h /run/latclinic-0123456789abcdef -p 5432 -U latclinic latclinic
        settings  fsync = on
                  listen_addresses = ''
        ");
    }

    #[test]
    fn a_running_server_as_a_program_reads_it() {
        insta::assert_snapshot!(format!("{:#}", json(&running())), @r#"
        {
          "data_dir": "/var/lib/latclinic",
          "size_bytes": 48234496,
          "majors": [
            15
          ],
          "job": {
            "pid": 4700,
            "command": "latclinic run"
          },
          "unsettled_pid": null,
          "running": {
            "version": "15.18",
            "pid": 4711,
            "since": "2026-01-01T12:00:00Z",
            "kept": false,
            "cluster": "/var/lib/latclinic/pg15",
            "bin_dir": "/usr/lib/postgresql/15/bin",
            "socket_dir": "/run/latclinic-0123456789abcdef",
            "port": 5432,
            "max_connections": 100,
            "settings": {
              "fsync": "on",
              "listen_addresses": ""
            }
          }
        }
        "#);
    }

    #[test]
    fn a_server_that_does_not_run() {
        let stopped = Status { running: None, job: None, ..running() };
        insta::assert_snapshot!(lines(&stopped), @r"
        server    not running
        data      /var/lib/latclinic (46 MB, PostgreSQL 15)
        ");
        let starting = Status { unsettled: Some(4711), ..stopped };
        assert!(lines(&starting).starts_with("server    starting, stopping or not latclinic's (pid 4711)"));
        let nothing = Status { data_dir: None, unsettled: None, ..starting };
        insta::assert_snapshot!(lines(&nothing), @r"
        server    not running
        data      none yet; created by the first command that needs it
        ");
    }

    #[test]
    fn sizes_are_as_postgresql_writes_them() {
        assert_eq!([0, 9_000, 48_234_496, 20 << 30].map(size), ["0 bytes", "9000 bytes", "46 MB", "20 GB"]);
    }
}
