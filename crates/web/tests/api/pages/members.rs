use preclinical_core::{
    invitation::{MOST_TO_JOIN, Purpose},
    member::{Member, Role},
};
use preclinical_testkit::world::World;

use super::{Browser, Shown};
use crate::app::{NOBODY, TestApp};

const LIST: &str = "/settings/members";
const INVITE: &str = "/settings/members/invite";
const PASSWORD: &str = "correct horse battery";

struct People {
    ada: Member,
    owner: Browser,
    bob: Member,
    member: Browser,
}

async fn people(app: &TestApp) -> People {
    let ada = app.world.member("ada@example.com", Role::Owner).await;
    let bob = app.world.member("bob@example.com", Role::Member).await;
    let owner = Browser::signed_in(app.router(), &app.world, &ada).await;
    let member = Browser::signed_in(app.router(), &app.world, &bob).await;
    People { ada, owner, bob, member }
}

/// The path of the link that a page shows.
fn link(shown: &Shown) -> String {
    let link = shown.is(200).html.split_once("id=\"link\" value=\"").unwrap().1.split_once('"').unwrap().0;
    link.split_once("/join/").map(|(_, token)| format!("/join/{token}")).unwrap()
}

fn path(member: &Member, what: &str) -> String {
    format!("{LIST}/{}/{what}", member.id)
}

#[tokio::test]
async fn an_invitation_is_shown_once_makes_a_member_and_is_pending_no_more() {
    let app = TestApp::new().await;
    let People { owner, .. } = people(&app).await;
    let invited = owner.post(INVITE, &[("role", "viewer")]).await;
    let link = link(invited.says("only one that shows it"));
    owner.get(LIST).await.says("Join as <strong>viewer</strong>").does_not_say(&link);
    let somebody = Browser::new(app.router());
    somebody.post(&link, &[("email", "eve@example.com"), ("password", PASSWORD)]).await.leads_to();
    owner.get(LIST).await.says("eve@example.com").does_not_say("Join as <strong>viewer</strong>");
}

#[tokio::test]
async fn a_withdrawn_link_opens_nothing() {
    let app = TestApp::new().await;
    let People { owner, member, .. } = people(&app).await;
    let link = link(&owner.post(INVITE, &[("role", "owner")]).await);
    let page = owner.get(LIST).await;
    let id = page.html.split_once("/invitations/").unwrap().1.split_once('/').unwrap().0;
    let withdraw = format!("{LIST}/invitations/{id}/withdraw");
    member.get(LIST).await.says("Join as <strong>owner</strong>").does_not_say("/withdraw");
    owner.get(owner.post(&withdraw, &[]).await.leads_to()).await.says("The link is withdrawn");
    Browser::new(app.router()).get(&link).await.is(404);
    owner.post(&withdraw, &[]).await.is(404);
}

#[tokio::test]
async fn a_role_is_changed_and_holds_at_once() {
    let app = TestApp::new().await;
    let People { owner, bob, member, .. } = people(&app).await;
    member.get(INVITE).await.is(403);
    let changed = owner.post(&path(&bob, "role"), &[("role", "owner")]).await;
    owner.get(changed.leads_to()).await.says("The role is changed");
    member.get(INVITE).await.is(200);
    for role in ["", "admin", "<script>"] {
        owner.post(&path(&bob, "role"), &[("role", role)]).await.is(400);
    }
    member.get(INVITE).await.is(200);
}

#[tokio::test]
async fn the_last_owner_stays_and_the_page_says_so() {
    let app = TestApp::new().await;
    let People { ada, owner, bob, .. } = people(&app).await;
    let page = owner.get(LIST).await;
    page.says("make somebody else an owner first").does_not_say(&path(&ada, "remove")).does_not_say(&path(&ada, "role"));
    owner.get(&path(&ada, "remove")).await.is(200).says("This is the last owner").does_not_say("destructive");
    owner.post(&path(&ada, "remove"), &[]).await.is(400).says("keeps at least one owner");
    owner.post(&path(&ada, "role"), &[("role", "viewer")]).await.is(400).says("keeps at least one owner");
    owner.post(&path(&bob, "role"), &[("role", "owner")]).await.leads_to();
    owner.get(LIST).await.says(&path(&ada, "remove")).does_not_say("make somebody else an owner first");
    owner.post(&path(&ada, "role"), &[("role", "viewer")]).await.leads_to();
    owner.get(INVITE).await.is(403);
}

