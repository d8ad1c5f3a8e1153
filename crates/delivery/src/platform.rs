//! What the client takes from the machine it runs on.

use std::{io, time::Duration};

use hickory_resolver::TokioResolver;
use rustls::RootCertStore;

use crate::connector::Proxy;

/// How long one question to a name server may take, and how often it is asked again: within an attempt's deadline there must be
/// time left for the receiver.
const QUESTION: Duration = Duration::from_secs(2);
const MORE_QUESTIONS: usize = 1;

/// How many answers of name servers are remembered.
const REMEMBERED: u64 = 4096;

/// How long it is remembered that a name does not exist: a receiver may be set up between two attempts.
const UNKNOWN: Duration = Duration::from_secs(30);

/// Names, trust, and the way out, as a machine has them.
pub struct Platform {
    /// Resolves host names.
    pub resolver: TokioResolver,
    /// The certificate authorities that are trusted.
    pub roots: RootCertStore,
    /// Through which all connections go. Never taken from the environment's `HTTP_PROXY` and the like.
    pub proxy: Option<Proxy>,
}

impl Platform {
    /// This system's name servers, hosts file and certificate authorities, and no proxy.
    pub fn detect() -> io::Result<Self> {
        let mut builder = TokioResolver::builder_tokio().map_err(io::Error::other)?;
        let options = builder.options_mut();
        options.timeout = options.timeout.min(QUESTION);
        options.attempts = options.attempts.min(MORE_QUESTIONS);
        options.cache_size = REMEMBERED;
        options.negative_max_ttl = Some(UNKNOWN);
        let resolver = builder.build().map_err(io::Error::other)?;
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            tracing::warn!("no certificate authorities found on this system: https deliveries will fail");
        }
        Ok(Self { resolver, roots, proxy: None })
    }
}
