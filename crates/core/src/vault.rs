//! Secrets at rest: sealed with a key that is not in the database.
//!
//! A sealed value is a version byte, a random nonce and the XChaCha20-Poly1305 of the secret. What it is and whose it is are
//! authenticated with it, so that a value which is copied into another row or column does not open there.

use std::{fmt, str::FromStr, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::chance::Chance;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;

/// The key that everything is sealed with. Never printed: its `Debug` is redacted.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// A text that is no master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the base64 of 32 bytes")]
pub struct NotAMasterKey;

impl MasterKey {
    /// A new key from a secure source of chance.
    pub fn generate(chance: &dyn Chance) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        chance.fill(&mut *bytes);
        Self(bytes)
    }

    /// The key as settings and key files hold it.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(*self.0))
    }
}

impl FromStr for MasterKey {
    type Err = NotAMasterKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| NotAMasterKey)?);
        let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| NotAMasterKey)?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

/// What a sealed value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A webhook's current signing secret.
    SigningSecret,
    /// The secret before it, until its overlap ends.
    RotatedSecret,
    /// A webhook's custom headers.
    CustomHeaders,
    /// An agent's configuration.
    AgentConfig,
    /// What a call that may be repeated asked for.
    CallFingerprint,
    /// What it was answered.
    CallAnswer,
    /// Nothing; proves that a database belongs to a key.
    Check,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SigningSecret => "signing-secret",
            Self::RotatedSecret => "rotated-secret",
            Self::CustomHeaders => "custom-headers",
            Self::AgentConfig => "agent-config",
            Self::CallFingerprint => "call-fingerprint",
            Self::CallAnswer => "call-answer",
            Self::Check => "check",
        }
    }
}

/// A sealed value that does not open: it was made with another key or for another place, or it was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open")]
pub struct DoesNotOpen;

/// Seals and opens.
#[derive(Clone)]
pub struct Vault {
    cipher: XChaCha20Poly1305,
    chance: Arc<dyn Chance>,
}

impl Vault {
    /// A vault of that key, with nonces from that source.
    pub fn new(key: &MasterKey, chance: Arc<dyn Chance>) -> Self {
        Self { cipher: XChaCha20Poly1305::new(&Key::from(*key.0)), chance }
    }

    /// Seals `secret` for that purpose of that owner.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the cipher refuses only what is longer than 256 GiB"
    )]
    pub fn seal(&self, purpose: Purpose, owner: Uuid, secret: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        self.chance.fill(&mut nonce);
        let place = place(purpose, owner);
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: &place }).expect("fits");
        [&[VERSION], nonce.as_slice(), &sealed].concat()
    }

    /// Opens what was sealed for the same purpose and owner.
    pub fn open(&self, purpose: Purpose, owner: Uuid, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
        let sealed = sealed.strip_prefix(&[VERSION]).ok_or(DoesNotOpen)?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(DoesNotOpen)?;
        let place = place(purpose, owner);
        let opened = self.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &place });
        opened.map(Zeroizing::new).map_err(|_| DoesNotOpen)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault([redacted])")
    }
}

fn place(purpose: Purpose, owner: Uuid) -> Vec<u8> {
    [purpose.as_str().as_bytes(), b"\0", owner.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use proptest::prelude::*;

    use super::*;

    struct Counting(AtomicU8);
    impl Chance for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
        }
    }

    fn vault(key: u8) -> Vault {
        let chance = Arc::new(Counting(AtomicU8::new(key)));
        Vault::new(&MasterKey::generate(&*chance), chance)
    }

    fn owner(id: u128) -> Uuid {
        Uuid::from_u128(id)
    }

    #[test]
    fn a_key_reads_back_and_is_never_printed() {
        let key = MasterKey::generate(&Counting(AtomicU8::new(7)));
        let text = key.to_base64();
        assert_eq!(text.parse::<MasterKey>().unwrap().to_base64(), text);
        assert_eq!(format!("{:?}{:?}", key, vault(7)), "MasterKey([redacted])Vault([redacted])");
        for wrong in ["", "AAAA", "not base64", &text[1..], &format!("{}AA", *text)] {
            assert!(wrong.parse::<MasterKey>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_value_opens_only_with_its_key_in_its_place() {
        let sealed = vault(1).seal(Purpose::SigningSecret, owner(1), b"s3cret");
        assert_eq!(*vault(1).open(Purpose::SigningSecret, owner(1), &sealed).unwrap(), b"s3cret");
        assert!(vault(2).open(Purpose::SigningSecret, owner(1), &sealed).is_err());
        assert!(vault(1).open(Purpose::RotatedSecret, owner(1), &sealed).is_err());
        assert!(vault(1).open(Purpose::SigningSecret, owner(2), &sealed).is_err());
    }

    #[test]
    fn the_same_secret_is_never_sealed_the_same_way_twice() {
        let vault = vault(1);
        let seal = || vault.seal(Purpose::SigningSecret, owner(1), b"s3cret");
        assert_ne!(seal(), seal());
    }

    proptest! {
        #[test]
        fn any_change_is_noticed_and_no_bytes_panic(secret: Vec<u8>, flip: prop::sample::Index, noise: Vec<u8>) {
            let vault = vault(1);
            let mut sealed = vault.seal(Purpose::AgentConfig, owner(1), &secret);
            let at = flip.index(sealed.len());
            sealed[at] ^= 1;
            prop_assert!(vault.open(Purpose::AgentConfig, owner(1), &sealed).is_err());
            prop_assert!(vault.open(Purpose::AgentConfig, owner(1), &noise).is_err());
        }
    }
}
