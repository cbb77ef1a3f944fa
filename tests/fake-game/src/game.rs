//! The game: the world, where its player is in the menus, and what can be done to it.
//!
//! Pure but for the caller's clock: [`Game::advance`] is told how much time has passed. At the menu, paused or gone, the
//! session's time stands still and nothing is lost.

use std::collections::{BTreeMap, VecDeque};

use crate::command::{Command, CommandError, Script};
use crate::lmu::image::Screen;
use crate::model::car::Place;
use crate::model::setup::Setup;
use crate::model::world::{TICK_MS, World, WorldPlan};
use crate::options::Options;
use crate::state::{Front, PlayerState};

/// How far back a flashback can go, seconds.
const FLASHBACK_S: u32 = 15;
/// More than this much of the clock is not caught up on in one go.
const MOST_AT_ONCE_MS: f64 = 250.0;

/// The program as a whole.
#[derive(Debug)]
pub(crate) struct Game {
    pub world: World,
    pub connected: bool,
    pub in_menu: bool,
    pub paused: bool,
    pub quitting: bool,
    pub game_version: i32,
    /// Requests to the REST face by method and path.
    pub requests: BTreeMap<String, u64>,
    /// A flashback that the F1 face has not told of yet.
    pub flashed_back: bool,
    speed: f64,
    /// Model time that has passed but is not a whole tick yet.
    owed_ms: f64,
    /// The script's clock: runs on when the session's time stands still.
    script_ms: f64,
    script: VecDeque<(u64, Command)>,
    /// A session that begins with the next step, after the end of this one has been shown.
    next_session: Option<crate::model::log::SessionKind>,
    /// What the garage last showed: the game freezes it while the car is driven.
    garage: Setup,
    /// Worlds of the last seconds, if there are flashbacks.
    past: Option<VecDeque<World>>,
}

impl Game {
    pub(crate) fn new(options: &Options) -> Self {
        let world = World::new(WorldPlan {
            seed: options.seed,
            cars: options.cars,
            classes: options.classes.clone(),
            player_class: options.player_class,
            track: options.track,
            session: options.session,
            length: options.length,
            hold_in_garage: options.hold_in_garage,
        });
        let Script { steps } = options.script.clone();
        Self {
            garage: world.setup.clone(),
            world,
            connected: true,
            in_menu: false,
            paused: false,
            quitting: false,
            game_version: options.lmu.as_ref().map_or(14_200, |lmu| lmu.game_version),
            requests: BTreeMap::new(),
            flashed_back: false,
            speed: options.speed,
            owed_ms: 0.0,
            script_ms: 0.0,
            script: steps.into(),
            next_session: None,
            past: options.f1.is_some().then(VecDeque::new),
        }
    }

    /// Does the session's time pass?
    pub(crate) fn running(&self) -> bool {
        self.connected && !self.in_menu && !self.paused
    }

    pub(crate) fn screen(&self) -> Screen {
        if self.in_menu { Screen::MainMenu } else { Screen::Session { paused: self.paused } }
    }

    pub(crate) fn garage_setup(&self) -> &Setup {
        &self.garage
    }

    /// Lets time pass and carries out what the script has for it. What happened is in `world.happenings`.
    pub(crate) fn advance(&mut self, elapsed_ms: f64) {
        let elapsed_ms = elapsed_ms.min(MOST_AT_ONCE_MS) * self.speed;
        if let Some(kind) = self.next_session.take() {
            let length = self.world.plan.length;
            self.world.next_session(kind, length);
        }
        self.script_ms += elapsed_ms;
        while self.script.front().is_some_and(|(at, _)| *at as f64 <= self.script_ms) {
            let Some((at, command)) = self.script.pop_front() else { break };
            if let Err(error) = self.apply(command) {
                tracing::error!(at_s = at as f64 / 1_000.0, %error, "a command of the script was refused");
            }
        }
        if !self.running() {
            return;
        }
        self.owed_ms += elapsed_ms;
        while self.owed_ms >= TICK_MS as f64 {
            self.owed_ms -= TICK_MS as f64;
            self.world.step();
            self.remember();
        }
        if self.world.player_car().place == Place::Garage {
            self.garage = self.world.setup.clone();
        }
    }

