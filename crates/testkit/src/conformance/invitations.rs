//! Rules of [`preclinical_core::port::Accounts`] about invitations.
#![allow(missing_docs, reason = "the names are the rules")]

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    id::{InvitationId, MemberId},
    invitation::{Invitation, MOST_TO_JOIN, Purpose, VALID_FOR},
    member::{Member, Role},
    password::PasswordHash,
    port::{AcceptError, InviteError, Page, Store},
    token::{Token, TokenHash},
};

use super::race;
use crate::world::World;

const PAGE: Page = Page { limit: 10, offset: 0 };
const MOMENT: SignedDuration = SignedDuration::from_micros(1);

async fn is_known(world: &World, token: &Token) -> bool {
    world.store.invitation(token.hash(), world.now()).await.unwrap().is_some()
}

async fn accept(world: &World, token: &Token, email: &str) -> Result<Member, AcceptError> {
    world.store.accept_invitation(world.acceptance(token, email)).await
}

async fn reset(world: &World, token: &Token, at: Timestamp) -> Result<Member, AcceptError> {
    world.store.accept_password_reset(token.hash(), PasswordHash::from_stored("new".to_owned()), at).await
}

async fn addresses(world: &World) -> Vec<String> {
    let (members, total) = world.store.members(world.organization, PAGE).await.unwrap();
    assert_eq!(members.len() as u64, total);
    members.into_iter().map(|member| member.email.to_string()).collect()
}

pub async fn an_invitation_to_set_up_takes_the_place_of_the_earlier_one(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let ((first, one), (second, other)) = (ours.invitation_value(Purpose::SetUp), ours.invitation_value(Purpose::SetUp));
    let (foreign, of_theirs) = theirs.invitation_value(Purpose::SetUp);
    for invitation in [one, of_theirs, other.clone()] {
        assert!(store.invite_first_member(invitation).await.unwrap());
    }
    assert_eq!([is_known(&ours, &first).await, is_known(&ours, &foreign).await], [false, true]);
    assert_eq!(store.invitation(second.hash(), ours.now()).await.unwrap(), Some(other.clone()));
    assert_eq!(store.invitations(ours.organization, ours.now(), PAGE).await.unwrap(), (vec![other], 1));
    assert!(matches!(accept(&ours, &first, "a@b.c").await, Err(AcceptError::NotInForce)));
    assert_eq!(accept(&ours, &second, "a@b.c").await.unwrap().role, Role::Owner);
}

pub async fn nothing_is_set_up_once_there_is_an_owner(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let (pending, setup) = world.invitation_value(Purpose::SetUp);
    store.invite_first_member(setup).await.unwrap();
    world.member("viewer@example.com", Role::Viewer).await;
    assert!(is_known(&world, &pending).await, "a viewer cannot set anything up");
    world.member("owner@example.com", Role::Owner).await;
    assert!(!is_known(&world, &pending).await);
    assert!(matches!(accept(&world, &pending, "a@b.c").await, Err(AcceptError::NotInForce)));

    let (late, setup) = world.invitation_value(Purpose::SetUp);
    assert!(!store.invite_first_member(setup.clone()).await.unwrap());
    assert!(matches!(store.invite(setup).await, Err(InviteError::TooMany)));
    assert!(!is_known(&world, &late).await);
    assert_eq!(store.invitations(world.organization, world.now(), PAGE).await.unwrap(), (Vec::new(), 0));
    assert_eq!(addresses(&world).await.len(), 2);
}

pub async fn of_racing_setups_of_an_organization_one_is_accepted(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let calls =
        (0..16).map(|number| {
            let (token, invitation) = world.invitation_value(Purpose::SetUp);
            let (store, acceptance) = (store.clone(), world.acceptance(&token, &format!("{number}@example.com")));
            async move {
                store.invite_first_member(invitation).await.unwrap() && store.accept_invitation(acceptance).await.is_ok()
            }
        });
    let won = race(calls).await.into_iter().filter(|won| *won).count();
    assert_eq!((won, addresses(&world).await.len()), (1, 1));

    let theirs = World::new(store.clone(), "theirs").await;
    let (token, invitation) = theirs.invitation_value(Purpose::SetUp);
    store.invite_first_member(invitation).await.unwrap();
    let calls = (0..16).map(|number| {
        let (store, acceptance) = (store.clone(), theirs.acceptance(&token, &format!("{number}@example.org")));
        async move { store.accept_invitation(acceptance).await.is_ok() }
    });
    assert_eq!(race(calls).await.into_iter().filter(|won| *won).count(), 1);
    assert_eq!(addresses(&theirs).await.len(), 1);
}

