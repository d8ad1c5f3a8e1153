//! HTTP/2 frame by frame, right or wrong.

use tokio::{io::AsyncReadExt, sync::mpsc};

use super::{
    PREFACE, Script, Seen,
    reaction::{Reaction, Wire},
};

/// Kinds of frames (RFC 9113, section 6).
pub mod kind {
    #![allow(missing_docs, reason = "the names are those of the standard")]
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PUSH_PROMISE: u8 = 5;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
}

/// The flag of the last frame of a stream.
pub const END_STREAM: u8 = 1;

/// The flag of the last frame of a head.
pub const END_HEADERS: u8 = 4;

/// A head that says 200 and nothing else (HPACK's static table).
pub const STATUS_200: &[u8] = &[0x88];

/// A frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The frame that every server begins with, with nothing set.
pub fn settings() -> Vec<u8> {
    frame(kind::SETTINGS, 0, 0, &[])
}

/// A header that is not indexed, with lengths below 127 each.
pub fn field(name: &str, value: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).ok().filter(|length| *length < 127).unwrap();
    [&[0, length(name.as_bytes())], name.as_bytes(), &[length(value)], value].concat()
}

/// Waits for each request on the one stream that it expects, and plays a reaction.
pub(super) async fn serve(
    mut stream: impl Wire,
    connection: usize,
    script: Script<Reaction>,
    seen: mpsc::UnboundedSender<Seen>,
) -> Option<()> {
    let mut preface = [0; PREFACE.len()];
    stream.read_exact(&mut preface).await.ok()?;
    loop {
        let body = until_the_request_ends(&mut stream).await?;
        let reaction = script.lock().await.pop_front().unwrap_or(Reaction::Hang);
        seen.send(Seen { head: String::new(), body: body.into(), connection }).ok()?;
        reaction.play(&mut stream).await?;
    }
}

async fn until_the_request_ends(stream: &mut impl Wire) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.ok()?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        stream.read_exact(&mut payload).await.ok()?;
        if head[3] == kind::DATA {
            body.extend(payload);
        }
        if matches!(head[3], kind::DATA | kind::HEADERS) && head[4] & END_STREAM != 0 {
            return Some(body);
        }
    }
}
