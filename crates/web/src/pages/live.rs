//! What keeps pages live: the streams of the API, for whoever is signed in.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};

use super::{door::Visitor, failure::Failure};
use crate::{
    app::App,
    input::Query,
    live::{Listener, following},
};

/// `GET /live/deliveries`
pub(super) async fn deliveries(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Failure> {
    Ok(following::deliveries(app, listener(&visitor), &headers, query).await?)
}

/// `GET /live/run?run_id=`
pub(super) async fn run(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Failure> {
    Ok(following::run(app, listener(&visitor), &headers, query).await?)
}

fn listener(visitor: &Visitor) -> Listener {
    Listener::Person { organization: visitor.organization.id, member: visitor.member.id, session: visitor.session }
}
