//! A new key. Its text is in the answer to the form, and nowhere else.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use maud::{Markup, html};
use preclinical_core::{
    api_key::{ApiKey, ApiKeyText},
    id::ApiKeyId,
    scope::Scope,
};

use super::{PATH, back, scope};
use crate::{
    api::api_keys::create::described,
    app::App,
    error::ApiError,
    input::Fields,
    pages::{
        door::{Form, Visitor},
        failure::Failure,
        parts::{self, Icon, Tone, field, field::TextField, options::options, time},
        settings::{Tab, page},
        shell,
        wrong::Wrong,
    },
};

const FIELDS: [&str; 2] = ["name", "expires_at"];

/// How long a key may be good for, as the form names it.
const SPANS: [(&str, &str); 5] = [
    ("never", "Never"),
    ("30", "After 30 days"),
    ("90", "After 90 days"),
    ("365", "After a year"),
    ("date", "At the end of a day"),
];

/// `GET /settings/api-keys/new`
pub(in crate::pages) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Response {
    page(&visitor, Tab::ApiKeys, &form(&app, &visitor, &Form::default(), &Wrong::default()))
}

/// `POST /settings/api-keys/new`
pub(in crate::pages) async fn submit(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    input: Form,
) -> Result<Response, Failure> {
    let now = app.clock.now();
    let text = ApiKeyText::generate(&*app.chance);
    // A form that is sent twice is one key, the text of which is the last one shown.
    let id = input.text("new").parse().unwrap_or_else(|_| ApiKeyId::generate(now, &*app.chance));
    let key = ApiKey::new(&text, id, visitor.organization.id, String::new(), now);
    let kept = async {
        let key = described(fields(&input, now)?, key)?;
        app.store.create_key(key.clone()).await?;
        Ok::<_, ApiError>(key)
    };
    match kept.await {
        Ok(key) => Ok(page(&visitor, Tab::ApiKeys, &shown_once(&app, &key, &text))),
        Err(error) => {
            let wrong = Wrong::of(error)?;
            Ok(wrong.shown_on(page(&visitor, Tab::ApiKeys, &form(&app, &visitor, &input, &wrong))))
        }
    }
}

/// The form as the body of the API's call.
fn fields(input: &Form, now: Timestamp) -> Result<Fields, ApiError> {
    let fields = input.fields(&["name", "scope"]);
    Ok(match end(input, now)? {
        Some(end) => fields.with("expires_at", end.to_string()),
        None => fields,
    })
}

fn end(input: &Form, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    let no_day = || ApiError::invalid("expires_at", "must be a day such as 2027-01-31");
    match input.text("expires") {
        "" | "never" => Ok(None),
        "date" => end_of(input.text("expires_at").trim()).map(Some).ok_or_else(no_day),
        days => {
            let days: i64 = days.parse().map_err(|_| no_day())?;
            let span = days.checked_mul(24).map(SignedDuration::from_hours);
            span.and_then(|span| now.checked_add(span).ok()).map(Some).ok_or_else(no_day)
        }
    }
}

/// When a day ends, in UTC.
fn end_of(day: &str) -> Option<Timestamp> {
    let next = day.parse::<Date>().ok()?.tomorrow().ok()?;
    TimeZone::UTC.to_timestamp(next.at(0, 0, 0, 0)).ok()
}

fn form(app: &App, visitor: &Visitor, input: &Form, wrong: &Wrong) -> Markup {
    let new = ApiKeyId::generate(app.clock.now(), &*app.chance);
    let typed = |name, or: &'static str| if input.has(name) { input.text(name).to_owned() } else { or.to_owned() };
    html! {
        div.narrow {
            (back())
            section.card {
                div.card-head { h2 { "Create an API key" } }
                form.card-body method="post" action={ (PATH) "/new" } {
                    (shell::csrf(visitor))
                    input type="hidden" name="new" value=(new);
                    (wrong.notice(&FIELDS))
                    (TextField { value: input.text("name"), required: true, longest: 200, error: wrong.with("name").as_deref(),
                        placeholder: "Nightly runner", hint: Some("What uses it, so that you know later what a revocation stops."),
                        ..TextField::new("name", "Name") })
                    (options("scope", "What it may do", &Scope::ALL.map(scope::in_words), &typed("scope", Scope::Report.as_str())))
                    div.form-row.top {
                        (field::select("expires", "Expires", &SPANS, &typed("expires", "90"), None))
                        (TextField { kind: "date", value: input.text("expires_at"),
                            hint: Some("Counts with “At the end of a day”."),
                            error: wrong.with("expires_at").as_deref(), longest: 10, ..TextField::new("expires_at", "Day (UTC)") })
                    }
                    div.actions {
                        button.button.primary { "Create key" }
                        a.button.plain href=(PATH) { "Cancel" }
                    }
                }
            }
        }
    }
}

/// The one page that has the key on it.
fn shown_once(app: &App, key: &ApiKey, text: &ApiKeyText) -> Markup {
    let url = &app.public_url;
    let call = format!("curl {url}/api/v1/agents \\\n  --header \"Authorization: Bearer {}\"", text.expose());
    let variables = format!("export PRECLINICAL_API_URL={url}\nexport PRECLINICAL_API_KEY={}", text.expose());
    html! {
        div.narrow.once {
            (back())
            section.card {
                div.card-head { h2 { "Your new key" } }
                div.card-body {
                    (parts::notice(Tone::Warn, &html! { p { strong { "Copy it now." } " This page is the only one that shows it." } }))
                    div.field { label for="key" { "Key" } (parts::copyable("key", text.expose(), "API key")) }
                    dl.pairs {
                        dt { "Name" } dd { (key.name) }
                        dt { "May" } dd { (scope::in_words(key.scope).name) }
                        dt { "Expires" } dd { @match key.expires_at { Some(end) => (time::time(end)), None => "Never" } }
                    }
                    div.stack-small {
                        h3 { "Try it" }
                        (parts::code("call", &call, "A call with the key"))
                        p.muted.small { "It lists your agents, which every key may do. All calls are in the " a href="/api/docs" { "API reference" } "." }
                    }
                    div.stack-small {
                        h3 { "Give it to the command line" }
                        (parts::code("variables", &variables, "Variables of the environment"))
                    }
                    div.actions { a.button.primary href=(PATH) { (Icon::Check) "I have copied it" } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_good_until_its_last_day_has_ended() {
        assert_eq!(end_of("2027-01-31"), Some("2027-02-01T00:00:00Z".parse().unwrap()));
        for wrong in ["", "2027-02-30", "tomorrow", "31.01.2027", "9999-12-31"] {
            assert_eq!(end_of(wrong), None, "{wrong}");
        }
    }
}
