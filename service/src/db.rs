//! Postgres: pools, migrations, and transactions that are bound to a team.
//!
//! Invariants: a query on a tenant table needs a [`TenantTx`], which needs a [`Tenant`], which only `auth` makes, after
//! it has checked a membership or a rig token; row-level security checks the same a second time. The service works under
//! the role `onelap_app` and refuses to start under one that could bypass it.
//!
//! Not here: SQL of features (their `store.rs`).

use crate::auth::Sha256Hash;
use crate::config::DatabaseConfig;
use onelap_protocol::{TeamId, UserId};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Executor, PgPool, Postgres, Transaction};
use std::ops::{Deref, DerefMut};
use std::sync::LazyLock;
use std::time::Duration;

/// The role that the service works under.
pub const RUNTIME_ROLE: &str = "onelap_app";

static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("../migrations");
    // A later release may have migrated already. Its schema serves this one too (expand, then contract); otherwise no
    // release could be rolled back, and no old instance restarted during a deployment.
    migrator.set_ignore_missing(true);
    migrator
});

/// How long a statement may take, but for exports and traces.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a caller waits for a connection before it is told that the service is busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a connection that is given back may take to answer, rolling back what was left open; then it is cut off.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);

/// Proof that the caller may touch the rows of this team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tenant {
    /// Whom queries ask for.
    team: TeamId,
    /// Whose rows Postgres shows. Another than `team` only where a test has switched the checks off.
    bound: TeamId,
}

impl Tenant {
    /// Only after a membership or another credential of the team was checked: this is the one door.
    #[must_use]
    pub(crate) fn verified(team: TeamId) -> Self {
        Self { team, bound: team }
    }

    /// The team.
    #[must_use]
    pub fn team(self) -> TeamId {
        self.team
    }
}

#[cfg(feature = "unchecked")]
static BOUND: std::sync::Mutex<Option<TeamId>> = std::sync::Mutex::new(None);

/// Switches the application's own checks of membership off, in this process, for a test: whoever has logged in is taken
/// for an owner of whatever team they name, and queries ask for that team, while Postgres stays bound to `bound`, as it
/// would be for an honest caller. What keeps teams apart then is row-level security alone.
#[cfg(feature = "unchecked")]
pub fn switch_checks_off(bound: TeamId) {
    *BOUND.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(bound);
}

/// The tenant of a test that has switched the checks off; `None` in every other build and process.
pub(crate) fn unchecked(team: TeamId) -> Option<Tenant> {
    #[cfg(feature = "unchecked")]
    return BOUND.lock().ok().and_then(|bound| *bound).map(|bound| Tenant { team, bound });
    #[cfg(not(feature = "unchecked"))]
    {
        let _ = team;
        None
    }
}

/// The pools. Ingest has its own, so that a busy review page cannot hold up recording; and so have exports and traces,
/// so that these cannot hold up a page, a log-in or a viewer.
#[derive(Debug, Clone)]
pub struct Db {
    /// For requests and viewers of people.
    pub web: PgPool,
    /// For recording.
    pub ingest: PgPool,
    /// For what reads much: exports and traces.
    pub exports: PgPool,
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Connection or query failed.
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
    /// A migration failed.
    #[error("migration: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The runtime role could bypass row-level security.
    #[error("role {role} must not be superuser or bypass row-level security")]
    RoleTooStrong {
        /// The role.
        role: String,
    },
}

impl Db {
    /// Connects under the runtime role.
    ///
    /// # Errors
    /// [`DbError`] where the server cannot be reached or the role is too strong.
    pub async fn connect(config: &DatabaseConfig) -> Result<Self, DbError> {
        let of = |size, timeout| pool(config.runtime.clone(), size, timeout);
        let db = Self {
            web: of(config.web_connections, STATEMENT_TIMEOUT).await?,
            ingest: of(config.ingest_connections, STATEMENT_TIMEOUT).await?,
            exports: of(config.export_connections, config.export_timeout).await?,
        };
        let (role, strong): (String, bool) = sqlx::query_as(
            "select current_user::text, rolsuper or rolbypassrls from pg_roles where rolname = current_user",
        )
        .fetch_one(&db.web)
        .await?;
        if strong || role != RUNTIME_ROLE { Err(DbError::RoleTooStrong { role }) } else { Ok(db) }
    }

    /// A transaction on the rows of one team, for requests of people.
    ///
    /// # Errors
    /// Where no connection is to be had in time.
    pub async fn tenant(&self, tenant: Tenant) -> Result<TenantTx, sqlx::Error> {
        TenantTx::begin(&self.web, tenant).await
    }

    /// The same for recording.
    ///
    /// # Errors
    /// Where no connection is to be had in time.
    pub async fn tenant_ingest(&self, tenant: Tenant) -> Result<TenantTx, sqlx::Error> {
        TenantTx::begin(&self.ingest, tenant).await
    }

    /// The same for exports and traces.
    ///
    /// # Errors
    /// Where no connection is to be had in time.
    pub async fn tenant_export(&self, tenant: Tenant) -> Result<TenantTx, sqlx::Error> {
        TenantTx::begin(&self.exports, tenant).await
    }

    /// Asks the server for a sign of life.
    ///
    /// # Errors
    /// Where it gives none in time.
    pub async fn ping(&self) -> Result<(), sqlx::Error> {
        sqlx::query("select 1").execute(&self.web).await.map(drop)
    }

    /// Closes all connections, once they are given back.
    pub async fn close(&self) {
        self.web.close().await;
        self.ingest.close().await;
        self.exports.close().await;
    }

