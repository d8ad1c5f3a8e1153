//! The body of a request or of an answer: indented if it is JSON, as it is, or byte by byte.

use std::fmt::Write;

use maud::{Markup, html};
use preclinical_core::attempt::{KEPT_RESPONSE_BYTES, Message};
use serde_json::Value;

use crate::pages::parts::visible::visible;

/// How many bytes of a body that is no text are shown.
const DUMPED: usize = 2048;

/// Levels beyond this one are indented like it: depth costs the writer of a body one byte, and must not cost us more.
const DEEPEST: usize = 24;

/// A body in all its spellings. `id` begins the ids of its parts.
pub(super) fn shown(id: &str, message: &Message) -> Markup {
    html! {
        (size(message))
        @if !message.body.is_empty() {
            @match text(message) {
                Some(text) => (of_text(id, text)),
                None => (of_bytes(id, &message.body)),
            }
        }
    }
}

/// The text that a body is. One that was cut off may end in the middle of a character.
fn text(message: &Message) -> Option<&str> {
    match std::str::from_utf8(&message.body) {
        Ok(text) => Some(text),
        Err(error) if message.truncated && error.error_len().is_none() => {
            std::str::from_utf8(message.body.get(..error.valid_up_to())?).ok()
        }
        Err(_) => None,
    }
}

fn of_text(id: &str, text: &str) -> Markup {
    let indented = indented(text);
    html! {
        @if let Some(indented) = &indented {
            details.more open id={ (id) "-indented" } {
                summary { "Body, indented" }
                pre.code tabindex="0" { (visible(indented)) }
            }
        }
        details.more id={ (id) "-raw" } open[indented.is_none()] {
            summary { "Body as it was sent" }
            pre.code.wraps tabindex="0" { (visible(text)) }
        }
    }
}

fn of_bytes(id: &str, body: &[u8]) -> Markup {
    let is_cut = body.len() > DUMPED;
    html! {
        details.more open id={ (id) "-bytes" } {
            summary { "Body, byte by byte" }
            p.small.muted {
                "It is not text in UTF-8." @if is_cut { " These are its first " (DUMPED) " bytes; the API has all that is kept, in base64." }
            }
            pre.code tabindex="0" { (dump(body)) }
        }
    }
}

fn size(message: &Message) -> Markup {
    html! {
        p.small.muted {
            @if message.size_bytes == 0 && message.body.is_empty() { "Without a body." }
            @else {
                (bytes(message.size_bytes))
                @if message.truncated {
                    " or more. The first " (bytes(message.body.len() as u64)) " are kept, of at most "
                    (bytes(KEPT_RESPONSE_BYTES as u64)) "."
                }
            }
        }
    }
}

/// `512 bytes`, `1.5 KiB`
pub(super) fn bytes(count: u64) -> String {
    match count {
        1 => "1 byte".to_owned(),
        0..1024 => format!("{count} bytes"),
        1024..1_048_576 => format!("{}.{} KiB", count / 1024, count % 1024 * 10 / 1024),
        _ => format!("{}.{} MiB", count / 1_048_576, count % 1_048_576 * 10 / 1_048_576),
    }
}

/// JSON with each value in a line of its own. Its order and its numbers stay as they are; `None` if it is not JSON.
fn indented(text: &str) -> Option<String> {
    if !matches!(serde_json::from_str(text), Ok(Value::Object(_) | Value::Array(_))) {
        return None;
    }
    let mut shown = String::with_capacity(text.len() * 2);
    let (mut depth, mut in_string, mut is_escaped, mut is_new) = (0_usize, false, false, false);
    for character in text.chars() {
        if in_string {
            shown.push(character);
            in_string = is_escaped || character != '"';
            is_escaped = !is_escaped && character == '\\';
            continue;
        }
        if character.is_ascii_whitespace() {
            continue;
        }
        let is_end = matches!(character, '}' | ']');
        depth = depth.saturating_sub(usize::from(is_end));
        // A line ends behind what opens and behind a comma, and before what closes; what is empty stays in one.
        let was_opened = is_new && !shown.ends_with(',');
        if (is_new && !(is_end && was_opened)) || (is_end && !is_new) {
            let _ = write!(shown, "\n{:width$}", "", width = depth.min(DEEPEST) * 2);
        }
        shown.push(character);
        if character == ':' {
            shown.push(' ');
        }
        is_new = matches!(character, '{' | '[' | ',');
        depth += usize::from(matches!(character, '{' | '['));
        in_string = character == '"';
    }
    Some(shown)
}

