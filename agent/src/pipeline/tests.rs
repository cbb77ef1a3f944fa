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

const NOW_MS: u64 = 1_800_000_000_000;

fn on_disk(folder: &tempfile::TempDir, unix_ms: u64) -> Spool {
    Spool::open(folder.path(), 0, 1 << 20, unix_ms).unwrap()
}

/// Everything that a spool on disk has, in short: epoch, sequence, and what it is.
fn kept(pipeline: &mut Pipeline) -> Vec<(SessionId, u64, u64, String)> {
    let spool = &mut pipeline.outbox().spool;
    let first = spool.at(0);
    let items = std::iter::successors(first, |item| spool.at(item.serial + 1)).collect::<Vec<_>>();
    let line = |frame: &Frame| match frame {
        Frame::Batch(_) => "batch".to_owned(),
        Frame::Record(bytes) => match serde_json::from_slice(bytes).unwrap() {
            AgentMessage::Record { record: Record::Session { info }, .. } => info.track,
            AgentMessage::Record { record: Record::End { reason }, .. } => format!("end {reason:?}"),
            other => format!("{other:?}"),
        },
    };
    items.iter().map(|item| (item.place.session, item.place.epoch, item.place.sequence, line(&item.frame))).collect()
}

/// A run of the agent that sees a session and is stopped in it.
fn a_run(folder: &tempfile::TempDir, unix_ms: u64) -> SessionId {
    let script = vec![vec![started("Monza"), sample_at(unix_ms, 600.0)]];
    let mut pipeline = fed_into(on_disk(folder, unix_ms), unix_ms, script);
    let id = pipeline.session().unwrap().0;
    pipeline.stop();
    pipeline.outbox().spool.close();
    id
}

#[test]
fn a_session_goes_on_after_the_agent_was_stopped_as_after_it_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let id = a_run(&folder, NOW_MS);
    let script = vec![vec![started("Monza"), sample_at(NOW_MS + 9_000, 609.0)]];
    let mut second = fed_into(on_disk(&folder, NOW_MS + 9_000), NOW_MS + 9_000, script);
    assert_eq!(second.session().unwrap().0, id);
    let lines: Vec<String> = kept(&mut second).into_iter().map(|(.., line)| line).collect();
    assert_eq!(lines, ["Monza", "batch", "Monza"], "and has no end before");
}

#[test]
fn without_a_disk_a_stop_is_the_end_of_the_session() {
    let mut pipeline = fed(vec![vec![started("Monza"), sample(1_000, 100.0)]]);
    pipeline.stop();
    assert_eq!(recorded(&pipeline).last().unwrap().1, "end AgentStopped");
}

#[test]
fn a_session_that_was_left_behind_ends_when_another_one_begins() {
    let folder = tempfile::tempdir().unwrap();
    let id = a_run(&folder, NOW_MS);
    let later = NOW_MS + 60_000;
    let mut second = fed_into(on_disk(&folder, later), later, vec![vec![]]);
    second.tidy(later);
    assert_eq!(kept(&mut second).len(), 2, "as long as no other one is seen, it may go on");
    drop(second);
    let script = vec![vec![started("Spa"), sample_at(later, 5.0)]];
    let mut second = fed_into(on_disk(&folder, later + 1), later + 1, script);
    let new = second.session().unwrap().0;
    let epoch = second.outbox().spool.epoch();
    let told = kept(&mut second);
    assert_eq!(
        told[2..],
        [
            (id, epoch, 1, "Monza".to_owned()),
            (id, epoch, 2, "end AgentStopped".to_owned()),
            (new, epoch, 1, "Spa".to_owned()),
        ]
    );
    second.tidy(later + 2);
    assert_eq!(kept(&mut second).len(), told.len(), "once");
    assert!(second.outbox().is_left_behind(id), "and it is not shown");
}

#[test]
fn a_session_that_nobody_comes_back_to_ends_after_half_an_hour() {
    let folder = tempfile::tempdir().unwrap();
    a_run(&folder, NOW_MS);
    let mut second = fed_into(on_disk(&folder, NOW_MS + 1), NOW_MS + 1, vec![vec![]]);
    second.tidy(NOW_MS + 29 * 60_000);
    assert_eq!(kept(&mut second).len(), 2);
    second.tidy(NOW_MS + 31 * 60_000);
    assert_eq!(kept(&mut second).last().unwrap().3, "end AgentStopped");
    assert_eq!(second.waiting().doing().session, None);
}
