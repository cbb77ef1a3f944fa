//! One item, as it is kept and as it goes over the wire.

use crate::spool::segment::{Kind, Meta};
use bytes::Bytes;
use onelap_protocol::agent::{AgentMessage, Lane, Place, Record};
use onelap_protocol::batch;
use onelap_protocol::limits::MAX_AGENT_FRAME;

/// Memory that an item takes besides its bytes, about.
const ITEM_OVERHEAD: usize = 128;
/// By how much the name of its lane lengthens a record, at most.
const LANE_ROOM: usize = 32;
/// Largest item.
pub const MAX_ITEM: usize = MAX_AGENT_FRAME - LANE_ROOM;

/// One item, as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A batch of samples.
    Batch(Bytes),
    /// A record, JSON.
    Record(Bytes),
}

impl Frame {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Batch(bytes) | Self::Record(bytes) => bytes,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Batch(_) => Kind::Batch,
            Self::Record(_) => Kind::Record,
        }
    }
}

/// An item and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its number in this spool, from 0, without holes.
    pub serial: u64,
    /// Its place in the session's stream.
    pub place: Place,
    /// What it is.
    pub frame: Frame,
}

impl Item {
    pub(super) fn cost(&self) -> usize {
        self.frame.bytes().len() + ITEM_OVERHEAD
    }

    /// As it goes over the wire on this lane. It is kept as it would go live.
    #[must_use]
    pub fn on(&self, lane: Lane) -> Frame {
        if lane == Lane::Live {
            return self.frame.clone();
        }
        match &self.frame {
            Frame::Batch(bytes) => {
                let mut bytes = bytes.to_vec();
                if let Some(opcode) = bytes.first_mut() {
                    *opcode = lane.opcode();
                }
                Frame::Batch(bytes.into())
            }
            Frame::Record(bytes) => {
                let rest = bytes.strip_prefix(b"{").unwrap_or(bytes);
                Frame::Record([lane_field(lane).as_bytes(), rest].concat().into())
            }
        }
    }
}

/// The beginning of a record that says its lane.
fn lane_field(lane: Lane) -> &'static str {
    match lane {
        Lane::Live => "{",
        Lane::Preview => r#"{"lane":"preview","#,
        Lane::Backfill => r#"{"lane":"backfill","#,
    }
}

pub(super) fn record_frame(place: Place, record: Record) -> Frame {
    let message = AgentMessage::Record { lane: Lane::Live, place, record };
    // Only a map whose keys are not text cannot be JSON, and there is none; an empty frame is refused.
    Frame::Record(serde_json::to_vec(&message).unwrap_or_default().into())
}

/// What the log writes before an item. A record has the time of the samples before it.
pub(super) fn meta(item: &Item, at_ms: &mut u64) -> Meta {
    if let Frame::Batch(bytes) = &item.frame
        && let Ok(header) = batch::peek(bytes)
    {
        *at_ms = header.base_ms;
    }
    Meta { kind: item.frame.kind(), serial: item.serial, place: item.place, at_ms: *at_ms }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onelap_protocol::agent::EndReason;
    use onelap_protocol::{Batch, SessionId};

    #[test]
    fn an_item_is_the_same_on_every_lane_but_for_the_lane() {
        let place = Place { session: SessionId::new(), epoch: 3, sequence: 9 };
        let mut batch = Batch::with_capacity(1);
        batch.add_row(1_000);
        let mut bytes = Vec::new();
        batch.encode(batch::OPCODE_SAMPLES, place.session, place.epoch, place.sequence, &mut bytes);
        let batch = Item { serial: 4, place, frame: Frame::Batch(bytes.into()) };
        let record = Record::End { reason: EndReason::Left };
        let kept = Item { serial: 5, place, frame: record_frame(place, record.clone()) };
        for lane in [Lane::Live, Lane::Preview, Lane::Backfill] {
            let Frame::Batch(bytes) = batch.on(lane) else { panic!("a batch is a batch") };
            assert_eq!(Lane::of(bytes[0]), Some(lane));
            assert_eq!(bytes[1..], batch.frame.bytes()[1..]);
            let Frame::Record(bytes) = kept.on(lane) else { panic!("a record is a record") };
            let said: AgentMessage = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(said, AgentMessage::Record { lane, place, record: record.clone() });
            assert!(bytes.len() <= kept.frame.bytes().len() + LANE_ROOM);
        }
    }
}
