//! A connection that notes when the first byte of a request came in.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::system;

/// When the request that is being read began, in microseconds since 1970; 0 between requests.
#[derive(Clone, Default)]
pub(super) struct Arrival(Arc<AtomicI64>);

impl Arrival {
    /// The beginning of this request. The next byte begins another.
    pub(super) fn take(&self) -> Option<i64> {
        Some(self.0.swap(0, Ordering::Relaxed)).filter(|at| *at != 0)
    }

    fn note(&self) {
        if self.0.load(Ordering::Relaxed) == 0 {
            self.0.store(system::now_us(), Ordering::Relaxed);
        }
    }
}

/// The connection.
pub(super) struct Stamped {
    stream: TcpStream,
    arrival: Arrival,
}

impl Stamped {
    pub(super) fn new(stream: TcpStream, arrival: Arrival) -> Self {
        Self { stream, arrival }
    }
}

impl AsyncRead for Stamped {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.arrival.note();
        }
        outcome
    }
}

impl AsyncWrite for Stamped {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
