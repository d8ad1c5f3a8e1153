//! `demo`: the whole service on this machine, with real runs going through it.

mod history;
mod script;

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, bail};
use clap::Args;
use preclinical_core::{
    address::AddressPolicy, endpoint::EndpointPolicy, retry::RetrySchedule, secret::SigningSecret, vault::MasterKey,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc};

use crate::{
    client::ApiClient,
    config::{Config, Location},
    delivering::Sends,
    invitations::{self, Link},
    keys,
    listen::render,
    master_key::KeySource,
    receiver::{self, Manners, Received, Script},
    serve::{self, Server},
    system::SystemChance,
    terminal::{FAINT, GOOD, NOTE, STRONG, Styled, say},
};

/// How the demo runs.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DemoArgs {
    /// End by itself; with status 0 only if every delivery arrived and was verified
    #[arg(long)]
    once: bool,
}

const EXAMPLES: &str = "Nothing is kept: the database lies in a temporary folder, and all addresses are on 127.0.0.1.

Examples:
  preclinical-webhooks demo
  preclinical-webhooks demo --once && echo works";

/// The waits before retries, instead of minutes.
const SCHEDULE: [&str; 2] = ["1s,2s,4s", "1, 2 and 4 seconds instead of 1, 5 and 30 minutes"];

/// How long all deliveries may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Shows everything; stays up until Ctrl-C unless told otherwise.
pub(crate) async fn run(args: DemoArgs) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("there is no room for temporary files")?;
    let database = folder.path().join("demo.db");
    let config = config(database)?;
    let key = keys::create_in(&config, "demo".to_owned()).await?;
    let server = Server::start(config, Sends::WhatIsDue).await?;
    let url = format!("http://{}", server.address);
    let client = ApiClient::new(&url.parse()?, key.expose())?;
    say(format_args!("{} on {url}, with an embedded store in {}", Styled(STRONG, "Server"), folder.path().display()));

    let outcome = tokio::select! {
        outcome = show(&client) => outcome,
        signal = serve::wait_for_signal() => signal.and_then(|()| bail!("ended before everything was delivered")),
    };
    match outcome {
        Ok(mut incoming) if !args.once => {
            invite(&url, key.expose(), server.setup.as_ref());
            stay(&mut incoming).await?;
        }
        Ok(_) => {}
        Err(error) => {
            server.stop().await?;
            return Err(error);
        }
    }
    server.stop().await
}

fn config(database: std::path::PathBuf) -> anyhow::Result<Config> {
    let schedule: RetrySchedule = SCHEDULE[0].parse()?;
    Ok(Config {
        listen: ([127, 0, 0, 1], 0).into(),
        database: Location::File(database),
        master_key: KeySource::Given(MasterKey::generate(&SystemChance)),
        public_url: None,
        schedule,
        request_timeout: Duration::from_secs(15),
        lease_margin: Duration::from_secs(30),
        retention: None,
        patience: None,
        endpoints: EndpointPolicy {
            addresses: AddressPolicy { allow: vec!["127.0.0.0/8".parse()?], deny: Vec::new() },
            ..EndpointPolicy::default()
        },
        proxy: None,
        rate_limit: None,
        log: tracing_subscriber::filter::Targets::new(),
    })
}

/// Sets up agents and webhooks, lets the runs go through, and checks that all of them arrived.
async fn show(client: &ApiClient) -> anyhow::Result<mpsc::Receiver<Received>> {
    let (sender, mut incoming) = mpsc::channel(64);
    let steady = start_receiver(Script::default(), sender.clone()).await?;
    let shaky = start_receiver("503x2".parse().map_err(anyhow::Error::msg)?, sender).await?;
    let triage = create_agent(client, "Triage agent").await?;
    let scheduling = create_agent(client, "Scheduling agent").await?;
    let default = json!({"url": steady.url, "secret": steady.secret.expose()});
    client.post("/webhooks", &default).await?;
    let own = json!({"url": shaky.url, "secret": shaky.secret.expose(), "agent_id": scheduling});
    client.post("/webhooks", &own).await?;
    say(format_args!("{} of the organization: {}", Styled(STRONG, "Webhook"), steady.url));
    say(format_args!(
        "{} of the Scheduling agent: {}, which fails twice before it answers 200",
        Styled(STRONG, "Webhook"),
        shaky.url
    ));
    say(Styled(NOTE, format_args!("Retries are made after {}.", SCHEDULE[1])));

    let mut waiting = BTreeSet::new();
    for run in script::runs(&triage, &scheduling) {
        waiting.insert(script::play(client, &run).await?);
    }
    let all_arrive = async {
        while !waiting.is_empty() {
            let received = incoming.recv().await.context("the receivers ended")?;
            say(render::as_text(&received));
            if received.answered.is_success() && received.checks.verified() {
                waiting.remove(&run_of(&received));
            }
        }
        Ok::<_, anyhow::Error>(())
    };
    tokio::time::timeout(PATIENCE, all_arrive).await.context("not every webhook arrived verified within a minute")??;
    history::show(client).await?;
    Ok(incoming)
}

struct Place {
    url: String,
    secret: SigningSecret,
}

/// A receiver with a secret of its own, whose webhooks go into the common channel.
async fn start_receiver(script: Script, to: mpsc::Sender<Received>) -> anyhow::Result<Place> {
    let secret = SigningSecret::parse(&format!("demo-{}", uuid::Uuid::from_u128(rand::random())))?;
    let manners = Manners { secret: Some(secret.clone()), script, delay: Duration::ZERO };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let (address, mut incoming) = receiver::serve(listener, manners)?;
    tokio::spawn(async move {
        while let Some(received) = incoming.recv().await {
            if to.send(received).await.is_err() {
                return;
            }
        }
    });
    Ok(Place { url: format!("http://{address}/webhook"), secret })
}

async fn create_agent(client: &ApiClient, name: &str) -> anyhow::Result<String> {
    let agent = client.post("/agents", &json!({"provider": "openai", "name": name, "config": {}})).await?;
    Ok(agent["id"].as_str().context("the agent has no id")?.to_owned())
}

fn run_of(received: &Received) -> String {
    let body: Value = serde_json::from_slice(&received.body).unwrap_or_default();
    body["test_run"]["id"].as_str().unwrap_or_default().to_owned()
}

fn invite(url: &str, key: &str, setup: Option<&Link>) {
    say(format_args!("\n{}", Styled(STRONG, "Try it yourself")));
    if let Some(link) = setup {
        say(format_args!("  Pages: {}  ({})", link.url(), invitations::terms()));
    }
    say(format_args!("  export PRECLINICAL_API_URL={url} PRECLINICAL_API_KEY={key}"));
    say("  preclinical-webhooks report results.xml --agent \"Triage agent\"");
    say(format_args!("  curl -H \"Authorization: Bearer $PRECLINICAL_API_KEY\" {url}/api/v1/webhooks/deliveries"));
    say(format_args!("  curl -H \"Authorization: Bearer $PRECLINICAL_API_KEY\" {url}/api/v1/runs/TR-00001/results"));
    say(Styled(FAINT, "Webhooks that arrive are shown here; Ctrl-C ends, and nothing is kept."));
}

async fn stay(incoming: &mut mpsc::Receiver<Received>) -> anyhow::Result<()> {
    let show = async {
        while let Some(received) = incoming.recv().await {
            say(render::as_text(&received));
        }
    };
    tokio::select! {
        () = show => say(Styled(GOOD, "done")),
        signal = serve::wait_for_signal() => signal?,
    }
    Ok(())
}
