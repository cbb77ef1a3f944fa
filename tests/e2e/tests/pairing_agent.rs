//! Pairing by code from the agent's side: the shipped agent's own pairing against the real service, up to a token in the
//! agent's file that streams, and every other end of it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here is the failure of a test")]

use e2e::rig::session_of;
use e2e::{PATIENCE, Team, TestApp, eventually};
use fake_game::{FakeGame, Options};
use onelap_agent::config::place::others_may_read;
use onelap_agent::config::settings::{Flags, Settings};
use onelap_agent::config::tokens::TokenFrom;
use onelap_agent::pair::{News, PairOptions, pair};
use onelap_agent::run::sources::{Games, LmuOptions};
use onelap_agent::run::{Agent, Input};
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A driver's PC: a folder with settings, and perhaps a token.
struct Pc {
    folder: TempDir,
}

/// An agent that shows a code.
struct Pairing {
    code: String,
    news: mpsc::Receiver<News>,
    task: JoinHandle<Result<String, String>>,
}

impl Pc {
    fn new(app: &TestApp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("agent.toml"), format!("server = \"http://{}\"\n", app.address)).unwrap();
        Self { folder }
    }

    fn settings(&self) -> Settings {
        Settings::load(&Flags { config: Some(self.folder.path().join("agent.toml")), ..Flags::default() }).unwrap()
    }

    fn stored(&self) -> Option<String> {
        fs::read_to_string(self.folder.path().join("token")).ok()
    }

    /// As `onelap-agent pair` does it.
    async fn pair(&self) -> Pairing {
        let (tell, mut news) = mpsc::channel(16);
        let settings = self.settings();
        let options = PairOptions { name: Some("SIM-PC".into()), opens_browser: false };
        let task = tokio::spawn(async move {
            pair(&settings, &options, |news| tell.try_send(news).expect("the test listens and there is little to say"))
                .await
        });
        let Some(News::Code { user_code, page, good_for_s, .. }) = news.recv().await else { panic!("no code") };
        assert_eq!((page.as_str(), good_for_s), ("http://1lap.test/pair", 600));
        Pairing { code: user_code, news, task }
    }
}

impl Pairing {
    async fn end(self) -> Result<String, String> {
        tokio::time::timeout(3 * PATIENCE, self.task).await.expect("it ends in time").unwrap()
    }

    async fn hears(&mut self, what: &str, is_it: impl Fn(&News) -> bool) {
        let heard = async { while !is_it(&self.news.recv().await.expect("it still waits")) {} };
        tokio::time::timeout(PATIENCE, heard).await.unwrap_or_else(|_| panic!("in vain waited for: {what}"));
    }
}

async fn approve(team: &Team, code: &str, rig: &str) {
    let look = team.post("/pairings/look", json!({ "user_code": code })).await;
    assert_eq!((look.status, &look.json()["name"]), (200, &json!("SIM-PC")), "{}", look.body);
    let approved = team.post("/pairings/approve", json!({ "user_code": code, "rig_name": rig })).await;
    assert_eq!(approved.status, 200, "{}", approved.body);
}

