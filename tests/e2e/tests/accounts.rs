//! Signing up, logging in and out, teams, rigs and their tokens, as a browser and an agent see them.

use e2e::{Answer, Team, TestApp, eventually};
use serde_json::{Value, json};
use sqlx::PgPool;

const ORIGIN: &str = "http://1lap.test";

/// An error's body without the one thing that differs from request to request.
fn error_without_trace(answer: &Answer) -> Value {
    let mut body = answer.json();
    let trace = body["error"].as_object_mut().and_then(|error| error.remove("trace")).unwrap_or_default();
    assert_eq!(trace.as_str().map(str::len), Some(32), "a trace id in {body}");
    body
}

async fn post(app: &TestApp, path: &str, cookies: &str, body: Option<Value>) -> Answer {
    app.request("POST", path, &[("origin", ORIGIN), ("cookie", cookies)], body).await
}

fn person(email: &str) -> Value {
    json!({ "email": email, "password": "correct horse battery", "name": "Lena", "team_name": "Ours" })
}

async fn log_in(app: &TestApp, email: &str, password: &str) -> Answer {
    post(app, "/api/auth/login", "", Some(json!({ "email": email, "password": password }))).await
}

async fn who(app: &TestApp, cookies: &str) -> Answer {
    app.request("GET", "/api/me", &[("cookie", cookies)], None).await
}

