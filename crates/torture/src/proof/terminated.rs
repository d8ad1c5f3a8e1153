//! The node is asked to end, as by every deployment.

use std::time::{Duration, Instant};

use super::{Load, Scene, in_time};
use crate::{
    dice::Dice,
    node::Node,
    outcome::Outcome,
    sink::Manner,
    site::{Ground, Site},
};

/// Limit of an attempt in these proofs.
const TIMEOUT: &str = "2s";

/// Attempts end within their own limit and five seconds, and so do the last answers; as long again for a machine that is busy.
const LIMIT: Duration = Duration::from_secs(14);

/// Asks the node to end that often during the load, and starts the next one.
///
/// Nothing is lost, nothing is sent twice, and each one ends with success within its limit.
pub async fn terminated(ground: &Ground, load: Load, times: usize) -> anyhow::Result<Outcome> {
    let dice = Dice::new(ground.seed, "terminated");
    let site = Site::create(ground, &[("REQUEST_TIMEOUT", TIMEOUT)]).await?;
    let (scene, mut node) = Scene::open(ground, site, Manner::Slow(Duration::from_millis(5)), load).await?;
    scene.producer.ask([node.url.as_str()]);
    let (mut slowest, mut failed) = (Duration::ZERO, Vec::new());
    for number in 0..times {
        let accepted = scene.producer.accepted();
        let share = (load.completions - accepted) / (times - number);
        let some = usize::try_from(dice.below(2 * share as u64 + 1))?;
        in_time("completions", scene.producer.until_accepted(accepted + some)).await?;
        tokio::time::sleep(dice.shorter_than(Duration::from_millis(15))).await;
        let (took, how) = end(node).await?;
        slowest = slowest.max(took);
        failed.extend((!how.success()).then(|| format!("it ended with {how}")));
        node = scene.site.start().await?;
        scene.producer.ask([node.url.as_str()]);
    }
    let outcome = scene.close(&node, "asked to end", format!("{times} × SIGTERM")).await?;
    let counted = format!("each ended within {:.1} s", slowest.as_secs_f64());
    let mut outcome = judge(outcome, slowest).without_duplicates().counting(counted);
    outcome.broken.extend(failed);
    Ok(outcome)
}

/// Asks a node to end whose attempts all hang.
///
/// It ends within its limit all the same, and the next one sends everything.
pub async fn silent_receiver(ground: &Ground, load: Load) -> anyhow::Result<Outcome> {
    let site = Site::create(ground, &[("REQUEST_TIMEOUT", TIMEOUT)]).await?;
    let (scene, node) = Scene::open(ground, site, Manner::Silent, load).await?;
    scene.producer.ask([node.url.as_str()]);
    in_time("completions", scene.producer.until_done()).await?;
    in_time("requests", scene.sink.until_arrived(load.completions.min(crate::proof::HELD))).await?;
    let (took, how) = end(node).await?;
    let node = scene.site.start().await?;
    scene.sink.behave(Manner::Good);
    let outcome = scene.close(&node, "asked to end, receiver hangs", "1 × SIGTERM".to_owned()).await?;
    let outcome = judge(outcome, took).counting(format!("ended within {:.1} s", took.as_secs_f64()));
    Ok(outcome.requiring(how.success(), || format!("it ended with {how}")))
}

async fn end(mut node: Node) -> anyhow::Result<(Duration, std::process::ExitStatus)> {
    let asked = Instant::now();
    node.signal("TERM").await?;
    let how = node.ended().await?;
    Ok((asked.elapsed(), how))
}

fn judge(outcome: Outcome, slowest: Duration) -> Outcome {
    outcome.requiring(slowest <= LIMIT, || format!("it took {} s to end", slowest.as_secs()))
}
