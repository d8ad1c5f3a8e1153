//! The REST API under `/api/v1`: parses what comes in to values of `core`, asks the store, and answers.
//!
//! - One file per endpoint, in [`api`], with what it says about itself; `openapi` makes the description of the API of it. What a resource looks like on the wire is in `wire`, how requests are read in `input`.
//! - Every error is JSON with a code, a sentence, and the name of the field that caused it. Nothing is stored before all of a
//!   request is understood.
//! - A 2xx is sent after the commit, and work that was accepted goes on when the client hangs up.
//!
//! Left out on purpose: SQL, and HTTP requests of its own. A handler that wants something sent writes a delivery and hands it
//! to whoever implements `Handoff`.

mod api;
mod app;
mod auth;
mod error;
mod etag;
mod idempotency;
mod input;
mod limits;
mod live;
mod opaque;
mod openapi;
mod pages;
mod request_line;
mod route;
mod router;
mod validation;
mod wire;

pub use api::calls;
pub use app::App;
pub use limits::{Limits, NotARateLimit, RateLimit};
pub use live::{StreamLimits, Streams};
pub use pages::{Need, PageCall, page_calls};
pub use route::Call;
pub use router::router;
