//! The database is lost, and a backup takes its place.

use std::collections::BTreeSet;

use anyhow::ensure;
use rusqlite::Connection;

use super::{Load, Scene, in_time};
use crate::{
    checker, history,
    node::Node,
    outcome::Outcome,
    producer::Producer,
    restoration::Restoration,
    sink::Manner,
    site::{Ground, Site},
};

/// How the database is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// As operators are told to.
    AsDocumented,
    /// The file of the embedded store by itself, without its log: the control, which must not hold.
    WithoutItsLog,
}

/// Has the database copied in the middle of the load, kills the node after the load, and starts another one on the copy.
///
/// What was acknowledged before the backup began is in the copy. What the copy knows as delivered is not sent again, what is pending
/// in it is sent, and runs that it does not know as ended can be ended again.
pub async fn restored(ground: &Ground, load: Load, copied: Copied) -> anyhow::Result<Outcome> {
    let site = Site::create(ground, &[]).await?;
    let (mut scene, node) = Scene::open(ground, site, Manner::Moody, load).await?;
    // Whoever reads keeps the log out of the file, so that what the copy lacks does not depend on when it was made.
    let reader = if copied == Copied::WithoutItsLog { Some(reader(&scene.site)?) } else { None };
    scene.producer.ask([node.url.as_str()]);
    in_time("completions", scene.producer.until_accepted(load.completions / 3)).await?;
    let acknowledged = scene.producer.book().accepted;
    let copy = match copied {
        Copied::AsDocumented => scene.site.back_up().await?,
        Copied::WithoutItsLog => scene.site.copy_file_alone()?,
    };
    in_time("completions", scene.producer.until_done()).await?;
    in_time("deliveries", history::until_settled(&scene.api, &node.url)).await?;
    let (asked, arrived) = (scene.producer.book(), scene.sink.book());
    let undisturbed = checker::check(&asked, &arrived, &history::read(&scene.api, &node.url).await?);
    node.kill().await?;
    drop(reader);
    scene.site.restore(&copy)?;
    // While nobody is answered, the copy says what it knew.
    scene.sink.behave(Manner::Silent);
    let node = scene.site.start().await?;
    let copy = history::read(&scene.api, &node.url).await?;
    scene.sink.behave(Manner::Moody);
    let again = asked.asked.iter().filter(|run| !copy.iter().any(|delivery| delivery.run == **run)).cloned().collect();
    end_again(&scene, &node, &again).await?;
    let (history, all) = (history::read(&scene.api, &node.url).await?, scene.sink.book());
    let (before, since) = all.arrivals.split_at(arrived.arrivals.len());
    let restoration =
        Restoration { acknowledged: &acknowledged, copy: &copy, before, since, again: &again, history: &history };
    let (findings, pending) = (restoration.check(), restoration.pending().count());
    let did = format!("copied during {} completions, SIGKILL, restored", load.completions);
    let mut outcome = Outcome::of("database lost", ground.store, did, findings)
        .counting(format!("{pending} pending in the copy, {} runs ended after it", again.len()))
        .requiring(undisturbed.duplicates == 0, || format!("{} duplicates before anything was lost", undisturbed.duplicates))
        .requiring(pending > 0 || copied != Copied::AsDocumented, || "nothing was pending: this proves little".to_owned());
    outcome.broken.extend(undisturbed.broken.into_iter().chain(all.forged));
    if !outcome.holds() && copied == Copied::AsDocumented {
        outcome.files = Some(scene.site.keep());
    }
    Ok(outcome)
}

/// Ends runs that the copy does not know as ended, as those would who learn that, and waits until everything is sent.
async fn end_again(scene: &Scene, node: &Node, runs: &BTreeSet<String>) -> anyhow::Result<()> {
    let producer = Producer::start(scene.api.clone(), runs.iter().cloned().collect(), scene.load.connections);
    producer.ask([node.url.as_str()]);
    in_time("completions on the copy", producer.until_done()).await?;
    in_time("deliveries on the copy", history::until_settled(&scene.api, &node.url)).await?;
    let wrong = producer.book().wrong;
    ensure!(wrong.is_empty(), "on the copy: {wrong:?}");
    Ok(())
}

/// Somebody who reads the file, in which everything is that was written so far.
fn reader(site: &Site) -> anyhow::Result<Connection> {
    let reader = Connection::open(site.file()?)?;
    reader.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    reader.execute_batch("BEGIN; SELECT count(*) FROM runs")?;
    Ok(reader)
}
