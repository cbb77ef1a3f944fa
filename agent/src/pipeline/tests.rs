//! From readings to the spool.

use super::*;
use crate::spool::Frame;
use crate::testing::{Scripted, sample, say, session_info};
use onelap_protocol::agent::AgentMessage;
use onelap_protocol::race::{Game, GameState, Phase, RaceEvent};
use onelap_protocol::{Batch, Channel};

fn started(track: &str) -> Reading {
    Reading::SessionStarted(Box::new(session_info(Game::Lmu, track)))
}

fn event() -> Reading {
    Reading::Event(Box::new(RaceEvent::Phase { phase: Phase::Green, at_s: 1.0 }))
}

fn fed(script: Vec<Vec<Reading>>) -> Pipeline {
    fed_into(Spool::new(3, 1 << 20), 0, script)
}

/// The first input comes at this time.
fn fed_into(spool: Spool, unix_ms: u64, script: Vec<Vec<Reading>>) -> Pipeline {
    let lines = script.len() as u8;
    let mut pipeline = Pipeline::new(vec![Box::new(Scripted(script))], Sampler::new(20, 100), spool);
    for n in 0..lines {
        let now_ms = u64::from(n) * 10;
        pipeline.feed(Stamp { unix_ms: unix_ms + now_ms, mono_ms: now_ms }, &say(n), now_ms);
        pipeline.flush_due(now_ms);
    }
    pipeline
}

/// The spool's content in short.
fn recorded(pipeline: &Pipeline) -> Vec<(u64, String)> {
    let line = |frame: &Frame| match frame {
        Frame::Batch(bytes) => {
            let (_, batch) = Batch::decode(bytes).unwrap();
            format!("{} samples at {}", batch.len(), batch.value(Channel::Speed, 0).unwrap())
        }
        Frame::Record(bytes) => match serde_json::from_slice(bytes).unwrap() {
            AgentMessage::Record { record: Record::Session { info }, .. } => format!("session at {}", info.track),
            AgentMessage::Record { record: Record::End { reason }, .. } => format!("end {reason:?}"),
            AgentMessage::Record { record: Record::Event { .. }, .. } => "event".to_owned(),
            other => format!("{other:?}"),
        },
    };
    pipeline.waiting().spool.iter().map(|item| (item.place.sequence, line(&item.frame))).collect()
}

