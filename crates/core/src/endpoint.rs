//! The URLs that webhooks may have.

use std::net::IpAddr;

use url::{Host, Url};

use crate::address::{AddressPolicy, Forbidden};

/// The longest URL that is accepted, in bytes.
pub const MAX_URL_BYTES: usize = 2048;

/// What this installation accepts as the address of a webhook.
#[derive(Debug, Clone, Default)]
pub struct EndpointPolicy {
    /// Whether plain `http` is refused.
    pub https_only: bool,
    /// Which addresses may be called.
    pub addresses: AddressPolicy,
}

/// Why a URL is refused. The texts complete a sentence that begins with the field's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum EndpointError {
    #[error("must be at most {MAX_URL_BYTES} bytes long")]
    TooLong,
    #[error("must be an absolute URL without spaces or control characters")]
    Malformed,
    #[error("must begin with https://")]
    HttpsRequired,
    #[error("must begin with https:// or http://")]
    Scheme,
    #[error("must not contain a user name or password")]
    Credentials,
    #[error("must not contain a fragment (#…)")]
    Fragment,
    #[error("may not be called: {0}")]
    Forbidden(#[from] Forbidden),
}

impl EndpointPolicy {
    /// Parses a URL and refuses what may never be called. Host names are judged again, by their addresses, at every attempt.
    pub fn parse(&self, text: &str) -> Result<Url, EndpointError> {
        if text.len() > MAX_URL_BYTES {
            return Err(EndpointError::TooLong);
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(EndpointError::Malformed);
        }
        let url = Url::parse(text).map_err(|_| EndpointError::Malformed)?;
        match url.scheme() {
            "http" if self.https_only => return Err(EndpointError::HttpsRequired),
            "http" | "https" => {}
            _ => return Err(EndpointError::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(EndpointError::Fragment);
        }
        match url.host() {
            Some(Host::Ipv4(address)) => self.addresses.judge(address.into())?,
            Some(Host::Ipv6(address)) => self.addresses.judge(address.into())?,
            Some(Host::Domain(name)) if is_local(name) => self.addresses.judge(IpAddr::from([127, 0, 0, 1]))?,
            Some(Host::Domain(_)) => {}
            None => return Err(EndpointError::Malformed),
        }
        Ok(url)
    }
}

fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_urls_are_accepted() {
        let policy = EndpointPolicy::default();
        for url in ["https://example.com/hook?x=1", "http://example.com:8080", "https://münchen.example/"] {
            assert!(policy.parse(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn every_spelling_of_a_forbidden_address_is_refused() {
        let policy = EndpointPolicy::default();
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://①②⑦.⓪.⓪.①/",
            "http://[::1]/",
            "http://[::ffff:7f00:1]/",
            "http://localhost/",
            "http://LOCALHOST./",
            "http://a.localhost/",
            "http://127.0.0.1./",
        ] {
            assert!(matches!(policy.parse(url), Err(EndpointError::Forbidden(_))), "{url}: {:?}", policy.parse(url));
        }
    }

    #[test]
    fn other_schemes_credentials_and_fragments_are_refused() {
        let policy = EndpointPolicy::default();
        assert_eq!(policy.parse("ftp://example.com/"), Err(EndpointError::Scheme));
        assert_eq!(policy.parse("file:///etc/passwd"), Err(EndpointError::Scheme));
        assert_eq!(policy.parse("https://user:pw@example.com/"), Err(EndpointError::Credentials));
        assert_eq!(policy.parse("https://example.com/#part"), Err(EndpointError::Fragment));
        assert_eq!(policy.parse(" https://example.com/"), Err(EndpointError::Malformed));
        assert_eq!(policy.parse("example.com"), Err(EndpointError::Malformed));
        assert_eq!(policy.parse(&format!("https://example.com/{}", "a".repeat(MAX_URL_BYTES))), Err(EndpointError::TooLong));
        let https_only = EndpointPolicy { https_only: true, ..EndpointPolicy::default() };
        assert_eq!(https_only.parse("http://example.com/"), Err(EndpointError::HttpsRequired));
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String, host in "[0-9a-fx.:\\[\\]]{0,30}") {
            let policy = EndpointPolicy::default();
            let _ = policy.parse(&text);
            let _ = policy.parse(&format!("http://{host}/"));
        }
    }
}
