//! The built binary: a server as a process of its own, other commands beside it, and a client of the API.
//!
//! Settings of whoever runs the tests (`PRECLINICAL_*`) reach no process that is started here.
#![allow(dead_code, unused_imports, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

mod api;

pub(crate) use api::Api;

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
};

const READY: &str = "listening on ";

/// The binary, with no setting but those that are given to it next.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_preclinical-webhooks"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PRECLINICAL_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// Creates an API key in a database, which is created, too, if it is missing. Once for each database.
pub(crate) fn create_key(database: &Path) -> String {
    let output = binary().args(["keys", "create", "--name", "tests", "--database"]).arg(database).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// `serve` as a process; it is killed when this is dropped. What it logs is kept beside its database.
pub(crate) struct Server {
    /// Where it listens, without a slash at the end.
    pub(crate) url: String,
    process: Child,
    /// Kept open: a server must not be the one that finds its reader gone.
    stdout: BufReader<ChildStdout>,
    log: PathBuf,
}

impl Server {
    /// Starts a server on a free port of 127.0.0.1, and returns when it listens.
    pub(crate) fn start(database: &Path, settings: &[(&str, &str)]) -> Self {
        let log = database.with_extension("log");
        let lines = OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let mut process = serve(database, settings, lines).spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let Some(url) = line.trim_end().strip_prefix(READY).map(str::to_owned) else {
            let _ = process.kill();
            let _ = process.wait();
            panic!("the server said {line:?} instead of where it listens\n{}", std::fs::read_to_string(log).unwrap());
        };
        Self { url, process, stdout, log }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The next line that it prints behind the one that says where it listens; empty when it has ended without another one.
    pub(crate) fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    /// Ends it with SIGKILL, and returns when it is gone.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Asks it to end, with SIGTERM.
    pub(crate) fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// How it ended, once it has.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }

    /// What it logged, and those before it on the same database.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve(database: &Path, settings: &[(&str, &str)], log: File) -> Command {
    let mut command = binary();
    command
        .arg("serve")
        .env("PRECLINICAL_LISTEN", "127.0.0.1:0")
        .env("PRECLINICAL_DATABASE_URL", format!("sqlite:{}", database.display()))
        .envs(settings.iter().copied())
        .stdout(Stdio::piped())
        .stderr(log);
    command
}
