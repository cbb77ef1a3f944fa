//! What was said between agents and service, heard on the link: every item that an agent ever sent, and every
//! acknowledgement that the service gave, whether or not the other side got it.
//!
//! Not here: bytes and frames (`frames`), judging (`check`).

use crate::clock::now_ms;
use crate::frames::{Frames, Message};
use faults::{Side, Tap};
use onelap_protocol::agent::{AgentMessage, Lane, Place, Record, ServiceMessage};
use onelap_protocol::{ErrorCode, SessionId, batch, standings};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was sent at a place.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A batch, its frame but for the first byte, which only names the lane.
    Batch(Vec<u8>),
    /// A record.
    Record(Box<Record>),
}

/// Everything of one session and run of the agent.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// Whose it is.
    pub rig: usize,
    /// By sequence.
    pub items: BTreeMap<u64, Content>,
    /// Greatest sequence that was acknowledged.
    pub acked: u64,
    /// When the first item was heard.
    pub began_ms: u64,
}

impl Stream {
    /// When its first samples were read, which may be long before they were heard; where there are none, when it was heard.
    #[must_use]
    pub fn read_ms(&self) -> u64 {
        let first = self.items.values().find_map(|content| match content {
            Content::Batch(bytes) => {
                // Whatever the lane was.
                let frame = [&[Lane::Live.opcode()], bytes.as_slice()].concat();
                batch::peek(&frame).ok().map(|header| header.base_ms)
            }
            Content::Record(_) => None,
        });
        first.unwrap_or(self.began_ms)
    }
}

/// An acknowledgement as it was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// When.
    pub at_ms: u64,
    /// Up to where.
    pub place: Place,
}

/// What an agent said of itself when it connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// When.
    pub at_ms: u64,
    /// Which rig.
    pub rig: usize,
    /// Which run.
    pub epoch: u64,
    /// Sessions of which it still holds something.
    pub sessions: Vec<SessionId>,
}

/// Everything that was heard.
#[derive(Debug, Default)]
pub struct Heard {
    /// By session and run of the agent.
    pub streams: BTreeMap<(SessionId, u64), Stream>,
    /// Acknowledgements since [`Heard::take_acks`].
    pub acks: Vec<Ack>,
    /// In order.
    pub hellos: Vec<Hello>,
    /// Items on their way, by lane: live, preview, backfill; with repetitions.
    pub sent: [u64; 3],
    /// Acknowledgements.
    pub acknowledgements: u64,
    /// Times the service asked for something again.
    pub resends: u64,
    /// What agents were told was wrong, and what should not have been heard at all.
    pub complaints: Vec<String>,
}

impl Heard {
    /// Acknowledgements that were not taken before.
    pub fn take_acks(&mut self) -> Vec<Ack> {
        std::mem::take(&mut self.acks)
    }

    fn item(&mut self, rig: usize, lane: Lane, place: Place, content: Content) {
        self.sent[lane as usize] += 1;
        let stream = self.streams.entry((place.session, place.epoch)).or_default();
        if stream.items.is_empty() {
            (stream.rig, stream.began_ms) = (rig, now_ms());
        }
        match stream.items.get(&place.sequence) {
            Some(before) if *before != content => {
                self.complaints.push(format!("rig {rig} sent something else at {}", shown(&place)));
            }
            Some(_) => {}
            None => {
                stream.items.insert(place.sequence, content);
            }
        }
    }

    fn agent_text(&mut self, rig: usize, text: &[u8]) -> Result<(), String> {
        match serde_json::from_slice(text).map_err(|e| e.to_string())? {
            AgentMessage::Hello { epoch, sessions, .. } => {
                self.hellos.push(Hello { at_ms: now_ms(), rig, epoch, sessions });
            }
            // What the session is and which setup is in the car is previewed at places that are not its own.
            AgentMessage::Record {
                lane: Lane::Preview, record: Record::Session { .. } | Record::Setup { .. }, ..
            } => {
                self.sent[Lane::Preview as usize] += 1;
            }
            AgentMessage::Record { lane, place, record } => {
                self.item(rig, lane, place, Content::Record(Box::new(record)));
            }
            AgentMessage::Status { .. } | AgentMessage::Bye { .. } => {}
        }
        Ok(())
    }

