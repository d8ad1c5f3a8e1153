//! Why a receiver does not find the signature that it was sent: its secret, or its body.
//!
//! Nothing of a secret leaves this module: what it answers names the mistake and never a text.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    attempt::Message,
    request::header,
    secret::{MAX_SECRET_BYTES, SigningSecret},
    signature,
};

/// What a receiver knows, held against what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureCheck {
    /// What is wrong with the secret, if anything is.
    pub secret: SecretFinding,
    /// `X-Preclinical-Signature` under the secret as it was given.
    pub preclinical: HeaderFinding,
    /// `webhook-signature` under the secret as it was given.
    pub standard: HeaderFinding,
    /// What is wrong with the body, if one was given and it is another than the one that was sent.
    pub body: Option<BodyDifference>,
}

/// What is known of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretFinding {
    /// The request was not signed: the webhook had no secret.
    NotSigned,
    /// It is the one that the request was signed with.
    Right,
    /// It is the one that was rotated out: it still signs `webhook-signature`, behind the new one.
    RotatedOut,
    /// It stands for the same bytes, which is enough for `webhook-signature` and not for the other header.
    SameKey,
    /// It would be right in another spelling.
    Misspelt(Spelling),
    /// The request was signed with another one.
    Wrong,
}

/// How a secret can be the right one and yet not it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// White space around it.
    Spaced,
    /// Quotation marks around it.
    Quoted,
    /// Without the `whsec_` that it begins with.
    WithoutPrefix,
    /// With a `whsec_` that it does not begin with.
    WithPrefix,
    /// The bytes that `whsec_…` stands for, as text.
    Decoded,
    /// The base64 of its text.
    Encoded,
}

/// Whether a signature is what a secret makes of the body that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFinding {
    /// The header was not sent.
    Missing,
    /// It is.
    Matches,
    /// It is not.
    Differs,
}

/// How a body differs from the one that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyDifference {
    /// Nothing arrived.
    Empty,
    /// White space was added or taken away around it, line breaks at the end among it.
    Surrounded,
    /// Line breaks have another spelling.
    LineBreaks,
    /// It is the same JSON, written anew: other white space, order or numbers.
    Reserialized,
    /// It ends too early, after that many bytes.
    CutOff(usize),
    /// It is another one, from that byte on, counted from 0.
    Other(usize),
}

/// Holds what a receiver knows against a request that was sent. Line breaks of a body count as they are.
pub fn check(sent: &Message, secret: &str, received: Option<&[u8]>) -> SignatureCheck {
    let signed = Signed::of(sent);
    SignatureCheck {
        secret: signed.judge(secret),
        preclinical: HeaderFinding::of(signed.preclinical, |_| signed.preclinical_matches(secret)),
        standard: HeaderFinding::of(signed.standard, |_| signed.place_of(secret).is_some()),
        body: received.and_then(|received| difference(&sent.body, received)),
    }
}

impl HeaderFinding {
    fn of(value: Option<&str>, matches: impl FnOnce(&str) -> bool) -> Self {
        match value.map(matches) {
            None => Self::Missing,
            Some(true) => Self::Matches,
            Some(false) => Self::Differs,
        }
    }
}

/// What of a request its signatures are made of.
struct Signed<'a> {
    preclinical: Option<&'a str>,
    standard: Option<&'a str>,
    id: &'a str,
    timestamp: &'a str,
    body: &'a [u8],
}

impl<'a> Signed<'a> {
    fn of(sent: &'a Message) -> Self {
        let value = |name: &str| {
            let found = sent.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.as_str())
        };
        Self {
            preclinical: value(header::SIGNATURE),
            standard: value(header::WEBHOOK_SIGNATURE),
            id: value(header::WEBHOOK_ID).unwrap_or_default(),
            timestamp: value(header::WEBHOOK_TIMESTAMP).unwrap_or_default(),
            body: &sent.body,
        }
    }

    fn judge(&self, secret: &str) -> SecretFinding {
        if self.preclinical.is_none() && self.standard.is_none() {
            return SecretFinding::NotSigned;
        }
        let near = |is_it: &dyn Fn(&str) -> bool| {
            spellings(secret)
                .into_iter()
                .find(|(_, text)| is_it(text))
                .map(|(spelling, _)| SecretFinding::Misspelt(spelling))
        };
        // The key of one header is the text of the secret, so it tells spellings apart; the other's may be what the text stands for.
        let is_current = |text: &str| self.preclinical_matches(text);
        let is_old = |text: &str| self.place_of(text).is_some_and(|place| place > 0);
        let is_given = |is_it: bool, finding| is_it.then_some(finding);
        is_given(is_current(secret), SecretFinding::Right)
            .or_else(|| near(&is_current))
            .or_else(|| is_given(is_old(secret), SecretFinding::RotatedOut))
            .or_else(|| near(&is_old))
            .or_else(|| is_given(self.place_of(secret).is_some(), SecretFinding::SameKey))
            .unwrap_or(SecretFinding::Wrong)
    }

    fn preclinical_matches(&self, secret: &str) -> bool {
        let Ok(secret) = SigningSecret::parse(secret) else { return false };
        self.preclinical.is_some_and(|value| signature::verify_preclinical(&secret, self.body, value))
    }

    /// Which of the signatures in `webhook-signature` the secret makes.
    fn place_of(&self, secret: &str) -> Option<usize> {
        let secret = SigningSecret::parse(secret).ok()?;
        let is_made = |given| signature::verify_standard(&secret, self.id, self.timestamp, self.body, given);
        self.standard?.split(' ').position(is_made)
    }
}

