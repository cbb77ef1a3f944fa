//! What `record` writes of a game, read back through the same reader, tells the same laps to the millisecond.

use fake_game::{FakeGame, Options};
use onelap_agent::raw::Reader;
use onelap_agent::reading::Reading;
use onelap_agent::record;
use onelap_agent::recording::Recording;
use onelap_agent::run::GameChoice;
use onelap_agent::run::sources::{Games, LmuOptions, Wanted};
use onelap_agent::source::lmu::LmuReader;
use onelap_protocol::race::RaceEvent;
use std::fs::File;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_recording_tells_the_laps_that_the_game_drove() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.1lap");
    let game = FakeGame::spawn(Options { cars: 8, speed: 20.0, ..Options::default() }).await.unwrap();
    let games = Games {
        lmu: Some(LmuOptions {
            location: game.lmu_path().map(|path| path.display().to_string()),
            rest_port: game.rest_addr().map(|address| address.port()),
        }),
        f1: false,
    };
    let stop = CancellationToken::new();
    let wanted = Wanted { game: GameChoice::Lmu, f1_port: 0, f1_sender: None };
    let recording = record::spawn(&path, &games, 60, wanted.clone(), &stop).unwrap();
    game.wait_until(PATIENCE, |car| car.session_time_s > 300.0).await.unwrap();
    stop.cancel();
    let summary = tokio::task::spawn_blocking(|| recording.join().unwrap().unwrap()).await.unwrap();
    let log = game.stop().await;
    assert!(summary.inputs > 100, "{}", summary.line());
    assert_eq!(File::open(&path).unwrap().metadata().unwrap().len(), summary.bytes);

    let mut recording = Recording::open(File::open(&path).unwrap()).unwrap();
    let (mut reader, mut said) = (LmuReader::new(), Vec::new());
    while let Some((at, raw)) = recording.next_input().unwrap() {
        reader.read(at, &raw, &mut said);
    }
    assert!(!recording.is_cut_off());
    let events =
        said.iter().filter_map(|reading| if let Reading::Event(event) = reading { Some(&**event) } else { None });
    let laps: Vec<_> =
        events.filter_map(|event| if let RaceEvent::Lap(lap) = event { Some(lap) } else { None }).collect();
    assert!(laps.len() >= 8, "{} laps", laps.len());
    for lap in laps {
        let slot: i32 = lap.car.0.split('-').next().unwrap().parse().unwrap();
        let known = &log.sessions[0].laps;
        let record = known.iter().find(|r| r.car_id == slot && r.lap == u32::from(lap.lap));
        let record = record.unwrap_or_else(|| panic!("the game knows no lap {} of {}", lap.lap, lap.car));
        assert_eq!(lap.time_ms, record.lap_time_ms, "lap {} of {}", lap.lap, lap.car);
        assert_eq!(lap.sectors_ms, [record.sector1_ms, record.sector2_ms, record.sector3_ms]);
    }
    // Nothing is written over what is there.
    let again = record::spawn(&path, &games, 60, wanted, &CancellationToken::new());
    assert!(matches!(again, Err(record::RecordError::Exists)));
}
