//! The product is built with the cargo that runs us, beside this program.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tokio::process::Command;

/// The binary that people get.
pub(crate) async fn product() -> anyhow::Result<PathBuf> {
    let target = std::env::current_exe()?;
    let target = target.ancestors().nth(2).context("a program outside of a target folder")?;
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--release", "--package", "preclinical-webhooks", "--target-dir"])
        .arg(target)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .kill_on_drop(true)
        .status()
        .await
        .context("cargo cannot be started; name a binary with --server PATH")?;
    ensure!(status.success(), "the product could not be built; name a binary with --server PATH");
    Ok(target.join("release").join("preclinical-webhooks"))
}