#[tokio::test]
async fn signing_up_makes_an_account_and_a_team_and_logs_in() {
    let app = TestApp::spawn().await;
    let made = post(&app, "/api/auth/signup", "", Some(person(" Lena@Example.org "))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let me = made.json();
    assert_eq!(me["user"]["email"], "Lena@Example.org");
    assert_eq!(me["teams"][0]["name"], "Ours");
    assert_eq!(me["teams"][0]["role"], "owner");
    assert_eq!(who(&app, &made.cookies()).await.json(), me);

    let again = log_in(&app, "lena@example.ORG", "correct horse battery").await;
    assert_eq!((again.status, again.json()), (200, me), "an address is the same in any case");
}

#[tokio::test]
async fn cookies_are_out_of_reach_of_scripts_and_other_sites() {
    let app = TestApp::spawn().await;
    let made = post(&app, "/api/auth/signup", "", Some(person("lena@example.org"))).await;
    let set: Vec<&str> = made.headers.iter().filter(|(n, _)| n == "set-cookie").map(|(_, v)| v.as_str()).collect();
    assert_eq!(set.len(), 2);
    assert!(set.iter().all(|cookie| cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax")), "{set:?}");
    assert!(set[0].starts_with("onelap_access=") && set[0].contains("Path=/;"), "{set:?}");
    assert!(set[1].starts_with("onelap_refresh=") && set[1].contains("Path=/api/auth;"), "{set:?}");

    let app = TestApp::spawn_with(&[("PUBLIC_URL", "https://1lap.test")]).await;
    let headers = [("origin", "https://1lap.test")];
    let made = app.request("POST", "/api/auth/signup", &headers, Some(person("lena@example.org"))).await;
    let set: Vec<&str> = made.headers.iter().filter(|(n, _)| n == "set-cookie").map(|(_, v)| v.as_str()).collect();
    assert!(set.iter().all(|cookie| cookie.contains("Secure")), "{set:?}");
    assert!(set[0].starts_with("__Host-onelap_access=") && set[1].starts_with("__Secure-onelap_refresh="), "{set:?}");
    assert!(made.header("strict-transport-security").is_some());
    assert_eq!(who(&app, &made.cookies()).await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_with_a_sign_up_is_named() {
    let app = TestApp::spawn().await;
    post(&app, "/api/auth/signup", "", Some(person("taken@example.org"))).await;
    let with = |field: &str, value: Value| {
        let mut body = person("lena@example.org");
        body[field] = value;
        body
    };
    let without = |field: &str| {
        let mut body = person("lena@example.org");
        body.as_object_mut().unwrap().remove(field);
        body
    };
    for (body, status, code, field) in [
        (with("email", json!("lena")), 422, "invalid", "email"),
        (with("email", json!("TAKEN@example.org")), 409, "conflict", "email"),
        (with("email", json!(7)), 422, "invalid", "email"),
        (with("password", json!("too short")), 422, "invalid", "password"),
        (with("password", json!("password123")), 422, "invalid", "password"),
        (with("password", json!("Lena@example.org")), 422, "invalid", "password"),
        (with("name", json!("  ")), 422, "invalid", "name"),
        (with("team_name", json!("x".repeat(65))), 422, "invalid", "team_name"),
        (with("emial", json!("x")), 422, "invalid", "emial"),
        (without("password"), 422, "invalid", "password"),
    ] {
        let answer = post(&app, "/api/auth/signup", "", Some(body.clone())).await;
        let error = &answer.json()["error"];
        assert_eq!((answer.status, error["code"].as_str(), error["field"].as_str()), (status, Some(code), Some(field)));
        assert!(answer.cookies().is_empty(), "{body}");
    }
    let short = post(&app, "/api/auth/signup", "", Some(with("password", json!("short")))).await;
    assert!(short.message().contains("at least 10 characters"), "{}", short.message());
}

#[tokio::test]
async fn a_body_that_is_not_json_or_too_large_is_refused() {
    let app = TestApp::spawn().await;
    let no_body = app.request("POST", "/api/auth/login", &[("origin", ORIGIN)], None).await;
    assert_eq!((no_body.status, no_body.code().as_str()), (400, "malformed"));
    assert!(no_body.message().contains("application/json"), "{}", no_body.message());
    let headers = [("origin", ORIGIN), ("content-type", "application/json")];
    let empty = app.request("POST", "/api/auth/login", &headers, None).await;
    assert_eq!((empty.status, empty.code().as_str()), (400, "malformed"));
    let large = log_in(&app, "lena@example.org", &"x".repeat(70_000)).await;
    assert_eq!((large.status, large.code().as_str()), (413, "too_large"));
    assert!(large.message().contains("65536"), "{}", large.message());
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_look_the_same() {
    let app = TestApp::spawn().await;
    post(&app, "/api/auth/signup", "", Some(person("lena@example.org"))).await;
    let wrong = log_in(&app, "lena@example.org", "correct horse batterx").await;
    let unknown = log_in(&app, "nobody@example.org", "correct horse battery").await;
    assert_eq!((wrong.status, wrong.code().as_str()), (401, "unauthenticated"));
    assert_eq!(unknown.status, 401);
    assert_eq!(error_without_trace(&wrong), error_without_trace(&unknown));
    assert!(wrong.cookies().is_empty() && unknown.cookies().is_empty());
}

#[tokio::test]
async fn guessing_is_slowed_down_for_one_account_and_not_for_others() {
    let app = TestApp::spawn_with(&[("FAILED_LOGINS_PER_ACCOUNT", "3")]).await;
    for email in ["lena@example.org", "max@example.org"] {
        post(&app, "/api/auth/signup", "", Some(person(email))).await;
    }
    for _ in 0..5 {
        assert_eq!(log_in(&app, "max@example.org", "correct horse battery").await.status, 200, "no failure, no count");
    }
    for _ in 0..3 {
        assert_eq!(log_in(&app, "lena@example.org", "a wrong guess").await.status, 401);
    }
    let refused = log_in(&app, "LENA@example.org", "correct horse battery").await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limited"));
    let wait: u64 = refused.header("retry-after").expect("when to come back").parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(log_in(&app, "max@example.org", "correct horse battery").await.status, 200);
}

#[tokio::test]
async fn sign_ups_from_one_address_are_slowed_down() {
    let app = TestApp::spawn_with(&[("SIGNUPS_PER_ADDRESS", "2"), ("CLIENT_IP_HEADER", "x-client-ip")]).await;
    let from = async |address: &str, email: &str| {
        let headers = [("origin", ORIGIN), ("x-client-ip", address)];
        app.request("POST", "/api/auth/signup", &headers, Some(person(email))).await.status
    };
    assert_eq!(from("203.0.113.7", "a@example.org").await, 201);
    assert_eq!(from("203.0.113.7", "b@example.org").await, 201);
    assert_eq!(from("203.0.113.7", "c@example.org").await, 429);
    assert_eq!(from("203.0.113.8", "c@example.org").await, 201);
}

/// The cookies of a refreshed log-in.
async fn refresh(app: &TestApp, cookies: &str) -> Result<String, u16> {
    let answer = post(app, "/api/auth/refresh", cookies, None).await;
    if answer.status == 204 { Ok(answer.cookies()) } else { Err(answer.status) }
}

#[tokio::test]
async fn a_log_in_is_renewed_again_and_again() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut cookies = ours.cookies;
    for _ in 0..3 {
        let next = refresh(&app, &cookies).await.unwrap();
        assert_ne!(next, cookies);
        assert_eq!(who(&app, &next).await.status, 200);
        cookies = next;
    }
}

#[tokio::test]
async fn two_tabs_may_renew_at_the_same_moment() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let (one, two) = tokio::join!(refresh(&app, &ours.cookies), refresh(&app, &ours.cookies));
    for cookies in [one.unwrap(), two.unwrap()] {
        refresh(&app, &cookies).await.unwrap();
    }
}

#[tokio::test]
async fn a_copied_refresh_token_ends_the_log_in_of_thief_and_owner() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let elsewhere = log_in(&app, "ours@example.org", "correct horse battery").await.cookies();
    let copied = ours.cookies;
    let current = refresh(&app, &copied).await.unwrap();
    // The grace for tabs is over.
    let owner = app.owner_pool().await;
    sqlx::query("update refresh_tokens set used_at = used_at - interval '11 seconds'").execute(&owner).await.unwrap();
    assert_eq!(refresh(&app, &copied).await, Err(401));
    assert_eq!(refresh(&app, &current).await, Err(401), "the whole family is ended");
    assert!(refresh(&app, &elsewhere).await.is_ok(), "another log-in of the same person is not");
}

#[tokio::test]
async fn refresh_tokens_are_not_kept_in_clear() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let secret = ours.cookies.split("onelap_refresh=").nth(1).unwrap();
    let owner = app.owner_pool().await;
    let rows: Vec<(String, Vec<u8>)> =
        sqlx::query_as("select refresh_tokens::text, token_hash from refresh_tokens").fetch_all(&owner).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].0.contains(secret) && rows[0].1 != secret.as_bytes());
}

