//! Frames of standings that this crate writes and the web app's decoder reads: `tests/golden/standings/`.
//!
//! `NAME.1.bin`, `NAME.2.bin` … are applied one after the other; `NAME.json` says what is known after each, or why it is
//! refused. The web app's tests read the same files. They are committed; `UPDATE_GENERATED=1` writes them anew.

#![expect(clippy::unwrap_used, reason = "helpers of a test: what fails here fails the test")]

use onelap_protocol::columns::put_varint;
use onelap_protocol::race::{CarStanding, FinishState, Phase, PitState, Standings};
use onelap_protocol::standings::{Decoder, Encoder, FORMAT, MAX_NUMBER, OPCODE, peek};
use onelap_protocol::{CarKey, SessionId};
use serde_json::{Value, json};
use std::path::PathBuf;

const SESSION: &str = "01936b2e-7c40-7a11-9b5e-3f0d6c2a8e71";
/// A run of the agent.
const FIRST: u64 = 1_795_168_000_001;

fn session() -> SessionId {
    SESSION.parse().unwrap()
}

fn committed(name: &str, bytes: &[u8]) -> Vec<u8> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/standings")).join(name);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
    }
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; UPDATE_GENERATED=1 writes it", path.display()))
}

/// Applies the frames and compares what comes of each with what is committed.
fn check(name: &str, frames: &[Vec<u8>]) {
    let mut decoder = Decoder::default();
    let mut all = Vec::new();
    for (i, frame) in frames.iter().enumerate() {
        let file = format!("{name}.{}.bin", i + 1);
        assert!(committed(&file, frame) == *frame, "{file} drifted");
        all.push(match decoder.apply(frame) {
            Ok(field) => {
                let header = peek(frame).unwrap();
                // By way of text, so that a number of 32 bits stands there as people would write it.
                let standings = serde_json::to_string(&field.standings()).unwrap();
                json!({
                    "session": header.session,
                    "number": header.number,
                    "base": header.base,
                    "standings": serde_json::from_str::<Value>(&standings).unwrap(),
                })
            }
            Err(error) => json!({ "error": error.to_string() }),
        });
    }
    let value = Value::from(all);
    let text = committed(&format!("{name}.json"), format!("{value:#}\n").as_bytes());
    assert!(serde_json::from_slice::<Value>(&text).unwrap() == value, "{name}.json drifted");
}

fn blank(key: &str, position: u16) -> CarStanding {
    CarStanding {
        car: CarKey(key.into()),
        number: None,
        driver: String::new(),
        entrant: None,
        car_name: None,
        class: None,
        position,
        class_position: None,
        laps: 0,
        sector: None,
        lap_distance_m: None,
        gap_s: None,
        gap_laps: None,
        interval_s: None,
        interval_laps: None,
        last_lap_ms: None,
        best_lap_ms: None,
        last_sectors_ms: [None; 3],
        current_sectors_ms: [None; 2],
        pit: PitState::Track,
        pit_stops: 0,
        penalties: 0,
        finish: FinishState::Running,
        compound: None,
        virtual_energy_pct: None,
        xz_m: None,
    }
}

fn racing(key: &str, position: u16, t: f32) -> CarStanding {
    let i = f32::from(position);
    CarStanding {
        number: Some(format!("{}", position * 7)),
        driver: ["Jürgen Müller", "佐藤 琢磨", "A. Costa 🏁"][usize::from(position) % 3].into(),
        entrant: Some("Ours".into()),
        car_name: Some("Porsche 963".into()),
        class: Some(if position < 3 { "Hyper" } else { "LMP2" }.into()),
        class_position: Some(1),
        laps: 7,
        sector: Some(2),
        lap_distance_m: Some(1_234.5 + t * 62.3 - i * 90.0),
        gap_s: (position > 1).then_some(i * 1.234 + t * 0.003),
        interval_s: (position > 1).then_some(1.234),
        last_lap_ms: Some(95_123),
        best_lap_ms: Some(94_987),
        last_sectors_ms: [Some(30_001), Some(31_002), Some(34_120)],
        current_sectors_ms: [Some(30_111), None],
        compound: Some("Medium".into()),
        virtual_energy_pct: Some(61.27 - t * 0.1),
        xz_m: Some([-1_204.3 + t * 50.0, 310.1 - t * 30.0]),
        ..blank(key, position)
    }
}

