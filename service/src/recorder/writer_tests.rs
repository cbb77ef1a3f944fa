//! A recorded race comes out the same however it is cut: into commits, into connections that go on from the checkpoint,
//! with items that come again, live or as backfill.
use super::*;
use crate::race::fixtures;
use onelap_protocol::race::{Lap, PitStep};
use onelap_protocol::{Batch, CarKey, Channel, RigId, Sample, SessionId, TeamId};
use proptest::prelude::*;
use sqlx::postgres::{PgConnectOptions, PgPool};
use std::collections::BTreeMap;

const OURS: &str = "7";

fn lap(car: &str, n: u16, driver: &str, stops: bool) -> RaceEvent {
    RaceEvent::Lap(Lap {
        car: CarKey(car.into()),
        lap: n,
        driver: driver.into(),
        time_ms: Some(95_000 + u32::from(n % 7) * 111),
        sectors_ms: [None; 3],
        valid: Some(!n.is_multiple_of(5)),
        out_lap: n > 1 && (n - 1).is_multiple_of(6),
        in_lap: stops,
        position: Some(1),
        class_position: None,
        class: None,
        number: None,
        at_s: f64::from(n) * 95.0,
        fuel_l: Some(80.0 - 2.5 * f32::from(n % 6)),
        fuel_kg: None,
        virtual_energy_pct: None,
        compound: None,
        tire_wear_pct: None,
    })
}

fn pit(car: &str, lap: u16, step: PitStep) -> RaceEvent {
    let at_s = f64::from(lap) * 95.0 + f64::from(step as u8);
    RaceEvent::Pit { car: CarKey(car.into()), lap, step, at_s, fuel_l: None, virtual_energy_pct: None, compound: None }
}

fn batch(sequence: u64, lap: u16) -> Batch {
    let mut batch = Batch::default();
    for i in 0..2 {
        let mut sample = Sample::new(sequence * 100 + i * 50);
        sample.set(Channel::Lap, f64::from(lap));
        sample.set(Channel::SessionTime, (sequence * 100 + i * 50) as f64 / 1000.0);
        batch.push(&sample);
    }
    batch
}

/// A race of two cars: stops every six laps, with another driver behind the wheel, in the order of the stream.
fn race(laps: u16) -> Vec<Content> {
    let mut items = vec![Content::Info(Box::new(fixtures::session(OURS)))];
    let driver = |n: u16| if (n / 6).is_multiple_of(2) { "A" } else { "B" };
    for n in 1..=laps {
        for _ in 0..3 {
            items.push(Content::Batch(batch(items.len() as u64 + 1, n)));
        }
        let stops = n.is_multiple_of(6);
        for car in [OURS, "8"] {
            let mut event = |event| items.push(Content::Event(Box::new(event)));
            if stops {
                event(pit(car, n, PitStep::Enter));
            }
            event(lap(car, n, driver(n - 1), stops));
            if stops {
                event(pit(car, n + 1, PitStep::Stop));
                let (from, to) = (driver(n - 1).to_owned(), driver(n).to_owned());
                let at_s = f64::from(n) * 95.0 + 30.0;
                event(RaceEvent::DriverChange { car: CarKey(car.into()), lap: n + 1, from, to, at_s });
                event(pit(car, n + 1, PitStep::Go));
                event(pit(car, n + 1, PitStep::Exit));
            }
        }
    }
    items
}

fn item(sequence: u64, content: &Content, is_backfill: bool) -> Item {
    let content = match content {
        Content::Info(info) => Content::Info(info.clone()),
        Content::Batch(batch) => Content::Batch(batch.clone()),
        Content::Event(event) => Content::Event(event.clone()),
        Content::Setup { .. } | Content::End(_) | Content::Nothing => Content::Nothing,
    };
    Item { sequence, after: sequence - 1, is_backfill, content, trace: None }
}

/// What Postgres would have: rows by their keys, as the statements of `store` write them.
#[derive(Debug, Default, PartialEq)]
struct Rows {
    laps: BTreeMap<(String, i32), String>,
    stints: BTreeMap<(String, i32), String>,
    stops: BTreeMap<(String, i32), String>,
    changes: BTreeMap<(String, i32), String>,
    /// Time and lap of every sample, in the order of the chunks.
    samples: Vec<(u64, i32)>,
    backfilled: Option<Stretch>,
    sequence: u64,
    fold: Fold,
}

