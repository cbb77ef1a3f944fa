//! Letters: their links are printed to the log.
//!
//! Not here: what letters say (each feature), a mail server.

use crate::accounts::Email;
use crate::config::Secret;

/// A letter.
#[derive(Debug, Clone)]
pub struct Letter {
    /// To whom.
    pub to: Email,
    /// What it is, for logs: "reset".
    pub kind: &'static str,
    /// Its subject.
    pub subject: String,
    /// What it says before the link.
    pub text: String,
    /// Where it leads.
    pub link: Option<Link>,
}

/// A link into the web app, with a secret in its fragment.
#[derive(Debug, Clone)]
pub struct Link {
    /// Path of the page.
    pub path: &'static str,
    /// The secret behind the `#`.
    pub secret: Secret,
}

/// Takes letters.
#[derive(Debug, Clone)]
pub struct Mailer {
    /// The service's address.
    pub public_origin: String,
}

impl Mailer {
    /// Hands a letter over.
    pub fn send(&self, letter: Letter) {
        let link = letter.link.map(|link| format!("{}{}#{}", self.public_origin, link.path, link.secret.reveal()));
        tracing::info!(kind = letter.kind, to = letter.to.as_str(), link, "a letter");
    }
}
