//! Room for large bodies: how much memory requests may take that are being read and worked on, over the whole server.
//!
//! A small body needs none of it, so that it never waits behind large ones. What counts is the announced length, or the limit
//! of the call where none is announced.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody},
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::body::SMALL;
use crate::{app, error::ApiError, limits::Limits};

/// What a permit stands for.
const KIB: usize = 1024;

pub(crate) struct Room {
    permits: Arc<Semaphore>,
    all: u32,
    wait: Duration,
}

impl Room {
    pub(crate) fn of(limits: &Limits) -> Self {
        let all = in_permits(limits.large_bodies).max(1);
        Self { permits: Arc::new(Semaphore::new(all as usize)), all, wait: limits.wait_for_room }
    }

    /// Takes room for that many bytes, those first that came first. What is larger than everything takes everything.
    async fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        let taken = Arc::clone(&self.permits).acquire_many_owned(in_permits(bytes).min(self.all));
        let taken = tokio::time::timeout(self.wait, taken).await;
        taken.ok().and_then(Result::ok).ok_or_else(|| ApiError::unavailable("too many large bodies are being worked on"))
    }
}

fn in_permits(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(KIB)).unwrap_or(u32::MAX)
}

async fn discard(mut body: Body) {
    while let Some(Ok(_)) = body.frame().await {}
}

/// Lets a call with a body of at most `longest` bytes through when there is room for it.
pub(crate) async fn admit(
    State((room, longest)): State<(Arc<Room>, usize)>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let announced = request.body().size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let length = announced.unwrap_or(longest);
    // One that is too long is refused without being read.
    if length <= SMALL || length > longest {
        return Ok(next.run(request).await);
    }
    let taken = match room.take(length).await {
        Ok(taken) => taken,
        Err(refused) => {
            // Whoever still sends when the connection is closed may not hear why.
            let _ = tokio::time::timeout(room.wait, discard(request.into_body())).await;
            return Err(refused);
        }
    };
    // What goes on when the caller hangs up still needs its room.
    app::to_its_end(async move {
        let response = next.run(request).await;
        drop(taken);
        response
    })
    .await
}
