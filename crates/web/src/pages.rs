//! The pages: what people see of the service. They read and write the same facts as the API, through the same port.
//!
//! - Rendered here, whole: without scripts everything works but what is live. The one script adds to that.
//! - Everything that comes from outside is text until the markup escapes it; nothing on a page is taken from another host, and no
//!   script runs but our own file.
//! - `door` stands before each page: who is signed in, in which role, and whether a form is ours.
//!
//! Left out on purpose: a second set of rules. What a form may hold is what the body of the same call of the API may hold.

mod address;
mod agents;
mod assets;
mod deliveries;
mod done;
mod door;
mod failure;
mod join;
mod live;
mod parts;
mod runs;
mod settings;
mod shell;
mod sign_in;
mod theme;
mod webhook;
mod wrong;

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::Request,
    handler::Handler,
    http::{HeaderMap, HeaderName, HeaderValue, Uri, header},
    middleware::{self, Next},
    response::{Redirect, Response},
    routing::{self, MethodRouter},
};
use tower_http::timeout::RequestBodyDeadlineLayer;

pub(crate) use self::assets::KEPT_FOR_EVER;
pub use self::door::Need;
use self::{
    door::{Passwords, Theme},
    failure::Failure,
};
use crate::app::App;

/// Nothing but our own files, no markup that styles or runs by itself, and no frame around us.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page or what one of its forms does, without who answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageCall {
    /// `GET` of a page, `POST` of a form.
    pub method: &'static str,
    /// Its whole path, with `{id}` where an id stands.
    pub path: &'static str,
    /// What it asks of its visitor; nothing of those that everybody may open.
    pub need: Option<Need>,
}

/// It, and who answers it.
struct Page {
    call: PageCall,
    answering: MethodRouter<Arc<App>>,
}

macro_rules! page {
    ($name:ident, $method:literal, $routing:ident) => {
        fn $name<H: Handler<T, Arc<App>>, T: 'static>(
            path: &'static str,
            need: impl Into<Option<Need>>,
            handler: H,
        ) -> Page {
            Page { call: PageCall { method: $method, path, need: need.into() }, answering: routing::$routing(handler) }
        }
    };
}
page!(get, "GET", get);
page!(post, "POST", post);

/// Every page and every form there is. Without a need it is for everybody.
fn pages() -> Vec<Page> {
    use Need::{Change, Govern, Look};
    vec![
        get("/", Look, async || Redirect::to("/runs")),
        get("/agents", Look, agents::list::show),
        get("/agents/new", Change, agents::create::show),
        post("/agents/new", Change, agents::create::submit),
        get("/agents/{id}", Look, agents::edit::lead),
        get("/agents/{id}/edit", Look, agents::edit::show),
        post("/agents/{id}/edit", Change, agents::edit::submit),
        post("/agents/{id}/validate", Change, agents::check::submit),
        get("/agents/{id}/delete", Change, agents::delete::ask),
        post("/agents/{id}/delete", Change, agents::delete::delete),
        get("/assets/{name}", None, assets::get),
        get("/settings", Look, settings::first),
        get("/settings/account", Look, settings::account::show),
        post("/settings/account/password", Look, settings::account::change_password),
        get("/settings/api-keys", Look, settings::api_keys::list),
        get("/settings/api-keys/new", Change, settings::api_keys::create::show),
        post("/settings/api-keys/new", Change, settings::api_keys::create::submit),
        get("/settings/api-keys/{id}/revoke", Change, settings::api_keys::revoke::ask),
        post("/settings/api-keys/{id}/revoke", Change, settings::api_keys::revoke::revoke),
        get("/settings/members", Look, settings::members::list),
        get("/settings/members/invite", Govern, settings::members::invite::show),
        post("/settings/members/invite", Govern, settings::members::invite::submit),
        post("/settings/members/invitations/{id}/withdraw", Govern, settings::members::invitations::withdraw),
        post("/settings/members/{id}/password-link", Govern, settings::members::password_link::make),
        get("/settings/members/{id}/remove", Govern, settings::members::remove::ask),
        post("/settings/members/{id}/remove", Govern, settings::members::remove::remove),
        post("/settings/members/{id}/role", Govern, settings::members::role::change),
        get("/settings/organization", Look, settings::organization::show),
        get("/sign-in", None, sign_in::show),
        post("/sign-in", None, sign_in::submit),
        post("/sign-out", Look, sign_in::leave),
        post("/sign-out-everywhere", Look, sign_in::leave_everywhere),
        get("/join/{token}", None, join::show),
        post("/join/{token}", None, join::accept),
        get("/runs", Look, runs::list),
        get("/test/{id}", Look, runs::show),
        post("/test/{id}/cancel", Change, runs::cancel),
        get("/deliveries", Look, deliveries::history),
        get("/deliveries/redeliver", Change, deliveries::offer),
        post("/deliveries/redeliver", Change, deliveries::start),
        get("/deliveries/redeliveries", Look, deliveries::jobs),
        get("/deliveries/redeliveries/{id}", Look, deliveries::job),
        post("/deliveries/redeliveries/{id}/cancel", Change, deliveries::cancel_bulk),
        get("/deliveries/{id}", Look, deliveries::show),
        post("/deliveries/{id}/redeliver", Change, deliveries::redeliver),
        post("/deliveries/{id}/cancel", Change, deliveries::cancel),
        post("/deliveries/{id}/check-signature", Look, deliveries::check_signature),
        get("/settings/webhooks", Look, settings::webhooks::show),
        get("/webhooks", Look, settings::first),
        post("/webhooks/save", Change, webhook::save),
        post("/webhooks/check-url", Change, webhook::check_url),
        post("/webhooks/{id}/test", Change, webhook::send_test),
        post("/webhooks/{id}/enable", Change, webhook::enable),
        post("/webhooks/{id}/disable", Change, webhook::disable),
        post("/webhooks/{id}/replay", Change, webhook::replay),
        post("/webhooks/{id}/reveal", Change, webhook::reveal),
        post("/webhooks/{id}/rotate", Change, webhook::rotate),
        get("/webhooks/{id}/delete", Change, webhook::ask_to_delete),
        post("/webhooks/{id}/delete", Change, webhook::delete),
        get("/live/deliveries", Look, live::deliveries),
        get("/live/run", Look, live::run),
        post("/theme", Look, theme::choose),
    ]
}

