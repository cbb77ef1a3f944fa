//! What belongs together is committed together, whatever happens to the connections to Postgres; and a race comes out the
//! same however it comes.

#![expect(clippy::unwrap_used, reason = "what goes wrong here is the failure of a test")]

use e2e::feeder::Feeder;
use e2e::sockets::{BEGAN_MS, some_batch_for, some_lap, some_session};
use e2e::{RawAgent, Rig, Stored, Team, TestApp};
use onelap_protocol::agent::{AgentMessage, Lane, Place, Record};
use onelap_protocol::race::{Lap, PitStep, RaceEvent};
use onelap_protocol::{Batch, SessionId};
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn laps_stints_and_chunks_stand_together_at_every_moment() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut feeders = Vec::new();
    for n in 0..4 {
        let agent = ours.rig(&format!("RIG_{n}")).await.agent().await;
        feeders.push(Feeder::start(agent, Duration::from_millis(4)));
    }
    let pool = app.owner_pool().await;
    let (began, mut killed, mut looks) = (Instant::now(), 0, 0);
    while began.elapsed() < Duration::from_secs(8) {
        // Whatever the service's connections are doing just now, they end.
        let kill = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                    where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'";
        // Our own other connection may be among them.
        killed += sqlx::query_scalar::<_, i64>(kill).fetch_one(&pool).await.unwrap_or(0);
        for feeder in &feeders {
            if let Ok(Some(stored)) = Stored::of(&pool, ours.id, feeder.session).await {
                assert!(stored.is_consistent(), "{stored:?}");
                looks += 1;
            }
        }
    }
    assert!(killed > 20 && looks > 20, "{killed} connections killed, {looks} looks");
    feeders.iter().for_each(Feeder::stop);
    for feeder in feeders {
        let session = feeder.session;
        let fed = feeder.finish().await;
        let stored = Stored::of(&pool, ours.id, session).await.unwrap().unwrap();
        assert!(stored.is_consistent() && stored.sequence as u64 == fed.sent, "{stored:?} {fed:?}");
    }
}

/// What stands at the places of a race of 13 laps, with a stop after every sixth.
fn race(session: SessionId) -> Vec<Record> {
    let mut items = vec![Record::Session { info: some_session() }];
    let driver = |lap: u16| if (lap / 6).is_multiple_of(2) { "A".to_owned() } else { "B".to_owned() };
    let _ = session;
    for n in 1..=13u16 {
        let mut event = |event| items.push(Record::Event { event });
        let pit = |lap, step: PitStep| RaceEvent::Pit {
            car: some_session().car,
            lap,
            step,
            at_s: f64::from(n) * 95.0 + f64::from(step as u8),
            fuel_l: None,
            virtual_energy_pct: None,
            compound: None,
        };
        let stops = n.is_multiple_of(6);
        let lap =
            Lap { driver: driver(n - 1), in_lap: stops, out_lap: n > 1 && (n - 1).is_multiple_of(6), ..some_lap(n) };
        if stops {
            event(pit(n, PitStep::Enter));
        }
        event(RaceEvent::Lap(lap));
        if stops {
            event(pit(n + 1, PitStep::Stop));
            let (car, at_s) = (some_session().car, f64::from(n) * 95.0 + 30.0);
            event(RaceEvent::DriverChange { car, lap: n + 1, from: driver(n - 1), to: driver(n), at_s });
            event(pit(n + 1, PitStep::Go));
            event(pit(n + 1, PitStep::Exit));
        }
    }
    items
}

/// Item of the stream: every other place is a batch of the lap that is being driven.
async fn send(agent: &mut RawAgent, lane: Lane, items: &[Record], sequence: u64) {
    let place = Place { session: agent.session, epoch: agent.epoch, sequence };
    let record = &items[(sequence / 2) as usize];
    if sequence.is_multiple_of(2) {
        let lap = items[..(sequence / 2) as usize].iter().filter(is_lap).count() as u16 + 1;
        agent.try_binary(some_batch_for(lane, place, BEGAN_MS + sequence * 100, lap, 200.0)).await;
    } else {
        agent.say(&AgentMessage::Record { lane, place, record: record.clone() }).await;
    }
}

fn is_lap(record: &&Record) -> bool {
    matches!(record, Record::Event { event: RaceEvent::Lap(_) })
}

/// A number from a seed, from 0 up to a limit.
fn pick(seed: &mut u64, limit: u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % limit
}

/// Sends the race in pieces: live, or previewed and then backfilled; a new connection now and then, which begins
/// somewhere before what is committed.
async fn drive(app: &TestApp, rig: &Rig, mut seed: u64) -> SessionId {
    let mut agent = rig.agent().await;
    let session = agent.session;
    let items = race(session);
    let last = items.len() as u64 * 2 - 1;
    let mut done = 0;
    while done < last {
        let to = (done + 1 + pick(&mut seed, 9)).min(last);
        if done > 0 && seed != 0 && pick(&mut seed, 2) == 0 {
            for sequence in done + 1..=to {
                send(&mut agent, Lane::Preview, &items, sequence).await;
            }
            for sequence in done + 1..=to {
                send(&mut agent, Lane::Backfill, &items, sequence).await;
            }
        } else {
            for sequence in done + 1..=to {
                send(&mut agent, Lane::Live, &items, sequence).await;
            }
        }
        done = to;
        if pick(&mut seed, 3) == 0 {
            drop(agent);
            let (again, committed) = RawAgent::connect(app.address, &rig.token, 1, vec![session]).await;
            agent = again;
            agent.session = session;
            // What was not committed comes again, and some of what was.
            let committed = committed.first().map_or(0, |place| place.sequence);
            done = committed.min(done).saturating_sub(pick(&mut seed, 4));
        }
    }
    agent.acknowledged(last).await;
    session
}

async fn told(app: &TestApp, team: &Team, session: SessionId) -> (Value, Vec<usize>, Value) {
    let mut told = team.session(session).await;
    let object = told.as_object_mut().unwrap();
    object.remove("summary");
    let mut samples = Vec::new();
    for lap in 1..=13 {
        let trace = team.get(&format!("/sessions/{session}/laps/{lap}/trace?channels=speed")).await;
        samples.push(Batch::decode(&trace.bytes).unwrap().1.len());
    }
    let mut tx = app.owner_pool().await.begin().await.unwrap();
    sqlx::query("select set_config('app.team', $1, true)").bind(team.id.to_string()).execute(&mut *tx).await.unwrap();
    let checkpoint = sqlx::query_scalar("select checkpoint from sessions where id = $1")
        .bind(session.0)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    (told, samples, checkpoint)
}

#[tokio::test]
async fn a_race_comes_out_the_same_however_it_comes() {
    // Its connections break far more often than those of a rig.
    let app = TestApp::spawn_with(&[("LIMIT_RIG_CONNECTS_PER_MIN", "60000")]).await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let mut whole = rig.agent().await;
    let items = race(whole.session);
    for sequence in 1..=items.len() as u64 * 2 - 1 {
        send(&mut whole, Lane::Live, &items, sequence).await;
    }
    whole.acknowledged(items.len() as u64 * 2 - 1).await;
    let expected = told(&app, &ours, whole.session).await;
    assert_eq!(expected.0["stints"].as_array().map(Vec::len), Some(3), "{:#}", expected.0);
    for seed in 1..=6 {
        let session = drive(&app, &rig, seed).await;
        assert_eq!(told(&app, &ours, session).await, expected, "seed {seed}");
    }
}