pub async fn an_invitation_makes_a_member_of_its_role_once(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    for role in Role::ALL {
        let (token, invitation) = world.invite(Purpose::Join(role)).await;
        assert_eq!(store.invitation(token.hash(), world.now()).await.unwrap(), Some(invitation));
        let acceptance = world.acceptance(&token, &format!("{}@example.com", role.as_str()));
        let member = store.accept_invitation(acceptance.clone()).await.unwrap();
        let expected = Member {
            id: acceptance.member_id,
            organization_id: world.organization,
            email: acceptance.email,
            role,
            joined_at: world.now(),
            last_signed_in_at: None,
        };
        assert_eq!(member, expected);
        assert!(!is_known(&world, &token).await);
        assert!(matches!(accept(&world, &token, "again@example.com").await, Err(AcceptError::NotInForce)));
    }
    assert_eq!(store.invitation(TokenHash::of("nothing"), world.now()).await.unwrap(), None);
}

pub async fn an_invitation_makes_one_member_however_many_calls_race(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let (token, _) = world.invite(Purpose::Join(Role::Member)).await;
    let calls = (0..16).map(|number| {
        let (store, acceptance) = (store.clone(), world.acceptance(&token, &format!("{number}@example.com")));
        async move { store.accept_invitation(acceptance).await }
    });
    let (joined, refused): (Vec<_>, Vec<_>) = race(calls).await.into_iter().partition(Result::is_ok);
    assert!(refused.iter().all(|error| matches!(error, Err(AcceptError::NotInForce))), "{refused:?}");
    assert_eq!((joined.len(), addresses(&world).await.len()), (1, 1));
}

pub async fn an_invitation_is_in_force_until_it_expires(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let member = world.member("ada@example.com", Role::Owner).await;
    let (join, _) = world.invite(Purpose::Join(Role::Viewer)).await;
    let (forgot, _) = world.invite(Purpose::ResetPassword(member.id)).await;
    world.clock.turn(VALID_FOR - MOMENT);
    assert_eq!([is_known(&world, &join).await, is_known(&world, &forgot).await], [true, true]);
    assert_eq!(store.invitations(world.organization, world.now(), PAGE).await.unwrap().1, 2);
    world.clock.turn(MOMENT);
    assert_eq!([is_known(&world, &join).await, is_known(&world, &forgot).await], [false, false]);
    assert_eq!(store.invitations(world.organization, world.now(), PAGE).await.unwrap(), (Vec::new(), 0));
    assert!(matches!(accept(&world, &join, "late@example.com").await, Err(AcceptError::NotInForce)));
    assert!(matches!(reset(&world, &forgot, world.now()).await, Err(AcceptError::NotInForce)));
    reset(&world, &forgot, world.now() - MOMENT).await.unwrap();
}

pub async fn invitations_are_listed_newest_first(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let member = ours.member("ada@example.com", Role::Owner).await.id;
    let mut kept = Vec::new();
    for purpose in [Purpose::Join(Role::Viewer), Purpose::ResetPassword(member), Purpose::Join(Role::Owner)] {
        kept.insert(0, ours.invite(purpose).await.1);
        ours.clock.turn(SignedDuration::from_secs(1));
    }
    let list = async |world: &World, page| store.invitations(world.organization, ours.now(), page).await.unwrap();
    assert_eq!(list(&ours, Page { limit: 2, offset: 0 }).await, (kept[..2].to_vec(), 3));
    assert_eq!(list(&ours, Page { limit: 2, offset: 2 }).await, (kept[2..].to_vec(), 3));
    assert_eq!(list(&theirs, PAGE).await, (Vec::new(), 0));
}

