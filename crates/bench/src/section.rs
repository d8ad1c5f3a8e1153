//! The part of a document that is measured, between two comments; the rest belongs to people.

use std::path::Path;

use anyhow::Context;

/// The part with the throughput and latency.
pub(crate) const THROUGHPUT: &str = "measured";

/// The part with the lists of a long history.
pub(crate) const HISTORY: &str = "measured history";

/// A document that has such a part.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    path: &'a Path,
    before: String,
    after: String,
    comments: [String; 2],
}

impl<'a> Document<'a> {
    /// Reads it; refuses one without the two comments of the part, each once and in this order.
    pub(crate) fn read(path: &'a Path, part: &str) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let comments = comments(part);
        let (before, after) = split(&text, &comments).with_context(|| {
            let [begin, end] = &comments;
            format!("{} must hold the lines {} and {}, once each", path.display(), begin.trim_end(), end.trim_end())
        })?;
        Ok(Self { path, before: before.to_owned(), after: after.to_owned(), comments })
    }

    /// Replaces the measured part.
    pub(crate) fn write(&self, measured: &str) -> anyhow::Result<()> {
        let Self { before, after, comments: [begin, end], .. } = self;
        let text = format!("{before}{begin}\n{}\n\n{end}{after}", measured.trim());
        std::fs::write(self.path, text).with_context(|| self.path.display().to_string())
    }
}

/// Before and behind the part.
fn comments(part: &str) -> [String; 2] {
    ["begin", "end"].map(|side| format!("<!-- {part}: {side} -->\n"))
}

fn split<'a>(text: &'a str, [begin, end]: &[String; 2]) -> Option<(&'a str, &'a str)> {
    let (before, rest) = text.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    let again = rest.contains(begin) || after.contains(end);
    (!again).then_some((before, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prose_and_the_other_parts_around_the_measured_part_stay_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("figures.md");
        let ([begin, end], [other_begin, other_end]) = (comments(THROUGHPUT), comments(HISTORY));
        let other = format!("{other_begin}other\n{other_end}");
        std::fs::write(&path, format!("# Title\n\n{begin}old\n{end}\nProse.\n{other}")).unwrap();
        for measured in ["first", "second\n"] {
            Document::read(&path, THROUGHPUT).unwrap().write(measured).unwrap();
        }
        let expected = format!("# Title\n\n{begin}\nsecond\n\n{end}\nProse.\n{other}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        Document::read(&path, HISTORY).unwrap().write("third").unwrap();
        let expected = expected.replace("other\n", "\nthird\n\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
    }

    #[test]
    fn a_document_without_a_place_for_figures_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("figures.md");
        let [begin, end] = comments(THROUGHPUT);
        let [other_begin, other_end] = comments(HISTORY);
        for text in [
            String::new(),
            begin.clone(),
            format!("{end}{begin}"),
            format!("{begin}{end}{begin}{end}"),
            format!("{other_begin}{other_end}"),
        ] {
            std::fs::write(&path, &text).unwrap();
            assert!(Document::read(&path, THROUGHPUT).is_err(), "{text}");
        }
    }
}