/// Every page and form that [`router`] answers.
pub fn page_calls() -> Vec<PageCall> {
    pages().into_iter().map(|page| page.call).collect()
}

/// The pages as a service.
pub(crate) fn router(app: &Arc<App>) -> Router<Arc<App>> {
    let forms_alone = forms_alone();
    let router = pages().into_iter().fold(Router::new(), |router, page| router.route(page.call.path, page.guarded(app)));
    forms_alone
        .into_iter()
        .fold(router, |router, (path, above)| router.route(path, routing::get(async move |uri: Uri| leave(&uri, above))))
        .layer(Extension(Arc::new(Passwords::default())))
        .layer(RequestBodyDeadlineLayer::new(app.limits.body))
        .layer(middleware::from_fn(with_protective_headers))
}

/// The paths that take forms and are no pages, and the nearest page above each. A browser asks for one if what a form answered is
/// loaded again or gone back to.
fn forms_alone() -> Vec<(&'static str, &'static str)> {
    let (opened, sent): (Vec<PageCall>, Vec<PageCall>) = page_calls().into_iter().partition(|call| call.method == "GET");
    let is_page = |path: &str| opened.iter().any(|call| call.path == path);
    let above = |path: &'static str| path.rmatch_indices('/').map(|(end, _)| &path[..end]).find(|path| is_page(path));
    let alone = sent.into_iter().filter(|call| !is_page(call.path));
    alone.map(|call| (call.path, above(call.path).unwrap_or("/"))).collect()
}

/// Leads to the page above, of the same thing.
fn leave(uri: &Uri, above: &'static str) -> Redirect {
    // The page above all others has one segment, which is empty.
    let segments = above.trim_end_matches('/').split('/').count();
    let path = uri.path().split('/').take(segments).collect::<Vec<_>>().join("/");
    Redirect::to(if path.is_empty() { "/" } else { &path })
}

impl Page {
    fn guarded(self, app: &Arc<App>) -> MethodRouter<Arc<App>> {
        match self.call.need {
            Some(need) => self.answering.route_layer(middleware::from_fn_with_state((Arc::clone(app), need), door::admit)),
            None => self.answering.route_layer(middleware::from_fn_with_state(Arc::clone(app), door::greet)),
        }
    }
}

/// What a browser is shown for a path that leads nowhere.
pub(crate) fn nowhere(headers: &HeaderMap) -> Response {
    let mut response = Failure::not_found("page").shown_alone(Theme::of(headers));
    protect(response.headers_mut());
    response
}

async fn with_protective_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    protect(response.headers_mut());
    response
}

fn protect(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
