use super::{HeaderRefusal, MAX_NAME_BYTES, reserved};

/// What HTTP permits in a name beside letters and digits (RFC 9110, 5.6.2).
const OF_TOKENS: &[u8] = b"!#$%&'*+-.^_`|~";

/// The name of a custom header, in its owner's spelling. On the wire it is in small letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderName(String);

impl HeaderName {
    /// Accepts what a user chose, unless it is no name or one that is not the user's to set.
    pub fn parse(text: &str) -> Result<Self, HeaderRefusal> {
        if text.is_empty() {
            return Err(HeaderRefusal::NameEmpty);
        }
        if text.len() > MAX_NAME_BYTES {
            return Err(HeaderRefusal::NameTooLong);
        }
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || OF_TOKENS.contains(&byte)) {
            return Err(HeaderRefusal::NameNotAToken);
        }
        match reserved::of(text) {
            Some(reservation) => Err(HeaderRefusal::Reserved(reservation)),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// A name that was accepted once, whatever [`Self::parse`] asks today.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The name as its owner spelled it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as it is sent.
    pub fn on_wire(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Whether both name the same header.
    pub fn is_same(&self, other: &Self) -> bool {
        self.is(&other.0)
    }

    /// Whether it is the name of that header, in whatever spelling.
    pub fn is(&self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name)
    }

    /// Names in one text, as stores keep them beside the sealed headers. No name has a comma in it.
    pub fn join(names: &[Self]) -> String {
        names.iter().map(Self::as_str).collect::<Vec<_>>().join(",")
    }

    /// The names of such a text.
    pub fn split(text: &str) -> Vec<Self> {
        text.split(',').filter(|name| !name.is_empty()).map(|name| Self(name.to_owned())).collect()
    }
}
