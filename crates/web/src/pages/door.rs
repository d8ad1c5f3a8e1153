//! Who may come in: what stands before every page.
//!
//! - A page is for members who are signed in, in a role that permits it, but for those few that lead there.
//! - A form is taken from our own pages alone: browsers say where it comes from, and it carries a token of its session.
//! - Nothing is stored between requests but the session; a visitor without one is led to sign-in, and from there back.

mod cookies;
mod form;
mod origin;
mod passwords;
mod visitor;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{Method, Uri},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use url::form_urlencoded;

pub(super) use cookies::{Theme, begin_session, end_session, keep_theme};
pub(super) use form::Form;
pub(super) use passwords::Passwords;
pub(super) use visitor::Visitor;

use super::failure::{self, Failure};
use crate::{app::App, request_line::Whose};

/// What a page asks of its visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// To be a member.
    Look,
    /// A role that may change things.
    Change,
    /// A role that may invite and remove members.
    Govern,
}

impl Need {
    fn is_met_by(self, visitor: &Visitor) -> bool {
        match self {
            Self::Look => true,
            Self::Change => visitor.member.role.may_change(),
            Self::Govern => visitor.member.role.may_govern(),
        }
    }
}

/// Lets a visitor through who is signed in, may, and sends what comes from our own pages.
pub(super) async fn admit(
    State((app, need)): State<(Arc<App>, Need)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let Some(visitor) = Visitor::of(&app, request.headers()).await? else {
        return Ok(to_sign_in(request.method(), request.uri()).into_response());
    };
    let whose = Whose(visitor.organization.id);
    let answered = answer(&app, need, &visitor, &mut request, next).await;
    let mut response = failure::within_shell(answered, &visitor);
    response.extensions_mut().insert(whose);
    Ok(response)
}

async fn answer(
    app: &Arc<App>,
    need: Need,
    visitor: &Visitor,
    request: &mut Request,
    next: Next,
) -> Result<Response, Failure> {
    if !need.is_met_by(visitor) {
        return Err(Failure::forbidden("Your role does not permit this. Ask an owner of the organization."));
    }
    let mut request = std::mem::take(request);
    if request.method() == Method::POST {
        origin::is_ours(request.headers(), &app.public_url)?;
        let form = Form::read(&mut request, form::LONGEST).await?;
        form.belongs_to(visitor)?;
        request.extensions_mut().insert(form);
    }
    request.extensions_mut().insert(visitor.clone());
    Ok(next.run(request).await)
}

/// Takes forms of pages that everybody may open.
pub(super) async fn greet(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Result<Response, Failure> {
    if request.method() == Method::POST {
        origin::is_ours(request.headers(), &app.public_url)?;
        let form = Form::read(&mut request, form::LONGEST_OF_ANYBODY).await?;
        request.extensions_mut().insert(form);
    }
    Ok(next.run(request).await)
}

/// Where to sign in, and to come back from there. What was typed into a form is lost with its session.
fn to_sign_in(method: &Method, uri: &Uri) -> Redirect {
    let back = if method == Method::GET { uri.path_and_query().map_or("/", |path| path.as_str()) } else { "/" };
    if back == "/" {
        return Redirect::to("/sign-in");
    }
    let next: String = form_urlencoded::Serializer::new(String::new()).append_pair("next", back).finish();
    Redirect::to(&format!("/sign-in?{next}"))
}

/// A path of ours to go on to; `/` for everything that could lead elsewhere.
pub(super) fn local_path(text: &str) -> &str {
    let is_path = text.starts_with('/') && !text.starts_with("//") && text.is_ascii();
    let is_plain = !text.contains('\\') && !text.bytes().any(|byte| byte.is_ascii_control());
    if is_path && is_plain { text } else { "/" }
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    #[test]
    fn nobody_is_led_elsewhere_after_signing_in() {
        for path in ["/", "/test/7c9e6679-7425-40de-944b-e07fc1f90ae7", "/deliveries?q=TR-00042&status=failed"] {
            assert_eq!(local_path(path), path);
        }
        for other in ["", "runs", "https://evil.example/", "//evil.example", "/\\evil.example", "/\nfoo", "/\u{e9}"] {
            assert_eq!(local_path(other), "/", "{other}");
        }
    }

    #[test]
    fn who_is_not_signed_in_comes_back_to_the_page_and_not_to_the_form() {
        let lead = |method, uri: &str| {
            let response = to_sign_in(&method, &uri.parse().unwrap()).into_response();
            response.headers()[header::LOCATION].to_str().unwrap().to_owned()
        };
        assert_eq!(lead(Method::GET, "/test/1?a=b"), "/sign-in?next=%2Ftest%2F1%3Fa%3Db");
        assert_eq!(lead(Method::GET, "/"), "/sign-in");
        assert_eq!(lead(Method::POST, "/webhooks/1/test"), "/sign-in");
    }
}