pub async fn a_withdrawn_invitation_is_unknown_at_once(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let (token, invitation) = ours.invite(Purpose::Join(Role::Viewer)).await;
    let (other, _) = ours.invite(Purpose::Join(Role::Viewer)).await;
    assert!(!store.withdraw_invitation(theirs.organization, invitation.id).await.unwrap());
    assert!(is_known(&ours, &token).await);
    assert!(store.withdraw_invitation(ours.organization, invitation.id).await.unwrap());
    assert_eq!([is_known(&ours, &token).await, is_known(&ours, &other).await], [false, true]);
    assert!(matches!(accept(&ours, &token, "a@b.c").await, Err(AcceptError::NotInForce)));
    assert!(!store.withdraw_invitation(ours.organization, invitation.id).await.unwrap());
    let unknown = InvitationId::generate(ours.now(), &*ours.chance);
    assert!(!store.withdraw_invitation(ours.organization, unknown).await.unwrap());
}

pub async fn an_invitation_stays_when_the_address_is_taken(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    theirs.member("ada@example.com", Role::Owner).await;
    let (token, invitation) = ours.invite(Purpose::Join(Role::Viewer)).await;
    assert!(matches!(accept(&ours, &token, "Ada@Example.com").await, Err(AcceptError::EmailTaken)));
    assert_eq!(store.invitation(token.hash(), ours.now()).await.unwrap(), Some(invitation));
    accept(&ours, &token, "grace@example.com").await.unwrap();
    assert_eq!(addresses(&ours).await, ["grace@example.com"]);
}

pub async fn of_racing_members_of_one_address_one_joins(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let mut acceptances = Vec::new();
    for _ in 0..8 {
        let (token, _) = world.invite(Purpose::Join(Role::Member)).await;
        acceptances.push(world.acceptance(&token, "ada@example.com"));
    }
    let calls = acceptances.into_iter().map(|acceptance| {
        let store = store.clone();
        async move { store.accept_invitation(acceptance).await }
    });
    let (joined, refused): (Vec<_>, Vec<_>) = race(calls).await.into_iter().partition(Result::is_ok);
    assert!(refused.iter().all(|error| matches!(error, Err(AcceptError::EmailTaken))), "{refused:?}");
    assert_eq!((joined.len(), addresses(&world).await.len()), (1, 1));
    assert_eq!(store.invitations(world.organization, world.now(), PAGE).await.unwrap().1, 7);
}

pub async fn an_organization_has_so_many_invitations_to_join_and_no_more(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let member = ours.member("ada@example.com", Role::Owner).await.id;
    let join = Purpose::Join(Role::Viewer);
    let calls = (0..MOST_TO_JOIN + 20).map(|_| {
        let (store, (_, invitation)) = (store.clone(), ours.invitation_value(join));
        async move { store.invite(invitation.clone()).await.map(|()| invitation) }
    });
    let (kept, refused): (Vec<_>, Vec<_>) = race(calls).await.into_iter().partition(Result::is_ok);
    assert!(refused.iter().all(|error| matches!(error, Err(InviteError::TooMany))), "{refused:?}");
    assert_eq!(kept.len(), MOST_TO_JOIN as usize);
    ours.invite(Purpose::ResetPassword(member)).await;
    theirs.invite(join).await;

    let first: &Invitation = kept[0].as_ref().unwrap();
    store.withdraw_invitation(ours.organization, first.id).await.unwrap();
    ours.invite(join).await;
    assert!(matches!(store.invite(ours.invitation_value(join).1).await, Err(InviteError::TooMany)));
    ours.clock.turn(VALID_FOR);
    ours.invite(join).await;
}

pub async fn an_invitation_that_is_kept_forgets_what_has_expired(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let invited_at = ours.now();
    let (expired, _) = ours.invite(Purpose::Join(Role::Viewer)).await;
    ours.clock.turn(MOMENT);
    let (in_force, _) = ours.invite(Purpose::Join(Role::Viewer)).await;
    theirs.clock.turn(VALID_FOR);
    theirs.invite(Purpose::Join(Role::Viewer)).await;
    assert_eq!(store.invitation(expired.hash(), invited_at).await.unwrap(), None);
    assert!(store.invitation(in_force.hash(), invited_at).await.unwrap().is_some());
}

