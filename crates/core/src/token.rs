//! Texts of pure chance that open something to whoever presents them: a session, an invitation. Only their SHA-256 is stored.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

use crate::chance::Chance;
pub use crate::hash::TokenHash;

const RANDOM_BYTES: usize = 32;

/// Such a text: 43 characters that are safe in a cookie and in a URL. Never printed: its `Debug` is redacted.
#[derive(Clone)]
pub struct Token(SecretString);

impl Token {
    /// A new one from a secure source of chance.
    pub fn generate(chance: &dyn Chance) -> Self {
        let mut bytes = [0; RANDOM_BYTES];
        chance.fill(&mut bytes);
        Self(URL_SAFE_NO_PAD.encode(bytes).into())
    }

    /// The text as its owner must present it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What the store keeps of it.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(self.expose())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Chance for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn a_token_is_43_plain_characters_of_all_the_chance_there_is() {
        let (one, other) = (Token::generate(&Fixed(0)), Token::generate(&Fixed(255)));
        assert_eq!((one.expose(), other.expose().len()), ("A".repeat(43).as_str(), 43));
        assert!(other.expose().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        assert_ne!(one.hash(), other.hash());
        assert_eq!(one.hash(), TokenHash::of(one.expose()));
    }

    #[test]
    fn a_token_is_never_printed() {
        let token = Token::generate(&Fixed(7));
        for printed in [format!("{token:?}"), format!("{:?}", token.hash())] {
            assert!(printed.contains("redacted"), "{printed}");
        }
    }
}
