//! The files of a new cluster. Making them takes seconds, copying them a moment: they are made once for each version and
//! kept in the folder of the build.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{programs::Programs, random};

/// Written in front of the version: what is made differently must not find what was made before.
const FORMAT: &str = "1";

/// Fills `folder/data` with a new cluster, and returns the password of its user `postgres`.
pub(super) fn unpack(programs: &Programs, folder: &Path) -> String {
    let password = if let Some(kept) = kept(programs) {
        copy(&kept.join("data"), &folder.join("data"), programs).expect("the kept cluster is copied");
        fs::read_to_string(kept.join("password"))
    } else {
        make(programs, folder);
        fs::read_to_string(folder.join("password"))
    };
    password.unwrap()
}

/// The kept cluster of this version, made now if it is missing. `None` outside of a folder of a build.
fn kept(programs: &Programs) -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    let build = test.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file())?;
    let shelf = build.join("test-tools").join("postgres");
    let kept = shelf.join(format!("{FORMAT}-{}", programs.version()));
    if kept.is_dir() {
        return Some(kept);
    }
    let made = programs.folder();
    make(programs, &made);
    let waiting = shelf.join(format!("making-{:016x}", random()));
    fs::create_dir_all(&waiting).ok()?;
    for name in ["data", "password"] {
        copy(&made.join(name), &waiting.join(name), programs).ok()?;
    }
    // If another process was quicker, its cluster is as good.
    if fs::rename(&waiting, &kept).is_err() {
        fs::remove_dir_all(&waiting).ok()?;
    }
    fs::remove_dir_all(&made).ok()?;
    Some(kept)
}

/// Makes `data` and `password` in a folder of the programs' user.
fn make(programs: &Programs, folder: &Path) {
    let (data, password) = (folder.join("data"), folder.join("password"));
    fs::write(&password, format!("{:016x}{:016x}", random(), random())).unwrap();
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
    programs.give(&password);
    let output = programs
        .command("initdb")
        .args(["--username=postgres", "--auth-local=reject", "--auth-host=password", "--pwfile"])
        .arg(&password)
        .args(["--encoding=UTF8", "--locale=C", "--wal-segsize=1", "--no-sync", "--pgdata"])
        .arg(&data)
        .output()
        .expect("initdb can be run");
    assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
}

/// Copies a file, or a folder with all that is in it, as the programs' user's own.
fn copy(from: &Path, to: &Path, programs: &Programs) -> io::Result<()> {
    let metadata = fs::metadata(from)?;
    if metadata.is_dir() {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            copy(&from.join(&name), &to.join(&name), programs)?;
        }
        fs::set_permissions(to, metadata.permissions())?;
    } else {
        fs::copy(from, to)?;
    }
    programs.give(to);
    Ok(())
}
