//! Who calls: an API key, looked up by its hash.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use preclinical_core::{api_key::ApiKeyHash, id::OrganizationId};

use crate::{app::App, error::ApiError};

/// The caller of a request. As an extractor it comes first, so that nothing is read from a stranger.
pub(crate) struct Caller {
    pub(crate) organization: OrganizationId,
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        let presented = bearer(parts).ok_or_else(ApiError::unauthorized)?;
        let key = app.store.key(ApiKeyHash::of(presented)).await?;
        key.map(|key| Self { organization: key.organization_id }).ok_or_else(ApiError::unauthorized)
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let (scheme, key) = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}
