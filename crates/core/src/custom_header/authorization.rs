//! Values of `Authorization`, put together from what people know.

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{HeaderRefusal, HeaderValue, MAX_VALUE_BYTES};

/// Why no value could be made of it. The texts complete a sentence that begins with the field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum NotAnAuthorization {
    #[error("is required")]
    Missing,
    #[error("must be the token alone: visible ASCII characters without spaces, and without the word Bearer")]
    Token,
    #[error("must not contain a colon")]
    Colon,
    #[error("must not contain control characters")]
    Control,
    #[error("is too long: the header may have at most {MAX_VALUE_BYTES} bytes")]
    TooLong,
}

/// `Bearer` and the token.
pub fn bearer(token: &str) -> Result<HeaderValue, NotAnAuthorization> {
    if token.is_empty() {
        return Err(NotAnAuthorization::Missing);
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(NotAnAuthorization::Token);
    }
    value(&Zeroizing::new(format!("Bearer {token}")))
}

/// `Basic` and the base64 of both in UTF-8 (RFC 7617). The password may be empty.
pub fn basic(user: &str, password: &str) -> Result<HeaderValue, NotAnAuthorization> {
    if user.is_empty() {
        return Err(NotAnAuthorization::Missing);
    }
    if user.contains(':') {
        return Err(NotAnAuthorization::Colon);
    }
    if user.chars().chain(password.chars()).any(char::is_control) {
        return Err(NotAnAuthorization::Control);
    }
    let both = Zeroizing::new(format!("{user}:{password}"));
    value(&Zeroizing::new(format!("Basic {}", STANDARD.encode(both.as_bytes()))))
}

/// What is put together here can only be too long.
fn value(text: &str) -> Result<HeaderValue, NotAnAuthorization> {
    HeaderValue::parse(text).map_err(|refusal| match refusal {
        HeaderRefusal::ValueTooLong => NotAnAuthorization::TooLong,
        _ => NotAnAuthorization::Token,
    })
}