pub async fn a_password_reset_takes_the_place_of_the_earlier_one(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let ada = world.member("ada@example.com", Role::Owner).await.id;
    let grace = world.member("grace@example.com", Role::Owner).await.id;
    let (earlier, _) = world.invite(Purpose::ResetPassword(ada)).await;
    let (of_grace, _) = world.invite(Purpose::ResetPassword(grace)).await;
    let (later, kept) = world.invite(Purpose::ResetPassword(ada)).await;
    assert_eq!([is_known(&world, &earlier).await, is_known(&world, &of_grace).await], [false, true]);
    assert_eq!(store.invitation(later.hash(), world.now()).await.unwrap(), Some(kept));

    let calls = (0..16).map(|_| {
        let (store, (_, invitation)) = (store.clone(), world.invitation_value(Purpose::ResetPassword(ada)));
        async move { store.invite(invitation).await.unwrap() }
    });
    race(calls).await;
    assert_eq!(store.invitations(world.organization, world.now(), PAGE).await.unwrap().1, 2);
}

pub async fn a_password_reset_needs_a_member_of_its_organization(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let foreign = theirs.member("ada@example.com", Role::Owner).await.id;
    let unknown = MemberId::generate(ours.now(), &*ours.chance);
    for nobody in [foreign, unknown] {
        let (token, invitation) = ours.invitation_value(Purpose::ResetPassword(nobody));
        assert!(matches!(store.invite(invitation).await, Err(InviteError::NoSuchMember)));
        assert!(!is_known(&ours, &token).await);
    }
}

pub async fn a_password_reset_works_once_and_ends_every_session(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let ada = world.member("ada@example.com", Role::Owner).await;
    let grace = world.member("grace@example.com", Role::Viewer).await;
    let of_grace = world.sign_in(grace.id).await;
    let sessions = [world.sign_in(ada.id).await, world.sign_in(ada.id).await];
    let (token, _) = world.invite(Purpose::ResetPassword(ada.id)).await;
    let calls = (0..16).map(|number| {
        let (store, hash, at) = (store.clone(), token.hash(), world.now());
        let password = PasswordHash::from_stored(format!("new {number}"));
        async move { store.accept_password_reset(hash, password.clone(), at).await.map(|member| (member, password)) }
    });
    let (won, lost): (Vec<_>, Vec<_>) = race(calls).await.into_iter().partition(Result::is_ok);
    assert!(lost.iter().all(|error| matches!(error, Err(AcceptError::NotInForce))), "{lost:?}");
    let [Ok((member, password))] = &won[..] else { panic!("{won:?}") };
    assert_eq!(member.id, ada.id);
    let now = store.member_by_email(&ada.email).await.unwrap().unwrap();
    assert_eq!((&now.0, &now.1), (member, password));
    for session in sessions {
        assert_eq!(store.signed_in(session.hash, world.now()).await.unwrap(), None);
    }
    assert!(store.signed_in(of_grace.hash, world.now()).await.unwrap().is_some());
    let (_, of_grace) = store.member_by_email(&grace.email).await.unwrap().unwrap();
    assert_eq!(of_grace.as_str(), "hash of grace@example.com");
    assert!(!is_known(&world, &token).await);
}

pub async fn an_invitation_opens_nothing_but_its_purpose(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let ada = world.member("ada@example.com", Role::Owner).await;
    let (join, _) = world.invite(Purpose::Join(Role::Viewer)).await;
    let (forgot, _) = world.invite(Purpose::ResetPassword(ada.id)).await;
    assert!(matches!(accept(&world, &forgot, "new@example.com").await, Err(AcceptError::NotInForce)));
    assert!(matches!(reset(&world, &join, world.now()).await, Err(AcceptError::NotInForce)));
    accept(&world, &join, "new@example.com").await.unwrap();
    reset(&world, &forgot, world.now()).await.unwrap();
}
