//! Passwords of members. What is stored of one is its argon2id hash.

use std::fmt;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash as Parsed},
};
use secrecy::{ExposeSecret, SecretString};

use crate::chance::Chance;

/// The fewest characters of a password.
pub const MIN_CHARACTERS: usize = 12;

/// The most bytes of one.
pub const MAX_BYTES: usize = 256;

const SALT_BYTES: usize = 16;

/// A password that somebody chose. Never printed: its `Debug` is redacted.
#[derive(Clone)]
pub struct Password(SecretString);

/// A text that is no password, with the reason for the one who chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum NotAPassword {
    #[error("must have at least {MIN_CHARACTERS} characters")]
    TooShort,
    #[error("must have at most {MAX_BYTES} bytes")]
    TooLong,
    #[error("must not be one character repeated")]
    Monotonous,
}

impl Password {
    /// Takes any text that is long enough; what characters it is made of is its owner's business.
    pub fn parse(text: &str) -> Result<Self, NotAPassword> {
        let mut characters = text.chars();
        let first = characters.next();
        if text.len() > MAX_BYTES {
            return Err(NotAPassword::TooLong);
        }
        if text.chars().count() < MIN_CHARACTERS {
            return Err(NotAPassword::TooShort);
        }
        if characters.all(|character| Some(character) == first) {
            return Err(NotAPassword::Monotonous);
        }
        Ok(Self(text.into()))
    }

    /// What is stored of it. Takes tens of milliseconds and 19 MiB of memory, on purpose.
    pub fn hash(&self, chance: &dyn Chance) -> PasswordHash {
        let mut salt = [0; SALT_BYTES];
        chance.fill(&mut salt);
        PasswordHash::new(self.0.expose_secret(), &salt)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password([redacted])")
    }
}

/// The argon2id hash of a password with its parameters and salt, as a PHC string.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    #[expect(clippy::expect_used, reason = "fails only for lengths that are constants here")]
    fn new(password: &str, salt: &[u8; SALT_BYTES]) -> Self {
        let hash: Parsed = argon2id().hash_password_with_salt(password.as_bytes(), salt).expect("the lengths are valid");
        Self(hash.to_string())
    }

    /// The hash that was stored.
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether that text is the password, in a time that does not depend on how far it is right. As expensive as hashing.
    pub fn matches(&self, text: &str) -> bool {
        text.len() <= MAX_BYTES
            && Parsed::new(&self.0).is_ok_and(|hash| argon2id().verify_password(text.as_bytes(), &hash).is_ok())
    }

    /// The hash of no password, to spend the same time on an address that nobody has.
    pub fn of_nobody() -> Self {
        Self::new("", &[0; SALT_BYTES])
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash([redacted])")
    }
}

/// The first of the settings that OWASP's Password Storage Cheat Sheet names: 19 MiB, two passes, one lane.
fn argon2id() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Chance for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(9);
        }
    }

    #[test]
    fn a_password_matches_its_own_hash_and_no_other_text_does() {
        let hash = Password::parse("correct horse battery").unwrap().hash(&Fixed);
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        assert!(hash.matches("correct horse battery"));
        for wrong in ["correct horse batter", "Correct horse battery", "", "correct horse battery\0"] {
            assert!(!hash.matches(wrong), "{wrong}");
        }
    }

    #[test]
    fn nothing_matches_what_is_no_hash_and_the_hash_of_nobody_is_one() {
        assert!(!PasswordHash::from_stored("plain".into()).matches("plain"));
        assert!(Parsed::new(PasswordHash::of_nobody().as_str()).is_ok());
    }

    #[test]
    fn short_endless_and_monotonous_passwords_are_refused() {
        let parse = |text: &str| Password::parse(text).map(|_| ());
        assert_eq!(parse("elevenchars"), Err(NotAPassword::TooShort));
        assert_eq!(parse("twelve-chars"), Ok(()));
        assert_eq!(parse("zwölf Zeichen"), Ok(()));
        assert_eq!(parse(&"ab".repeat(129)), Err(NotAPassword::TooLong));
        assert_eq!(parse("aaaaaaaaaaaaaaa"), Err(NotAPassword::Monotonous));
    }

    #[test]
    fn a_password_is_never_printed() {
        let password = Password::parse("correct horse battery").unwrap();
        for printed in [format!("{password:?}"), format!("{:?}", password.hash(&Fixed))] {
            assert!(printed.contains("redacted"), "{printed}");
        }
    }
}
