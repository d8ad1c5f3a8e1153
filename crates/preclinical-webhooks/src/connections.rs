//! Connections to the API: accepted, served, and ended without cutting off a request.
//!
//! A client that takes long to say what it wants does not keep its connection: the head of a request, the first one too, has a
//! limit, and so has the time between two requests. What lies below HTTP is not answered in JSON: a head that is no HTTP, too
//! large or too slow ends the connection, with a status if there is one.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::Request, serve::Listener};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};

/// How long the head of a request may take.
const LONGEST_HEAD: Duration = Duration::from_secs(30);

/// Serves until `stopped` resolves, then takes no new connections, and returns when every request under way is answered.
pub(crate) async fn serve(listener: TcpListener, router: Router, stopped: impl Future<Output = ()>) {
    serve_within(LONGEST_HEAD, listener, router, stopped).await;
}

async fn serve_within(longest_head: Duration, mut listener: TcpListener, router: Router, stopped: impl Future<Output = ()>) {
    let open = GracefulShutdown::new();
    let mut stopped = std::pin::pin!(stopped);
    loop {
        // axum's own way to accept, which outlives a lack of file descriptors.
        let (stream, _) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = &mut stopped => break,
        };
        tokio::spawn(serve_one(longest_head, stream, router.clone(), open.watcher()));
    }
    drop(listener);
    open.shutdown().await;
}

async fn serve_one(longest_head: Duration, stream: TcpStream, router: Router, watcher: Watcher) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(longest_head);
    builder.http2().timer(TokioTimer::new());
    let was_asked = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&was_asked);
    let noting = tower::ServiceBuilder::new()
        .map_request(move |request: Request<_>| {
            asked.store(true, Ordering::Relaxed);
            request
        })
        .service(router);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(noting)).into_owned();
    let mut served = std::pin::pin!(watcher.watch(connection));
    // Before its first bytes tell which version of HTTP a connection speaks, no other limit counts.
    let silence = tokio::time::sleep(longest_head);
    tokio::select! {
        ended = &mut served => return log(ended),
        () = silence => if !was_asked.load(Ordering::Relaxed) { return },
    }
    log(served.await);
}

/// Clients that break off are no concern of ours.
fn log(ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = ended {
        tracing::debug!(error = &*error, "a connection ended in the middle");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        sync::{mpsc, oneshot},
    };

    use super::*;

    struct Served {
        address: std::net::SocketAddr,
        stop: oneshot::Sender<()>,
        done: tokio::task::JoinHandle<()>,
    }

    async fn start(longest_head: Duration, router: Router) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async move { drop(stopped.await) };
        let done = tokio::spawn(serve_within(longest_head, listener, router, stopped));
        Served { address, stop, done }
    }

    /// What comes after these bytes, until the server ends the connection.
    async fn answer_to(served: &Served, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        // The end may come as a reset.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn a_client_that_does_not_say_what_it_wants_loses_its_connection() {
        let router = Router::new().route("/", get(async || "here"));
        let served = start(Duration::from_millis(50), router).await;
        for slow in ["", "G", "GET / HTTP/1.1\r\nHost: a\r\n", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
            let answer = answer_to(&served, slow.as_bytes()).await;
            assert!(!answer.contains("here"), "{slow:?}: {answer:?}");
        }
        let answer = answer_to(&served, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("here"), "{answer:?}");
    }

    #[tokio::test]
    async fn a_request_under_way_is_answered_before_the_end_and_no_other_is_taken() {
        let (entered, mut inside) = mpsc::channel(1);
        let (leave, gate) = oneshot::channel::<()>();
        let gate = Arc::new(tokio::sync::Mutex::new(Some(gate)));
        let router = Router::new().route(
            "/",
            get(async move || {
                entered.send(()).await.unwrap();
                gate.lock().await.take().unwrap().await.unwrap();
                "late"
            }),
        );
        let served = start(LONGEST_HEAD, router).await;
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        inside.recv().await.unwrap();
        served.stop.send(()).unwrap();
        while TcpStream::connect(served.address).await.is_ok() {}
        assert!(!served.done.is_finished());
        leave.send(()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("late"), "{answer:?}");
        served.done.await.unwrap();
    }
}
