//! Whoever is signed in: the password, and the browsers.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use preclinical_core::password::{MIN_CHARACTERS, Password};

use super::members::role;
use crate::{
    app::App,
    input::Query,
    pages::{
        done,
        door::{Form, Passwords, Visitor},
        failure::{Failure, sentence},
        parts::{self, Tone, field::TextField, time},
        shell::{self, Section},
    },
};

const DONE: [(&str, &str); 1] = [("password", "The password is changed. You are signed out everywhere else.")];

/// `GET /settings/account`
pub(in crate::pages) async fn show(visitor: Visitor, mut query: Query) -> Result<Response, Failure> {
    let done = done::notice(&mut query, &DONE)?;
    Ok(page(&visitor, &done, &Wrong::default()))
}

/// `POST /settings/account/password`. Who guesses the current one has to wait, as at sign-in.
pub(in crate::pages) async fn change_password(
    State(app): State<Arc<App>>,
    Extension(passwords): Extension<Arc<Passwords>>,
    visitor: Visitor,
    input: Form,
) -> Result<Response, Failure> {
    let again = |wrong| {
        let page = page(&visitor, &html! {}, &wrong);
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
    };
    let email = &visitor.member.email;
    let password = match Password::parse(input.text("new-password")) {
        Ok(password) => password,
        Err(error) => return again(Wrong { current: None, new: Some(sentence(&error.to_string())) }),
    };
    if passwords.begin(email, app.clock.now()).is_err() {
        return again(Wrong { current: Some("Too many wrong passwords. Try again in a few minutes.".into()), new: None });
    }
    let hash = app.store.member_by_email(email).await?.map(|(_, hash)| hash);
    let right = passwords.check(hash, input.text("password").to_owned()).await?;
    if !right {
        return again(Wrong { current: Some("This is not your current password.".into()), new: None });
    }
    passwords.succeeded(email);
    let hash = passwords.hash(&app, password).await?;
    app.store.change_password(visitor.member.id, hash, visitor.session).await?;
    Ok(Redirect::to("/settings/account?done=password").into_response())
}

/// What is wrong with what was typed.
#[derive(Default)]
struct Wrong {
    current: Option<String>,
    new: Option<String>,
}

fn page(visitor: &Visitor, done: &Markup, wrong: &Wrong) -> Response {
    let member = &visitor.member;
    let role = role::in_words(member.role);
    let content = html! {
        (parts::page_head("Your account", &html! {}, &html! {}))
        div.stack.narrow {
            (done)
            (parts::card("You", None, &html! {
                dl.pairs {
                    dt { "E-mail" } dd { strong { (member.email) } }
                    dt { "Organization" } dd { (visitor.organization.slug) }
                    dt { "Role" } dd { (role.name) p.muted.small { (role.about) } }
                    dt { "Joined" } dd { (time::time(member.joined_at)) }
                }
            }))
            (parts::card("Change password", Some("It signs you out everywhere but here."), &password_form(visitor, wrong)))
            (parts::card("Sign out", None, &html! {
                p.muted { "Did you leave a browser signed in somewhere? Sign out everywhere: that ends all your sessions, this one too." }
                div.actions {
                    form method="post" action="/sign-out" { (shell::csrf(visitor)) button.button { "Sign out" } }
                    form method="post" action="/sign-out-everywhere" {
                        (shell::csrf(visitor))
                        button.button.danger { "Sign out everywhere" }
                    }
                }
            }))
        }
    };
    shell::page(visitor, Section::None, "Your account", &content)
}

fn password_form(visitor: &Visitor, wrong: &Wrong) -> Markup {
    let length = format!("At least {MIN_CHARACTERS} characters. A few words that only you would put together are best.");
    html! {
        form.stack-small method="post" action="/settings/account/password" {
            (shell::csrf(visitor))
            @if wrong.current.is_some() || wrong.new.is_some() {
                (parts::notice(Tone::Bad, &html! { p { "The password is not changed yet: see below." } }))
            }
            // Password managers find the account by it.
            input type="text" name="email" value=(visitor.member.email) autocomplete="username" readonly hidden;
            (TextField { kind: "password", autocomplete: "current-password", required: true, longest: 256,
                error: wrong.current.as_deref(), ..TextField::new("password", "Current password") })
            (TextField { kind: "password", autocomplete: "new-password", required: true, longest: 256,
                error: wrong.new.as_deref(), hint: Some(&length), ..TextField::new("new-password", "New password") })
            div.actions { button.button.primary { "Change password" } }
        }
    }
}
