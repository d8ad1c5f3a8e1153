//! Who calls: an API key, asked for by its hash on every call, so that a revocation holds from the next one on.

mod buckets;
mod key_uses;

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use preclinical_core::{
    api_key::ApiKeyHash,
    id::{ApiKeyId, OrganizationId},
    scope::Need,
};

use self::{buckets::Buckets, key_uses::KeyUses};
use crate::{app::App, error::ApiError, input::room::Room, request_line::Whose};

/// The caller of a request that was admitted.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) organization: OrganizationId,
    /// Its key, and what to look for to see whether that is still in force.
    pub(crate) key: ApiKeyId,
    pub(crate) hash: ApiKeyHash,
}

impl Caller {
    /// Whether its key is in force yet, for calls that last. If that cannot be known, it is not.
    pub(crate) async fn is_still_admitted(&self, app: &App) -> bool {
        let key = app.store.key(self.hash, app.clock.now()).await;
        key.is_ok_and(|key| key.is_some_and(|key| key.id == self.key))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get().cloned().ok_or_else(|| {
            tracing::error!("a call that everybody may make asks who calls");
            ApiError::internal()
        })
    }
}

/// What stands before every call that needs a key.
#[derive(Clone)]
pub(crate) struct Gate {
    app: Arc<App>,
    uses: Arc<KeyUses>,
    buckets: Arc<Buckets>,
    room: Arc<Room>,
}

impl Gate {
    pub(crate) fn app(&self) -> Arc<App> {
        Arc::clone(&self.app)
    }

    /// The room that large bodies share.
    pub(crate) fn room(&self) -> Arc<Room> {
        Arc::clone(&self.room)
    }

    pub(crate) fn of(app: Arc<App>) -> Self {
        let buckets = Arc::new(Buckets::of(app.limits.rate));
        let room = Arc::new(Room::of(&app.limits));
        Self { app, uses: Arc::default(), buckets, room }
    }
}

/// Lets a call through whose key is in force, permits it and has calls left. Nothing is read from anybody else.
pub(crate) async fn admit(
    State((gate, need)): State<(Gate, Need)>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let presented = bearer(request.headers()).ok_or_else(ApiError::unauthorized)?;
    let now = gate.app.clock.now();
    let key = gate.app.store.key(ApiKeyHash::of(presented), now).await?.ok_or_else(ApiError::unauthorized)?;
    gate.uses.note(&gate.app.store, key.id, now);
    let caller = Caller { organization: key.organization_id, key: key.id, hash: key.hash };
    let whose = Whose(caller.organization);
    let standing = gate.buckets.take(key.id, now);
    let mut response = if standing.is_some_and(|standing| standing.exceeded) {
        ApiError::too_many_calls().into_response()
    } else if key.scope.permits(need) {
        request.extensions_mut().insert(caller);
        next.run(request).await
    } else {
        ApiError::forbidden(key.scope, need).into_response()
    };
    if let Some(standing) = standing {
        standing.write(response.headers_mut());
    }
    response.extensions_mut().insert(whose);
    Ok(response)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}