impl Rows {
    fn commit(&mut self, job: &mut Job) {
        for fact in &job.pending.facts {
            let text = format!("{fact:?}");
            let (rows, car, number) = match fact {
                Fact::Lap(lap) => (&mut self.laps, &lap.car, lap.lap),
                Fact::Stint(stint) => (&mut self.stints, &stint.car, stint.stint),
                Fact::PitStop(stop) => (&mut self.stops, &stop.car, stop.stop),
                Fact::DriverChange(change) => (&mut self.changes, &change.car, change.lap),
            };
            rows.insert((car.0.clone(), number), text);
        }
        let (chunk, place) = (&job.pending.chunk, job.pending.sequence);
        self.samples.extend(chunk.times_ms().iter().copied().zip(chunk.column(Channel::Lap).iter().copied()));
        self.backfilled = union(self.backfilled, job.pending.backfilled);
        if job.pending_since.take().is_some() {
            self.sequence = place;
        }
        // As it goes through the row of the session.
        self.fold = serde_json::from_value(serde_json::to_value(&job.fold).unwrap()).unwrap();
        job.pending.clear();
    }

    fn stored(&self, session: SessionId) -> Stored {
        let place = Place { session, epoch: 1, sequence: self.sequence };
        Stored {
            info: fixtures::session(OURS),
            place,
            earlier_runs: Vec::new(),
            fold: self.fold.clone(),
            setup: None,
            laps: Vec::new(),
            ended: None,
        }
    }
}

fn new_job(session: SessionId) -> Job {
    let nowhere = PgPool::connect_lazy_with(PgConnectOptions::new_without_pgpass());
    let db = Db { web: nowhere.clone(), ingest: nowhere.clone(), exports: nowhere };
    let figures = Figures::register(&crate::metrics::Metrics::new().unwrap()).unwrap();
    let head = Head { rig: RigId::new(), session, epoch: 1 };
    Job::new(db, figures, Tenant::verified(TeamId::new()), head, None)
}

/// What happens before an item.
#[derive(Debug, Clone, Copy)]
enum Cut {
    Nothing,
    Commit,
    /// The connection ends; what was not committed is lost, and the next one begins so many items too early.
    Resume(u64),
    /// The same, but what the writer had is written first.
    HandOver(u64),
    /// So many items do not come; the recorder was full. They come again.
    Refused(u64),
}

fn record(items: &[Content], cuts: &[(Cut, bool)]) -> Rows {
    let session = SessionId::new();
    let (mut rows, mut job) = (Rows::default(), new_job(session));
    let (mut next, mut happened) = (1u64, 0);
    while next <= items.len() as u64 {
        let (cut, is_backfill) = cuts.get(happened).copied().unwrap_or((Cut::Nothing, false));
        happened += 1;
        match cut {
            Cut::Nothing => {}
            Cut::Commit => rows.commit(&mut job),
            Cut::Resume(back) | Cut::HandOver(back) => {
                if matches!(cut, Cut::HandOver(_)) {
                    rows.commit(&mut job);
                }
                job = new_job(session);
                if rows.sequence > 0 {
                    job.go_on_after(&rows.stored(session));
                }
                next = (rows.sequence + 1).saturating_sub(back).max(1);
            }
            // What follows a hole is not taken: the recorder knows what it follows.
            Cut::Refused(count) => {
                for ahead in next + 1..=(next + count).min(items.len() as u64) {
                    job.take(item(ahead, &items[ahead as usize - 1], is_backfill));
                }
            }
        }
        // A hand-over behind the last item has nothing to follow it.
        let Some(content) = items.get(next as usize - 1) else { break };
        if job.take(item(next, content, is_backfill)) {
            rows.commit(&mut job);
        }
        next += 1;
    }
    rows.commit(&mut job);
    rows
}

fn a_cut() -> impl Strategy<Value = (Cut, bool)> {
    let cut = prop_oneof![
        12 => Just(Cut::Nothing),
        3 => Just(Cut::Commit),
        1 => (0u64..9).prop_map(Cut::Resume),
        1 => (0u64..9).prop_map(Cut::HandOver),
        1 => (1u64..9).prop_map(Cut::Refused),
    ];
    (cut, any::<bool>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_race_comes_out_the_same_however_it_is_cut(laps in 1u16..20, cuts in prop::collection::vec(a_cut(), 0..400)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _inside = runtime.enter();
        let items = race(laps);
        let expected = record(&items, &[]);
        let mut found = record(&items, &cuts);
        prop_assert_eq!(expected.samples.len(), usize::from(laps) * 6);
        prop_assert_eq!(expected.laps.len(), usize::from(laps) * 2);
        // Which stretch came as backfill is the one thing that differs.
        found.backfilled = None;
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn what_came_as_backfill_is_told_by_session_time() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    // Items 2 to 4 are batches of lap 1; 3 and 4 come as backfill.
    let cuts: Vec<(Cut, bool)> = (1..=4).map(|sequence| (Cut::Nothing, sequence >= 3)).collect();
    let rows = record(&race(1), &cuts);
    assert_eq!(rows.backfilled, Some((0.3, 0.45)));
}
