//! Tasks of the repository: `cargo xtask tidy` checks the rules of the house that a compiler does not.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a command")]

mod tidy;

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    let task = std::env::args().nth(1);
    let outcome = match task.as_deref() {
        Some("tidy") => tidy::run(root()),
        _ => Err(anyhow::anyhow!("usage: cargo xtask tidy")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The repository: two folders above this crate.
fn root() -> &'static Path {
    let this = Path::new(env!("CARGO_MANIFEST_DIR"));
    this.ancestors().nth(2).unwrap_or(this)
}
