//! Somebody is invited.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use preclinical_core::{invitation::Purpose, member::Role};

use super::{PATH, back, link, role};
use crate::{
    app::App,
    pages::{
        door::{Form, Visitor},
        failure::Failure,
        parts::options::options,
        settings::{Tab, page},
        shell,
        wrong::Wrong,
    },
};

/// `GET /settings/members/invite`
pub(in crate::pages) async fn show(visitor: Visitor) -> Response {
    page(&visitor, Tab::Members, &form(&visitor, Role::Member, &Wrong::default()))
}

/// `POST /settings/members/invite`: the link is in this answer alone.
pub(in crate::pages) async fn submit(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    input: Form,
) -> Result<Response, Failure> {
    let role = role::named(input.fields(&["role"]))?;
    match link::make(&app, &visitor, Purpose::Join(role)).await {
        Ok(url) => {
            let name = role::in_words(role).name.to_lowercase();
            let article = if role == Role::Owner { "an" } else { "a" };
            let does =
                html! { "Whoever opens it chooses an e-mail address and a password, and is " (article) " " (name) " then." };
            Ok(page(&visitor, Tab::Members, &link::shown_once("Invitation", &does, &url)))
        }
        Err(error) => {
            let wrong = Wrong::of(error)?;
            Ok(wrong.shown_on(page(&visitor, Tab::Members, &form(&visitor, role, &wrong))))
        }
    }
}

fn form(visitor: &Visitor, chosen: Role, wrong: &Wrong) -> Markup {
    html! {
        div.narrow {
            (back())
            section.card {
                div.card-head { h2 { "Invite somebody" } p { "You get a link to pass on. It works once." } }
                form.card-body method="post" action={ (PATH) "/invite" } {
                    (shell::csrf(visitor))
                    (wrong.notice(&[]))
                    (options("role", "Role", &Role::ALL.map(role::in_words), chosen.as_str()))
                    div.actions {
                        button.button.primary { "Create link" }
                        a.button.plain href=(PATH) { "Cancel" }
                    }
                }
            }
        }
    }
}
