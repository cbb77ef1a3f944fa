//! Teams over their whole life: who comes in, who goes, who hands over, and what is left at the end.

#![expect(clippy::unwrap_used, reason = "what goes wrong here is the failure of a test")]

use e2e::{Came, Team, TestApp};
use onelap_protocol::viewer::{ViewMessage, ViewerMessage};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn accept(person: &Team, secret: &str) -> e2e::Answer {
    person.request("POST", "/api/invitations/accept", Some(json!({ "secret": secret }))).await
}

/// Runs SQL as the owner of the database, for one team.
async fn sql(app: &TestApp, team: &Team, text: &'static str) {
    let mut tx = app.owner_pool().await.begin().await.unwrap();
    let id = team.id.to_string();
    sqlx::query("select set_config('app.team', $1, true)").bind(&id).execute(&mut *tx).await.unwrap();
    sqlx::query(text).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn an_invitation_is_good_once_for_its_role() {
    let app = TestApp::spawn().await;
    let (ours, max, nina) = (app.team("ours").await, app.team("max").await, app.team("nina").await);
    let secret = ours.invitation("driver").await;
    let look = app
        .request("POST", "/api/invitations/look", &[("origin", "http://1lap.test")], Some(json!({ "secret": secret })))
        .await;
    assert_eq!((look.status, &look.json()["team_name"], &look.json()["role"]), (200, &json!("ours"), &json!("driver")));

    let joined = accept(&max, &secret).await;
    assert_eq!((joined.status, &joined.json()["role"]), (200, &json!("driver")));
    let again = accept(&nina, &secret).await;
    assert_eq!((again.status, again.code().as_str()), (409, "conflict"), "{}", again.message());
    assert!(again.message().contains("used"), "{}", again.message());

    let driver = max.within(ours.id);
    assert_eq!(driver.get("/sessions").await.status, 200);
    let refused = driver.post("/rigs", json!({ "name": "RIG_A" })).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden"));
    assert!(refused.message().contains("owner or engineer"), "{}", refused.message());
    assert_eq!(nina.within(ours.id).get("/sessions").await.status, 404);
    let twice = accept(&max, &ours.invitation("owner").await).await;
    assert_eq!((twice.status, twice.code().as_str()), (409, "conflict"), "{}", twice.message());
}

#[tokio::test]
async fn an_invitation_ends_when_it_is_revoked_or_old() {
    let app = TestApp::spawn().await;
    let (ours, max) = (app.team("ours").await, app.team("max").await);
    let (revoked, old) = (ours.invitation("viewer").await, ours.invitation("viewer").await);
    let listed = ours.get("/invitations").await.json();
    let first = listed[1]["id"].as_str().unwrap();
    assert_eq!(ours.delete(&format!("/invitations/{first}")).await.status, 204);
    let refused = accept(&max, &revoked).await;
    assert!(refused.status == 409 && refused.message().contains("revoked"), "{}", refused.body);
    sql(&app, &ours, "update invitations set expires_at = now() - interval '1 second'").await;
    let refused = accept(&max, &old).await;
    assert!(refused.status == 409 && refused.message().contains("expired"), "{}", refused.body);
    let states: Vec<Value> =
        ours.get("/invitations").await.json().as_array().unwrap().iter().map(|i| i["state"].clone()).collect();
    assert_eq!(states, ["expired", "revoked"]);
    let unknown = accept(&max, &format!("1lap_invite_{}", "a".repeat(46))).await;
    assert_eq!((unknown.status, &unknown.json()["error"]["field"]), (422, &json!("secret")), "misspelt");
}

#[tokio::test]
async fn one_that_was_sent_to_an_address_is_for_that_address() {
    let app = TestApp::spawn().await;
    let (ours, max, nina) = (app.team("ours").await, app.team("max").await, app.team("nina").await);
    let made = ours.post("/invitations", json!({ "role": "engineer", "email": "NINA@example.org" })).await;
    assert_eq!((made.status, &made.json()["link"]), (201, &Value::Null), "the link goes by mail alone");
    // What the letter would say: the test knows the secret by putting its own in place.
    let secret = ours.invitation("engineer").await;
    sql(&app, &ours, "update invitations a set email = 'NINA@example.org' where email is null").await;
    let refused = accept(&max, &secret).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden"));
    assert!(!refused.body.to_lowercase().contains("nina"), "whose it is, is not told");
    assert_eq!(accept(&nina, &secret).await.status, 200);
}

#[tokio::test]
async fn a_team_always_has_an_owner() {
    let app = TestApp::spawn().await;
    let (ours, max) = (app.team("ours").await, app.team("max").await);
    let (me, other) = (ours.user().await, max.user().await);
    let engineer = ours.take_in(&max, "engineer").await;
    assert_eq!(ours.post("/leave", json!({})).await.status, 409);
    assert_eq!(ours.put(&format!("/members/{me}"), json!({ "role": "viewer" })).await.status, 409);
    assert_eq!(ours.delete(&format!("/members/{me}")).await.status, 409);
    assert_eq!(engineer.post("/owner", json!({ "user": other })).await.status, 403);

    assert_eq!(ours.post("/owner", json!({ "user": other })).await.status, 204);
    assert_eq!(engineer.get("").await.json()["role"], "owner");
    assert_eq!(ours.get("").await.json()["role"], "engineer");
    assert_eq!(ours.put("", json!({ "name": "x" })).await.status, 403);
    assert_eq!(ours.post("/leave", json!({})).await.status, 204);
    assert_eq!(ours.get("").await.status, 404);
    let members = engineer.get("/members").await.json();
    assert_eq!(members.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn two_owners_who_leave_at_the_same_moment_do_not_both_leave() {
    let app = TestApp::spawn().await;
    let (ours, max) = (app.team("ours").await, app.team("max").await);
    let other = ours.take_in(&max, "owner").await;
    let (one, two) = tokio::join!(ours.post("/leave", json!({})), other.post("/leave", json!({})));
    let mut both = [one.status, two.status];
    both.sort_unstable();
    assert_eq!(both, [204, 409]);
}

#[tokio::test]
async fn addresses_are_for_those_who_manage_members() {
    let app = TestApp::spawn().await;
    let (ours, max) = (app.team("ours").await, app.team("max").await);
    let viewer = ours.take_in(&max, "viewer").await;
    assert_eq!(ours.get("/members").await.json()[1]["email"], "max@example.org");
    let seen = viewer.get("/members").await;
    assert!(seen.body.contains("\"max\"") && !seen.body.contains("@example.org"), "{}", seen.body);
    let may = viewer.get("").await.json()["may"].clone();
    assert!(may.as_array().unwrap().contains(&json!("see_live")) && !may.to_string().contains("manage"), "{may}");
}

/// Waits for the end of a socket; how long it took.
async fn closed(viewer: &mut e2e::RawViewer, since: Instant) -> (Duration, Option<u16>, String) {
    let mut reason = String::new();
    loop {
        match viewer.next().await {
            Came::Closed(code) => return (since.elapsed(), code, reason),
            Came::Message(ViewMessage::Goodbye { reason: why, .. }) => reason = why,
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_member_who_is_removed_sees_nothing_more_within_seconds() {
    let app = TestApp::spawn().await;
    let (ours, max, nina) = (app.team("ours").await, app.team("max").await, app.team("nina").await);
    let (engineer, other) = (ours.take_in(&max, "engineer").await, ours.take_in(&nina, "viewer").await);
    let rig = ours.rig("RIG_A").await;
    let mut agent = rig.agent().await;
    agent.begin().await;
    agent.acknowledged(1).await;
    let mut leaves = engineer.viewer().await;
    let mut stays = other.viewer().await;
    for viewer in [&mut leaves, &mut stays] {
        viewer.say(&ViewerMessage::Watch { team: ours.id }).await;
        viewer.until(|m| matches!(m, ViewMessage::Rigs { .. }).then_some(())).await;
        viewer.subscribe(ours.id, agent.session).await;
        viewer.until(|m| matches!(m, ViewMessage::Snapshot { .. }).then_some(())).await;
    }
    let (secret, invited) =
        (engineer.share(json!({ "name": "us", "kind": "team" })).await, engineer.key(&["read_live"]).await);
    let guest = ours.guest(&secret).await;
    let mut watching = guest.viewer().await;
    watching.say(&ViewerMessage::Watch { team: ours.id }).await;
    watching.until(|m| matches!(m, ViewMessage::Rigs { .. }).then_some(())).await;

    let user = max.user().await;
    let removed = Instant::now();
    assert_eq!(ours.delete(&format!("/members/{user}")).await.status, 204);
    let (took, code, reason) = closed(&mut leaves, removed).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(code, Some(1008));
    assert!(reason.contains("no longer"), "{reason}");
    // What they gave others has ended with them.
    let (took, code, _) = closed(&mut watching, removed).await;
    assert!(took < Duration::from_secs(5) && code == Some(1008), "{took:?} {code:?}");
    assert_eq!(ours.open_share(&secret, None).await.status, 404);
    let bearer = format!("Bearer {invited}");
    let asked =
        app.request("GET", &format!("/api/teams/{}/sessions", ours.id), &[("authorization", &bearer)], None).await;
    assert_eq!(asked.status, 401);
    // Nobody else notices.
    agent.batch(1, 200.0).await;
    stays.next_batch().await;
}

#[tokio::test]
async fn an_account_that_is_deleted_leaves_nothing_open() {
    let app = TestApp::spawn().await;
    let (ours, max) = (app.team("ours").await, app.team("max").await);
    let engineer = ours.take_in(&max, "engineer").await;
    let secret = engineer.share(json!({ "name": "us", "kind": "team" })).await;
    let mut watching = ours.guest(&secret).await.viewer().await;
    watching.say(&ViewerMessage::Watch { team: ours.id }).await;
    watching.until(|m| matches!(m, ViewMessage::Rigs { .. }).then_some(())).await;
    let user = max.user().await;
    let sure = json!({ "password": "correct horse battery" });
    let alone = max.request("POST", "/api/me/delete", Some(sure.clone())).await;
    assert_eq!(alone.status, 409, "{}", alone.body);
    assert_eq!(ours.open_share(&secret, None).await.status, 200, "nothing has ended yet");
    assert_eq!(max.request("POST", &format!("/api/teams/{}/deletion", max.id), None).await.status, 200);
    sql(&app, &max, "update teams set delete_after = now() - interval '1 minute' where id = app_team()").await;
    assert_eq!(onelap_service::teams::purge_due(&app.state().db).await.unwrap(), 1);

    let deleted = Instant::now();
    assert_eq!(max.request("POST", "/api/me/delete", Some(sure)).await.status, 204);
    let (took, code, _) = closed(&mut watching, deleted).await;
    assert!(took < Duration::from_secs(5) && code == Some(1008), "{took:?} {code:?}");
    assert_eq!(ours.open_share(&secret, None).await.status, 404);
    let log = ours.get("/audit?action=member.left").await.json();
    assert_eq!(log["entries"][0]["actor_id"], json!(user), "{log}");
    assert_eq!(log["entries"][0]["detail"]["ended"]["shares"], 1, "{log}");
}

#[tokio::test]
async fn a_token_that_is_revoked_or_has_expired_ends_its_connection() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let mut agent = rig.agent().await;
    // As another instance would have done it: the hub of this one is told by the database alone.
    sql(&app, &ours, "update rig_tokens set expires_at = now() - interval '1 second'").await;
    let (code, _, fatal) = agent.error().await;
    assert!(fatal && code == onelap_protocol::ErrorCode::TokenRevoked, "{code:?}");
    let headers = [("authorization", format!("Bearer {}", rig.token))];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let refused = app.request("GET", "/api/agent/whoami", &headers, None).await;
    assert!(refused.status == 401 && refused.message().contains("expired"), "{}", refused.body);
}

#[tokio::test]
async fn a_token_is_rotated_with_an_overlap() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let path = format!("/rigs/{}/tokens/{}/rotate", rig.id, rig.token_id);
    let made = ours.post(&path, json!({ "overlap_h": 2 })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let whoami = async |token: &str| {
        app.request("GET", "/api/agent/whoami", &[("authorization", &format!("Bearer {token}"))], None).await.status
    };
    assert_eq!(whoami(made.json()["token"].as_str().unwrap()).await, 200);
    assert_eq!(whoami(&rig.token).await, 200, "the old one goes on for a while");
    let tokens = ours.get("/rigs").await.json()[0]["tokens"].clone();
    assert!(tokens[0]["expires_at"].is_null() && tokens[1]["expires_at"].is_string(), "{tokens}");
    assert!(tokens[1]["last_used_from"].is_string(), "{tokens}");
    sql(&app, &ours, "update rig_tokens set expires_at = now() - interval '1 second' where expires_at is not null")
        .await;
    assert_eq!((whoami(&rig.token).await, whoami(made.json()["token"].as_str().unwrap()).await), (401, 200));
    assert_eq!(ours.post(&path, json!({})).await.status, 404, "one that has ended is not rotated");
    let now = ours
        .post(&path.replace(&rig.token_id.to_string(), tokens[0]["id"].as_str().unwrap()), json!({ "overlap_h": 999 }))
        .await;
    assert_eq!((now.status, &now.json()["error"]["field"]), (422, &json!("overlap_h")));
}

#[tokio::test]
async fn a_deleted_team_can_be_kept_after_all_and_is_purged_otherwise() {
    let app = TestApp::spawn().await;
    let (ours, theirs) = (app.team("ours").await, app.team("theirs").await);
    let rig = ours.rig("RIG_A").await;
    let mut agent = rig.agent().await;
    agent.begin().await;
    agent.batch(1, 200.0).await;
    agent.lap(1).await;
    agent.acknowledged(3).await;
    let db = &app.state().db;

    let asked = ours.post("/deletion", json!({})).await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    let at = asked.json()["delete_after"].clone();
    assert_eq!(ours.request("GET", "/api/me", None).await.json()["teams"][0]["delete_after"], at);
    assert_eq!(ours.post("/deletion", json!({})).await.json()["delete_after"], at, "asking again changes nothing");
    assert_eq!(onelap_service::teams::purge_due(db).await.unwrap(), 0, "not yet");
    assert_eq!(ours.delete("/deletion").await.status, 204);
    sql(&app, &ours, "update teams set delete_after = now() - interval '1 second' where delete_after is not null")
        .await;
    assert_eq!(onelap_service::teams::purge_due(db).await.unwrap(), 0, "it was taken back");

    let mut viewer = ours.viewer().await;
    viewer.say(&ViewerMessage::Watch { team: ours.id }).await;
    viewer.until(|m| matches!(m, ViewMessage::Rigs { .. }).then_some(())).await;
    ours.post("/deletion", json!({})).await;
    sql(&app, &ours, "update teams set delete_after = now() - interval '1 second'").await;
    // As two instances at the same moment would do it.
    let (one, two) = tokio::join!(onelap_service::teams::purge_due(db), onelap_service::teams::purge_due(db));
    assert_eq!(one.unwrap() + two.unwrap(), 1);
    assert_eq!(ours.get("").await.status, 404);
    assert_eq!(ours.request("GET", "/api/me", None).await.json()["teams"], json!([]));
    assert_eq!(theirs.get("").await.status, 200);
    let (took, code, _) = closed(&mut viewer, Instant::now()).await;
    assert!(took < Duration::from_secs(5) && code == Some(1008), "{took:?} {code:?}");
    let mut tx = app.owner_pool().await.begin().await.unwrap();
    let id = ours.id.to_string();
    sqlx::query("select set_config('app.team', $1, true)").bind(&id).execute(&mut *tx).await.unwrap();
    for table in ["sessions", "laps", "chunks", "rigs", "rig_tokens", "audit_log", "team_members"] {
        let count = format!("select count(*) from {table}");
        let left: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&mut *tx).await.unwrap();
        assert_eq!(left, 0, "{table}");
    }
}

#[tokio::test]
async fn an_export_has_everything_and_no_secret() {
    let app = TestApp::spawn().await;
    let (ours, theirs) = (app.team("ours").await, app.team("theirs").await);
    let rig = ours.rig("RIG_A").await;
    theirs.rig("NOT_OURS").await;
    let secrets = [
        ours.invitation("viewer").await,
        ours.share(json!({ "name": "us", "kind": "rig", "rig": rig.id, "password": "correct horse battery" })).await,
        ours.key(&["read_history"]).await,
        rig.token.clone(),
    ];
    let mut agent = rig.agent().await;
    agent.begin().await;
    agent.batch(1, 200.0).await;
    agent.lap(1).await;
    agent.acknowledged(3).await;

    let export = ours.get("/export").await;
    assert_eq!(export.status, 200, "{}", export.body);
    let lines: Vec<Value> = export.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |table: &str| lines.iter().filter(|line| line["table"] == table).count();
    for table in [
        "teams",
        "people",
        "team_members",
        "rigs",
        "rig_tokens",
        "sessions",
        "laps",
        "stints",
        "invitations",
        "shares",
        "api_keys",
    ] {
        assert_eq!(of(table), 1, "{table}");
    }
    assert!(of("chunks") >= 1 && of("audit_log") >= 4);
    let end = lines.last().unwrap();
    assert_eq!((&end["table"], &end["rows"]), (&json!("end"), &json!(lines.len() - 1)));
    assert!(!export.body.contains("NOT_OURS"));
    assert!(!export.body.contains("_hash\":\"\\\\x") && !export.body.contains("argon2"), "no hash of a secret");
    for secret in secrets {
        assert!(!export.body.contains(&secret[secret.len() - 30..]));
    }
}
