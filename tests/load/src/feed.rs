//! Samples as a rig sends them: the fake game, looked at through the agent's mapping and reader, at 20 Hz.

use fake_game::{FakeGame, Options};
use onelap_agent::raw::{Raw, Reader, Stamp};
use onelap_agent::reading::Reading;
use onelap_agent::source::lmu::LmuReader;
use onelap_agent::source::lmu::acquire::{MappingOptions, MappingStats, PlaceCell, spawn_mapping};
use onelap_protocol::Sample;
use onelap_protocol::channel::CHANNELS;
use onelap_protocol::race::Standings;
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
    let wanted = (length.as_millis() as u64 / SAMPLE_MS) as usize;
    let (mut readings, mut count) = (Vec::new(), 0);
    drive(30, |reading| {
        count += usize::from(matches!(reading, Reading::Sample(_)));
        readings.push(reading);
        count < wanted
    })
    .await;
    readings
}

/// The field of so many cars, as often as the game updates it, for so long.
pub(crate) async fn fields(cars: usize, length: Duration) -> Vec<Standings> {
    let mut fields: Vec<Standings> = Vec::new();
    drive(cars, |reading| {
        if let Reading::Standings(field) = reading {
            fields.push(*field);
        }
        length_s(&fields) < length.as_secs_f64()
    })
    .await;
    fields
}

/// Session time from the first to the last.
pub(crate) fn length_s(fields: &[Standings]) -> f64 {
    fields.first().zip(fields.last()).map_or(0.0, |(first, last)| last.at_s - first.at_s)
}

/// Drives a race of so many cars while `take` wants more.
async fn drive(cars: usize, mut take: impl FnMut(Reading) -> bool) {
    let options = Options { cars, speed: SPEED, ..Options::default() };
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
    let mut at_ms = 1_790_000_000_000;
    let mut wants_more = true;
    while wants_more {
        let raw = images.recv().await.expect("the mapping is read");
        reader.read(Stamp { unix_ms: at_ms, mono_ms: at_ms }, &raw, &mut readings);
        for reading in readings.drain(..) {
            at_ms += if matches!(reading, Reading::Sample(_)) { SAMPLE_MS } else { 0 };
            wants_more = wants_more && take(reading);
        }
    }
    stop.cancel();
    drop(thread);
    game.stop().await;
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
