//! The judge finds what is wrong, each thing by its name, and nothing where nothing is.

use super::*;
use crate::plan::Target;
use crate::rows::{Chunk, Lap, Stint};
use crate::viewer::Shown;
use crate::witness::{Content, Stream};
use fake_game::RaceLog;
use onelap_protocol::agent::{EndReason, Record};
use onelap_protocol::{Batch, Channel, Sample};

const EPOCH: u64 = 1_000;
const BEGAN_MS: u64 = 1_000_000;
const END_MS: u64 = BEGAN_MS + 60_000;

/// A minute at ten batches a second, one lap of which the agent saw all.
struct Scene {
    session: SessionId,
    heard: Heard,
    sessions: BTreeMap<SessionId, Session>,
    viewer: Memory,
    health: Health,
    log: RaceLog,
}

fn batch(sequence: u64) -> Batch {
    let mut batch = Batch::default();
    for half in 0..2 {
        let mut sample = Sample::new(BEGAN_MS + sequence * 100 + half * 50);
        sample.set(Channel::Speed, 100.0 + sequence as f64);
        batch.push(&sample);
    }
    batch
}

fn log() -> RaceLog {
    let lap = serde_json::json!({
        "car_id": 7, "driver": "Ada", "lap": 1, "sector1_ms": 9_000, "sector2_ms": 9_000, "sector3_ms": 2_000,
        "lap_time_ms": 20_000, "valid": true, "pit_in": false, "pit_out": false, "start_et_ms": 20_000,
        "end_et_ms": 40_000, "position": 1, "fuel_l": 50.0, "virtual_energy": null, "tyres_remaining": [1.0, 1.0, 1.0, 1.0],
    });
    let car = serde_json::json!({
        "car_id": 7, "f1_index": 0, "number": 17, "class": "hyper", "vehicle_name": "x", "drivers": ["Ada"],
    });
    let session = serde_json::json!({
        "index": 0, "kind": "race", "laps": [lap], "pit_stops": [], "driver_changes": [], "ended": false,
    });
    let log = serde_json::json!({
        "seed": 1, "track": "x", "track_length_m": 1000.0, "player_car_id": 7, "cars": [car], "sessions": [session],
    });
    serde_json::from_value(log).unwrap()
}

impl Scene {
    fn new() -> Self {
        let session = SessionId::new();
        let mut stream = Stream { rig: 0, began_ms: BEGAN_MS + 100, acked: 600, ..Stream::default() };
        let mut chunk = Chunk { first: 1, last: 599, batch: Batch::default() };
        for sequence in 1..600 {
            let batch = batch(sequence);
            let mut frame = Vec::new();
            batch.encode(1, session, EPOCH, sequence, &mut frame);
            chunk.batch.extend_where(&batch, |_| true);
            stream.items.insert(sequence, Content::Batch(frame[1..].to_vec()));
        }
        stream.items.insert(600, Content::Record(Box::new(Record::End { reason: EndReason::Left })));
        let lap = Lap {
            car: "7-x".into(),
            lap: 1,
            driver: "Ada".into(),
            time_ms: Some(20_000),
            sectors_ms: [Some(9_000), Some(9_000), Some(2_000)],
            stint: 1,
        };
        let sent = serde_json::json!({ "kind": "lap", "car": lap.car, "lap": 1, "driver": "Ada", "time_ms": 20_000,
            "sectors_ms": lap.sectors_ms, "valid": true, "out_lap": false, "in_lap": false, "position": 1,
            "class_position": 1, "class": null, "number": "17", "at_s": 40.0, "fuel_l": null, "fuel_kg": null,
            "virtual_energy_pct": null, "compound": null, "tire_wear_pct": null });
        let record = Record::Event { event: serde_json::from_value(sent).unwrap() };
        stream.items.insert(300, Content::Record(Box::new(record)));
        // A record is in the place of batch 300, whose samples were never there.
        let mut kept = Batch::default();
        let missing = batch(300).times_ms().to_vec();
        kept.extend_where(&chunk.batch, |i| !missing.contains(&chunk.batch.times_ms()[i]));
        chunk.batch = kept;
        let recorded = Session {
            place: (EPOCH, 600),
            has_ended: true,
            chunks: BTreeMap::from([(EPOCH, vec![chunk])]),
            stints: vec![Stint { car: lap.car.clone(), stint: 1, first: 1, last: 1, laps: 1 }],
            laps: vec![lap],
            ..Session::default()
        };
        let mut health = Health::default();
        let parts = [Target::Service, Target::Postgres, Target::DatabaseLink, Target::Agent(0), Target::Game(0)];
        parts.into_iter().chain([Target::Link(0)]).for_each(|part| health.set_at(BEGAN_MS, part, true));
        let shown = (1..600).map(|sequence| {
            let sample_ms = BEGAN_MS + sequence * 100 + 50;
            Shown { session, connection: 1, place: (EPOCH, sequence), at_ms: sample_ms + 60, sample_ms }
        });
        let viewer = Memory {
            shown: shown.collect(),
            rig_of: BTreeMap::from([(session, 0)]),
            connections: 1,
            ..Memory::default()
        };
        let heard = Heard { streams: BTreeMap::from([((session, EPOCH), stream)]), ..Heard::default() };
        Self { session, heard, sessions: BTreeMap::from([(session, recorded)]), viewer, health, log: log() }
    }

