//! What the reader says of races made by hand.

use super::LmuReader;
use super::testing::{Picture, stamp};
use crate::raw::{Raw, Reader};
use crate::reading::Reading;
use onelap_protocol::agent::EndReason;
use onelap_protocol::race::{Game, GameState, Lap, NoteTopic, Phase, PitStep, RaceEvent, SessionInfo, SessionKind};
use onelap_protocol::{Channel, Sample};
use proptest::prelude::*;

mod lifecycle;

/// A reader and its clock.
struct Wall {
    reader: LmuReader,
    now_ms: u64,
}

impl Wall {
    fn new() -> Self {
        Self { reader: LmuReader::new(), now_ms: 0 }
    }

    /// A reader that has seen the race of [`Picture::race`] begin.
    fn racing() -> Self {
        let mut wall = Self::new();
        wall.see(&Picture::race());
        wall.see(&Picture::race().at(10.2, 10.2));
        wall
    }

    fn feed(&mut self, raw: &Raw) -> Vec<Reading> {
        let mut out = Vec::new();
        self.reader.read(stamp(self.now_ms), raw, &mut out);
        out
    }

    /// Sees a picture 200 ms after what was before.
    fn see(&mut self, picture: &Picture) -> Vec<Reading> {
        self.now_ms += 200;
        self.feed(&picture.raw())
    }

    fn rest(&mut self, path: &str, status: u16, body: &str) -> Vec<Reading> {
        self.feed(&Raw::Rest { path: path.into(), status, body: body.into() })
    }

    fn gate(&mut self, status: u16, body: &str) -> Vec<Reading> {
        self.rest("/rest/sessions/GetGameState", status, body)
    }

    fn state(&self) -> GameState {
        self.reader.said.unwrap().1
    }
}

fn sessions(out: &[Reading]) -> Vec<&SessionInfo> {
    out.iter().filter_map(|r| if let Reading::SessionStarted(info) = r { Some(&**info) } else { None }).collect()
}

fn samples(out: &[Reading]) -> Vec<&Sample> {
    out.iter().filter_map(|r| if let Reading::Sample(sample) = r { Some(&**sample) } else { None }).collect()
}

fn events(out: &[Reading]) -> Vec<&RaceEvent> {
    out.iter().filter_map(|r| if let Reading::Event(event) = r { Some(&**event) } else { None }).collect()
}

fn laps(out: &[Reading]) -> Vec<&Lap> {
    events(out).into_iter().filter_map(|e| if let RaceEvent::Lap(lap) = e { Some(lap) } else { None }).collect()
}

fn is_ended(out: &[Reading], reason: EndReason) -> bool {
    out.contains(&Reading::SessionEnded(reason))
}

#[test]
fn a_session_begins_once_the_game_moves() {
    let mut wall = Wall::new();
    assert!(sessions(&wall.see(&Picture::race())).is_empty(), "a frozen mapping is no session");
    let out = wall.see(&Picture::race().at(10.2, 10.2));
    let found = sessions(&out);
    assert_eq!(found.len(), 1);
    let info = found[0];
    assert_eq!((info.kind, info.kind_number, info.total_laps), (SessionKind::Race, Some(1), None));
    assert_eq!((info.track.as_str(), info.track_length_m), ("Circuit de Spa-Francorchamps", Some(7004.0)));
    assert_eq!((info.car_name.as_str(), info.class.as_deref()), ("Porsche 911 GT3 R LMGT3", Some("GT3")));
    assert_eq!((info.number.as_deref(), info.entrant.as_deref()), (Some("85"), Some("Iron")));
    assert_eq!((info.driver.as_str(), info.duration_s, &info.server), ("Ada Lovelace", Some(3600.0), &None));
    assert_eq!(info.game_version.as_deref(), Some("1.4.2"));
    assert!(info.car.0.starts_with("7-"));
    assert_eq!(wall.state(), GameState::OnTrack);
}

