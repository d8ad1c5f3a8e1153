//! Custom headers in the form of a webhook: `Authorization` by its schemes, and rows for all others.

use maud::{Markup, html};
use preclinical_core::{
    custom_header::{
        AUTHORIZATION, HeaderName, MAX_HEADERS, MAX_NAME_BYTES, MAX_VALUE_BYTES, NotAnAuthorization, WantedHeader, basic,
        bearer,
    },
    webhook::Webhook,
};

use crate::{
    api::webhooks,
    error::ApiError,
    pages::{
        door::Form,
        parts::{
            Icon,
            field::TextField,
            options::{Choice, options},
        },
        wrong::Wrong,
    },
};

/// How many rows there are for headers to be added.
const EMPTY_ROWS: usize = 3;

/// How many rows a form can have: what is there may be as much as there can be.
const ROWS: usize = MAX_HEADERS + EMPTY_ROWS;

/// The field that says what becomes of `Authorization`. A form without it has no custom headers in it.
const SCHEME: &str = "authorization";

/// What stands in the fields. Of values only that there were some.
#[derive(Debug, Default)]
pub(super) struct TypedHeaders {
    rows: Vec<Row>,
    scheme: Option<String>,
    user: String,
}

#[derive(Debug)]
struct Row {
    name: String,
    /// A value was typed, which is not shown again.
    had_value: bool,
    is_removed: bool,
}

impl From<&Form> for TypedHeaders {
    fn from(form: &Form) -> Self {
        let row = |index| {
            let (name, value) = typed(form, index);
            let row = Row {
                name: name.to_owned(),
                had_value: !value.is_empty(),
                is_removed: form.has(&format!("header-{index}-remove")),
            };
            (!name.is_empty() || row.had_value).then_some(row)
        };
        let scheme = Some(form.text(SCHEME).to_owned()).filter(|scheme| !scheme.is_empty());
        Self { rows: (0..ROWS).filter_map(row).collect(), scheme, user: form.text("authorization_user").to_owned() }
    }
}

impl From<&Webhook> for TypedHeaders {
    fn from(webhook: &Webhook) -> Self {
        let others = webhook.header_names.iter().filter(|name| !name.is(AUTHORIZATION));
        let row = |name: &HeaderName| Row { name: name.as_str().to_owned(), had_value: false, is_removed: false };
        Self { rows: others.map(row).collect(), ..Self::default() }
    }
}

fn typed(form: &Form, index: usize) -> (&str, &str) {
    let part = |part| form.text(&format!("header-{index}-{part}")).trim();
    (part("name"), part("value"))
}

/// All custom headers that a form asks for; `None` if it says nothing of them.
pub(super) fn wanted(form: &Form) -> Result<Option<Vec<WantedHeader>>, ApiError> {
    if !form.has(SCHEME) {
        return Ok(None);
    }
    let mut headers: Vec<_> = authorization(form)?.into_iter().collect();
    for index in 0..ROWS {
        let (name, value) = typed(form, index);
        let has = |part| form.has(&format!("header-{index}-{part}"));
        if (name.is_empty() && value.is_empty()) || has("remove") {
            continue;
        }
        if value.is_empty() && has("again") {
            return Err(ApiError::invalid(&format!("headers.{name}"), "has to be typed again: it was not saved"));
        }
        headers.push(webhooks::wanted(name, Some(value).filter(|value| !value.is_empty()))?);
    }
    Ok(Some(headers))
}

fn authorization(form: &Form) -> Result<Option<WantedHeader>, ApiError> {
    let wrong = |field: &'static str| move |error: NotAnAuthorization| ApiError::invalid(field, error);
    let value = match form.text(SCHEME) {
        "keep" => None,
        "bearer" => Some(bearer(form.text("authorization_token").trim()).map_err(wrong("authorization_token"))?),
        "basic" => {
            let (user, password) = (form.text("authorization_user").trim(), form.text("authorization_password"));
            Some(basic(user, password).map_err(wrong("authorization_user"))?)
        }
        _ => return Ok(None),
    };
    Ok(Some(WantedHeader { value, ..webhooks::wanted(AUTHORIZATION, None)? }))
}

/// Names of the fields beside which this shows what is wrong.
pub(super) fn fields(typed: &TypedHeaders) -> Vec<String> {
    let fixed = ["authorization_token", "authorization_user", "headers", "headers.Authorization"].map(str::to_owned);
    let rows = typed.rows.iter().map(|row| format!("headers.{}", row.name));
    fixed.into_iter().chain(rows).collect()
}

