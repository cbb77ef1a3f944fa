//! What a source says about the game, in the catalogue's units.

use onelap_protocol::Sample;
use onelap_protocol::agent::EndReason;
use onelap_protocol::race::{Game, GameState, RaceEvent, SessionInfo, Standings};
use onelap_protocol::setup::Setup;

/// One statement of a source. Their order is the order in which things happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// What the game is doing; said when it changes.
    State {
        /// The game, where one runs.
        game: Option<Game>,
        /// What it does.
        state: GameState,
    },
    /// Something the team should know about the source itself (an unknown version, restricted telemetry); `None` takes
    /// it back.
    Notice(Option<String>),
    /// A new session began; what follows belongs to it. Ends the one before.
    SessionStarted(Box<SessionInfo>),
    /// Facts about the session changed.
    SessionChanged(Box<SessionInfo>),
    /// The session is over.
    SessionEnded(EndReason),
    /// Our car, now. As often as the game gives it; the sampler thins.
    Sample(Box<Sample>),
    /// The field, now.
    Standings(Box<Standings>),
    /// The setup in the car is another one.
    Setup {
        /// Session time in seconds.
        at_s: f64,
        /// The setup.
        setup: Box<Setup>,
    },
    /// Something happened.
    Event(Box<RaceEvent>),
}
