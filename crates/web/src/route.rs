//! A call of the API as one value: its method, its path, what it asks of its caller's key, and who answers it.
//!
//! The router is made of these and of nothing else, so that no call can forget to say whom it serves.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    handler::Handler,
    http::Request,
    middleware,
    routing::{self, MethodRouter},
};
use preclinical_core::scope::Need;
use tower::ServiceBuilder;
use tower_http::timeout::RequestBodyDeadlineLayer;

use crate::{
    app::App,
    auth::{self, Gate},
    idempotency,
    input::{LARGE, SMALL, room},
    openapi::Description,
};

/// Who answers a call, and what it says about itself.
pub(crate) type Endpoint<H> = (H, fn() -> Description);

/// What a call is, without who answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its method; `GET` answers `HEAD`, too.
    pub method: &'static str,
    /// Its whole path, with `{id}` where an id stands.
    pub path: String,
    /// What it asks of its caller's key; nothing of the calls that everybody may make.
    pub need: Option<Need>,
}

/// A call and who answers it.
pub(crate) struct Route {
    pub(crate) call: Call,
    answering: MethodRouter<Arc<App>>,
    /// How long its body may be.
    pub(crate) longest: usize,
    describe: fn() -> Description,
    /// What tells it from another call of the same endpoint.
    pub(crate) suffix: &'static str,
}

macro_rules! of_version_1 {
    ($($method:literal $name:ident)*) => {$(
        /// A call under `/api/v1`, for keys whose scope permits it.
        pub(crate) fn $name<H: Handler<T, Arc<App>>, T: 'static>(path: &str, need: Need, endpoint: Endpoint<H>) -> Route {
            let (handler, describe) = endpoint;
            let call = Call { method: $method, path: format!("/api/v1{path}"), need: Some(need) };
            Route { call, answering: routing::$name(handler), longest: SMALL, describe, suffix: "" }
        }
    )*};
}

of_version_1! { "GET" get "POST" post "PUT" put "PATCH" patch "DELETE" delete }

/// A `GET` that everybody may make, without a key.
pub(crate) fn open<H: Handler<T, Arc<App>>, T: 'static>(path: &str, (handler, describe): Endpoint<H>) -> Route {
    let call = Call { method: "GET", path: path.to_owned(), need: None };
    Route { call, answering: routing::get(handler), longest: SMALL, describe, suffix: "" }
}

impl Route {
    /// The call brings scenario results, with their transcripts.
    pub(crate) fn with_results(self) -> Self {
        Self { longest: LARGE, ..self }
    }

    /// The call lies at the root, where the server that executes runs has it, too.
    pub(crate) fn at_root(mut self) -> Self {
        self.call.path = self.call.path.replacen("/api/v1", "", 1);
        self.also("_at_root")
    }

    /// The endpoint has another call, too.
    pub(crate) fn also(self, suffix: &'static str) -> Self {
        Self { suffix, ..self }
    }

    /// What the call says about itself.
    pub(crate) fn description(&self) -> Description {
        (self.describe)()
    }

    /// Adds the call to a router, behind its gate.
    pub(crate) fn add_to(self, router: Router<Arc<App>>, gate: &Gate) -> Router<Arc<App>> {
        let answering = match self.call.need {
            Some(need) => {
                let admit = middleware::from_fn_with_state((gate.clone(), need), auth::admit);
                let enter = middleware::from_fn_with_state((gate.room(), self.longest), room::admit);
                let once = middleware::from_fn_with_state((gate.app(), self.longest), idempotency::once);
                let layers = ServiceBuilder::new()
                    .layer(admit)
                    .option_layer((self.longest > SMALL).then_some(enter))
                    // A body's time begins when there is room for it.
                    .layer(RequestBodyDeadlineLayer::new(gate.app().limits.body))
                    .map_request(|request: Request<_>| request.map(Body::new))
                    .option_layer((self.call.method == "POST").then_some(once));
                self.answering.route_layer(layers)
            }
            None => self.answering,
        };
        router.route(&self.call.path, answering)
    }
}