    /// A transaction in which a person sees which teams there are for them. `auth` and `accounts` alone use it.
    pub(crate) async fn person(&self, user: UserId) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.with("app.user", &user.to_string()).await
    }

    /// A transaction that sees the one rig token with this public part, to have it checked. `auth` alone uses it.
    pub(crate) async fn presented(&self, public_id: &str) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.with("app.rig_token", public_id).await
    }

    /// A transaction that sees the one API key with this public part, to have it checked. `api_keys` alone uses it.
    pub(crate) async fn presented_key(&self, public_id: &str) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.with("app.api_key", public_id).await
    }

    /// A transaction that sees the one invitation, share link, visit or pairing that this secret belongs to.
    pub(crate) async fn presented_secret(
        &self,
        hash: &Sha256Hash,
    ) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.with("app.secret", &hash.hex()).await
    }

    /// A transaction that sees which teams there are, and nothing of theirs. `operators` and the purge alone use it.
    pub(crate) async fn all_teams(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.with("app.all_teams", "on").await
    }

    async fn with(&self, setting: &str, value: &str) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let mut tx = begin(&self.web).await?;
        sqlx::query("select set_config($1, $2, true)").bind(setting).bind(value).execute(&mut *tx).await?;
        Ok(tx)
    }
}

impl Db {
    /// A transaction on what belongs to no team, for requests of people.
    ///
    /// # Errors
    /// Where no connection is to be had in time.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        begin(&self.web).await
    }
}

/// Begins a transaction, in a task of its own: a caller who goes away in the middle (a browser that closes its connection)
/// would else leave a connection in the pool whose transaction is open without sqlx knowing.
async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    tokio::spawn(async move { pool.begin().await }).await.map_err(|_| sqlx::Error::WorkerCrashed)?
}

async fn pool(options: PgConnectOptions, size: u32, statement_timeout: Duration) -> Result<PgPool, sqlx::Error> {
    let options = options.options([
        ("statement_timeout", format!("{}ms", statement_timeout.as_millis()).as_str()),
        ("idle_in_transaction_session_timeout", "30s"),
    ]);
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute("set role onelap_app").await?;
                Ok(())
            })
        })
        // What was cancelled may have left a server behind that says nothing: it must not keep its place in the pool.
        .after_release(|connection, _| {
            Box::pin(async move { within(RELEASE_TIMEOUT, connection.ping()).await.map(|()| true) })
        })
        .connect_with(options)
        .await
}

/// Does something with the database that must not take longer than this, whatever server and network do.
///
/// # Errors
/// That of the work, or that the time is over; then its connection is cut off and nothing of it is kept, unless it was
/// the commit whose answer did not come.
pub async fn within<T, E: From<sqlx::Error>>(
    deadline: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    tokio::time::timeout(deadline, work).await.unwrap_or_else(|_| {
        let what = format!("the database has not answered within {} s", deadline.as_secs());
        Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, what)).into())
    })
}

/// Applies the migrations that are missing, as the owner of the database. Several instances may call it at once: the
/// first takes a lock, the others wait.
///
/// # Errors
/// [`DbError`] where the server cannot be reached or a migration fails.
pub async fn migrate(owner: PgConnectOptions) -> Result<(), DbError> {
    let pool =
        PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(30)).connect_with(owner).await?;
    MIGRATOR.run(&pool).await?;
    pool.close().await;
    Ok(())
}

/// The check sums of the migrations, in their order: two programs with the same ones have the same schema.
pub fn migration_checksums() -> impl Iterator<Item = &'static [u8]> {
    MIGRATOR.iter().map(|migration| migration.checksum.as_ref())
}

/// A transaction that sees and writes the rows of one team only.
#[derive(Debug)]
pub struct TenantTx {
    tx: Transaction<'static, Postgres>,
    tenant: Tenant,
}

impl TenantTx {
    async fn begin(pool: &PgPool, tenant: Tenant) -> Result<Self, sqlx::Error> {
        Self::of(begin(pool).await?, tenant).await
    }

    /// The same transaction, from now on with the rows of a team in it.
    ///
    /// # Errors
    /// Where the database fails.
    pub(crate) async fn of(mut tx: Transaction<'static, Postgres>, tenant: Tenant) -> Result<Self, sqlx::Error> {
        sqlx::query("select set_config('app.team', $1, true)").bind(tenant.bound.to_string()).execute(&mut *tx).await?;
        Ok(Self { tx, tenant })
    }

    /// What goes on with another team.
    pub(crate) fn into_inner(self) -> Transaction<'static, Postgres> {
        self.tx
    }

    /// The team.
    #[must_use]
    pub fn team(&self) -> TeamId {
        self.tenant.team
    }

    /// Shows, besides the team's rows, the one row that this secret belongs to.
    ///
    /// # Errors
    /// Where the database fails.
    pub(crate) async fn present(&mut self, hash: &Sha256Hash) -> Result<(), sqlx::Error> {
        sqlx::query("select set_config('app.secret', $1, true)").bind(hash.hex()).execute(&mut **self).await.map(drop)
    }

    /// Commits.
    ///
    /// # Errors
    /// Where the commit fails; then nothing of it is kept.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        self.tx.commit().await
    }
}

impl Deref for TenantTx {
    type Target = sqlx::PgConnection;
    fn deref(&self) -> &Self::Target {
        &self.tx
    }
}

impl DerefMut for TenantTx {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.tx
    }
}
