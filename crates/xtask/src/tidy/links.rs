//! Documents point only at what is there: links to files, and paths in backticks that begin at the root.

use std::path::Path;

use super::File;

pub(super) fn check(root: &Path, files: &[File]) -> Vec<String> {
    let documents = files.iter().filter(|file| file.path.strip_suffix(".md").is_some());
    documents.flat_map(|file| check_one(root, file)).collect()
}

fn check_one(root: &Path, file: &File) -> Vec<String> {
    let folder = root.join(&file.path).parent().map(Path::to_path_buf).unwrap_or_default();
    let links = targets(&file.text).filter(|target| !folder.join(target).exists());
    let paths = in_backticks(&file.text).filter(|path| !root.join(path).exists());
    links.chain(paths).map(|target| format!("{}: {target} is not there", file.path)).collect()
}

/// Targets of links to files; links to other sites, and the part behind `#`, are left out.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains(':'))
}

/// Paths from the root. Patterns and places to be filled in are no paths.
fn in_backticks(text: &str) -> impl Iterator<Item = &str> {
    let spans = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    spans.filter(|span| {
        let ours = ["crates/", "docs/", "examples/", "acceptance/"].iter().any(|folder| span.starts_with(folder));
        ours && span.chars().all(|c| c.is_ascii_alphanumeric() || "/-_.".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_paths_are_found_and_addresses_are_not() {
        let text = "[a](docs/a.md#b) [c](https://example.com) [d](#d) `crates/core` `crates/*/src` `cargo run`";
        assert_eq!(targets(text).collect::<Vec<_>>(), ["docs/a.md"]);
        assert_eq!(in_backticks(text).collect::<Vec<_>>(), ["crates/core"]);
    }
}
