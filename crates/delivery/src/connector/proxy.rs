//! A proxy of the operator, through which every connection goes.
//!
//! The name is resolved and its addresses are judged here as without one; the proxy is asked for a judged address and never for a
//! name. For plain `http`, too, it is asked for a connection (`CONNECT`), so that it has nothing to resolve or to rewrite.

use std::{fmt, net::SocketAddr, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use hickory_resolver::TokioResolver;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use url::{Host, Url};

use super::dial;
use crate::failure::ConnectFailure;

/// The longest head of a proxy's answer, in bytes.
const MAX_HEAD: usize = 8 * 1024;

/// Where the proxy is, and how it knows us. Its password is never shown.
#[derive(Clone)]
pub struct Proxy {
    host: Host,
    port: u16,
    /// The value of `Proxy-Authorization`.
    authorization: Option<SecretString>,
}

/// A text that names no proxy. It does not repeat the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT")]
pub struct NotAProxy;

impl FromStr for Proxy {
    type Err = NotAProxy;

    fn from_str(text: &str) -> Result<Self, NotAProxy> {
        let url = Url::parse(text).map_err(|_| NotAProxy)?;
        let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if url.scheme() != "http" || !is_bare {
            return Err(NotAProxy);
        }
        let host = url.host().ok_or(NotAProxy)?.to_owned();
        let port = url.port_or_known_default().ok_or(NotAProxy)?;
        let user: Vec<u8> = percent_decode_str(url.username()).collect();
        let password = url.password().map(|password| percent_decode_str(password).collect::<Vec<u8>>());
        let authorization = (!user.is_empty() || password.is_some()).then(|| {
            let both = [&user[..], b":", &password.unwrap_or_default()].concat();
            SecretString::from(format!("Basic {}", STANDARD.encode(both)))
        });
        Ok(Self { host, port, authorization })
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Proxy({}:{})", self.host, self.port)
    }
}

/// Connections through a proxy.
pub(super) struct Tunnels {
    proxy: Proxy,
    resolver: TokioResolver,
}

/// What the proxy sent behind its head belongs to the connection, so it is read through the same buffer.
pub(super) type Tunnel = BufReader<TcpStream>;

impl Tunnels {
    pub(super) fn new(proxy: Proxy, resolver: TokioResolver) -> Self {
        Self { proxy, resolver }
    }

    /// A connection to that address.
    pub(super) async fn open(&self, address: SocketAddr) -> Result<Tunnel, ConnectFailure> {
        let mut tunnel = BufReader::with_capacity(1024, self.connect().await?);
        let mut request = format!("CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n");
        if let Some(authorization) = &self.proxy.authorization {
            request.extend(["Proxy-Authorization: ", authorization.expose_secret(), "\r\n"]);
        }
        request.push_str("\r\n");
        let broke = |_| ConnectFailure::Proxy("it broke the connection".to_owned());
        tunnel.write_all(request.as_bytes()).await.map_err(broke)?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() >= MAX_HEAD {
                return Err(ConnectFailure::Proxy(format!("its answer is longer than {} KiB", MAX_HEAD / 1024)));
            }
            head.push(tunnel.read_u8().await.map_err(broke)?);
        }
        match status(&head) {
            Some(200..=299) => Ok(tunnel),
            Some(407) => Err(ConnectFailure::Proxy("it wants other credentials (407)".to_owned())),
            Some(status) => Err(ConnectFailure::Proxy(format!("it answered {status}"))),
            None => Err(ConnectFailure::Proxy("its answer was not valid HTTP".to_owned())),
        }
    }

    /// A connection to the proxy itself. The operator chose it, so its address is not judged.
    async fn connect(&self) -> Result<TcpStream, ConnectFailure> {
        let addresses = match &self.proxy.host {
            Host::Ipv4(address) => vec![(*address).into()],
            Host::Ipv6(address) => vec![(*address).into()],
            Host::Domain(name) => {
                let found = self.resolver.lookup_ip(name.as_str()).await;
                found.map_err(|_| ConnectFailure::Proxy("its name could not be resolved".to_owned()))?.iter().collect()
            }
        };
        let port = self.proxy.port;
        let unreachable = |error| ConnectFailure::Proxy(format!("it cannot be reached: {error}"));
        dial::first(addresses, |address| async move { dial::tcp(SocketAddr::new(address, port)).await.map_err(unreachable) })
            .await
    }
}

fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/1.")?;
    let status = line.get(1..)?.strip_prefix(' ')?;
    let (status, rest) = status.split_at_checked(3)?;
    let is_status = status.bytes().all(|byte| byte.is_ascii_digit()) && (rest.is_empty() || rest.starts_with(' '));
    status.parse().ok().filter(|_| is_status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_by_a_url_without_a_path() {
        for text in
            ["http://proxy.example:3128", "http://10.0.0.1:3128/", "http://[::1]:8080", "http://us%40er:p%3Aw@proxy:1"]
        {
            assert!(text.parse::<Proxy>().is_ok(), "{text}");
        }
        for text in
            ["proxy:3128", "https://proxy:1", "socks5://proxy:1", "http://proxy:1/x", "http://proxy:1?x", "http://", ""]
        {
            assert!(text.parse::<Proxy>().is_err(), "{text}");
        }
    }

    #[test]
    fn its_password_is_sent_and_never_shown() {
        let proxy: Proxy = "http://us%40er:c%C3%A4nary@proxy.example:3128".parse().unwrap();
        assert_eq!(format!("{proxy:?}"), "Proxy(proxy.example:3128)");
        let sent = proxy.authorization.unwrap();
        assert_eq!(sent.expose_secret(), format!("Basic {}", STANDARD.encode("us@er:cänary")));
    }

    #[test]
    fn a_status_is_read_from_a_head_or_not_at_all() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407\r\n\r\n"), Some(407));
        for head in [
            "HTTP/2 200\r\n\r\n",
            "HTTP/1.1 20\r\n\r\n",
            "HTTP/1.1 2000\r\n\r\n",
            "HTTP/1.1 +20 x\r\n\r\n",
            "SSH-2.0\r\n\r\n",
            "\r\n\r\n",
        ] {
            assert_eq!(status(head.as_bytes()), None, "{head}");
        }
    }
}