#[tokio::test]
async fn logging_out_ends_the_log_in() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let out = post(&app, "/api/auth/logout", &ours.cookies, None).await;
    assert_eq!(out.status, 204);
    let cleared = out.headers.iter().filter(|(n, v)| n == "set-cookie" && v.contains("Max-Age=0")).count();
    assert_eq!(cleared, 2);
    assert_eq!(refresh(&app, &ours.cookies).await, Err(401));
    assert_eq!(post(&app, "/api/auth/logout", "", None).await.status, 204, "once more does no harm");
}

/// Waits until so many of this database's connections wait for a lock.
async fn waiting(pool: &PgPool, count: i64) {
    eventually("a wait for a lock", || async {
        let waiting =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        let found: Result<i64, _> = sqlx::query_scalar(waiting).fetch_one(pool).await;
        found.is_ok_and(|found| found == count).then_some(())
    })
    .await;
}

#[tokio::test]
async fn logging_out_ends_a_renewal_of_the_same_moment_too() {
    let app = TestApp::spawn().await;
    let first = app.team("ours").await.cookies;
    let second = refresh(&app, &first).await.unwrap();
    let pool = app.owner_pool().await;
    // A renewal stops where it writes its new token, because that belongs to a person whose row is held here.
    let mut hold = pool.begin().await.unwrap();
    sqlx::query("select from users for update").execute(&mut *hold).await.unwrap();
    let renewal = async { refresh(&app, &first).await };
    let log_out = async {
        waiting(&pool, 1).await;
        let release = async {
            waiting(&pool, 2).await;
            hold.commit().await.unwrap();
        };
        tokio::join!(post(&app, "/api/auth/logout", &second, None), release).0
    };
    let (renewed, logged_out) = tokio::join!(renewal, log_out);
    assert_eq!(logged_out.status, 204);
    assert_eq!(refresh(&app, &renewed.unwrap()).await, Err(401), "logged out, and still renewed");
}

#[tokio::test]
async fn a_forged_access_token_is_nobody() {
    let app = TestApp::spawn().await;
    let theirs = TestApp::spawn_with(&[("JWT_SECRET", "another secret of forty characters, too.")]).await;
    let foreign = theirs.team("ours").await.cookies;
    for cookies in ["", "onelap_access=", "onelap_access=a.b.c", foreign.as_str()] {
        let answer = who(&app, cookies).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"), "{cookies}");
    }
}

#[tokio::test]
async fn another_site_can_change_nothing() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let path = format!("/api/teams/{}/rigs", ours.id);
    for origin in [None, Some("http://evil.test"), Some("null"), Some("http://1lap.test.evil.test")] {
        let mut headers = vec![("cookie", ours.cookies.as_str())];
        headers.extend(origin.map(|origin| ("origin", origin)));
        let answer = app.request("POST", &path, &headers, Some(json!({ "name": "RIG_A" }))).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"), "{origin:?}");
    }
    assert_eq!(ours.get("/rigs").await.json(), json!([]));
}