fn race(t: f32) -> Standings {
    let cars = vec![racing("17-a3f29c", 1, t), racing("4", 2, t), racing("5", 3, t)];
    Standings {
        at_s: 812.35 + f64::from(t),
        time_left_s: Some(9_000.0),
        phase: Phase::Green,
        yellow_sectors: vec![],
        cars,
    }
}

fn encoded(all: &[Standings]) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(FIRST);
    all.iter().map(|standings| encoder.encode(session(), standings)).collect()
}

#[test]
fn a_race_goes_on() {
    let mut all: Vec<Standings> = [0.0, 0.2, 0.4].map(race).into();
    // The first two change places, the third goes into the pits.
    let mut swapped = race(0.6);
    (swapped.cars[0].position, swapped.cars[1].position) = (2, 1);
    swapped.cars[2].pit = PitState::Entering;
    swapped.cars[2].gap_s = None;
    swapped.cars[2].gap_laps = Some(1);
    swapped.phase = Phase::FullCourseYellow;
    swapped.yellow_sectors = vec![1, 3];
    all.push(swapped);
    // One leaves, two come, and another sits in the first.
    let mut others = race(0.8);
    others.cars.remove(1);
    others.cars[0].driver = "Someone Else".into();
    others.cars[0].compound = None;
    others.cars.push(racing("4-b", 4, 0.8));
    others.cars.push(blank("100", 0));
    others.time_left_s = None;
    all.push(others);
    check("race", &encoded(&all));
}

#[test]
fn every_value_of_every_name() {
    let phases = [
        Phase::Before,
        Phase::Formation,
        Phase::Green,
        Phase::FullCourseYellow,
        Phase::VirtualSafetyCar,
        Phase::Stopped,
        Phase::Over,
        Phase::Paused,
    ];
    let pits = [
        PitState::Track,
        PitState::Requested,
        PitState::Entering,
        PitState::Stopped,
        PitState::Exiting,
        PitState::Garage,
    ];
    let finishes = [FinishState::Running, FinishState::Finished, FinishState::Retired, FinishState::Disqualified];
    let all: Vec<Standings> = (0..8)
        .map(|i| {
            let car = CarStanding { pit: pits[i % 6], finish: finishes[i % 4], ..blank("1", 1) };
            let yellow_sectors = (1..=3).filter(|sector| i >> (sector - 1) & 1 == 1).collect();
            Standings { at_s: 0.0, time_left_s: None, phase: phases[i], yellow_sectors, cars: vec![car] }
        })
        .collect();
    check("names", &encoded(&all));
}

#[test]
fn numbers_at_their_limits() {
    let most = CarStanding {
        class_position: Some(u16::MAX),
        laps: u16::MAX,
        sector: Some(u8::MAX),
        lap_distance_m: Some(1_000_000.25),
        gap_laps: Some(u16::MAX),
        interval_laps: Some(0),
        last_lap_ms: Some(u32::MAX),
        best_lap_ms: Some(0),
        pit_stops: u16::MAX,
        penalties: u16::MAX,
        driver: "x".repeat(600),
        entrant: Some("\u{feff}é".repeat(200)),
        class: Some(String::new()),
        xz_m: Some([-100_000.5, 0.0]),
        ..blank("1", u16::MAX)
    };
    let least = CarStanding { lap_distance_m: Some(-1_000_000.25), xz_m: Some([100_000.5, -0.25]), ..blank("1", 1) };
    let field = |at_s: f64, cars: Vec<CarStanding>| Standings {
        at_s,
        time_left_s: Some(-at_s),
        phase: Phase::Over,
        yellow_sectors: vec![],
        cars,
    };
    let all = [field(1e9, vec![most]), field(-1e9, vec![least]), field(0.001, vec![blank("1", 1)]), field(0.0, vec![])];
    check("limits", &encoded(&all));
}

#[test]
fn frames_that_were_missed_and_frames_that_skip() {
    let all: Vec<Standings> = [0.0, 0.2, 0.4, 0.6, 0.8].map(race).into();
    let frames = encoded(&all);
    let mut decoder = Decoder::default();
    let fields: Vec<_> = frames.iter().map(|frame| decoder.apply(frame).unwrap().clone()).collect();
    check(
        "missed",
        &[
            frames[1].clone(),
            frames[0].clone(),
            frames[2].clone(),
            fields[3].since(&fields[0]),
            frames[4].clone(),
            frames[1].clone(),
            fields[2].keyframe(),
            frames[3].clone(),
        ],
    );
}

