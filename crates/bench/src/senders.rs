//! Other senders, which the product is measured beside.
//!
//! A driver is one file in `senders/` and one line in [`all`]. It starts a sender, or finds one that runs, gives it an endpoint,
//! says how an event is posted to it, and checks at the sink what it sends.

mod naive;
mod svix;

use std::path::Path;

use anyhow::Context;
use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use preclinical_core::id::RunId;

pub(crate) use self::naive::serve as serve_naive;
use crate::{ground::Ground, process::Server, sink::Verifier};

/// A sender with an endpoint that is the sink.
#[derive(Default)]
pub(crate) struct Started {
    /// Where events are posted to.
    pub(crate) base: String,
    /// What it signs with; the sink is told.
    pub(crate) secret: String,
    /// What whoever posts an event has to show, if it asks for something.
    pub(crate) key: String,
    /// Its process, if it was started for this: it is killed after the measurement.
    pub(crate) server: Option<Server>,
    /// The processes that it needs beside it, and the database that it stands on: they are ended after it.
    pub(crate) beside: Vec<Server>,
    pub(crate) ground: Option<Ground>,
}

impl Started {
    /// Ends everything that was started.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        for server in self.server.into_iter().chain(self.beside) {
            server.kill().await?;
        }
        match self.ground {
            Some(ground) => ground.end().await,
            None => Ok(()),
        }
    }
}

/// A driver.
#[async_trait]
pub(crate) trait Sender: Send + Sync {
    /// As it is named on the command line and in the tables.
    fn name(&self) -> &'static str;

    /// Starts it on a new database in `folder`, on the same disk as the product's, with an endpoint that is `sink`.
    /// It must be set to be as durable as the product is: what it accepts is on the disk.
    async fn start(&self, folder: &Path, sink: &str) -> anyhow::Result<Started>;

    /// The request that has it send [`crate::sample::body`] of that run. A 2xx means that it accepted it.
    fn event(&self, started: &Started, run: RunId) -> anyhow::Result<Request<Full<Bytes>>>;

    /// What checks at the sink what it sends, by its secret, as a receiver of it should.
    fn verifier(&self, secret: &str) -> anyhow::Result<Verifier>;
}

/// All drivers.
pub(crate) fn all() -> Vec<Box<dyn Sender>> {
    vec![Box::new(naive::Naive), Box::new(svix::Svix)]
}

/// The driver of that name.
pub(crate) fn named(name: &str) -> anyhow::Result<Box<dyn Sender>> {
    all().into_iter().find(|sender| sender.name() == name).with_context(|| format!("there is no driver for {name}"))
}
