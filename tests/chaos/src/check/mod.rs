//! The judge: compares what the games did, what the agents sent, what was acknowledged, what Postgres holds and what a
//! viewer was shown. Pure: everything it knows is in [`Evidence`].
//!
//! It shares no code with agent and service but the protocol's decoder.

pub mod game;
pub mod live;
pub mod stream;

use crate::clock::Health;
use crate::rig::{GameRun, Kind};
use crate::rows::Session;
use crate::viewer::Memory;
use crate::witness::Heard;
use onelap_protocol::SessionId;
use std::collections::BTreeMap;

/// What a run leaves behind.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// The games' own logs, by rig.
    pub games: Vec<(Kind, Vec<GameRun>)>,
    /// What was heard on the links.
    pub heard: &'a Heard,
    /// What Postgres holds.
    pub sessions: &'a BTreeMap<SessionId, Session>,
    /// What the viewer was shown.
    pub viewer: &'a Memory,
    /// When what was in order.
    pub health: &'a Health,
    /// When the agents were told to end.
    pub end_ms: u64,
}

/// What must not be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// An item that an agent had is not in Postgres.
    Lost,
    /// Something is in Postgres twice.
    Twice,
    /// Something was acknowledged and is not in Postgres.
    AckedMissing,
    /// Something in Postgres is not what was sent.
    Different,
    /// A lap of the game's log is not recorded although the agent was there.
    Lap,
    /// Nothing was read for a while although game and agent were there.
    Hole,
    /// A viewer was shown an earlier batch after a later one.
    Backwards,
    /// A rig was not live in time although everything was in order.
    NotLive,
}

impl Wrong {
    /// All of them, with what the table calls them.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Lost, "lost"),
        (Self::Twice, "twice"),
        (Self::AckedMissing, "acknowledged but missing"),
        (Self::Different, "not what was sent"),
        (Self::Lap, "laps not as the game's"),
        (Self::Hole, "holes while game and agent were there"),
        (Self::Backwards, "shown backwards"),
        (Self::NotLive, "not live in time"),
    ];
}

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// How often each thing was wrong.
    pub counts: BTreeMap<Wrong, u64>,
    /// The first of each, for people.
    pub places: BTreeMap<Wrong, Vec<String>>,
    /// Figures for the table, in order.
    pub figures: Vec<(&'static str, String)>,
}

/// How many of each kind are named.
const NAMED: usize = 5;

impl Findings {
    fn wrong(&mut self, what: Wrong, times: u64, place: impl FnOnce() -> String) {
        if times == 0 {
            return;
        }
        *self.counts.entry(what).or_default() += times;
        let places = self.places.entry(what).or_default();
        if places.len() < NAMED {
            places.push(place());
        }
    }

    fn figure(&mut self, name: &'static str, value: &impl ToString) {
        self.figures.push((name, value.to_string()));
    }

    /// How often this was found.
    #[must_use]
    pub fn count(&self, what: Wrong) -> u64 {
        self.counts.get(&what).copied().unwrap_or_default()
    }
}

/// Judges a run.
#[must_use]
pub fn judge(evidence: &Evidence<'_>) -> Findings {
    let mut findings = Findings::default();
    stream::check(evidence, &mut findings);
    game::check(evidence, &mut findings);
    live::check(evidence, &mut findings);
    findings
}

#[cfg(test)]
mod tests;
