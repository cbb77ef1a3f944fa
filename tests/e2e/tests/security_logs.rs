//! One life of a team, with everything that is secret in it, and the service's logs of it at the finest level: none of the
//! secrets is in them.

#![expect(clippy::unwrap_used, reason = "what goes wrong here is the failure of a test")]

use e2e::person::{PASSWORD, code};
use e2e::{Browser, Mailbox, TestApp};
use serde_json::json;
use std::io::Write;
use std::sync::{Arc, Mutex};

const LENA: &str = "lena@example.org";

/// Keeps every log line.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Kept {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// Secrets by what they are.
#[derive(Default)]
struct Secrets(Vec<(String, String)>);

impl Secrets {
    fn add(&mut self, what: &str, secret: impl Into<String>) {
        let secret = secret.into();
        assert!(secret.len() >= 6, "{what}: too short to be looked for");
        self.0.push((what.to_owned(), secret));
    }

    fn cookies(&mut self, browser: &Browser) {
        for pair in browser.cookies().split("; ") {
            self.add("cookie", pair.split_once('=').unwrap().1);
        }
    }
}

async fn reset(app: &TestApp, mailbox: &Mailbox, secrets: &mut Secrets, password: &str) {
    app.browser().post("/api/auth/reset", json!({ "email": LENA })).await;
    let token = mailbox.take(LENA, "new password").await.secret();
    let done = app.browser().post("/api/auth/reset/finish", json!({ "token": token, "password": password })).await;
    assert_eq!(done.status, 204);
    secrets.add("link", token);
    secrets.add("password", password);
}

#[tokio::test]
async fn no_secret_is_in_the_logs_of_a_whole_life() {
    let kept = Kept::default();
    let writer = kept.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let mut secrets = Secrets::default();
    let jwt = "the secret that signs, of some length";
    secrets.add("JWT_SECRET", jwt);
    let (mut app, mailbox) = TestApp::spawn_with_mail(&[("JWT_SECRET", jwt)]).await;

    // Signing up, wrongly and rightly.
    let browser = app.browser();
    secrets.add("password", PASSWORD);
    for wrong in ["hunter2", "a wrong password entirely"] {
        browser.log_in(LENA, wrong).await;
        secrets.add("wrong password", wrong);
    }
    let body = json!({ "email": LENA, "password": PASSWORD, "name": "Lena", "team_name": "Ours" });
    browser.post("/api/auth/signup", body).await;
    let token = mailbox.take(LENA, "Finish").await.secret();
    let made = browser.post("/api/auth/signup/finish", json!({ "token": token, "password": PASSWORD })).await;
    assert_eq!(made.status, 201);
    secrets.add("link", token);
    secrets.cookies(&browser);
    browser.post("/api/auth/refresh", json!({})).await;
    secrets.cookies(&browser);
    let unknown = "k".repeat(32);
    browser.post("/api/auth/email/confirm", json!({ "token": unknown })).await;
    secrets.add("link that was never sent", unknown);
    // A body that is wrong is named by its field, not shown.
    browser.post("/api/auth/login", json!({ "email": LENA, "password": ["a password in a list"] })).await;
    secrets.add("malformed password", "a password in a list");

    // Second factor.
    let (seed, codes) = browser.second_factor(PASSWORD).await;
    secrets.add("seed", data_encoding::BASE32_NOPAD.encode(&seed));
    let first = app.browser();
    let challenge = first.log_in(LENA, PASSWORD).await.json()["challenge"].as_str().unwrap().to_owned();
    let used = code(&seed, 0);
    let step = json!({ "challenge": challenge, "code": used });
    assert_eq!(first.post("/api/auth/login/code", step).await.status, 200);
    secrets.add("challenge", challenge);
    secrets.add("code", used);
    secrets.cookies(&first);
    app.browser().log_in_with_code(LENA, PASSWORD, &codes[0]).await;
    codes.into_iter().for_each(|code| secrets.add("recovery code", code));

    // A team's own: rig token, agent and viewer.
    let team = made.json()["teams"][0]["id"].as_str().unwrap().to_owned();
    let rig = browser.post(&format!("/api/teams/{team}/rigs"), json!({ "name": "RIG_A" })).await;
    assert_eq!(rig.status, 201, "{}", rig.body);
    let rig_token = rig.json()["token"].as_str().unwrap().to_owned();
    let headers = [("authorization", format!("Bearer {rig_token}"))];
    let known = app.request("GET", "/api/agent/whoami", &[(headers[0].0, &headers[0].1)], None).await;
    assert_eq!(known.status, 200);
    let viewer = browser.viewer().await.unwrap();
    secrets.add("rig token", rig_token.rsplit('_').next().unwrap());

    // Changes, by letter and by password.
    let next = "a second password, longer";
    let proof = json!({ "current": PASSWORD, "password": next, "code": code(&seed, 1) });
    assert_eq!(browser.post("/api/me/password", proof).await.status, 204);
    secrets.add("password", next);
    reset(&app, &mailbox, &mut secrets, "a third password, longer").await;
    app.browser().log_in(LENA, "a third password, longer").await;
    drop(viewer);
    app.stop().await;

    let logs = kept.text();
    assert!(logs.contains("request answered") && logs.contains("a letter was sent"), "there are logs at all");
    assert!(logs.contains("TRACE") && logs.len() > 10_000, "of every level");
    for (what, secret) in &secrets.0 {
        let line = logs.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(line, None, "a {what} is in the logs");
    }
    assert!(secrets.0.len() > 25, "{}", secrets.0.len());
    println!("{} secrets, none of them in {} lines of logs", secrets.0.len(), logs.lines().count());
}

#[test]
fn a_secret_that_is_logged_would_be_found() {
    let kept = Kept::default();
    let writer = kept.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, || tracing::info!(token = "abcdef", "shown"));
    assert!(kept.text().contains("abcdef"));
}
