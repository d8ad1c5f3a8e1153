//! Texts of any length, shown up to a limit. All of them can be read through the API.

use std::io::{self, Write};

use maud::{Markup, html};
use preclinical_core::run::Run;
use serde_json::Value;

use crate::app::App;

/// How much of a transcript is shown, in bytes.
pub(super) const TRANSCRIPT: usize = 64 * 1024;

/// How much of every other text.
pub(super) const TEXT: usize = 16 * 1024;

/// The beginning of a text, and whether something is missing. Never half a character.
pub(super) fn cut(text: &str, limit: usize) -> (&str, bool) {
    let end = text.floor_char_boundary(limit);
    (&text[..end], end < text.len())
}

/// A value as indented JSON, up to a limit, and whether something is missing.
pub(super) fn json(value: &Value, limit: usize) -> (String, bool) {
    let mut kept = Kept { bytes: Vec::new(), limit };
    let is_cut = serde_json::to_writer_pretty(&mut kept, value).is_err();
    let text = String::from_utf8_lossy(&kept.bytes);
    (text.trim_end_matches('\u{fffd}').to_owned(), is_cut)
}

/// Refuses what is more.
struct Kept {
    bytes: Vec<u8>,
    limit: usize,
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.limit - self.bytes.len();
        if room == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let taken = bytes.len().min(room);
        self.bytes.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A value as a block of JSON.
pub(super) fn block(app: &App, run: &Run, label: &str, value: &Value, limit: usize) -> Markup {
    let (text, is_cut) = json(value, limit);
    html! {
        pre.code tabindex="0" role="region" aria-label=(label) { (text) }
        @if is_cut { (note(app, run, limit)) }
    }
}

/// Where the rest is.
pub(super) fn note(app: &App, run: &Run, limit: usize) -> Markup {
    html! {
        p.small.muted {
            "Cut after " (limit / 1024) " KiB. All of it is in the API: "
            code { "GET " (app.public_url) "/api/v1/runs/" (run.id) "/results" }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_only_if_it_is_longer() {
        assert_eq!(cut("héllo", 6), ("héllo", false));
        assert_eq!(cut("héllo", 5), ("héll", true));
        assert_eq!(cut("héllo", 2), ("h", true));
        assert_eq!(cut("", 0), ("", false));
    }

    #[test]
    fn json_is_cut_at_the_limit_whatever_it_is_made_of() {
        assert_eq!(json(&json!({"a": [1, "é"]}), 100), ("{\n  \"a\": [\n    1,\n    \"é\"\n  ]\n}".to_owned(), false));
        let long = json!(["é".repeat(100_000)]);
        for limit in 0..20 {
            let (text, is_cut) = json(&long, limit);
            assert!(is_cut && text.len() <= limit && !text.contains('\u{fffd}'), "{limit}: {text}");
        }
        let many = json!(vec![Value::Null; 100_000]);
        assert_eq!(json(&many, TEXT).0.len(), TEXT);
    }
}
