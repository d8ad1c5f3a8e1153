//! The first sender that comes to mind: a table, a commit for each event, and a loop that asks it every 50 ms what is to be sent.
//!
//! It keeps what the product keeps its promise with, and nothing else: no retries, no history, no limits. It signs in a way of its
//! own, so that it also shows what a driver has to do.

mod serving;

use std::path::Path;

use anyhow::ensure;
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::Full;
use preclinical_core::{id::RunId, secret::SigningSecret, signature};

pub(crate) use self::serving::serve;
use super::{Sender, Started};
use crate::{
    process::Server,
    sample,
    sink::{self, Genuine, Verifier},
    stage,
};

/// The header with the event's id, and the one with the signature of the body.
const ID: &str = "x-event-id";
const SIGNATURE: &str = "x-event-signature";

/// Its driver.
pub(super) struct Naive;

#[async_trait]
impl Sender for Naive {
    fn name(&self) -> &'static str {
        "naive"
    }

    async fn start(&self, folder: &Path, sink: &str) -> anyhow::Result<Started> {
        let mut command = stage::this_program()?;
        let server = Server::start(command.args(["naive", "--to", sink, "--file"]).arg(folder.join("naive.db"))).await?;
        let (base, secret) = (server.url.clone(), sample::SECRET.to_owned());
        Ok(Started { base, secret, server: Some(server), ..Started::default() })
    }

    fn event(&self, started: &Started, run: RunId) -> anyhow::Result<Request<Full<Bytes>>> {
        let url = format!("{}{}{run}", started.base, serving::EVENTS);
        Ok(Request::post(url).body(Full::new(sample::body(run)?))?)
    }

    fn verifier(&self, secret: &str) -> anyhow::Result<Verifier> {
        ensure!(!secret.is_empty(), "a secret is missing");
        let secret = SigningSecret::parse(secret)?;
        Ok(Box::new(move |headers, body| verify(&secret, headers, body)))
    }
}

fn verify(secret: &SigningSecret, headers: &HeaderMap, body: &[u8]) -> Result<Genuine, &'static str> {
    let value = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let given = value(SIGNATURE).ok_or("it has no x-event-signature")?;
    if !signature::verify_preclinical(secret, body, given) {
        return Err("its x-event-signature is wrong");
    }
    let id = value(ID).ok_or("it has no x-event-id")?;
    Ok(Genuine { webhook_id: id.to_owned(), run: sink::run_of(body)? })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;
    use crate::{
        client::{Api, HttpClient},
        process,
        sink::{PATH, Stats},
    };

    #[tokio::test]
    async fn every_event_becomes_one_webhook_that_its_own_verifier_finds_genuine() {
        let (sink, naive) = (process::listen().await.unwrap(), process::listen().await.unwrap());
        let [sink_url, base] = [&sink, &naive].map(|listener| format!("http://{}", listener.local_addr().unwrap()));
        let (folder, secret, to) = (tempfile::tempdir().unwrap(), sample::secret().unwrap(), format!("{sink_url}{PATH}"));
        let file = folder.path().join("naive.db");
        tokio::spawn(sink::serve(sink, Box::new(|secret| Naive.verifier(secret)), None));
        tokio::spawn(async move { serve(naive, to, &file, secret).await });
        let control = Api::new(&sink_url, "", 1).unwrap();
        control.post("/secret", &json!(sample::SECRET)).await.unwrap();
        let (client, started) = (HttpClient::new(1), Started { base, ..Started::default() });
        for _ in 0..150 {
            client.exchange(Naive.event(&started, sample::run_id()).unwrap()).await.unwrap();
        }
        let stats = control.get("/stats?distinct=150").await.unwrap();
        serde_json::from_value::<Stats>(stats).unwrap().judge(150).unwrap();
    }

    #[tokio::test]
    async fn a_sink_that_was_told_no_secret_finds_nothing_genuine() {
        let listener = process::listen().await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(sink::serve(listener, Box::new(|secret| Naive.verifier(secret)), None));
        let control = Api::new(&url, "", 1).unwrap();
        assert!(control.post(PATH, &json!({})).await.is_err());
        assert!(control.post("/secret", &json!("")).await.is_err(), "no secret");
        let stats: Stats = serde_json::from_value(control.get("/stats?distinct=1").await.unwrap()).unwrap();
        assert_eq!((stats.distinct, stats.wrong), (0, 1), "{stats:?}");
    }

    #[test]
    fn what_it_signs_is_genuine_and_nothing_else_is() {
        let (run, secret) = (sample::run_id(), sample::secret().unwrap());
        let (body, verifier) = (sample::body(run).unwrap(), Naive.verifier(sample::SECRET).unwrap());
        let headers = |signed: &[u8]| {
            let pairs = [(ID, run.to_string()), (SIGNATURE, signature::preclinical(&secret, signed))];
            pairs.map(|(name, value)| (name.parse().unwrap(), HeaderValue::try_from(value).unwrap())).into_iter().collect()
        };
        let (right, wrong): (HeaderMap, HeaderMap) = (headers(&body), headers(b"something else"));
        assert_eq!(verifier(&right, &body), Ok(Genuine { webhook_id: run.to_string(), run: run.uuid() }));
        assert!(verifier(&wrong, &body).is_err());
        for name in [ID, SIGNATURE] {
            let mut without = right.clone();
            without.remove(name);
            assert!(verifier(&without, &body).is_err(), "{name}");
        }
    }
}
