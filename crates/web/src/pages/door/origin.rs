//! Where a form comes from, as browsers say it. Other programs say nothing; they have no cookies that somebody else could use.

use axum::http::{HeaderMap, header};
use url::Url;

use crate::pages::failure::Failure;

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Refuses a form that a page of another site sends.
pub(super) fn is_ours(headers: &HeaderMap, public_url: &str) -> Result<(), Failure> {
    let said = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("none"));
    let ours = match (said(SEC_FETCH_SITE), said(header::ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => is_one_of_ours(origin, headers, public_url),
        (None, None) => true,
    };
    if ours { Ok(()) } else { Err(Failure::forbidden("This form was sent by a page of another site.")) }
}

/// The origin under which people reach us, or the one that this request went to: they differ behind a proxy.
fn is_one_of_ours(origin: &str, headers: &HeaderMap, public_url: &str) -> bool {
    let is_public = Url::parse(public_url).is_ok_and(|url| url.origin().ascii_serialization() == origin);
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let is_host = host.is_some_and(|host| origin.split_once("://").is_some_and(|(_, origin)| origin == host));
    is_public || is_host
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn forms_of_other_sites_are_refused() {
        let judge = |pairs: &[(&str, &str)]| {
            let header =
                |(name, value): &(&str, &str)| (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
            is_ours(&pairs.iter().map(header).collect(), "https://hooks.example.com").is_ok()
        };
        assert!(judge(&[("sec-fetch-site", "same-origin")]));
        assert!(judge(&[("sec-fetch-site", "none")]));
        assert!(judge(&[("origin", "https://hooks.example.com")]));
        assert!(judge(&[("origin", "http://127.0.0.1:3000"), ("host", "127.0.0.1:3000")]));
        assert!(judge(&[]));
        for site in ["cross-site", "same-site", "", "Same-Origin"] {
            assert!(!judge(&[("sec-fetch-site", site), ("origin", "https://hooks.example.com")]), "{site}");
        }
        for origin in ["https://evil.example", "null", "", "https://hooks.example.com.evil.example", "hooks.example.com"] {
            assert!(!judge(&[("origin", origin), ("host", "hooks.example.com")]), "{origin}");
        }
    }
}
