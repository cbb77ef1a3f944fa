//! What the hub remembers, and for how long.
use super::*;
use crate::live::{Begin, Cut};
use crate::metrics::Metrics;
use crate::race::fixtures;

fn hub() -> Arc<Hub> {
    Hub::new(Figures::register(&Metrics::new().unwrap()).unwrap(), Traces::default())
}

fn begin() -> Begin {
    Begin { info: fixtures::session("7"), epoch: 1, sequence: 0 }
}

#[test]
fn a_rig_that_has_long_been_gone_is_forgotten_with_its_session() {
    let (hub, team, rig, session) = (hub(), TeamId::new(), RigId::new(), SessionId::new());
    let connection = hub.connect(team, rig, "RIG_A", TokenId::new());
    connection.publisher().begin(session, begin());
    let in_hours = |hours: u64| now_ms() + hours * 3_600_000;
    hub.sweep(&mut hub.teams(), in_hours(24));
    assert!(hub.session(team, session).is_some(), "it is connected");
    drop(connection);
    hub.sweep(&mut hub.teams(), in_hours(25));
    assert!(hub.session(team, session).is_none() && hub.rig_state(team, rig).is_none());
    assert!(hub.teams().is_empty());
}

#[test]
fn one_that_has_just_gone_is_remembered() {
    let (hub, team, rig) = (hub(), TeamId::new(), RigId::new());
    drop(hub.connect(team, rig, "RIG_A", TokenId::new()));
    hub.sweep(&mut hub.teams(), now_ms() + 3_600_000);
    assert!(!hub.rig_state(team, rig).unwrap().connected);
}

#[test]
fn a_deleted_rig_is_cut_and_forgotten() {
    let (hub, team, rig, session) = (hub(), TeamId::new(), RigId::new(), SessionId::new());
    let connection = hub.connect(team, rig, "RIG_A", TokenId::new());
    connection.publisher().begin(session, begin());
    hub.forget_rig(team, rig);
    assert!(connection.cut.is_cancelled());
    assert_eq!(connection.why_cut(), Cut::TokenRevoked, "its tokens are gone with it");
    drop(connection);
    assert!(hub.rig_state(team, rig).is_none() && hub.session(team, session).is_none());
    drop(hub.connect(team, rig, "RIG_A", TokenId::new()));
    hub.forget_rig(team, rig);
    assert!(hub.rig_state(team, rig).is_none());
}

#[tokio::test]
async fn a_team_that_nobody_watches_any_more_is_forgotten() {
    let (hub, team) = (hub(), TeamId::new());
    let outbox = Outbox::new(&hub.figures.viewer);
    hub.watch(team, 1, &outbox, &[]).await;
    hub.leave(1, &[team]);
    assert!(hub.teams().is_empty());
}

#[test]
fn a_connection_that_was_replaced_begins_no_session() {
    let (hub, team, rig) = (hub(), TeamId::new(), RigId::new());
    let (old, new) = (SessionId::new(), SessionId::new());
    let first = hub.connect(team, rig, "RIG_A", TokenId::new());
    let second = hub.connect(team, rig, "RIG_A", TokenId::new());
    second.publisher().begin(new, begin());
    first.publisher().begin(old, begin());
    assert!(hub.session(team, old).is_none() && hub.session(team, new).is_some());
}
