//! Who completes the runs, over several connections, until each one was accepted, and writes down what it was told.
//!
//! A call without an answer leaves open whether it was carried out; it is made again. An answer other than success, "already
//! final" to such a call, or 503 is written down as wrong.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{Method, StatusCode};
use serde_json::json;
use tokio::{sync::watch, task::JoinSet};

use crate::api::{Answer, Api};

/// The pause after a call that came to nothing. Shorter than the second that the product asks for, and so harder on it.
const PAUSE: Duration = Duration::from_millis(100);

/// What the producer asked for and was told.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// Runs whose completion was asked for.
    pub asked: BTreeSet<String>,
    /// Runs whose completion was acknowledged.
    pub accepted: BTreeSet<String>,
    /// How often a call ended without an answer.
    pub unanswered: usize,
    /// How often the answer was 503 with the documented code.
    pub unavailable: usize,
    /// Answers that make no sense.
    pub wrong: Vec<String>,
}

/// The producer; it ends when it is dropped.
pub struct Producer {
    shared: Arc<Shared>,
    _workers: JoinSet<()>,
}

struct Shared {
    api: Api,
    /// The nodes that may be asked.
    nodes: watch::Sender<Vec<String>>,
    left: Mutex<VecDeque<String>>,
    book: Mutex<Book>,
    accepted: watch::Sender<usize>,
    refused: watch::Sender<usize>,
    all: usize,
}

impl Producer {
    /// Begins, as soon as there is a node, to complete these runs over that many connections.
    pub fn start(api: Api, runs: Vec<String>, connections: usize) -> Self {
        let shared = Arc::new(Shared {
            api,
            nodes: watch::Sender::new(Vec::new()),
            all: runs.len(),
            left: Mutex::new(runs.into()),
            book: Mutex::default(),
            accepted: watch::Sender::new(0),
            refused: watch::Sender::new(0),
        });
        let mut workers = JoinSet::new();
        for number in 0..connections {
            workers.spawn(work(Arc::clone(&shared), number));
        }
        Self { shared, _workers: workers }
    }

    /// Asks these nodes from now on; none of them: asks nobody.
    pub fn ask<'a>(&self, nodes: impl IntoIterator<Item = &'a str>) {
        self.shared.nodes.send_replace(nodes.into_iter().map(str::to_owned).collect());
    }

    /// How many were accepted so far.
    pub fn accepted(&self) -> usize {
        *self.shared.accepted.borrow()
    }

    /// Returns when that many were accepted in all, or everything was.
    pub async fn until_accepted(&self, count: usize) {
        let count = count.min(self.shared.all);
        let _ = self.shared.accepted.subscribe().wait_for(|accepted| *accepted >= count).await;
    }

    /// Returns when every run was accepted.
    pub async fn until_done(&self) {
        self.until_accepted(usize::MAX).await;
    }

    /// Returns when that many calls were answered with 503 in all.
    pub async fn until_refused(&self, count: usize) {
        let _ = self.shared.refused.subscribe().wait_for(|refused| *refused >= count).await;
    }

    /// What it asked for and was told so far.
    pub fn book(&self) -> Book {
        lock(&self.shared.book).clone()
    }
}

async fn work(shared: Arc<Shared>, number: usize) {
    let mut nodes = shared.nodes.subscribe();
    loop {
        let asked = match nodes.wait_for(|nodes| !nodes.is_empty()).await {
            Ok(nodes) => nodes[number % nodes.len()].clone(),
            Err(_) => return,
        };
        let Some(run) = lock(&shared.left).pop_front() else {
            // Another worker may give one back.
            if *shared.accepted.borrow() == shared.all {
                return;
            }
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let is_first = lock(&shared.book).asked.insert(run.clone());
        let path = format!("/runs/{run}/complete");
        let answer = shared.api.call(&asked, Method::POST, &path, Some(&json!({}))).await;
        if !shared.note(&run, is_first, answer) {
            lock(&shared.left).push_back(run);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Shared {
    /// Whether the run was accepted.
    fn note(&self, run: &str, is_first: bool, answer: anyhow::Result<Answer>) -> bool {
        let mut book = lock(&self.book);
        match answer {
            Err(_) => {
                book.unanswered += 1;
                return false;
            }
            Ok(answer) if answer.status == StatusCode::SERVICE_UNAVAILABLE && answer.body["code"] == "UNAVAILABLE" => {
                book.unavailable += 1;
                self.refused.send_modify(|refused| *refused += 1);
                return false;
            }
            Ok(answer) if answer.status == StatusCode::OK => {}
            // It was accepted while its answer got lost.
            Ok(answer) if !is_first && answer.body["code"] == "INVALID_STATE" => {}
            Ok(answer) => {
                book.wrong.push(format!("{run}: {} {}", answer.status, answer.body));
                if answer.body["code"] != "INVALID_STATE" {
                    return false;
                }
            }
        }
        book.accepted.insert(run.to_owned());
        self.accepted.send_replace(book.accepted.len());
        true
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
