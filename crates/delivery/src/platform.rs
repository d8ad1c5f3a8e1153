//! What the client takes from the machine it runs on.

use std::io;

use hickory_resolver::TokioResolver;
use rustls::RootCertStore;

/// Names and trust, as a machine has them.
pub struct Platform {
    /// Resolves host names.
    pub resolver: TokioResolver,
    /// The certificate authorities that are trusted.
    pub roots: RootCertStore,
}

impl Platform {
    /// This system's name servers, hosts file and certificate authorities.
    pub fn detect() -> io::Result<Self> {
        let resolver =
            TokioResolver::builder_tokio().and_then(hickory_resolver::ResolverBuilder::build).map_err(io::Error::other)?;
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            tracing::warn!("no certificate authorities found on this system: https deliveries will fail");
        }
        Ok(Self { resolver, roots })
    }
}
