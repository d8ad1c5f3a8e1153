//! The part of a document that is measured, between two comments; the rest belongs to people.

use std::path::Path;

use anyhow::Context;

/// Before the measured part.
const BEGIN: &str = "<!-- measured: begin -->\n";

/// Behind it.
const END: &str = "<!-- measured: end -->\n";

/// A document that has such a part.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    path: &'a Path,
    before: String,
    after: String,
}

impl<'a> Document<'a> {
    /// Reads it; refuses one without the two comments, each once and in this order.
    pub(crate) fn read(path: &'a Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let (before, after) = split(&text).with_context(|| {
            format!("{} must hold the lines {} and {}, once each", path.display(), BEGIN.trim_end(), END.trim_end())
        })?;
        Ok(Self { path, before: before.to_owned(), after: after.to_owned() })
    }

    /// Replaces the measured part.
    pub(crate) fn write(&self, measured: &str) -> anyhow::Result<()> {
        let Self { before, after, .. } = self;
        let text = format!("{before}{BEGIN}\n{}\n\n{END}{after}", measured.trim());
        std::fs::write(self.path, text).with_context(|| self.path.display().to_string())
    }
}

fn split(text: &str) -> Option<(&str, &str)> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    let again = rest.contains(BEGIN) || after.contains(END);
    (!again).then_some((before, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prose_around_the_measured_part_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("figures.md");
        std::fs::write(&path, format!("# Title\n\n{BEGIN}old\n{END}\nProse.\n")).unwrap();
        for measured in ["first", "second\n"] {
            Document::read(&path).unwrap().write(measured).unwrap();
        }
        let expected = format!("# Title\n\n{BEGIN}\nsecond\n\n{END}\nProse.\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
    }

    #[test]
    fn a_document_without_a_place_for_figures_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("figures.md");
        for text in [String::new(), BEGIN.into(), format!("{END}{BEGIN}"), format!("{BEGIN}{END}{BEGIN}{END}")] {
            std::fs::write(&path, &text).unwrap();
            assert!(Document::read(&path).is_err(), "{text}");
        }
    }
}