#[test]
fn a_paused_game_in_the_garage_is_a_session_when_rest_says_so() {
    let garage = Picture::race().set(|p| p.scoring_u8(115, 0));
    let mut wall = Wall::new();
    wall.gate(200, r#"{"inMonitor":true}"#);
    assert_eq!(sessions(&wall.see(&garage)).len(), 1);
    assert_eq!(wall.state(), GameState::Garage);
}

#[test]
fn samples_come_only_when_the_physics_move() {
    let mut wall = Wall::racing();
    assert_eq!(samples(&wall.see(&Picture::race().at(10.2, 10.25))).len(), 1);
    assert_eq!(samples(&wall.see(&Picture::race().at(10.4, 10.25))).len(), 0);
    assert_eq!(samples(&wall.see(&Picture::race().at(10.4, 10.20))).len(), 0);
}

#[test]
fn a_sample_has_its_place_in_the_field() {
    let mut wall = Wall::racing();
    let out = wall.see(&Picture::race().at(10.4, 10.5).set(|p| p.vehicle_f64(Picture::OWN, 104, 500.0)));
    let sample = samples(&out)[0];
    assert_eq!(sample.get(Channel::Position), Some(3.0));
    assert_eq!(sample.get(Channel::ClassPosition), Some(1.0));
    assert_eq!(sample.get(Channel::Lap), Some(1.0));
    // 50 m/s for the 0.1 s since scoring.
    assert_eq!(sample.get(Channel::LapDistance), Some(505.0));
    assert_eq!(sample.at_ms, stamp(wall.now_ms).unix_ms);
}

#[test]
fn the_lap_turns_with_telemetry_and_distance_with_it() {
    let mut wall = Wall::racing();
    let place = |picture: Picture, metres: f64, laps: i16, number: i32| {
        picture.set(|p| {
            p.laps(Picture::OWN, laps, [-1.0; 3], 0.0);
            p.vehicle_f64(Picture::OWN, 104, metres);
            p.car_i32(Picture::OWN_CAR, 20, number);
        })
    };
    // Telemetry counts from 0 here: the count is aligned with scoring's.
    wall.now_ms += 2_000;
    wall.see(&place(Picture::race().at(12.0, 12.0), 6_990.0, 0, 0));
    let out = wall.see(&place(Picture::race().at(12.0, 12.4), 6_990.0, 0, 1));
    let sample = samples(&out)[0];
    assert_eq!((sample.get(Channel::Lap), sample.get(Channel::LapDistance)), (Some(2.0), Some(6.0)));
    let out = wall.see(&place(Picture::race().at(12.4, 12.4), 6.0, 1, 1));
    assert!(samples(&out).is_empty());
    let out = wall.see(&place(Picture::race().at(12.4, 12.6), 6.0, 1, 1));
    let sample = samples(&out)[0];
    assert_eq!((sample.get(Channel::Lap), sample.get(Channel::LapDistance)), (Some(2.0), Some(16.0)));
}

#[test]
fn laps_of_all_cars_are_told_and_ours_with_what_was_in_the_tank() {
    let mut wall = Wall::racing();
    let out = wall.see(&Picture::race().at(140.2, 140.2).set(|p| {
        p.laps(Picture::OWN, 1, [40.0, 90.0, 130.1235], 140.1235);
        p.laps(Picture::LEADER, 1, [39.0, 88.0, 127.0], 137.0);
    }));
    let told = laps(&out);
    assert_eq!(told.len(), 2);
    let own = told.iter().find(|lap| lap.car.0.starts_with("7-")).unwrap();
    assert_eq!((own.lap, own.time_ms, own.sectors_ms), (1, Some(130_124), [Some(40_000), Some(50_000), Some(40_124)]));
    assert_eq!((own.position, own.class_position, own.valid), (Some(3), Some(1), Some(true)));
    assert_eq!((own.fuel_l, own.virtual_energy_pct), (Some(60.5), Some(81.25)));
    assert_eq!(own.compound.as_deref(), Some("Medium"));
    assert!(own.tire_wear_pct.unwrap().iter().all(|wear| (wear - 10.0).abs() < 1e-4));
    assert!((own.at_s - 140.1235).abs() < 1e-9);
    let leader = told.iter().find(|lap| lap.car.0.starts_with("3-")).unwrap();
    assert_eq!((leader.time_ms, leader.fuel_l, leader.tire_wear_pct), (Some(127_000), None, None));
    assert_eq!((leader.driver.as_str(), leader.number.as_deref()), ("Grace Hopper", Some("9")));
}

#[test]
fn a_lap_that_the_game_calls_invalid_is_told_so() {
    let mut wall = Wall::racing();
    let telemetry = |began: f64, invalid: u8| {
        move |p: &mut Picture| {
            p.car_f64(Picture::OWN_CAR, 24, began);
            p.car_u8(Picture::OWN_CAR, 745, invalid);
        }
    };
    wall.see(&Picture::race().at(20.0, 20.0).set(telemetry(1.0, 1)));
    let lap = |p: &mut Picture| p.laps(Picture::OWN, 1, [40.0, 90.0, 130.0], 140.0);
    let out = wall.see(&Picture::race().at(140.2, 140.2).set(telemetry(140.0, 0)).set(lap));
    assert_eq!((laps(&out)[0].valid, laps(&out)[0].time_ms), (Some(false), Some(130_000)));
}

#[test]
fn standings_come_with_every_update_of_the_game_and_not_much_oftener() {
    let mut wall = Wall::racing();
    let mut count = |i: u32| {
        let out = wall.see(&Picture::race().at(11.0 + f64::from(i) * 0.2, 11.0));
        out.iter().filter(|r| matches!(r, Reading::Standings(_))).count()
    };
    let told: usize = (0..20).map(|i| count(i) + count(i)).sum();
    assert_eq!(told, 20, "once an update");
    let mut quickly = |i: u32| {
        wall.now_ms -= 150;
        wall.see(&Picture::race().at(13.0 + f64::from(i) * 0.05, 11.0))
    };
    let told = (0..30).flat_map(&mut quickly).filter(|r| matches!(r, Reading::Standings(_))).count();
    assert_eq!(told, 10, "of an update every 50 ms one in three");
    let out = (0..3).flat_map(|i| wall.see(&Picture::race().at(20.0 + f64::from(i), 20.0))).collect::<Vec<_>>();
    let Some(Reading::Standings(standings)) = out.iter().find(|r| matches!(r, Reading::Standings(_))) else {
        panic!("no standings")
    };
    let order: Vec<_> = standings.cars.iter().map(|car| (car.position, car.number.as_deref().unwrap())).collect();
    assert_eq!(order, [(1, "9"), (2, "10"), (3, "85")]);
    assert_eq!((standings.cars[2].class_position, standings.cars[1].class_position), (Some(1), Some(2)));
    assert_eq!((standings.cars[0].last_lap_ms, standings.cars[0].gap_s), (None, None));
    assert_eq!(standings.phase, Phase::Green);
}

#[test]
fn a_pit_visit_and_a_driver_change_are_told_in_steps() {
    let mut wall = Wall::racing();
    let own = |in_pits: u8, state: u8| {
        move |p: &mut Picture| {
            p.vehicle_u8(Picture::OWN, 198, in_pits);
            p.vehicle_u8(Picture::OWN, 457, state);
        }
    };
    let mut told = Vec::new();
    for (i, (in_pits, state)) in [(0, 1), (1, 2), (1, 3), (1, 4), (0, 0)].into_iter().enumerate() {
        let time = 30.0 + i as f64;
        let mut picture = Picture::race().at(time, time).set(own(in_pits, state));
        if i >= 3 {
            picture = picture.set(|p| p.vehicle_text(Picture::OWN, 4, "Mary Shelley"));
        }
        told.extend(wall.see(&picture));
    }
    let steps: Vec<_> = events(&told)
        .into_iter()
        .filter_map(|e| {
            if let RaceEvent::Pit { step, at_s, fuel_l, .. } = e { Some((*step, *at_s, *fuel_l)) } else { None }
        })
        .collect();
    let fuel = Some(60.5);
    assert_eq!(
        steps,
        [
            (PitStep::Enter, 31.0, fuel),
            (PitStep::Stop, 32.0, fuel),
            (PitStep::Go, 33.0, fuel),
            (PitStep::Exit, 34.0, fuel)
        ]
    );
    assert!(events(&told).iter().any(|e| matches!(e,
        RaceEvent::DriverChange { from, to, .. } if from == "Ada Lovelace" && to == "Mary Shelley")));
    assert!(told.iter().any(|r| matches!(r, Reading::SessionChanged(info) if info.driver == "Mary Shelley")));
}

#[test]
fn notes_are_told_once_with_their_car() {
    let mut wall = Wall::racing();
    let line =
        r#"<Incident et="10.3">Ada Lovelace(7) reported contact (12.5) with another vehicle Grace(3)</Incident>"#;
    let picture = Picture::race().set(|p| {
        p.line(line);
        p.line(line);
        p.line(r#"<Incident et="900">of another session</Incident>"#);
    });
    let mut told = wall.see(&picture.clone().at(10.4, 10.4));
    told.extend(wall.see(&picture.at(10.6, 10.6)));
    let notes: Vec<_> = events(&told).into_iter().filter(|e| matches!(e, RaceEvent::Note { .. })).collect();
    assert_eq!(notes.len(), 1);
    let RaceEvent::Note { car, topic, at_s, .. } = notes[0] else { unreachable!() };
    assert!(car.as_ref().unwrap().0.starts_with("7-"));
    assert_eq!((*topic, *at_s), (NoteTopic::Incident, 10.3));
}

#[test]
fn phases_are_told_and_a_pause_is_none() {
    let mut wall = Wall::racing();
    let phase = |phase: u8| move |p: &mut Picture| p.scoring_u8(108, phase);
    let mut told = Vec::new();
    for (i, phase_now) in [5, 9, 5, 6, 5, 8].into_iter().enumerate() {
        let time = 40.0 + i as f64;
        told.extend(wall.see(&Picture::race().at(time, time).set(phase(phase_now))));
    }
    let phases: Vec<_> = events(&told)
        .into_iter()
        .filter_map(|e| if let RaceEvent::Phase { phase, .. } = e { Some(*phase) } else { None })
        .collect();
    assert_eq!(phases, [Phase::FullCourseYellow, Phase::Green, Phase::Over]);
}

#[test]
fn what_is_no_image_is_said_and_survived() {
    let mut wall = Wall::racing();
    let out = wall.feed(&Raw::LmuImage(vec![0; 1000]));
    assert!(matches!(&out[..], [Reading::Notice(Some(notice))] if notice.contains("324820")));
    let out = wall.see(&Picture::race().at(10.4, 10.4));
    assert_eq!((out[0].clone(), samples(&out).len()), (Reading::Notice(None), 1));
    let out = wall.see(&Picture::race().at(10.6, 10.6).set(|p| p.version(16_100)));
    assert!(matches!(&out[0], Reading::Notice(Some(notice)) if notice.contains("1.6.1")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_image_panics(patches in proptest::collection::vec((0usize..324_820, proptest::collection::vec(any::<u8>(), 1..64)), 0..40), len in 0usize..330_000) {
        let mut wall = Wall::racing();
        for (at, patch) in patches {
            let mut bytes = Picture::race().at(10.4, 10.4).bytes().to_vec();
            let end = (at + patch.len()).min(bytes.len());
            bytes[at..end].copy_from_slice(&patch[..end - at]);
            wall.now_ms += 20;
            wall.feed(&Raw::LmuImage(bytes));
        }
        wall.feed(&Raw::LmuImage(vec![0xff; len]));
    }

    #[test]
    fn no_noise_in_the_used_parts_panics(seed: u64) {
        let mut wall = Wall::racing();
        let mut state = seed | 1;
        for _ in 0..3 {
            let mut bytes = Picture::race().bytes().to_vec();
            for byte in &mut bytes[1632..4000] {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                *byte = (state >> 56) as u8;
            }
            for byte in &mut bytes[128_464..136_100] {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                *byte = (state >> 56) as u8;
            }
            wall.now_ms += 600;
            wall.feed(&Raw::LmuImage(bytes));
        }
    }
}
