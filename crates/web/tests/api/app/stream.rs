//! A stream of events, read one by one.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, Response},
};
use http_body_util::BodyExt;
use serde_json::Value;

use super::Client;

/// After how long a test that waits for an event has failed: a hang becomes a message.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open stream.
pub(crate) struct Stream {
    body: Body,
    pending: String,
    /// The id that a client would come back with.
    pub(crate) last_id: String,
}

/// What a client gets to see of an event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: String,
    /// `message` if it has none.
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Client {
    /// Opens a stream, anew or after the event of that id.
    pub(crate) async fn listen(&self, path: &str, last_id: &str) -> Stream {
        let request = Request::get(format!("/api/v1{path}")).header("accept-encoding", "gzip, br");
        let request = if last_id.is_empty() { request } else { request.header("last-event-id", last_id) };
        let response = self.open(request.body(Body::empty()).unwrap()).await;
        Stream::of(response)
    }
}

impl Stream {
    /// The stream that an answer is, whatever lies around it.
    pub(crate) fn of(response: Response<Body>) -> Self {
        assert_eq!(response.status(), 200);
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("content-type"), Some("text/event-stream"));
        assert_eq!(header("cache-control"), Some("no-store"));
        assert_eq!((header("content-encoding"), header("content-length")), (None, None));
        assert_eq!(header("x-accel-buffering"), Some("no"));
        Self { body: response.into_body(), pending: String::new(), last_id: String::new() }
    }

    /// The next block of lines, without the empty line behind it; `None` at the end.
    pub(crate) async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.pending.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.pending = rest;
                if let Some(id) = field(&block, "id") {
                    self.last_id = id;
                }
                return Some(block);
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("an event that was to come");
            let Some(frame) = frame else {
                assert_eq!(self.pending, "", "an event is cut off");
                return None;
            };
            self.pending.push_str(std::str::from_utf8(frame.unwrap().data_ref().unwrap()).unwrap());
        }
    }

    /// The next event, past whatever a client does not get to see; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            let block = self.block().await?;
            if let Some(data) = field(&block, "data") {
                let name = field(&block, "event").unwrap_or_else(|| "message".to_owned());
                let id = field(&block, "id").expect("every event has an id");
                return Some(Event { id, name, data: serde_json::from_str(&data).unwrap() });
            }
        }
    }

    /// All events that are left.
    pub(crate) async fn rest(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

fn field(block: &str, name: &str) -> Option<String> {
    let prefix = format!("{name}: ");
    let mut values = block.lines().filter_map(|line| line.strip_prefix(&prefix));
    let value = values.next().map(str::to_owned);
    assert_eq!(values.next(), None, "{name} twice in {block}");
    value
}
