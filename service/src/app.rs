//! Wires the service: state, routes, the order of starting and of stopping.
//!
//! [`App::build`] takes its listener and [`App::run`] its shutdown signal, so that a test runs the real server on port 0.
//! Both are called on the thread of an `actix_web::rt::System`.
//!
//! Nothing else imports this module but for [`State`].

use crate::auth::{Auth, Authority};
use crate::config::Config;
use crate::db::{Db, DbError};
use crate::error::ApiError;
use crate::figures::Figures;
use crate::headers::IsHttps;
use crate::limits::Limits;
use crate::live::Hub;
use crate::live::bus::Bus;
use crate::mail::{MailError, Mailer, Postman};
use crate::metrics::Metrics;
use crate::recorder::Recorder;
use crate::traces::{Collector, Traces};
use crate::{
    about, accounts, api_keys, audit, auth, db, headers, health, ingest, invitations, laps, live, metrics, openapi,
    operators, pages, pairing, rigs, sessions, setups, shares, teams, telemetry,
};
use actix_web::dev::Server;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{HttpServer, web};
use std::future::Future;
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a peer may take nothing of what was sent before the kernel ends the connection: this is what frees the
/// buffers of a viewer that was stopped or whose network is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// What the kernel keeps of a connection beyond what is on its way, in bytes: a slow viewer's newest samples wait here in
/// the service, where the newest wins, and not behind old ones in the kernel.
const NOT_SENT: u32 = 16 * 1024;
/// How long agents and viewers that were told to reconnect elsewhere may stay. They leave one after the other, so that not all
/// reconnect at once, and until then nobody misses anything.
const LEAVE_BY: Duration = Duration::from_secs(4);
/// How long recorders may take to write what they have when the service stops.
const DRAIN_DEADLINE: Duration = Duration::from_secs(10);

/// How long what runs beside the requests may take to end, letters that wait included.
const BACKGROUND_DEADLINE: Duration = Duration::from_secs(10);
/// How long the database's connections may take to be given back.
const CLOSE_DEADLINE: Duration = Duration::from_secs(3);

/// What handlers share.
#[derive(Debug)]
pub struct State {
    /// The configuration.
    pub config: Config,
    /// Postgres.
    pub db: Db,
    /// Log-in.
    pub auth: Auth,
    /// What is live.
    pub hub: Arc<Hub>,
    /// Recording.
    pub recorder: Recorder,
    /// Letters.
    pub mail: Mailer,
    /// Where spans go.
    pub traces: Traces,
    /// Tells sockets to look again whether they may be open.
    pub authority: Arc<Authority>,
    /// What teams, rigs and people may use.
    pub limits: Arc<Limits>,
    /// What is done beside the requests.
    pub background: Background,
}

/// Tasks of the service's own runtime. Those of a worker's are dropped with it when the service stops.
#[derive(Debug, Clone)]
pub struct Background {
    tasks: TaskTracker,
    runtime: Handle,
}

impl Background {
    /// On this thread's runtime.
    fn here() -> Self {
        Self { tasks: TaskTracker::new(), runtime: Handle::current() }
    }

    /// Runs a task; the service waits a moment for it when it stops.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_on(task, &self.runtime);
    }
}