    fn found(&self) -> Vec<Wrong> {
        let clock = (0..=60).map(|s| (BEGAN_MS + s * 1_000, s as f64)).collect();
        let run = GameRun { began_ms: BEGAN_MS, ended_ms: END_MS, log: Some(self.log.clone()), clock };
        let findings = judge(&Evidence {
            games: vec![(Kind { is_f1: false, speed: 1.0, cars: 1 }, vec![run])],
            heard: &self.heard,
            sessions: &self.sessions,
            viewer: &self.viewer,
            health: &self.health,
            end_ms: END_MS,
        });
        findings.counts.into_keys().collect()
    }

    fn recorded(&mut self) -> &mut Session {
        self.sessions.get_mut(&self.session).unwrap()
    }

    fn chunk(&mut self) -> &mut Chunk {
        &mut self.recorded().chunks.get_mut(&EPOCH).unwrap()[0]
    }

    /// The samples of the chunk without those of a sequence.
    fn forget(&mut self, sequence: u64) {
        let times = batch(sequence).times_ms().to_vec();
        let chunk = self.chunk();
        let mut kept = Batch::default();
        kept.extend_where(&chunk.batch, |i| !times.contains(&chunk.batch.times_ms()[i]));
        chunk.batch = kept;
    }
}

#[test]
fn where_nothing_is_wrong_nothing_is_found() {
    assert_eq!(Scene::new().found(), []);
}

#[test]
fn samples_that_are_gone_are_lost_and_were_acknowledged() {
    let mut scene = Scene::new();
    scene.forget(400);
    assert_eq!(scene.found(), [Wrong::Lost, Wrong::AckedMissing]);
}

#[test]
fn what_was_never_sent_is_lost() {
    let mut scene = Scene::new();
    scene.forget(400);
    let stream = scene.heard.streams.values_mut().next().unwrap();
    stream.items.remove(&400);
    stream.acked = 0;
    assert_eq!(scene.found(), [Wrong::Lost]);
}

#[test]
fn what_is_not_committed_is_lost() {
    let mut scene = Scene::new();
    scene.recorded().place.1 = 598;
    assert_eq!(scene.found(), [Wrong::Lost, Wrong::AckedMissing]);
    scene.heard.streams.values_mut().next().unwrap().acked = 598;
    assert_eq!(scene.found(), [Wrong::Lost]);
}

#[test]
fn samples_that_are_there_twice_are_found() {
    let mut scene = Scene::new();
    let chunk = scene.chunk();
    let mut doubled = Batch::default();
    for i in 0..chunk.batch.len() {
        doubled.extend_where(&chunk.batch, |j| i == j);
        if i == 801 {
            doubled.extend_where(&chunk.batch, |j| j == 800 || j == 801);
        }
    }
    chunk.batch = doubled;
    assert!(scene.found().contains(&Wrong::Twice));
    let mut scene = Scene::new();
    let again = scene.chunk().clone();
    scene.recorded().chunks.get_mut(&EPOCH).unwrap().push(again);
    assert!(scene.found().contains(&Wrong::Twice));
}

