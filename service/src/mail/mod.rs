//! Letters: written by features, sent by one postman beside the requests.
//!
//! Without `SMTP_URL` a letter's link is printed to the log at `info`, and nowhere else: whoever runs the service for
//! themselves reads it there. With it, neither link nor text is ever logged.
//!
//! Invariants: nobody waits for a mail server; the queue is bounded (a letter that finds it full is dropped, counted as
//! lost and logged without its link); a letter is tried a few times, each with a deadline; a secret is in the fragment of
//! its link only, which no browser sends to a server.
//!
//! Not here: what letters say (each feature's `letters.rs`).

mod postman;

pub use postman::Postman;

use crate::accounts::Email;
use crate::config::{MailConfig, Secret};
use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use serde::Serialize;
use std::time::Duration;
use tokio::sync::mpsc;

/// Letters that may wait. One that finds no room is dropped.
const QUEUE: usize = 256;
/// How long a mail server may take to answer one command.
const ANSWER: Duration = Duration::from_secs(20);

/// Where letters go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// To a mail server.
    Smtp,
    /// Nowhere: their links are in the service's log.
    Log,
}

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

/// Takes letters; clones share the queue.
#[derive(Debug, Clone)]
pub struct Mailer {
    queue: mpsc::Sender<Letter>,
    /// Where they go.
    pub delivery: Delivery,
}

impl Mailer {
    /// A mailer and the postman who empties its queue.
    ///
    /// # Errors
    /// Names the variable that cannot be used, and why.
    pub fn new(config: &MailConfig, public_origin: &str) -> Result<(Self, Postman), MailError> {
        let (queue, letters) = mpsc::channel(QUEUE);
        let route = route(config)?;
        let delivery = if route.is_some() { Delivery::Smtp } else { Delivery::Log };
        Ok((Self { queue, delivery }, Postman::new(letters, route, public_origin)))
    }

    /// Hands a letter over. It arrives, or the log says that it did not.
    pub fn send(&self, letter: Letter) {
        if let Err(error) = self.queue.try_send(letter) {
            let (mpsc::error::TrySendError::Full(letter) | mpsc::error::TrySendError::Closed(letter)) = error;
            tracing::error!(kind = letter.kind, "too many letters wait: this one is not sent");
        }
    }
}

/// A variable and what is wrong with it.
pub(crate) type MailProblem = (&'static str, &'static str);

/// Why no letter could ever be sent.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: {}", .0.0, .0.1)]
pub struct MailError(MailProblem);

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Whether the settings can be used.
pub(crate) fn check(config: &MailConfig) -> Result<(), MailProblem> {
    route(config).map(drop).map_err(|error| error.0)
}

/// The server and the sender; `None` where there is no server.
fn route(config: &MailConfig) -> Result<Option<(Transport, Mailbox)>, MailError> {
    const URL: &str = "cannot be read; it is smtps://user:password@host:465 or smtp://user:password@host:587";
    const FROM: &str = "is not whom a letter can be from; it is 1Lap <no-reply@1lap.example>";
    let Some(url) = &config.smtp_url else { return Ok(None) };
    let from = config.from.parse::<Mailbox>().map_err(|_| MailError(("MAIL_FROM", FROM)))?;
    let transport = Transport::from_url(&encrypted(url.reveal())).map_err(|_| MailError(("SMTP_URL", URL)))?;
    Ok(Some((transport.timeout(Some(ANSWER)).build(), from)))
}

/// The address, with encryption asked for (STARTTLS) unless the server is on this machine or the operator says otherwise
/// (`?tls=opportunistic`).
fn encrypted(url: &str) -> String {
    let Some(rest) = url.strip_prefix("smtp://") else { return url.to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let is_here = ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|here| host.strip_prefix(here).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')));
    if is_here || rest.contains("tls=") { url.to_owned() } else { format!("smtp://{authority}?tls=required") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_leave_this_machine_encrypted() {
        assert_eq!(encrypted("smtp://u:p@mail.example:587"), "smtp://u:p@mail.example:587?tls=required");
        assert_eq!(encrypted("smtp://mail.example/"), "smtp://mail.example?tls=required");
        assert_eq!(encrypted("smtp://localhost.evil.example"), "smtp://localhost.evil.example?tls=required");
        for as_it_is in [
            "smtps://u:p@mail.example",
            "smtp://127.0.0.1:2525",
            "smtp://localhost",
            "smtp://relay.lan?tls=opportunistic",
        ] {
            assert_eq!(encrypted(as_it_is), as_it_is);
        }
    }

    #[tokio::test]
    async fn a_letter_too_many_is_dropped_and_nobody_waits() {
        let config = MailConfig { smtp_url: None, from: String::new(), require_verified: false };
        let (mailer, mut postman) = Mailer::new(&config, "http://1lap.test").unwrap();
        let to = Email::parse("a@b.example").unwrap();
        let letter = Letter { to, kind: "test", subject: String::new(), text: String::new(), link: None };
        for _ in 0..QUEUE + 10 {
            mailer.send(letter.clone());
        }
        assert_eq!(postman.waiting(), QUEUE);
    }
}
