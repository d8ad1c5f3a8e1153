//! Listeners that nobody may reach, and one that everybody may.

use std::{
    net::{IpAddr, SocketAddr, SocketAddrV6},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, response::Redirect, routing::any};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// The number of the one interface that there is, which a link-local address needs.
const LOOPBACK_INTERFACE: u32 = 1;

/// Counts who comes.
pub(crate) struct Canary {
    pub(crate) address: SocketAddr,
    /// The ports that connections came from.
    came: watch::Receiver<Vec<u16>>,
    /// How many of them were questions of our own.
    own: usize,
}

impl Canary {
    /// `None` if the machine has not that address.
    pub(crate) async fn sit(address: IpAddr, port: u16) -> Option<Self> {
        let bound = match address {
            IpAddr::V6(v6) if v6.is_unicast_link_local() => SocketAddrV6::new(v6, port, 0, LOOPBACK_INTERFACE).into(),
            _ => SocketAddr::new(address, port),
        };
        let listener = TcpListener::bind(bound).await.ok()?;
        let (counter, came) = watch::channel(Vec::new());
        tokio::spawn(async move {
            while let Ok((_, peer)) = listener.accept().await {
                counter.send_modify(|came| came.push(peer.port()));
            }
        });
        Some(Self { address: bound, came, own: 0 })
    }

    /// How many came until now.
    pub(crate) async fn count(&mut self) -> usize {
        // They are accepted in their order: when this one is, all earlier ones are.
        let question = TcpStream::connect(self.address).await.unwrap().local_addr().unwrap().port();
        let came = self.came.wait_for(|came| came.contains(&question));
        let came = tokio::time::timeout(PATIENCE, came).await.expect("a canary is deaf").unwrap().len();
        self.own += 1;
        came - self.own
    }

    /// The URL of it.
    pub(crate) fn url(&self) -> String {
        let host = match self.address.ip() {
            IpAddr::V6(address) => format!("[{address}]"),
            IpAddr::V4(address) => address.to_string(),
        };
        match self.address.port() {
            80 => format!("http://{host}/"),
            443 => format!("https://{host}/"),
            port => format!("http://{host}:{port}/"),
        }
    }

    /// Whether a URL can lead there: a link-local address needs an interface, which a URL cannot name.
    pub(crate) fn can_be_called(&self) -> bool {
        !matches!(self.address.ip(), IpAddr::V6(address) if address.is_unicast_link_local())
    }
}

/// A receiver at that address, and how many requests came. It redirects from `/redirect`, and keeps no connection from `/once`.
pub(crate) async fn receive(address: IpAddr, to: &str) -> Arc<AtomicUsize> {
    let came = Arc::new(AtomicUsize::new(0));
    let (counter, to) = (came.clone(), to.to_owned());
    let count = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        std::future::ready("ok")
    };
    let redirect = move || std::future::ready(Redirect::temporary(&to));
    let close = || std::future::ready([("connection", "close")]);
    let router = Router::new().route("/redirect", any(redirect)).route("/once", any(close)).fallback(any(count));
    let listener = TcpListener::bind((address, 80)).await.unwrap();
    tokio::spawn(async move { drop(axum::serve(listener, router).await) });
    came
}