#[tokio::test]
async fn an_agent_that_is_approved_keeps_a_token_that_streams() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let pc = Pc::new(&app);
    let pairing = pc.pair().await;
    assert_eq!(pc.stored(), None);
    approve(&ours, &pairing.code, "RIG_A").await;
    let said = pairing.end().await.unwrap();
    assert!(said.contains("rig RIG_A of team ours"), "{said}");

    let file = pc.folder.path().join("token");
    let text = pc.stored().unwrap();
    assert!(!said.contains(text.trim()) && !others_may_read(&file));
    let settings = pc.settings();
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    let rig = settings.rigs.first().unwrap();
    assert_eq!(rig.token_from, Some(TokenFrom::File(file)));

    let game = FakeGame::spawn(Options { cars: 4, ..Options::default() }).await.unwrap();
    let lmu = LmuOptions { location: game.lmu_path().map(|path| path.display().to_string()), rest_port: None };
    let games = Input::Games(Games { lmu: Some(lmu), f1: false });
    let agent = Agent::spawn(&app.agent_options(vec![rig.options().unwrap()], games)).unwrap();
    let session = session_of(&agent).await;
    eventually("the session is recorded", || async {
        Some(ours.session(session).await).filter(|told| *told != Value::Null)
    })
    .await;

    // Its token is taken from it again: it names the way to another.
    let rigs = ours.get("/rigs").await.json();
    let (rig, token) = (rigs[0]["id"].as_str().unwrap(), rigs[0]["tokens"][0]["id"].as_str().unwrap());
    assert_eq!(ours.delete(&format!("/rigs/{rig}/tokens/{token}")).await.status, 204);
    let mut status = agent.status();
    let told =
        tokio::time::timeout(PATIENCE, status.wait_for(|s| s.needs_help)).await.unwrap().unwrap().problem.clone();
    assert!(
        told.as_ref().is_some_and(|why| why.contains("revoked") && why.contains("`onelap-agent pair`")),
        "{told:?}"
    );
    agent.stop().await;

    // And gets another, for the same rig.
    let pairing = pc.pair().await;
    let approved = ours.post("/pairings/approve", json!({ "user_code": pairing.code, "rig": rig })).await;
    assert_eq!(approved.status, 200, "{}", approved.body);
    pairing.end().await.unwrap();
    assert_ne!(pc.stored(), Some(text), "the old one is replaced");
    let bearer = format!("Bearer {}", pc.stored().unwrap().trim());
    assert_eq!(app.request("GET", "/api/agent/whoami", &[("authorization", &bearer)], None).await.status, 200);
}

#[tokio::test]
async fn an_agent_that_is_denied_says_so_and_keeps_what_it_had() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let pc = Pc::new(&app);
    fs::write(pc.folder.path().join("token"), "an old one").unwrap();
    let pairing = pc.pair().await;
    assert_eq!(ours.post("/pairings/deny", json!({ "user_code": pairing.code })).await.status, 204);
    let why = pairing.end().await.unwrap_err();
    assert!(why.contains("said no to this PC"), "{why}");
    assert_eq!(pc.stored().as_deref(), Some("an old one"));
}

#[tokio::test]
async fn a_code_that_nobody_approves_in_time_is_told_as_that() {
    let app = TestApp::spawn().await;
    let pc = Pc::new(&app);
    let pairing = pc.pair().await;
    let owner = app.owner_pool().await;
    // The owner is bound by row-level security, too: it lifts that for a moment.
    for sql in [
        "alter table pairings no force row level security",
        "update pairings set expires_at = now() - interval '1 second'",
        "alter table pairings force row level security",
    ] {
        sqlx::query(sql).execute(&owner).await.unwrap();
    }
    let why = pairing.end().await.unwrap_err();
    assert!(why.contains("no longer good") && why.contains("onelap-agent pair"), "{why}");
    assert_eq!(pc.stored(), None);
}

#[tokio::test]
async fn a_service_that_restarts_in_between_costs_nothing_but_time() {
    let mut app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let pc = Pc::new(&app);
    let mut pairing = pc.pair().await;
    app.stop().await;
    pairing.hears("that the service does not answer", |news| matches!(news, News::Trouble(_))).await;
    app.restart().await;
    pairing.hears("that it does again", |news| *news == News::Recovered).await;
    approve(&ours, &pairing.code, "RIG_A").await;
    let said = pairing.end().await.unwrap();
    assert!(said.contains("rig RIG_A of team ours"), "{said}");
    let bearer = format!("Bearer {}", pc.stored().unwrap().trim());
    assert_eq!(app.request("GET", "/api/agent/whoami", &[("authorization", &bearer)], None).await.status, 200);
}

#[tokio::test]
async fn a_code_that_is_asked_for_too_often_is_told_as_that() {
    let app = TestApp::spawn().await;
    for _ in 0..20 {
        app.request("POST", "/api/pair/device", &[], Some(json!({ "name": "SIM-PC" }))).await;
    }
    let (pc, options) = (Pc::new(&app), PairOptions::default());
    let why = pair(&pc.settings(), &options, |news| panic!("{news}")).await.unwrap_err();
    assert!(why.contains("too many"), "{why}");
}
