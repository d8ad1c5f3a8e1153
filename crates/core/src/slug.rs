//! Short names that are safe on a command line, in a URL and in a file name.

use std::{fmt, str::FromStr};

const MAX_BYTES: usize = 63;

/// 1 to 63 of `a`–`z`, `0`–`9` and `-`, with no `-` at either end, so that none looks like an option.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slug(String);

/// A text is no slug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {MAX_BYTES} characters of a-z, 0-9 and -, with no - at either end")]
pub struct NotASlug;

impl Slug {
    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = NotASlug;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_slug = (1..=MAX_BYTES).contains(&text.len()) && text.bytes().all(known);
        let is_framed = text.starts_with('-') || text.ends_with('-');
        if is_slug && !is_framed { Ok(Self(text.to_owned())) } else { Err(NotASlug) }
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_a_slug_or_refused(text in ".{0,70}") {
            if let Ok(slug) = text.parse::<Slug>() {
                prop_assert_eq!(slug.as_str(), text);
            }
        }
    }

    #[test]
    fn a_slug_is_short_plain_and_does_not_look_like_an_option() {
        for right in ["a", "7", "acme", "acme-2", "a--b", &"a".repeat(63)] {
            assert_eq!(right.parse::<Slug>().map(|slug| slug.to_string()), Ok(right.to_owned()));
        }
        for wrong in ["", "-", "-a", "a-", "Acme", "a b", "a_b", "a.b", "a/b", "ä", "a\n", "a\0", &"a".repeat(64)] {
            assert_eq!(wrong.parse::<Slug>(), Err(NotASlug), "{wrong}");
        }
    }
}
