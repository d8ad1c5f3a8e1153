//! Streams of one HTTP/2 connection.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    net::TcpStream,
    sync::{Mutex, mpsc},
};
use tokio_rustls::server::TlsStream;

use super::Seen;

/// What happens to one stream.
#[derive(Debug, Clone)]
pub enum StreamReaction {
    /// An answer of that status with this body.
    Answer(u16, Vec<u8>),
    /// The stream is reset.
    Reset,
}

pub(super) async fn serve(
    stream: TlsStream<TcpStream>,
    connection: usize,
    reactions: Arc<Mutex<VecDeque<StreamReaction>>>,
    seen: mpsc::UnboundedSender<Seen>,
) {
    let service = service_fn(move |request| {
        let (reactions, seen) = (reactions.clone(), seen.clone());
        async move {
            let arrived = read(request, connection).await;
            let reaction = reactions.lock().await.pop_front().unwrap_or(StreamReaction::Answer(200, b"ok".to_vec()));
            let _ = seen.send(arrived);
            match reaction {
                StreamReaction::Answer(status, body) => {
                    let body: Full<Bytes> = Full::new(body.into());
                    Ok(Response::builder().status(status).body(body).unwrap())
                }
                StreamReaction::Reset => Err("the script says so"),
            }
        }
    });
    let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn read(request: Request<Incoming>, connection: usize) -> Seen {
    let (parts, body) = request.into_parts();
    let headers = parts.headers.iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()));
    let head = format!("{} {} {:?}\r\n{}\r\n", parts.method, parts.uri, parts.version, headers.collect::<String>());
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    Seen { head, body, connection }
}
