//! Share links and API keys: what they show, how late, and how they end.

use e2e::{Came, RawViewer, Team, TestApp, eventually};
use futures_util::StreamExt;
use onelap_protocol::SessionId;
use onelap_protocol::agent::Record;
use onelap_protocol::setup::{Setup, SetupArea, SetupItem};
use onelap_protocol::viewer::{ViewMessage, ViewerMessage};
use onelap_service::auth::{LinkKind, LinkSecret};
use serde_json::json;
use std::time::{Duration, Instant};

fn some_setup() -> Setup {
    let item = SetupItem {
        key: "VM_BRAKE_BALANCE".into(),
        area: SetupArea::Brakes,
        label: "Brake bias".into(),
        corner: None,
        text: "55.0:45.0".into(),
        step: None,
    };
    Setup { name: None, items: vec![item] }
}

async fn watch(viewer: &mut RawViewer, team: &Team) -> ViewMessage {
    viewer.say(&ViewerMessage::Watch { team: team.id }).await;
    viewer.until(|m| matches!(m, ViewMessage::Rigs { .. } | ViewMessage::Refused { .. }).then_some(m)).await
}

/// Waits for the snapshot that was asked for; not for ever where it is refused.
async fn snapshot(viewer: &mut RawViewer) {
    let came =
        viewer.until(|m| matches!(m, ViewMessage::Snapshot { .. } | ViewMessage::Refused { .. }).then_some(m)).await;
    assert!(matches!(came, ViewMessage::Snapshot { .. }), "{came:?}");
}

#[tokio::test]
async fn a_link_opens_what_it_is_of_without_an_account() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let (rig, other) = (ours.rig("RIG_A").await, ours.rig("RIG_B").await);
    let (mut agent, mut hidden) = (rig.agent().await, other.agent().await);
    agent.begin().await;
    hidden.begin().await;
    agent.acknowledged(1).await;
    hidden.acknowledged(1).await;
    let made = ours.post("/shares", json!({ "name": "Our race", "kind": "rig", "rig": rig.id })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let link = made.json()["link"].as_str().unwrap().to_owned();
    assert!(link.starts_with("http://1lap.test/shared#1lap_share_"), "{link}");
    let secret = link.split_once('#').unwrap().1;

    let opened = ours.open_share(secret, None).await;
    let view = opened.json();
    assert_eq!(
        (opened.status, &view["name"], &view["team_name"], &view["kind"]),
        (200, &json!("Our race"), &json!("ours"), &json!("rig"))
    );
    let cookie = opened.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("onelap_share=") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    assert!(!opened.cookies().contains(secret), "the cookie is another secret than the link's");

    let guest = Team { cookies: opened.cookies(), ..ours.clone() };
    let mut viewer = guest.viewer().await;
    let ViewMessage::Rigs { rigs, .. } = watch(&mut viewer, &ours).await else { panic!("refused") };
    assert_eq!(rigs.iter().map(|state| state.rig).collect::<Vec<_>>(), [rig.id], "the other rig is not shown");
    assert_eq!(rigs[0].agent_version, None);
    viewer.subscribe(ours.id, hidden.session).await;
    viewer.until(|m| matches!(m, ViewMessage::Refused { .. }).then_some(())).await;
    viewer.subscribe(ours.id, agent.session).await;
    snapshot(&mut viewer).await;
    agent.record(Record::Setup { at_s: 1.0, setup: some_setup() }).await;
    agent.lap(1).await;
    // The setup came before the lap, and is not shown.
    let next = viewer.until(|m| matches!(m, ViewMessage::Setup { .. } | ViewMessage::Event { .. }).then_some(m)).await;
    assert!(matches!(next, ViewMessage::Event { .. }), "{next:?}");
    agent.batch(2, 200.0).await;
    viewer.next_batch().await;

    eventually("the viewer is counted", || async {
        let share = ours.get("/shares").await.json()[0].clone();
        (share["opened"] == 1 && share["watching"] == 1 && share["last_opened_at"].is_string()).then_some(())
    })
    .await;
    drop(viewer);
    eventually("and no longer", || async { (ours.get("/shares").await.json()[0]["watching"] == 0).then_some(()) })
        .await;
    assert_eq!(guest.get(&format!("/sessions/{}", agent.session)).await.status, 404, "live only");
    assert_eq!(guest.request("POST", "/api/shares/close", None).await.status, 204);
}

