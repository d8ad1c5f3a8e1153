//! What a scripted receiver does.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
};
use tokio_rustls::server::TlsStream;

/// The pause between the bytes of a drip.
const DRIP: Duration = Duration::from_millis(5);

/// Holds answers back until it is opened.
#[derive(Debug, Clone)]
pub struct Gate(watch::Sender<bool>);

impl Gate {
    /// A closed gate.
    pub fn closed() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Opens it for good.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    pub(super) async fn passed(&self) {
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}

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
    /// These bytes when the gate opens, and the connection stays open.
    BytesAfter(Gate, Vec<u8>),
    /// These bytes, and then the second ones again and again, as fast as they are taken, until the other side gives up.
    BytesThenFlood(Vec<u8>, Vec<u8>),
    /// These bytes, and then the second ones again and again, slowly, until the other side gives up.
    BytesThenDrip(Vec<u8>, Vec<u8>),
    /// These bytes, and the connection is torn down without a goodbye.
    BytesThenReset(Vec<u8>),
}

impl Reaction {
    /// A well-formed answer of that status with a short body.
    pub fn status(status: u16) -> Self {
        Self::answer(status, "", b"ok")
    }

    /// A well-formed answer; every line of `headers` ends in CRLF.
    pub fn answer(status: u16, headers: &str, body: &[u8]) -> Self {
        Self::Bytes(answer_bytes(status, headers, body))
    }

    /// Plays it. `None` if the connection is over.
    pub(super) async fn play(self, stream: &mut impl Wire) -> Option<()> {
        match self {
            Self::Bytes(bytes) => stream.write_all(&bytes).await.ok(),
            Self::BytesAfter(gate, bytes) => {
                gate.passed().await;
                stream.write_all(&bytes).await.ok()
            }
            Self::BytesThenClose(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                stream.shutdown().await.ok()?;
                until_the_other_side_ends(stream).await
            }
            Self::Hang => until_the_other_side_ends(stream).await,
            Self::BytesThenHang(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                until_the_other_side_ends(stream).await
            }
            Self::BytesThenFlood(bytes, more) => repeat(stream, &bytes, &more, Duration::ZERO).await,
            Self::BytesThenDrip(bytes, more) => repeat(stream, &bytes, &more, DRIP).await,
            Self::BytesThenReset(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                stream.socket().set_zero_linger().ok()?;
                None
            }
        }
    }
}

/// The bytes of a well-formed answer; every line of `headers` ends in CRLF.
pub fn answer_bytes(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} Status\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

async fn repeat(stream: &mut impl Wire, bytes: &[u8], more: &[u8], pause: Duration) -> Option<()> {
    stream.write_all(bytes).await.ok()?;
    loop {
        stream.write_all(more).await.ok()?;
        stream.flush().await.ok()?;
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
}

pub(super) async fn until_the_other_side_ends(stream: &mut impl Wire) -> Option<()> {
    while stream.read(&mut [0; 1024]).await.ok()? > 0 {}
    None
}

/// A connection, plain or encrypted.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {
    fn socket(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Wire for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}
