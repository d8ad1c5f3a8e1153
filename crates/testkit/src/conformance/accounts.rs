//! Rules of [`preclinical_core::port::Accounts`] about members and their sessions.
#![allow(missing_docs, reason = "the names are the rules")]

use std::sync::Arc;

use jiff::SignedDuration;
use preclinical_core::{
    id::MemberId,
    invitation::Purpose,
    member::{Member, Role},
    organization::Organization,
    password::PasswordHash,
    port::{Acceptance, MemberError, Page, SignedIn, Store},
    session::{LASTS, MOST, Session},
    token::TokenHash,
};

use super::race;
use crate::world::World;

const PAGE: Page = Page { limit: 10, offset: 0 };
const MOMENT: SignedDuration = SignedDuration::from_micros(1);

async fn member_now(world: &World, member: &Member) -> Member {
    world.store.member_by_email(&member.email).await.unwrap().unwrap().0
}

async fn is_signed_in(world: &World, session: &Session) -> bool {
    world.store.signed_in(session.hash, world.now()).await.unwrap().is_some()
}

fn nobody(world: &World) -> MemberId {
    MemberId::generate(world.now(), &*world.chance)
}

pub async fn a_member_is_found_by_address_with_the_hash_of_the_password(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let ada = world.member("ada@example.com", Role::Owner).await;
    world.member("grace@example.com", Role::Viewer).await;
    let found = store.member_by_email(&"ADA@example.com".parse().unwrap()).await.unwrap();
    assert_eq!(found, Some((ada, PasswordHash::from_stored("hash of ada@example.com".to_owned()))));
    assert_eq!(store.member_by_email(&"nobody@example.com".parse().unwrap()).await.unwrap(), None);
}

pub async fn members_are_listed_the_earliest_first(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let mut members = Vec::new();
    for email in ["c@example.com", "a@example.com", "b@example.com"] {
        members.push(ours.member(email, Role::Member).await);
        ours.clock.turn(SignedDuration::from_secs(1));
    }
    let list = async |world: &World, limit, offset| store.members(world.organization, Page { limit, offset }).await.unwrap();
    assert_eq!(list(&ours, 2, 0).await, (members[..2].to_vec(), 3));
    assert_eq!(list(&ours, 2, 2).await, (members[2..].to_vec(), 3));
    assert_eq!(list(&theirs, 2, 0).await, (Vec::new(), 0));
}

pub async fn a_role_changes_within_its_organization(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let ada = ours.member("ada@example.com", Role::Viewer).await;
    let grace = ours.member("grace@example.com", Role::Viewer).await;
    for role in Role::ALL {
        let changed = store.change_role(ours.organization, ada.id, Role::Owner).await.unwrap();
        assert_eq!(changed, Member { role: Role::Owner, ..ada.clone() });
        store.change_role(ours.organization, grace.id, Role::Owner).await.unwrap();
        let changed = store.change_role(ours.organization, ada.id, role).await.unwrap();
        assert_eq!((changed.role, member_now(&ours, &ada).await), (role, changed));
    }
    for (organization, id) in [(theirs.organization, ada.id), (ours.organization, nobody(&ours))] {
        let refused = store.change_role(organization, id, Role::Owner).await;
        assert!(matches!(refused, Err(MemberError::NotFound)));
    }
    assert_eq!(member_now(&ours, &ada).await.role, Role::Viewer);
}

pub async fn an_organization_keeps_an_owner(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let ada = ours.member("ada@example.com", Role::Owner).await;
    let grace = ours.member("grace@example.com", Role::Member).await;
    theirs.member("theirs@example.com", Role::Owner).await;
    for role in [Role::Member, Role::Viewer] {
        let refused = store.change_role(ours.organization, ada.id, role).await;
        assert!(matches!(refused, Err(MemberError::LastOwner)));
    }
    assert!(matches!(store.remove_member(ours.organization, ada.id).await, Err(MemberError::LastOwner)));
    assert_eq!(member_now(&ours, &ada).await, ada);
    store.change_role(ours.organization, ada.id, Role::Owner).await.unwrap();

    store.change_role(ours.organization, grace.id, Role::Owner).await.unwrap();
    store.change_role(ours.organization, ada.id, Role::Viewer).await.unwrap();
    assert!(matches!(store.remove_member(ours.organization, grace.id).await, Err(MemberError::LastOwner)));
    store.remove_member(ours.organization, ada.id).await.unwrap();
}