#[tokio::test]
async fn behind_https_the_cookie_is_bound_to_the_host() {
    let app = TestApp::spawn_with(&[("PUBLIC_URL", "https://1lap.test")]).await;
    let headers = [("origin", "https://1lap.test")];
    let closed = app.request("POST", "/api/shares/close", &headers, None).await;
    let cookie = closed.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("__Host-onelap_share=") && cookie.contains("Secure") && cookie.contains("Path=/"),
        "{cookie}"
    );
}

#[tokio::test]
async fn a_password_is_asked_for_besides_the_link() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let body = json!({ "name": "us", "kind": "team", "password": "correct horse battery" });
    let secret = ours.share(body.clone()).await;
    for given in [None, Some("wrong horse battery")] {
        let refused = ours.open_share(&secret, given).await;
        assert_eq!((refused.status, &refused.json()["error"]["field"]), (422, &json!("password")), "{}", refused.body);
        assert!(refused.cookies().is_empty());
    }
    assert_eq!(ours.open_share(&secret, Some("correct horse battery")).await.status, 200);
    let short = ours.post("/shares", json!({ "name": "us", "kind": "team", "password": "short" })).await;
    assert_eq!((short.status, &short.json()["error"]["field"]), (422, &json!("password")));
    // Guessing is slowed down for the link, whoever guesses.
    let mut last = 0;
    for _ in 0..12 {
        last = ours.open_share(&secret, Some("another wrong guess")).await.status;
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn everything_is_held_back_by_the_delay() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let mut agent = rig.agent().await;
    agent.begin().await;
    agent.acknowledged(1).await;
    let share = json!({ "name": "us", "kind": "team", "delay_s": 3, "shows_history": true });
    let guest = ours.guest(&ours.share(share).await).await;
    let (mut late, mut now) = (guest.viewer().await, ours.viewer().await);
    let asked = Instant::now();
    late.subscribe(ours.id, agent.session).await;
    now.subscribe(ours.id, agent.session).await;
    snapshot(&mut now).await;
    snapshot(&mut late).await;
    assert!(asked.elapsed() >= Duration::from_millis(2_900), "{:?}", asked.elapsed());

    let sent = Instant::now();
    agent.batch(1, 200.0).await;
    agent.lap(1).await;
    now.next_batch().await;
    assert!(sent.elapsed() < Duration::from_millis(2_000), "members see it at once");
    // The event may overtake the batch, as it does for members.
    let (mut batch_at, mut event_at) = (None, None);
    while batch_at.is_none() || event_at.is_none() {
        match late.next().await {
            Came::Binary(_) => batch_at = Some(sent.elapsed()),
            Came::Message(ViewMessage::Event { .. }) => event_at = Some(sent.elapsed()),
            Came::Message(_) => {}
            Came::Closed(code) => panic!("closed with {code:?}"),
        }
    }
    for took in [batch_at, event_at].into_iter().flatten() {
        assert!((2_900..10_000).contains(&took.as_millis()), "{took:?}");
    }
    // What is recorded is held back likewise: the session's last moment is younger than the delay, or older.
    agent.acknowledged(3).await;
    agent.batch(2, 200.0).await;
    agent.lap(2).await;
    agent.acknowledged(5).await;
    let path = format!("/sessions/{}", agent.session);
    assert_eq!(guest.get(&path).await.status, 404);
    assert_eq!(guest.get("/sessions").await.json()["sessions"], json!([]));
    eventually("the recorded session is old enough", || async { (guest.get(&path).await.status == 200).then_some(()) })
        .await;
}

