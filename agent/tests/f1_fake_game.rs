//! From datagrams on a socket to readings, against the fake game and its own log.

#![expect(clippy::expect_used, reason = "a test that cannot start its game has failed")]

use fake_game::{Command, F1Options, FakeGame, Handle, Options, RaceLog, SessionKind, SessionLength};
use onelap_agent::raw::{Raw, Reader, Stamp};
use onelap_agent::reading::Reading;
use onelap_agent::source::f1::reader::F1Reader;
use onelap_agent::source::f1::socket::{Listener, Route, spawn};
use onelap_protocol::Sample;
use onelap_protocol::channel::Channel as C;
use onelap_protocol::race::{GameState, Lap, PitStep, RaceEvent};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(60);

/// A reader at a port, and what it has said.
struct Listening {
    reader: F1Reader,
    raw: Receiver<Raw>,
    listener: Listener,
    stop: CancellationToken,
    began: Instant,
    said: Vec<Reading>,
}

impl Listening {
    fn begin() -> Self {
        let (sink, raw) = sync_channel(10_000);
        let route = Route { rig: "A".to_owned(), sender: None, emit: Box::new(move |raw| drop(sink.try_send(raw))) };
        let stop = CancellationToken::new();
        let listener = spawn((Ipv4Addr::LOCALHOST, 0).into(), vec![route], stop.clone()).expect("a free port");
        Self { reader: F1Reader::new(), raw, listener, stop, began: Instant::now(), said: Vec::new() }
    }

    /// Reads what has come, waiting for the first of it.
    fn read(&mut self) {
        let first = self.raw.recv_timeout(Duration::from_secs(5)).expect("at least a tick");
        for raw in std::iter::once(first).chain(self.raw.try_iter()) {
            let mono_ms = self.began.elapsed().as_millis() as u64;
            self.reader.read(Stamp { unix_ms: 1_800_000_000_000 + mono_ms, mono_ms }, &raw, &mut self.said);
        }
    }

    /// Reads until something of what was said is found.
    fn until<T>(&mut self, what: &str, mut found: impl FnMut(&[Reading]) -> Option<T>) -> T {
        let since = Instant::now();
        loop {
            self.read();
            if let Some(found) = found(&self.said) {
                return found;
            }
            assert!(since.elapsed() < PATIENCE, "{what} did not come; counts: {:?}", self.reader.counts());
        }
    }

    fn end(self) {
        assert_eq!(self.reader.counts().refused_total(), 0, "{:?}", self.reader.counts());
        self.stop.cancel();
        self.listener.into_thread().join().expect("the thread ends");
    }
}

fn event(reading: &Reading) -> Option<&RaceEvent> {
    if let Reading::Event(event) = reading { Some(event) } else { None }
}

/// The laps as they were told last, by car and number.
fn laps(said: &[Reading]) -> BTreeMap<(String, u32), &Lap> {
    let told = said
        .iter()
        .filter_map(event)
        .filter_map(|event| if let RaceEvent::Lap(lap) = event { Some(lap) } else { None });
    told.map(|lap| ((lap.car.0.clone(), u32::from(lap.lap)), lap)).collect()
}

fn is_ended(said: &[Reading]) -> Option<()> {
    said.iter().any(|reading| matches!(reading, Reading::SessionEnded(_))).then_some(())
}

async fn start(listening: &Listening, options: Options) -> Handle {
    let f1 = Some(F1Options { to: vec![listening.listener.address()], rate_hz: 60 });
    FakeGame::spawn(Options { f1, ..options }).await.expect("a game")
}

/// Every lap that the game logged was told with the same times; returns how many.
fn compare(log: &RaceLog, said: &[Reading]) -> usize {
    let told = laps(said);
    let index: BTreeMap<i32, usize> = log.cars.iter().map(|car| (car.car_id, car.f1_index)).collect();
    let driven = &log.sessions[0].laps;
    for lap in driven {
        let key = (index[&lap.car_id].to_string(), lap.lap);
        let found = told.get(&key).unwrap_or_else(|| panic!("lap {key:?} was not told"));
        let sectors = [lap.sector1_ms, lap.sector2_ms, lap.sector3_ms];
        assert_eq!((found.time_ms, found.sectors_ms), (lap.lap_time_ms, sectors), "{key:?}");
        assert_eq!(found.driver, lap.driver, "{key:?}");
        assert!((found.at_s - lap.end_et_ms as f64 / 1000.0).abs() < 0.05, "{key:?}: {} {}", found.at_s, lap.end_et_ms);
    }
    assert_eq!(told.len(), driven.len(), "and no other");
    driven.len()
}

