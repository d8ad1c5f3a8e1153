//! The processes that stand around what is measured: the sink and the relay, as the load generator sees them.

use std::collections::HashMap;

use anyhow::Context;
use serde_json::json;
use tokio::process::Command;
use uuid::Uuid;

use crate::{
    client::Api,
    process::Server,
    sink::{self, Stats},
};

/// The key that the relay asks for.
const RELAY_KEY: &str = "sk_live_0123456789abcdefghijklmnopqrstuvwxyzABCD";

/// This program, to play another part.
pub(crate) fn this_program() -> anyhow::Result<Command> {
    Ok(Command::new(std::env::current_exe().context("this program cannot be found")?))
}

/// A sink in a process of its own.
pub(crate) struct Sink {
    server: Server,
    control: Api,
}

impl Sink {
    /// Starts a sink for the product's webhooks that has seen nothing.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::started(this_program()?.arg("sink")).await
    }

    /// The same for what another sender sends; it takes nothing before [`Self::expect_secret`].
    pub(crate) async fn start_for(sender: &str) -> anyhow::Result<Self> {
        Self::started(this_program()?.args(["sink", "--sender", sender])).await
    }

    async fn started(command: &mut Command) -> anyhow::Result<Self> {
        let server = Server::start(command).await?;
        let control = Api::new(&server.url, "", 1)?;
        Ok(Self { server, control })
    }

    /// Says what the other sender signs with.
    pub(crate) async fn expect_secret(&self, secret: &str) -> anyhow::Result<()> {
        self.control.post("/secret", &json!(secret)).await.map(drop)
    }

    /// Where webhooks go.
    pub(crate) fn url(&self) -> String {
        format!("{}{}", self.server.url, sink::PATH)
    }

    /// Waits for `expected` webhooks, each about a run of its own; anything wrong or repeated is an error.
    pub(crate) async fn all(&self, expected: usize) -> anyhow::Result<Stats> {
        let stats = self.control.get(&format!("/stats?distinct={expected}")).await?;
        let stats: Stats = serde_json::from_value(stats)?;
        stats.judge(expected)?;
        Ok(stats)
    }

    /// The counts as they are now.
    pub(crate) async fn stats(&self) -> anyhow::Result<Stats> {
        Ok(serde_json::from_value(self.control.get("/stats?distinct=0").await?)?)
    }

    /// When the first byte about each run came in, in microseconds since 1970.
    pub(crate) async fn arrivals(&self) -> anyhow::Result<HashMap<Uuid, i64>> {
        Ok(serde_json::from_value(self.control.get("/arrivals").await?)?)
    }

    /// Leaves requests without an answer from now on.
    pub(crate) async fn hold(&self) -> anyhow::Result<()> {
        self.control.post("/hold", &json!({})).await.map(drop)
    }

    /// Forgets all that was seen, and answers again.
    pub(crate) async fn forget(&self) -> anyhow::Result<()> {
        self.control.post("/forget", &json!({})).await.map(drop)
    }

    /// Ends the process.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        self.server.kill().await
    }
}

/// Starts a relay that sends to `sink`, with the API to call it by.
pub(crate) async fn relay(sink: &Sink, connections: usize) -> anyhow::Result<(Server, Api)> {
    let mut command = this_program()?;
    let server = Server::start(command.args(["relay", "--to", &sink.url(), "--key", RELAY_KEY])).await?;
    let api = Api::new(&server.url, RELAY_KEY, connections)?;
    Ok((server, api))
}