pub async fn of_owners_who_all_leave_at_once_one_stays(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let mut owners = Vec::new();
    for number in 0..8 {
        owners.push(world.member(&format!("{number}@example.com"), Role::Owner).await.id);
    }
    let calls = owners.into_iter().enumerate().map(|(number, id)| {
        let (store, organization) = (store.clone(), world.organization);
        async move {
            match number % 2 {
                0 => store.remove_member(organization, id).await,
                _ => store.change_role(organization, id, Role::Viewer).await.map(drop),
            }
        }
    });
    let (left, refused): (Vec<_>, Vec<_>) = race(calls).await.into_iter().partition(Result::is_ok);
    assert!(matches!(&refused[..], [Err(MemberError::LastOwner)]), "{refused:?}");
    let (members, _) = store.members(world.organization, PAGE).await.unwrap();
    assert_eq!((left.len(), members.iter().filter(|member| member.role == Role::Owner).count()), (7, 1));
}

pub async fn a_removed_member_is_gone_with_sessions_and_password_resets(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let ada = ours.member("ada@example.com", Role::Owner).await;
    let grace = ours.member("grace@example.com", Role::Member).await;
    let (of_ada, of_grace) = (ours.sign_in(ada.id).await, ours.sign_in(grace.id).await);
    let (token, _) = ours.invite(Purpose::ResetPassword(grace.id)).await;
    for (organization, id) in [(theirs.organization, grace.id), (ours.organization, nobody(&ours))] {
        assert!(matches!(store.remove_member(organization, id).await, Err(MemberError::NotFound)));
    }
    assert!(is_signed_in(&ours, &of_grace).await);

    store.remove_member(ours.organization, grace.id).await.unwrap();
    assert_eq!([is_signed_in(&ours, &of_ada).await, is_signed_in(&ours, &of_grace).await], [true, false]);
    assert_eq!(store.invitation(token.hash(), ours.now()).await.unwrap(), None);
    assert_eq!(store.invitations(ours.organization, ours.now(), PAGE).await.unwrap().1, 0);
    assert_eq!(store.member_by_email(&grace.email).await.unwrap(), None);
    assert_eq!(store.members(ours.organization, PAGE).await.unwrap(), (vec![member_now(&ours, &ada).await], 1));
    assert!(matches!(store.remove_member(ours.organization, grace.id).await, Err(MemberError::NotFound)));

    let (token, _) = ours.invite(Purpose::Join(Role::Viewer)).await;
    let again = Acceptance { member_id: grace.id, ..ours.acceptance(&token, "grace@example.com") };
    store.accept_invitation(again).await.unwrap();
    assert!(!is_signed_in(&ours, &of_grace).await);
}

pub async fn what_a_member_made_as_an_owner_opens_nothing_afterwards(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    world.member("boss@example.com", Role::Owner).await;
    for leaves in [true, false] {
        let ada = world.member("ada@example.com", Role::Owner).await;
        let (token, invitation) = world.invitation_value(Purpose::Join(Role::Owner));
        store.invite(invitation.by(ada.id)).await.unwrap();
        let (other, _) = world.invite(Purpose::Join(Role::Viewer)).await;
        if leaves {
            store.remove_member(world.organization, ada.id).await.unwrap();
        } else {
            store.change_role(world.organization, ada.id, Role::Member).await.unwrap();
        }
        assert_eq!(store.invitation(token.hash(), world.now()).await.unwrap(), None);
        assert!(store.invitation(other.hash(), world.now()).await.unwrap().is_some());
    }
}

pub async fn a_changed_password_voids_resets(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let ada = world.member("ada@example.com", Role::Owner).await;
    let session = world.sign_in(ada.id).await;
    let (token, _) = world.invite(Purpose::ResetPassword(ada.id)).await;
    store.change_password(ada.id, PasswordHash::from_stored("another".to_owned()), session.hash).await.unwrap();
    assert_eq!(store.invitation(token.hash(), world.now()).await.unwrap(), None);
}

pub async fn a_changed_password_ends_all_sessions_but_one(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let ada = world.member("ada@example.com", Role::Owner).await;
    let grace = world.member("grace@example.com", Role::Owner).await;
    let (here, there, of_grace) = (world.sign_in(ada.id).await, world.sign_in(ada.id).await, world.sign_in(grace.id).await);
    let new = PasswordHash::from_stored("new".to_owned());
    store.change_password(ada.id, new.clone(), here.hash).await.unwrap();
    assert_eq!(store.member_by_email(&ada.email).await.unwrap().unwrap().1, new);
    let (_, of_graces) = store.member_by_email(&grace.email).await.unwrap().unwrap();
    assert_eq!(of_graces.as_str(), "hash of grace@example.com");
    assert_eq!([is_signed_in(&world, &here).await, is_signed_in(&world, &there).await], [true, false]);
    assert!(is_signed_in(&world, &of_grace).await);
    let refused = store.change_password(nobody(&world), new, here.hash).await;
    assert!(matches!(refused, Err(MemberError::NotFound)));
}

