//! API keys: `sk_live_` and 40 alphanumerics. Only their SHA-256 is stored: 238 bits of chance need no slow hash.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

pub use crate::hash::ApiKeyHash;
use crate::{
    chance::Chance,
    id::{ApiKeyId, OrganizationId},
    scope::Scope,
};

const PREFIX: &str = "sk_live_";
const RANDOM_CHARACTERS: usize = 40;

/// How much of a key is shown for recognition: the prefix and four characters; 36 of chance stay unknown.
const SHOWN: usize = PREFIX.len() + 4;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The text of a key, shown once to the one who creates it.
pub struct ApiKeyText(SecretString);

impl ApiKeyText {
    /// A new key from a secure source of chance, every character equally likely.
    pub fn generate(chance: &dyn Chance) -> Self {
        let mut text = String::from(PREFIX);
        while text.len() < PREFIX.len() + RANDOM_CHARACTERS {
            let mut byte = [0_u8];
            chance.fill(&mut byte);
            // 248 is the largest multiple of 62 in a byte; what lies above would favour the first letters.
            if byte[0] < 248 {
                text.push(char::from(ALPHABET[usize::from(byte[0] % 62)]));
            }
        }
        Self(text.into())
    }

    /// The key as its owner must send it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What the store keeps of it.
    pub fn hash(&self) -> ApiKeyHash {
        ApiKeyHash::of(self.expose())
    }
}

/// What is known of a key after it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub organization_id: OrganizationId,
    pub name: String,
    pub scope: Scope,
    /// The text's first characters, by which its owner recognizes it.
    pub prefix: String,
    pub hash: ApiKeyHash,
    pub created_at: Timestamp,
    /// From then on it is no key any more.
    pub expires_at: Option<Timestamp>,
    /// To a minute, and a little late.
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// A key of that text, with every right and without an end.
    pub fn new(
        text: &ApiKeyText,
        id: ApiKeyId,
        organization_id: OrganizationId,
        name: String,
        created_at: Timestamp,
    ) -> Self {
        let prefix = text.expose().chars().take(SHOWN).collect();
        Self {
            id,
            organization_id,
            name,
            scope: Scope::Write,
            prefix,
            hash: text.hash(),
            created_at,
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
        }
    }

    /// Whether it opens anything at that time.
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| at < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU8);
    impl Chance for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn a_key_is_the_prefix_and_forty_alphanumerics() {
        let chance = Counting(230.into());
        let key = ApiKeyText::generate(&chance);
        let random = key.expose().strip_prefix("sk_live_").unwrap();
        assert_eq!(random.len(), 40);
        assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
}
