//! The audit log of a team, and operators, who cannot touch a team without leaving an entry in it.

#![expect(clippy::unwrap_used, reason = "what goes wrong here is the failure of a test")]

use e2e::world::{OPERATOR, operator_setting};
use e2e::{Answer, Team, TestApp};
use onelap_protocol::viewer::{ViewMessage, ViewerMessage};
use serde_json::{Value, json};

async fn entries(team: &Team, query: &str) -> Vec<Value> {
    let answer = team.get(&format!("/audit{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["entries"].as_array().unwrap().clone()
}

fn actions(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["action"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn who_did_what_to_whom_from_where_and_when() {
    let app = TestApp::spawn_with(&[("CLIENT_IP_HEADER", "x-client-ip")]).await;
    let (ours, max) = (app.team("ours").await, app.team("max").await);
    let driver = ours.take_in(&max, "driver").await;
    let user = max.user().await;
    let headers = [("cookie", ours.cookies.as_str()), ("origin", "http://1lap.test"), ("x-client-ip", "203.0.113.7")];
    let path = format!("/api/teams/{}/members/{user}", ours.id);
    let answer = app.request("PUT", &path, &headers, Some(json!({ "role": "engineer" }))).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
    driver.rig("RIG_A").await;

    let all = entries(&ours, "").await;
    let done = ["token.made", "rig.added", "member.role_changed", "member.joined", "member.invited", "team.founded"];
    assert_eq!(actions(&all), done);
    let changed = &all[2];
    assert_eq!((&changed["actor_kind"], &changed["actor_name"]), (&json!("person"), &json!("ours")));
    assert_eq!((&changed["subject_id"], &changed["subject_name"]), (&json!(user), &json!("max")));
    assert_eq!((&changed["detail"]["from"], &changed["detail"]["to"]), (&json!("driver"), &json!("engineer")));
    assert_eq!(changed["address"], "203.0.113.7");
    assert_eq!(Some(changed["trace"].as_str().unwrap()), answer.header("x-trace-id"));

    let by_max = entries(&ours, &format!("?actor={user}")).await;
    assert_eq!(actions(&by_max), ["token.made", "rig.added", "member.joined"]);
    assert_eq!(entries(&ours, "?action=member.joined").await.len(), 1);
    let at = all[2]["at"].as_str().unwrap();
    assert_eq!(entries(&ours, &format!("?from={at}")).await.len(), 3);
    assert_eq!(entries(&ours, &format!("?to={at}")).await.len(), 3);
    let first = ours.get("/audit?limit=2").await.json();
    let second = entries(&ours, &format!("?limit=5&before={}", first["next"].as_str().unwrap())).await;
    assert_eq!(second, all[2..]);
    for (query, field) in [
        ("?action=x", "action"),
        ("?from=now", "from"),
        ("?actor=me", "actor"),
        ("?limit=0", "limit"),
        ("?before=x", "before"),
    ] {
        let refused = ours.get(&format!("/audit{query}")).await;
        assert_eq!((refused.status, refused.json()["error"]["field"].as_str()), (422, Some(field)), "{query}");
    }
    assert_eq!(driver.get("/audit").await.status, 403);
}

#[tokio::test]
async fn an_entry_names_what_it_is_about() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    ours.key(&["read_live"]).await;
    ours.share(json!({ "name": "for the stream", "kind": "team" })).await;
    ours.post("/invitations", json!({ "role": "viewer", "email": "max@team.example" })).await;
    ours.invitation("driver").await;
    let all = entries(&ours, "").await;
    let names: Vec<(&str, Option<&str>)> =
        all.iter().map(|e| (e["action"].as_str().unwrap(), e["subject_name"].as_str())).collect();
    let told = [
        ("member.invited", None),
        ("member.invited", Some("max@team.example")),
        ("share.made", Some("for the stream")),
        ("api_key.made", Some("tool")),
        ("token.made", Some("RIG_A")),
        ("rig.added", Some("RIG_A")),
        ("team.founded", None),
    ];
    assert_eq!(names, told);

    assert_eq!(ours.delete(&format!("/rigs/{}", rig.id)).await.status, 204);
    let deleted = &entries(&ours, "?action=rig.deleted").await[0];
    assert_eq!((&deleted["subject_name"], &deleted["detail"]["name"]), (&Value::Null, &json!("RIG_A")));
}

#[tokio::test]
async fn the_log_can_be_taken_along() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    ours.rig("=cmd|' /C calc'!A0").await;
    let lines = ours.get("/audit/export").await;
    assert_eq!((lines.status, lines.header("content-type")), (200, Some("application/x-ndjson")));
    let first: Value = serde_json::from_str(lines.body.lines().next().unwrap()).unwrap();
    assert_eq!(first["action"], "audit.exported", "the export itself is in it");
    assert_eq!(lines.body.lines().count(), 4);
    let csv = ours.get("/audit/export?format=csv&action=rig.added").await;
    assert!(csv.header("content-disposition").unwrap().contains("audit.csv"));
    let rows: Vec<&str> = csv.body.split("\r\n").collect();
    assert!(rows[0].starts_with("at,actor_kind,") && rows[1].contains(",rig.added,"), "{}", csv.body);
    assert_eq!(rows.len(), 3, "a head, a row, and the end of the last line");
    assert_eq!(ours.get("/audit/export?format=xml").await.status, 422);
}

#[tokio::test]
async fn what_did_not_happen_is_not_in_the_log() {
    let app = TestApp::spawn().await;
    let (ours, max) = (app.team("ours").await, app.team("max").await);
    let viewer = ours.take_in(&max, "viewer").await;
    let before = entries(&ours, "").await.len();
    assert_eq!(viewer.post("/rigs", json!({ "name": "x" })).await.status, 403);
    assert_eq!(ours.post("/leave", json!({})).await.status, 409);
    ours.rig("RIG_A").await;
    assert_eq!(ours.post("/rigs", json!({ "name": "rig_a" })).await.status, 409);
    assert_eq!(entries(&ours, "").await.len(), before + 2);
}

async fn operator(app: &TestApp, method: &str, path: &str, body: Option<Value>) -> Answer {
    let bearer = format!("Bearer {OPERATOR}");
    app.request(method, &format!("/api/operator{path}"), &[("authorization", &bearer)], body).await
}

#[tokio::test]
async fn an_operator_sees_counts_and_leaves_a_trace() {
    let app = TestApp::spawn_with(&[("OPERATOR_TOKEN_SHA256", &operator_setting())]).await;
    let (ours, theirs) = (app.team("ours").await, app.team("theirs").await);
    ours.rig("RIG_A").await;
    let teams = operator(&app, "GET", "/teams", None).await.json();
    let names: Vec<&str> =
        teams["teams"].as_array().unwrap().iter().map(|team| team["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ours", "theirs"]);
    let counts = operator(&app, "GET", &format!("/teams/{}", ours.id), None).await.json();
    assert_eq!((&counts["members"], &counts["rigs"], &counts["sessions"]), (&json!(1), &json!(1), &json!(0)));
    let seen = entries(&ours, "").await;
    assert_eq!((&seen[0]["action"], &seen[0]["actor_kind"]), (&json!("team.looked_at"), &json!("operator")));
    assert_eq!(actions(&entries(&theirs, "").await), ["team.founded"], "only what was looked at");
    // No route of an operator shows anything that a team recorded.
    for route in e2e::world::routes().into_iter().filter(|route| route.path.starts_with("/api/operator")) {
        assert!(!route.path.contains("session") && !route.path.contains("setup"), "{route}");
    }
}

#[tokio::test]
async fn a_disabled_team_is_told_so_and_can_do_nothing() {
    let app = TestApp::spawn_with(&[("OPERATOR_TOKEN_SHA256", &operator_setting())]).await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let guest = ours.guest(&ours.share(json!({ "name": "us", "kind": "team" })).await).await;
    let key = ours.key(&["read_history"]).await;
    let invitation = ours.invitation("viewer").await;
    let mut agent = rig.agent().await;
    let mut viewer = ours.viewer().await;
    viewer.say(&ViewerMessage::Watch { team: ours.id }).await;
    viewer.until(|m| matches!(m, ViewMessage::Rigs { .. }).then_some(())).await;

    let path = format!("/teams/{}", ours.id);
    let no_reason = operator(&app, "POST", &format!("{path}/disable"), Some(json!({ "reason": " " }))).await;
    assert_eq!(no_reason.status, 422);
    let done = operator(&app, "POST", &format!("{path}/disable"), Some(json!({ "reason": "unpaid since May" }))).await;
    assert_eq!(done.status, 204, "{}", done.body);

    let refused = ours.get("/sessions").await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden"));
    assert!(
        refused.message().contains("disabled") && refused.message().contains("unpaid since May"),
        "{}",
        refused.message()
    );
    assert_eq!(ours.request("GET", "/api/me", None).await.json()["teams"][0]["disabled"], "unpaid since May");
    let bearer = |token: &str| format!("Bearer {token}");
    let whoami = app.request("GET", "/api/agent/whoami", &[("authorization", &bearer(&rig.token))], None).await;
    assert!(whoami.status == 403 && whoami.message().contains("unpaid"), "{}", whoami.body);
    let sessions = format!("/api/teams/{}/sessions", ours.id);
    let tool = app.request("GET", &sessions, &[("authorization", &bearer(&key))], None).await;
    assert_eq!(tool.status, 403, "{}", tool.body);
    assert_eq!(guest.request("GET", "/api/shares/current", None).await.status, 401);
    let max = app.team("max").await;
    let join = max.request("POST", "/api/invitations/accept", Some(json!({ "secret": invitation }))).await;
    assert_eq!(join.status, 403, "{}", join.body);
    // Sockets that were open end.
    let (_, _, fatal) = agent.error().await;
    assert!(fatal);
    let why = viewer.until(|m| if let ViewMessage::Goodbye { reason, .. } = m { Some(reason) } else { None }).await;
    assert!(why.contains("unpaid"), "{why}");

    let done = operator(&app, "POST", &format!("{path}/enable"), Some(json!({ "reason": "paid" }))).await;
    assert_eq!(done.status, 204);
    let all = entries(&ours, "?limit=2").await;
    assert_eq!(actions(&all), ["team.enabled", "team.disabled"]);
    assert_eq!(all[1]["detail"]["reason"], "unpaid since May");
    assert_eq!(rig.agent().await.sequence, 0, "the rig may connect again");
}

#[tokio::test]
async fn without_a_token_there_are_no_operators() {
    let app = TestApp::spawn().await;
    assert_eq!(operator(&app, "GET", "/teams", None).await.status, 404);
}
