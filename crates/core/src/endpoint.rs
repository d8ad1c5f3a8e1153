//! The URLs that webhooks may have.

mod host;
mod ports;

use url::{Host, Url};

pub use self::ports::{NotPorts, Ports};
use crate::address::{AddressPolicy, Forbidden};

/// The longest URL that is accepted, in bytes.
pub const MAX_URL_BYTES: usize = 2048;

/// What this installation accepts as the address of a webhook.
#[derive(Debug, Clone, Default)]
pub struct EndpointPolicy {
    /// Whether plain `http` is refused.
    pub https_only: bool,
    /// Which ports may be called.
    pub ports: Ports,
    /// Which addresses may be called.
    pub addresses: AddressPolicy,
}

/// Why a URL is refused. The texts complete a sentence that begins with the field's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum EndpointError {
    #[error("must be at most {MAX_URL_BYTES} bytes long")]
    TooLong,
    #[error("must be an absolute URL without spaces, control characters or backslashes")]
    Malformed,
    #[error("must begin with https://")]
    HttpsRequired,
    #[error("must begin with https:// or http://")]
    Scheme,
    #[error("must not contain a user name or password")]
    Credentials,
    #[error("must not contain a fragment (#…)")]
    Fragment,
    #[error("must have a host of letters, digits and hyphens, at most 253 bytes long, with 1 to 63 bytes between two dots")]
    Host,
    #[error("must not have port {0}: this installation does not call it")]
    Port(u16),
    #[error("may not be called: the host's name is not a public one")]
    LocalName,
    #[error("may not be called: {0}")]
    Forbidden(#[from] Forbidden),
}

impl EndpointPolicy {
    /// Parses a URL and refuses what may never be called. Host names are judged again, by their addresses, at every attempt.
    ///
    /// However the host was spelled, the result has one spelling of it: an address in its usual form, a name in lower case and in
    /// ASCII, without a dot at its end.
    pub fn parse(&self, text: &str) -> Result<Url, EndpointError> {
        let url = self.read(text)?;
        let port = url.port_or_known_default().unwrap_or_default();
        if !self.ports.allow(port) {
            return Err(EndpointError::Port(port));
        }
        match url.host() {
            Some(Host::Ipv4(address)) => self.addresses.judge(address.into())?,
            Some(Host::Ipv6(address)) => self.addresses.judge(address.into())?,
            Some(Host::Domain(name)) => self.judge_name(name)?,
            None => return Err(EndpointError::Malformed),
        }
        Ok(url)
    }

    fn read(&self, text: &str) -> Result<Url, EndpointError> {
        if text.len() > MAX_URL_BYTES {
            return Err(EndpointError::TooLong);
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(EndpointError::Malformed);
        }
        let mut url = Url::parse(text).map_err(|_| EndpointError::Malformed)?;
        match url.scheme() {
            "http" if self.https_only => return Err(EndpointError::HttpsRequired),
            "http" | "https" => {}
            _ => return Err(EndpointError::Scheme),
        }
        // Browsers also take `https:host` and `https:///host`; whoever reads that may see another host in it.
        let rest = text.get(url.scheme().len()..).and_then(|rest| rest.strip_prefix("://")).unwrap_or_default();
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() {
            return Err(EndpointError::Malformed);
        }
        // An empty user name is left out by the parser.
        if authority.contains('@') || !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(EndpointError::Fragment);
        }
        host::make_canonical(&mut url)?;
        // A host may become longer in ASCII, and a path percent-encoded: what is kept has the limit, too.
        if url.as_str().len() > MAX_URL_BYTES { Err(EndpointError::TooLong) } else { Ok(url) }
    }

    /// Refuses names that can only lead into the network this program runs in, unless something of it is allowed.
    fn judge_name(&self, name: &str) -> Result<(), EndpointError> {
        match host::Name::of(name) {
            host::Name::Loopback => Ok(self.addresses.loopback().map(drop)?),
            host::Name::Metadata => Ok(self.addresses.judge(host::METADATA)?),
            host::Name::Local if self.addresses.allow.is_empty() => Err(EndpointError::LocalName),
            host::Name::Local | host::Name::Public => Ok(()),
        }
    }
}

/// Whether a name stands for this machine, whatever a name server says of it (RFC 6761, section 6.3).
pub fn is_loopback(name: &str) -> bool {
    matches!(host::Name::of(name), host::Name::Loopback)
}

#[cfg(test)]
mod tests;
