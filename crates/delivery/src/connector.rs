//! Connections to judged addresses only.
//!
//! Names are resolved here, every address is judged, and the connection goes to an address that was judged: nothing is
//! resolved a second time in between. A connection that is kept and used again was judged when it was made, and by the same
//! policy: a policy never changes while a process lives, and nobody can move the other end of a connection.

mod dial;
mod proxy;
mod resolve;

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use preclinical_core::address::AddressPolicy;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tower_service::Service;

pub use self::proxy::{NotAProxy, Proxy};
use self::{proxy::Tunnels, resolve::Names};
use crate::{
    failure::{ConnectFailure, handshake},
    platform::Platform,
    stopwatch::Laps,
};

/// Resolves, judges, connects and, for `https`, shakes hands.
#[derive(Clone)]
pub(crate) struct GuardedConnector {
    parts: Arc<Parts>,
}

struct Parts {
    names: Names,
    way: Way,
    tls: TlsConnector,
}

/// How a judged address is reached.
#[derive(Clone)]
enum Way {
    Directly(AddressPolicy),
    Through(Arc<Tunnels>),
}

impl GuardedConnector {
    pub(crate) fn new(policy: AddressPolicy, platform: Platform) -> io::Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(platform.roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let tls = TlsConnector::from(Arc::new(config));
        let way = match platform.proxy {
            Some(proxy) => Way::Through(Arc::new(Tunnels::new(proxy, platform.resolver.clone()))),
            None => Way::Directly(policy.clone()),
        };
        Ok(Self { parts: Arc::new(Parts { names: Names::new(platform.resolver, policy), way, tls }) })
    }
}

impl Parts {
    async fn connect(&self, uri: Uri, laps: Arc<Laps>) -> Result<GuardedStream, ConnectFailure> {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let addresses = self.names.judged(host, &laps).await?;
        let open = |address| self.way.clone().open(SocketAddr::new(address, port));
        let stream = laps.time(|timing| &mut timing.connect, dial::first(addresses, open)).await?;
        if !secure {
            return Ok(GuardedStream { io: TokioIo::new(stream), http2: false, laps });
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| ConnectFailure::Tls("no certificate can be made out for this host".to_owned()))?;
        let stream = laps.time(|timing| &mut timing.tls, self.tls.connect(name, stream)).await;
        let stream = stream.map_err(|error| ConnectFailure::Tls(handshake::in_words(&error)))?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok(GuardedStream { io: TokioIo::new(Box::new(stream)), http2, laps })
    }
}

impl Way {
    async fn open(self, address: SocketAddr) -> Result<Box<dyn Io>, ConnectFailure> {
        match self {
            Self::Directly(policy) => {
                let stream = dial::tcp(address).await.map_err(ConnectFailure::Connect)?;
                // A system may take an address for another one, as 0.0.0.0 for itself.
                let peer = stream.peer_addr().map_err(|error| ConnectFailure::Connect(error.kind()))?;
                policy.judge(peer.ip()).map_err(|_| ConnectFailure::Blocked)?;
                Ok(Box::new(stream))
            }
            Self::Through(tunnels) => Ok(Box::new(tunnels.open(address).await?)),
        }
    }
}

impl Service<Uri> for GuardedConnector {
    type Response = GuardedStream;
    type Error = ConnectFailure;
    type Future = Pin<Box<dyn Future<Output = Result<GuardedStream, ConnectFailure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (parts, laps) = (Arc::clone(&self.parts), Laps::begin());
        Box::pin(async move { parts.connect(uri, laps).await })
    }
}

/// Bytes both ways.
trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// A connection to a judged address.
pub(crate) struct GuardedStream {
    io: TokioIo<Box<dyn Io>>,
    http2: bool,
    laps: Arc<Laps>,
}

impl Connection for GuardedStream {
    fn connected(&self) -> Connected {
        let connected = Connected::new().extra(Arc::clone(&self.laps));
        if self.http2 { connected.negotiated_h2() } else { connected }
    }
}

impl Read for GuardedStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl Write for GuardedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
