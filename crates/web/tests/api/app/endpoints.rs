//! The endpoints of agents, without a network.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use preclinical_core::{
    attempt::{AttemptError, ErrorKind},
    port::{ProbeAnswer, Prober},
};

/// By URL and key.
type Answers = BTreeMap<(String, Option<String>), ProbeAnswer>;

/// What answers where; clones share it. What nobody opened is refused as a forbidden address is.
#[derive(Clone, Default)]
pub(crate) struct Endpoints(Arc<Mutex<Answers>>, Arc<Mutex<BTreeSet<String>>>);

impl Endpoints {
    /// From now on a `GET` of that URL is never answered.
    pub(crate) fn hang(&self, url: &str) {
        self.1.lock().unwrap().insert(url.to_owned());
    }

    /// From now on a `GET` of that URL under that key is answered so.
    pub(crate) fn open(&self, url: &str, key: Option<&str>, status: u16, body: &str) {
        let answer = ProbeAnswer { status, body: body.to_owned().into() };
        self.0.lock().unwrap().insert((url.to_owned(), key.map(str::to_owned)), answer);
    }
}

#[async_trait]
impl Prober for Endpoints {
    async fn get(&self, url: &str, bearer: Option<&str>) -> Result<ProbeAnswer, AttemptError> {
        let hangs = self.1.lock().unwrap().contains(url);
        if hangs {
            std::future::pending::<()>().await;
        }
        let answer = self.0.lock().unwrap().get(&(url.to_owned(), bearer.map(str::to_owned))).cloned();
        answer.ok_or_else(|| AttemptError { kind: ErrorKind::Blocked, message: "blocked: on purpose".to_owned() })
    }
}