#[tokio::test]
async fn a_person_may_have_several_teams() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let second = ours.request("POST", "/api/teams", Some(json!({ "name": "Second" }))).await;
    assert_eq!((second.status, &second.json()["role"]), (201, &json!("owner")));
    let me = who(&app, &ours.cookies).await.json();
    let names: Vec<&str> = me["teams"].as_array().unwrap().iter().map(|team| team["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ours", "Second"]);
    let rigs = ours.request("GET", &format!("/api/teams/{}/rigs", second.json()["id"].as_str().unwrap()), None).await;
    assert_eq!(rigs.json(), json!([]));
}

async fn whoami(app: &TestApp, token: &str) -> Answer {
    app.request("GET", "/api/agent/whoami", &[("authorization", &format!("Bearer {token}"))], None).await
}

#[tokio::test]
async fn a_rigs_token_is_shown_once_and_kept_as_a_hash() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let known = whoami(&app, &rig.token).await.json();
    assert_eq!((&known["team"], &known["team_name"]), (&json!(ours.id), &json!("ours")));
    assert_eq!((&known["rig"], &known["rig_name"]), (&json!(rig.id), &json!("RIG_A")));
    assert_eq!(known["protocols"], json!(["onelap.agent.v1"]));

    let secret = rig.token.rsplit('_').next().unwrap();
    let listed = ours.get("/rigs").await;
    assert!(!listed.body.contains(&secret[..40]), "the list shows no secret");
    let token = &listed.json()[0]["tokens"][0];
    assert_eq!(rig.token.split('_').nth(2), token["public_id"].as_str());
    assert!(token["last_used_at"].is_string() && token["revoked_at"].is_null(), "{token}");

    let mut tx = app.owner_pool().await.begin().await.unwrap();
    let team = ours.id.to_string();
    sqlx::query("select set_config('app.team', $1, true)").bind(&team).execute(&mut *tx).await.unwrap();
    let (row, hash): (String, Vec<u8>) =
        sqlx::query_as("select rig_tokens::text, secret_hash from rig_tokens").fetch_one(&mut *tx).await.unwrap();
    assert!(!row.contains(&secret[..40]));
    assert_eq!(hash, onelap_service::auth::sha256(&secret.as_bytes()[..40]).as_bytes());
}

#[tokio::test]
async fn what_is_wrong_with_a_rigs_token_is_told() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let no_token = app.request("GET", "/api/agent/whoami", &[], None).await;
    assert_eq!((no_token.status, no_token.code().as_str()), (401, "unauthenticated"));
    let last = if rig.token.ends_with('0') { '1' } else { '0' };
    let mistyped = format!("{}{last}", &rig.token[..rig.token.len() - 1]);
    assert_eq!(whoami(&app, &mistyped).await.code(), "token_mistyped");
    let (public, secret) = ("0a1b2c3d4e5f", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123");
    let unknown = onelap_protocol::RigToken::assemble(public, secret).unwrap();
    assert_eq!(whoami(&app, unknown.reveal()).await.code(), "unauthenticated");
    // The right public part does not help without its secret.
    let guessed = onelap_protocol::RigToken::assemble(rig.token.split('_').nth(2).unwrap(), secret).unwrap();
    assert_eq!(
        error_without_trace(&whoami(&app, guessed.reveal()).await),
        error_without_trace(&whoami(&app, unknown.reveal()).await)
    );
    assert_eq!(whoami(&app, &rig.token[..40]).await.code(), "unauthenticated");

    let second = ours.request("POST", &format!("/api/teams/{}/rigs/{}/tokens", ours.id, rig.id), None).await;
    assert_eq!(second.status, 201, "{}", second.body);
    let second = second.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(ours.revoke(&rig).await.status, 204);
    assert_eq!(ours.revoke(&rig).await.status, 204, "once more does no harm");
    let revoked = whoami(&app, &rig.token).await;
    assert_eq!((revoked.status, revoked.code().as_str()), (401, "token_revoked"));
    assert_eq!(whoami(&app, &second).await.status, 200, "the rig's other token is still good");

    let path = format!("/api/teams/{}/rigs/{}", ours.id, rig.id);
    assert_eq!(ours.request("DELETE", &path, None).await.status, 204);
    assert_eq!(whoami(&app, &second).await.code(), "unauthenticated");
    assert_eq!(ours.get("/rigs").await.json(), json!([]));
}

