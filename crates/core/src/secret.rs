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

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A webhook's signing secret. Never printed: its `Debug` is redacted, and it has no `Display`.
#[derive(Clone)]
pub struct SigningSecret(SecretString);

/// A text that cannot be a signing secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {MAX_SECRET_BYTES} bytes long, without control characters")]
pub struct NotASecret;

impl SigningSecret {
    /// Accepts what a user chose.
    pub fn parse(text: &str) -> Result<Self, NotASecret> {
        let fits = (1..=MAX_SECRET_BYTES).contains(&text.len());
        if fits && !text.chars().any(char::is_control) { Ok(Self(text.into())) } else { Err(NotASecret) }
    }

    /// A new secret of 32 random bytes, in the form that Standard Webhooks libraries take: `whsec_` and their base64.
    pub fn generate(chance: &dyn Chance) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        chance.fill(&mut *bytes);
        Self(format!("whsec_{}", STANDARD.encode(*bytes)).into())
    }

    /// The secret's text, for the store and for `X-Preclinical-Signature`, whose key is its UTF-8 bytes.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The Standard Webhooks key: the decoded part of `whsec_<base64>`; the UTF-8 bytes of any other secret.
    pub fn standard_key(&self) -> Vec<u8> {
        let text = self.expose();
        text.strip_prefix("whsec_")
            .and_then(|encoded| LENIENT.decode(encoded).ok())
            .unwrap_or_else(|| text.as_bytes().to_vec())
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = SigningSecret::parse("canary-4711").unwrap();
        assert!(!format!("{secret:?}").contains("canary"));
    }

    #[test]
    fn a_whsec_secret_is_decoded_and_any_other_is_taken_as_it_is() {
        let key = |text: &str| SigningSecret::parse(text).unwrap().standard_key();
        assert_eq!(key("whsec_AQID"), [1, 2, 3]);
        assert_eq!(key("whsec_AQI="), [1, 2]);
        assert_eq!(key("whsec_not base64"), b"whsec_not base64");
        assert_eq!(key("plain"), b"plain");
    }

    #[test]
    fn an_empty_an_endless_and_a_broken_secret_are_refused() {
        for wrong in [String::new(), "x".repeat(MAX_SECRET_BYTES + 1), "line\nbreak".to_owned()] {
            assert!(SigningSecret::parse(&wrong).is_err());
        }
    }
}
