//! Members of the organization, and how they come in.

use preclinical_core::{
    id::{InvitationId, MemberId},
    invitation::{Invitation, Purpose},
    member::{Member, Role},
    password::PasswordHash,
    port::Acceptance,
    session::Session,
    token::Token,
};

use super::World;

impl World {
    /// An invitation from now on with its token, not yet stored.
    pub fn invitation_value(&self, purpose: Purpose) -> (Token, Invitation) {
        let token = Token::generate(&*self.chance);
        let id = InvitationId::generate(self.now(), &*self.chance);
        let invitation = Invitation::new(id, self.organization, token.hash(), purpose, self.now());
        (token, invitation)
    }

    /// A new invitation to join or to reset a password.
    pub async fn invite(&self, purpose: Purpose) -> (Token, Invitation) {
        let (token, invitation) = self.invitation_value(purpose);
        self.store.invite(invitation.clone()).await.unwrap();
        (token, invitation)
    }

    /// Somebody of that address accepts the invitation now.
    pub fn acceptance(&self, token: &Token, email: &str) -> Acceptance {
        Acceptance {
            hash: token.hash(),
            member_id: MemberId::generate(self.now(), &*self.chance),
            email: email.parse().unwrap(),
            password: PasswordHash::from_stored(format!("hash of {email}")),
            at: self.now(),
        }
    }

    /// A new member.
    pub async fn member(&self, email: &str, role: Role) -> Member {
        let (token, _) = self.invite(Purpose::Join(role)).await;
        self.store.accept_invitation(self.acceptance(&token, email)).await.unwrap()
    }

    /// A session of that member from now on, not yet stored.
    pub fn session_value(&self, id: MemberId) -> Session {
        Session::new(Token::generate(&*self.chance).hash(), id, self.now())
    }

    /// A new session of that member.
    ///
    /// # Panics
    /// If there is no such member.
    pub async fn sign_in(&self, id: MemberId) -> Session {
        let session = self.session_value(id);
        assert!(self.store.begin_session(session.clone(), None).await.unwrap());
        session
    }
}
