//! Members: the people of an organization, who sign in to the pages.

use std::{fmt, str::FromStr};

use jiff::Timestamp;

use crate::{
    id::{MemberId, OrganizationId},
    invisible::is_invisible,
};

/// The most bytes of an address, as RFC 5321 has it.
const MAX_EMAIL_BYTES: usize = 254;

/// What a member may do on the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything, members among it.
    Owner,
    /// Everything but members.
    Member,
    /// Look.
    Viewer,
}

impl Role {
    /// Every role, the most powerful first.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Member, Self::Viewer];

    /// The role's name, in the store and in forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }

    /// The role of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Whether it may change what is set up, send, repeat and cancel.
    pub const fn may_change(self) -> bool {
        matches!(self, Self::Owner | Self::Member)
    }

    /// Whether it may invite and remove members.
    pub const fn may_govern(self) -> bool {
        matches!(self, Self::Owner)
    }
}

/// An e-mail address by which a member signs in, in lower case. That it reaches anybody is not known: nothing is sent to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// A text that is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address such as name@example.com, of at most {MAX_EMAIL_BYTES} bytes")]
pub struct NotAnEmail;

impl Email {
    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = NotAnEmail;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().to_lowercase();
        let (name, host) = text.rsplit_once('@').ok_or(NotAnEmail)?;
        let is_plain =
            !text.chars().any(|c| is_invisible(c) || c.is_whitespace() || c.is_control() || "<>()[],;:\\\"".contains(c));
        let is_whole = !name.is_empty() && !name.contains('@') && !host.is_empty();
        let is_host = !host.starts_with('.') && !host.ends_with('.') && !host.contains("..");
        if is_plain && is_whole && is_host && text.len() <= MAX_EMAIL_BYTES { Ok(Self(text)) } else { Err(NotAnEmail) }
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A member, of exactly one organization. The password's hash is no part of this value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub struct Member {
    pub id: MemberId,
    pub organization_id: OrganizationId,
    /// Unique in the installation.
    pub email: Email,
    pub role: Role,
    pub joined_at: Timestamp,
    /// When the newest of the sessions began.
    pub last_signed_in_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_one_whatever_its_case() {
        let email = " Ada.Lovelace+hooks@Example.COM ".parse::<Email>().unwrap();
        assert_eq!(email.as_str(), "ada.lovelace+hooks@example.com");
        assert!("root@localhost".parse::<Email>().is_ok());
        assert!("ünicode@münchen.example".parse::<Email>().is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(250));
        for wrong in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c.d",
            "a@b@c",
            "a\0@b.c",
            "<a@b.c>",
            "a@.b",
            "a\u{200b}@b.c",
            "a\u{202e}@b.c",
            "a@b.",
            "a@b..c",
            &long,
        ] {
            assert_eq!(wrong.parse::<Email>(), Err(NotAnEmail), "{wrong}");
        }
    }

    #[test]
    fn a_role_is_read_by_its_name_alone() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!((Role::parse("Owner"), Role::parse("")), (None, None));
        assert_eq!(Role::ALL.map(Role::may_change), [true, true, false]);
        assert_eq!(Role::ALL.map(Role::may_govern), [true, false, false]);
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_or_refused(text: String) {
            if let Ok(email) = text.parse::<Email>() {
                prop_assert_eq!(email.as_str().parse::<Email>(), Ok(email));
            }
        }
    }
}
