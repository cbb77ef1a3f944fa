//! What a fake game is started with.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::command::Script;
use crate::model::class::Class;
use crate::model::log::SessionKind;
use crate::model::session::SessionLength;
use crate::model::track::TrackKind;

/// LMU's face.
#[derive(Debug, Clone)]
pub struct LmuOptions {
    /// The file of the mapping (on Windows: its name). `None`: a file of its own in the system's temporary folder.
    pub path: Option<PathBuf>,
    /// Port of the REST interface; 0 for any.
    pub rest_port: u16,
    /// `gameVersion`.
    pub game_version: i32,
    /// Writes in pieces, so that a reader sees torn states.
    pub torn: bool,
}

impl Default for LmuOptions {
    fn default() -> Self {
        Self { path: None, rest_port: 0, game_version: 14_200, torn: false }
    }
}

/// F1's face.
#[derive(Debug, Clone)]
pub struct F1Options {
    /// Where the datagrams go.
    pub to: Vec<SocketAddr>,
    /// 20, 30 or 60 Hz, as in the game's menu.
    pub rate_hz: u32,
}

/// Everything. The default is LMU alone on ports and a path of its own: what a test wants.
#[derive(Debug, Clone)]
pub struct Options {
    /// The same seed gives the same race.
    pub seed: u64,
    /// Model seconds per second.
    pub speed: f64,
    /// 2–104 cars; at most 22 with F1.
    pub cars: usize,
    /// Classes of the field, in any order.
    pub classes: Vec<Class>,
    /// The player's class.
    pub player_class: Class,
    /// The circuit.
    pub track: TrackKind,
    /// The first session.
    pub session: SessionKind,
    /// When sessions end.
    pub length: SessionLength,
    /// In practice and qualifying: wait in the garage for `track`.
    pub hold_in_garage: bool,
    /// LMU's face, if there is one.
    pub lmu: Option<LmuOptions>,
    /// F1's face, if there is one.
    pub f1: Option<F1Options>,
    /// Port of the control interface, if there is one; 0 for any.
    pub control_port: Option<u16>,
    /// The race log is written here.
    pub log_file: Option<PathBuf>,
    /// What happens by itself.
    pub script: Script,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            speed: 1.0,
            cars: 20,
            classes: vec![Class::Hyper, Class::Lmp2, Class::Gt3],
            player_class: Class::Hyper,
            track: TrackKind::Short,
            session: SessionKind::Race,
            length: SessionLength::Minutes(60.0),
            hold_in_garage: false,
            lmu: Some(LmuOptions::default()),
            f1: None,
            control_port: None,
            log_file: None,
            script: Script::default(),
        }
    }
}

impl Options {
    /// F1 alone: 20 cars of one class, to one address, at 60 Hz.
    #[must_use]
    pub fn f1(to: SocketAddr) -> Self {
        Self {
            classes: vec![Class::F1],
            player_class: Class::F1,
            lmu: None,
            f1: Some(F1Options { to: vec![to], rate_hz: 60 }),
            ..Self::default()
        }
    }

    /// Says what is wrong, if something is.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !(2..=104).contains(&self.cars) {
            return Err(format!("cars must be 2 to 104, not {}", self.cars));
        }
        if !(self.speed > 0.0 && self.speed <= 200.0) {
            return Err(format!("speed must be above 0 and at most 200, not {}", self.speed));
        }
        if self.classes.is_empty() {
            return Err("at least one class is needed".to_owned());
        }
        if let SessionLength::Minutes(minutes) = self.length
            && !(minutes > 0.0 && minutes.is_finite())
        {
            return Err(format!("a session of {minutes} minutes is none"));
        }
        if let Some(f1) = &self.f1
            && ![20, 30, 60].contains(&f1.rate_hz)
        {
            return Err(format!("F1 sends at 20, 30 or 60 Hz, not {}", f1.rate_hz));
        }
        if self.f1.is_some() && self.cars > crate::f1::packet::SLOTS {
            return Err(format!("F1 has room for {} cars, not {}", crate::f1::packet::SLOTS, self.cars));
        }
        if self.lmu.is_none() && self.f1.is_none() {
            return Err("nothing would be shown: neither LMU nor F1".to_owned());
        }
        Ok(())
    }
}
