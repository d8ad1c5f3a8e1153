//! The end of a key.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use preclinical_core::{api_key::ApiKey, id::ApiKeyId};

use super::{PATH, back, keys, scope};
use crate::{
    app::App,
    error::ApiError,
    input::Id,
    pages::{
        door::Visitor,
        failure::Failure,
        parts::time,
        settings::{Tab, page},
        shell,
    },
};

/// `GET /settings/api-keys/{id}/revoke`
pub(in crate::pages) async fn ask(State(app): State<Arc<App>>, visitor: Visitor, id: Id) -> Result<Response, Failure> {
    let id: ApiKeyId = id.parse(missing)?;
    let key = keys(&app, &visitor).await?.into_iter().find(|key| key.id == id).ok_or_else(missing)?;
    if key.revoked_at.is_some() {
        return Ok(Redirect::to(PATH).into_response());
    }
    Ok(page(&visitor, Tab::ApiKeys, &question(&visitor, &key)))
}

/// `POST /settings/api-keys/{id}/revoke`
pub(in crate::pages) async fn revoke(State(app): State<Arc<App>>, visitor: Visitor, id: Id) -> Result<Redirect, Failure> {
    let existed = app.store.revoke_key(visitor.organization.id, id.parse(missing)?, app.clock.now()).await?;
    if existed { Ok(Redirect::to("/settings/api-keys?done=revoked")) } else { Err(missing().into()) }
}

fn missing() -> ApiError {
    ApiError::not_found("API key")
}

fn question(visitor: &Visitor, key: &ApiKey) -> Markup {
    html! {
        div.narrow {
            (back())
            section.card.danger {
                div.card-head { h2 { "Revoke this key?" } }
                form.card-body method="post" {
                    (shell::csrf(visitor))
                    dl.pairs {
                        dt { "Name" } dd { strong { (key.name) } }
                        dt { "Key" } dd { code { (key.prefix) "…" } }
                        dt { "May" } dd { (scope::in_words(key.scope).name) }
                        dt { "Last used" }
                        dd { @match key.last_used_at { Some(at) => (time::ago(at)), None => "Never" } }
                    }
                    ul.facts {
                        li { "Every program that uses it is refused from its next call on, with the answer 401." }
                        li { "Runs that such a program has begun stay open until somebody ends them." }
                        li { "Live streams that it follows end within seconds." }
                        li { "This cannot be undone. Create a new key instead; the name is free again." }
                    }
                    div.actions {
                        button.button.destructive { "Revoke key" }
                        a.button.plain href=(PATH) { "Keep it" }
                    }
                }
            }
        }
    }
}
