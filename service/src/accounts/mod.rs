//! People: signing up, logging in and out, who they are, and what they change about themselves.
//!
//! Invariants: whether an address has an account shows neither in an answer nor in its time, where sign-ups are confirmed
//! by letter (`signup`), nor anywhere else (`login`, `reset`); what changes how somebody logs in asks for the password,
//! and for the code where there is a second factor, and is told to them by letter; a link's secret is good once, kept as
//! a hash, and travels in bodies only.
//!
//! Not here: how passwords, codes and tokens are checked (`auth`), teams (`teams`), sending letters (`mail`).

pub(crate) mod email;
mod later;
pub(crate) mod leave;
mod letters;
pub(crate) mod login;
pub(crate) mod logins;
pub(crate) mod me;
pub(crate) mod password;
mod prove;
pub(crate) mod second_factor;
pub(crate) mod signup;
mod store;
mod store_links;

pub use second_factor::seal_anew;

/// Adds the routes.
pub fn routes(config: &mut actix_web::web::ServiceConfig) {
    config.service(signup::signup).service(signup::finish_signup).service(signup::resend_signup);
    config.service(login::login).service(login::login_code).service(login::renew).service(login::confirm);
    config.service(login::logout).service(login::logout_everywhere);
    config.service(password::ask_reset).service(password::finish_reset).service(password::change_password);
    config.service(email::confirm_email).service(email::change_email).service(email::resend_verification);
    config.service(me::who).service(me::rename);
    config.service(logins::list_logins).service(logins::end_login).service(logins::end_other_logins);
    config.service(second_factor::begin_second_factor).service(second_factor::confirm_second_factor);
    config.service(second_factor::remove_second_factor).service(second_factor::new_recovery_codes);
    config.service(leave::export).service(leave::delete_account);
}

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

    /// What attempts are counted under: the same in any case.
    pub(crate) fn key(&self) -> String {
        self.0.to_lowercase()
    }

    /// One that was checked when it was kept.
    pub(crate) fn kept(text: String) -> Self {
        Self(text)
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
