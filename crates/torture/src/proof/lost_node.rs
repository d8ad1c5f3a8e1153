//! A node dies in the middle of its attempts.

use std::time::{Duration, Instant};

use super::{Load, Scene, in_time};
use crate::{
    history,
    outcome::Outcome,
    sink::Manner,
    site::{Ground, Site, Store},
};

/// Kills a node in the middle of its attempts, while nobody answers them. Another one takes over: on PostgreSQL it runs already,
/// the embedded store has it started afterwards.
///
/// It sends everything within the limit, and only what the dead one had cut off is sent again.
pub async fn lost_node(ground: &Ground, load: Load, limit: Duration) -> anyhow::Result<Outcome> {
    let site = Site::create(ground, &[]).await?;
    let (scene, lost) = Scene::open(ground, site, Manner::Silent, load).await?;
    let is_shared = ground.store == Store::Postgres;
    let beside = if is_shared { Some(scene.site.spawn("other")?.ready().await?) } else { None };
    scene.producer.ask([lost.url.as_str()]);
    in_time("completions", scene.producer.until_done()).await?;
    in_time("requests", scene.sink.until_arrived(load.completions.min(crate::proof::HELD))).await?;
    lost.kill().await?;
    scene.sink.behave(Manner::Good);
    let (other, since, did) = match beside {
        Some(other) => (other, Instant::now(), "SIGKILL, the other node takes over"),
        None => (scene.site.start().await?, Instant::now(), "SIGKILL, then a start"),
    };
    in_time("deliveries", history::until_settled(&scene.api, &other.url)).await?;
    let took = since.elapsed();
    let outcome = scene.close(&other, "node dead", did.to_owned()).await?;
    let outcome = outcome.counting(format!("everything sent after {:.1} s", took.as_secs_f64()));
    Ok(outcome.requiring(took <= limit, || format!("it took {} s until everything was sent", took.as_secs())))
}