/// The part of the form. It is open where there is something to see.
pub(super) fn section(webhook: Option<&Webhook>, typed: &TypedHeaders, wrong: &Wrong) -> Markup {
    let stored = webhook.map_or(&[][..], |webhook| &webhook.header_names);
    let is_wrong = fields(typed).iter().any(|field| wrong.with(field).is_some());
    html! {
        details.more id="headers" open[!stored.is_empty() || is_wrong || typed.scheme.is_some()] {
            summary { "Authorization and other headers" @if !stored.is_empty() { " (" (stored.len()) ")" } }
            div.stack-small {
                p.hint { "Sent with every request, such as a token for your gateway or X-Tenant. Values are stored encrypted and never shown again." }
                @if let Some(error) = wrong.with("headers") { (said("headers-error", &error)) }
                (scheme(stored, typed, wrong))
                (rows(stored, typed, wrong))
            }
        }
    }
}

fn scheme(stored: &[HeaderName], typed: &TypedHeaders, wrong: &Wrong) -> Markup {
    let is_stored = stored.iter().any(|name| name.is(AUTHORIZATION));
    let keep = Choice { value: "keep", name: "Keep the saved one", about: "It is sent as before, and stays hidden." };
    let none = if is_stored {
        Choice { value: "none", name: "Remove it", about: "Requests have no Authorization header then." }
    } else {
        Choice {
            value: "none",
            name: "None",
            about: "For a scheme that is not here, add a header named Authorization below.",
        }
    };
    let bearer = Choice { value: "bearer", name: "Bearer token", about: "Authorization: Bearer and a token." };
    let basic = Choice { value: "basic", name: "User name and password", about: "HTTP Basic authentication." };
    let choices: Vec<_> = is_stored.then_some(keep).into_iter().chain([none, bearer, basic]).collect();
    let chosen = typed.scheme.as_deref().filter(|typed| choices.iter().any(|choice| choice.value == *typed));
    let chosen = chosen.unwrap_or(choices[0].value);
    let (in_token, in_user) = (wrong.with("authorization_token"), wrong.with("authorization_user"));
    html! {
        div.schemes {
            (options(SCHEME, "Authorization", &choices, chosen))
            @if let Some(error) = wrong.with("headers.Authorization") { (said("authorization-error", &error)) }
            div.of-bearer {
                (TextField { kind: "password", autocomplete: "new-password", longest: MAX_VALUE_BYTES, depends: true, error: in_token.as_deref(),
                    ..TextField::new("authorization_token", "Token") })
            }
            div.of-basic.form-row.top {
                (TextField { value: &typed.user, depends: true, error: in_user.as_deref(), ..TextField::new("authorization_user", "User name") })
                (TextField { kind: "password", autocomplete: "new-password", depends: true, ..TextField::new("authorization_password", "Password") })
            }
        }
    }
}

fn rows(stored: &[HeaderName], typed: &TypedHeaders, wrong: &Wrong) -> Markup {
    let added = EMPTY_ROWS.min(ROWS - typed.rows.len());
    html! {
        fieldset.header-rows {
            legend.label { "Other headers" }
            @for (index, row) in typed.rows.iter().enumerate() {
                (row_of(index, row, stored.iter().any(|name| name.is(&row.name)), wrong))
            }
            @for index in typed.rows.len()..typed.rows.len() + added {
                (row_of(index, &Row { name: String::new(), had_value: false, is_removed: false }, false, wrong))
            }
            p.hint { "At most " (MAX_HEADERS) ". Save to get more rows." }
        }
    }
}

fn row_of(index: usize, row: &Row, is_stored: bool, wrong: &Wrong) -> Markup {
    let id = |part: &str| format!("header-{index}-{part}");
    let error = wrong.with(&format!("headers.{}", row.name)).filter(|_| !row.name.is_empty());
    let described = error.as_ref().map(|_| id("error"));
    let placeholder = match (row.had_value, is_stored) {
        (true, _) => "Type it again",
        (false, true) => "Saved, hidden",
        (false, false) => "Value",
    };
    html! {
        div.header-row {
            label.sr for=(id("name")) { "Name of header " (index + 1) }
            input.input.mono id=(id("name")) name=(id("name")) value=(row.name) placeholder="Name" maxlength=(MAX_NAME_BYTES)
                autocomplete="off" spellcheck="false" autocapitalize="none" aria-invalid=[error.as_ref().map(|_| "true")]
                aria-describedby=[described.as_deref()];
            label.sr for=(id("value")) { "Value of header " (index + 1) @if is_stored { ", saved and hidden" } }
            input.input.mono id=(id("value")) name=(id("value")) placeholder=(placeholder) maxlength=(MAX_VALUE_BYTES)
                autocomplete="off" spellcheck="false" autocapitalize="none";
            @if row.had_value { input type="hidden" name=(id("again")) value="yes"; }
            @if is_stored {
                div.check {
                    input id=(id("remove")) name=(id("remove")) type="checkbox" value="yes" checked[row.is_removed];
                    label for=(id("remove")) { "Remove" span.sr { " " (row.name) } }
                }
            }
            @if let Some(error) = error { (said(&id("error"), &error)) }
        }
    }
}

fn said(id: &str, error: &str) -> Markup {
    html! { div.field { p.error id=(id) { (Icon::Alert.sized(14)) span { (error) } } } }
}
