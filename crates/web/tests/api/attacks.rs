//! The API and the pages under attack: requests as an attacker writes them, and what must become of each. None may change
//! anything, fail on our side, or be told more than that it was refused.

mod guessing;
mod markup;
mod planted;
mod request;
mod table;
mod urls;

use preclinical_core::member::Role;

use self::{request::Target, table::ATTACKS};
use crate::{app::TestApp, pages::Browser};

#[tokio::test]
async fn every_attack_comes_to_what_the_table_says_and_changes_nothing() {
    let app = TestApp::new().await;
    let target = Target::of(app).await;
    assert!(ATTACKS.len() >= 80, "{}", ATTACKS.len());
    let mut broken = Vec::new();
    for attack in ATTACKS {
        target.app.pass(1);
        broken.extend(target.endure(attack).await.err().map(|why| format!("{}: {why}", attack.name)));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}

#[tokio::test]
async fn what_the_table_attacks_works_when_nobody_attacks() {
    let target = Target::of(TestApp::new().await).await;
    let before = target.app.database.rows();
    for form in ["/theme", "/webhooks/{webhook}/disable", "/webhooks/{webhook}/delete"] {
        let shown = target.owner.post(&target.filled(form), &[("theme", "dark")]).await;
        shown.leads_to();
    }
    assert!(target.app.database.rows() != before);
    let owner = Browser::of(target.app.router(), &target.app.world, Role::Owner).await;
    owner.get("/settings/webhooks").await.is(200);
}
