//! What stands between a viewer's outbox and their socket where they may not see everything: a share link, an API key.
//!
//! It takes out setups and other rigs' states, and holds everything back by the share's delay. Frames are shared with all
//! other viewers; only what is changed is made anew. So that a session can be asked for before it is shown, its id alone is
//! told at once (`coming`); what comes of it is held back a moment longer than what rigs do, and finds the page ready.
//!
//! Invariants: a message whose kind is not known here does not pass; what belongs to the connection itself (pings, the
//! greeting, refusals, the end) is not held back, everything else is, by the same delay; what is held is bounded, and a
//! viewer who exceeds it is closed with a reason.
//!
//! Not here: whether the viewer may look at all (`auth`).

use super::outbox::Outbox;
use super::wire;
use crate::auth::{Action, Credential};
use crate::shares::Shown;
use bytes::Bytes;
use onelap_protocol::batch::{self, OPCODE_SAMPLES};
use onelap_protocol::viewer::{RigSession, RigState, ViewMessage};
use onelap_protocol::{BatchHeader, RigId, SessionId};
use serde::Deserialize;
use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Bytes that may be held back for one viewer: ten minutes of a long race with sixty cars.
const MAX_HELD: usize = 64 << 20;

/// How much longer than rigs' states everything else is held back: a page has been told which session is shown by then.
const SETTLES: Duration = Duration::from_millis(250);

/// Message kinds that pass as they are, when their time has come.
const PASS: [&str; 6] = ["info", "event", "backfilled", "consumption", "gap", "ended"];
/// Those that pass at once.
const AT_ONCE: [&str; 4] = ["hello", "refused", "goodbye", "pace"];

/// One viewer's.
#[derive(Debug)]
pub(super) struct Veil {
    hides_setups: bool,
    /// Whose rigs' states are shown; all where absent.
    shown: Option<Shown>,
    delay: Duration,
    at_once: VecDeque<Bytes>,
    /// Rigs' states, and everything else.
    held: [VecDeque<(Instant, Bytes)>; 2],
    /// The sessions that were told as coming.
    coming: HashMap<RigId, SessionId>,
    held_bytes: usize,
    timer: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(rename = "type", borrow)]
    kind: &'a str,
}

impl Veil {
    /// The veil for somebody; none for members.
    pub(super) fn of(who: &Credential) -> Option<Self> {
        let (hides_setups, shown, delay_s) = match who {
            Credential::Person(_) => return None,
            Credential::Key(key) => (key.check(Action::SeeSetups).is_err(), None, 0),
            Credential::Share(share) => (!share.shows_setup, Some(share.shown), share.delay_s),
        };
        Some(Self::new(hides_setups, shown, Duration::from_secs(delay_s.into())))
    }

    fn new(hides_setups: bool, shown: Option<Shown>, delay: Duration) -> Self {
        Self {
            hides_setups,
            shown,
            delay,
            at_once: VecDeque::new(),
            held: Default::default(),
            coming: HashMap::new(),
            held_bytes: 0,
            timer: None,
            ended: false,
        }
    }

