//! The receiver's answer, read to a limit.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response, header::RETRY_AFTER};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use preclinical_core::{
    attempt::{KEPT_RESPONSE_BYTES, Message, READ_RESPONSE_BYTES},
    request::Headers,
    retry_after::RetryAfter,
};

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its HTTP status.
    pub status: u16,
    /// Its `Retry-After`, if it could be read.
    pub retry_after: Option<RetryAfter>,
    /// Its headers and body, as the history keeps them.
    pub message: Message,
}

/// Reads the answer's body up to the limit. Dropping what is left closes the connection.
pub(crate) async fn read(response: Response<Incoming>) -> Result<Answer, hyper::Error> {
    let (head, mut body) = response.into_parts();
    let mut kept = BytesMut::new();
    let mut size = 0_usize;
    let mut ended = false;
    while size < READ_RESPONSE_BYTES {
        let Some(frame) = body.frame().await else {
            ended = true;
            break;
        };
        if let Ok(data) = frame?.into_data() {
            let room = KEPT_RESPONSE_BYTES.saturating_sub(kept.len());
            kept.extend_from_slice(&data[..room.min(data.len())]);
            size = size.saturating_add(data.len());
        }
    }
    // What was announced counts if the rest was not read.
    let announced = body.size_hint().exact().unwrap_or(0);
    let size_bytes = (size as u64).saturating_add(announced);
    Ok(Answer {
        status: head.status.as_u16(),
        retry_after: head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(RetryAfter::parse),
        message: Message {
            headers: readable(&head.headers).into(),
            truncated: size_bytes > kept.len() as u64 || !(ended || body.is_end_stream()),
            body: whole_characters(kept.freeze(), size > KEPT_RESPONSE_BYTES),
            size_bytes,
        },
    })
}

/// A text that was cut, without the character that the cut went through. Bytes that are no text are left as they are.
fn whole_characters(mut body: Bytes, is_cut: bool) -> Bytes {
    if let Err(error) = std::str::from_utf8(&body)
        && is_cut
        && error.error_len().is_none()
    {
        body.truncate(error.valid_up_to());
    }
    body
}

fn readable(headers: &HeaderMap) -> Headers {
    let text = |value: &http::HeaderValue| value.as_bytes().iter().copied().map(char::from).collect();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}
