//! Which crate may use which, proved from `cargo metadata`.

use std::{path::Path, process::Command};

use anyhow::{Context, bail};
use serde_json::Value;

/// Every crate and the crates of the workspace that it may use.
const ARROWS: [(&str, &[&str]); 10] = [
    ("preclinical-core", &[]),
    ("preclinical-store-sqlite", &["preclinical-core"]),
    ("preclinical-store-postgres", &["preclinical-core"]),
    ("preclinical-delivery", &["preclinical-core"]),
    ("preclinical-web", &["preclinical-core"]),
    ("preclinical-testkit", &["preclinical-core"]),
    (
        "preclinical-webhooks",
        &[
            "preclinical-core",
            "preclinical-delivery",
            "preclinical-store-postgres",
            "preclinical-store-sqlite",
            "preclinical-web",
        ],
    ),
    ("bench", &["preclinical-core", "preclinical-testkit"]),
    ("torture", &["preclinical-core", "preclinical-store-sqlite", "preclinical-testkit"]),
    ("xtask", &[]),
];

/// What `core` stays free of: IO, SQL, HTTP, runtimes, chance.
const NOT_IN_CORE: [&str; 9] = ["tokio", "rusqlite", "sqlx", "hyper", "axum", "reqwest", "rand", "getrandom", "tracing"];

pub(super) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let packages = packages(root)?;
    let packages = packages["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut broken = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = ARROWS.iter().find(|(crate_name, _)| *crate_name == name) else {
            broken.push(format!("{name}: a crate without its arrows in xtask/src/tidy/arrows.rs"));
            continue;
        };
        for dependency in uses(package) {
            let ours = ARROWS.iter().any(|(crate_name, _)| *crate_name == dependency);
            if ours && !allowed.contains(&dependency) {
                broken.push(format!("{name}: may not use {dependency}"));
            }
            if name == "preclinical-core" && NOT_IN_CORE.contains(&dependency) {
                broken.push(format!("{name}: must stay free of {dependency}"));
            }
        }
    }
    Ok(broken)
}

/// What a package needs to be built for users; what its tests need is their own affair.
fn uses(package: &Value) -> impl Iterator<Item = &str> {
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    dependencies.filter(|dependency| dependency["kind"].is_null()).filter_map(|dependency| dependency["name"].as_str())
}

fn packages(root: &Path) -> anyhow::Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root)
        .output()
        .context("cargo cannot be run")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
