//! Invitations as links. A link is printed once, for whoever started the command, and kept and logged nowhere.

use preclinical_core::{
    clock::Clock,
    id::{InvitationId, OrganizationId},
    invitation::{Invitation, Purpose, VALID_FOR},
    organization::DEFAULT_SLUG,
    port::Store,
    token::Token,
};

use crate::system::{SystemChance, SystemClock};

/// A link that opens what it was made for, once.
pub(crate) struct Link {
    base: String,
    token: Token,
}

impl Link {
    /// The address as its owner must open it.
    pub(crate) fn url(&self) -> String {
        format!("{}/join/{}", self.base, self.token.expose())
    }
}

/// How often and how long a link works, in words.
pub(crate) fn terms() -> String {
    format!("works once, within {} days", VALID_FOR.as_hours() / 24)
}

/// A link for the first member of the organization `default`, in place of every earlier one; `None` if there is a member.
pub(crate) async fn set_up(store: &dyn Store, base: &str) -> anyhow::Result<Option<Link>> {
    let Some(organization) = store.organization(&DEFAULT_SLUG.parse()?).await? else { return Ok(None) };
    let (link, invitation) = new(organization.id, Purpose::SetUp, base);
    Ok(store.invite_first_member(invitation).await?.then_some(link))
}

/// A link to join the organization or to reset a password.
pub(crate) async fn invite(
    store: &dyn Store,
    organization: OrganizationId,
    purpose: Purpose,
    base: &str,
) -> anyhow::Result<Link> {
    let (link, invitation) = new(organization, purpose, base);
    store.invite(invitation).await?;
    Ok(link)
}

fn new(organization_id: OrganizationId, purpose: Purpose, base: &str) -> (Link, Invitation) {
    let (token, now) = (Token::generate(&SystemChance), SystemClock.now());
    let id = InvitationId::generate(now, &SystemChance);
    let invitation = Invitation::new(id, organization_id, token.hash(), purpose, now);
    (Link { base: base.to_owned(), token }, invitation)
}
