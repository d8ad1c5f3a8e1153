//! Connections to judged addresses only.
//!
//! Names are resolved here, every address is judged, and the connection goes to an address that was judged: nothing is
//! resolved a second time in between.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hickory_resolver::TokioResolver;
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use preclinical_core::address::AddressPolicy;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use tower_service::Service;

use crate::{failure::ConnectFailure, platform::Platform, stopwatch::Laps};

/// Resolves, judges, connects and, for `https`, shakes hands.
#[derive(Clone)]
pub(crate) struct GuardedConnector {
    parts: Arc<Parts>,
}

struct Parts {
    resolver: TokioResolver,
    policy: AddressPolicy,
    tls: TlsConnector,
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
        Ok(Self { parts: Arc::new(Parts { resolver: platform.resolver, policy, tls }) })
    }
}

impl Parts {
    async fn connect(&self, uri: Uri, laps: Arc<Laps>) -> Result<GuardedStream, ConnectFailure> {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let addresses = self.judged(host, &laps).await?;
        let tcp = laps.time(|timing| &mut timing.connect, Self::first_reachable(&addresses, port)).await?;
        let _ = tcp.set_nodelay(true);
        if !secure {
            return Ok(GuardedStream { io: TokioIo::new(Box::new(tcp)), http2: false, laps });
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|error| ConnectFailure::Tls(error.to_string()))?;
        let stream = laps.time(|timing| &mut timing.tls, self.tls.connect(name, tcp)).await;
        let stream = stream.map_err(|error| ConnectFailure::Tls(error.to_string()))?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok(GuardedStream { io: TokioIo::new(Box::new(stream)), http2, laps })
    }

    /// The host's addresses that may be called. Which ones may not stays out of the message: it would map our network.
    async fn judged(&self, host: &str, laps: &Laps) -> Result<Vec<IpAddr>, ConnectFailure> {
        let addresses: Vec<IpAddr> = if let Ok(literal) = host.parse() {
            vec![literal]
        } else {
            let found = laps.time(|timing| &mut timing.resolve, self.resolver.lookup_ip(host)).await;
            found.map_err(|_| ConnectFailure::Dns)?.iter().collect()
        };
        let mut refusal = None;
        let judge = |address: &IpAddr| self.policy.judge(*address).map_err(|forbidden| refusal = Some(forbidden)).is_ok();
        let allowed: Vec<IpAddr> = addresses.into_iter().filter(judge).collect();
        match refusal {
            Some(forbidden) if allowed.is_empty() => Err(ConnectFailure::Blocked(forbidden.to_string())),
            None if allowed.is_empty() => Err(ConnectFailure::Dns),
            _ => Ok(allowed),
        }
    }

    async fn first_reachable(addresses: &[IpAddr], port: u16) -> Result<TcpStream, ConnectFailure> {
        let mut last = io::ErrorKind::NotConnected;
        for address in addresses {
            match TcpStream::connect(SocketAddr::new(*address, port)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error.kind(),
            }
        }
        Err(ConnectFailure::Connect(last))
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
