//! The program in folders of a test's own, with a server that runs until the test's end.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::Value as Json;

use crate::kind::Kind;

/// Folders with a server.
pub(crate) struct Site {
    folder: tempfile::TempDir,
}

/// How the program ended and what it said.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The folder that `--output` named.
    output: PathBuf,
}

impl Site {
    pub(crate) fn new() -> Self {
        // The server of root runs as another user, who has to pass.
        let permissions = Permissions::from_mode(0o755);
        let site = Self { folder: tempfile::Builder::new().permissions(permissions).tempdir_in("/tmp").unwrap() };
        let started = site.program(&["server", "start"]);
        assert_eq!(started.code, Some(0), "{}", started.stderr);
        site
    }

    /// With those of these extensions that the server has, in the schema `public`.
    pub(crate) fn with(extensions: &[&str]) -> Self {
        let site = Self::new();
        for extension in extensions {
            site.try_sql(&format!("CREATE EXTENSION IF NOT EXISTS {extension}"));
        }
        site
    }

    fn try_sql(&self, sql: &str) -> Option<String> {
        let told = self.program(&["server", "psql", "--", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", sql]);
        (told.code == Some(0)).then(|| told.stdout.trim().to_owned())
    }

    /// Runs SQL as the superuser, and gives the rows as lines.
    pub(crate) fn sql(&self, sql: &str) -> String {
        self.try_sql(sql).unwrap()
    }

    /// Of these kinds those that the server has, and takes values of: without libxml it takes no XML.
    pub(crate) fn known(&self, kinds: Vec<Kind>) -> Vec<Kind> {
        let missing = |kind: &Kind| kind.needs.is_some_and(|needs| self.try_sql(needs).is_none());
        kinds.into_iter().filter(|kind| !missing(kind)).collect()
    }

    /// Runs a command of the program for a scenario with this id.
    pub(crate) fn command(&self, command: &str, id: &str, scenario: &str, flags: &[&str]) -> Told {
        let file = self.folder.path().join(format!("{id}.toml"));
        fs::write(&file, scenario).unwrap();
        let file = file.to_str().unwrap();
        match command {
            "scenarios" => self.program(&[&[command], flags, &[file]].concat()),
            _ => self.program(&[&[command, file], flags].concat()),
        }
    }

    /// The main job, short.
    pub(crate) fn run(&self, id: &str, scenario: &str, block: &str) -> Told {
        let told = self.command("run", id, scenario, &["--rounds", "1", "--block", block, "--warmup", "100ms"]);
        assert_eq!(told.code, Some(0), "{}", told.stderr);
        told
    }

    fn program(&self, args: &[&str]) -> Told {
        let output = self.folder.path().join(format!("output-{:x}", rand::random::<u64>()));
        let mut program = Command::new(env!("CARGO_BIN_EXE_latclinic"));
        program.args(args).current_dir(self.folder.path()).env("LATCLINIC_DATA_DIR", self.folder.path().join("data"));
        if ["run", "bench", "explain"].contains(&args[0]) {
            program.arg("--output").arg(&output);
        }
        program.env_remove("LATCLINIC_DATABASE_URL").stdin(Stdio::null());
        let told = program.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (stdout, stderr) = (text(told.stdout), text(told.stderr));
        assert!(!stderr.contains("panicked"), "{stderr}");
        Told { code: told.status.code(), stdout, stderr, output }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.program(&["server", "destroy", "--yes"]);
    }
}

impl Told {
    /// A record that it wrote, in this folder of its output.
    pub(crate) fn record(&self, folder: &str) -> Json {
        self.json(&format!("{folder}/record.json"))
    }

    pub(crate) fn json(&self, file: &str) -> Json {
        serde_json::from_str(&fs::read_to_string(self.output.join(file)).unwrap()).unwrap()
    }
}
