//! The node is killed, again and again, at random.

use std::time::Duration;

use super::{Load, Scene, in_time};
use crate::{
    dice::Dice,
    node::Node,
    outcome::Outcome,
    sink::Manner,
    site::{Ground, Site},
};

/// One kill in that many hits a node that does not serve yet.
const AT_BIRTH: usize = 8;

/// Kills one node that often during the load, while as many others as that stay; without kills it is the control, in which nothing
/// may be repeated.
///
/// Nothing accepted is lost, every request has its attempt, and only what a kill cut off is sent again. The embedded store has no
/// others.
pub async fn killed(ground: &Ground, load: Load, kills: usize, others: usize) -> anyhow::Result<Outcome> {
    let dice = Dice::new(ground.seed, "killed");
    let site = Site::create(ground, &[]).await?;
    let (scene, mut node) = Scene::open(ground, site, Manner::Moody, load).await?;
    let mut beside = Vec::new();
    for _ in 0..others {
        beside.push(scene.site.spawn("other")?.ready().await?);
    }
    ask(&scene, &beside, &node);
    for number in 0..kills {
        node = kill(&scene, node, &dice, number, kills).await?;
        ask(&scene, &beside, &node);
    }
    let nodes = if others == 0 { String::new() } else { format!(", {} nodes", others + 1) };
    let did = if kills == 0 { format!("the control{nodes}") } else { format!("{kills} × SIGKILL{nodes}") };
    let outcome = scene.close(&node, if kills == 0 { "nothing" } else { "process killed" }, did).await?;
    if kills == 0 {
        return Ok(outcome.without_duplicates());
    }
    let cut_off = outcome.findings.as_ref().map_or(0, |findings| findings.uncertain);
    Ok(outcome.requiring(cut_off > 0, || "no kill hit an attempt: this proves nothing".to_owned()))
}

/// One life: until about its share of the completions is accepted, and a moment more.
async fn kill(scene: &Scene, node: Node, dice: &Dice, number: usize, kills: usize) -> anyhow::Result<Node> {
    let accepted = scene.producer.accepted();
    let share = (scene.load.completions - accepted) / (kills - number);
    let some = usize::try_from(dice.below(2 * share as u64 + 1))?;
    in_time("completions", scene.producer.until_accepted(accepted + some)).await?;
    tokio::time::sleep(dice.shorter_than(Duration::from_millis(15))).await;
    node.kill().await?;
    if number % AT_BIRTH == AT_BIRTH - 1 {
        let newborn = scene.site.spawn("node")?;
        tokio::time::sleep(dice.shorter_than(Duration::from_millis(80))).await;
        newborn.kill().await?;
    }
    scene.site.start().await
}

fn ask(scene: &Scene, beside: &[Node], node: &Node) {
    scene.producer.ask(beside.iter().chain([node]).map(|node| node.url.as_str()));
}
