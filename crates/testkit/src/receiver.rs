//! A receiver on 127.0.0.1 that answers byte for byte what it is told to, right or wrong.

pub mod frames;
mod http2;
mod reaction;

use std::{collections::VecDeque, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use rustls::ServerConfig;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    sync::{Mutex, mpsc, watch},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use self::reaction::{Wire, until_the_other_side_ends};
pub use self::{
    http2::StreamReaction,
    reaction::{Gate, Reaction, answer_bytes},
};

/// What a client of HTTP/2 says first (RFC 9113, section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// After how long a test that waits for something has failed: a hang becomes a message.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request as it came over the wire.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The request line and the headers.
    pub head: String,
    /// The body.
    pub body: Bytes,
    /// Which connection it came over, from 0.
    pub connection: usize,
}

impl Seen {
    /// The value of a header, named in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find_map(|(given, value)| given.eq_ignore_ascii_case(name).then_some(value))
    }

    /// The headers as they came.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.map(|(name, value)| (name, value.trim()))
    }
}

/// The receiver; it ends when it is dropped.
pub struct Receiver {
    /// Where it listens.
    pub address: SocketAddr,
    scheme: &'static str,
    accepted: watch::Sender<Vec<SocketAddr>>,
    seen: Mutex<mpsc::UnboundedReceiver<Seen>>,
    over: Mutex<mpsc::UnboundedReceiver<usize>>,
    task: tokio::task::JoinHandle<()>,
}

type Script<T> = Arc<Mutex<VecDeque<T>>>;

fn script<T>(reactions: impl IntoIterator<Item = T>) -> Script<T> {
    Arc::new(Mutex::new(reactions.into_iter().collect()))
}

impl Receiver {
    /// Plays the reactions in their order, then answers 200 to everything.
    pub async fn start(reactions: impl IntoIterator<Item = Reaction>) -> Self {
        let script = script(reactions);
        Self::listen("http", move |stream, connection, seen| {
            let script = script.clone();
            async move {
                let _ = serve(stream, connection, script, seen).await;
            }
        })
        .await
    }

    /// The same over TLS.
    pub async fn start_tls(config: Arc<ServerConfig>, reactions: impl IntoIterator<Item = Reaction>) -> Self {
        let script = script(reactions);
        Self::listen("https", move |stream, connection, seen| {
            let (script, acceptor) = (script.clone(), TlsAcceptor::from(config.clone()));
            async move {
                if let Some(stream) = handshake(&acceptor, stream).await {
                    let _ = serve(stream, connection, script, seen).await;
                }
            }
        })
        .await
    }

    /// Speaks HTTP/2 over TLS, whatever was negotiated; answers 200 when the script is through.
    pub async fn start_http2(config: Arc<ServerConfig>, reactions: impl IntoIterator<Item = StreamReaction>) -> Self {
        let script = script(reactions);
        Self::listen("https", move |stream, connection, seen| {
            let (script, acceptor) = (script.clone(), TlsAcceptor::from(config.clone()));
            async move {
                if let Some(stream) = handshake(&acceptor, stream).await {
                    http2::serve(stream, connection, script, seen).await;
                }
            }
        })
        .await
    }

    /// Plays the reactions over HTTP/2, to one request each; their bytes are [`frames`]. Hangs when the script is through.
    pub async fn start_frames(config: Arc<ServerConfig>, reactions: impl IntoIterator<Item = Reaction>) -> Self {
        let script = script(reactions);
        Self::listen("https", move |stream, connection, seen| {
            let (script, acceptor) = (script.clone(), TlsAcceptor::from(config.clone()));
            async move {
                if let Some(stream) = handshake(&acceptor, stream).await {
                    let _ = frames::serve(stream, connection, script, seen).await;
                }
            }
        })
        .await
    }

    async fn listen<F: Future<Output = ()> + Send + 'static>(
        scheme: &'static str,
        serve: impl Fn(TcpStream, usize, mpsc::UnboundedSender<Seen>) -> F + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, seen) = mpsc::unbounded_channel();
        let (ended, over) = mpsc::unbounded_channel();
        let accepted = watch::Sender::new(Vec::new());
        let addresses = accepted.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let Ok((stream, address)) = listener.accept().await else { return };
                let connection = addresses.borrow().len();
                addresses.send_modify(|addresses| addresses.push(address));
                let (serving, ended) = (serve(stream, connection, sender.clone()), ended.clone());
                connections.spawn(async move {
                    serving.await;
                    let _ = ended.send(connection);
                });
            }
        });
        Self { address, scheme, accepted, seen: Mutex::new(seen), over: Mutex::new(over), task }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("{}://{}/webhook", self.scheme, self.address)
    }

    /// The next request that comes, or came and was not taken yet.
    pub async fn next(&self) -> Seen {
        let next = tokio::time::timeout(PATIENCE, async { self.seen.lock().await.recv().await }).await;
        next.expect("no request came").unwrap()
    }

    /// The next connection that is over, by whoever's doing, or was and was not taken yet.
    pub async fn over(&self) -> usize {
        let next = tokio::time::timeout(PATIENCE, async { self.over.lock().await.recv().await }).await;
        next.expect("no connection ended").unwrap()
    }

    /// How many requests came that were not taken yet.
    pub async fn waiting(&self) -> usize {
        self.seen.lock().await.len()
    }

    /// How many connections came, whatever became of them. The question itself is one more.
    pub async fn connections(&self) -> usize {
        // They are accepted in their order: when this one is, all earlier ones are.
        let probe = TcpStream::connect(self.address).await.unwrap().local_addr().unwrap();
        let mut accepted = self.accepted.subscribe();
        let accepted = accepted.wait_for(|accepted| accepted.contains(&probe)).await.unwrap();
        accepted.iter().position(|address| *address == probe).unwrap()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn handshake(acceptor: &TlsAcceptor, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
    match acceptor.accept(stream).into_fallible().await {
        Ok(stream) => Some(stream),
        Err((_, mut stream)) => {
            // A reset would overtake the alert that tells why.
            until_the_other_side_ends(&mut stream).await;
            None
        }
    }
}

async fn serve(
    mut stream: impl Wire,
    connection: usize,
    script: Script<Reaction>,
    seen: mpsc::UnboundedSender<Seen>,
) -> Option<()> {
    loop {
        let (head, body) = read(&mut stream).await?;
        let reaction = script.lock().await.pop_front().unwrap_or_else(|| Reaction::status(200));
        seen.send(Seen { head, body, connection }).ok()?;
        reaction.play(&mut stream).await?;
    }
}

async fn read(stream: &mut impl Wire) -> Option<(String, Bytes)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length =
        head.to_ascii_lowercase().lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let length: usize = length.unwrap_or(0);
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some((head, bytes[end..].to_vec().into()))
}