#[test]
fn another_value_is_found() {
    let mut scene = Scene::new();
    scene.chunk().batch.set(Channel::Speed, 10, 1);
    assert_eq!(scene.found(), [Wrong::Different]);
}

#[test]
fn a_stint_that_counts_a_lap_twice_is_found() {
    let mut scene = Scene::new();
    scene.recorded().stints[0].laps = 2;
    assert_eq!(scene.found(), [Wrong::Different]);
}

#[test]
fn laps_are_compared_with_the_games_own() {
    let mut scene = Scene::new();
    scene.recorded().laps.clear();
    scene.recorded().stints.clear();
    assert_eq!(scene.found(), [Wrong::Lost, Wrong::Lap]);
    let mut scene = Scene::new();
    scene.log.sessions[0].laps[0].lap_time_ms = Some(20_001);
    assert_eq!(scene.found(), [Wrong::Lap]);
    // An agent that was not there all the time need not know it.
    scene.health.set_at(BEGAN_MS + 30_000, Target::Agent(0), false);
    scene.health.set_at(BEGAN_MS + 30_001, Target::Agent(0), true);
    scene.log.sessions[0].laps[0].lap_time_ms = Some(20_000);
    scene.log.sessions[0].laps[0].driver = "Bob".into();
    assert_eq!(scene.found(), []);
}

#[test]
fn a_pause_in_reading_is_a_hole_where_everything_was_there() {
    let mut scene = Scene::new();
    let stream = scene.heard.streams.values_mut().next().unwrap();
    for sequence in 400..450 {
        let nothing = Record::End { reason: EndReason::Left };
        stream.items.insert(sequence, Content::Record(Box::new(nothing)));
    }
    (400..450).for_each(|sequence| scene.forget(sequence));
    assert_eq!(scene.found(), [Wrong::Hole]);
    scene.health.set_at(BEGAN_MS + 39_900, Target::Game(0), false);
    scene.health.set_at(BEGAN_MS + 45_000, Target::Game(0), true);
    assert_eq!(scene.found(), []);
}

#[test]
fn a_viewer_that_goes_back_is_found() {
    let mut scene = Scene::new();
    scene.viewer.shown.swap(200, 201);
    assert_eq!(scene.found(), [Wrong::Backwards]);
    // A new connection may show some seconds again, and not a minute.
    let mut scene = Scene::new();
    for shown in &mut scene.viewer.shown[300..] {
        shown.connection = 2;
        shown.place.1 -= 10;
    }
    assert_eq!(scene.found(), []);
    for shown in &mut scene.viewer.shown[300..] {
        (shown.place.1, shown.sample_ms) = (shown.place.1 - 280, shown.sample_ms - 29_000);
    }
    assert!(scene.found().contains(&Wrong::Backwards));
}

#[test]
fn a_rig_that_does_not_become_live_is_found() {
    let mut scene = Scene::new();
    scene.viewer.shown.retain(|shown| shown.at_ms < BEGAN_MS + 10_000);
    scene.health.set_at(BEGAN_MS + 15_000, Target::Service, false);
    scene.health.set_at(BEGAN_MS + 16_000, Target::Service, true);
    assert_eq!(scene.found(), [Wrong::NotLive]);
    scene.health.set_at(BEGAN_MS + 30_000, Target::Service, false);
    assert_eq!(scene.found(), []);
}

#[test]
fn a_live_view_that_waits_for_postgres_is_found() {
    let mut scene = Scene::new();
    scene.health.set_at(BEGAN_MS + 20_000, Target::Postgres, false);
    scene.health.set_at(BEGAN_MS + 30_000, Target::Postgres, true);
    assert_eq!(scene.found(), []);
    scene.viewer.shown.retain(|shown| !(BEGAN_MS + 21_000..BEGAN_MS + 29_000).contains(&shown.at_ms));
    assert_eq!(scene.found(), [Wrong::NotLive]);
    // A service that is gone as well shows nothing.
    scene.health.set_at(BEGAN_MS + 20_500, Target::Service, false);
    scene.health.set_at(BEGAN_MS + 29_000, Target::Service, true);
    assert_eq!(scene.found(), []);
}
