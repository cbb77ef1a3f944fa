//! People: signing up, logging in and out, who they are.
//!
//! Not here: how passwords and tokens are checked (`auth`), teams (`teams`).

pub(crate) mod routes;
mod store;

pub use routes::routes;

use crate::error::ApiError;
use serde::Deserialize;

/// Longest name of a person, team or rig, in characters.
const MAX_NAME: usize = 64;
/// Longest e-mail address (RFC 5321).
const MAX_EMAIL: usize = 254;

/// An e-mail address, as it was written. Compared without regard to case by the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Reads one. Whether it can be written to, only writing to it would show.
    ///
    /// # Errors
    /// [`ApiError::Invalid`].
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let text = text.trim();
        let is_address = text.len() <= MAX_EMAIL
            && !text.chars().any(|c| c.is_whitespace() || c.is_control() || "\"(),:;<>[\\]".contains(c))
            && text.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty()
                    && local.len() <= 64
                    && domain.contains('.')
                    && domain.split('.').all(|label| !label.is_empty() && !label.contains('@'))
            });
        if is_address {
            Ok(Self(text.to_owned()))
        } else {
            Err(ApiError::invalid("email", "this is not an e-mail address"))
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a person, team or rig.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Reads one; `field` is named where it is wrong.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] says what the rule is.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, ApiError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ApiError::invalid(field, "this must not be empty"));
        }
        if text.chars().count() > MAX_NAME {
            return Err(ApiError::invalid(field, format!("this has at most {MAX_NAME} characters")));
        }
        if text.chars().any(char::is_control) {
            return Err(ApiError::invalid(field, "this must not contain control characters"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A body with nothing but a name.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewName {
    /// The name, 1 to 64 characters.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        for good in ["a@b.de", " lena.hartmann+sim@team.example ", "ö@münchen.example"] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        let long = format!("{}@b.de", "a".repeat(65));
        for wrong in ["", "a", "a@", "@b.de", "a@b", "a@b..de", "a@b@c.de", "a b@c.de", "a@b.de\n.", "<a@b.de>", &long]
        {
            assert!(Email::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_is_short_and_printable() {
        assert_eq!(Name::parse("name", "  RIG_A ").unwrap().as_str(), "RIG_A");
        assert!(Name::parse("name", &"ä".repeat(64)).is_ok());
        for wrong in ["", "   ", "a\u{0}b", &"a".repeat(65)] {
            assert_eq!(Name::parse("team_name", wrong).unwrap_err().field(), Some("team_name"), "{wrong:?}");
        }
    }
}
