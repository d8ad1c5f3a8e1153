//! Members, invitations and sessions.

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    id::{InvitationId, MemberId, OrganizationId},
    invitation::{Invitation, MOST_TO_JOIN, Purpose},
    member::{Email, Member, Role},
    password::PasswordHash,
    port::{AcceptError, Acceptance, Accounts, InviteError, MemberError, Page, SignedIn, StoreError},
    session::{MOST, Session},
    token::TokenHash,
};

use super::{Ledger, ReferenceStore, page};

impl Ledger {
    fn has_owner_beside(&self, organization: OrganizationId, id: Option<MemberId>) -> bool {
        self.members
            .values()
            .any(|(member, _)| member.organization_id == organization && member.role == Role::Owner && Some(member.id) != id)
    }

    fn has_member(&self, organization: OrganizationId, id: MemberId) -> bool {
        self.members.get(&id).is_some_and(|(member, _)| member.organization_id == organization)
    }

    /// Keeps an invitation in place of the earlier ones that it makes void, unless its organization has no use for it.
    fn keep_invitation(&mut self, invitation: Invitation) -> bool {
        let organization = invitation.organization_id;
        self.invitations.retain(|known| known.is_in_force(invitation.created_at));
        let of_organization = self.invitations.iter().filter(|known| known.organization_id == organization);
        let is_wanted = match invitation.purpose {
            Purpose::SetUp => !self.has_owner_beside(organization, None),
            Purpose::Join(_) => {
                let joining = of_organization.filter(|known| matches!(known.purpose, Purpose::Join(_)));
                joining.count() < MOST_TO_JOIN as usize
            }
            Purpose::ResetPassword(_) => true,
        };
        if !matches!(invitation.purpose, Purpose::Join(_)) {
            let replaced = |known: &Invitation| known.organization_id == organization && known.purpose == invitation.purpose;
            self.invitations.retain(|known| !replaced(known));
        }
        if is_wanted {
            self.invitations.push(invitation);
        }
        is_wanted
    }

    fn invite(&mut self, invitation: Invitation) -> Result<(), InviteError> {
        let subject = match invitation.purpose {
            Purpose::ResetPassword(member) => Some(member),
            Purpose::SetUp | Purpose::Join(_) => None,
        };
        let named = subject.into_iter().chain(invitation.created_by);
        if !named.into_iter().all(|member| self.has_member(invitation.organization_id, member)) {
            return Err(InviteError::NoSuchMember);
        }
        if self.keep_invitation(invitation) { Ok(()) } else { Err(InviteError::TooMany) }
    }

    fn in_force(&self, hash: TokenHash, at: Timestamp) -> Option<Invitation> {
        self.invitations.iter().find(|known| known.hash == hash && known.is_in_force(at)).cloned()
    }

    fn forget_setup(&mut self, organization: OrganizationId) {
        self.invitations.retain(|known| known.organization_id != organization || known.purpose != Purpose::SetUp);
    }

    fn accept(&mut self, acceptance: Acceptance) -> Result<Member, AcceptError> {
        let invitation = self.in_force(acceptance.hash, acceptance.at).ok_or(AcceptError::NotInForce)?;
        let role = match invitation.purpose {
            Purpose::SetUp => Role::Owner,
            Purpose::Join(role) => role,
            Purpose::ResetPassword(_) => return Err(AcceptError::NotInForce),
        };
        if self.members.values().any(|(member, _)| member.email == acceptance.email) {
            return Err(AcceptError::EmailTaken);
        }
        let member = Member {
            id: acceptance.member_id,
            organization_id: invitation.organization_id,
            email: acceptance.email,
            role,
            joined_at: acceptance.at,
            last_signed_in_at: None,
        };
        self.invitations.retain(|known| known.hash != acceptance.hash);
        self.members.insert(member.id, (member.clone(), acceptance.password));
        if role == Role::Owner {
            self.forget_setup(member.organization_id);
        }
        Ok(member)
    }