/// Why the service does not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Redis cannot be used.
    #[error("redis: {0}")]
    Redis(#[from] redis::RedisError),
    /// No random bytes.
    #[error("random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// The figures cannot be registered.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The server failed.
    #[error("server: {0}")]
    Io(#[from] std::io::Error),
    /// No letter could be sent.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// A query at the start failed.
    #[error("database: {0}")]
    Query(#[from] sqlx::Error),
}

/// The service, ready to run.
pub struct App {
    server: Server,
    /// The server's own listener, to be closed for new connections before the server ends.
    listener: TcpListener,
    state: web::Data<State>,
    address: SocketAddr,
    stop: CancellationToken,
}

impl App {
    /// Migrates, connects and binds. Needs to run inside of an actix `System`.
    ///
    /// # Errors
    /// [`AppError`] says what is in the way.
    pub async fn build(config: Config, listener: TcpListener) -> Result<Self, AppError> {
        db::migrate(config.database.owner.clone()).await?;
        let db = Db::connect(&config.database).await?;
        let metrics = Metrics::new()?;
        let limits = Limits::new(config.limits.clone(), &metrics)?;
        let figures = Figures::register(&metrics)?;
        let (traces, collector) = Traces::new(&config.traces, figures.spans_dropped.clone());
        let hub = match &config.redis {
            None => Hub::new(figures.clone(), traces.clone()),
            Some(url) => Hub::on(figures.clone(), traces.clone(), Bus::new(url.reveal(), figures.clone())?),
        };
        let (mail, postman) = Mailer::new(&config.mail, &config.http.public_origin)?;
        let state = State {
            auth: Auth::new(&config)?,
            mail,
            background: Background::here(),
            hub,
            recorder: Recorder::new(db.clone(), figures, traces.clone()),
            authority: Arc::default(),
            traces,
            limits,
            db,
            config,
        };
        state.auth.revocations.load(&state.db).await?;
        accounts::seal_anew(&state.db, &state.auth).await?;
        let app = Self::serve(web::Data::new(state), web::Data::new(metrics), listener)?;
        app.run_beside(postman, collector);
        Ok(app)
    }

    fn serve(state: web::Data<State>, metrics: web::Data<Metrics>, listener: TcpListener) -> Result<Self, AppError> {
        let address = listener.local_addr()?;
        let listening = listener.try_clone()?;
        let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let shutdown_timeout = state.config.http.shutdown_timeout.as_secs();
        let is_https = web::Data::new(IsHttps(state.config.http.is_https()));
        let shared = state.clone();
        let server =
            HttpServer::new(move || {
                actix_web::App::new()
                    .app_data(shared.clone())
                    .app_data(metrics.clone())
                    .app_data(is_https.clone())
                    .app_data(web::PathConfig::default().error_handler(|_, _| ApiError::NotFound.into()))
                    .app_data(web::QueryConfig::default().error_handler(|error, _| {
                        ApiError::Malformed(format!("the query cannot be read: {error}")).into()
                    }))
                    .configure(routes)
                    .default_service(web::to(pages::serve))
                    .wrap(from_fn(auth::require_origin))
                    .wrap(Compress::default())
                    .wrap(from_fn(headers::secure))
                    .wrap(from_fn(health::in_time))
                    .wrap(from_fn(telemetry::observe))
            })
            .workers(workers)
            .tcp_nodelay(true)
            .on_connect(|connection, _| {
                if let Some(stream) = connection.downcast_ref::<actix_web::rt::net::TcpStream>() {
                    let socket = socket2::SockRef::from(stream);
                    let limited = socket.set_tcp_user_timeout(Some(SEND_TIMEOUT));
                    if let Err(error) = limited.and_then(|()| socket.set_tcp_notsent_lowat(NOT_SENT)) {
                        tracing::debug!(%error, "no send time-out or no send limit on this connection");
                    }
                }
            })
            .h1_allow_half_closed(false)
            .shutdown_timeout(shutdown_timeout)
            .disable_signals()
            .listen(listener)?
            .run();
        Ok(Self { server, listener: listening, state, address, stop: CancellationToken::new() })
    }

    /// Starts what runs beside the requests until the service stops.
    fn run_beside(&self, postman: Postman, collector: Option<Collector>) {
        let (background, db, stop) = (&self.state.background, &self.state.db, &self.stop);
        if let Some(collector) = collector {
            background.spawn(collector.run(stop.clone()));
        }
        background.spawn(postman.run(stop.clone()));
        background.spawn(Arc::clone(&self.state.auth.revocations).follow(db.clone(), stop.clone()));
        background.spawn(teams::purge_now_and_then(db.clone(), stop.clone()));
        let (state, stop) = (self.state.clone().into_inner(), stop.clone());
        background.spawn(async move { state.authority.run(&state.db, &state.hub, &state.auth.remembered, stop).await });
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What handlers share, for tests that look inside.
    #[must_use]
    pub fn state(&self) -> web::Data<State> {
        self.state.clone()
    }

    /// Serves until `shutdown` is ready, then stops in order: no new connections, requests that are being answered get
    /// their answer, the database is let go.
    ///
    /// # Errors
    /// Where the server fails.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), AppError> {
        let handle = self.server.handle();
        tracing::info!(address = %self.address, public = self.state.config.http.public_origin, "listening");
        if !self.state.config.http.is_https() {
            let public = &self.state.config.http.public_origin;
            tracing::warn!(
                public,
                "plain http: cookies go without Secure, and whoever listens in this network reads along"
            );
        }
        let mut server = actix_web::rt::spawn(self.server);
        tokio::select! {
            ended = &mut server => return ended.map_err(std::io::Error::other)?.map_err(AppError::Io),
            () = shutdown => {}
        }
        tracing::info!("stopping");
        handle.pause().await;
        // A paused listener would keep new connections waiting until the end; refused, they go to another instance.
        telemetry::listener_is_shut();
        if let Err(error) = socket2::SockRef::from(&self.listener).shutdown(Shutdown::Both) {
            tracing::debug!(%error, "the listener stays open until the end");
        }
        // Agents and viewers are told to come back elsewhere; what agents have sent is written before the server ends.
        self.state.hub.stop(LEAVE_BY).await;
        self.state.recorder.drain(DRAIN_DEADLINE).await;
        handle.stop(true).await;
        server.await.map_err(std::io::Error::other)??;
        self.state.hub.ended.cancel();
        // Letters that wait are sent, once; so are spans. Nobody's log-in ends any more.
        self.stop.cancel();
        let tasks = &self.state.background.tasks;
        tasks.close();
        if tokio::time::timeout(BACKGROUND_DEADLINE, tasks.wait()).await.is_err() {
            tracing::warn!(
                "what runs beside the requests did not end in time: letters and traces may not have been sent"
            );
        }
        // A connection that a task of an ended worker still holds never comes back.
        if tokio::time::timeout(CLOSE_DEADLINE, self.state.db.close()).await.is_err() {
            tracing::warn!("some connections to the database were not given back in time");
        }
        tracing::info!("stopped");
        Ok(())
    }
}

fn routes(config: &mut web::ServiceConfig) {
    health::routes(config);
    metrics::routes(config);
    live::routes(config);
    ingest::routes(config);
    accounts::routes(config);
    teams::routes(config);
    rigs::routes(config);
    sessions::routes(config);
    laps::routes(config);
    setups::routes(config);
    openapi::routes(config);
    audit::routes(config);
    invitations::routes(config);
    shares::routes(config);
    api_keys::routes(config);
    pairing::routes(config);
    operators::routes(config);
    about::routes(config);
}
