//! Whether a request is what it says it is.

use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use preclinical_core::{request::header, secret::SigningSecret, signature};
use serde::Serialize;

/// How far a request's timestamp may be from our clock, in both directions: what Standard Webhooks recommends.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// One signature's verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "result", content = "reason")]
pub(crate) enum Check {
    /// It is right.
    Verified,
    /// We have no secret to check it with.
    NotChecked,
    /// The request has none, and we have no secret.
    NotSigned,
    /// Why it is not right.
    Refused(&'static str),
}

/// The verdicts on both signatures.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Checks {
    /// `X-Preclinical-Signature`
    pub(crate) preclinical: Check,
    /// `webhook-signature`
    pub(crate) standard: Check,
}

impl Checks {
    pub(crate) fn of(secret: Option<&SigningSecret>, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Self {
        let value = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let unchecked = |name| if headers.contains_key(name) { Check::NotChecked } else { Check::NotSigned };
        let Some(secret) = secret else {
            return Self { preclinical: unchecked(header::SIGNATURE), standard: unchecked(header::WEBHOOK_SIGNATURE) };
        };
        let preclinical = match value(header::SIGNATURE) {
            None => Check::Refused("the header X-Preclinical-Signature is missing"),
            Some(given) if signature::verify_preclinical(secret, body, given) => Check::Verified,
            Some(_) => Check::Refused("it was made with another secret, or the body was changed"),
        };
        let standard = [header::WEBHOOK_ID, header::WEBHOOK_TIMESTAMP, header::WEBHOOK_SIGNATURE].map(value);
        let standard = match standard {
            [Some(id), Some(timestamp), Some(given)] => standard_webhooks(secret, id, timestamp, body, given, now),
            _ => Check::Refused("webhook-id, webhook-timestamp or webhook-signature is missing"),
        };
        Self { preclinical, standard }
    }

    /// Whether nothing speaks against the request.
    pub(crate) fn pass(&self) -> bool {
        [&self.preclinical, &self.standard].iter().all(|check| !matches!(check, Check::Refused(_)))
    }

    /// Whether both signatures were checked and are right.
    pub(crate) fn verified(&self) -> bool {
        self.preclinical == Check::Verified && self.standard == Check::Verified
    }
}

fn standard_webhooks(secret: &SigningSecret, id: &str, timestamp: &str, body: &[u8], given: &str, now: Timestamp) -> Check {
    let Some(sent) = timestamp.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok()) else {
        return Check::Refused("webhook-timestamp is no number of seconds");
    };
    if !signature::verify_standard(secret, id, timestamp, body, given) {
        return Check::Refused("it was made with another secret, or the body, id or timestamp was changed");
    }
    if now.duration_since(sent).abs() > TOLERANCE {
        return Check::Refused("its timestamp is more than 5 minutes away from this machine's clock");
    }
    Check::Verified
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    const BODY: &[u8] = b"{}";

    fn secret() -> SigningSecret {
        SigningSecret::parse("whsec_AAECAwQFBgcICQoLDA0ODw==").unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn signed() -> HeaderMap {
        let standard = signature::standard(&[secret()], "msg_1", 1000, BODY);
        let pairs = [
            (header::SIGNATURE, signature::preclinical(&secret(), BODY)),
            (header::WEBHOOK_ID, "msg_1".to_owned()),
            (header::WEBHOOK_TIMESTAMP, "1000".to_owned()),
            (header::WEBHOOK_SIGNATURE, standard),
        ];
        pairs.into_iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_signed_request_is_verified_and_a_changed_or_stale_one_is_not() {
        assert!(Checks::of(Some(&secret()), &signed(), BODY, at(1001)).verified());
        assert!(!Checks::of(Some(&secret()), &signed(), b"{ }", at(1001)).pass());
        let stale = Checks::of(Some(&secret()), &signed(), BODY, at(1301));
        assert_eq!((stale.preclinical, matches!(stale.standard, Check::Refused(_))), (Check::Verified, true));
    }

    #[test]
    fn a_request_without_signatures_passes_only_a_receiver_without_a_secret() {
        assert!(!Checks::of(Some(&secret()), &HeaderMap::new(), BODY, at(0)).pass());
        let unchecked = Checks::of(None, &HeaderMap::new(), BODY, at(0));
        assert_eq!((unchecked.pass(), unchecked.verified()), (true, false));
        assert_eq!(Checks::of(None, &signed(), BODY, at(0)).standard, Check::NotChecked);
    }
}