    fn accept_reset(&mut self, hash: TokenHash, password: PasswordHash, at: Timestamp) -> Result<Member, AcceptError> {
        let invitation = self.in_force(hash, at).ok_or(AcceptError::NotInForce)?;
        let Purpose::ResetPassword(id) = invitation.purpose else { return Err(AcceptError::NotInForce) };
        let (member, known) = self.members.get_mut(&id).ok_or(AcceptError::NotInForce)?;
        *known = password;
        self.invitations.retain(|known| known.hash != hash);
        self.sessions.retain(|session| session.member_id != id);
        Ok(member.clone())
    }

    /// The member, if the organization has an owner without it.
    fn spare(&self, organization: OrganizationId, id: MemberId) -> Result<Member, MemberError> {
        let (member, _) = self.members.get(&id).ok_or(MemberError::NotFound)?;
        if member.organization_id != organization {
            return Err(MemberError::NotFound);
        }
        let is_spare = member.role != Role::Owner || self.has_owner_beside(organization, Some(id));
        if is_spare { Ok(member.clone()) } else { Err(MemberError::LastOwner) }
    }

    fn change_role(&mut self, organization: OrganizationId, id: MemberId, role: Role) -> Result<Member, MemberError> {
        match self.spare(organization, id) {
            Err(MemberError::LastOwner) if role == Role::Owner => {}
            answer => drop(answer?),
        }
        let (member, _) = self.members.get_mut(&id).ok_or(MemberError::NotFound)?;
        member.role = role;
        let member = member.clone();
        if role == Role::Owner {
            self.forget_setup(organization);
        } else {
            self.invitations.retain(|known| known.created_by != Some(id));
        }
        Ok(member)
    }

    fn remove(&mut self, organization: OrganizationId, id: MemberId) -> Result<(), MemberError> {
        self.spare(organization, id)?;
        self.members.remove(&id);
        self.sessions.retain(|session| session.member_id != id);
        let of_member = |known: &Invitation| known.created_by == Some(id) || known.purpose == Purpose::ResetPassword(id);
        self.invitations.retain(|known| !of_member(known));
        Ok(())
    }

    fn change_password(&mut self, id: MemberId, password: PasswordHash, keep: TokenHash) -> Result<(), MemberError> {
        self.members.get_mut(&id).ok_or(MemberError::NotFound)?.1 = password;
        self.invitations.retain(|known| known.purpose != Purpose::ResetPassword(id));
        self.sessions.retain(|session| session.member_id != id || session.hash == keep);
        Ok(())
    }

    fn begin_session(&mut self, session: Session, checked: Option<&PasswordHash>) -> bool {
        self.sessions.retain(|known| session.created_at < known.expires_at);
        self.invitations.retain(|known| known.is_in_force(session.created_at));
        let Some((member, password)) = self.members.get_mut(&session.member_id) else { return false };
        if checked.is_some_and(|checked| checked != password) {
            return false;
        }
        member.last_signed_in_at = member.last_signed_in_at.max(Some(session.created_at));
        let of_member = |known: &&Session| known.member_id == session.member_id;
        let mut newest: Vec<_> =
            self.sessions.iter().filter(of_member).map(|known| (known.created_at, *known.hash.bytes())).collect();
        newest.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
        let ended: Vec<_> = newest.into_iter().skip(MOST as usize - 1).map(|(_, hash)| hash).collect();
        self.sessions.retain(|known| !ended.contains(known.hash.bytes()));
        self.sessions.push(session);
        true
    }

    fn signed_in(&self, hash: TokenHash, at: Timestamp) -> Option<SignedIn> {
        let session = self.sessions.iter().find(|known| known.hash == hash && at < known.expires_at)?.clone();
        let member = self.members.get(&session.member_id)?.0.clone();
        let organization = self.organizations.get(&member.organization_id)?.organization.clone();
        Some(SignedIn { member, organization, session })
    }
}