#[tokio::test]
async fn a_races_laps_are_those_that_were_driven() {
    let mut listening = Listening::begin();
    let options = Options { speed: 20.0, length: SessionLength::Laps(4), ..Options::f1(listening.listener.address()) };
    let game = start(&listening, options).await;
    game.command(Command::Pit).await.expect("a stop");
    listening.until("the end of the race", is_ended);
    let log = game.stop().await;
    assert!(compare(&log, &listening.said) >= 4 * 20 - 19);

    let own = log.cars.iter().find(|car| car.car_id == log.player_car_id).unwrap().f1_index.to_string();
    let steps: Vec<PitStep> = listening
        .said
        .iter()
        .filter_map(event)
        .filter_map(
            |event| if let RaceEvent::Pit { car, step, .. } = event { (car.0 == own).then_some(*step) } else { None },
        )
        .collect();
    // After the finish the car goes to its garage.
    assert_eq!(steps[..4], [PitStep::Enter, PitStep::Stop, PitStep::Go, PitStep::Exit], "{steps:?}");
    assert!(steps.len() <= 6, "{steps:?}");
    let standings =
        listening.said.iter().rev().find_map(|r| if let Reading::Standings(field) = r { Some(field) } else { None });
    assert_eq!(standings.unwrap().cars.len(), 20);
    listening.end();
}

#[tokio::test]
async fn laps_that_a_flashback_took_back_are_told_as_they_were_driven_again() {
    let mut listening = Listening::begin();
    let options = Options { speed: 20.0, length: SessionLength::Laps(3), ..Options::f1(listening.listener.address()) };
    let game = start(&listening, options).await;
    game.wait_until(PATIENCE, |car| car.laps_completed == 1 && car.current_lap_s > 3.0).await.expect("a lap");
    listening.read();
    game.command(Command::Flashback { seconds: 8.0 }).await.expect("a flashback");
    listening.until("the end of the race", is_ended);
    assert!(compare(&game.stop().await, &listening.said) > 0);
    listening.end();
}

#[tokio::test]
async fn what_the_car_shows_is_what_the_game_shows() {
    let mut listening = Listening::begin();
    let options =
        Options { session: SessionKind::Practice, hold_in_garage: true, ..Options::f1(listening.listener.address()) };
    let game = start(&listening, options).await;
    let differs = |sample: &Sample| -> Option<String> {
        let car = game.state();
        let mut expected = vec![
            (C::Speed, car.speed_kmh, 1.0),
            (C::FuelMass, car.fuel_l * 0.75, 0.01),
            (C::PitState, 5.0, 0.1),
            (C::Lap, f64::from(car.lap), 0.1),
        ];
        let kpa = car.tyre_pressure_kpa;
        let pressures = [C::TirePressureFl, C::TirePressureFr, C::TirePressureRl, C::TirePressureRr];
        expected.extend(pressures.into_iter().zip([kpa.fl, kpa.fr, kpa.rl, kpa.rr]).map(|(c, kpa)| (c, kpa, 0.3)));
        let worn = car.tyre_remaining;
        let wear = [C::TireWearFl, C::TireWearFr, C::TireWearRl, C::TireWearRr];
        let worn = [worn.fl, worn.fr, worn.rl, worn.rr].map(|left| (1.0 - left) * 100.0);
        expected.extend(wear.into_iter().zip(worn).map(|(c, worn)| (c, worn, 0.02)));
        expected
            .iter()
            .find(|(channel, value, slack)| sample.get(*channel).is_none_or(|found| (found - value).abs() > *slack))
            .map(|(channel, value, _)| {
                format!("{}: {:?}, the game has {value}", channel.info().name, sample.get(*channel))
            })
    };
    let mut difference = None;
    listening.until("a sample like the car", |said| {
        let newest = said.iter().rev().find_map(|r| if let Reading::Sample(sample) = r { Some(sample) } else { None });
        let last =
            std::mem::replace(&mut difference, newest.map_or(Some("no sample".to_owned()), |sample| differs(sample)));
        if last != difference {
            eprintln!("{difference:?}");
        }
        difference.is_none().then_some(())
    });

    let info = listening
        .said
        .iter()
        .find_map(|r| if let Reading::SessionStarted(info) = r { Some(info) } else { None })
        .unwrap();
    let car = game.state();
    assert_eq!((info.driver.as_str(), info.car.0.as_str()), (car.driver.as_str(), car.f1_index.to_string().as_str()));
    game.command(Command::Disconnect).await.expect("the game is gone");
    listening.until("silence", |said| {
        let state =
            said.iter().rev().find_map(|r| if let Reading::State { state, .. } = r { Some(*state) } else { None });
        (state == Some(GameState::NotRunning)).then_some(())
    });
    listening.end();
    game.stop().await;
}
