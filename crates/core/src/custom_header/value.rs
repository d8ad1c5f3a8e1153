use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::{HeaderRefusal, MAX_VALUE_BYTES};

/// The value of a custom header. Never printed: its `Debug` is redacted, and it has no `Display`.
#[derive(Clone)]
pub struct HeaderValue(SecretString);

impl HeaderValue {
    /// Accepts what a user chose: nothing that could end the header, or that receivers read differently.
    pub fn parse(text: &str) -> Result<Self, HeaderRefusal> {
        if text.is_empty() {
            return Err(HeaderRefusal::ValueEmpty);
        }
        if text.len() > MAX_VALUE_BYTES {
            return Err(HeaderRefusal::ValueTooLong);
        }
        if text.bytes().any(|byte| !byte.is_ascii_graphic() && !matches!(byte, b' ' | b'\t')) {
            return Err(HeaderRefusal::ValueNotVisible);
        }
        if text.trim_matches([' ', '\t']).len() < text.len() {
            return Err(HeaderRefusal::ValueSpaced);
        }
        Ok(Self(text.into()))
    }

    /// A value that was accepted once, whatever [`Self::parse`] asks today.
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The value, for the request and for the store.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeaderValue([redacted])")
    }
}
