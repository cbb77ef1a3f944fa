//! From the game's memory and REST API to readings: the acquisition threads and the reader against the fake game, compared
//! with what it drives and with its own log.

#![expect(clippy::expect_used, reason = "helpers of tests are not test functions to clippy")]

use fake_game::{Class, Command, Corners, FakeGame, Handle, LapRecord, LmuOptions, Options, PlayerState, SessionKind};
use onelap_agent::inspect::lmu::inspect;
use onelap_agent::raw::{Raw, Reader, Stamp};
use onelap_agent::reading::Reading;
use onelap_agent::source::lmu::LmuReader;
use onelap_agent::source::lmu::acquire::{
    MappingOptions, MappingStats, PlaceCell, RestOptions, spawn_mapping, spawn_rest,
};
use onelap_agent::source::lmu::endpoint::Endpoint;
use onelap_protocol::channel::Channel as C;
use onelap_protocol::race::{GameState, Lap, NoteTopic, PitStep, RaceEvent};
use onelap_protocol::setup::Setup;
use onelap_protocol::{Sample, agent::EndReason};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(60);

/// A fake game's LMU and a reader at it, with what the reader has said.
struct Wall {
    game: Handle,
    reader: LmuReader,
    raw: Receiver<Raw>,
    stats: Arc<MappingStats>,
    stop: CancellationToken,
    threads: Vec<JoinHandle<()>>,
    began: Instant,
    said: Vec<Reading>,
}

impl Wall {
    async fn at(options: Options) -> Self {
        let game = FakeGame::spawn(options).await.expect("a fake game");
        let (sink, raw) = sync_channel(10_000);
        let emit = || {
            let sink = sink.clone();
            Box::new(move |raw| drop(sink.try_send(raw)))
        };
        let (stop, place, stats) = (CancellationToken::new(), PlaceCell::default(), Arc::new(MappingStats::default()));
        let location = game.lmu_path().expect("a mapping").display().to_string();
        let memory = MappingOptions { location, every: Duration::from_millis(5) };
        let rest = RestOptions { port: game.rest_addr().expect("a port").port(), ..RestOptions::default() };
        let threads = vec![
            spawn_mapping(memory, place.clone(), stats.clone(), stop.clone(), emit()).expect("a thread"),
            spawn_rest(&rest, place, stop.clone(), emit()).expect("a thread"),
        ];
        let (reader, began) = (LmuReader::new(), Instant::now());
        Self { game, reader, raw, stats, stop, threads, began, said: Vec::new() }
    }

    fn read(&mut self) {
        let first = self.raw.recv_timeout(Duration::from_secs(10)).expect("something to read");
        for raw in std::iter::once(first).chain(self.raw.try_iter()) {
            let mono_ms = self.began.elapsed().as_millis() as u64;
            self.reader.read(Stamp { unix_ms: 1_800_000_000_000 + mono_ms, mono_ms }, &raw, &mut self.said);
        }
    }

    /// Reads until something of what was said, from an index on, is found.
    fn until_from<T>(&mut self, from: usize, what: &str, mut found: impl FnMut(&[Reading]) -> Option<T>) -> T {
        let since = Instant::now();
        loop {
            if let Some(found) = found(&self.said[from..]) {
                return found;
            }
            assert!(since.elapsed() < PATIENCE, "{what} did not come");
            self.read();
        }
    }

    fn until<T>(&mut self, what: &str, found: impl FnMut(&[Reading]) -> Option<T>) -> T {
        self.until_from(0, what, found)
    }

    fn until_state(&mut self, from: usize, wanted: GameState) {
        self.until_from(from, &format!("{wanted:?}"), |said| {
            let last =
                said.iter().rev().find_map(|r| if let Reading::State { state, .. } = r { Some(*state) } else { None });
            (last == Some(wanted)).then_some(())
        });
    }

    /// Requests whose path contains this.
    fn asked(&self, part: &str) -> u64 {
        self.game.requests().iter().filter(|(path, _)| path.contains(part)).map(|(_, count)| count).sum()
    }

    fn until_gate_asked(&mut self, times: u64) {
        let (from, since) = (self.asked("GetGameState"), Instant::now());
        while self.asked("GetGameState") < from + times {
            assert!(since.elapsed() < PATIENCE, "the gate was not asked");
            self.read();
        }
    }

    async fn command(&self, command: Command) {
        self.game.command(command).await.expect("a command that makes sense");
    }

    async fn end(self) -> fake_game::RaceLog {
        self.stop.cancel();
        for thread in self.threads {
            thread.join().expect("the thread ends");
        }
        self.game.stop().await
    }
}

fn event(reading: &Reading) -> Option<&RaceEvent> {
    if let Reading::Event(event) = reading { Some(event) } else { None }
}

