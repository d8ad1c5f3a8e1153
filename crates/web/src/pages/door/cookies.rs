//! Cookies: the session, which no script can read and no other site's form can use, and the colours that somebody chose.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::Response,
};
use preclinical_core::{session, token::Token};

const THEME: &str = "theme";

/// How long a chosen theme is kept, in seconds.
const THEME_LASTS: i64 = 365 * 24 * 60 * 60;

/// The name of the session's cookie. With TLS, browsers take one of that prefix from this very host alone.
const fn session_name(secure: bool) -> &'static str {
    if secure { "__Host-session" } else { "session" }
}

fn is_secure(public_url: &str) -> bool {
    public_url.starts_with("https://")
}

/// What the browser presents as its session.
pub(super) fn session_token<'a>(headers: &'a HeaderMap, public_url: &str) -> Option<&'a str> {
    find(headers, session_name(is_secure(public_url)))
}

/// Gives the browser a session. `Lax`, so that a link from elsewhere leads to the page and not to sign-in.
pub(in crate::pages) fn begin_session(response: &mut Response, token: &Token, public_url: &str) {
    let secure = is_secure(public_url);
    let (name, value) = (session_name(secure), token.expose());
    set(response, &format!("{name}={value}; Max-Age={}; {}", session::LASTS.as_secs(), attributes(secure)));
}

/// Takes the session from the browser.
pub(in crate::pages) fn end_session(response: &mut Response, public_url: &str) {
    let secure = is_secure(public_url);
    set(response, &format!("{}=; Max-Age=0; {}", session_name(secure), attributes(secure)));
}

/// Keeps the choice of colours.
pub(in crate::pages) fn keep_theme(response: &mut Response, theme: Theme, public_url: &str) {
    let value = theme.as_str();
    set(response, &format!("{THEME}={value}; Max-Age={THEME_LASTS}; {}", attributes(is_secure(public_url))));
}

const fn attributes(secure: bool) -> &'static str {
    if secure { "Path=/; HttpOnly; SameSite=Lax; Secure" } else { "Path=/; HttpOnly; SameSite=Lax" }
}

fn set(response: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(given, _)| *given == name).map(|(_, value)| value)
}

/// Light, dark, or as the system has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::pages) enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub(in crate::pages) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    pub(in crate::pages) const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub(in crate::pages) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == text)
    }

    /// The theme that a browser was given.
    pub(in crate::pages) fn of(headers: &HeaderMap) -> Self {
        find(headers, THEME).and_then(Self::parse).unwrap_or_default()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Theme {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    fn cookie(headers: &[&str]) -> HeaderMap {
        headers.iter().map(|value| (header::COOKIE, HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn a_cookie_is_found_among_others_and_by_its_whole_name() {
        let headers = cookie(&["a=1; xsession=no; session=yes; theme=dark", "b=2"]);
        assert_eq!(session_token(&headers, "http://localhost:3000"), Some("yes"));
        assert_eq!(session_token(&headers, "https://hooks.example.com"), None, "the name with the prefix is another");
        assert_eq!(Theme::of(&headers), Theme::Dark);
        assert_eq!(Theme::of(&cookie(&["theme=neon", "=", ";;", "theme"])), Theme::System);
    }

    #[test]
    fn a_session_is_out_of_reach_of_scripts_and_of_other_sites() {
        let token = Token::generate(&Zeros);
        for (url, expected) in [
            ("http://localhost:3000", format!("session={}; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax", token.expose())),
            (
                "https://hooks.example.com",
                format!("__Host-session={}; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax; Secure", token.expose()),
            ),
        ] {
            let mut response = ().into_response();
            begin_session(&mut response, &token, url);
            assert_eq!(response.headers()[header::SET_COOKIE], expected);
        }
    }

    struct Zeros;
    impl preclinical_core::chance::Chance for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }
}
