//! Secrets that travel in the `#fragment` of a link or in a cookie: `{prefix}{40 random characters}{check sum}`.
//!
//! Invariants: kept as SHA-256 only; shown by no `Debug`; what is misspelt is told without asking the database.

use crate::auth::{Sha256Hash, grammar, random_text, sha256};
use crate::error::ApiError;
use onelap_protocol::token::{TOKEN_SECRET_ALPHABET, TOKEN_SECRET_LEN, check_sum};
use std::fmt;

/// What a secret is for: its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// To join a team.
    Invitation,
    /// To look at something of a team.
    Share,
    /// A browser that has opened a share link.
    Visit,
    /// An agent that waits for approval.
    Device,
}

impl LinkKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Invitation => "1lap_invite_",
            Self::Share => "1lap_share_",
            Self::Visit => "1lap_visit_",
            Self::Device => "1lap_device_",
        }
    }
}

/// One secret.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkSecret(String);

impl fmt::Debug for LinkSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkSecret(…)")
    }
}

impl LinkSecret {
    /// A new one, of the system's random bytes.
    ///
    /// # Errors
    /// Where the system gives none.
    pub fn random(kind: LinkKind) -> Result<Self, ApiError> {
        let random = random_text(TOKEN_SECRET_ALPHABET, TOKEN_SECRET_LEN)
            .map_err(|error| ApiError::internal(format!("random bytes: {error}")))?;
        let text = format!("{}{random}", kind.prefix());
        let sum = check_sum(&text);
        Ok(Self(text + &sum))
    }

    /// Reads one; `None` where it cannot be one of this kind.
    #[must_use]
    pub fn parse(kind: LinkKind, text: &str) -> Option<Self> {
        grammar::link_secret(kind.prefix(), text).map(|text| Self(text.to_owned()))
    }

    /// For the link or the cookie.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> Sha256Hash {
        sha256(self.0.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_reads_back_as_its_own_kind_only() {
        let secret = LinkSecret::random(LinkKind::Share).unwrap();
        assert_eq!(LinkSecret::parse(LinkKind::Share, secret.reveal()).as_ref(), Some(&secret));
        assert_eq!(LinkSecret::parse(LinkKind::Invitation, secret.reveal()), None);
        assert!(!format!("{secret:?}").contains(&secret.reveal()[12..20]));
        let mut misspelt = secret.reveal().to_owned();
        misspelt.replace_range(20..21, if &misspelt[20..21] == "a" { "b" } else { "a" });
        assert_eq!(LinkSecret::parse(LinkKind::Share, &misspelt), None);
        for other in ["", "1lap_share_", &secret.reveal()[..50], "1lap_share_é"] {
            assert_eq!(LinkSecret::parse(LinkKind::Share, other), None, "{other}");
        }
    }
}
