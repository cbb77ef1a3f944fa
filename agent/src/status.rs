//! What a rig is doing, for people and tests: a value, and the line that says it.

use crate::link::state::Greeted;
use onelap_protocol::SessionId;
use onelap_protocol::agent::Place;
use onelap_protocol::race::{Game, GameState};

/// What a rig is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct RigStatus {
    /// The rig's name in the settings.
    pub rig: String,
    /// The service has answered; who it says this is.
    pub greeted: Option<Greeted>,
    /// What is wrong.
    pub problem: Option<String>,
    /// Only a person can change the problem.
    pub needs_help: bool,
    /// The game that was found.
    pub game: Option<Game>,
    /// What it is doing.
    pub state: GameState,
    /// What the sources have to say.
    pub notice: Option<String>,
    /// The session that runs.
    pub session: Option<SessionId>,
    /// Its track.
    pub track: Option<String>,
    /// The car's class.
    pub class: Option<String>,
    /// Samples a second that are taken at most.
    pub sample_hz: u32,
    /// The last place that the service has committed.
    pub acked: Option<Place>,
    /// Samples that were taken for sending.
    pub samples: u64,
    /// Bytes that were handed to the connection.
    pub bytes_sent: u64,
    /// What waits for the service's acknowledgement, in bytes.
    pub spool_bytes: usize,
    /// Why what waits is not on disk, although it should be.
    pub spool_problem: Option<String>,
    /// Samples that were lost because too much waited.
    pub lost_samples: u64,
    /// Batches and records that were ever lost from the disk.
    pub lost_items: u64,
    /// Inputs that were dropped because the agent was too slow.
    pub dropped_inputs: u64,
    /// The recording was played back to its end and everything is acknowledged, or the rig was stopped.
    pub finished: bool,
}

impl RigStatus {
    /// A rig that has not begun.
    #[must_use]
    pub fn new(rig: &str, sample_hz: u32) -> Self {
        Self {
            rig: rig.to_owned(),
            greeted: None,
            problem: None,
            needs_help: false,
            game: None,
            state: GameState::NotRunning,
            notice: None,
            session: None,
            track: None,
            class: None,
            sample_hz,
            acked: None,
            samples: 0,
            bytes_sent: 0,
            spool_bytes: 0,
            spool_problem: None,
            lost_samples: 0,
            lost_items: 0,
            dropped_inputs: 0,
            finished: false,
        }
    }

    /// Whether the service has answered.
    #[must_use]
    pub fn connected(&self) -> bool {
        self.greeted.is_some()
    }

    /// One line for people. A new one is worth showing when [`RigStatus::line`] without its amounts changes: see
    /// [`RigStatus::headline`].
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = self.headline();
        if !self.connected() && self.spool_bytes > 0 {
            line.push_str(&format!(", keeping {}", megabytes(self.spool_bytes)));
        }
        if self.lost_samples > 0 {
            line.push_str(&format!(", {} samples lost because too much waits", self.lost_samples));
        }
        if self.lost_items > 0 {
            line.push_str(&format!(", {} messages lost from the disk", self.lost_items));
        }
        line
    }

    /// The line without amounts.
    #[must_use]
    pub fn headline(&self) -> String {
        let game = self.game_in_words();
        let mut line = match (&self.greeted, &self.problem) {
            (Some(greeted), _) if self.state == GameState::OnTrack && self.track.is_some() => {
                format!("{} of {}: live: {game}", greeted.rig, greeted.team)
            }
            (Some(greeted), _) => format!("{} of {}: connected: {game}", greeted.rig, greeted.team),
            // The token, the address or the agent itself has to be another one.
            (None, Some(problem)) if self.needs_help => {
                format!("{}: offline: {problem}; then start the agent again", self.rig)
            }
            (None, Some(problem)) => format!("{}: offline: {problem}", self.rig),
            (None, None) => format!("{}: connecting", self.rig),
        };
        let problem = self.problem.as_ref().filter(|_| self.connected());
        for more in [self.notice.as_ref(), problem, self.spool_problem.as_ref()].into_iter().flatten() {
            line.push_str(" · ");
            line.push_str(more);
        }
        line
    }

    fn game_in_words(&self) -> String {
        let Some(game) = self.game else { return "no game found".to_owned() };
        let name = match game {
            Game::Lmu => "Le Mans Ultimate",
            Game::F1 => "F1",
            Game::Rf2 => "rFactor 2",
        };
        let state = match self.state {
            GameState::NotRunning => "not running",
            GameState::Menu => "in the menu",
            GameState::Garage => "in the garage",
            GameState::OnTrack => "on track",
            GameState::Paused => "paused",
            GameState::Replay => "showing a replay",
            GameState::Spectating => "watching another car",
        };
        let Some(track) = &self.track else { return format!("{name} {state}") };
        let class = self.class.as_ref().map(|class| format!(" · {class}")).unwrap_or_default();
        if self.state == GameState::OnTrack {
            format!("{track}{class} · {} Hz", self.sample_hz)
        } else {
            format!("{track}{class}, {name} {state}")
        }
    }
}

fn megabytes(bytes: usize) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use onelap_protocol::limits::Limits;

    fn driving() -> RigStatus {
        let greeted =
            Greeted { team: "Ours".into(), rig: "RIG_A".into(), clock_ahead_ms: 0, limits: Limits::default() };
        RigStatus {
            greeted: Some(greeted),
            game: Some(Game::Lmu),
            state: GameState::OnTrack,
            track: Some("Portimão".into()),
            class: Some("Hyper".into()),
            spool_bytes: 3_140_000,
            ..RigStatus::new("rig", 20)
        }
    }

    #[test]
    fn the_line_says_what_matters() {
        assert_eq!(driving().line(), "RIG_A of Ours: live: Portimão · Hyper · 20 Hz");
        let offline = RigStatus { greeted: None, problem: Some("no route".into()), ..driving() };
        assert_eq!(offline.line(), "rig: offline: no route, keeping 3.1 MB");
        let refused = RigStatus { needs_help: true, ..offline };
        assert_eq!(refused.line(), "rig: offline: no route; then start the agent again, keeping 3.1 MB");
        let menu = RigStatus { state: GameState::Menu, track: None, notice: Some("note".into()), ..driving() };
        assert_eq!(menu.line(), "RIG_A of Ours: connected: Le Mans Ultimate in the menu · note");
        assert_eq!(RigStatus::new("rig", 20).line(), "rig: connecting");
        let full = RigStatus { spool_problem: Some("the disk is full: …".into()), lost_items: 3, ..driving() };
        let line = "RIG_A of Ours: live: Portimão · Hyper · 20 Hz · the disk is full: …, 3 messages lost from the disk";
        assert_eq!(full.line(), line);
    }
}
