//! The paths of the API.

pub(crate) mod agents;
pub(crate) mod api_keys;
pub(crate) mod deliveries;
mod live;
pub(crate) mod redeliveries;
pub(crate) mod runs;
mod server;
mod test_suites;
pub(crate) mod webhooks;

use std::sync::Arc;

use axum::Router;
use preclinical_core::scope::Need::{FollowRuns, Read, Report, Write};

use crate::{
    app::App,
    auth::Gate,
    route::{Call, Route, delete, get, open, patch, post, put},
};

pub(crate) use runs::cancel::cancel_run;

/// A handler, and the description that stands beside it: no route goes without.
macro_rules! endpoint {
    ($group:ident::$name:ident) => {
        ($group::$name, $group::$name::describe)
    };
}

/// Every call there is, and whom it serves. A path's methods stand together, in the order in which `Allow` names them.
fn routes() -> Vec<Route> {
    vec![
        open("/health", endpoint!(server::health)),
        open("/api/openapi.json", endpoint!(server::openapi)),
        open("/api/docs", endpoint!(server::docs)),
        get("/agents", FollowRuns, endpoint!(agents::list)),
        post("/agents", Write, endpoint!(agents::create)),
        get("/agents/{id}", FollowRuns, endpoint!(agents::get)),
        put("/agents/{id}", Write, endpoint!(agents::update)),
        patch("/agents/{id}", Write, endpoint!(agents::update)).also("_by_patch"),
        delete("/agents/{id}", Write, endpoint!(agents::delete)),
        post("/agents/{id}/validate", Write, endpoint!(agents::validate)),
        get("/agents/{id}/effective-webhook", Read, endpoint!(agents::effective_webhook)),
        get("/api-keys", Write, endpoint!(api_keys::list)),
        post("/api-keys", Write, endpoint!(api_keys::create)),
        delete("/api-keys/{id}", Write, endpoint!(api_keys::revoke)),
        get("/test-suites", Read, endpoint!(test_suites::list)),
        post("/test-suites", Write, endpoint!(test_suites::create)),
        get("/webhooks", Read, endpoint!(webhooks::list)),
        post("/webhooks", Write, endpoint!(webhooks::create)),
        get("/webhooks/{id}", Read, endpoint!(webhooks::get)),
        put("/webhooks/{id}", Write, endpoint!(webhooks::update)),
        delete("/webhooks/{id}", Write, endpoint!(webhooks::delete)),
        post("/webhooks/{id}/test", Write, endpoint!(webhooks::test)),
        post("/webhooks/{id}/rotate-secret", Write, endpoint!(webhooks::rotate_secret)),
        post("/webhooks/{id}/replay", Write, endpoint!(webhooks::replay)),
        get("/webhooks/{id}/deliveries", Read, endpoint!(deliveries::list_of_webhook)),
        get("/webhooks/deliveries", Read, endpoint!(deliveries::list)),
        get("/webhooks/deliveries/{id}", Read, endpoint!(deliveries::get)),
        post("/webhooks/deliveries/{id}/redeliver", Write, endpoint!(deliveries::redeliver)),
        post("/webhooks/deliveries/{id}/cancel", Write, endpoint!(deliveries::cancel)),
        get("/webhooks/redeliveries", Read, endpoint!(redeliveries::list)),
        post("/webhooks/redeliveries", Write, endpoint!(redeliveries::create)),
        get("/webhooks/redeliveries/{id}", Read, endpoint!(redeliveries::get)),
        post("/webhooks/redeliveries/{id}/cancel", Write, endpoint!(redeliveries::cancel)),
        get("/runs", FollowRuns, endpoint!(runs::list)),
        post("/runs", Report, endpoint!(runs::create)),
        get("/runs/{id}", FollowRuns, endpoint!(runs::get)),
        get("/runs/{id}/decisions", Read, endpoint!(runs::decisions)),
        get("/runs/{id}/results", FollowRuns, endpoint!(runs::results)),
        post("/runs/{id}/results", Report, endpoint!(runs::report)).with_results(),
        post("/runs/{id}/complete", Report, endpoint!(runs::complete)),
        post("/runs/{id}/cancel", Report, endpoint!(runs::cancel)),
        // Streams: nothing around them may gather their bodies, compress them, or limit how long they last.
        get("/events", FollowRuns, endpoint!(live::events)),
        get("/stream", Read, endpoint!(live::stream)),
        get("/events", FollowRuns, endpoint!(live::events)).at_root(),
    ]
}

/// Every call that [`router`] answers.
pub fn calls() -> Vec<Call> {
    routes().into_iter().map(|route| route.call).collect()
}

/// The API as a service. What is around it is around the pages, too.
pub(crate) fn router(app: &Arc<App>) -> Router<Arc<App>> {
    let gate = Gate::of(Arc::clone(app));
    routes().into_iter().fold(Router::new(), |router, route| route.add_to(router, &gate))
}
