//! Signing secrets.

use std::fmt;

use base64::{
    Engine,
    engine::{
        DecodePaddingMode,
        general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD},
    },
};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::chance::Chance;

/// The longest secret that is accepted, in bytes.
pub const MAX_SECRET_BYTES: usize = 512;

/// The least number of bytes that `whsec_` and base64 may stand for.
pub const MIN_STANDARD_KEY_BYTES: usize = 16;

const STANDARD_PREFIX: &str = "whsec_";

/// Padding may be left out, as several Standard Webhooks libraries read it; the alphabet is the standard one, as all do.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A webhook's signing secret. Never printed: its `Debug` is redacted, and it has no `Display`.
#[derive(Clone)]
pub struct SigningSecret(SecretString);

/// A text that cannot be a signing secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotASecret {
    /// It is empty, endless or no text.
    #[error("must be 1 to {MAX_SECRET_BYTES} bytes long, without control characters")]
    Text,
    /// It looks like a Standard Webhooks secret, and verifiers could not use it as one.
    #[error("begins with whsec_, after which there must be standard base64 of at least {MIN_STANDARD_KEY_BYTES} bytes")]
    StandardKey,
}

impl SigningSecret {
    /// Accepts what a user chose.
    pub fn parse(text: &str) -> Result<Self, NotASecret> {
        let fits = (1..=MAX_SECRET_BYTES).contains(&text.len());
        if !fits || text.chars().any(char::is_control) {
            return Err(NotASecret::Text);
        }
        if text.strip_prefix(STANDARD_PREFIX).is_none_or(is_standard_key) {
            Ok(Self(text.into()))
        } else {
            Err(NotASecret::StandardKey)
        }
    }

    /// A secret that was accepted once, whatever [`Self::parse`] asks today.
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// A new secret of 32 random bytes, in the form that Standard Webhooks libraries take: `whsec_` and their base64.
    pub fn generate(chance: &dyn Chance) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        chance.fill(&mut *bytes);
        Self(format!("{STANDARD_PREFIX}{}", STANDARD.encode(*bytes)).into())
    }

    /// The secret's text, for the store and for `X-Preclinical-Signature`, whose key is its UTF-8 bytes.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The Standard Webhooks key: the decoded part of `whsec_<base64>`; the UTF-8 bytes of any other secret.
    pub fn standard_key(&self) -> Vec<u8> {
        let text = self.expose();
        text.strip_prefix(STANDARD_PREFIX)
            .and_then(|encoded| LENIENT.decode(encoded).ok())
            .unwrap_or_else(|| text.as_bytes().to_vec())
    }
}

/// Whether verifiers read it as a key: its padding is there as a whole, or not at all.
fn is_standard_key(encoded: &str) -> bool {
    let is_whole = encoded.len().is_multiple_of(4) || !encoded.ends_with('=');
    is_whole && LENIENT.decode(encoded).is_ok_and(|key| key.len() >= MIN_STANDARD_KEY_BYTES)
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_a_secret_or_refused(text in "(whsec_)?.{0,60}") {
            if let Ok(secret) = SigningSecret::parse(&text) {
                prop_assert_eq!(secret.expose(), text);
                prop_assert!(!secret.standard_key().is_empty());
            }
        }
    }

    #[test]
    fn a_secret_is_never_printed() {
        let secret = SigningSecret::parse("canary-4711").unwrap();
        assert!(!format!("{secret:?}").contains("canary"));
    }

    #[test]
    fn a_whsec_secret_is_decoded_and_any_other_is_taken_as_it_is() {
        let key = |text: &str| SigningSecret::parse(text).unwrap().standard_key();
        assert_eq!(key("whsec_AAECAwQFBgcICQoLDA0ODw=="), (0..16).collect::<Vec<u8>>());
        assert_eq!(key("whsec_AAECAwQFBgcICQoLDA0ODw"), (0..16).collect::<Vec<u8>>(), "without padding");
        assert_eq!(key("plain"), b"plain");
        assert_eq!(key("not_whsec_"), b"not_whsec_");
    }

    #[test]
    fn a_whsec_secret_that_no_verifier_could_use_is_refused() {
        for wrong in [
            "whsec_",
            "whsec_AQID",
            "whsec_AAECAwQFBgcICQoLDA0O",
            "whsec_not base64",
            "whsec_--__--__--__--__--__--__--__--__",
            "whsec_AAECAwQFBgcICQoLDA0ODw=",
            "whsec_AAECAwQFBgcICQoLDA0ODw== ",
            "whsec_whsec_AAECAwQFBgcICQoLDA0ODw==",
            "whsec_correct-horse-battery-staple",
        ] {
            assert_eq!(SigningSecret::parse(wrong).unwrap_err(), NotASecret::StandardKey, "{wrong}");
        }
    }

    #[test]
    fn a_secret_that_was_accepted_once_still_signs_as_it_did() {
        assert_eq!(SigningSecret::from_stored("whsec_AQID").standard_key(), [1, 2, 3]);
        assert_eq!(SigningSecret::from_stored("whsec_not base64").standard_key(), b"whsec_not base64");
    }

    #[test]
    fn an_empty_an_endless_and_a_broken_secret_are_refused() {
        for wrong in [String::new(), "x".repeat(MAX_SECRET_BYTES + 1), "line\nbreak".to_owned()] {
            assert_eq!(SigningSecret::parse(&wrong).unwrap_err(), NotASecret::Text);
        }
    }
}
