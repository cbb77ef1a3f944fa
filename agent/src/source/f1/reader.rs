//! Makes readings of F1's datagrams.
//!
//! One reader follows one game: the first sender it hears, until that one is silent. A session is a `sessionUID`: another
//! one is another session, 0 is the menu. It is told as soon as its session packet has come, and ends with the game's
//! "session ended", its final classification, another session, or a minute of silence. UDP cannot tell a closed game from a
//! paused one: after five seconds without a packet it is not running, as far as one can see.
//!
//! Restricted telemetry (zeros in the place of another player's values) never gets into a reading: of other cars only what
//! the game shows to everybody is told, and the own car is always shown.
//!
//! Invariants: pure; no input makes it panic; nothing of a session is said before [`Reading::SessionStarted`]; a packet
//! that was refused changes nothing but the counts and the notice.
//!
//! Not here: the wire format ([`super::format`], [`super::packet`]).

mod happenings;
mod info;
mod laps;
mod live;
mod notice;
mod phase;
mod pits;
mod sample;
mod setup;
mod standings;
mod words;

use super::format::{Counts, Datagram, Identity, decode};
use super::packet::Body;
use crate::raw::{Raw, Reader, Stamp};
use crate::reading::Reading;
use live::Live;
use notice::{Notices, Topic};
use onelap_protocol::agent::EndReason;
use onelap_protocol::race::{Game, GameState};
use std::net::IpAddr;

/// Without a packet for so long no game is running.
const SILENT_MS: u64 = 5_000;
/// Without a packet for so long the session is over.
const GONE_MS: u64 = 60_000;
/// How long a refused packet is worth a notice.
const REFUSAL_MS: u64 = 30_000;

/// The reader of F1 25.
#[derive(Debug, Default)]
pub struct F1Reader {
    counts: Counts,
    other_senders: u64,
    sender: Option<IpAddr>,
    heard_ms: Option<u64>,
    live: Option<Box<Live>>,
    closed_uid: Option<u64>,
    said: Option<(Option<Game>, GameState)>,
    notices: Notices,
}

impl Reader for F1Reader {
    fn read(&mut self, at: Stamp, raw: &Raw, out: &mut Vec<Reading>) {
        self.mind_silence(at, out);
        if let Raw::Datagram { from, bytes } = raw {
            let outcome = decode(bytes);
            self.counts.count(&outcome);
            match &outcome {
                Ok(Datagram::Decoded(identity, body)) => self.take(at, from.ip(), identity, body, out),
                Ok(Datagram::Named(identity)) => self.name(at, identity, out),
                Err(refusal) if refusal.is_of_the_game() => {
                    let text = || format!("An F1 packet was refused: {refusal}");
                    self.notices.hold(Topic::Refused, at.mono_ms + REFUSAL_MS, text);
                }
                Err(_) => {}
            }
        }
        self.mind_the_end(at, out);
        out.extend(self.notices.changed(at.mono_ms).map(Reading::Notice));
    }
}

impl F1Reader {
    /// A reader that has heard nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What has come.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Datagrams of another sender than the one that is followed.
    #[must_use]
    pub fn from_other_senders(&self) -> u64 {
        self.other_senders
    }

    fn take(&mut self, at: Stamp, from: IpAddr, identity: &Identity, body: &Body, out: &mut Vec<Reading>) {
        let followed = *self.sender.get_or_insert(from);
        if followed != from {
            self.other_senders += 1;
            self.notices.hold(Topic::Senders, at.mono_ms + SILENT_MS, || {
                format!(
                    "F1 telemetry of {from} is ignored, {followed} is followed: give each rig a UDP port of its own, or name \
                     its sender"
                )
            });
            return;
        }
        self.heard_ms = Some(at.mono_ms);
        self.notices.drop(Topic::Silence);
        let uid = identity.header.session_uid;
        let is_closed = self.closed_uid == Some(uid);
        if is_closed && self.live.is_some() {
            // A straggler of the session before.
            return;
        }
        if self.live.as_ref().is_some_and(|live| live.uid != uid) {
            self.end(EndReason::Left, out);
        }
        if uid == 0 || is_closed {
            self.say(GameState::Menu, out);
            return;
        }
        let live = self.live.get_or_insert_with(|| Box::new(Live::new(&identity.header, at)));
        live.take(at, identity, body, out);
        if let Some(state) = live.state().filter(|_| live.is_told()) {
            self.say(state, out);
        }
    }

    /// A packet of another format: the game runs, and the driver learns what to set.
    fn name(&mut self, at: Stamp, identity: &Identity, out: &mut Vec<Reading>) {
        self.notices.hold(Topic::Format, at.mono_ms + SILENT_MS, || identity.advice());
        if self.live.is_none() {
            self.heard_ms = Some(at.mono_ms);
            self.say(GameState::Menu, out);
        }
    }

    fn mind_silence(&mut self, at: Stamp, out: &mut Vec<Reading>) {
        let Some(heard_ms) = self.heard_ms else { return };
        let silent_ms = at.mono_ms.saturating_sub(heard_ms);
        if silent_ms >= SILENT_MS {
            self.sender = None;
            // Where a session is open the game is not given up yet.
            let game = self.live.as_ref().map(|_| Game::F1);
            self.say_state(game, GameState::NotRunning, out);
            if self.live.is_some() {
                let text = || "No F1 telemetry: the game is paused, in a menu, or closed".to_owned();
                self.notices.hold(Topic::Silence, u64::MAX, text);
            }
        }
        if silent_ms >= GONE_MS {
            self.heard_ms = None;
            self.notices.drop(Topic::Silence);
            self.end(EndReason::GameClosed, out);
            // The same session may go on after a long pause; it is told again.
            self.closed_uid = None;
            self.say_state(None, GameState::NotRunning, out);
        }
    }

    fn mind_the_end(&mut self, at: Stamp, out: &mut Vec<Reading>) {
        let Some(live) = &mut self.live else { return };
        live.tick(at, out);
        if live.is_over(at) {
            live.last_standings(out);
            self.end(EndReason::Left, out);
            self.say(GameState::Menu, out);
        }
    }

    fn end(&mut self, reason: EndReason, out: &mut Vec<Reading>) {
        if let Some(live) = self.live.take() {
            self.closed_uid = Some(live.uid);
            if live.is_told() {
                out.push(Reading::SessionEnded(reason));
            }
        }
    }

    fn say(&mut self, state: GameState, out: &mut Vec<Reading>) {
        self.say_state(Some(Game::F1), state, out);
    }

    fn say_state(&mut self, game: Option<Game>, state: GameState, out: &mut Vec<Reading>) {
        if self.said.replace((game, state)) != Some((game, state)) {
            out.push(Reading::State { game, state });
        }
    }
}

#[cfg(test)]
mod tests;