/// A frame that no encoder writes.
fn frame(number: u64, back: u64, body: &[u64]) -> Vec<u8> {
    let mut out = vec![OPCODE, FORMAT];
    out.extend(session().0.as_bytes());
    put_varint(&mut out, number);
    put_varint(&mut out, back);
    body.iter().for_each(|value| put_varint(&mut out, *value));
    out
}

/// A keyframe of cars with these keys, of which nothing else is known.
fn keys(keys: &[&str]) -> Vec<u8> {
    let mut out = frame(1, 0, &[0, 0, 0, keys.len() as u64]);
    for key in keys {
        put_varint(&mut out, key.len() as u64 + 1);
        out.extend(key.as_bytes());
        out.push(0);
    }
    out
}

#[test]
fn frames_that_are_refused() {
    let whole = encoded(&[race(0.0)]).remove(0);
    let with = |at: usize, byte: u8| {
        let mut frame = whole.clone();
        frame[at] = byte;
        frame
    };
    let text = |length: u64, bytes: &[u8]| {
        let mut out = frame(1, 0, &[0, 0, 0, 1, length]);
        out.extend(bytes);
        out.push(0);
        out
    };
    let two = keys(&["a", "b"]);
    let after = |body: &[u64]| vec![two.clone(), frame(2, 1, body), frame(3, 1, &[0, 0, 0, 0]), two.clone()];
    let many: Vec<String> = (0..105).map(|i| i.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let joined = |body: &[u64]| frame(1, 0, &[&[0, 0, 0, 1, 2, u64::from(b'a')], body].concat());
    let cases: Vec<(&str, Vec<Vec<u8>>)> = vec![
        ("opcode", vec![with(0, 1)]),
        ("format", vec![with(1, 2)]),
        ("number_0", vec![frame(0, 0, &[0, 0, 0, 0])]),
        ("number_too_great", vec![frame(MAX_NUMBER + 1, 0, &[0, 0, 0, 0])]),
        ("base_0", vec![frame(3, 3, &[0, 0, 0, 0])]),
        ("need_keyframe", vec![frame(3, 1, &[0, 0, 0, 0])]),
        ("empty", vec![vec![]]),
        ("cut_short", vec![whole[..whole.len() - 9].to_vec()]),
        ("trailing", vec![[&whole[..], &[1, 2]].concat()]),
        ("head_unknown", after(&[0b1_0000, 0, 0, 0])),
        ("head_absent", after(&[0b1, 0, 0, 0, 0])),
        ("phase", after(&[0b100, 17, 0, 0, 0])),
        ("yellow", after(&[0b1000, 17, 0, 0, 0])),
        ("time_too_great", after(&[0b1, (1 << 32) + 1, 0, 0, 0])),
        ("left_too_many", after(&[0, 3, 0, 0, 0, 0, 0])),
        ("left_no_such", after(&[0, 1, 2, 0, 0])),
        ("left_far", after(&[0, 2, 0, 1 << 40, 0, 0])),
        ("changed_no_such", after(&[0, 1, 1, 1, 1, 0, 0])),
        ("changed_too_many", after(&[0, 0, 1 << 40])),
        ("car_unknown", after(&[0, 0, 1, 0, 1 << 29, 0, 0])),
        ("car_unknown_far", after(&[0, 0, 1, 0, 1 << 63, 0, 0])),
        ("half_a_place", after(&[0, 0, 1, 0, 0b10, 1, 0])),
        ("laps_absent", after(&[0, 0, 1, 0, 1 << 9, 0, 0])),
        ("laps_negative", after(&[0, 0, 1, 0, 1 << 9, 2, 0])),
        ("joined_too_many", vec![keys(&many)]),
        ("joined_far_too_many", vec![frame(1, 0, &[0, 0, 0, 1 << 40])]),
        ("joined_twice", vec![keys(&["a", "b", "a"])]),
        ("joined_without_key", vec![frame(1, 0, &[0, 0, 0, 1, 0, 0])]),
        ("text_too_long", vec![text(514, &[b'x'; 513])]),
        ("text_no_utf8", vec![text(3, b"a\xff")]),
        ("text_nul", vec![text(3, b"a\0")]),
        ("value_too_great", vec![joined(&[1, 1 << 33])]),
        ("number_too_long", vec![[&frame(1, 0, &[])[..], &[0xff; 10]].concat()]),
    ];
    for (name, frames) in cases {
        check(&format!("refused_{name}"), &frames);
    }
}
