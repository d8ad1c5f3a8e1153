//! The release binary that is measured.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

const BUILD: [&str; 4] = ["build", "--release", "-p", "preclinical-webhooks"];

/// Builds the product with the cargo that runs us, beside this program.
pub(crate) async fn build(beside: &Path) -> anyhow::Result<PathBuf> {
    let name = format!("preclinical-webhooks{}", std::env::consts::EXE_SUFFIX);
    let by_hand = format!("run `cargo {}`, then `bench --server PATH`", BUILD.join(" "));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = beside.parent().context("a program outside of a target folder")?;
    let status = tokio::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(BUILD)
        .arg("--target-dir")
        .arg(target)
        .current_dir(workspace)
        .kill_on_drop(true)
        .status()
        .await
        .with_context(|| format!("cargo cannot be started: {by_hand}"))?;
    let binary = beside.join(name);
    ensure!(status.success() && binary.is_file(), "the release binary could not be built: {by_hand}");
    Ok(binary)
}
