//! The parts of an agent's socket that know nothing of sessions: sending with a deadline, how a connection ends, and
//! what is told of commits.

use crate::live::Publisher;
use crate::recorder::{Progress, Stretch, TracedCommits};
use actix_ws::{CloseCode, CloseReason, ProtocolError, Session};
use onelap_protocol::agent::{Place, ServiceMessage};
use onelap_protocol::limits::MAX_AGENT_FRAME;
use onelap_protocol::{ErrorCode, SessionId};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// An agent that does not take what is sent to it for this long is let go.
const SEND_DEADLINE: Duration = Duration::from_secs(10);
/// Between two notices that samples were backfilled.
const BACKFILLED_EVERY: Duration = Duration::from_secs(1);

/// The sending half.
#[derive(Clone)]
pub(super) struct Out(pub(super) Session);

/// The agent does not take anything more.
pub(super) struct Gone;

impl Out {
    pub(super) async fn send(&mut self, message: &ServiceMessage) -> Result<(), Gone> {
        // Messages are plain data with text keys, which always serialise.
        let text = serde_json::to_string(message).unwrap_or_default();
        match tokio::time::timeout(SEND_DEADLINE, self.0.text(text)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }

    pub(super) async fn ping(&mut self) -> Result<(), Gone> {
        match tokio::time::timeout(SEND_DEADLINE, self.0.ping(b"1lap")).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }

    pub(super) async fn pong(&mut self, payload: &[u8]) -> Result<(), Gone> {
        match tokio::time::timeout(SEND_DEADLINE, self.0.pong(payload)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }

    /// Closes; an agent that does not take even that is left to the kernel.
    pub(super) async fn close(self, code: CloseCode) {
        let reason = CloseReason { code, description: None };
        let _ = tokio::time::timeout(SEND_DEADLINE, self.0.close(Some(reason))).await;
    }
}

/// Why the connection ends, with what the agent is told.
pub(super) enum End {
    Gone,
    /// A fatal error and a close code.
    Fatal(ErrorCode, String, CloseCode),
    /// A goodbye: reason and time until it should come back.
    Goodbye(&'static str, u32, CloseCode),
}

impl From<Gone> for End {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

/// Tells the agent what is committed, until the writer has ended.
pub(super) async fn acknowledge(
    mut out: Out,
    live: Publisher,
    mut progress: watch::Receiver<Progress>,
    traced: TracedCommits,
    session: SessionId,
    epoch: u64,
    stopped: CancellationToken,
) {
    loop {
        let now = *progress.borrow_and_update();
        match now {
            Progress::Committed(0) => {}
            Progress::Committed(sequence) => {
                let ack = ServiceMessage::Ack { place: Place { session, epoch, sequence } };
                if out.send(&ack).await.is_err() {
                    return;
                }
                traced.acknowledged(sequence);
                live.acked();
            }
            Progress::Stopped => return stopped.cancel(),
        }
        if progress.changed().await.is_err() {
            return;
        }
    }
}

/// Tells viewers which samples are recorded that could not be shown, until the writer has ended.
pub(super) async fn tell_backfilled(
    live: Publisher,
    session: SessionId,
    mut backfilled: watch::Receiver<Option<Stretch>>,
) {
    // What changes during the pause is told after it, also when it was the last.
    while backfilled.changed().await.is_ok() {
        let stretch = *backfilled.borrow_and_update();
        if let Some((from_s, to_s)) = stretch {
            live.backfilled(session, from_s, to_s);
        }
        tokio::time::sleep(BACKFILLED_EVERY).await;
    }
}

pub(super) fn broken(error: &ProtocolError) -> End {
    match error {
        ProtocolError::Overflow => End::Fatal(
            ErrorCode::TooLarge,
            format!("a message is larger than the limit of {MAX_AGENT_FRAME} bytes"),
            CloseCode::Size,
        ),
        ProtocolError::Io(_) => End::Gone,
        other => End::Fatal(ErrorCode::Malformed, format!("WebSocket: {other}"), CloseCode::Protocol),
    }
}

pub(super) fn fatal(code: ErrorCode, message: &str) -> End {
    End::Fatal(code, message.to_owned(), CloseCode::Policy)
}