fn laps(said: &[Reading]) -> Vec<&Lap> {
    said.iter().filter_map(event).filter_map(|e| if let RaceEvent::Lap(lap) = e { Some(lap) } else { None }).collect()
}

fn last_sample(said: &[Reading]) -> Option<&Sample> {
    said.iter().rev().find_map(|r| if let Reading::Sample(sample) = r { Some(&**sample) } else { None })
}

fn setups(said: &[Reading]) -> Vec<&Setup> {
    said.iter().filter_map(|r| if let Reading::Setup { setup, .. } = r { Some(&**setup) } else { None }).collect()
}

/// The slot in a car's key.
fn slot(key: &str) -> i32 {
    key.split('-').next().and_then(|slot| slot.parse().ok()).expect("slot-mark")
}

fn record<'a>(log: &'a [LapRecord], lap: &Lap) -> &'a LapRecord {
    log.iter()
        .find(|record| record.car_id == slot(&lap.car.0) && record.lap == u32::from(lap.lap))
        .unwrap_or_else(|| panic!("the game knows no lap {} of {}", lap.lap, lap.car))
}

fn small(speed: f64) -> Options {
    Options { cars: 8, speed, ..Options::default() }
}

#[tokio::test]
async fn laps_are_those_of_the_game_to_the_millisecond() {
    let mut wall = Wall::at(small(20.0)).await;
    let own = wall.game.log().player_car_id;
    wall.until("four laps of ours", |said| {
        (laps(said).iter().filter(|lap| slot(&lap.car.0) == own).count() >= 4).then_some(())
    });
    let told: Vec<Lap> = laps(&wall.said).into_iter().cloned().collect();
    let log = wall.end().await;
    let known = &log.sessions[0].laps;
    assert!(told.len() >= 24, "{} laps of eight cars", told.len());
    for lap in &told {
        let record = record(known, lap);
        let sectors = [record.sector1_ms, record.sector2_ms, record.sector3_ms];
        assert_eq!((lap.time_ms, lap.sectors_ms), (record.lap_time_ms, sectors), "lap {} of {}", lap.lap, lap.car);
        assert_eq!(lap.driver, record.driver);
        assert_eq!((lap.in_lap, lap.out_lap), (record.pit_in, record.pit_out), "lap {} of {}", lap.lap, lap.car);
        if lap.time_ms.is_some() {
            assert_eq!(lap.valid, Some(record.valid), "lap {} of {}", lap.lap, lap.car);
        }
        assert!((lap.at_s - record.end_et_ms as f64 / 1_000.0).abs() < 0.002, "{} {}", lap.at_s, record.end_et_ms);
        let is_own = record.car_id == own;
        assert_eq!((lap.fuel_l.is_some(), lap.tire_wear_pct.is_some()), (is_own, is_own));
        if let Some(fuel_l) = lap.fuel_l {
            assert!((f64::from(fuel_l) - record.fuel_l).abs() < 0.3, "{fuel_l} {}", record.fuel_l);
        }
    }
    // Nothing twice.
    let mut keys: Vec<_> = told.iter().map(|lap| (&lap.car, lap.lap)).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), told.len());
}

