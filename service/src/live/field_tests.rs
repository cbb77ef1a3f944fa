//! Viewers who come, read or do not, and want more or fewer frames: what they were sent always adds up.
use super::*;
use crate::figures::Figures;
use crate::metrics::Metrics;
use futures_util::{StreamExt, task::noop_waker};
use onelap_protocol::CarKey;
use onelap_protocol::race::{CarStanding, FinishState, Phase, PitState, Standings};
use onelap_protocol::standings::Encoder;
use proptest::prelude::*;
use std::task::{Context, Poll};

fn car(position: u16, laps: u16) -> CarStanding {
    CarStanding {
        car: CarKey(position.to_string()),
        number: None,
        driver: "Someone".into(),
        entrant: None,
        car_name: None,
        class: None,
        position,
        class_position: None,
        laps,
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

/// As many cars as the time says, one of them changes with it.
fn at(n: u16) -> Standings {
    let cars = (1..=5 + n % 3).map(|position| car(position, if position == 1 { n } else { 7 })).collect();
    Standings { at_s: f64::from(n), time_left_s: None, phase: Phase::Green, yellow_sectors: vec![], cars }
}

struct Viewer {
    wish: Wish,
    outbox: Outbox,
    decoder: Decoder,
    frames: Vec<Vec<u8>>,
}

impl Viewer {
    fn join(field: &LiveField, session: SessionId, max_hz: Option<u32>) -> Self {
        let outbox = Outbox::new(&Figures::register(&Metrics::new().unwrap()).unwrap().viewer);
        let mut viewer = Self { wish: Wish::of(max_hz), outbox, decoder: Decoder::default(), frames: Vec::new() };
        field.show_whole(session, &mut viewer.wish, &viewer.outbox);
        viewer
    }

    fn read(&mut self) {
        let Poll::Ready(Some(Ok(mut bytes))) = self.outbox.poll_next_unpin(&mut Context::from_waker(&noop_waker()))
        else {
            return;
        };
        while !bytes.is_empty() {
            let (header, length) = match bytes[1] {
                126 => (4, usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
                n => (2, usize::from(n)),
            };
            let frame = bytes.split_to(header + length).split_off(header);
            self.decoder.apply(&frame).expect("each frame applies to what was sent before");
            self.frames.push(frame.to_vec());
        }
    }
}

struct Relay {
    session: SessionId,
    agent: Encoder,
    field: LiveField,
    viewers: Vec<Viewer>,
    n: u16,
}

impl Relay {
    fn new() -> Self {
        Self { session: SessionId::new(), agent: Encoder::new(1), field: LiveField::default(), viewers: vec![], n: 0 }
    }

    fn join(&mut self, max_hz: Option<u32>) {
        self.viewers.push(Viewer::join(&self.field, self.session, max_hz));
    }

    /// The agent's next frame, which is shown.
    fn frame(&mut self) -> Vec<u8> {
        self.n += 1;
        let frame = self.agent.encode(self.session, &at(self.n));
        if self.field.take(self.session, &frame) == Ok(true) {
            self.field.show(&frame, self.viewers.iter_mut().map(|viewer| (&mut viewer.wish, &viewer.outbox)));
        }
        frame
    }

    fn read(&mut self) {
        self.viewers.iter_mut().for_each(Viewer::read);
    }
}

#[test]
fn who_keeps_up_gets_the_agents_own_frames() {
    let mut relay = Relay::new();
    let first = relay.frame();
    relay.join(None);
    relay.read();
    let mut sent = vec![first];
    for _ in 0..20 {
        sent.push(relay.frame());
        relay.read();
    }
    assert_eq!(relay.viewers[0].frames, sent);
}

#[test]
fn who_joins_late_gets_the_whole_and_then_the_agents_own_frames() {
    let mut relay = Relay::new();
    (0..7).for_each(|_| drop(relay.frame()));
    relay.join(None);
    relay.read();
    let viewer = &relay.viewers[0];
    assert_eq!(viewer.decoder.field().unwrap().standings(), at(7));
    assert_eq!(peek(&viewer.frames[0]).unwrap().base, None);
    let next = relay.frame();
    relay.read();
    assert_eq!(relay.viewers[0].frames[1], next);
}

#[test]
fn who_reads_nothing_finds_one_frame_which_is_whole() {
    let mut relay = Relay::new();
    relay.join(None);
    (0..50).for_each(|_| drop(relay.frame()));
    relay.read();
    let viewer = &relay.viewers[0];
    assert_eq!(viewer.frames.len(), 1);
    assert_eq!(viewer.decoder.field().unwrap().standings(), at(50));
}

#[test]
fn who_wants_fewer_gets_differences_over_several() {
    let mut relay = Relay::new();
    relay.frame();
    for hz in [1, 2, 4, 5, 20] {
        relay.join(Some(hz));
    }
    relay.read();
    for _ in 0..30 {
        relay.frame();
        relay.read();
    }
    let counts: Vec<usize> = relay.viewers.iter().map(|viewer| viewer.frames.len()).collect();
    // The first, and of the thirty that follow one in five, three, two, one, one.
    assert_eq!(counts, [7, 11, 16, 31, 31]);
    for viewer in &relay.viewers {
        let wholes = viewer.frames.iter().filter(|frame| peek(frame).unwrap().base.is_none()).count();
        assert!(wholes <= 2, "{wholes}: the first, and perhaps one to get into step");
    }
}

#[test]
fn a_frame_that_applies_to_nothing_is_not_shown_and_a_keyframe_is_once() {
    let mut relay = Relay::new();
    drop(relay.agent.encode(relay.session, &at(0)));
    relay.join(None);
    let frame = relay.agent.encode(relay.session, &at(1));
    assert_eq!(relay.field.take(relay.session, &frame), Err(StandingsError::NeedKeyframe { base: 1 }));
    assert_eq!(relay.field.keyframe(), None);
    relay.agent.forget();
    let whole = relay.agent.encode(relay.session, &at(2));
    assert_eq!(relay.field.take(SessionId::new(), &whole), Ok(false), "of another session");
    assert_eq!(relay.field.take(relay.session, &whole), Ok(true));
    assert_eq!(relay.field.take(relay.session, &whole), Ok(false), "known already");
    assert_eq!(relay.field.keyframe().unwrap(), whole);
}

#[derive(Debug, Clone)]
enum Happens {
    Frame,
    Read(usize),
    Join(Option<u32>),
    /// The agent is asked for the whole, or sends it by itself.
    Forget,
    /// A frame is lost on its way here.
    Lost,
    /// What another instance has written is taken over.
    Restore {
        back: usize,
    },
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        8 => Just(Happens::Frame),
        6 => (0usize..6).prop_map(Happens::Read),
        2 => prop::option::of(1u32..8).prop_map(Happens::Join),
        1 => Just(Happens::Forget),
        1 => Just(Happens::Lost),
        1 => (0usize..5).prop_map(|back| Happens::Restore { back }),
    ]
}

proptest! {
    #[test]
    fn in_any_order_everybody_ends_up_with_the_same(events in prop::collection::vec(happens(), 0..80)) {
        let mut relay = Relay::new();
        let mut wholes: Vec<Vec<u8>> = Vec::new();
        for event in events {
            match event {
                Happens::Frame => drop(relay.frame()),
                Happens::Read(i) => relay.viewers.get_mut(i).into_iter().for_each(Viewer::read),
                Happens::Join(max_hz) => relay.join(max_hz),
                Happens::Forget => relay.agent.forget(),
                Happens::Lost => drop(relay.agent.encode(relay.session, &at(relay.n))),
                Happens::Restore { back } => {
                    if let Some(whole) = wholes.len().checked_sub(1 + back).map(|i| &wholes[i]) {
                        relay.field.take_over(relay.session, whole);
                        for viewer in &mut relay.viewers {
                            relay.field.show_whole(relay.session, &mut viewer.wish, &viewer.outbox);
                        }
                    }
                }
            }
            wholes.extend(relay.agent.field().map(Field::keyframe));
        }
        relay.agent.forget();
        for _ in 0..30 {
            relay.frame();
            relay.read();
        }
        for viewer in &relay.viewers {
            let got = viewer.decoder.field().unwrap();
            prop_assert!(relay.agent.field().unwrap().number() - got.number() < viewer.wish.apart);
            prop_assert_eq!(got.standings(), at(relay.n - (relay.agent.field().unwrap().number() - got.number()) as u16));
        }
    }
}
