//! The organization, and how deliveries are made here. What is shown is in force; it is set where the server is started.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use preclinical_core::endpoint::Ports;

use super::{Tab, page};
use crate::{
    app::App,
    pages::{
        door::Visitor,
        parts::{self, time},
        webhook,
    },
};

/// `GET /settings/organization`
pub(in crate::pages) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Response {
    let content = html! { (about(&app, &visitor)) (delivering(&app)) (changing()) };
    page(&visitor, Tab::Organization, &content)
}

fn about(app: &App, visitor: &Visitor) -> Markup {
    let organization = &visitor.organization;
    let content = html! {
        dl.pairs {
            dt { "Name" } dd { strong { (organization.slug) } }
            dt { "Created" } dd { (time::time(organization.created_at)) }
            dt { "Version" } dd { "Preclinical Webhooks " (env!("CARGO_PKG_VERSION")) }
        }
        div.columns {
            div.field {
                label for="organization-id" { "Id" }
                (parts::copyable("organization-id", &organization.id.to_string(), "Id of the organization"))
            }
            div.field {
                label for="public-url" { "Public address" }
                (parts::copyable("public-url", &app.public_url, "Public address"))
            }
        }
    };
    parts::card("Organization", None, &content)
}

fn delivering(app: &App) -> Markup {
    let policy = &app.endpoints;
    let content = html! {
        div.stack-small { h3 { "Attempts" } (webhook::schedule(&app.schedule, app.request_timeout)) }
        dl.pairs {
            dt { "Addresses of webhooks" }
            dd { @if policy.https_only { "https alone" } @else { "https and http" } }
            dt { "Allowed besides public ones" } dd { (ranges(&policy.addresses.allow)) }
            dt { "Denied" } dd { (ranges(&policy.addresses.deny)) }
            dt { "Ports" } dd { @if policy.ports == Ports::AllOfHttp { "All but those of other protocols" } @else { code { (policy.ports) } } }
            dt { "Link to the results" }
            dd {
                code { (app.public_url) "/test/{run id}" }
                p.muted.small { "Receivers get it as " code { "results_url" } ". It has to lead here from where people read it." }
            }
        }
    };
    parts::card("Deliveries", Some("How requests to webhooks are made and repeated on this installation."), &content)
}

fn ranges(ranges: &[impl ToString]) -> Markup {
    html! {
        @if ranges.is_empty() { span.muted { "None" } }
        @else { @for range in ranges { code { (range.to_string()) } " " } }
    }
}

/// The variables of the environment that set what is shown above.
const VARIABLES: [(&str, &str); 8] = [
    ("PRECLINICAL_PUBLIC_URL", "Public address"),
    ("PRECLINICAL_RETRY_SCHEDULE", "Waits before the retries, such as 1m,5m,30m"),
    ("PRECLINICAL_REQUEST_TIMEOUT", "Time for an attempt, from 1s to 60s"),
    ("PRECLINICAL_HTTPS_ONLY", "Whether webhooks must have https"),
    ("PRECLINICAL_ALLOW_CIDRS", "Ranges that may be called although they are not public"),
    ("PRECLINICAL_DENY_CIDRS", "Ranges that may not be called"),
    ("PRECLINICAL_ALLOW_PORTS", "Ports that alone may be called, such as 443,8000-8999"),
    ("PRECLINICAL_PROXY_URL", "A proxy through which everything is sent"),
];

fn changing() -> Markup {
    let content = html! {
        dl.pairs {
            @for (name, about) in VARIABLES { dt { code { (name) } } dd { (about) } }
        }
    };
    parts::card("Changing it", Some("These are variables of the server’s environment, read when it starts."), &content)
}
