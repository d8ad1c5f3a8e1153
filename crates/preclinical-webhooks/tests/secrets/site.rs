//! An installation whose every word is kept.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::TempDir;

use crate::{
    browser::{Browser, Seen},
    canary::Evidence,
    harness::{Server, binary},
};

/// Base64 of 32 bytes.
pub(crate) const MASTER_KEY: &str = "Q2FuYXJ5IG9mIHRoZSBtYXN0ZXIga2V5LCA0NzExISE=";

/// The files, the settings, and what was said so far.
pub(crate) struct Site {
    folder: TempDir,
    seen: Seen,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), seen: Arc::default() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A server that logs all it can.
    pub(crate) fn serve(&self, settings: &[(&str, &str)]) -> Server {
        let always = [("PRECLINICAL_MASTER_KEY", MASTER_KEY), ("PRECLINICAL_LOG", "trace")];
        Server::start(&self.path("w.db"), &[&always, settings].concat())
    }

    /// A client of it; one that speaks HTTP/2 if asked for.
    pub(crate) fn browser(&self, server: &Server, http2: bool) -> Browser {
        Browser::new(&server.url, &self.seen, http2)
    }

    /// Runs a command and keeps what it says on both streams. What it printed.
    pub(crate) fn run(&self, name: &str, arguments: &[&str], settings: &[(&str, &str)]) -> String {
        let mut command = binary();
        command.args(arguments).env("PRECLINICAL_MASTER_KEY", MASTER_KEY);
        let database = format!("sqlite:{}", self.path("w.db").display());
        let output = command.env("PRECLINICAL_DATABASE_URL", database).envs(settings.iter().copied()).output().unwrap();
        self.keep(name, &[&output.stdout[..], &output.stderr].concat());
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Keeps what was seen somewhere.
    pub(crate) fn keep(&self, place: &str, bytes: &[u8]) {
        self.seen.lock().unwrap().push(Evidence { place: place.to_owned(), bytes: bytes.to_vec() });
    }

    /// Everything that was said, and every file there is.
    pub(crate) fn evidence(&mut self) -> Vec<Evidence> {
        let mut evidence = std::mem::take(&mut *self.seen.lock().unwrap());
        evidence.extend(files(self.folder.path()));
        evidence
    }
}

fn files(folder: &Path) -> impl Iterator<Item = Evidence> {
    fs::read_dir(folder).unwrap().map(|file| {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let place = match name {
            "w.log" => "log of serve".to_owned(),
            // What was written last may still be in the log beside it.
            _ if name.starts_with("w.db") => "database".to_owned(),
            _ => format!("file {name}"),
        };
        Evidence { place, bytes: fs::read(path).unwrap() }
    })
}
