//! Hashes of texts that open something to whoever presents them. Each kind is a type of its own, so that a session cannot be
//! looked up where a key is meant.

use std::fmt;

use sha2::{Digest, Sha256};

macro_rules! hash {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        ///
        /// Looking one up by it compares nothing that an attacker could steer byte by byte.
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The hash of what somebody presents; any text has one.
            pub fn of(text: &str) -> Self {
                Self(Sha256::digest(text.as_bytes()).into())
            }

            /// The hash behind 32 bytes that were stored.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes to store or to look up.
            pub fn bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    )*};
}

hash! {
    /// The SHA-256 of an API key's text.
    ApiKeyHash
    /// The SHA-256 of the token of a session or of an invitation.
    TokenHash
}
