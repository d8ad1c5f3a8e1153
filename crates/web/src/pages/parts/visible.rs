//! Text of others, so that nothing in it hides.

use std::{borrow::Cow, fmt::Write};

use preclinical_core::invisible::is_invisible;

/// The text with a sign in place of each character that cannot be seen or that turns others around. Line breaks and tabs stay.
pub(in crate::pages) fn visible(text: &str) -> Cow<'_, str> {
    with_signs(text, hides)
}

/// A whole page, with a sign in place of each character that is none of a text or that makes others read in another order. Those
/// that join letters and pictures stay: languages are written with them.
pub(in crate::pages) fn legible(text: &str) -> Cow<'_, str> {
    with_signs(text, turns)
}

fn with_signs(text: &str, hides: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&hides) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        // One of its own kind of line break, not a return in the middle of a line.
        if character == '\r' && characters.peek() == Some(&'\n') {
            continue;
        }
        if hides(character) {
            push_sign(&mut shown, character);
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// The same in one line.
pub(in crate::pages) fn visible_line(text: &str) -> String {
    visible(text).replace('\n', "␊").replace('\t', "␉")
}

fn hides(character: char) -> bool {
    is_no_text(character) || is_invisible(character)
}

fn turns(character: char) -> bool {
    is_no_text(character) || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_no_text(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\t')
}

fn push_sign(shown: &mut String, character: char) {
    let picture = match u32::from(character) {
        code @ 0..0x20 => char::from_u32(0x2400 + code),
        0x7f => Some('␡'),
        _ => None,
    };
    let _ = match picture {
        Some(picture) => shown.write_char(picture),
        None => write!(shown, "⟨U+{:04X}⟩", u32::from(character)),
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown_as_a_sign() {
        for (text, expected) in [
            ("plain é 🦀\n\ttext", "plain é 🦀\n\ttext"),
            ("a\0b", "a␀b"),
            ("\u{1b}[31mred", "␛[31mred"),
            ("one\r\ntwo\rthree", "one\ntwo␍three"),
            ("del\u{7f}", "del␡"),
            ("\u{85}\u{202e}evil\u{feff}", "⟨U+0085⟩⟨U+202E⟩evil⟨U+FEFF⟩"),
        ] {
            assert_eq!(visible(text), expected, "{text:?}");
        }
        assert_eq!(visible_line("a\r\nb\tc"), "a␊b␉c");
    }

    #[test]
    fn a_page_stays_as_it_is_but_for_what_turns_its_text_around() {
        for text in ["plain é 🦀\n\ttext", "👩\u{200d}⚕\u{fe0f}", "می\u{200c}خواهم", "\u{200f}שלום"] {
            assert_eq!(legible(text), text);
        }
        assert_eq!(legible("a\0\u{202e}b\u{2066}"), "a␀⟨U+202E⟩b⟨U+2066⟩");
    }

    proptest! {
        #[test]
        fn nothing_hides_in_any_text(text: String) {
            let shown = visible(&text).into_owned();
            prop_assert!(!shown.chars().any(hides));
        }
    }
}
