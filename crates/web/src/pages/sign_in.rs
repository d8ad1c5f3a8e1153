//! Signing in and out.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use preclinical_core::{
    member::{Email, Member},
    password::PasswordHash,
    session::Session,
    token::Token,
};

use super::{
    door::{self, Form, Passwords, Theme, Visitor},
    failure::Failure,
    parts::{self, Icon, Tone, field::TextField, time},
    shell,
};
use crate::{app::App, error::ApiError, input::Query};

/// `GET /sign-in`
pub(super) async fn show(theme: Theme, mut query: Query) -> Result<Response, Failure> {
    let next = query.parsed("next", "a path", |text| Some(text.to_owned()))?.unwrap_or_default();
    Ok(shell::alone(theme, "Sign in", &form("", door::local_path(&next), None)))
}

/// `POST /sign-in`. What is wrong, address or password, is not told, neither in words nor by the time it takes.
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    Extension(passwords): Extension<Arc<Passwords>>,
    theme: Theme,
    input: Form,
) -> Result<Response, Failure> {
    let (typed, next) = (input.text("email"), door::local_path(input.text("next")));
    let again = |why: &Markup| shell::alone(theme, "Sign in", &form(typed, next, Some(why)));
    let Ok(email) = typed.parse::<Email>() else { return Ok(again(&wrong())) };
    let now = app.clock.now();
    if let Err(pause) = passwords.begin(&email, now) {
        return Ok(again(&html! { "Too many wrong passwords. Try again in " (time::duration(whole_seconds(pause))) "." }));
    }
    let known = app.store.member_by_email(&email).await?;
    let (member, hash) = known.unzip();
    let right = passwords.check(hash.clone(), input.text("password").to_owned()).await?;
    if right {
        passwords.succeeded(&email);
    }
    let entered = match member.zip(hash) {
        Some((member, hash)) if right => enter(&app, &member, hash, next).await?,
        _ => None,
    };
    Ok(entered.unwrap_or_else(|| again(&wrong())))
}

fn whole_seconds(pause: jiff::SignedDuration) -> u64 {
    pause.as_secs().unsigned_abs().saturating_add(1) * 1000
}

/// Begins a session, under a token that no page before it had, and goes on. `None` if the password is another by now.
pub(super) async fn enter(
    app: &App,
    member: &Member,
    checked: PasswordHash,
    next: &str,
) -> Result<Option<Response>, ApiError> {
    let token = Token::generate(&*app.chance);
    let session = Session::new(token.hash(), member.id, app.clock.now());
    if !app.store.begin_session(session, Some(checked)).await? {
        return Ok(None);
    }
    let mut response = Redirect::to(next).into_response();
    door::begin_session(&mut response, &token, &app.public_url);
    Ok(Some(response))
}

/// `POST /sign-out`
pub(super) async fn leave(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Failure> {
    app.store.end_session(visitor.session).await?;
    Ok(outside(&app))
}

/// `POST /sign-out-everywhere`
pub(super) async fn leave_everywhere(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Failure> {
    app.store.end_sessions(visitor.member.id).await?;
    Ok(outside(&app))
}

fn outside(app: &App) -> Response {
    let mut response = Redirect::to("/sign-in").into_response();
    door::end_session(&mut response, &app.public_url);
    response
}

fn wrong() -> Markup {
    html! { "The address or the password is wrong." }
}

fn form(email: &str, next: &str, error: Option<&Markup>) -> Markup {
    html! {
        section.card {
            form.card-body method="post" action="/sign-in" {
                h1 { "Sign in" }
                @if let Some(error) = error { (parts::notice(Tone::Bad, error)) }
                input type="hidden" name="next" value=(next);
                (TextField { kind: "email", value: email, autocomplete: "username", required: true, longest: 254,
                    ..TextField::new("email", "E-mail") })
                (TextField { kind: "password", autocomplete: "current-password", required: true, longest: 256,
                    ..TextField::new("password", "Password") })
                button.button.primary { "Sign in" }
            }
        }
        details.more.small.muted {
            summary { "No account, or no password any more?" }
            p {
                "An owner of the organization can send you a link. On the server's machine, "
                code { "preclinical-webhooks members reset-password EMAIL" } " makes one, too. "
                (Icon::Key.sized(14))
            }
        }
    }
}