    /// What goes to the socket next.
    pub(super) fn poll(&mut self, outbox: &Outbox, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        while !self.ended {
            match outbox.poll_frames(cx) {
                Poll::Ready(Some(waiting)) => {
                    // What was kept for who comes back is one buffer of many batches.
                    let frames = waiting.into_iter().flat_map(wire::frames);
                    frames.for_each(|frame| self.take(frame, Instant::now()));
                }
                Poll::Ready(None) => self.ended = true,
                Poll::Pending => break,
            }
            if self.held_bytes > MAX_HELD {
                self.held.iter_mut().for_each(VecDeque::clear);
                self.held_bytes = 0;
                outbox.close(1013, "more is held back for this viewer than can be kept: come back later");
            }
        }
        loop {
            if let Some(frame) = self.next(Instant::now()) {
                // What was held back does not go to who cannot take it: it would be older still.
                if let Some(header) = samples(&frame).filter(|_| outbox.is_held()) {
                    outbox.dropped(header.session, header.sequence);
                    continue;
                }
                return Poll::Ready(Some(frame));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            let Some(due) = self.held.iter().filter_map(|held| held.front()).map(|(due, _)| *due).min() else {
                return Poll::Pending;
            };
            let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
            if timer.deadline() != due {
                timer.as_mut().reset(due);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn take(&mut self, frame: Bytes, now: Instant) {
        let (opcode, payload) = wire::open(&frame);
        let kind = match opcode {
            wire::TEXT => serde_json::from_slice::<Tag>(payload).map(|tag| tag.kind).unwrap_or_default(),
            wire::BINARY => "batch",
            // Pings, pongs, the end.
            _ => return self.at_once.push_back(frame),
        };
        let is_rigs = kind == "rigs";
        let frame = match kind {
            kind if AT_ONCE.contains(&kind) => return self.at_once.push_back(frame),
            "batch" => frame,
            kind if PASS.contains(&kind) => frame,
            "setup" if !self.hides_setups => frame,
            "snapshot" if !self.hides_setups => frame,
            "snapshot" | "rigs" => match serde_json::from_slice(payload) {
                Ok(message) => {
                    let message = self.lifted(message);
                    self.announce(&message);
                    wire::text(&message)
                }
                Err(_) => return,
            },
            _ => return,
        };
        let settles = if is_rigs || self.delay.is_zero() { Duration::ZERO } else { SETTLES };
        self.held_bytes += frame.len();
        self.held[usize::from(!is_rigs)].push_back((now + self.delay + settles, frame));
    }

    /// Tells at once which sessions rigs are in now, where the rest of it comes later.
    fn announce(&mut self, message: &ViewMessage) {
        let ViewMessage::Rigs { team, rigs } = message else { return };
        if self.delay.is_zero() {
            return;
        }
        let all = rigs.iter().filter_map(|rig| rig.session.map(|session| RigSession { rig: rig.rig, session }));
        let sessions: Vec<RigSession> =
            all.filter(|now| self.coming.insert(now.rig, now.session) != Some(now.session)).collect();
        if !sessions.is_empty() {
            self.at_once.push_back(wire::text(&ViewMessage::Coming { team: *team, sessions }));
        }
    }

    /// The message without what is not shown.
    fn lifted(&self, mut message: ViewMessage) -> ViewMessage {
        match &mut message {
            ViewMessage::Snapshot { setup, .. } if self.hides_setups => *setup = None,
            ViewMessage::Rigs { rigs, .. } => {
                rigs.retain(|rig| self.shows(rig));
                // What the team needs to know of its machines is nobody else's business.
                for rig in rigs.iter_mut().filter(|_| self.shown.is_some()) {
                    (rig.agent_version, rig.notice, rig.clock_skew_ms, rig.spool, rig.acked_ms) =
                        (None, None, None, None, None);
                }
            }
            _ => {}
        }
        message
    }

    fn shows(&self, rig: &RigState) -> bool {
        match self.shown {
            None | Some(Shown::Team) => true,
            Some(Shown::Rig(shown)) => rig.rig == shown,
            Some(Shown::Session(shown)) => rig.session == Some(shown),
        }
    }

    fn next(&mut self, now: Instant) -> Option<Bytes> {
        if let Some(frame) = self.at_once.pop_front() {
            return Some(frame);
        }
        let (_, frame) = self.held.iter_mut().find_map(|held| held.pop_front_if(|(due, _)| *due <= now))?;
        self.held_bytes -= frame.len();
        Some(frame)
    }
}

/// What a batch says of itself; `None` where the frame is none.
fn samples(frame: &[u8]) -> Option<BatchHeader> {
    let (opcode, payload) = wire::open(frame);
    let is_batch = opcode == wire::BINARY && payload.first() == Some(&OPCODE_SAMPLES);
    is_batch.then(|| batch::peek(payload).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use onelap_protocol::TeamId;

    fn rigs(ids: &[RigId]) -> ViewMessage {
        let mut all: Vec<RigState> = ids.iter().map(|id| RigState::idle(*id, "RIG")).collect();
        all.iter_mut().for_each(|rig| rig.notice = Some("disk full".into()));
        ViewMessage::Rigs { team: TeamId::new(), rigs: all }
    }

    fn binary(payload: &[u8]) -> Bytes {
        wire::frame(wire::BINARY, payload).into()
    }

    fn read(frame: &Bytes) -> ViewMessage {
        serde_json::from_slice(wire::open(frame).1).unwrap()
    }

    /// Fails to compile when a message is added: decide above what becomes of it.
    fn word(message: &ViewMessage) -> &'static str {
        match message {
            ViewMessage::Hello { .. } => "hello",
            ViewMessage::Rigs { .. } => "rigs",
            // Made here.
            ViewMessage::Coming { .. } => "coming",
            ViewMessage::Snapshot { .. } => "snapshot",
            ViewMessage::Info { .. } => "info",
            ViewMessage::Event { .. } => "event",
            ViewMessage::Backfilled { .. } => "backfilled",
            ViewMessage::Consumption { .. } => "consumption",
            ViewMessage::Setup { .. } => "setup",
            ViewMessage::Gap { .. } => "gap",
            ViewMessage::Pace { .. } => "pace",
            ViewMessage::Ended { .. } => "ended",
            ViewMessage::Refused { .. } => "refused",
            ViewMessage::Goodbye { .. } => "goodbye",
        }
    }

    #[test]
    fn other_rigs_and_the_teams_own_affairs_are_taken_out() {
        let (ours, other) = (RigId::new(), RigId::new());
        let mut veil = Veil::new(true, Some(Shown::Rig(ours)), Duration::ZERO);
        let message = rigs(&[ours, other]);
        assert_eq!(word(&message), "rigs");
        let now = Instant::now();
        veil.take(wire::text(&message), now);
        let ViewMessage::Rigs { rigs, .. } = read(&veil.next(now).unwrap()) else { panic!("no rigs") };
        assert_eq!(rigs.len(), 1);
        assert_eq!((rigs[0].rig, rigs[0].notice.as_deref()), (ours, None));
    }

    #[test]
    fn setups_and_what_is_not_known_do_not_pass() {
        let setup = ViewMessage::Setup {
            session: SessionId::new(),
            setup: serde_json::from_str(r#"{"items": []}"#).unwrap_or_else(|_| panic!("a setup")),
        };
        let now = Instant::now();
        let mut veil = Veil::new(true, None, Duration::ZERO);
        veil.take(wire::text(&setup), now);
        veil.take(wire::frame(wire::TEXT, br#"{"type":"strategy","secret":1}"#).into(), now);
        veil.take(wire::frame(wire::TEXT, b"no json").into(), now);
        assert!(veil.next(now).is_none());
        let mut open = Veil::new(false, None, Duration::ZERO);
        open.take(wire::text(&setup), now);
        assert!(open.next(now).is_some());
    }

    #[test]
    fn everything_is_held_back_but_the_connection_itself() {
        let delay = Duration::from_secs(30);
        let mut veil = Veil::new(true, None, delay);
        let now = Instant::now();
        veil.take(binary(b"samples"), now);
        veil.take(wire::text(&rigs(&[])), now);
        veil.take(wire::ping(), now);
        assert_eq!(veil.next(now), Some(wire::ping()));
        assert_eq!(veil.next(now + delay - Duration::from_millis(1)), None);
        assert_eq!(word(&read(&veil.next(now + delay).unwrap())), "rigs");
        assert_eq!(veil.next(now + delay), None);
        assert_eq!(veil.next(now + delay + SETTLES), Some(binary(b"samples")));
        assert_eq!((veil.next(now + delay + SETTLES), veil.held_bytes), (None, 0));
    }

    #[test]
    fn which_session_comes_is_told_at_once_and_once_and_nothing_else_of_it() {
        let (ours, other, session) = (RigId::new(), RigId::new(), SessionId::new());
        let now = Instant::now();
        let mut message = rigs(&[ours, other]);
        let ViewMessage::Rigs { rigs: states, .. } = &mut message else { panic!("rigs") };
        states.iter_mut().for_each(|rig| rig.session = Some(session));
        let mut veil = Veil::new(true, Some(Shown::Rig(ours)), Duration::from_secs(30));
        veil.take(wire::text(&message), now);
        veil.take(wire::text(&message), now);
        let ViewMessage::Coming { sessions, .. } = read(&veil.next(now).unwrap()) else { panic!("what comes") };
        assert_eq!(sessions, [RigSession { rig: ours, session }]);
        assert_eq!(veil.next(now), None);
        let mut live = Veil::new(true, Some(Shown::Rig(ours)), Duration::ZERO);
        live.take(wire::text(&message), now);
        assert_eq!(word(&read(&live.next(now).unwrap())), "rigs", "who sees everything at once needs no word before");
    }
}
