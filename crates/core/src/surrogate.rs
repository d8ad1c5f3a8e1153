//! Escapes of JSON that stand for half a character: what some writers make of a text that was cut inside an emoji.

use std::{borrow::Cow, iter};

/// How many bytes `\ud83d` has.
const LENGTH: usize = 6;

/// Where escapes stand that are half of a character and have no other half beside them, in bytes from the start of the JSON.
pub fn lone(json: &[u8]) -> impl Iterator<Item = usize> {
    let mut next = 0;
    iter::from_fn(move || {
        loop {
            let start = next + json.get(next..)?.iter().position(|byte| *byte == b'\\')?;
            let (length, is_lone) = match unit(json, start) {
                None => (2, false),
                Some(0xd800..=0xdbff) if matches!(unit(json, start + LENGTH), Some(0xdc00..=0xdfff)) => (2 * LENGTH, false),
                Some(0xd800..=0xdfff) => (LENGTH, true),
                Some(_) => (LENGTH, false),
            };
            next = start + length;
            if is_lone {
                return Some(start);
            }
        }
    })
}

/// The same JSON with U+FFFD in their place. Everything else stays where it is.
pub fn without_lone(json: &str) -> Cow<'_, str> {
    let mut json = Cow::Borrowed(json);
    let found: Vec<usize> = lone(json.as_bytes()).collect();
    if !found.is_empty() {
        let text = json.to_mut();
        for start in found {
            text.replace_range(start..start + LENGTH, r"\ufffd");
        }
    }
    json
}

/// The UTF-16 unit that an escape stands for.
fn unit(json: &[u8], start: usize) -> Option<u16> {
    let digits = json.get(start..start + LENGTH)?.strip_prefix(br"\u")?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | u16::try_from(char::from(*digit).to_digit(16)?).ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_without_their_other_half_are_found_and_nothing_else_is() {
        let found = |json: &str| lone(json.as_bytes()).collect::<Vec<_>>();
        assert_eq!(found(r#""\ud83d""#), [1]);
        assert_eq!(found(r#"["\uDE00","\ud83d\ud83d\ude00"]"#), [2, 11]);
        for whole in
            [r#""\ud83d\ude00""#, r#""\\ud83d""#, r#""\\\\ud83d\n""#, r#""😀""#, r#""\ud83""#, r#""\u+83d""#, "\"\\"]
        {
            assert_eq!(found(whole), [0; 0], "{whole}");
            assert!(matches!(without_lone(whole), Cow::Borrowed(same) if same == whole));
        }
        assert_eq!(without_lone(r#"{"cut \ud83d":"\\ud83d\udc00é"}"#), r#"{"cut \ufffd":"\\ud83d\ufffdé"}"#);
    }

    /// As `JSON.stringify` writes a text of that many UTF-16 units.
    fn stringified(units: &[u16]) -> String {
        let written = char::decode_utf16(units.iter().copied()).map(|one| match one {
            Ok(whole) => {
                let quoted = serde_json::to_string(&whole).unwrap();
                quoted[1..quoted.len() - 1].to_owned()
            }
            Err(half) => format!("\\u{:04x}", half.unpaired_surrogate()),
        });
        format!("\"{}\"", written.collect::<String>())
    }

    proptest! {
        #[test]
        fn a_text_that_was_cut_anywhere_is_read_as_the_text_with_its_halves_replaced(
            units in prop::collection::vec(prop_oneof![0xd7f0_u16..0xe010, 0x20_u16..0x80, Just(0x5c), any::<u16>()], 0..32),
        ) {
            let read: String = serde_json::from_str(&without_lone(&stringified(&units))).unwrap();
            prop_assert_eq!(read, String::from_utf16_lossy(&units));
        }

        #[test]
        fn any_text_is_as_long_as_before_and_has_no_halves(text in r#"([\\uUdD0-9a-fA-F"é]|\\u[dD][89aAbBcCfF][0-9a-f]{2}){0,40}"#) {
            let mended = without_lone(&text);
            prop_assert_eq!(mended.len(), text.len());
            prop_assert_eq!(lone(mended.as_bytes()).count(), 0);
        }
    }
}