/// What somebody may have meant, the simplest mistake first.
fn spellings(text: &str) -> Vec<(Spelling, String)> {
    let trimmed = text.trim();
    let bare = trimmed.trim_matches(['"', '\'', '`']);
    let encoded = || STANDARD.encode(bare);
    let decoded = STANDARD.decode(bare).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let mut spellings = vec![
        (Spelling::Spaced, trimmed.to_owned()),
        (Spelling::Quoted, bare.to_owned()),
        (Spelling::WithoutPrefix, format!("whsec_{bare}")),
    ];
    spellings.extend(bare.strip_prefix("whsec_").map(|rest| (Spelling::WithPrefix, rest.to_owned())));
    if bare.len() <= MAX_SECRET_BYTES {
        spellings.push((Spelling::Decoded, format!("whsec_{}", encoded())));
    }
    spellings.extend(decoded.map(|text| (Spelling::Encoded, text)));
    spellings
}

/// How a body differs from the one that was sent; `None` if it does not.
fn difference(sent: &[u8], received: &[u8]) -> Option<BodyDifference> {
    if sent == received {
        return None;
    }
    let first = sent.iter().zip(received).take_while(|(sent, received)| sent == received).count();
    Some(if received.is_empty() {
        BodyDifference::Empty
    } else if sent.trim_ascii() == received.trim_ascii() {
        BodyDifference::Surrounded
    } else if with_plain_breaks(sent) == with_plain_breaks(received) {
        BodyDifference::LineBreaks
    } else if is_same_json(sent, received) {
        BodyDifference::Reserialized
    } else if first == received.len() {
        BodyDifference::CutOff(first)
    } else {
        BodyDifference::Other(first)
    })
}

fn with_plain_breaks(body: &[u8]) -> Vec<u8> {
    let breaks = |pair: &[u8]| pair == b"\r\n";
    let is_kept = |index: &usize| !body.get(*index..index + 2).is_some_and(breaks);
    (0..body.len()).filter(is_kept).filter_map(|index| body.get(index).copied()).collect()
}

fn is_same_json(sent: &[u8], received: &[u8]) -> bool {
    let value = |body| serde_json::from_slice::<serde_json::Value>(body).ok();
    value(sent).is_some_and(|sent| value(received).is_some_and(|received| is_same_value(&sent, &received)))
}

