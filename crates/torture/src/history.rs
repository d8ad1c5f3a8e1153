//! What the product says of itself: every delivery with its attempts, read through its API.

use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use crate::api::Api;

/// The pause before the history is asked again.
const GLANCE: Duration = Duration::from_millis(50);

/// A delivery as the history shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: String,
    /// The run that it is about.
    pub run: String,
    /// Such as `delivered`.
    pub status: String,
    /// What each attempt was answered; `None` for one of which nobody knows.
    pub attempts: Vec<Option<u16>>,
}

/// Returns when nothing is pending. A node that is busy with other things may refuse for a while.
pub async fn until_settled(api: &Api, node: &str) {
    loop {
        let page = api.get(node, "/webhooks/deliveries?status=pending&limit=1").await;
        if page.is_ok_and(|page| page["deliveries"].as_array().is_some_and(Vec::is_empty)) {
            return;
        }
        tokio::time::sleep(GLANCE).await;
    }
}

/// Reads all of it.
pub async fn read(api: &Api, node: &str) -> anyhow::Result<Vec<Delivery>> {
    let (mut deliveries, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(node, &format!("/webhooks/deliveries?limit=100{cursor}")).await?;
        for shown in page["deliveries"].as_array().context("a page without deliveries")? {
            deliveries.push(read_one(api, node, shown).await?);
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(deliveries),
        }
    }
}

async fn read_one(api: &Api, node: &str, shown: &Value) -> anyhow::Result<Delivery> {
    let text = |name: &str| shown[name].as_str().map(str::to_owned).with_context(|| format!("a delivery without {name}"));
    let (id, run, status) = (text("id")?, text("run_id")?, text("status")?);
    // One attempt of what was delivered can only be the one that was answered so.
    if status == "delivered" && shown["attempt_count"] == 1 {
        return Ok(Delivery { id, run, status, attempts: vec![Some(200)] });
    }
    let whole = api.get(node, &format!("/webhooks/deliveries/{id}")).await?;
    let attempts = whole["attempts"].as_array().context("a delivery without attempts")?;
    let answer = |attempt: &Value| attempt["http_status"].as_u64().and_then(|status| u16::try_from(status).ok());
    Ok(Delivery { id, run, status, attempts: attempts.iter().map(answer).collect() })
}
