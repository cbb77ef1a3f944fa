//! The field on its way out: the newest waits, and becomes a frame at the moment of sending, so that no frame is made that
//! is not sent and none is missing between two that are.

use bytes::Bytes;
use onelap_protocol::SessionId;
use onelap_protocol::race::Standings;
use onelap_protocol::standings::Encoder;

/// Between two keyframes: what it costs the service to miss something, and the link to send the whole.
const KEYFRAME_MS: u64 = 10_000;

/// See the module.
#[derive(Debug)]
pub(super) struct FieldLane {
    waiting: Option<(SessionId, Box<Standings>)>,
    encoder: Encoder,
    keyframe_ms: u64,
}

impl FieldLane {
    /// `epoch` is the run of the agent. A run has fewer frames than milliseconds: the next begins with a greater number.
    pub(super) fn new(epoch: u64) -> Self {
        Self { waiting: None, encoder: Encoder::new(epoch), keyframe_ms: 0 }
    }

    /// The field is another one.
    pub(super) fn set(&mut self, field: Option<(SessionId, Box<Standings>)>) {
        self.waiting = field;
    }

    /// Of which session something waits.
    pub(super) fn session(&self) -> Option<SessionId> {
        self.waiting.as_ref().map(|(session, _)| *session)
    }

    /// A new connection begins: what was told before is not known there, and what waits is old.
    pub(super) fn greet(&mut self) {
        self.waiting = None;
        self.encoder.forget();
    }

    /// The service has not the frame that the next one would apply to.
    pub(super) fn need_keyframe(&mut self) {
        self.encoder.forget();
    }

    /// What waits, as a frame.
    pub(super) fn take(&mut self, now_ms: u64) -> Option<Bytes> {
        let (session, standings) = self.waiting.take()?;
        if now_ms.saturating_sub(self.keyframe_ms) >= KEYFRAME_MS {
            self.encoder.forget();
        }
        if self.encoder.field().is_none_or(|told| told.session() != session) {
            self.keyframe_ms = now_ms;
        }
        Some(self.encoder.encode(session, &standings).into())
    }
}