#[async_trait]
impl Accounts for ReferenceStore {
    async fn invite_first_member(&self, invitation: Invitation) -> Result<bool, StoreError> {
        let invitation = Invitation { purpose: Purpose::SetUp, ..invitation };
        Ok(self.write(|ledger| ledger.keep_invitation(invitation)))
    }

    async fn invite(&self, invitation: Invitation) -> Result<(), InviteError> {
        self.write(|ledger| ledger.invite(invitation))
    }

    async fn invitation(&self, hash: TokenHash, at: Timestamp) -> Result<Option<Invitation>, StoreError> {
        Ok(self.read(|ledger| ledger.in_force(hash, at)))
    }

    async fn invitations(
        &self,
        organization: OrganizationId,
        at: Timestamp,
        wanted: Page,
    ) -> Result<(Vec<Invitation>, u64), StoreError> {
        Ok(self.read(|ledger| {
            let is_listed = |known: &&Invitation| known.organization_id == organization && known.is_in_force(at);
            let mut rows: Vec<_> = ledger.invitations.iter().filter(is_listed).cloned().collect();
            rows.sort_by_key(|known| std::cmp::Reverse((known.created_at, known.id)));
            page(rows, wanted)
        }))
    }

    async fn withdraw_invitation(&self, organization: OrganizationId, id: InvitationId) -> Result<bool, StoreError> {
        Ok(self.write(|ledger| {
            let before = ledger.invitations.len();
            ledger.invitations.retain(|known| known.organization_id != organization || known.id != id);
            ledger.invitations.len() < before
        }))
    }

    async fn accept_invitation(&self, acceptance: Acceptance) -> Result<Member, AcceptError> {
        self.write(|ledger| ledger.accept(acceptance))
    }

    async fn accept_password_reset(
        &self,
        hash: TokenHash,
        password: PasswordHash,
        at: Timestamp,
    ) -> Result<Member, AcceptError> {
        self.write(|ledger| ledger.accept_reset(hash, password, at))
    }

    async fn member_by_email(&self, email: &Email) -> Result<Option<(Member, PasswordHash)>, StoreError> {
        Ok(self.read(|ledger| ledger.members.values().find(|(member, _)| member.email == *email).cloned()))
    }

    async fn members(&self, organization: OrganizationId, wanted: Page) -> Result<(Vec<Member>, u64), StoreError> {
        Ok(self.read(|ledger| {
            let members = ledger.members.values().map(|(member, _)| member);
            let mut rows: Vec<_> = members.filter(|member| member.organization_id == organization).cloned().collect();
            rows.sort_by_key(|member| (member.joined_at, member.id));
            page(rows, wanted)
        }))
    }

    async fn change_role(&self, organization: OrganizationId, id: MemberId, role: Role) -> Result<Member, MemberError> {
        self.write(|ledger| ledger.change_role(organization, id, role))
    }

    async fn remove_member(&self, organization: OrganizationId, id: MemberId) -> Result<(), MemberError> {
        self.write(|ledger| ledger.remove(organization, id))
    }

    async fn change_password(&self, id: MemberId, password: PasswordHash, keep: TokenHash) -> Result<(), MemberError> {
        self.write(|ledger| ledger.change_password(id, password, keep))
    }

    async fn begin_session(&self, session: Session, checked: Option<PasswordHash>) -> Result<bool, StoreError> {
        Ok(self.write(|ledger| ledger.begin_session(session, checked.as_ref())))
    }

    async fn signed_in(&self, hash: TokenHash, at: Timestamp) -> Result<Option<SignedIn>, StoreError> {
        Ok(self.read(|ledger| ledger.signed_in(hash, at)))
    }

    async fn end_session(&self, hash: TokenHash) -> Result<(), StoreError> {
        self.write(|ledger| ledger.sessions.retain(|session| session.hash != hash));
        Ok(())
    }

    async fn end_sessions(&self, id: MemberId) -> Result<(), StoreError> {
        self.write(|ledger| ledger.sessions.retain(|session| session.member_id != id));
        Ok(())
    }
}
