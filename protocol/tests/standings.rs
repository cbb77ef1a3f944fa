//! Frames of standings against the standings that went in.

#![expect(clippy::unwrap_used, reason = "helpers of a test: what fails here fails the test")]

use onelap_protocol::race::{CarStanding, FinishState, Phase, PitState, Standings};
use onelap_protocol::standings::{Decoder, Encoder, Field, StandingsError, peek};
use onelap_protocol::{CarKey, SessionId};
use proptest::prelude::*;
use proptest::sample::select;

/// Cars that come, go and come again.
const KEYS: [&str; 8] = ["0", "1", "2-a3f29c", "3", "4", "5", "6", "ключ"];

fn few<T: std::fmt::Debug + Clone + 'static>(values: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    prop::option::weighted(0.7, values)
}

fn seconds() -> impl Strategy<Value = f32> {
    prop_oneof![8 => 0f32..200.0, 1 => any::<f32>()]
}

fn ms() -> impl Strategy<Value = u32> {
    prop_oneof![8 => select(vec![30_000u32, 30_001, 95_123]), 1 => any::<u32>()]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![8 => select(vec!["Jürgen", "", "LMP2", "7"]).prop_map(str::to_owned), 1 => any::<String>()]
}

prop_compose! {
    fn times()(
        last_lap_ms in few(ms()),
        best_lap_ms in few(ms()),
        last_sectors_ms in [few(ms()), few(ms()), few(ms())],
        current_sectors_ms in [few(ms()), few(ms())],
        gap_s in few(seconds()),
        interval_s in few(seconds()),
        gap_laps in few(0u16..3),
        interval_laps in few(any::<u16>()),
    ) -> CarStanding {
        CarStanding {
            last_lap_ms, best_lap_ms, last_sectors_ms, current_sectors_ms, gap_s, interval_s, gap_laps, interval_laps,
            ..blank("", 0)
        }
    }
}

prop_compose! {
    fn names()(
        number in few(text()), driver in text(), entrant in few(text()), car_name in few(text()),
        class in few(text()), compound in few(text()),
    ) -> CarStanding {
        CarStanding { number, driver, entrant, car_name, class, compound, ..blank("", 0) }
    }
}

prop_compose! {
    fn car()(
        times in times(),
        names in names(),
        class_position in few(1u16..4),
        laps in select(vec![0u16, 1, 2, u16::MAX]),
        sector in few(1u8..4),
        lap_distance_m in few(-5f32..14_000.0),
        virtual_energy_pct in few(0f32..100.0),
        xz_m in few([any::<f32>().boxed(), (-5_000f32..5_000.0).boxed()]),
        pit in select(vec![PitState::Track, PitState::Requested, PitState::Entering, PitState::Stopped,
            PitState::Exiting, PitState::Garage]),
        finish in select(vec![FinishState::Running, FinishState::Finished, FinishState::Retired,
            FinishState::Disqualified]),
        pit_stops in 0u16..3,
        penalties in 0u16..3,
    ) -> CarStanding {
        let CarStanding { number, driver, entrant, car_name, class, compound, .. } = names;
        CarStanding {
            number, driver, entrant, car_name, class, compound, class_position, laps, sector, lap_distance_m,
            virtual_energy_pct, xz_m, pit, finish, pit_stops, penalties, ..times
        }
    }
}

prop_compose! {
    fn standings()(
        at_s in -10f64..90_000.0,
        time_left_s in few(0f64..86_400.0),
        phase in select(vec![Phase::Before, Phase::Formation, Phase::Green, Phase::FullCourseYellow,
            Phase::VirtualSafetyCar, Phase::Stopped, Phase::Over, Phase::Paused]),
        yellow_sectors in prop::sample::subsequence(vec![1u8, 2, 3], 0..=3),
        keys in prop::sample::subsequence(KEYS.to_vec(), 0..=KEYS.len()).prop_shuffle(),
        cars in prop::collection::vec(car(), KEYS.len()),
    ) -> Standings {
        let placed = keys.into_iter().zip(cars).zip(1..);
        let cars = placed.map(|((key, car), position)| CarStanding { car: CarKey(key.into()), position, ..car });
        Standings { at_s, time_left_s, phase, yellow_sectors, cars: cars.collect() }
    }
}

