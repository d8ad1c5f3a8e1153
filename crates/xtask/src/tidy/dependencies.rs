//! What others wrote and we build in: under licences that fit ours, from crates.io alone, each version as it was when it was chosen,
//! and nothing that brings a second TLS along. Whether any of it has a known vulnerability takes a database that is not here:
//! `cargo deny check advisories` asks it, by the same rules in `deny.toml`.

use std::{path::Path, process::Command};

use anyhow::{Context, bail};
use serde_json::Value;

use super::File;

/// Licences under which code may be part of a program under Apache-2.0 without binding whoever uses it to more than a notice.
const LICENCES: [&str; 10] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// How cargo names the only kind of place that dependencies come from, and how it names that place at its end.
const SOURCE: (&str, &str) = ("registry+", "/crates.io-index");

/// Crates that must not be built in: TLS is rustls with ring.
const BANNED: [&str; 4] = ["openssl", "openssl-sys", "native-tls", "aws-lc-rs"];

/// Looks at every dependency that is built in on this platform, and at the sources of those on all.
pub(super) fn check(root: &Path, files: &[File]) -> anyhow::Result<Vec<String>> {
    let lock = files.iter().find(|file| file.path == "Cargo.lock").context("there is no Cargo.lock")?;
    let mut broken = sources(&lock.text);
    for package in packages(root)?["packages"].as_array().context("cargo metadata lists no packages")? {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or_default();
        if !is_permitted(licence) {
            broken.push(format!("{name}: its licence is {licence:?}, which xtask/src/tidy/dependencies.rs does not list"));
        }
    }
    Ok(broken)
}

/// What is wrong with where packages come from, by the lock file.
fn sources(lock: &str) -> Vec<String> {
    let (mut broken, mut first) = (Vec::new(), None);
    for package in lock.split("[[package]]").skip(1) {
        let field = |name: &str| {
            let lines = package.lines().filter_map(|line| line.split_once(" = "));
            lines.into_iter().find(|(given, _)| *given == name).map(|(_, value)| value.trim_matches('"'))
        };
        let name = field("name").unwrap_or_default();
        if BANNED.contains(&name) {
            broken.push(format!("{name}: must not be built in"));
        }
        if let Some(source) = field("source") {
            let is_registry = source.starts_with(SOURCE.0) && source.ends_with(SOURCE.1);
            if !is_registry || source != *first.get_or_insert(source) {
                broken.push(format!("{name}: comes from {source} instead of crates.io"));
            }
            if field("checksum").is_none() {
                broken.push(format!("{name}: has no checksum"));
            }
        }
    }
    broken
}

/// Whether an expression of SPDX, in which older packages write `/` for `OR`, can be met with licences of the list.
fn is_permitted(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ").replace(" WITH ", "+WITH+");
    let mut words = spaced.split_whitespace().peekable();
    any_of(&mut words) == Some(true) && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// `None` if it is no expression.
fn any_of(words: &mut Words<'_>) -> Option<bool> {
    let mut met = all_of(words)?;
    while words.next_if_eq(&"OR").is_some() {
        met |= all_of(words)?;
    }
    Some(met)
}

fn all_of(words: &mut Words<'_>) -> Option<bool> {
    let mut met = one(words)?;
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words)?;
    }
    Some(met)
}

fn one(words: &mut Words<'_>) -> Option<bool> {
    match words.next()? {
        "(" => {
            let met = any_of(words)?;
            words.next_if_eq(&")").map(|_| met)
        }
        licence => Some(LICENCES.contains(&licence.replace('+', " ").as_str())),
    }
}

fn packages(root: &Path) -> anyhow::Result<Value> {
    let run = |program: std::ffi::OsString, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(root).output().context("cargo cannot be run")?;
        if !output.status.success() {
            bail!("{arguments:?} failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(output.stdout)
    };
    let tool = |name: &str, or: &str| std::env::var_os(name).unwrap_or_else(|| or.into());
    let version = String::from_utf8(run(tool("RUSTC", "rustc"), &["-vV"])?)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    // For all platforms, packages would have to be fetched that nothing here needs.
    let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", host];
    Ok(serde_json::from_slice(&run(tool("CARGO", "cargo"), &arguments)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_is_permitted_if_its_expression_can_be_met() {
        for right in [
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR GPL-3.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
            "MIT AND BSD-3-Clause OR GPL-3.0",
        ] {
            assert!(is_permitted(right), "{right}");
        }
        for wrong in [
            "",
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "(MIT AND GPL-3.0) OR MPL-2.0",
            "GPL-3.0 WITH Classpath-exception-2.0",
            "MIT OR",
            "(MIT",
            "MIT MIT",
            "MIT AND (GPL-3.0 OR AGPL-3.0)",
        ] {
            assert!(!is_permitted(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_package_comes_from_the_registry_with_a_checksum_or_is_ours() {
        let lock = |more: &str| format!("version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n{more}");
        let registry = format!("source = \"{}https://example.com{}\"\n", SOURCE.0, SOURCE.1);
        let other = lock(&registry.replace("example.com", "example.org")) + "checksum = \"00\"\n";
        assert_eq!(sources(&(lock(&format!("{registry}checksum = \"00\"\n\n")) + &other)).len(), 1, "one place for all");
        assert_eq!(sources(&lock("")), [] as [String; 0]);
        assert_eq!(sources(&lock(&format!("{registry}checksum = \"00\"\n"))), [] as [String; 0]);
        assert_eq!(sources(&lock(&registry)).len(), 1);
        assert_eq!(sources(&lock("source = \"git+https://example.com/a\"\nchecksum = \"00\"\n")).len(), 1);
        assert_eq!(sources(&lock("").replace("\"a\"", "\"openssl-sys\"")).len(), 1);
    }
}
