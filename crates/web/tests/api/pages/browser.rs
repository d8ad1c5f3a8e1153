//! A browser without scripts.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use http_body_util::BodyExt;
use preclinical_core::{
    member::{Member, Role},
    port::Page,
    session::Session,
    token::Token,
};
use preclinical_testkit::world::World;
use tower::ServiceExt;
use url::form_urlencoded;

/// A browser and the one cookie that it holds.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) router: Router,
    pub(crate) session: Option<String>,
    pub(crate) csrf: String,
}

/// What a browser shows.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

impl Browser {
    /// One of somebody who is not signed in.
    pub(crate) fn new(router: Router) -> Self {
        Self { router, session: None, csrf: String::new() }
    }

    /// One of a new member of that role, who is signed in.
    pub(crate) async fn of(router: Router, world: &World, role: Role) -> Self {
        let count = world.store.members(world.organization, Page { limit: 1, offset: 0 }).await.unwrap().1;
        let member = world.member(&format!("{}-{count}@example.com", role.as_str()), role).await;
        Self::signed_in(router, world, &member).await
    }

    /// One of that member, who is signed in.
    pub(crate) async fn signed_in(router: Router, world: &World, member: &Member) -> Self {
        let token = Token::generate(&*world.chance);
        assert!(world.store.begin_session(Session::new(token.hash(), member.id, world.now()), None).await.unwrap());
        let mut browser = Self { router, session: Some(token.expose().to_owned()), csrf: String::new() };
        let page = browser.get("/settings/webhooks").await;
        page.field("csrf").clone_into(&mut browser.csrf);
        browser
    }

    pub(crate) async fn get(&self, path: &str) -> Shown {
        self.send(self.request("GET", path).body(Body::empty()).unwrap()).await
    }

    /// Sends a form as the pages make it.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let form =
            form_urlencoded::Serializer::new(String::new()).append_pair("csrf", &self.csrf).extend_pairs(fields).finish();
        let request = self.request("POST", path).header("sec-fetch-site", "same-origin");
        self.send(request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.into()).unwrap()).await
    }

    /// The start of a request with what a browser always sends.
    pub(crate) fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(path).header(header::ACCEPT, "text/html");
        match &self.session {
            Some(token) => request.header(header::COOKIE, format!("other=1; __Host-session={token}")),
            None => request,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Shown {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        // A stream has no end to wait for.
        let is_stream = parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let body = if is_stream { Body::empty() } else { body };
        let html = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Shown { status: parts.status, headers: parts.headers, html }
    }
}

impl Shown {
    /// Where a redirect leads.
    #[track_caller]
    pub(crate) fn leads_to(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.html);
        self.headers[header::LOCATION].to_str().unwrap()
    }

    /// The value of the first input of that name.
    #[track_caller]
    pub(crate) fn field(&self, name: &str) -> &str {
        let rest = self.html.split_once(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no {name}: {}", self.html)).1;
        rest.split_once("value=\"").unwrap().1.split_once('"').unwrap().0
    }

    /// Checks that the page is there, and says something.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.html.contains(text), "{text:?} is missing in {}", self.html);
        self
    }

    #[track_caller]
    pub(crate) fn does_not_say(&self, text: &str) -> &Self {
        assert!(!self.html.contains(text), "{text:?} is in {}", self.html);
        self
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.html);
        self
    }

    /// The session that it gives, if it gives one.
    pub(crate) fn session(&self) -> Option<&str> {
        let cookies = self.headers.get_all(header::SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
        let mut sessions = cookies.filter_map(|cookie| cookie.strip_prefix("__Host-session=")?.split(';').next());
        sessions.next().filter(|token| !token.is_empty())
    }
}