#[tokio::test]
async fn a_sample_is_what_the_game_drives() {
    for class in [Class::Hyper, Class::Lmp2, Class::Gt3] {
        let mut wall = Wall::at(Options { player_class: class, ..small(10.0) }).await;
        wall.game.wait_until(PATIENCE, |car| car.session_time_s > 20.0 && car.speed_kmh > 80.0).await.expect("a car");
        wall.command(Command::Pause).await;
        let state = wall.game.state();
        wall.until("the last sample", |said| {
            let time_s = last_sample(said)?.get(C::SessionTime)?;
            ((time_s - state.session_time_s).abs() < 0.001).then_some(())
        });
        compare(last_sample(&wall.said).expect("a sample"), &state);
        wall.until_state(0, GameState::Paused);
        let bytes = std::fs::read(wall.game.lmu_path().expect("a mapping")).expect("a file");
        let told = inspect(&bytes).expect("an image");
        assert_eq!(
            told["player"]["fuel_l"].as_f64(),
            last_sample(&wall.said).and_then(|sample| sample.get(C::Fuel)).map(hundredths)
        );
        assert_eq!(told["vehicles"].as_array().map(Vec::len), Some(state.cars));
        assert_eq!(told["session"]["track"].as_str(), Some(state.track.as_str()));
        wall.end().await;
    }
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn compare(sample: &Sample, state: &PlayerState) {
    let near = |channel: C, value: f64| {
        let found = sample.get(channel).unwrap_or_else(|| panic!("{channel:?} is absent"));
        let step = channel.info().quantum;
        assert!((found - value).abs() <= step, "{channel:?}: {found}, the game drives {value}");
    };
    near(C::Speed, state.speed_kmh);
    near(C::Rpm, state.rpm);
    near(C::Gear, f64::from(state.gear));
    near(C::Throttle, state.throttle * 100.0);
    near(C::Brake, state.brake * 100.0);
    near(C::Steering, state.steering * 100.0);
    near(C::Lap, f64::from(state.lap));
    near(C::LapTime, state.current_lap_s);
    near(C::CurrentSector, state.sector as f64);
    near(C::Fuel, state.fuel_l);
    near(C::FuelCapacity, state.fuel_capacity_l);
    near(C::EngineWaterTemp, state.water_c);
    near(C::EngineOilTemp, state.oil_c);
    near(C::BrakeBias, (1.0 - state.rear_brake_share) * 100.0);
    near(C::AmbientTemp, state.ambient_c);
    near(C::TrackTemp, state.track_c);
    near(C::Rain, state.rain * 100.0);
    assert_eq!(sample.get(C::VirtualEnergy).is_some(), state.virtual_energy.is_some(), "virtual energy");
    if let Some(energy) = state.virtual_energy {
        near(C::VirtualEnergy, energy * 100.0);
    }
    assert_eq!(sample.get(C::BatteryCharge).is_some(), state.battery.is_some(), "battery");
    // Scoring is up to 0.2 s older than telemetry.
    let distance = sample.get(C::LapDistance).expect("a distance");
    assert!((distance - state.lap_distance_m).abs() < 3.0, "{distance} {}", state.lap_distance_m);
    let corners = |channels: [C; 4], corners: &Corners, change: fn(f64) -> f64| {
        for (channel, value) in channels.into_iter().zip([corners.fl, corners.fr, corners.rl, corners.rr]) {
            near(channel, change(value));
        }
    };
    let same = |value| value;
    let pressures = [C::TirePressureFl, C::TirePressureFr, C::TirePressureRl, C::TirePressureRr];
    corners(pressures, &state.tyre_pressure_kpa, same);
    corners([C::TireTempFl, C::TireTempFr, C::TireTempRl, C::TireTempRr], &state.tyre_surface_c, same);
    let carcass = [C::TireCarcassTempFl, C::TireCarcassTempFr, C::TireCarcassTempRl, C::TireCarcassTempRr];
    corners(carcass, &state.tyre_carcass_c, same);
    corners([C::TireWearFl, C::TireWearFr, C::TireWearRl, C::TireWearRr], &state.tyre_remaining, |r| (1.0 - r) * 100.0);
    corners([C::BrakeTempFl, C::BrakeTempFr, C::BrakeTempRl, C::BrakeTempRr], &state.brake_c, same);
}

#[tokio::test]
async fn a_stop_with_another_driver_is_told_step_by_step() {
    let mut wall = Wall::at(small(20.0)).await;
    wall.game.wait_until(PATIENCE, |car| car.laps_completed >= 1).await.expect("a lap");
    let state = wall.game.state();
    let next = state.drivers.iter().find(|driver| **driver != state.driver).expect("a second driver").clone();
    let own = state.car_id;
    wall.command(Command::DriverChange { name: next.clone() }).await;
    wall.command(Command::Incident).await;
    let steps = |said: &[Reading]| -> Vec<(PitStep, f64)> {
        said.iter()
            .filter_map(event)
            .filter_map(|e| match e {
                RaceEvent::Pit { car, step, at_s, .. } if slot(&car.0) == own => Some((*step, *at_s)),
                _ => None,
            })
            .collect()
    };
    wall.until("the way out of the pits", |said| {
        steps(said).iter().any(|(step, _)| *step == PitStep::Exit).then_some(())
    });
    let found = steps(&wall.said);
    assert_eq!(
        found.iter().map(|(step, _)| *step).collect::<Vec<_>>(),
        [PitStep::Enter, PitStep::Stop, PitStep::Go, PitStep::Exit]
    );
    assert!(
        wall.said
            .iter()
            .filter_map(event)
            .any(|e| matches!(e, RaceEvent::DriverChange { car, to, .. } if slot(&car.0) == own && *to == next))
    );
    assert!(wall.said.iter().any(|r| matches!(r, Reading::SessionChanged(info) if info.driver == next)));
    let contacts = wall.said.iter().filter_map(event).filter(
        |e| matches!(e, RaceEvent::Note { topic: NoteTopic::Incident, car: Some(car), .. } if slot(&car.0) == own),
    );
    assert!(contacts.count() >= 1);
    let log = wall.end().await;
    let stop = log.sessions[0].pit_stops.iter().find(|stop| stop.car_id == own).expect("a stop");
    let times = [stop.enter_et_ms, stop.stop_et_ms, stop.release_et_ms, stop.exit_et_ms.expect("out again")];
    for ((step, at_s), et_ms) in found.iter().zip(times) {
        // Scoring's pace, and at this speed some updates are not seen.
        assert!((at_s - et_ms as f64 / 1_000.0).abs() < 2.0, "{step:?}: {at_s}, {et_ms}");
    }
}

#[tokio::test]
async fn the_setup_follows_the_garage_and_nothing_of_it_is_asked_on_track() {
    let options = Options { session: SessionKind::Practice, hold_in_garage: true, ..small(1.0) };
    let mut wall = Wall::at(options).await;
    let text = |said: &[Reading], key: &str| {
        let items = &setups(said).last()?.items;
        items.iter().find(|item| item.key == key).map(|item| item.text.clone())
    };
    wall.until("the setup", |said| text(said, "VM_REAR_WING"));
    wall.until_state(0, GameState::Garage);
    assert_eq!(setups(&wall.said).len(), 1);
    wall.command(Command::Setup { key: "VM_REAR_WING".into(), value: 5 }).await;
    let wanted = wall.game.state().setup["VM_REAR_WING"].clone();
    wall.until("the new wing", |said| (text(said, "VM_REAR_WING").as_ref() == Some(&wanted)).then_some(()));
    assert_eq!(setups(&wall.said).len(), 2);

    let from = wall.said.len();
    wall.command(Command::Track).await;
    wall.until_state(from, GameState::OnTrack);
    wall.until_gate_asked(1);
    let before = wall.asked("/garage/");
    wall.until_gate_asked(6);
    assert_eq!(wall.asked("/garage/"), before);
    let allowed: Vec<_> = Endpoint::ALL.iter().map(|endpoint| format!("GET {}", endpoint.path())).collect();
    for path in wall.game.requests().keys() {
        assert!(allowed.contains(path), "{path} was asked");
    }
    wall.end().await;
}

#[tokio::test]
async fn the_menu_a_return_and_the_next_session() {
    let mut wall = Wall::at(small(5.0)).await;
    wall.until("a sample", |said| last_sample(said).map(|_| ()));
    let from = wall.said.len();
    wall.command(Command::Menu).await;
    wall.until_from(from, "the end", |said| said.contains(&Reading::SessionEnded(EndReason::Left)).then_some(()));
    wall.until_state(from, GameState::Menu);
    let (gates, all) = (wall.asked("GetGameState"), wall.asked("/"));
    wall.until_gate_asked(3);
    assert_eq!(wall.asked("/") - all, wall.asked("GetGameState") - gates, "at the menu only the gate is asked");

    let from = wall.said.len();
    wall.command(Command::Track).await;
    wall.until_from(from, "a session", |said| last_sample(said).map(|_| ()));
    let from = wall.said.len();
    wall.command(Command::NextSession { kind: SessionKind::Qualifying }).await;
    let kind = wall.until_from(from, "the next session", |said| {
        said.iter().find_map(|r| if let Reading::SessionStarted(info) = r { Some(info.kind) } else { None })
    });
    assert_eq!(kind, onelap_protocol::race::SessionKind::Qualifying);
    wall.end().await;
}

#[tokio::test]
async fn a_game_that_is_gone_for_a_moment_goes_on_with_its_session() {
    let mut wall = Wall::at(small(1.0)).await;
    wall.until("a sample", |said| last_sample(said).map(|_| ()));
    let from = wall.said.len();
    wall.command(Command::Disconnect).await;
    wall.until_state(from, GameState::NotRunning);
    wall.command(Command::Reconnect).await;
    let from = wall.said.len();
    wall.until_from(from, "a sample", |said| last_sample(said).map(|_| ()));
    let sessions = wall.said.iter().filter(|r| matches!(r, Reading::SessionStarted(_) | Reading::SessionEnded(_)));
    assert_eq!(sessions.count(), 1);
    wall.end().await;
}

#[tokio::test]
async fn torn_writes_are_made_again_and_never_passed_on() {
    let lmu = LmuOptions { torn: true, ..LmuOptions::default() };
    let mut wall = Wall::at(Options { lmu: Some(lmu), cars: 60, ..small(1.0) }).await;
    let stats = wall.stats.clone();
    wall.until("a torn copy", |_| (stats.torn.load(Ordering::Relaxed) > 0).then_some(()));
    wall.until("a hundred samples", |said| {
        (said.iter().filter(|r| matches!(r, Reading::Sample(_))).count() >= 100).then_some(())
    });
    let mut last_s = 0.0;
    for reading in &wall.said {
        if let Reading::Sample(sample) = reading {
            let time_s = sample.get(C::SessionTime).expect("a time");
            assert!(time_s >= last_s, "{time_s} after {last_s}");
            last_s = time_s;
        }
        if let Reading::Standings(standings) = reading {
            let places: Vec<_> = standings.cars.iter().map(|car| car.position).collect();
            assert_eq!(places, (1..=60).collect::<Vec<_>>(), "every place once");
        }
    }
    wall.end().await;
}
