//! What changes a live session, as a value: the instance that has the rig publishes it, those that have viewers apply it.
//!
//! ```text
//! u8      version     1
//! [16]    instance    who publishes
//! [16]    team        compared with the channel's on receipt
//! [16]    session
//! u64     number      per (instance, session), from 1, without holes; big endian
//! u8      kind        0: a batch as the agent sent it follows; 1: a `Delta` as JSON; 2: a frame of the field
//! ```

use super::shown::At;
use bytes::{BufMut, Bytes, BytesMut};
use onelap_protocol::agent::EndReason;
use onelap_protocol::race::{RaceEvent, SessionInfo};
use onelap_protocol::setup::Setup;
use onelap_protocol::viewer::Consumption;
use onelap_protocol::{SessionId, TeamId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const VERSION: u8 = 1;
const BATCH: u8 = 0;
const JSON: u8 = 1;
const STANDINGS: u8 = 2;
const HEADER: usize = 1 + 16 + 16 + 16 + 8 + 1;

/// A change of a live session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(super) enum Delta {
    /// A batch, as the bytes that the agent sent.
    #[serde(skip)]
    Batch(Bytes),
    /// A frame of the field.
    #[serde(skip)]
    Standings(Bytes),
    /// Something happened.
    Event { at: At, event: Box<RaceEvent> },
    /// Something that happened before what was shown last, and was not shown.
    LateEvent { at: At, event: Box<RaceEvent> },
    /// By how much the agent's clock is ahead.
    Clock { skew_ms: i64 },
    /// What is used a lap.
    Consumption { consumption: Consumption },
    /// Samples of this stretch of session time are recorded now.
    Backfilled { from_s: f64, to_s: f64 },
    /// The facts.
    Info { at: At, info: Box<SessionInfo>, is_item: bool },
    /// The setup in the car.
    Setup { at: At, setup: Box<Setup>, is_item: bool },
    /// The stream ends at this place.
    EndAt { at: At, reason: EndReason },
    /// It is over, wherever it is.
    End { reason: EndReason },
    /// The snapshot was written anew, because something may have been lost: read it.
    Renewed,
}

/// A delta on its way between two instances.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message {
    pub(super) instance: Uuid,
    pub(super) team: TeamId,
    pub(super) session: SessionId,
    pub(super) number: u64,
    pub(super) delta: Delta,
}

impl Message {
    pub(super) fn encode(&self) -> Bytes {
        let json;
        let (kind, body) = match &self.delta {
            Delta::Batch(bytes) => (BATCH, &bytes[..]),
            Delta::Standings(frame) => (STANDINGS, &frame[..]),
            other => {
                // Plain data with text keys, which always serialises.
                json = serde_json::to_vec(other).unwrap_or_default();
                (JSON, &json[..])
            }
        };
        let mut out = BytesMut::with_capacity(HEADER + body.len());
        out.put_u8(VERSION);
        out.put_slice(self.instance.as_bytes());
        out.put_slice(self.team.0.as_bytes());
        out.put_slice(self.session.0.as_bytes());
        out.put_u64(self.number);
        out.put_u8(kind);
        out.put_slice(body);
        out.freeze()
    }

    /// Reads a message; `None` where the bytes are none of this version.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (header, body) = bytes.split_at_checked(HEADER)?;
        let id = |at: usize| Uuid::from_slice(&header[at..at + 16]).ok();
        if header[0] != VERSION {
            return None;
        }
        let number = u64::from_be_bytes(header[49..57].try_into().ok()?);
        let delta = match header[57] {
            BATCH => Delta::Batch(Bytes::copy_from_slice(body)),
            STANDINGS => Delta::Standings(Bytes::copy_from_slice(body)),
            JSON => serde_json::from_slice(body).ok()?,
            _ => return None,
        };
        Some(Self { instance: id(1)?, team: TeamId(id(17)?), session: SessionId(id(33)?), number, delta })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onelap_protocol::race::Phase;
    use proptest::prelude::*;

    fn message(delta: Delta) -> Message {
        Message { instance: Uuid::from_u128(7), team: TeamId::new(), session: SessionId::new(), number: 9, delta }
    }

    #[test]
    fn what_was_written_is_read() {
        let event = Box::new(RaceEvent::Phase { phase: Phase::Green, at_s: 1.5 });
        let deltas = [
            Delta::Batch(Bytes::from_static(b"\x01\x02")),
            Delta::Standings(Bytes::from_static(b"\x05\x01")),
            Delta::Event { at: (5, 6), event: event.clone() },
            Delta::LateEvent { at: (5, 3), event },
            Delta::Backfilled { from_s: 1.0, to_s: 2.5 },
            Delta::End { reason: EndReason::Left },
            Delta::Consumption { consumption: Consumption { laps: 3, fuel_l: Some(2.5), ..Consumption::default() } },
            Delta::Renewed,
        ];
        for delta in deltas {
            let message = message(delta);
            assert_eq!(Message::decode(&message.encode()), Some(message));
        }
    }

    #[test]
    fn another_version_or_kind_is_not_read() {
        let mut bytes = message(Delta::Renewed).encode().to_vec();
        bytes[57] = 9;
        assert_eq!(Message::decode(&bytes), None);
        (bytes[57], bytes[0]) = (1, 2);
        assert_eq!(Message::decode(&bytes), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Message::decode(&bytes);
        }
    }
}
