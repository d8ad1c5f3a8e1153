//! The installed programs of PostgreSQL, and the user that runs them.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

/// Where distributions put them when they are not in `PATH`, one folder a version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The programs of one version.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    folder: PathBuf,
    /// User and group to run them as; PostgreSQL refuses to be run by root.
    user: Option<(u32, u32)>,
}

impl Programs {
    /// What `PATH` has, else the newest version of the distribution's.
    pub(super) fn find() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let has_both = |folder: &PathBuf| ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file());
        let folder = std::env::split_paths(&path).chain(versions()).find(has_both);
        let folder = folder.expect(
            "PostgreSQL is not installed (the Debian package is `postgresql`); \
             leave it out knowingly with PRECLINICAL_TEST_WITHOUT=postgres",
        );
        // Only a few of them may be linked into a folder of `PATH`.
        let program = folder.join("postgres").canonicalize().expect("postgres was found");
        let folder = program.parent().map_or(folder, Path::to_owned);
        Self { folder, user: ordinary_user() }
    }

    /// One of them, to be run as a user that it accepts, in a process group of its own: what ends a test from a terminal
    /// must not reach the server before the test is through with it.
    pub(super) fn command(&self, name: &str) -> Command {
        self.lend(Command::new(self.folder.join(name)))
    }

    /// Any program, run by the same user.
    pub(super) fn foreign(&self, name: impl AsRef<OsStr>) -> Command {
        self.lend(Command::new(name))
    }

    fn lend(&self, mut command: Command) -> Command {
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command.current_dir("/").process_group(0);
        command
    }

    /// What names the version, and nothing but it.
    pub(super) fn version(&self) -> String {
        let output = self.command("postgres").arg("--version").output().expect("postgres can be run");
        let said = String::from_utf8(output.stdout).unwrap();
        said.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect()
    }

    /// A new folder in the system's folder for such, which belongs to the user that runs the programs.
    pub(super) fn folder(&self) -> PathBuf {
        let folder = tempfile::Builder::new().prefix("preclinical-postgres-").tempdir().unwrap().keep();
        self.give(&folder);
        folder
    }

    /// Hands a file or folder to the user that runs the programs.
    pub(super) fn give(&self, path: &Path) {
        if let Some((user, group)) = self.user {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }
}

/// Folders of the distribution's versions, newest first.
fn versions() -> Vec<PathBuf> {
    let number = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let mut found: Vec<PathBuf> = fs::read_dir(VERSIONS).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort_by_key(|folder| std::cmp::Reverse(number(folder)));
    found.into_iter().map(|folder| folder.join("bin")).collect()
}

/// Who runs the programs in place of root; `None` if this is not root.
fn ordinary_user() -> Option<(u32, u32)> {
    let mine = tempfile::tempfile().unwrap().metadata().unwrap().uid();
    if mine != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let known = |wanted: &str| {
        users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find_map(|fields| {
            (fields.first() == Some(&wanted)).then(|| Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)))?
        })
    };
    Some(known("postgres").or_else(|| known("nobody")).expect("root needs a user that runs PostgreSQL: postgres or nobody"))
}
