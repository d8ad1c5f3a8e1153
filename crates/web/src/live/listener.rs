//! Who follows a stream.

use preclinical_core::{
    id::{MemberId, OrganizationId},
    token::TokenHash,
};
use uuid::Uuid;

use crate::{app::App, auth::Caller};

/// A program with its key, or a member at a page.
#[derive(Clone)]
pub(crate) enum Listener {
    Program(Caller),
    Person { organization: OrganizationId, member: MemberId, session: TokenHash },
}

impl Listener {
    /// Whose events it hears.
    pub(crate) fn organization(&self) -> OrganizationId {
        match self {
            Self::Program(caller) => caller.organization,
            Self::Person { organization, .. } => *organization,
        }
    }

    /// Under which its streams are counted.
    pub(super) fn id(&self) -> Uuid {
        match self {
            Self::Program(caller) => caller.key.uuid(),
            Self::Person { member, .. } => member.uuid(),
        }
    }

    /// Whether it may listen yet. If that cannot be known, it may not.
    pub(super) async fn is_still_admitted(&self, app: &App) -> bool {
        match self {
            Self::Program(caller) => caller.is_still_admitted(app).await,
            Self::Person { session, .. } => {
                app.store.signed_in(*session, app.clock.now()).await.is_ok_and(|signed_in| signed_in.is_some())
            }
        }
    }
}
