//! Samples as a rig sends them: the fake game, looked at through the agent's mapping and reader, at 20 Hz.

use fake_game::{FakeGame, Options};
use onelap_agent::raw::{Raw, Reader, Stamp};
use onelap_agent::reading::Reading;
use onelap_agent::source::lmu::LmuReader;
use onelap_agent::source::lmu::acquire::{MappingOptions, MappingStats, PlaceCell, spawn_mapping};
use onelap_protocol::Sample;
use onelap_protocol::channel::CHANNELS;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Model seconds per second while the feed is taken.
const SPEED: f64 = 4.0;
/// Time between two samples of the feed.
pub(crate) const SAMPLE_MS: u64 = 50;

/// So much driving of a field of 30 cars: our car's samples.
pub(crate) async fn samples(length: Duration) -> Vec<Sample> {
    let sample = |reading| if let Reading::Sample(sample) = reading { Some(*sample) } else { None };
    readings(length).await.into_iter().filter_map(sample).collect()
}

/// So much driving of a field of 30 cars: everything that the reader says, from the state of the game on.
pub(crate) async fn readings(length: Duration) -> Vec<Reading> {
    let options = Options { cars: 30, speed: SPEED, ..Options::default() };
    let game = FakeGame::spawn(options).await.expect("the fake game starts");
    let location = game.lmu_path().expect("it shows LMU").display().to_string();
    let (sender, mut images) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let every = Duration::from_secs_f64(SAMPLE_MS as f64 / 1e3 / SPEED);
    let mapping = MappingOptions { location, every };
    let emit = Box::new(move |raw: Raw| drop(sender.try_send(raw)));
    let thread = spawn_mapping(mapping, PlaceCell::default(), Arc::new(MappingStats::default()), stop.clone(), emit);
    let mut reader = LmuReader::new();
    let mut readings = Vec::new();
    let (begin_ms, mut at_ms) = (1_790_000_000_000, 1_790_000_000_000);
    while at_ms < begin_ms + length.as_millis() as u64 {
        let raw = images.recv().await.expect("the mapping is read");
        let before = readings.len();
        reader.read(Stamp { unix_ms: at_ms, mono_ms: at_ms }, &raw, &mut readings);
        let new = readings[before..].iter().filter(|reading| matches!(reading, Reading::Sample(_)));
        at_ms += SAMPLE_MS * new.count() as u64;
    }
    stop.cancel();
    drop(thread);
    game.stop().await;
    readings
}

/// Channels that have a value, on average.
pub(crate) fn channels(samples: &[Sample]) -> f64 {
    let there = |s: &Sample| CHANNELS.iter().filter(|info| s.get(info.channel).is_some()).count();
    samples.iter().map(there).sum::<usize>() as f64 / samples.len() as f64
}

/// One line about the feed.
pub(crate) fn describe(samples: &[Sample]) -> String {
    format!(
        "feed: {} samples of the fake game's LMU car at {} Hz, {:.0} channels each",
        samples.len(),
        1000 / SAMPLE_MS,
        channels(samples)
    )
}