#[tokio::test]
async fn a_rigs_name_is_its_own_within_the_team() {
    let app = TestApp::spawn().await;
    let (ours, theirs) = (app.team("ours").await, app.team("theirs").await);
    ours.rig("RIG_A").await;
    theirs.rig("RIG_A").await;
    let path = format!("/api/teams/{}/rigs", ours.id);
    let taken = ours.request("POST", &path, Some(json!({ "name": "rig_a" }))).await;
    assert_eq!((taken.status, taken.code().as_str()), (409, "conflict"));
    assert_eq!(taken.json()["error"]["field"], "name");
    let empty = ours.request("POST", &path, Some(json!({ "name": "" }))).await;
    assert_eq!((empty.status, &empty.json()["error"]["field"]), (422, &json!("name")));
    assert_eq!(ours.get("/rigs").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_rig_that_never_connected_is_listed_as_doing_nothing() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let state = &ours.get("/rigs").await.json()[0]["state"];
    assert_eq!((&state["rig"], &state["name"]), (&json!(rig.id), &json!("RIG_A")));
    assert_eq!((&state["connected"], &state["state"]), (&json!(false), &json!("not_running")));
}

/// What every address below a team answers to somebody who is not in it.
async fn answers(asker: &Team, team: &str, rig: &str, token: &str, session: &str) -> Vec<Value> {
    let hash = "0a".repeat(32);
    let name = Some(json!({ "name": "RIG_B" }));
    let base = format!("/api/teams/{team}");
    let mut seen = Vec::new();
    for (method, path, body) in [
        ("GET", "/rigs".to_owned(), None),
        ("POST", "/rigs".to_owned(), name),
        ("DELETE", format!("/rigs/{rig}"), None),
        ("POST", format!("/rigs/{rig}/tokens"), None),
        ("DELETE", format!("/rigs/{rig}/tokens/{token}"), None),
        ("GET", "/sessions".to_owned(), None),
        ("GET", format!("/sessions/{session}"), None),
        ("GET", format!("/sessions/{session}/cars/7-abc123"), None),
        ("GET", format!("/sessions/{session}/laps/1/trace"), None),
        ("GET", format!("/sessions/{session}/trace?from_s=0&to_s=60"), None),
        ("GET", format!("/setups/{hash}"), None),
    ] {
        let answer = asker.request(method, &format!("{base}{path}"), body).await;
        assert_eq!(answer.status, 404, "{method} {base}{path}: {}", answer.body);
        seen.push(error_without_trace(&answer));
    }
    seen
}

#[tokio::test]
async fn another_teams_things_look_as_if_they_did_not_exist() {
    let app = TestApp::spawn().await;
    let (ours, theirs) = (app.team("ours").await, app.team("theirs").await);
    let rig = theirs.rig("RIG_A").await;
    let mut agent = rig.agent().await;
    agent.begin().await;
    agent.batch(1, 200.0).await;
    agent.lap(1).await;
    agent.acknowledged(3).await;
    assert!(theirs.session(agent.session).await.is_object());

    let nothing = onelap_protocol::TeamId::new().to_string();
    let (real_rig, real_token, session) = (rig.id.to_string(), rig.token_id.to_string(), agent.session.to_string());
    let foreign = answers(&ours, &theirs.id.to_string(), &real_rig, &real_token, &session).await;
    let unknown = answers(&ours, &nothing, &nothing, &nothing, &nothing).await;
    let garbage = answers(&ours, "not-an-id", &nothing, &nothing, &nothing).await;
    assert_eq!(foreign, unknown);
    assert_eq!(garbage, unknown);

    // The same with our own team and their rig, token and session.
    for (method, path) in [
        ("DELETE", format!("/rigs/{real_rig}")),
        ("POST", format!("/rigs/{real_rig}/tokens")),
        ("DELETE", format!("/rigs/{real_rig}/tokens/{real_token}")),
        ("GET", format!("/sessions/{session}")),
        ("GET", format!("/sessions/{session}/cars/7-abc123")),
        ("GET", format!("/sessions/{session}/laps/1/trace")),
        ("GET", format!("/sessions/{session}/trace?from_s=0&to_s=60")),
    ] {
        let answer = ours.request(method, &format!("/api/teams/{}{path}", ours.id), None).await;
        assert_eq!(answer.status, 404, "{method} {path}");
        assert_eq!(error_without_trace(&answer), unknown[0], "{method} {path}");
    }
    assert_eq!(whoami(&app, &rig.token).await.status, 200, "their rig is untouched");
}