/// Asks for a session as soon as it is announced; when it was announced, told as a rig's, and shown.
async fn shown_at(viewer: &mut RawViewer, team: &Team, since: Instant) -> [Duration; 3] {
    let (mut announced, mut told): (Option<(SessionId, Duration)>, Option<Duration>) = (None, None);
    loop {
        match viewer.next().await {
            Came::Message(ViewMessage::Coming { sessions, .. }) => {
                announced = Some((sessions[0].session, since.elapsed()));
                viewer.subscribe(team.id, sessions[0].session).await;
            }
            Came::Message(ViewMessage::Rigs { rigs, .. }) => {
                let is_told = announced.is_some_and(|(session, _)| rigs[0].session == Some(session));
                told = told.or(is_told.then(|| since.elapsed()));
            }
            Came::Message(ViewMessage::Snapshot { .. }) => {
                let (Some((_, announced)), Some(told)) = (announced, told) else {
                    panic!("a snapshot before anything was said of its session: {announced:?} {told:?}")
                };
                return [announced, told, since.elapsed()];
            }
            Came::Message(ViewMessage::Refused { message, .. }) => panic!("{message}"),
            Came::Message(_) | Came::Binary(_) => {}
            Came::Closed(code) => panic!("closed with {code:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_held_back_comes_after_one_delay_also_when_another_session_begins() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let mut agent = rig.agent().await;
    agent.begin().await;
    agent.acknowledged(1).await;
    let share = json!({ "name": "us", "kind": "rig", "rig": rig.id, "delay_s": 3 });
    let guest = ours.guest(&ours.share(share).await).await;
    let mut viewer = guest.viewer().await;
    let opened = Instant::now();
    viewer.say(&ViewerMessage::Watch { team: ours.id }).await;
    let is_in_time = |[announced, told, shown]: [Duration; 3]| {
        assert!(announced < Duration::from_secs(2), "{announced:?}");
        assert!(told >= Duration::from_millis(2_900), "{told:?}");
        assert!((told..Duration::from_millis(5_500)).contains(&shown), "{told:?} {shown:?}");
    };
    is_in_time(shown_at(&mut viewer, &ours, opened).await);
    drop(agent);
    let mut next = rig.agent().await;
    let begun = Instant::now();
    next.begin().await;
    is_in_time(shown_at(&mut viewer, &ours, begun).await);
}

#[tokio::test]
async fn a_revoked_link_ends_at_once_for_everybody() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let secret = ours.share(json!({ "name": "us", "kind": "team", "delay_s": 60 })).await;
    let guest = ours.guest(&secret).await;
    let mut viewer = guest.viewer().await;
    // Its answer is held back: nothing comes before the end.
    viewer.say(&ViewerMessage::Watch { team: ours.id }).await;
    eventually("it watches", || async { (ours.get("/shares").await.json()[0]["watching"] == 1).then_some(()) }).await;
    let id = ours.get("/shares").await.json()[0]["id"].as_str().unwrap().to_owned();
    let revoked = Instant::now();
    assert_eq!(ours.delete(&format!("/shares/{id}")).await.status, 204);
    let mut reason = String::new();
    loop {
        match viewer.next().await {
            Came::Closed(code) => {
                assert_eq!(code, Some(1008));
                break;
            }
            Came::Message(ViewMessage::Goodbye { reason: why, .. }) => reason = why,
            Came::Message(ViewMessage::Hello { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(revoked.elapsed() < Duration::from_secs(5), "{:?}", revoked.elapsed());
    assert!(reason.contains("ended"), "{reason}");
    assert_eq!(guest.request("GET", "/api/shares/current", None).await.status, 401);
    assert_eq!(guest.try_viewer().await.err().map(|refused| refused.status), Some(401));
    assert_eq!(ours.open_share(&secret[..secret.len() - 1], None).await.status, 422, "misspelt is told apart");
    let message = async |secret: &str| {
        let refused = ours.open_share(secret, None).await;
        assert_eq!(refused.status, 404, "{}", refused.body);
        refused.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
    };
    let revoked = message(&secret).await;
    assert!(revoked.contains("revoked"), "{revoked}");
    // Whoever holds a link is told what became of it; who guesses one learns nothing.
    let other = ours.share(json!({ "name": "us", "kind": "team" })).await;
    let owner = app.owner_pool().await;
    for sql in [
        "alter table shares no force row level security",
        "update shares set expires_at = now() where revoked_at is null",
        "alter table shares force row level security",
    ] {
        sqlx::query(sql).execute(&owner).await.unwrap();
    }
    let expired = message(&other).await;
    assert!(expired.contains("expired"), "{expired}");
    let guessed = LinkSecret::random(LinkKind::Share).unwrap();
    let unknown = message(guessed.reveal()).await;
    assert!(unknown.contains("no such share link"), "{unknown}");
}

#[tokio::test]
async fn a_member_can_look_at_a_link_as_others_see_it() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let mut agent = rig.agent().await;
    agent.begin().await;
    agent.record(Record::Setup { at_s: 1.0, setup: some_setup() }).await;
    agent.lap(1).await;
    agent.acknowledged(3).await;
    let body = json!({ "name": "us", "kind": "session", "session": agent.session, "shows_history": true });
    let opened = ours.open_share(&ours.share(body).await, None).await;
    let both = Team { cookies: format!("{}; {}", ours.cookies, opened.cookies()), ..ours.clone() };
    let path = format!("/sessions/{}", agent.session);
    let setups = |answer: e2e::Answer| answer.json()["setups"].as_array().map(Vec::len);
    assert_eq!(setups(both.get(&path).await), Some(1));
    assert_eq!(setups(both.get(&format!("{path}?as=share")).await), Some(0));
    assert_eq!(ours.get(&format!("{path}?as=share")).await.status, 401, "without the link's cookie");
}

#[tokio::test]
async fn what_was_recorded_before_a_share_of_a_rig_is_not_shown_by_it() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let mut agent = rig.agent().await;
    agent.begin().await;
    agent.lap(1).await;
    agent.record(Record::Setup { at_s: 1.0, setup: some_setup() }).await;
    agent.acknowledged(3).await;
    let hash = ours.session(agent.session).await["setups"][0]["hash"].as_str().unwrap().to_owned();
    let (session, setup) = (format!("/sessions/{}", agent.session), format!("/setups/{hash}"));
    let shows = |kind: &str| json!({ "name": "us", "kind": kind, "shows_history": true, "shows_setup": true });
    let before = ours.guest(&ours.share(shows("team")).await).await;
    assert_eq!((before.get(&session).await.status, before.get(&setup).await.status), (404, 404));
    let mut of_session = shows("session");
    of_session["session"] = json!(agent.session);
    let guest = ours.guest(&ours.share(of_session.clone()).await).await;
    assert_eq!((guest.get(&session).await.status, guest.get(&setup).await.status), (200, 200));
    of_session["shows_setup"] = json!(false);
    let guest = ours.guest(&ours.share(of_session).await).await;
    assert_eq!(guest.get(&session).await.json()["setups"], json!([]), "not even which setups there are");
    assert_eq!(guest.get(&setup).await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_with_a_share_is_named() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    for (body, field) in [
        (json!({ "name": "", "kind": "team" }), "name"),
        (json!({ "name": "us", "kind": "rig" }), "kind"),
        (json!({ "name": "us", "kind": "team", "rig": rig.id }), "kind"),
        (json!({ "name": "us", "kind": "all" }), "kind"),
        (json!({ "name": "us", "kind": "team", "delay_s": 601 }), "delay_s"),
        (json!({ "name": "us", "kind": "team", "expires_in_h": 0 }), "expires_in_h"),
    ] {
        let refused = ours.post("/shares", body.clone()).await;
        assert_eq!((refused.status, refused.json()["error"]["field"].as_str()), (422, Some(field)), "{body}");
    }
}

#[tokio::test]
async fn a_key_asks_so_much_and_no_more() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let key = ours.key(&["read_history"]).await;
    let path = format!("/api/teams/{}/sessions", ours.id);
    let bearer = format!("Bearer {key}");
    let ask = async || app.request("GET", &path, &[("authorization", &bearer)], None).await;
    let answers: Vec<_> = futures_util::stream::iter(0..400).map(|_| ask()).buffered(50).collect().await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(answers.iter().all(|answer| [200, 429].contains(&answer.status)));
    assert!(!refused.is_empty() && refused.len() < 350, "{} of 400 refused", refused.len());
    assert!(refused.iter().all(|answer| answer.header("retry-after").is_some()));
    eventually("it may ask again", || async {
        (app.request("GET", &path, &[("authorization", &bearer)], None).await.status == 200).then_some(())
    })
    .await;
    let row = ours.get("/keys").await.json()[0].clone();
    assert!(
        row["last_used_at"].is_string() && row["last_used_from"].is_string() && row["public_id"].is_string(),
        "{row}"
    );
    assert!(!row.to_string().contains(&key[key.len() - 46..]));
    // Revoked: refused at once, whoever asks.
    let id = row["id"].as_str().unwrap();
    assert_eq!(ours.delete(&format!("/keys/{id}")).await.status, 204);
    eventually("the key is refused", || async {
        (app.request("GET", &path, &[("authorization", &bearer)], None).await.status == 401).then_some(())
    })
    .await;
}
