//! A certificate authority of its own, and the servers it vouches for.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    server::{NoClientAuth, WebPkiClientVerifier, danger::ClientCertVerifier},
};

/// The authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Default for Authority {
    /// A fresh one that nobody trusts yet.
    fn default() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Test Authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }
}

impl Authority {
    /// Roots that trust it and nobody else.
    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots
    }

    /// Its certificate as systems keep it.
    pub fn pem(&self) -> String {
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(self.0.der()))
    }

    /// A server of that name or address that offers these protocols.
    pub fn server(&self, name: &str, protocols: &[&str]) -> Arc<ServerConfig> {
        self.configure(name, protocols, Arc::new(NoClientAuth))
    }

    /// A server that speaks only with clients whose certificate this authority signed.
    pub fn server_that_asks_for_a_certificate(&self, name: &str) -> Arc<ServerConfig> {
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()), provider).build().unwrap();
        self.configure(name, &[], verifier)
    }

    /// A server whose certificate is valid in these years only.
    pub fn server_in_the_years(&self, name: &str, from: i32, until: i32) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
        self.certify(&params, &[], Arc::new(NoClientAuth))
    }

    /// A server that vouches for itself.
    pub fn self_signed_server(name: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap();
        server(certificate.der().clone(), &key, &[], Arc::new(NoClientAuth))
    }

    fn configure(&self, name: &str, protocols: &[&str], clients: Arc<dyn ClientCertVerifier>) -> Arc<ServerConfig> {
        self.certify(&CertificateParams::new([name.to_owned()]).unwrap(), protocols, clients)
    }

    fn certify(
        &self,
        params: &CertificateParams,
        protocols: &[&str],
        clients: Arc<dyn ClientCertVerifier>,
    ) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        server(certificate.der().clone(), &key, protocols, clients)
    }
}

fn server(
    certificate: CertificateDer<'static>,
    key: &KeyPair,
    protocols: &[&str],
    clients: Arc<dyn ClientCertVerifier>,
) -> Arc<ServerConfig> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![certificate], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Arc::new(config)
}
