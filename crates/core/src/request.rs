//! The request of one attempt, down to the bytes.

use bytes::Bytes;
use jiff::Timestamp;
use url::{Position, Url};

use crate::{
    custom_header::{CustomHeaders, MASK},
    delivery::Claimed,
    id::DeliveryId,
    payload, signature, wire_time,
};

/// The headers of a webhook request that have names here, in the spelling in which they are sent.
pub mod header {
    /// Which of a server's hosts is meant.
    pub const HOST: &str = "host";
    /// What happened.
    pub const EVENT: &str = "x-preclinical-event";
    /// The delivery's UUID, the same on every retry.
    pub const DELIVERY: &str = "x-preclinical-delivery";
    /// The body's HMAC in hex.
    pub const SIGNATURE: &str = "x-preclinical-signature";
    /// Standard Webhooks: the message's id, the same on every retry.
    pub const WEBHOOK_ID: &str = "webhook-id";
    /// Standard Webhooks: Unix seconds of this attempt.
    pub const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
    /// Standard Webhooks: the signatures, separated by spaces.
    pub const WEBHOOK_SIGNATURE: &str = "webhook-signature";
}

/// What the `User-Agent` header says.
pub const USER_AGENT: &str = concat!("Preclinical-Webhooks/", env!("CARGO_PKG_VERSION"));

/// Headers in the order in which they travel.
pub type Headers = Vec<(String, String)>;

/// What an attempt sends. The body is the one that was signed, and the one that the history keeps.
#[derive(Debug, Clone)]
pub struct WebhookRequest {
    /// Our own headers. Over HTTP/2 `host` travels as `:authority`.
    pub headers: Headers,
    /// The webhook's own, which travel behind ours.
    pub custom: CustomHeaders,
    /// The body, serialized once.
    pub body: Bytes,
}

impl WebhookRequest {
    /// Every header but the host, which travels in another place, in their order.
    pub fn sent_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let ours = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let custom = self.custom.iter().map(|header| (header.name.as_str(), header.value.expose()));
        ours.filter(|(name, _)| *name != header::HOST).chain(custom)
    }

    /// All headers as the history keeps them: as they are sent, but for the values of custom ones, which are masked.
    pub fn into_kept_headers(self) -> Headers {
        let (host, ours): (Headers, Headers) = self.headers.into_iter().partition(|(name, _)| name == header::HOST);
        let custom = self.custom.iter().map(|header| (header.name.on_wire(), MASK.to_owned()));
        ours.into_iter().chain(custom).chain(host).collect()
    }
}

/// The Standard Webhooks id of a delivery.
pub fn message_id(delivery: DeliveryId) -> String {
    format!("msg_{delivery}")
}

/// Builds and signs the request of one attempt that is made at `sent_at`.
pub fn build(claimed: &Claimed, sent_at: Timestamp) -> WebhookRequest {
    build_to(host(&claimed.url), claimed, sent_at)
}

/// The same for who knows the [`host`] of the URL already.
pub fn build_to(host: Option<String>, claimed: &Claimed, sent_at: Timestamp) -> WebhookRequest {
    let body = payload::body(claimed.event, &claimed.content, sent_at);
    let id = message_id(claimed.delivery_id);
    let timestamp = wire_time::whole_seconds(sent_at);
    let mut headers: Vec<(&str, String)> = vec![
        ("content-type", "application/json".into()),
        ("user-agent", USER_AGENT.into()),
        (header::EVENT, claimed.event.as_str().into()),
        (header::DELIVERY, claimed.delivery_id.to_string()),
    ];
    if let Some(current) = claimed.secrets.first() {
        headers.push((header::SIGNATURE, signature::preclinical(current, &body)));
    }
    if !claimed.secrets.is_empty() {
        headers.push((header::WEBHOOK_SIGNATURE, signature::standard(&claimed.secrets, &id, timestamp, &body)));
    }
    headers.push((header::WEBHOOK_ID, id));
    headers.push((header::WEBHOOK_TIMESTAMP, timestamp.to_string()));
    headers.push(("content-length", body.len().to_string()));
    headers.extend(host.map(|host| (header::HOST, host)));
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    WebhookRequest { headers, custom: claimed.headers.clone(), body }
}

