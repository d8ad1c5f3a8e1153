use axum::{extract::State, response::Response};
use maud::{Markup, html};
use url::Url;

use super::Shared;
use crate::{
    api::webhooks,
    pages::{
        door::{Form, Visitor},
        failure::{Failure, sentence},
        parts::Icon,
        shell::{self, Section},
    },
};

/// `POST /webhooks/check-url`: what can be said of a URL before it is saved. Nothing is sent to it.
pub(in crate::pages) async fn check_url(
    State(app): State<Shared>,
    visitor: Visitor,
    form: Form,
) -> Result<Response, Failure> {
    let verdict = match webhooks::url(&app, &mut form.fields(&["url"])) {
        Ok(url) => fine(url.as_deref().and_then(|url| Url::parse(url).ok()).as_ref()),
        Err(error) => {
            let why = error.message().strip_prefix("url").unwrap_or(error.message()).trim_start();
            html! { p.small.bad.line id="webhook-url-check" data-valid="false" { (Icon::Alert.sized(14)) (sentence(why)) } }
        }
    };
    Ok(shell::page(&visitor, Section::Settings, "Check of a URL", &html! { h1 { "Check of a URL" } (verdict) }))
}

fn fine(url: Option<&Url>) -> Markup {
    let Some(url) = url else { return html! { div id="webhook-url-check" {} } };
    let (class, icon, remark) = if is_slack(url) {
        (
            "warn",
            Icon::Alert,
            "This is Slack’s own address. Slack takes its own format only, so put a small receiver in between: the examples have one.",
        )
    } else if url.scheme() == "http" {
        ("warn", Icon::Alert, "Without TLS, whoever is in between can read the results.")
    } else {
        ("good", Icon::Check, "Well formed, and not a forbidden address.")
    };
    html! { p class={ "small line " (class) } id="webhook-url-check" data-valid="true" { (icon.sized(14)) (remark) } }
}

fn is_slack(url: &Url) -> bool {
    url.host_str().is_some_and(|host| host == "hooks.slack.com" || host == "hooks.slack-gov.com")
}
