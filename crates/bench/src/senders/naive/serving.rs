//! The naive sender itself.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{Path as Segment, State},
    routing::post,
};
use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use http_body_util::Full;
use preclinical_core::{secret::SigningSecret, signature};
use rusqlite::{Connection, params};
use tokio::{net::TcpListener, task::JoinSet};

use super::{ID, SIGNATURE};
use crate::{
    client::{HttpClient, IDLE_PER_HOST},
    terminal,
};

/// Where events are posted to, with their ids behind it.
pub(super) const EVENTS: &str = "/events/";

/// How often it asks what is to be sent, and how much of it at once.
const POLL: Duration = Duration::from_millis(50);
const BATCH: usize = 100;

type Events = Arc<Mutex<Connection>>;

/// Serves until the task is dropped.
pub(crate) async fn serve(listener: TcpListener, to: String, file: &Path, secret: SigningSecret) -> anyhow::Result<()> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(
        "CREATE TABLE events (id TEXT PRIMARY KEY, body BLOB NOT NULL, sent INTEGER NOT NULL DEFAULT 0); \
         CREATE INDEX events_to_send ON events (id) WHERE sent = 0",
    )?;
    let events = Arc::new(Mutex::new(connection));
    let router = Router::new().route(&format!("{EVENTS}{{id}}"), post(accept)).with_state(Arc::clone(&events));
    tokio::spawn(async move {
        if let Err(error) = send_all(events, to.parse()?, secret).await {
            terminal::say_aside(format_args!("the naive sender has stopped: {error:#}"));
        }
        Ok::<_, anyhow::Error>(())
    });
    Ok(axum::serve(listener, router).await?)
}

async fn accept(State(events): State<Events>, Segment(id): Segment<String>, body: Bytes) -> StatusCode {
    let insert = move |connection: &Connection| {
        connection.execute("INSERT INTO events (id, body) VALUES (?1, ?2)", params![id, body.as_ref()])
    };
    in_database(&events, insert).await.map_or(StatusCode::SERVICE_UNAVAILABLE, |_| StatusCode::ACCEPTED)
}

async fn send_all(events: Events, to: Uri, secret: SigningSecret) -> anyhow::Result<()> {
    let client = HttpClient::new(IDLE_PER_HOST);
    let mut poll = tokio::time::interval(POLL);
    loop {
        let due = in_database(&events, due).await?;
        if due.is_empty() {
            poll.tick().await;
        }
        let mut sending = JoinSet::new();
        for (id, body) in due {
            let request = Request::post(&to).header(ID, &id).header(SIGNATURE, signature::preclinical(&secret, &body));
            let (client, request) = (client.clone(), request.body(Full::new(Bytes::from(body)))?);
            sending.spawn(async move { client.exchange(request).await.map(|_| id) });
        }
        while let Some(sent) = sending.join_next().await {
            let id = sent??;
            let note = move |connection: &Connection| connection.execute("UPDATE events SET sent = 1 WHERE id = ?1", [id]);
            in_database(&events, note).await?;
        }
    }
}

fn due(connection: &Connection) -> rusqlite::Result<Vec<(String, Vec<u8>)>> {
    let mut statement = connection.prepare_cached("SELECT id, body FROM events WHERE sent = 0 ORDER BY id LIMIT ?1")?;
    statement.query_map([BATCH], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

async fn in_database<T: Send + 'static>(
    events: &Events,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let events = Arc::clone(events);
    let work = move || work(&events.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(tokio::task::spawn_blocking(work).await??)
}