/// Sixteen bytes a line: where they are, what they are, and which of them are letters.
fn dump(body: &[u8]) -> String {
    let mut shown = String::new();
    for (line, bytes) in body.iter().take(DUMPED).collect::<Vec<_>>().chunks(16).enumerate() {
        let _ = write!(shown, "{:04x} ", line * 16);
        for index in 0..16 {
            let _ = match bytes.get(index) {
                Some(byte) => write!(shown, " {byte:02x}"),
                None => write!(shown, "   "),
            };
        }
        shown.push_str("  ");
        shown.extend(bytes.iter().map(|byte| if byte.is_ascii_graphic() { char::from(**byte) } else { '.' }));
        shown.push('\n');
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_is_indented_without_changing_its_order_or_its_numbers() {
        let text = r#"{"b":85.0,"a":[1,2e3,{"x":"{,}: \" \\"}],"empty":{},"none":[ ],"big":123456789012345678901}"#;
        let expected = [
            "{",
            "  \"b\": 85.0,",
            "  \"a\": [",
            "    1,",
            "    2e3,",
            "    {",
            r#"      "x": "{,}: \" \\""#,
            "    }",
            "  ],",
            "  \"empty\": {},",
            "  \"none\": [],",
            "  \"big\": 123456789012345678901",
            "}",
        ];
        assert_eq!(indented(text).unwrap(), expected.join("\n"));
        for other in ["", "not json", "7", "\"text\"", "{\"a\":1} ", "{\"a\":1", "<html>"] {
            assert_eq!(indented(other).is_some(), other.ends_with("} "), "{other}");
        }
    }

    #[test]
    fn a_deep_body_costs_no_more_than_a_flat_one() {
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(indented(&deep).unwrap().len() < 100 * 2 * (DEEPEST * 2 + 2));
        assert_eq!(indented(&"[".repeat(8000)), None);
    }

    #[test]
    fn bytes_are_shown_with_their_place_and_their_letters() {
        let shown = dump(b"\x00\x01GIF89a\xff<script>..");
        let expected = "0000  00 01 47 49 46 38 39 61 ff 3c 73 63 72 69 70 74  ..GIF89a.<script\n";
        assert!(shown.starts_with(expected), "{shown}");
        assert!(shown.ends_with("0010  3e 2e 2e                                         >..\n"), "{shown}");
        assert_eq!(dump(&[0; DUMPED + 1]).lines().count(), DUMPED / 16);
    }

    #[test]
    fn a_size_is_as_exact_as_it_is_useful() {
        let shown = [0, 1, 512, 1024, 1536, 65_536, 5_242_880].map(bytes);
        assert_eq!(shown, ["0 bytes", "1 byte", "512 bytes", "1.0 KiB", "1.5 KiB", "64.0 KiB", "5.0 MiB"]);
    }

    #[test]
    fn a_body_that_was_cut_off_within_a_character_is_text() {
        let message =
            |truncated| Message { headers: vec![].into(), body: b"caf\xc3".as_slice().into(), size_bytes: 9, truncated };
        assert_eq!((text(&message(true)), text(&message(false))), (Some("caf"), None));
    }

    proptest! {
        #[test]
        fn indented_json_is_the_same_json(values in prop::collection::vec(("\\PC{0,8}", any::<i64>(), ".{0,8}"), 0..6)) {
            let object: Value = values.into_iter().map(|(name, number, text)| (name, serde_json::json!([number, {"t": text}]))).collect();
            let text = object.to_string();
            let shown = indented(&text).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), object);
            prop_assert_eq!(indented(&shown).unwrap(), shown);
        }
    }
}
