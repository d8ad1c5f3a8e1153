//! The rules. Each is a function from the repository to the places where it is broken.

mod arrows;
mod dependencies;
mod links;
mod schema;
mod sources;
mod suite;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

/// Checks every rule and names every place where one is broken.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let files = files(root)?;
    let mut broken = arrows::check(root)?;
    broken.extend(dependencies::check(root, &files)?);
    broken.extend(sources::check(&files));
    broken.extend(schema::check(&files));
    broken.extend(suite::check(&files)?);
    broken.extend(links::check(root, &files));
    if broken.is_empty() {
        println!("tidy: {} files", files.len());
        return Ok(());
    }
    bail!("{}\ntidy: {} places", broken.join("\n"), broken.len())
}

/// A text file that belongs to the repository.
pub(crate) struct File {
    /// Its path from the root, with slashes.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
}

/// What git knows or would add; files that are no text are passed over.
fn files(root: &Path) -> anyhow::Result<Vec<File>> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("git cannot be run")?;
    if !listed.status.success() {
        bail!("git ls-files failed: {}", String::from_utf8_lossy(&listed.stderr));
    }
    let paths = String::from_utf8(listed.stdout).context("a path is not UTF-8")?;
    let read = |path: &str| {
        let text = fs::read_to_string(root.join(PathBuf::from(path))).ok()?;
        Some(File { path: path.to_owned(), text })
    };
    Ok(paths.split('\0').filter(|path| !path.is_empty()).filter_map(read).collect())
}
