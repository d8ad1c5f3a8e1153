//! Somebody who is signed in.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use preclinical_core::{member::Member, organization::Organization, port::SignedIn, token::TokenHash};
use sha2::{Digest, Sha256};

use super::{Theme, cookies};
use crate::{app::App, error::ApiError, pages::failure::Failure};

/// Who looks at a page.
#[derive(Clone)]
pub(in crate::pages) struct Visitor {
    pub(in crate::pages) member: Member,
    pub(in crate::pages) organization: Organization,
    pub(in crate::pages) session: TokenHash,
    pub(in crate::pages) theme: Theme,
    /// What the forms of this session carry. Whoever knows it knows nothing of the session's token.
    pub(in crate::pages) csrf: String,
}

impl Visitor {
    /// The visitor whose session the browser presents, if it is in force.
    pub(super) async fn of(app: &App, headers: &HeaderMap) -> Result<Option<Self>, Failure> {
        let Some(token) = cookies::session_token(headers, &app.public_url) else { return Ok(None) };
        let session = TokenHash::of(token);
        let signed_in = app.store.signed_in(session, app.clock.now()).await?;
        Ok(signed_in.map(|SignedIn { member, organization, .. }| {
            let csrf = Sha256::new().chain_update("form\0").chain_update(token).finalize();
            Self { member, organization, session, theme: Theme::of(headers), csrf: URL_SAFE_NO_PAD.encode(csrf) }
        }))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get().cloned().ok_or_else(|| {
            tracing::error!("a page that everybody may open asks who looks at it");
            ApiError::internal().into()
        })
    }
}
