//! What a careful receiver checks.

use http::HeaderMap;
use preclinical_core::{request::header, secret::SigningSecret, signature};
use serde::Deserialize;
use uuid::Uuid;

/// A webhook whose signatures are right.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Genuine {
    /// What its sender names it by: the same when it is repeated, and different from every other's.
    pub(crate) webhook_id: String,
    /// The run that it tells of.
    pub(crate) run: Uuid,
}

/// Checks a request by its headers and body, and reads what it is about; otherwise says what is wrong with it.
pub(crate) type Verifier = Box<dyn Fn(&HeaderMap, &[u8]) -> Result<Genuine, &'static str> + Send + Sync>;

#[derive(Deserialize)]
struct Payload {
    test_run: TestRun,
}

#[derive(Deserialize)]
struct TestRun {
    id: Uuid,
}

/// Checks both signatures and reads which run it is about.
pub(super) fn verify(secret: &SigningSecret, headers: &HeaderMap, body: &[u8]) -> Result<Genuine, &'static str> {
    let value = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let given = value(header::SIGNATURE).ok_or("it has no X-Preclinical-Signature")?;
    if !signature::verify_preclinical(secret, body, given) {
        return Err("its X-Preclinical-Signature is wrong");
    }
    let id = value(header::WEBHOOK_ID).ok_or("it has no webhook-id")?;
    let timestamp = value(header::WEBHOOK_TIMESTAMP).ok_or("it has no webhook-timestamp")?;
    let given = value(header::WEBHOOK_SIGNATURE).ok_or("it has no webhook-signature")?;
    if !signature::verify_standard(secret, id, timestamp, body, given) {
        return Err("its webhook-signature is wrong");
    }
    Ok(Genuine { webhook_id: id.to_owned(), run: run_of(body)? })
}

/// The run that a body tells of.
pub(crate) fn run_of(body: &[u8]) -> Result<Uuid, &'static str> {
    serde_json::from_slice(body).map(|payload: Payload| payload.test_run.id).map_err(|_| "its body tells of no run")
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use preclinical_core::{clock::Clock, request};

    use super::*;
    use crate::{sample, system::SystemClock};

    fn signed() -> (HeaderMap, bytes::Bytes, Uuid) {
        let (run, secret) = (sample::run_id(), sample::secret().unwrap());
        let claimed = sample::claimed(run, 1, sample::TALLY, "http://127.0.0.1/", &secret);
        let request = request::build(&claimed, SystemClock.now());
        let headers = request.headers.iter().map(|(name, value)| {
            (HeaderName::try_from(name.as_str()).unwrap(), HeaderValue::try_from(value.as_str()).unwrap())
        });
        (headers.collect(), request.body, run.uuid())
    }

    #[test]
    fn what_the_core_builds_is_genuine() {
        let (headers, body, run) = signed();
        assert_eq!(verify(&sample::secret().unwrap(), &headers, &body).unwrap().run, run);
    }

    #[test]
    fn either_signature_alone_is_not_enough() {
        let secret = sample::secret().unwrap();
        for name in [header::SIGNATURE, header::WEBHOOK_SIGNATURE] {
            let (mut headers, body, _) = signed();
            let (other, _, _) = signed();
            headers.insert(name, other[name].clone());
            assert!(verify(&secret, &headers, &body).is_err(), "{name} of another request");
            headers.remove(name);
            assert!(verify(&secret, &headers, &body).is_err(), "no {name}");
        }
    }
}
