//! The part of a document that is measured, between two comments; the rest belongs to people.

use std::{fmt, io, path::Path};

/// A document that has such a part.
#[derive(Debug)]
pub struct Document<'a> {
    path: &'a Path,
    before: String,
    after: String,
    comments: [String; 2],
}

impl<'a> Document<'a> {
    /// Reads it; refuses one without the two comments of the part, each once and in this order.
    ///
    /// # Errors
    ///
    /// If it cannot be read or is refused; the message names it.
    pub fn read(path: &'a Path, part: &str) -> io::Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| of(path, error))?;
        let comments = comments(part);
        let Some((before, after)) = split(&text, &comments) else {
            let [begin, end] = &comments;
            let lines = format!("must hold the lines {} and {}, once each", begin.trim_end(), end.trim_end());
            return Err(of(path, lines));
        };
        Ok(Self { path, before: before.to_owned(), after: after.to_owned(), comments })
    }

    /// Replaces the measured part.
    ///
    /// # Errors
    ///
    /// If it cannot be written; the message names it.
    pub fn write(&self, measured: &str) -> io::Result<()> {
        let Self { before, after, comments: [begin, end], .. } = self;
        let text = format!("{before}{begin}\n{}\n\n{end}{after}", measured.trim());
        std::fs::write(self.path, text).map_err(|error| of(self.path, error))
    }
}

fn of(path: &Path, what: impl fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {what}", path.display()))
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

    const FIGURES: &str = "measured";
    const OTHERS: &str = "measured others";

    #[test]
    fn the_prose_and_the_other_parts_around_the_measured_part_stay_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("figures.md");
        let ([begin, end], [other_begin, other_end]) = (comments(FIGURES), comments(OTHERS));
        let other = format!("{other_begin}other\n{other_end}");
        std::fs::write(&path, format!("# Title\n\n{begin}old\n{end}\nProse.\n{other}")).unwrap();
        for measured in ["first", "second\n"] {
            Document::read(&path, FIGURES).unwrap().write(measured).unwrap();
        }
        let expected = format!("# Title\n\n{begin}\nsecond\n\n{end}\nProse.\n{other}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        Document::read(&path, OTHERS).unwrap().write("third").unwrap();
        let expected = expected.replace("other\n", "\nthird\n\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
    }

    #[test]
    fn a_document_without_a_place_for_figures_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("figures.md");
        let [begin, end] = comments(FIGURES);
        let [other_begin, other_end] = comments(OTHERS);
        for text in [
            String::new(),
            begin.clone(),
            format!("{end}{begin}"),
            format!("{begin}{end}{begin}{end}"),
            format!("{other_begin}{other_end}"),
        ] {
            std::fs::write(&path, &text).unwrap();
            assert!(Document::read(&path, FIGURES).is_err(), "{text}");
        }
    }
}