    fn agent_batch(&mut self, rig: usize, bytes: &[u8]) -> Result<(), String> {
        if bytes.first() == Some(&standings::OPCODE) {
            // The field is not recorded.
            return standings::peek(bytes).map(drop).map_err(|e| e.to_string());
        }
        let header = batch::peek(bytes).map_err(|e| e.to_string())?;
        let (lane, rest) = bytes.split_first().ok_or("nothing")?;
        let lane = Lane::of(*lane).ok_or_else(|| format!("opcode {lane}"))?;
        let place = Place { session: header.session, epoch: header.epoch, sequence: header.sequence };
        self.item(rig, lane, place, Content::Batch(rest.to_vec()));
        Ok(())
    }

    fn service_text(&mut self, rig: usize, text: &[u8]) -> Result<(), String> {
        match serde_json::from_slice(text).map_err(|e| e.to_string())? {
            ServiceMessage::Ack { place } => {
                self.acknowledgements += 1;
                self.acks.push(Ack { at_ms: now_ms(), place });
                self.acked(place);
            }
            ServiceMessage::Welcome { committed, .. } => committed.into_iter().for_each(|place| self.acked(place)),
            ServiceMessage::Resend { .. } => self.resends += 1,
            // To be slow is no fault.
            ServiceMessage::Error { code: ErrorCode::RateLimited, .. }
            | ServiceMessage::Goodbye { .. }
            | ServiceMessage::Keyframe { .. } => {}
            ServiceMessage::Error { code, message, .. } => {
                self.complaints.push(format!("rig {rig} was told {}: {message}", code.as_str()));
            }
        }
        Ok(())
    }

    fn acked(&mut self, place: Place) {
        // Of a place that is committed everything before is, in earlier runs of the agent as well; those are looked at
        // for themselves.
        let stream = self.streams.entry((place.session, place.epoch)).or_default();
        stream.acked = stream.acked.max(place.sequence);
    }
}

/// A place, for people.
#[must_use]
pub fn shown(place: &Place) -> String {
    format!("session {} epoch {} sequence {}", place.session, place.epoch, place.sequence)
}

/// What all taps write to.
#[derive(Debug, Clone, Default)]
pub struct Witness(Arc<Mutex<Heard>>);

impl Witness {
    /// What was heard so far.
    pub fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A tap on the link of a rig.
    #[must_use]
    pub fn tap(&self, rig: usize) -> Arc<dyn Tap> {
        Arc::new(RigTap { rig, witness: self.clone(), connections: Mutex::default() })
    }
}

struct RigTap {
    rig: usize,
    witness: Witness,
    /// Client's and server's half.
    connections: Mutex<HashMap<u64, [Frames; 2]>>,
}

impl Tap for RigTap {
    fn said(&self, connection: u64, side: Side, bytes: &[u8]) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let frames = &mut connections.entry(connection).or_default()[side as usize];
        let taken = frames.take(bytes);
        let mut heard = self.witness.heard();
        let understood = taken.and_then(|messages| {
            messages.iter().try_for_each(|message| match (side, message) {
                (Side::Client, Message::Text(text)) => heard.agent_text(self.rig, text),
                (Side::Client, Message::Binary(bytes)) => heard.agent_batch(self.rig, bytes),
                (Side::Server, Message::Text(text)) => heard.service_text(self.rig, text),
                (Side::Server, Message::Binary(_)) => Err("a binary frame of the service".to_owned()),
            })
        });
        if let Err(why) = understood {
            heard.complaints.push(format!("link of rig {}: {why}", self.rig));
        }
    }

    fn closed(&self, connection: u64) {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).remove(&connection);
    }
}