fn sequence() -> impl Strategy<Value = Vec<Standings>> {
    // Some of it comes again, as it does in a race.
    prop::collection::vec(standings(), 1..5).prop_flat_map(|all| {
        prop::collection::vec((select(all.clone()), select(all)), 1..12).prop_map(|pairs| {
            let mix = |(head, cars): (Standings, Standings)| Standings { cars: cars.cars, ..head };
            pairs.into_iter().map(mix).collect()
        })
    })
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

/// What one keyframe makes of it.
fn alone(standings: &Standings) -> Standings {
    let frame = Encoder::new(1).encode(SessionId::new(), standings);
    Decoder::default().apply(&frame).unwrap().standings()
}

fn is_near(steps_per_unit: f64, told: Option<f64>, sent: Option<f64>) -> bool {
    let most = f64::from(i32::MAX) / steps_per_unit;
    match (told.filter(|v| v.is_finite()), sent) {
        (None, None) => true,
        (Some(told), Some(sent)) => {
            let told = told.clamp(-most, most);
            (told - sent).abs() <= 0.501 / steps_per_unit + told.abs() * f64::from(f32::EPSILON)
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn frames_add_up_to_what_keyframes_say(all in sequence()) {
        let (session, mut encoder, mut decoder) = (SessionId::new(), Encoder::new(7), Decoder::default());
        for (i, standings) in all.iter().enumerate() {
            let frame = encoder.encode(session, standings);
            let header = peek(&frame).unwrap();
            let number = 7 + i as u64;
            prop_assert_eq!((header.session, header.number), (session, number));
            prop_assert_eq!(header.base, (i > 0).then(|| number - 1));
            let field = decoder.apply(&frame).unwrap();
            prop_assert_eq!(field.standings(), alone(standings));
            prop_assert_eq!(field, encoder.field().unwrap(), "no drift");
        }
    }

    #[test]
    fn what_is_sent_is_what_was_told_within_half_a_step(told in standings()) {
        let sent = alone(&told);
        prop_assert!(is_near(1000.0, Some(told.at_s), Some(sent.at_s)));
        prop_assert!(is_near(1000.0, told.time_left_s, sent.time_left_s));
        prop_assert_eq!((told.phase, &told.yellow_sectors), (sent.phase, &sent.yellow_sectors));
        prop_assert_eq!(told.cars.len(), sent.cars.len());
        for (told, sent) in told.cars.into_iter().zip(sent.cars) {
            let near = |per: f64, told: Option<f32>, sent: Option<f32>| is_near(per, told.map(f64::from), sent.map(f64::from));
            prop_assert!(near(4.0, told.lap_distance_m, sent.lap_distance_m));
            prop_assert!(near(1000.0, told.gap_s, sent.gap_s) && near(1000.0, told.interval_s, sent.interval_s));
            prop_assert!(near(10.0, told.virtual_energy_pct, sent.virtual_energy_pct));
            let xz = told.xz_m.filter(|xz| xz.iter().all(|m| m.is_finite()));
            for i in 0..2 {
                prop_assert!(near(4.0, xz.map(|xz| xz[i]), sent.xz_m.map(|xz| xz[i])));
            }
            let text = |text: &String| {
                let text = text.replace('\0', "");
                text[..text.floor_char_boundary(512)].to_owned()
            };
            let ms = |ms: Option<u32>| ms.map(|ms| ms.min(i32::MAX as u32));
            let exact = CarStanding {
                driver: text(&told.driver),
                number: told.number.as_ref().map(text),
                entrant: told.entrant.as_ref().map(text),
                car_name: told.car_name.as_ref().map(text),
                class: told.class.as_ref().map(text),
                compound: told.compound.as_ref().map(text),
                last_lap_ms: ms(told.last_lap_ms),
                best_lap_ms: ms(told.best_lap_ms),
                last_sectors_ms: told.last_sectors_ms.map(ms),
                current_sectors_ms: told.current_sectors_ms.map(ms),
                lap_distance_m: sent.lap_distance_m,
                gap_s: sent.gap_s,
                interval_s: sent.interval_s,
                virtual_energy_pct: sent.virtual_energy_pct,
                xz_m: sent.xz_m,
                ..told
            };
            prop_assert_eq!(exact, sent);
        }
    }

    #[test]
    fn a_frame_that_was_dropped_is_noticed_until_the_next_keyframe(
        steps in sequence().prop_flat_map(|all| {
            let n = all.len();
            (Just(all), prop::collection::vec((any::<bool>(), prop::bool::weighted(0.2)), n))
        }),
    ) {
        let (session, mut encoder, mut decoder) = (SessionId::new(), Encoder::new(1), Decoder::default());
        let mut has_it = false;
        for (i, (standings, (is_dropped, is_whole))) in steps.0.iter().zip(steps.1).enumerate() {
            if is_whole {
                encoder.forget();
            }
            let frame = encoder.encode(session, standings);
            if is_dropped {
                has_it = false;
                continue;
            }
            has_it |= is_whole || i == 0;
            let before = decoder.field().cloned();
            match decoder.apply(&frame) {
                Ok(field) => prop_assert!(has_it && field.standings() == alone(standings)),
                Err(error) => {
                    prop_assert!(!has_it);
                    prop_assert_eq!(error, StandingsError::NeedKeyframe { base: i as u64 });
                    prop_assert_eq!(decoder.field(), before.as_ref());
                }
            }
        }
    }

    #[test]
    fn whoever_joins_or_skips_ends_up_where_the_others_are(all in sequence(), wholes in any::<u16>()) {
        let (session, mut encoder, mut decoder) = (SessionId::new(), Encoder::new(1), Decoder::default());
        let mut fields: Vec<Field> = Vec::new();
        for (i, standings) in all.iter().enumerate() {
            if wholes >> i & 1 == 1 {
                encoder.forget();
            }
            let frame = encoder.encode(session, standings);
            let now = decoder.apply(&frame).unwrap().clone();
            // A keyframe of the relay's, and then what comes from the agent.
            if let Some(last) = fields.last().filter(|_| peek(&frame).unwrap().base.is_some()) {
                let mut joined = Decoder::default();
                prop_assert_eq!(joined.apply(&last.keyframe()).unwrap(), last);
                prop_assert_eq!(joined.apply(&frame).unwrap(), &now);
            }
            for earlier in &fields {
                let mut thinned = Decoder::default();
                thinned.apply(&earlier.keyframe()).unwrap();
                prop_assert_eq!(thinned.apply(&now.since(earlier)).unwrap(), &now);
            }
            fields.push(now);
        }
    }

    #[test]
    fn any_bytes_decode_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), told in standings()) {
        let session = SessionId::new();
        let mut encoder = Encoder::new(1);
        let whole = encoder.encode(session, &told);
        let mut frame = encoder.encode(session, &told);
        frame.truncate(20);
        for start in [&whole[..20], &frame] {
            let mut decoder = Decoder::default();
            decoder.apply(&whole).unwrap();
            let _ = decoder.apply(&[start, &bytes].concat());
        }
        let _ = Decoder::default().apply(&bytes);
    }

    #[test]
    fn a_damaged_frame_never_panics_and_a_short_one_is_refused(
        told in standings(), next in standings(), at in any::<prop::sample::Index>(), bit in 0u8..8,
    ) {
        let session = SessionId::new();
        let mut encoder = Encoder::new(1);
        let whole = encoder.encode(session, &told);
        let mut frame = encoder.encode(session, &next);
        let mut decoder = Decoder::default();
        decoder.apply(&whole).unwrap();
        let at = at.index(frame.len());
        prop_assert!(decoder.apply(&frame[..at]).is_err());
        frame[at] ^= 1 << bit;
        let mut decoder = Decoder::default();
        decoder.apply(&whole).unwrap();
        let _ = decoder.apply(&frame);
    }
}

fn field_of(cars: Vec<CarStanding>) -> Standings {
    Standings { at_s: 1.0, time_left_s: None, phase: Phase::Green, yellow_sectors: vec![], cars }
}

#[test]
fn a_frame_in_which_nothing_changed_is_a_few_bytes() {
    let told = field_of((1..=60).map(|i| blank(&i.to_string(), i)).collect());
    let (session, mut encoder) = (SessionId::new(), Encoder::new(1));
    let whole = encoder.encode(session, &told);
    assert!(whole.len() > 60 * 4);
    assert_eq!(encoder.encode(session, &told).len(), 24);
}

#[test]
fn a_frame_of_another_session_is_not_applied() {
    let told = field_of(vec![blank("1", 1)]);
    let mut encoder = Encoder::new(1);
    let ours = SessionId::new();
    let mut decoder = Decoder::default();
    decoder.apply(&encoder.encode(ours, &told)).unwrap();
    let theirs = encoder.encode(SessionId::new(), &told);
    assert_eq!(peek(&theirs).unwrap().base, None, "a session begins with a keyframe");
    let mut frame = encoder.encode(encoder.field().unwrap().session(), &told);
    frame[2] ^= 0xff;
    assert_eq!(decoder.apply(&frame), Err(StandingsError::NeedKeyframe { base: 2 }));
    assert_eq!(decoder.field().unwrap().session(), ours);
}

#[test]
fn what_cannot_be_sent_is_not() {
    let car = CarStanding {
        lap_distance_m: Some(f32::NAN),
        xz_m: Some([1.0, f32::INFINITY]),
        gap_s: Some(f32::NEG_INFINITY),
        driver: "a\0b".into(),
        ..blank("1", 2)
    };
    let twin = CarStanding { laps: 9, ..blank("1", 1) };
    let told =
        Standings { yellow_sectors: vec![3, 1, 3, 200], ..field_of(vec![car, twin, blank("2", 0), blank("3", 1)]) };
    let sent = alone(&told);
    assert_eq!(sent.yellow_sectors, [1, 3]);
    let places: Vec<_> = sent.cars.iter().map(|car| (car.car.0.as_str(), car.position)).collect();
    assert_eq!(places, [("3", 1), ("1", 2), ("2", 0)], "by position, unplaced last, one of each");
    assert_eq!(sent.cars[1], CarStanding { driver: "ab".into(), ..blank("1", 2) });
}

#[test]
fn more_cars_than_the_limit_are_neither_sent_nor_taken() {
    let told = field_of((1..=200).map(|i| blank(&i.to_string(), i)).collect());
    assert_eq!(alone(&told).cars.len(), 104);
}
