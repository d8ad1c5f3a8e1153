//! What the server remembers of it, checked and shown.

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::{
    client::ApiClient,
    terminal::{BAD, FAINT, GOOD, STRONG, Styled, printable, say},
};

/// How often, and in what steps, the last records are waited for: a receiver has its answer out before ours is on disk.
const LOOKS: u32 = 50;
const STEP: Duration = Duration::from_millis(100);

/// Prints every delivery with its attempts. An error if one is not delivered.
pub(super) async fn show(client: &ApiClient) -> anyhow::Result<()> {
    let deliveries = settled(client).await?;
    say(format_args!("\n{}", Styled(STRONG, "Delivery history, newest first")));
    for delivery in &deliveries {
        let text = |name: &str| printable(delivery[name].as_str().unwrap_or("-"));
        say(format_args!("  {}  {}  {}", text("test_run_id"), status(delivery), text("url")));
        let detail = client.get(&format!("/webhooks/deliveries/{}", text("id"))).await?;
        for attempt in detail["attempts"].as_array().into_iter().flatten() {
            let started = printable(attempt["started_at"].as_str().unwrap_or("-"));
            let answer = attempt["http_status"].as_u64().map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            let line = format!("    {}. {started}  {answer} in {} ms", attempt["number"], attempt["duration_ms"]);
            say(Styled(FAINT, line));
        }
    }
    if let Some(lost) = deliveries.iter().find(|delivery| delivery["status"] != "delivered") {
        bail!("the delivery of {} is {}", lost["test_run_id"], lost["status"]);
    }
    say(Styled(GOOD, format_args!("{} of {} delivered and verified", deliveries.len(), deliveries.len())));
    Ok(())
}

fn status(delivery: &Value) -> String {
    let status = printable(delivery["status"].as_str().unwrap_or("-"));
    Styled(if status == "delivered" { GOOD } else { BAD }, status).to_string()
}

async fn settled(client: &ApiClient) -> anyhow::Result<Vec<Value>> {
    let mut deliveries = Vec::new();
    for _ in 0..LOOKS {
        let page = client.get("/webhooks/deliveries?limit=100").await?;
        deliveries = page["deliveries"].as_array().context("the history cannot be read")?.clone();
        if deliveries.iter().all(|delivery| delivery["status"] != "pending") {
            break;
        }
        tokio::time::sleep(STEP).await;
    }
    Ok(deliveries)
}
