//! The database server goes away while the nodes stay.

use std::time::Duration;

use preclinical_testkit::postgres::{Cluster, Stop};

use super::{Load, Scene, in_time};
use crate::{
    outcome::Outcome,
    sink::Manner,
    site::{Ground, Site},
};

/// How the database server goes away.
#[derive(Debug, Clone, Copy)]
pub enum Outage {
    /// It is ended at once, as often as that, and started again.
    Restarts(usize),
    /// Every session is ended, as often as that, once a second.
    Terminations(usize),
    /// It is away that long.
    Absence(Duration),
}

/// Takes the database away during the load.
///
/// Calls are answered with 503 or not at all, nobody has to do anything, and all of them are carried out afterwards.
pub async fn outage(ground: &Ground, load: Load, outage: Outage) -> anyhow::Result<Outcome> {
    let site = Site::create(ground, &[]).await?;
    let (scene, node) = Scene::open(ground, site, Manner::Moody, load).await?;
    scene.producer.ask([node.url.as_str()]);
    let times = match outage {
        Outage::Restarts(times) | Outage::Terminations(times) => times,
        Outage::Absence(_) => 1,
    };
    for number in 0..times {
        let accepted = scene.producer.accepted();
        let share = (load.completions - accepted) / (times - number + 1);
        in_time("completions", scene.producer.until_accepted(accepted + share)).await?;
        take_away(scene.site.cluster()?, outage).await?;
    }
    let book = scene.producer.book();
    let (proof, did) = match outage {
        Outage::Restarts(times) => ("database server restarted", format!("{times} × an immediate stop and a start")),
        Outage::Terminations(times) => ("database sessions ended", format!("{times} × all of them, once a second")),
        Outage::Absence(time) => ("no database server", format!("{} s without it", time.as_secs())),
    };
    let counted = format!("{} × 503, {} calls without an answer", book.unavailable, book.unanswered);
    let noticed = book.unavailable + book.unanswered > 0;
    let outcome = scene.close(&node, proof, did).await?.counting(counted);
    Ok(outcome.requiring(noticed, || "nobody noticed that the database was away: this proves nothing".to_owned()))
}

async fn take_away(cluster: &Cluster, outage: Outage) -> anyhow::Result<()> {
    match outage {
        Outage::Restarts(_) => tokio::task::block_in_place(|| {
            cluster.stop(Stop::Immediate);
            cluster.start_again();
        }),
        Outage::Terminations(_) => {
            cluster.terminate_backends().await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Outage::Absence(time) => {
            tokio::task::block_in_place(|| cluster.stop(Stop::Fast));
            tokio::time::sleep(time).await;
            tokio::task::block_in_place(|| cluster.start_again());
        }
    }
    Ok(())
}