#[test]
fn samples_and_records_stand_in_their_order() {
    let pipeline = fed(vec![
        vec![started("Monza"), sample(1_000, 100.0), sample(1_050, 101.0)],
        vec![event(), sample(1_100, 102.0)],
        vec![Reading::SessionEnded(EndReason::Left), sample(1_150, 103.0)],
    ]);
    let expected = ["session at Monza", "2 samples at 100", "event", "1 samples at 102", "end Left"];
    let recorded = recorded(&pipeline);
    assert_eq!(recorded.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>(), expected);
    assert_eq!(recorded.iter().map(|(sequence, _)| *sequence).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(pipeline.samples(), 3);
    assert_eq!(pipeline.waiting().doing().session, None);
}

#[test]
fn a_new_session_ends_the_one_before_and_counts_from_one() {
    let pipeline = fed(vec![vec![started("Monza"), sample(1_000, 100.0), started("Spa"), event()]]);
    let expected =
        [(1, "session at Monza"), (2, "1 samples at 100"), (3, "end Left"), (1, "session at Spa"), (2, "event")];
    assert_eq!(recorded(&pipeline), expected.map(|(n, line)| (n, line.to_owned())));
    let (id, info) = pipeline.session().unwrap();
    assert_eq!((Some(id), info.track.as_str()), (pipeline.waiting().doing().session, "Spa"));
}

#[test]
fn outside_a_session_nothing_is_recorded() {
    let state = Reading::State { game: Some(Game::Lmu), state: GameState::Menu };
    let pipeline = fed(vec![vec![state, sample(1_000, 100.0), event(), Reading::SessionEnded(EndReason::Left)]]);
    assert_eq!(recorded(&pipeline), []);
    assert_eq!(pipeline.waiting().doing().state, GameState::Menu);
}

#[test]
fn a_batch_goes_when_its_time_has_come() {
    let mut pipeline = fed(vec![vec![started("Monza"), sample(1_000, 100.0)]]);
    assert_eq!(pipeline.due_ms(), Some(100));
    pipeline.flush_due(99);
    assert_eq!(recorded(&pipeline).len(), 1);
    pipeline.flush_due(100);
    assert_eq!(recorded(&pipeline).len(), 2);
    assert_eq!(pipeline.due_ms(), None);
}

#[test]
fn a_fact_that_changes_is_recorded_whole() {
    let mut changed = session_info(Game::Lmu, "Monza");
    changed.driver = "B. Driver".into();
    let pipeline = fed(vec![vec![started("Monza"), Reading::SessionChanged(Box::new(changed))]]);
    assert_eq!(recorded(&pipeline).len(), 2);
    assert_eq!(pipeline.session().unwrap().1.driver, "B. Driver");
}

#[test]
fn a_notice_is_clipped_to_what_the_wire_allows() {
    let state = Reading::State { game: Some(Game::Lmu), state: GameState::Menu };
    let pipeline = fed(vec![vec![state, Reading::Notice(Some("ü".repeat(400)))]]);
    assert_eq!(pipeline.waiting().doing().notice.as_ref().unwrap().len(), MAX_TEXT);
}

#[test]
fn why_a_source_cannot_be_read_is_told_while_there_is_no_game() {
    let mut pipeline = fed(vec![vec![Reading::State { game: Some(Game::Lmu), state: GameState::Menu }]]);
    pipeline.source_problem(Some("the port is taken".into()));
    assert_eq!(pipeline.waiting().doing().notice, None);
    let mut pipeline = fed(vec![]);
    pipeline.source_problem(Some("the port is taken".into()));
    assert_eq!(pipeline.waiting().doing().notice.as_deref(), Some("the port is taken"));
    pipeline.source_problem(None);
    assert_eq!(pipeline.waiting().doing().notice, None);
}

/// A sample at a session time.
fn sample_at(at_ms: u64, at_s: f64) -> Reading {
    let Reading::Sample(mut sample) = sample(at_ms, 100.0) else { unreachable!() };
    sample.set(Channel::SessionTime, at_s);
    Reading::Sample(sample)
}

#[test]
fn a_session_that_the_game_still_shows_goes_on_after_a_restart_of_the_agent() {
    const NOW_MS: u64 = 1_800_000_000_000;
    let folder = tempfile::tempdir().unwrap();
    let open = |unix_ms| Spool::open(folder.path(), 0, 1 << 20, unix_ms).unwrap();
    let mut first = fed_into(open(NOW_MS), NOW_MS, vec![vec![started("Monza"), sample_at(NOW_MS, 600.0)]]);
    let id = first.session().unwrap().0;
    first.outbox().spool.close();
    drop(first);

    let minute_later = NOW_MS + 60_000;
    let script = vec![vec![started("Monza")], vec![event()], vec![sample_at(minute_later, 660.0)]];
    let mut second = fed_into(open(minute_later), minute_later, script);
    second.flush();
    assert_eq!(second.session().unwrap().0, id);
    // What happened before the game's clock was known comes after what the session is.
    let recorded = recorded(&second);
    assert_eq!(recorded[..2], [(1, "session at Monza".to_owned()), (2, "event".to_owned())]);
    let epochs: Vec<u64> =
        std::iter::successors(second.outbox().spool.at(0), |item| second.outbox().spool.at(item.serial + 1))
            .map(|item| item.place.epoch)
            .collect();
    assert_eq!(epochs, [NOW_MS, minute_later, minute_later, minute_later]);
    second.outbox().spool.close();
    drop(second);

    // The same track again, from its beginning: another session.
    let third = fed_into(open(minute_later + 1), minute_later + 1, vec![vec![started("Monza"), sample_at(1, 5.0)]]);
    assert_ne!(third.session().unwrap().0, id);
}
