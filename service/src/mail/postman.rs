//! Empties the queue: a few letters at a time, each tried a few times.

use super::{Letter, Transport};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, SinglePart};
use lettre::{AsyncTransport, Message};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Letters on their way at the same time.
const AT_ONCE: usize = 4;
/// Pauses before a letter is tried again.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60)];
/// How long one attempt may take in all.
const ATTEMPT: Duration = Duration::from_secs(60);

/// Sends what is in the queue.
pub struct Postman {
    letters: mpsc::Receiver<Letter>,
    bag: Arc<Bag>,
}

impl fmt::Debug for Postman {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Postman(…)")
    }
}

struct Bag {
    route: Option<(Transport, Mailbox)>,
    public_origin: String,
}

impl Postman {
    pub(super) fn new(
        letters: mpsc::Receiver<Letter>,
        route: Option<(Transport, Mailbox)>,
        public_origin: &str,
    ) -> Self {
        Self { letters, bag: Arc::new(Bag { route, public_origin: public_origin.to_owned() }) }
    }

    #[cfg(test)]
    pub(super) fn waiting(&mut self) -> usize {
        self.letters.len()
    }

    /// Sends until `stop`; then what is in the queue, without trying anything twice.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut on_their_way = JoinSet::new();
        loop {
            while on_their_way.len() >= AT_ONCE {
                on_their_way.join_next().await;
            }
            let letter = tokio::select! {
                letter = self.letters.recv() => letter,
                () = stop.cancelled() => self.letters.try_recv().ok(),
            };
            let Some(letter) = letter else { break };
            let (bag, stop) = (Arc::clone(&self.bag), stop.clone());
            on_their_way.spawn(async move { bag.deliver(&letter, &stop).await });
        }
        while on_their_way.join_next().await.is_some() {}
    }
}

impl Bag {
    async fn deliver(&self, letter: &Letter, stop: &CancellationToken) {
        let link =
            letter.link.as_ref().map(|link| format!("{}{}#{}", self.public_origin, link.path, link.secret.reveal()));
        let Some((transport, from)) = &self.route else {
            let link = link.unwrap_or_default();
            tracing::info!(kind = letter.kind, to = letter.to.as_str(), link, "no SMTP_URL: this letter is not sent");
            return;
        };
        let message = match message(from, letter, link.as_deref()) {
            Ok(message) => message,
            Err(error) => return tracing::error!(kind = letter.kind, error, "a letter could not be written"),
        };
        let mut pauses = PAUSES.iter();
        loop {
            let (problem, is_final) = match tokio::time::timeout(ATTEMPT, transport.send(message.clone())).await {
                Ok(Ok(_)) => return tracing::info!(kind = letter.kind, "a letter was sent"),
                Ok(Err(error)) => (error.to_string(), error.is_permanent()),
                Err(_) => ("no answer in time".to_owned(), false),
            };
            let pause = pauses.next().filter(|_| !is_final && !stop.is_cancelled());
            let Some(pause) = pause else {
                return tracing::error!(kind = letter.kind, error = problem, "a letter was not sent");
            };
            tracing::warn!(kind = letter.kind, error = problem, "a letter was not taken: trying again");
            tokio::select! {
                () = tokio::time::sleep(*pause) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

fn message(from: &Mailbox, letter: &Letter, link: Option<&str>) -> Result<Message, String> {
    let to = letter.to.as_str().parse().map_err(|_| "the address is not one that letters can be sent to".to_owned())?;
    let domain = from.email.domain();
    let mut text = letter.text.clone();
    if let Some(link) = link {
        text.push_str(&format!("\n\n{link}\n"));
    }
    text.push_str("\n-- \n1Lap\nThis letter was written by a program; nobody reads answers.\n");
    let body = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(text);
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(&letter.subject)
        .message_id(Some(format!("<{}@{domain}>", uuid::Uuid::new_v4())))
        .singlepart(body)
        .map_err(|error| error.to_string())
}
