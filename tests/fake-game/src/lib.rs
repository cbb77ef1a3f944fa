//! The outside of the games: an `LMU_Data` image and the LMU REST interface, F1 25 datagrams, driven by a race model.
//!
//! The agent is tested against this crate, and this crate knows nothing of the agent: everything here is written from
//! the descriptions of the formats. A race is the same for the same seed, and [`RaceLog`] says to the millisecond what
//! happened in it.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use fake_game::{Command, FakeGame, Options};
//!
//! let game = FakeGame::spawn(Options { speed: 20.0, ..Options::default() }).await?;
//! game.wait_until(Duration::from_secs(20), |car| car.laps_completed == 2).await.ok_or("no two laps")?;
//! game.command(Command::Pit).await?;
//! println!("{} is in {}", game.state().speed_kmh, game.lmu_path().ok_or("no LMU")?.display());
//! let log = game.stop().await;
//! assert!(log.player_laps().len() >= 2);
//! # Ok(())
//! # }
//! ```

mod command;
mod control;
mod f1;
mod game;
mod http;
mod lmu;
mod model;
mod options;
mod run;
mod state;

pub use command::{Command, CommandError, Script};
pub use model::class::Class;
pub use model::log::{DriverChangeRecord, LapRecord, LoggedCar, PitStopRecord, RaceLog, SessionKind, SessionLog};
pub use model::session::{Phase, SessionLength};
pub use model::setup::SetupError;
pub use model::track::TrackKind;
pub use model::weather::WeatherChange;
pub use options::{F1Options, LmuOptions, Options};
pub use run::{FakeGame, Handle, StartError};
pub use state::{Corners, PlayerState};