/// The host of a URL, with its port unless that is the scheme's own.
pub fn host(url: &str) -> Option<String> {
    Url::parse(url).ok().map(|url| url[Position::BeforeHost..Position::AfterPort].to_owned())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        custom_header::{HeaderName, HeaderValue, WantedHeader},
        delivery::Lease,
        event::{EventContent, EventKind},
        id::{LeaseToken, OrganizationId, WebhookId},
        secret::SigningSecret,
    };

    fn claimed(secrets: &[&str]) -> Claimed {
        let now = "2026-01-30T10:32:45Z".parse().unwrap();
        Claimed {
            delivery_id: DeliveryId::from_uuid(Uuid::from_u128(0xabc)),
            organization_id: OrganizationId::from_uuid(Uuid::nil()),
            webhook_id: WebhookId::from_uuid(Uuid::nil()),
            attempt: 1,
            failures: 0,
            lease: Lease { token: LeaseToken::from_uuid(Uuid::nil()), until: now },
            url: "https://example.com".into(),
            secrets: secrets.iter().map(|text| SigningSecret::parse(text).unwrap()).collect(),
            headers: CustomHeaders::default(),
            event: EventKind::Test,
            content: EventContent::of_test(now),
        }
    }

    fn value<'a>(request: &'a WebhookRequest, name: &str) -> Option<&'a str> {
        request.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn without_a_secret_nothing_is_signed() {
        let request = build(&claimed(&[]), "2026-01-30T10:32:45Z".parse().unwrap());
        assert_eq!(value(&request, header::SIGNATURE), None);
        assert_eq!(value(&request, header::WEBHOOK_SIGNATURE), None);
        assert_eq!(value(&request, header::WEBHOOK_ID), Some("msg_00000000-0000-0000-0000-000000000abc"));
    }

    #[test]
    fn custom_headers_travel_behind_our_own_and_are_kept_without_their_values() {
        let (name, value) = (HeaderName::parse("X-Tenant").unwrap(), HeaderValue::parse("acme").unwrap());
        let headers = CustomHeaders::default().changed(vec![WantedHeader { name, value: Some(value) }]).unwrap();
        let request = build(&Claimed { headers, ..claimed(&[]) }, "2026-01-30T10:32:45Z".parse().unwrap());
        let kept = request.clone().into_kept_headers();
        let sent: Vec<_> = request.sent_headers().collect();
        assert_eq!(sent.last(), Some(&("X-Tenant", "acme")));
        assert!(sent.iter().all(|(name, _)| *name != header::HOST));
        assert_eq!(kept[kept.len() - 2..], [("x-tenant", MASK), ("host", "example.com")].map(|(a, b)| (a.into(), b.into())));
        for ((name, value), (kept_name, kept_value)) in sent.iter().zip(&kept).take(sent.len() - 1) {
            assert_eq!((*name, *value), (kept_name.as_str(), kept_value.as_str()), "our own are kept as they are sent");
        }
        assert_eq!(kept.len(), sent.len() + 1);
    }

    #[test]
    fn the_host_has_a_port_only_if_that_is_not_the_schemes_own() {
        for (url, expected) in [
            ("https://example.com/webhook", "example.com"),
            ("https://EXAMPLE.com:443", "example.com"),
            ("http://example.com:443/", "example.com:443"),
            ("http://[::1]:8080/a?b=c", "[::1]:8080"),
            ("https://b\u{fc}cher.example/", "xn--bcher-kva.example"),
        ] {
            assert_eq!(host(url).as_deref(), Some(expected), "{url}");
        }
    }

    #[test]
    fn every_attempt_has_the_same_id_and_its_own_time_and_signature() {
        let (first, second) = ("2026-01-30T10:32:45Z".parse().unwrap(), "2026-01-30T10:33:45Z".parse().unwrap());
        let claimed = claimed(&["secret"]);
        let (first, second) = (build(&claimed, first), build(&claimed, second));
        assert_eq!(value(&first, header::WEBHOOK_ID), value(&second, header::WEBHOOK_ID));
        assert_eq!(value(&first, header::WEBHOOK_TIMESTAMP), Some("1769769165"));
        assert_eq!(value(&second, header::WEBHOOK_TIMESTAMP), Some("1769769225"));
        for name in [header::SIGNATURE, header::WEBHOOK_SIGNATURE] {
            assert_ne!(value(&first, name), value(&second, name));
        }
    }

    #[test]
    fn the_signatures_are_those_of_the_bytes_sent() {
        let request = build(&claimed(&["new", "old"]), "2026-01-30T10:32:45Z".parse().unwrap());
        let [new, old] = ["new", "old"].map(|text| SigningSecret::parse(text).unwrap());
        let id = value(&request, header::WEBHOOK_ID).unwrap();
        let timestamp = value(&request, header::WEBHOOK_TIMESTAMP).unwrap();
        let standard = value(&request, header::WEBHOOK_SIGNATURE).unwrap();
        assert!(signature::verify_standard(&new, id, timestamp, &request.body, standard));
        assert!(signature::verify_standard(&old, id, timestamp, &request.body, standard));
        assert!(signature::verify_preclinical(&new, &request.body, value(&request, header::SIGNATURE).unwrap()));
    }
}
