//! A receiver on 127.0.0.1 that answers byte for byte what it is told to, right or wrong.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Mutex, mpsc},
};

/// What happens to one request.
#[derive(Debug, Clone)]
pub enum Reaction {
    /// These bytes, and the connection stays open.
    Bytes(Vec<u8>),
    /// These bytes, and the connection is closed.
    BytesThenClose(Vec<u8>),
    /// Nothing, until the other side gives up.
    Hang,
    /// These bytes, and then nothing until the other side gives up.
    BytesThenHang(Vec<u8>),
}

impl Reaction {
    /// A well-formed answer of that status with a short body.
    pub fn status(status: u16) -> Self {
        Self::answer(status, "", b"ok")
    }

    /// A well-formed answer; every line of `headers` ends in CRLF.
    pub fn answer(status: u16, headers: &str, body: &[u8]) -> Self {
        let head = format!("HTTP/1.1 {status} Status\r\n{headers}content-length: {}\r\n\r\n", body.len());
        Self::Bytes([head.as_bytes(), body].concat())
    }
}

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
        self.head.lines().skip(1).find_map(|line| {
            let (given, value) = line.split_once(':')?;
            given.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// The receiver; it ends when it is dropped.
pub struct Receiver {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Mutex<mpsc::UnboundedReceiver<Seen>>,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    /// Plays the reactions in their order, then answers 200 to everything.
    pub async fn start(reactions: impl IntoIterator<Item = Reaction>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let reactions = Arc::new(Mutex::new(reactions.into_iter().collect::<VecDeque<_>>()));
        let (sender, seen) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                connections.spawn(serve(stream, connection, reactions.clone(), sender.clone()));
            }
        });
        Self { address, seen: Mutex::new(seen), task }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}/webhook", self.address)
    }

    /// The next request that comes, or came and was not taken yet.
    pub async fn next(&self) -> Seen {
        self.seen.lock().await.recv().await.unwrap()
    }

    /// How many requests came that were not taken yet.
    pub async fn waiting(&self) -> usize {
        self.seen.lock().await.len()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    connection: usize,
    reactions: Arc<Mutex<VecDeque<Reaction>>>,
    seen: mpsc::UnboundedSender<Seen>,
) -> Option<()> {
    loop {
        let (head, body) = read(&mut stream).await?;
        let reaction = reactions.lock().await.pop_front().unwrap_or_else(|| Reaction::status(200));
        seen.send(Seen { head, body, connection }).ok()?;
        match reaction {
            Reaction::Bytes(bytes) => stream.write_all(&bytes).await.ok()?,
            Reaction::BytesThenClose(bytes) => return stream.write_all(&bytes).await.ok(),
            Reaction::Hang => return wait_for_the_end(&mut stream).await,
            Reaction::BytesThenHang(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                return wait_for_the_end(&mut stream).await;
            }
        }
    }
}

async fn wait_for_the_end(stream: &mut TcpStream) -> Option<()> {
    while stream.read(&mut [0; 1024]).await.ok()? > 0 {}
    Some(())
}

async fn read(stream: &mut TcpStream) -> Option<(String, Bytes)> {
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
