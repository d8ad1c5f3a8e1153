//! Another process locks the file of the embedded store.

use std::time::Duration;

use anyhow::Context;
use rusqlite::Connection;

use super::{Load, Scene, in_time};
use crate::{
    outcome::Outcome,
    sink::Manner,
    site::{Ground, Site},
};

/// Locks the database that long during the load. Must be longer than the product waits for a lock.
///
/// Calls are answered late or with 503, and all of them are carried out afterwards.
pub async fn locked(ground: &Ground, load: Load, held: Duration) -> anyhow::Result<Outcome> {
    let site = Site::create(ground, &[]).await?;
    let (scene, node) = Scene::open(ground, site, Manner::Good, load).await?;
    let other = Connection::open(scene.site.file()?)?;
    scene.producer.ask([node.url.as_str()]);
    in_time("completions", scene.producer.until_accepted(load.completions / 4)).await?;
    other.busy_timeout(Duration::from_secs(5))?;
    other.execute_batch("BEGIN EXCLUSIVE").context("the database cannot be locked")?;
    let before = scene.producer.accepted();
    tokio::time::sleep(held).await;
    in_time("refusals", scene.producer.until_refused(1)).await?;
    let during = scene.producer.accepted() - before;
    other.execute_batch("COMMIT")?;
    let refused = scene.producer.book().unavailable;
    let did = format!("BEGIN EXCLUSIVE for {} s", held.as_secs());
    let outcome = scene.close(&node, "database locked", did).await?.counting(format!("{refused} × 503"));
    // Answers to what was committed before may still be on their way.
    Ok(outcome.requiring(during <= load.connections, || format!("{during} completions were accepted under the lock")))
}
