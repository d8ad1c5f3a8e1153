//! The client alone: the bytes are ready, nothing is stored, nothing is decided.

use std::{sync::Arc, time::Instant};

use http::Uri;
use preclinical_core::{clock::Clock, request};

use super::Throughput;
use crate::{
    client::{HttpClient, IDLE_PER_HOST},
    load,
    plan::Plan,
    sample,
    stage::Sink,
    system::SystemClock,
};

/// From the first request to the last answer.
pub(super) async fn measure(plan: &Plan) -> anyhow::Result<Throughput> {
    let sink = Sink::start().await?;
    let (url, secret) = (sink.url(), sample::secret()?);
    let webhooks: Vec<_> = (1..)
        .take(plan.sizes.deliveries)
        .map(|number| sample::claimed(sample::run_id(), number, sample::TALLY, &url, &secret))
        .map(|claimed| request::build(&claimed, SystemClock.now()))
        .collect();
    let (webhooks, to): (_, Uri) = (Arc::new(webhooks), url.parse()?);
    let client = HttpClient::new(IDLE_PER_HOST.max(plan.connections));

    let started = Instant::now();
    load::closed(plan.sizes.deliveries, plan.connections, move |index| {
        let (client, webhooks, to) = (client.clone(), Arc::clone(&webhooks), to.clone());
        async move { client.deliver(&to, &webhooks[index]).await }
    })
    .await?;
    let took = started.elapsed();

    sink.all(plan.sizes.deliveries).await?;
    sink.end().await?;
    Ok(Throughput::of(plan.sizes.deliveries, took, None))
}