pub async fn who_is_signed_in_is_told_until_the_session_expires(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let founded_at = world.now();
    world.clock.turn(SignedDuration::from_secs(60));
    let ada = world.member("ada@example.com", Role::Viewer).await;
    world.clock.turn(SignedDuration::from_secs(60));
    let session = world.sign_in(ada.id).await;
    let signed_in = SignedIn {
        member: Member { last_signed_in_at: Some(world.now()), ..ada },
        organization: Organization { id: world.organization, slug: "ours".parse().unwrap(), created_at: founded_at },
        session: session.clone(),
    };
    world.clock.turn(LASTS - MOMENT);
    assert_eq!(store.signed_in(session.hash, world.now()).await.unwrap(), Some(signed_in));
    assert_eq!(store.signed_in(session.hash, session.expires_at).await.unwrap(), None);
    assert_eq!(store.signed_in(TokenHash::of("nothing"), world.now()).await.unwrap(), None);
}

pub async fn the_beginning_of_the_newest_session_is_noted(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let ada = world.member("ada@example.com", Role::Viewer).await;
    let grace = world.member("grace@example.com", Role::Viewer).await;
    world.clock.turn(SignedDuration::from_secs(60));
    let newest = world.now();
    let late = world.session_value(ada.id);
    world.clock.turn(-SignedDuration::from_secs(30));
    let early = world.session_value(ada.id);
    for session in [late, early] {
        assert!(store.begin_session(session, None).await.unwrap());
    }
    assert_eq!(member_now(&world, &ada).await, Member { last_signed_in_at: Some(newest), ..ada });
    assert_eq!(member_now(&world, &grace).await, grace);
}

pub async fn a_session_needs_a_member(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let session = world.session_value(nobody(&world));
    assert!(!store.begin_session(session.clone(), None).await.unwrap());
    assert!(!is_signed_in(&world, &session).await);
}

pub async fn a_session_begins_only_under_the_password_that_was_checked(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let ada = world.member("ada@example.com", Role::Owner).await;
    let (_, checked) = store.member_by_email(&ada.email).await.unwrap().unwrap();
    let session = world.session_value(ada.id);
    assert!(store.begin_session(session.clone(), Some(checked.clone())).await.unwrap());
    store.change_password(ada.id, PasswordHash::from_stored("another".to_owned()), session.hash).await.unwrap();
    let late = world.session_value(ada.id);
    assert!(!store.begin_session(late.clone(), Some(checked)).await.unwrap());
    assert!(!is_signed_in(&world, &late).await);
}

pub async fn a_session_that_begins_forgets_what_has_expired(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let (began_at, ada) = (world.now(), world.member("ada@example.com", Role::Viewer).await.id);
    let grace = world.member("grace@example.com", Role::Viewer).await.id;
    let (token, _) = world.invite(Purpose::Join(Role::Viewer)).await;
    let expired = world.sign_in(ada).await;
    world.clock.turn(MOMENT);
    let in_force = world.sign_in(ada).await;
    world.clock.set(expired.expires_at);
    world.sign_in(grace).await;
    assert_eq!(store.signed_in(expired.hash, began_at).await.unwrap(), None);
    assert!(store.signed_in(in_force.hash, began_at).await.unwrap().is_some());
    assert_eq!(store.invitation(token.hash(), began_at).await.unwrap(), None);
}

pub async fn a_member_has_so_many_sessions_and_the_oldest_ends(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let ada = world.member("ada@example.com", Role::Owner).await.id;
    let of_grace = world.sign_in(world.member("grace@example.com", Role::Owner).await.id).await;
    let mut sessions = Vec::new();
    for _ in 0..MOST {
        world.clock.turn(MOMENT);
        sessions.push(world.sign_in(ada).await);
    }
    assert!(is_signed_in(&world, &sessions[0]).await);
    world.clock.turn(MOMENT);
    sessions.push(world.sign_in(ada).await);
    for (number, session) in sessions.iter().enumerate() {
        assert_eq!(is_signed_in(&world, session).await, number > 0, "{number}");
    }
    assert!(is_signed_in(&world, &of_grace).await);
}

pub async fn an_ended_session_is_unknown_at_once(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "ours").await;
    let ada = world.member("ada@example.com", Role::Owner).await.id;
    let of_grace = world.sign_in(world.member("grace@example.com", Role::Owner).await.id).await;
    let sessions = [world.sign_in(ada).await, world.sign_in(ada).await, world.sign_in(ada).await];
    let states = async || {
        let mut states = Vec::new();
        for session in &sessions {
            states.push(is_signed_in(&world, session).await);
        }
        states
    };
    store.end_session(sessions[1].hash).await.unwrap();
    assert_eq!(states().await, [true, false, true]);
    store.end_session(sessions[1].hash).await.unwrap();
    store.end_sessions(ada).await.unwrap();
    assert_eq!(states().await, [false, false, false]);
    assert!(is_signed_in(&world, &of_grace).await);
}
