//! Pairing by code: what the agent is told, and who may decide.

#![expect(clippy::unwrap_used, reason = "what goes wrong here is the failure of a test")]

use e2e::{Answer, TestApp};
use serde_json::{Value, json};

async fn begin(app: &TestApp) -> (String, String) {
    let begun = app.request("POST", "/api/pair/device", &[], Some(json!({ "name": "SIM-PC" }))).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    let codes = begun.json();
    assert_eq!((&codes["interval"], &codes["expires_in"]), (&json!(5), &json!(600)));
    assert_eq!(codes["verification_uri"], "http://1lap.test/pair");
    let text = |name: &str| codes[name].as_str().unwrap().to_owned();
    assert_eq!(text("verification_uri_complete"), format!("http://1lap.test/pair#{}", text("user_code")));
    (text("device_code"), text("user_code"))
}

async fn ask(app: &TestApp, device_code: &str) -> Answer {
    app.request("POST", "/api/pair/token", &[], Some(json!({ "device_code": device_code }))).await
}

/// Time for the agent to ask again.
async fn wait_a_turn(app: &TestApp) {
    let owner = app.owner_pool().await;
    // The owner is bound by row-level security, too: it lifts that for a moment.
    for sql in [
        "alter table pairings no force row level security",
        "update pairings set polled_at = polled_at - interval '1 minute'",
        "alter table pairings force row level security",
    ] {
        sqlx::query(sql).execute(&owner).await.unwrap();
    }
}

fn error(answer: &Answer) -> String {
    assert_eq!(answer.status, 400, "{}", answer.body);
    answer.json()["error"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_approved_agent_gets_its_token_once() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let (device, code) = begin(&app).await;
    assert_eq!(error(&ask(&app, &device).await), "authorization_pending");
    let early = ask(&app, &device).await;
    assert_eq!((error(&early).as_str(), &early.json()["interval"]), ("slow_down", &json!(10)));

    let look = ours.post("/pairings/look", json!({ "user_code": code.to_lowercase().replace('-', "") })).await;
    assert_eq!((look.status, &look.json()["name"]), (200, &json!("SIM-PC")), "{}", look.body);
    let approved = ours.post("/pairings/approve", json!({ "user_code": code, "rig_name": "RIG_A" })).await;
    assert_eq!(approved.status, 200, "{}", approved.body);
    let again = ours.post("/pairings/approve", json!({ "user_code": code, "rig_name": "RIG_B" })).await;
    assert_eq!(again.status, 404, "a code is good once");

    wait_a_turn(&app).await;
    let (one, two) = tokio::join!(ask(&app, &device), ask(&app, &device));
    let (given, other) = if one.status == 200 { (one, two) } else { (two, one) };
    assert_eq!(given.status, 200, "{}", given.body);
    assert_ne!(other.status, 200, "a token is given once");
    let paired = given.json();
    assert_eq!(
        (&paired["team_name"], &paired["rig_name"], &paired["rig"]),
        (&json!("ours"), &json!("RIG_A"), &approved.json()["rig"])
    );
    let bearer = format!("Bearer {}", paired["token"].as_str().unwrap());
    assert_eq!(app.request("GET", "/api/agent/whoami", &[("authorization", &bearer)], None).await.status, 200);
    assert_eq!(error(&ask(&app, &device).await), "expired_token");
    let actions: Vec<Value> =
        ours.get("/audit").await.json()["entries"].as_array().unwrap().iter().map(|e| e["action"].clone()).collect();
    assert_eq!(actions[..3], ["token.made", "pairing.approved", "rig.added"]);
}

#[tokio::test]
async fn a_denied_agent_is_told_so() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let (device, code) = begin(&app).await;
    assert_eq!(ours.post("/pairings/deny", json!({ "user_code": code })).await.status, 204);
    assert_eq!(error(&ask(&app, &device).await), "access_denied");
    assert_eq!(ours.get("/rigs").await.json(), json!([]));
}

#[tokio::test]
async fn an_approval_is_worth_what_its_maker_may_do() {
    let app = TestApp::spawn().await;
    let (ours, max) = (app.team("ours").await, app.team("max").await);
    let engineer = ours.take_in(&max, "engineer").await;
    let (device, code) = begin(&app).await;
    assert_eq!(engineer.post("/pairings/approve", json!({ "user_code": code, "rig_name": "RIG_A" })).await.status, 200);
    let user = max.user().await;
    assert_eq!(ours.put(&format!("/members/{user}"), json!({ "role": "driver" })).await.status, 204);
    assert_eq!(error(&ask(&app, &device).await), "access_denied");
    assert_eq!(ours.get("/rigs").await.json()[0]["tokens"], json!([]));
}

#[tokio::test]
async fn codes_end_and_other_text_is_none() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let (device, code) = begin(&app).await;
    let owner = app.owner_pool().await;
    for sql in [
        "alter table pairings no force row level security",
        "update pairings set expires_at = now() - interval '2 hours'",
        "alter table pairings force row level security",
    ] {
        sqlx::query(sql).execute(&owner).await.unwrap();
    }
    assert_eq!(error(&ask(&app, &device).await), "expired_token");
    assert_eq!(ours.post("/pairings/look", json!({ "user_code": code })).await.status, 404);
    assert_eq!(error(&ask(&app, "x").await), "expired_token");
    let wrong = ours.post("/pairings/look", json!({ "user_code": "AEIO-UUUU" })).await;
    assert_eq!((wrong.status, &wrong.json()["error"]["field"]), (422, &json!("user_code")));
    // What has long ended is forgotten.
    onelap_service::teams::purge_due(&app.state().db).await.unwrap();
    sqlx::query("alter table pairings no force row level security").execute(&owner).await.unwrap();
    let left: i64 = sqlx::query_scalar("select count(*) from pairings").fetch_one(&owner).await.unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn guessing_codes_and_asking_for_many_is_slowed_down() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut statuses = Vec::new();
    for _ in 0..21 {
        statuses.push(ours.post("/pairings/look", json!({ "user_code": "BCDF-GHJK" })).await.status);
    }
    assert_eq!((statuses[0], statuses[20]), (404, 429));
    let mut last = 0;
    for _ in 0..21 {
        last = app.request("POST", "/api/pair/device", &[], Some(json!({ "name": "SIM-PC" }))).await.status;
    }
    assert_eq!(last, 429);
}
