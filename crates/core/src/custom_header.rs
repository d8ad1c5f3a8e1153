//! Custom headers: what a webhook's owner has us send beside our own headers, such as `Authorization`.
//!
//! Their values are credentials as a rule. They are sealed at rest, masked in the history, and shown to nobody again; names are no
//! secret.

mod authorization;
mod name;
mod reserved;
mod value;

use zeroize::Zeroizing;

use crate::{
    id::WebhookId,
    vault::{DoesNotOpen, Purpose, Vault},
};

pub use self::{
    authorization::{NotAnAuthorization, basic, bearer},
    name::HeaderName,
    reserved::Reservation,
    value::HeaderValue,
};

/// The most custom headers that a webhook may have.
pub const MAX_HEADERS: usize = 20;

/// The longest name, in bytes.
pub const MAX_NAME_BYTES: usize = 128;

/// The longest value, in bytes.
pub const MAX_VALUE_BYTES: usize = 2048;

/// The most that all names and values of a webhook may take together, in bytes: with our own headers well below the 16 KiB that
/// common servers read of a head.
pub const MAX_HEADERS_BYTES: usize = 8 * 1024;

/// What stands in place of a value wherever one would be shown. No value can be this: it is not ASCII.
pub const MASK: &str = "••••••";

/// The name of the header that carries credentials.
pub const AUTHORIZATION: &str = "Authorization";

/// One header. Never printed with its value.
#[derive(Debug, Clone)]
pub struct CustomHeader {
    /// Its name.
    pub name: HeaderName,
    /// Its value.
    pub value: HeaderValue,
}

/// A header as somebody wants it to be.
#[derive(Debug, Clone)]
pub struct WantedHeader {
    /// Its name.
    pub name: HeaderName,
    /// Its value; `None` keeps the stored one.
    pub value: Option<HeaderValue>,
}

/// The custom headers of a webhook, in their order: few, together not too long, and each name once.
#[derive(Debug, Clone, Default)]
pub struct CustomHeaders(Vec<CustomHeader>);

/// Why a header, or all of them, is refused. The texts complete a sentence that begins with the field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum HeaderRefusal {
    #[error("must be at most {MAX_HEADERS} headers")]
    TooMany,
    #[error("must be at most {MAX_HEADERS_BYTES} bytes long, all names and values together")]
    TooLongTogether,
    #[error("must not have an empty name")]
    NameEmpty,
    #[error("must have a name of at most {MAX_NAME_BYTES} bytes")]
    NameTooLong,
    #[error("must have a name of letters, digits, hyphens and the other characters that HTTP permits in one")]
    NameNotAToken,
    #[error("may not be set: it {0}")]
    Reserved(Reservation),
    #[error("is there twice: capital and small letters make no difference")]
    Twice,
    #[error("must not be empty")]
    ValueEmpty,
    #[error("must be at most {MAX_VALUE_BYTES} bytes long")]
    ValueTooLong,
    #[error("must not begin or end with white space")]
    ValueSpaced,
    #[error("must be of visible ASCII characters, with spaces or tabs between them")]
    ValueNotVisible,
    #[error("has no stored value to keep: give it one")]
    NothingToKeep,
}

/// Which header is refused, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {why}", self.field())]
pub struct RefusedHeader {
    /// The header; `None` if it is all of them together.
    pub name: Option<String>,
    /// Why.
    pub why: HeaderRefusal,
}

impl RefusedHeader {
    /// A header of that name, which may be no name at all.
    pub fn named(name: &str, why: HeaderRefusal) -> Self {
        let shown: String = name.chars().take(MAX_NAME_BYTES).collect();
        Self { name: Some(shown).filter(|name| !name.is_empty()), why }
    }

    /// The path of the field, such as `headers.X-Tenant`.
    pub fn field(&self) -> String {
        self.name.as_ref().map_or_else(|| "headers".to_owned(), |name| format!("headers.{name}"))
    }
}

impl CustomHeaders {
    /// These headers in place of the present ones, of which those that are wanted without a value keep theirs.
    pub fn changed(&self, wanted: Vec<WantedHeader>) -> Result<Self, RefusedHeader> {
        if wanted.len() > MAX_HEADERS {
            return Err(RefusedHeader { name: None, why: HeaderRefusal::TooMany });
        }
        let mut headers: Vec<CustomHeader> = Vec::with_capacity(wanted.len());
        for WantedHeader { name, value } in wanted {
            let refused = |why| RefusedHeader::named(name.as_str(), why);
            if headers.iter().any(|other| other.name.is_same(&name)) {
                return Err(refused(HeaderRefusal::Twice));
            }
            let value = value.or_else(|| self.value(&name).cloned());
            let value = value.ok_or_else(|| refused(HeaderRefusal::NothingToKeep))?;
            if let Some(reservation) = reserved::together(&name, &value) {
                return Err(refused(HeaderRefusal::Reserved(reservation)));
            }
            headers.push(CustomHeader { name, value });
        }
        let bytes: usize = headers.iter().map(|header| header.name.as_str().len() + header.value.expose().len()).sum();
        if bytes > MAX_HEADERS_BYTES {
            return Err(RefusedHeader { name: None, why: HeaderRefusal::TooLongTogether });
        }
        Ok(Self(headers))
    }

    fn value(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.0.iter().find(|header| header.name.is_same(name)).map(|header| &header.value)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &CustomHeader> {
        self.0.iter()
    }

    /// Their names, which are no secret.
    pub fn names(&self) -> Vec<HeaderName> {
        self.0.iter().map(|header| header.name.clone()).collect()
    }

    /// All of them, sealed for the row of that webhook; `None` if there are none.
    pub fn seal(&self, vault: &Vault, webhook: WebhookId) -> Option<Vec<u8>> {
        self.to_stored().map(|stored| vault.seal(Purpose::CustomHeaders, webhook.uuid(), &stored))
    }

    /// What [`Self::seal`] made for that webhook.
    pub fn open(vault: &Vault, webhook: WebhookId, sealed: Option<&[u8]>) -> Result<Self, DoesNotOpen> {
        let Some(sealed) = sealed else { return Ok(Self::default()) };
        let stored = vault.open(Purpose::CustomHeaders, webhook.uuid(), sealed)?;
        Self::from_stored(&stored).ok_or(DoesNotOpen)
    }

    fn to_stored(&self) -> Option<Zeroizing<Vec<u8>>> {
        let pairs: Vec<_> = self.0.iter().map(|header| (header.name.as_str(), header.value.expose())).collect();
        let stored = serde_json::to_vec(&pairs).unwrap_or_default();
        (!self.is_empty()).then(|| Zeroizing::new(stored))
    }

    /// Headers that were accepted once, whatever is asked of them today; `None` if these bytes are of something else.
    fn from_stored(bytes: &[u8]) -> Option<Self> {
        let pairs: Vec<(String, String)> = serde_json::from_slice(bytes).ok()?;
        let header = |(name, value): (String, String)| CustomHeader {
            name: HeaderName::from_stored(name),
            value: HeaderValue::from_stored(&Zeroizing::new(value)),
        };
        Some(Self(pairs.into_iter().map(header).collect()))
    }
}

#[cfg(test)]
mod tests;