#[tokio::test]
async fn a_removed_member_is_out_at_once() {
    let app = TestApp::new().await;
    let People { owner, bob, member, .. } = people(&app).await;
    owner.get(&path(&bob, "remove")).await.is(200).says("bob@example.com").says("keep working");
    member.get(LIST).await.is(200);
    let removed = owner.post(&path(&bob, "remove"), &[]).await;
    owner.get(removed.leads_to()).await.says("The member is removed").does_not_say("bob@example.com");
    assert!(member.get(LIST).await.leads_to().starts_with("/sign-in"));
}

#[tokio::test]
async fn a_password_link_gives_a_new_password_to_its_member_alone() {
    let app = TestApp::new().await;
    let People { owner, bob, member, .. } = people(&app).await;
    let made = owner.post(&path(&bob, "password-link"), &[]).await;
    let link = link(made.says("bob@example.com"));
    let list = owner.get(LIST).await;
    list.says("New password for <strong>bob@example.com</strong>").does_not_say(&link).says("Made by");
    member.get(LIST).await.is(200);
    Browser::new(app.router()).post(&link, &[("password", PASSWORD)]).await.leads_to();
    assert!(member.get(LIST).await.leads_to().starts_with("/sign-in"), "the old sessions are ended");
}

#[tokio::test]
async fn links_of_an_owner_who_leaves_open_nothing_any_more() {
    let app = TestApp::new().await;
    let People { owner, bob, member, .. } = people(&app).await;
    owner.post(&path(&bob, "role"), &[("role", "owner")]).await.leads_to();
    let link = link(&member.post(INVITE, &[("role", "owner")]).await);
    Browser::new(app.router()).get(&link).await.is(200);
    owner.get(&path(&bob, "remove")).await.says("Links that they made for others open nothing any more");
    owner.post(&path(&bob, "remove"), &[]).await.leads_to();
    Browser::new(app.router()).get(&link).await.is(404);
}

#[tokio::test]
async fn members_of_others_are_not_there() {
    let app = TestApp::new().await;
    let People { owner, .. } = people(&app).await;
    let others = World::new(app.world.store.clone(), "others").await;
    let eve = others.member("eve@example.com", Role::Owner).await;
    let (_, invitation) = others.invite(Purpose::Join(Role::Viewer)).await;
    owner.get(LIST).await.does_not_say("eve@example.com");
    for id in [eve.id.to_string().as_str(), NOBODY, "nonsense"] {
        owner.get(&format!("{LIST}/{id}/remove")).await.is(404);
        for what in ["remove", "password-link"] {
            owner.post(&format!("{LIST}/{id}/{what}"), &[]).await.is(404);
        }
        owner.post(&format!("{LIST}/{id}/role"), &[("role", "viewer")]).await.is(404);
    }
    owner.post(&format!("{LIST}/invitations/{}/withdraw", invitation.id), &[]).await.is(404);
    let stayed = app.world.store.member_by_email(&eve.email).await.unwrap().unwrap().0;
    assert_eq!(stayed.role, Role::Owner);
}

#[tokio::test]
async fn a_member_looks_at_the_list_and_is_offered_nothing_more() {
    let app = TestApp::new().await;
    let People { member, .. } = people(&app).await;
    let page = member.get(LIST).await;
    page.is(200).says("ada@example.com").says("You").says("Owners invite and remove members");
    for offer in [INVITE, "/remove", "/role", "/password-link", "Pending links"] {
        page.does_not_say(offer);
    }
}

#[tokio::test]
async fn an_organization_that_invited_too_many_is_told_what_to_do() {
    let app = TestApp::new().await;
    let People { owner, .. } = people(&app).await;
    for _ in 0..MOST_TO_JOIN {
        app.world.invite(Purpose::Join(Role::Viewer)).await;
    }
    owner.post(INVITE, &[("role", "member")]).await.is(422).says("withdraw one that nobody will use");
}

#[tokio::test]
async fn a_hostile_address_is_text() {
    let app = TestApp::new().await;
    let People { owner, .. } = people(&app).await;
    let eve = app.world.member("'onclick='x'&lt@example.com", Role::Viewer).await;
    for path in [LIST.to_owned(), path(&eve, "remove")] {
        owner.get(&path).await.is(200).says("&amp;lt@example.com");
    }
}
