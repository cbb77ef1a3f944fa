//! What a rig is doing, for people and tests: a value, and the line that says it.

use crate::link::state::Greeted;
use onelap_protocol::SessionId;
use onelap_protocol::agent::Place;
use onelap_protocol::race::{Game, GameState};

/// What waits this long for its acknowledgement is not stored: the service commits every ten seconds.
const STUCK_MS: u64 = 60_000;
/// Less than this need not be said.
const MUCH_BYTES: usize = 2_000_000;
/// How long something has to be right before it is no longer wrong.
const LASTS_MS: u64 = 15_000;

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
    /// Age of the oldest of it, in milliseconds.
    pub oldest_ms: Option<u64>,
    /// Much of it waits to be sent, and is being sent.
    pub is_catching_up: bool,
    /// How long that still takes, in seconds.
    pub catching_up_s: Option<u32>,
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
            oldest_ms: None,
            is_catching_up: false,
            catching_up_s: None,
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

    /// One line for people. When it is worth saying again: see [`Teller`].
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = self.words(true);
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
        self.words(false)
    }

    fn words(&self, with_amounts: bool) -> String {
        let game = self.game_in_words();
        let amount = |text: String| if with_amounts { text } else { String::new() };
        let keeping = match self.spool_bytes {
            0 => String::new(),
            bytes => amount(format!(", keeping {}", megabytes(bytes as u64))),
        };
        let mut line = match (&self.greeted, &self.problem) {
            (Some(greeted), _) => {
                let doing = if self.is_catching_up {
                    format!("catching up{}", amount(self.time_left()))
                } else if self.state == GameState::OnTrack && self.track.is_some() {
                    "live".to_owned()
                } else {
                    "connected".to_owned()
                };
                let stuck = if self.is_stuck() {
                    format!(" · the service stores nothing at the moment{keeping}")
                } else {
                    String::new()
                };
                format!("{} of {}: {doing}: {game}{stuck}", greeted.rig, greeted.team)
            }
            // The token, the address or the agent itself has to be another one.
            (None, Some(problem)) if self.needs_help => {
                format!("{}: offline{keeping}: {problem}; then start the agent again", self.rig)
            }
            (None, Some(problem)) => format!("{}: offline{keeping}: {problem}", self.rig),
            (None, None) => format!("{}: connecting{keeping}", self.rig),
        };
        let problem = self.problem.as_ref().filter(|_| self.connected());
        for more in [self.notice.as_ref(), problem, self.spool_problem.as_ref()].into_iter().flatten() {
            line.push_str(" · ");
            line.push_str(more);
        }
        line
    }

    /// The service takes what is sent and acknowledges none of it.
    fn is_stuck(&self) -> bool {
        self.connected() && !self.is_catching_up && self.oldest_ms.is_some_and(|ms| ms >= STUCK_MS)
    }

    fn time_left(&self) -> String {
        match self.catching_up_s {
            None => String::new(),
            Some(0..60) => " (less than a minute left)".to_owned(),
            Some(s @ 60..5_400) => format!(" ({} min left)", (s + 30) / 60),
            Some(s) => format!(" ({} h left)", (s + 1_800) / 3_600),
        }
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

/// Says when a line is worth saying: when something else than an amount has changed, when twice as much is kept as the last
/// time, and when half of the time for catching up has passed.
#[derive(Debug, Default)]
pub struct Teller {
    headline: String,
    bytes: usize,
    seconds: u32,
    lost: u64,
}

impl Teller {
    /// The line, if it is worth saying.
    pub fn tell(&mut self, now: &RigStatus) -> Option<String> {
        let headline = now.headline();
        let lost = now.lost_items + now.lost_samples;
        let is_other = headline != self.headline;
        let grew = !now.connected() && now.spool_bytes >= 2 * self.bytes.max(MUCH_BYTES / 2);
        let shrank = now.catching_up_s.is_some_and(|s| s <= self.seconds / 2 && s >= 30);
        let loses = lost >= (2 * self.lost).max(1);
        if !(is_other || grew || shrank || loses) {
            return None;
        }
        self.headline = headline;
        self.bytes = if now.connected() { 0 } else { now.spool_bytes };
        self.seconds = now.catching_up_s.unwrap_or(0);
        self.lost = lost;
        Some(now.line())
    }
}

/// Something that is wrong, told until it has been right for a while: a disk at the edge of being full is told once.
#[derive(Debug, Default)]
pub struct Lasting {
    what: Option<String>,
    right_since_ms: Option<u64>,
}

impl Lasting {
    /// Looks again; `now_ms` is any clock that only goes forward.
    pub fn look(&mut self, what: Option<String>, now_ms: u64) {
        if what.is_some() {
            (self.what, self.right_since_ms) = (what, None);
        } else if self.what.is_some() && now_ms >= *self.right_since_ms.get_or_insert(now_ms) + LASTS_MS {
            (self.what, self.right_since_ms) = (None, None);
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn get(&self) -> Option<&str> {
        self.what.as_deref()
    }
}

/// An amount of bytes in words.
#[must_use]
pub fn megabytes(bytes: u64) -> String {
    match bytes as f64 / 1e6 {
        little @ ..10.0 => format!("{little:.1} MB"),
        much @ ..10_000.0 => format!("{much:.0} MB"),
        plenty => format!("{:.1} GB", plenty / 1e3),
    }
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
        assert_eq!(offline.line(), "rig: offline, keeping 3.1 MB: no route");
        let hours = RigStatus { spool_bytes: 41_300_000, ..offline.clone() };
        assert_eq!(hours.line(), "rig: offline, keeping 41 MB: no route");
        let refused = RigStatus { needs_help: true, ..offline };
        assert_eq!(refused.line(), "rig: offline, keeping 3.1 MB: no route; then start the agent again");
        let menu = RigStatus { state: GameState::Menu, track: None, notice: Some("note".into()), ..driving() };
        assert_eq!(menu.line(), "RIG_A of Ours: connected: Le Mans Ultimate in the menu · note");
        assert_eq!(RigStatus::new("rig", 20).line(), "rig: connecting");
        let full = RigStatus { spool_problem: Some("the disk is full: …".into()), lost_items: 3, ..driving() };
        let line = "RIG_A of Ours: live: Portimão · Hyper · 20 Hz · the disk is full: …, 3 messages lost from the disk";
        assert_eq!(full.line(), line);
    }

    #[test]
    fn catching_up_says_how_long_it_takes() {
        let catching_up = |catching_up_s| RigStatus { is_catching_up: true, catching_up_s, ..driving() };
        for (seconds, words) in [
            (None, "catching up:"),
            (Some(20), "catching up (less than a minute left):"),
            (Some(170), "catching up (3 min left):"),
            (Some(3_600), "catching up (60 min left):"),
            (Some(7_300), "catching up (2 h left):"),
        ] {
            let line = catching_up(seconds).line();
            assert!(line.contains(words), "{line}");
            assert_eq!(catching_up(seconds).headline(), catching_up(None).headline());
        }
    }

    #[test]
    fn a_service_that_stores_nothing_is_told() {
        assert!(!RigStatus { oldest_ms: Some(20_000), ..driving() }.line().contains("stores nothing"));
        let line = RigStatus { oldest_ms: Some(70_000), ..driving() }.line();
        assert!(line.ends_with("the service stores nothing at the moment, keeping 3.1 MB"), "{line}");
    }

    #[test]
    fn a_line_is_said_once_and_again_when_it_matters() {
        let mut teller = Teller::default();
        let offline = |spool_bytes| RigStatus { greeted: None, problem: Some("no".into()), spool_bytes, ..driving() };
        assert!(teller.tell(&offline(0)).is_some());
        let told: Vec<usize> = (0..400).map(|n| n * 100_000).filter(|n| teller.tell(&offline(*n)).is_some()).collect();
        assert_eq!(told, [2_000_000, 4_000_000, 8_000_000, 16_000_000, 32_000_000]);
        let catching_up = |s| RigStatus { is_catching_up: true, catching_up_s: Some(s), ..driving() };
        let told: Vec<u32> = (0..400).rev().filter(|s| teller.tell(&catching_up(*s)).is_some()).collect();
        assert_eq!(told, [399, 199, 99, 49]);
        assert!(teller.tell(&driving()).is_some());
        let full = RigStatus { spool_problem: Some("the disk is full".into()), ..driving() };
        assert!(teller.tell(&full).is_some());
        assert_eq!(teller.tell(&RigStatus { spool_bytes: 99_000_000, ..full.clone() }), None);
        assert!(teller.tell(&RigStatus { lost_items: 1, ..full }).is_some());
    }

    #[test]
    fn trouble_that_comes_and_goes_is_one_trouble() {
        let mut lasting = Lasting::default();
        for now_ms in (0..60_000).step_by(5_000) {
            lasting.look((now_ms % 10_000 == 0).then(|| "full".to_owned()), now_ms);
            assert_eq!(lasting.get(), Some("full"));
        }
        lasting.look(None, 60_000);
        lasting.look(None, 69_000);
        assert_eq!(lasting.get(), Some("full"));
        lasting.look(None, 70_000);
        assert_eq!(lasting.get(), None);
    }
}