    /// Keeps a world a second for flashbacks.
    fn remember(&mut self) {
        let Some(past) = &mut self.past else { return };
        if !self.world.session.now_ms.is_multiple_of(1_000) {
            return;
        }
        if past.len() > FLASHBACK_S as usize {
            past.pop_front();
        }
        let mut world = self.world.clone();
        world.happenings.clear();
        past.push_back(world);
    }

    /// Carries out a command.
    pub(crate) fn apply(&mut self, command: Command) -> Result<(), CommandError> {
        match command {
            Command::Menu => self.in_menu = true,
            Command::Track => {
                self.in_menu = false;
                self.paused = false;
                self.world.player_drives();
            }
            Command::Garage => {
                self.in_menu = false;
                self.world.player_to_garage();
                self.garage = self.world.setup.clone();
            }
            Command::Pause => self.paused = true,
            Command::Resume => self.paused = false,
            Command::Pit => self.world.player_pits(),
            Command::DriverChange { name } => self.change_driver(name)?,
            Command::Setup { key, value } => {
                if self.world.player_car().place != Place::Garage {
                    return Err(CommandError::NotInGarage);
                }
                self.world.change_setup(&key, value)?;
                self.garage = self.world.setup.clone();
            }
            Command::Disconnect => self.connected = false,
            Command::Reconnect => self.connected = true,
            Command::EndSession => self.world.end_session(),
            Command::NextSession { kind } => {
                self.world.end_session();
                self.past = self.past.take().map(|_| VecDeque::new());
                self.next_session = Some(kind);
            }
            Command::Weather(change) => self.world.weather.apply(&change),
            Command::Incident => self.incident(),
            Command::Flashback { seconds } => self.flash_back(seconds)?,
            Command::Quit => self.quitting = true,
        }
        Ok(())
    }

    fn change_driver(&mut self, name: String) -> Result<(), CommandError> {
        let drivers = &self.world.player_car().entry.drivers;
        let Some(driver) = drivers.iter().position(|driver| driver.name == name) else {
            let known = drivers.iter().map(|driver| driver.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(CommandError::UnknownDriver { name, known });
        };
        self.world.player_changes_driver(driver);
        Ok(())
    }

    fn incident(&mut self) {
        let (me, cars) = (self.world.player, &self.world.cars);
        let nearest = (0..cars.len()).filter(|i| *i != me).min_by(|a, b| {
            let apart = |i: usize| (cars[i].s_m - cars[me].s_m).abs();
            apart(*a).total_cmp(&apart(*b))
        });
        if let Some(other) = nearest {
            self.world.contact(me, other, 0.62);
        }
    }

    fn flash_back(&mut self, seconds: f64) -> Result<(), CommandError> {
        let refused = CommandError::NoFlashback { most: FLASHBACK_S };
        let target_ms = self.world.session.now_ms.saturating_sub((seconds.max(0.0) * 1_000.0) as u64);
        let past = self.past.as_mut().ok_or(refused.clone())?;
        let keep = past.iter().rposition(|world| world.session.now_ms <= target_ms).ok_or(refused)?;
        past.truncate(keep + 1);
        if let Some(world) = past.back() {
            self.world = world.clone();
            self.flashed_back = true;
        }
        Ok(())
    }

    pub(crate) fn state(&self) -> PlayerState {
        let front = Front {
            connected: self.connected,
            in_menu: self.in_menu,
            paused: self.paused,
            game_version: self.game_version,
        };
        PlayerState::of(&self.world, front)
    }
}

#[cfg(test)]
mod tests;
