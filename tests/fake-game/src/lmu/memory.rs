//! LMU's memory as a running game shows it: when it is there, what of it is written when.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::image::{Image, Screen};
use super::mapping::{Mapping, Writing};
use crate::game::Game;
use crate::options::LmuOptions;

/// Model time between two writings of the scoring.
const SCORING_MS: u64 = 200;

/// The image and where it lies.
pub(crate) struct MemoryFace {
    pub path: PathBuf,
    /// Made for this run alone: goes with it.
    own_folder: Option<PathBuf>,
    image: Image,
    mapping: Option<Mapping>,
    writing: Writing,
    scoring_due_ms: u64,
    session: u32,
    screen: Option<Screen>,
    /// Frames since the session's time stood still.
    still: u32,
}

impl MemoryFace {
    pub(crate) fn new(options: &LmuOptions) -> std::io::Result<Self> {
        let (path, own_folder) = match &options.path {
            Some(path) => (path.clone(), None),
            None => own_path()?,
        };
        let writing = if options.torn { Writing::Torn } else { Writing::Whole };
        let image = Image::new(options.game_version);
        Ok(Self {
            path,
            own_folder,
            image,
            mapping: None,
            writing,
            scoring_due_ms: 0,
            session: 0,
            screen: None,
            still: 0,
        })
    }

    /// Writes what has changed; removes everything when the game is gone.
    pub(crate) fn show(&mut self, game: &Game) {
        if !game.connected {
            self.mapping = None;
            return;
        }
        let session = &game.world.session;
        // A new session and a flashback begin earlier than the last writing.
        let rewound = session.now_ms + SCORING_MS < self.scoring_due_ms || session.index != self.session;
        self.still = if game.running() { 0 } else { self.still + 1 };
        // Standing still, the game only gives a sign of life now and then.
        let heartbeat = self.still % 20 == 1;
        let turned = self.screen.replace(game.screen()) != Some(game.screen()) || !game.world.happenings.is_empty();
        let due = session.now_ms >= self.scoring_due_ms || rewound || heartbeat || turned;
        if due {
            self.session = session.index;
            self.scoring_due_ms = session.now_ms - session.now_ms % SCORING_MS + SCORING_MS;
        }
        if game.running() || self.mapping.is_none() || due {
            self.image.show(&game.world, game.screen(), due);
        }
        let dirty = self.image.take_dirty();
        let written = match &mut self.mapping {
            Some(mapping) => mapping.write(self.image.bytes(), &dirty, self.writing),
            None => Mapping::create(&self.path, self.image.bytes()).map(|mapping| self.mapping = Some(mapping)),
        };
        if let Err(error) = written {
            tracing::error!(%error, "the LMU mapping could not be written");
        }
    }
}

impl Drop for MemoryFace {
    fn drop(&mut self) {
        self.mapping = None;
        if let Some(folder) = &self.own_folder {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// A path that no other game of this or another process has.
fn own_path() -> std::io::Result<(PathBuf, Option<PathBuf>)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!("fake-game-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    if cfg!(windows) {
        return Ok((PathBuf::from(name), None));
    }
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder)?;
    Ok((folder.join("LMU_Data"), Some(folder)))
}
