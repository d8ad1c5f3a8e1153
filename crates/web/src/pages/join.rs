//! Accepting an invitation: the first owner sets up, others join, and who forgot a password gets a new one.

use std::sync::Arc;

use axum::{Extension, extract::State, response::Response};
use maud::{Markup, html};
use preclinical_core::{
    id::MemberId,
    invitation::{Invitation, Purpose},
    member::{Email, Member, Role},
    password::{MIN_CHARACTERS, NotAPassword, Password},
    port::{AcceptError, Acceptance},
    token::TokenHash,
};

use super::{
    door::{Form, Passwords, Theme},
    failure::{Failure, sentence},
    parts::{self, Tone, field::TextField},
    shell, sign_in,
};
use crate::{app::App, error::ApiError, input::Id};

/// `GET /join/{token}`
pub(super) async fn show(State(app): State<Arc<App>>, token: Id, theme: Theme) -> Result<Response, Failure> {
    let Some(invitation) = app.store.invitation(TokenHash::of(token.text()), app.clock.now()).await? else {
        return Err(used());
    };
    Ok(shell::alone(theme, title(&invitation), &form(&invitation, "", &Wrong::default())))
}

/// `POST /join/{token}`: the member is there, the invitation gone, and the browser signed in.
pub(super) async fn accept(
    State(app): State<Arc<App>>,
    Extension(passwords): Extension<Arc<Passwords>>,
    token: Id,
    theme: Theme,
    input: Form,
) -> Result<Response, Failure> {
    let hash = TokenHash::of(token.text());
    let Some(invitation) = app.store.invitation(hash, app.clock.now()).await? else { return Err(used()) };
    let again = |wrong| Ok(shell::alone(theme, title(&invitation), &form(&invitation, input.text("email"), &wrong)));
    let (email, password) = match (email(&invitation, &input), Password::parse(input.text("password"))) {
        (Ok(email), Ok(password)) => (email, password),
        (email, password) => return again(Wrong::of(email.err(), password.err())),
    };
    let password = passwords.hash(&app, password).await?;
    let (chosen, at) = (password.clone(), app.clock.now());
    let accepted = match email {
        None => app.store.accept_password_reset(hash, password, at).await,
        Some(email) => {
            let member_id = MemberId::generate(at, &*app.chance);
            app.store.accept_invitation(Acceptance { hash, member_id, email, password, at }).await
        }
    };
    match accepted {
        Ok(member) => {
            let entered = sign_in::enter(&app, &member, chosen, landing(&invitation, &member)).await?;
            entered.ok_or_else(used)
        }
        Err(AcceptError::EmailTaken) => {
            again(Wrong { email: Some("Somebody signs in with this address already.".into()), password: None })
        }
        Err(AcceptError::NotInForce) => Err(used()),
        Err(AcceptError::Store(error)) => Err(error.into()),
    }
}

/// Whoever sets up has a webhook to set up next.
fn landing(invitation: &Invitation, member: &Member) -> &'static str {
    match invitation.purpose {
        Purpose::SetUp if member.role == Role::Owner => "/settings/webhooks",
        _ => "/",
    }
}

/// The address that was typed, where one is asked for.
fn email(invitation: &Invitation, input: &Form) -> Result<Option<Email>, String> {
    match invitation.purpose {
        Purpose::ResetPassword(_) => Ok(None),
        Purpose::SetUp | Purpose::Join(_) => input
            .text("email")
            .parse()
            .map(Some)
            .map_err(|error: preclinical_core::member::NotAnEmail| sentence(&error.to_string())),
    }
}

fn used() -> Failure {
    Failure::from(ApiError::not_found("invitation any more: it was used, withdrawn or has expired; ask for a new link"))
}

fn title(invitation: &Invitation) -> &'static str {
    match invitation.purpose {
        Purpose::SetUp => "Set up",
        Purpose::Join(_) => "Join",
        Purpose::ResetPassword(_) => "Choose a new password",
    }
}

/// What is wrong with what was typed.
#[derive(Default)]
struct Wrong {
    email: Option<String>,
    password: Option<String>,
}

impl Wrong {
    fn of(email: Option<String>, password: Option<NotAPassword>) -> Self {
        Self { email, password: password.map(|error| sentence(&error.to_string())) }
    }
}

fn form(invitation: &Invitation, email: &str, wrong: &Wrong) -> Markup {
    let (about, button) = match invitation.purpose {
        Purpose::SetUp => ("You are the first here: this makes you the owner of this installation.", "Create the owner"),
        Purpose::Join(Role::Owner) => ("You were invited as an owner.", "Join"),
        Purpose::Join(Role::Member) => ("You were invited as a member: you can change webhooks and agents.", "Join"),
        Purpose::Join(Role::Viewer) => ("You were invited as a viewer: you can look at everything.", "Join"),
        Purpose::ResetPassword(_) => ("You are signed out everywhere else.", "Save and sign in"),
    };
    let is_reset = matches!(invitation.purpose, Purpose::ResetPassword(_));
    let length = format!("At least {MIN_CHARACTERS} characters. A few words that only you would put together are best.");
    html! {
        section.card {
            form.card-body method="post" {
                h1 { (title(invitation)) }
                p.muted { (about) }
                @if wrong.email.is_some() || wrong.password.is_some() {
                    (parts::notice(Tone::Bad, &html! { "Nothing was saved yet: see below." }))
                }
                @if !is_reset {
                    (TextField { kind: "email", value: email, autocomplete: "username", required: true, longest: 254,
                        error: wrong.email.as_deref(), hint: Some("You sign in with it. Nothing is sent to it."),
                        ..TextField::new("email", "E-mail") })
                }
                (TextField { kind: "password", autocomplete: "new-password", required: true, longest: 256,
                    error: wrong.password.as_deref(), hint: Some(&length), ..TextField::new("password", "Password") })
                button.button.primary { (button) }
            }
        }
    }
}
