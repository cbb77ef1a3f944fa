//! The service in the test's process, on a thread and a port of its own.

use crate::database::TestDatabase;
use crate::http::{self, Answer};
use crate::mailbox::Mailbox;
use crate::person::Browser;
use crate::team::Team;
use faults::FaultProxy;
use onelap_service::app::{App, State};
use onelap_service::config::Config;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The address by which tests know the service. Nothing resolves it: it is an `Origin`.
pub(crate) const ORIGIN: &str = "http://1lap.test";

/// A running service.
pub struct TestApp {
    /// Where it listens.
    pub address: SocketAddr,
    state: Arc<State>,
    running: Option<Running>,
    database: Arc<TestDatabase>,
    settings: HashMap<String, String>,
}

struct Running {
    shutdown: CancellationToken,
    thread: JoinHandle<()>,
}

impl TestApp {
    /// Starts a service with a database of its own.
    pub async fn spawn() -> Self {
        Self::spawn_with(&[]).await
    }

    /// The same with settings, as the environment would give them.
    pub async fn spawn_with(settings: &[(&str, &str)]) -> Self {
        let _ = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_test_writer()
            .try_init();
        let database = Arc::new(TestDatabase::create().await);
        let mut all: HashMap<String, String> =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        for (name, value) in [
            ("PUBLIC_URL", ORIGIN),
            ("JWT_SECRET", "a secret of forty characters, for tests."),
            ("DATABASE_URL", "postgres://placeholder"),
            ("DATABASE_WEB_CONNECTIONS", "4"),
            ("DATABASE_INGEST_CONNECTIONS", "4"),
            // Tests connect the same rig again and again.
            ("LIMIT_RIG_CONNECTS_PER_MIN", "600"),
        ] {
            all.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        Self::start(database, all, listener).await
    }

    /// The same with a proxy between the service and Postgres, to be told how to behave.
    pub async fn spawn_behind_proxy() -> (Self, FaultProxy) {
        let (server, port) = TestDatabase::server_address();
        let proxy = FaultProxy::to((server, port).into()).await;
        let (host, port) = (proxy.address.ip().to_string(), proxy.address.port().to_string());
        (Self::spawn_with(&[("TEST_DATABASE_HOST", &host), ("TEST_DATABASE_PORT", &port)]).await, proxy)
    }

    async fn start(database: Arc<TestDatabase>, settings: HashMap<String, String>, listener: TcpListener) -> Self {
        let config = config(&settings, &database.options());
        let shutdown = CancellationToken::new();
        let (ready, started) = tokio::sync::oneshot::channel();
        let stop = shutdown.clone();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = App::build(config, listener).await.expect("the service starts");
                let _ = ready.send((app.address(), app.state().into_inner()));
                app.run(stop.cancelled_owned()).await.expect("the service stops in order");
            });
        });
        let (address, state) = started.await.expect("the service has started");
        Self { address, state, running: Some(Running { shutdown, thread }), database, settings }
    }

    /// Starts another instance over the same database, with the same settings.
    pub async fn beside(&self) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        Self::start(self.database.clone(), self.settings.clone(), listener).await
    }

    /// Stops the service in order and starts it again on the same port and database.
    pub async fn restart(&mut self) {
        self.stop().await;
        let listener = TcpListener::bind(self.address).expect("the port is free again");
        let (database, settings) = (self.database.clone(), self.settings.clone());
        *self = Self::start(database, settings, listener).await;
    }

    /// Stops the service in order.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown.cancel();
            tokio::task::spawn_blocking(move || running.thread.join()).await.expect("joined").expect("no panic");
        }
    }

    /// What the service's handlers share.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The database, as its owner sees it (which row-level security binds as well).
    pub async fn owner_pool(&self) -> sqlx::PgPool {
        self.database.pool().await
    }

    /// A request without cookies.
    pub async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        http::request(self.address, method, path, headers, body).await
    }

    /// A service that sends its letters to a mail server, and asks for confirmed addresses; with more settings.
    pub async fn spawn_with_mail(settings: &[(&str, &str)]) -> (Self, Mailbox) {
        let mailbox = Mailbox::start();
        let mail = mailbox.settings();
        let mut all: Vec<(&str, &str)> = mail.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        all.extend(settings);
        (Self::spawn_with(&all).await, mailbox)
    }

    /// Another instance over the same database, with other settings.
    pub async fn another_with(&self, settings: &[(&str, &str)]) -> Self {
        let mut all = self.settings.clone();
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        Self::start(self.database.clone(), all, listener).await
    }

    /// A browser in which nobody is logged in.
    #[must_use]
    pub fn browser(&self) -> Browser {
        Browser::new(self.address)
    }

    /// Signs up a person `<name>@example.org` with a team of that name.
    pub async fn team(&self, name: &str) -> Team {
        sign_up(self.address, name).await
    }
}

/// Signs up a person `<name>@example.org` with a team of that name.
pub(crate) async fn sign_up(service: SocketAddr, name: &str) -> Team {
    let person = json!({
        "email": format!("{name}@example.org"), "password": "correct horse battery", "name": name, "team_name": name,
    });
    let answer = http::request(service, "POST", "/api/auth/signup", &[("origin", ORIGIN)], Some(person)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    Team::new(service, &answer)
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown.cancel();
            let joined = running.thread.join();
            if !std::thread::panicking() {
                joined.expect("the service did not panic");
            }
        }
    }
}

fn config(settings: &HashMap<String, String>, database: &PgConnectOptions) -> Config {
    let mut config = Config::from_lookup(&|name| settings.get(name).cloned()).expect("the settings are right");
    config.database.runtime = database.clone();
    if let (Some(host), Some(port)) = (settings.get("TEST_DATABASE_HOST"), settings.get("TEST_DATABASE_PORT")) {
        let port = port.parse().expect("a port");
        config.database.runtime = database.clone().host(host).port(port).ssl_mode(PgSslMode::Disable);
    }
    config.database.owner = database.clone();
    config
}
