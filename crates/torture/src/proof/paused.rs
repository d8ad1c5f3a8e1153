//! A node stands still for longer than its leases hold, and goes on as if nothing had been.

use std::time::{Duration, Instant};

use super::{Load, Scene, in_time};
use crate::{
    history,
    outcome::Outcome,
    sink::Manner,
    site::{Ground, Site},
};

/// Stops one of two nodes in the middle of everything that it does, transactions with it.
///
/// The other one does all that is left while the first one still stands: nothing that it holds is held for long.
pub async fn frozen(ground: &Ground, load: Load) -> anyhow::Result<Outcome> {
    let site = Site::create(ground, &[]).await?;
    let (scene, standing) = Scene::open(ground, site, Manner::Slow(Duration::from_millis(20)), load).await?;
    let other = scene.site.spawn("other")?.ready().await?;
    scene.producer.ask([standing.url.as_str()]);
    in_time("completions", scene.producer.until_accepted(load.completions / 2)).await?;
    standing.signal("STOP").await?;
    let stopped = Instant::now();
    scene.producer.ask([other.url.as_str()]);
    let outcome = scene.close(&other, "node frozen", "one of two nodes stopped, for good,".to_owned()).await?;
    let took = stopped.elapsed().as_secs_f64();
    drop(standing);
    Ok(outcome.counting(format!("everything done after {took:.0} s by the other one")))
}

/// Within that time a node that goes on has tried to record what it held.
const SPOKEN: Duration = Duration::from_secs(30);

/// What a node logs when its record of an attempt is refused.
const REFUSED: &str = "lease lost";

/// How long a lease holds here: an attempt's limit, and the time to record it.
pub const LEASE: Duration = Duration::from_secs(10);

/// Stops one of two nodes (SIGSTOP) in the middle of its attempts for that long at least, and until the other one has done its work.
///
/// What the first one says afterwards is refused, and changes nothing.
pub async fn paused(ground: &Ground, load: Load, pause: Duration) -> anyhow::Result<Outcome> {
    let site = Site::create(ground, &[("REQUEST_TIMEOUT", "5s"), ("LEASE_MARGIN", "5s")]).await?;
    let (scene, standing) = Scene::open(ground, site, Manner::Silent, load).await?;
    let other = scene.site.spawn("other")?.ready().await?;
    scene.producer.ask([standing.url.as_str()]);
    in_time("completions", scene.producer.until_done()).await?;
    let under_way = load.completions.min(crate::proof::HELD);
    in_time("requests", scene.sink.until_arrived(under_way)).await?;
    standing.signal("STOP").await?;
    let stopped = Instant::now();
    scene.sink.behave(Manner::Good);
    tokio::time::sleep(pause).await;
    in_time("deliveries", history::until_settled(&scene.api, &other.url)).await?;
    let stood = stopped.elapsed().as_secs_f64();
    let before = history::read(&scene.api, &other.url).await?;
    standing.signal("CONT").await?;
    let refusals = || standing.log().matches(REFUSED).count();
    let heard = tokio::time::timeout(SPOKEN, async {
        while refusals() < under_way {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let all_refused = heard.await.is_ok();
    let (refused, after) = (refusals(), history::read(&scene.api, &other.url).await?);
    let did = format!("one of two nodes stopped for {stood:.0} s");
    let outcome = scene.close(&other, "node stood still", did).await?.counting(format!("{refused} late records refused"));
    let outcome = outcome.requiring(all_refused, || format!("of {under_way} late records {refused} were refused"));
    Ok(outcome.requiring(before == after, || "the history changed after the node went on".to_owned()))
}
