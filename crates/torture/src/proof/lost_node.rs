//! One of two nodes dies.

use std::time::{Duration, Instant};

use super::{Load, Scene, in_time};
use crate::{
    history,
    outcome::Outcome,
    sink::Manner,
    site::{Ground, Site},
};

/// Kills one of two nodes in the middle of its attempts, while nobody answers them.
///
/// The other one sends everything within the limit, and only what the dead one had cut off is sent again.
pub async fn lost_node(ground: &Ground, load: Load, limit: Duration) -> anyhow::Result<Outcome> {
    let site = Site::create(ground, &[]).await?;
    let (scene, lost) = Scene::open(ground, site, Manner::Silent, load).await?;
    let other = scene.site.spawn("other")?.ready().await?;
    scene.producer.ask([lost.url.as_str()]);
    in_time("completions", scene.producer.until_done()).await?;
    in_time("requests", scene.sink.until_arrived(load.completions.min(100))).await?;
    lost.kill().await?;
    let killed = Instant::now();
    scene.sink.behave(Manner::Good);
    in_time("deliveries", history::until_settled(&scene.api, &other.url)).await?;
    let took = killed.elapsed();
    let outcome = scene.close(&other, "one of two nodes killed", "1 × SIGKILL".to_owned()).await?;
    let outcome = outcome.counting(format!("everything sent after {:.1} s", took.as_secs_f64()));
    Ok(outcome.requiring(took <= limit, || format!("it took {} s until everything was sent", took.as_secs())))
}