/// The same, with numbers by their value: another serializer writes `85.0` as `85`.
fn is_same_value(sent: &serde_json::Value, received: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};

    match (sent, received) {
        (Number(sent), Number(received)) => sent == received || sent.as_f64() == received.as_f64(),
        (Array(sent), Array(received)) => {
            sent.len() == received.len() && sent.iter().zip(received).all(|(sent, received)| is_same_value(sent, received))
        }
        (Object(sent), Object(received)) => {
            let is_there = |(name, value)| received.get(name).is_some_and(|received| is_same_value(value, received));
            sent.len() == received.len() && sent.iter().all(is_there)
        }
        (sent, received) => sent == received,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &[u8] = br#"{"event":"test","pass_rate":85.0,"name":"caf\u00e9"}"#;
    const KEYED: &str = "whsec_c2VjcmV0LW9mLXRoZS10ZXN0cw==";

    fn sent(secrets: &[&str]) -> Message {
        let secrets: Vec<SigningSecret> = secrets.iter().map(|text| SigningSecret::parse(text).unwrap()).collect();
        let mut headers =
            vec![("webhook-id".to_owned(), "msg_1".to_owned()), ("webhook-timestamp".to_owned(), "7".to_owned())];
        if let Some(current) = secrets.first() {
            headers.push(("x-preclinical-signature".to_owned(), signature::preclinical(current, BODY)));
            headers.push(("webhook-signature".to_owned(), signature::standard(&secrets, "msg_1", 7, BODY)));
        }
        Message { headers: headers.into(), body: BODY.into(), size_bytes: BODY.len() as u64, truncated: false }
    }

    #[test]
    fn every_mistake_with_a_secret_is_told_by_its_name() {
        use SecretFinding::{Misspelt, NotSigned, Right, RotatedOut, SameKey, Wrong};
        use Spelling::{Decoded, Encoded, Quoted, Spaced, WithPrefix, WithoutPrefix};

        let table: [(&[&str], &str, SecretFinding); 18] = [
            (&[], "plain", NotSigned),
            (&["plain"], "plain", Right),
            (&[KEYED], KEYED, Right),
            (&["new", "old"], "new", Right),
            (&["new", "old"], "old", RotatedOut),
            (&["new", "old"], "older", Wrong),
            (&["plain"], "Plain", Wrong),
            (&["plain"], "", Wrong),
            (&["plain"], "plain\n", Misspelt(Spaced)),
            (&[KEYED], &format!("  {KEYED}"), Misspelt(Spaced)),
            (&["plain"], "\"plain\"", Misspelt(Quoted)),
            (&[KEYED], "c2VjcmV0LW9mLXRoZS10ZXN0cw==", Misspelt(WithoutPrefix)),
            (&["plain"], "whsec_plain", Misspelt(WithPrefix)),
            (&[KEYED], "whsec_c2VjcmV0LW9mLXRoZS10ZXN0cw", SameKey),
            (&[KEYED], "secret-of-the-tests", Misspelt(Decoded)),
            (&["plain"], "cGxhaW4=", Misspelt(Encoded)),
            (&["new", "old"], " old ", Misspelt(Spaced)),
            (&["plain"], "\0\n", Wrong),
        ];
        for (secrets, given, expected) in table {
            assert_eq!(check(&sent(secrets), given, None).secret, expected, "{given:?} for {secrets:?}");
        }
    }

    #[test]
    fn each_header_is_judged_by_itself() {
        use HeaderFinding::{Differs, Matches, Missing};

        let headers = |secrets: &[&str], given| {
            let check = check(&sent(secrets), given, None);
            (check.preclinical, check.standard)
        };
        assert_eq!(headers(&["new", "old"], "new"), (Matches, Matches));
        assert_eq!(headers(&["new", "old"], "old"), (Differs, Matches));
        assert_eq!(headers(&["new"], "old"), (Differs, Differs));
        assert_eq!(headers(&[], "old"), (Missing, Missing));
        // The key of one is the text, of the other what the text stands for.
        assert_eq!(headers(&[KEYED], "whsec_c2VjcmV0LW9mLXRoZS10ZXN0cw"), (Differs, Matches));
    }

    #[test]
    fn every_difference_of_a_body_is_told_by_its_name() {
        use BodyDifference::{CutOff, Empty, LineBreaks, Other, Reserialized, Surrounded};

        let table: [(&[u8], &[u8], Option<BodyDifference>); 13] = [
            (BODY, BODY, None),
            (BODY, b"", Some(Empty)),
            (b"{}", b"{}\n", Some(Surrounded)),
            (b"{}", b"{}\r\n", Some(Surrounded)),
            (b"{}", b" {}", Some(Surrounded)),
            (b"a\nb", b"a\r\nb", Some(LineBreaks)),
            (BODY, br#"{"event": "test", "pass_rate": 85.0, "name": "caf\u00e9"}"#, Some(Reserialized)),
            (BODY, "{\"event\":\"test\",\"pass_rate\":85.0,\"name\":\"café\"}".as_bytes(), Some(Reserialized)),
            (BODY, br#"{"name":"caf\u00e9","event":"test","pass_rate":85}"#, Some(Reserialized)),
            (BODY, br#"{"event":"te"#, Some(CutOff(12))),
            (BODY, br#"{"event":"tesT","pass_rate":85.0,"name":"caf\u00e9"}"#, Some(Other(13))),
            (b"{}", b"{}x", Some(Other(2))),
            (b"\xff\xfe", b"\xff", Some(CutOff(1))),
        ];
        for (sent, received, expected) in table {
            assert_eq!(difference(sent, received), expected, "{}", String::from_utf8_lossy(received));
        }
    }

    proptest! {
        #[test]
        fn whatever_is_given_is_judged(secret: String, sent_body: Vec<u8>, received: Vec<u8>) {
            let message = Message { body: sent_body.clone().into(), ..sent(&["plain"]) };
            let check = check(&message, &secret, Some(&received));
            prop_assert_eq!(check.body.is_none(), sent_body == received);
        }

        #[test]
        fn the_right_secret_is_right_whatever_it_is(secret in "[ -~]{1,80}") {
            prop_assert_eq!(check(&sent(&[&secret]), &secret, None).secret, SecretFinding::Right);
        }
    }
}
