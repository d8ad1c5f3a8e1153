//! `listen`: a receiver to try webhooks with.

pub(crate) mod render;

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use preclinical_core::{retry::parse_duration, secret::SigningSecret};
use tokio::net::TcpListener;
use url::Url;

use crate::{
    client::HttpClient,
    receiver::{self, Manners, Received, Script},
    terminal::{FAINT, GOOD, NOTE, Styled, say, say_aside},
};

/// How a receiver is started.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ListenArgs {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 4000)]
    port: u16,
    /// Signing secret to verify with (visible to others on this machine; better in the environment)
    #[arg(long, env = "PRECLINICAL_WEBHOOK_SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// Answer the first requests with failures: 503x2 is "503 twice"
    #[arg(long, value_name = "STATUSxTIMES")]
    fail: Option<Script>,
    /// Take this long for every answer
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    delay: Option<Duration>,
    /// Pass every request that was accepted on to this address, as it came
    #[arg(long, value_name = "URL")]
    forward: Option<Url>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  preclinical-webhooks listen
  PRECLINICAL_WEBHOOK_SECRET=whsec_… preclinical-webhooks listen --port 4000
  preclinical-webhooks listen --fail 503x2 --delay 2s
  preclinical-webhooks listen --json | jq .body.test_run.pass_rate";

/// Receives until Ctrl-C.
pub(crate) async fn run(args: ListenArgs) -> anyhow::Result<()> {
    let secret = args.secret.as_deref().map(SigningSecret::parse).transpose().context("--secret")?;
    if let Some(url) = &args.forward
        && !matches!(url.scheme(), "http" | "https")
    {
        bail!("--forward must be an http or https URL");
    }
    let forward = args.forward.map(|url| Ok::<_, anyhow::Error>((HttpClient::new()?, url))).transpose()?;
    let listener =
        TcpListener::bind(("127.0.0.1", args.port)).await.with_context(|| format!("cannot listen on port {}", args.port))?;
    let has_secret = secret.is_some();
    let manners = Manners { secret, script: args.fail.unwrap_or_default(), delay: args.delay.unwrap_or_default() };
    let (address, mut incoming) = receiver::serve(listener, manners)?;
    announce(&format!("http://{address}"), has_secret, args.json);
    loop {
        let received = tokio::select! {
            received = incoming.recv() => received,
            stop = crate::serve::wait_for_signal() => return stop,
        };
        let Some(received) = received else { return Ok(()) };
        say(if args.json { render::as_json(&received) } else { render::as_text(&received) });
        if let Some((client, url)) = &forward
            && received.answered.is_success()
        {
            pass_on(client, url, received).await;
        }
    }
}

fn announce(address: &str, has_secret: bool, json: bool) {
    if json {
        return say_aside(format_args!("listening on {address}"));
    }
    say(format_args!("{} on {address}", Styled(GOOD, "listening")));
    if !has_secret {
        say(Styled(NOTE, "no secret given: signatures are shown, not checked (--secret)"));
    }
    say(Styled(FAINT, "the server calls this address only if its PRECLINICAL_ALLOW_CIDRS has 127.0.0.0/8; Ctrl-C ends"));
}

async fn pass_on(client: &HttpClient, url: &Url, received: Received) {
    match client.forward(url, &received.headers, received.body).await {
        Ok(status) => say_aside(format_args!("  passed on: {status}")),
        Err(error) => say_aside(format_args!("  not passed on: {error:#}")),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "must be such as 500ms, 2s or 1m".to_owned())
}
