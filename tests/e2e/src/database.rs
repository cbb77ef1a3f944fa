//! A database for each test, copied from a template that is migrated once.

use crate::feeder::Fed;
use onelap_protocol::{SessionId, TeamId};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection};
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// The advisory lock under which the template is made: several test processes begin at once.
const TEMPLATE_LOCK: i64 = 0x316c_6170;

static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// A test's own database; dropped with it.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    server: PgConnectOptions,
}

fn url() -> String {
    std::env::var("ONELAP_TEST_DATABASE_URL")
        .unwrap_or_else(|_| panic!("ONELAP_TEST_DATABASE_URL is not set: `make test` starts a Postgres and sets it"))
}

fn server() -> PgConnectOptions {
    PgConnectOptions::from_str(&url()).expect("ONELAP_TEST_DATABASE_URL is the address of a Postgres database")
}

impl TestDatabase {
    /// Creates one.
    pub async fn create() -> Self {
        let server = server();
        let template = TEMPLATE.get_or_init(|| template(server.clone())).await;
        let name = format!("onelap_test_{}", Uuid::new_v4().simple());
        let mut connection = PgConnection::connect_with(&server).await.expect("Postgres answers");
        let create = format!(r#"create database "{name}" template "{template}""#);
        connection.execute(sqlx::AssertSqlSafe(create)).await.expect("the role may create databases");
        Self { name, server }
    }

    /// Where the server listens.
    ///
    /// # Panics
    /// Where it is not on this machine.
    #[must_use]
    pub fn server_address() -> (std::net::IpAddr, u16) {
        let server = server();
        let host = server.get_host().replace("localhost", "127.0.0.1");
        (host.parse().expect("the test server listens on loopback"), server.get_port())
    }

    /// Its address, for another process.
    #[must_use]
    pub fn url(&self) -> String {
        // The test server's address ends with the name of its own database.
        let url = url();
        url.rsplit_once('/').map_or_else(|| url.clone(), |(server, _)| format!("{server}/{}", self.name))
    }

    /// Where it is, for the owner.
    pub(crate) fn options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    /// A pool for the owner, to look inside.
    pub async fn pool(&self) -> sqlx::PgPool {
        PgPoolOptions::new().max_connections(2).connect_with(self.options()).await.expect("the database is there")
    }
}

/// What is recorded of a session, seen in one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Stored {
    /// Up to where the session's row says that it is committed.
    pub sequence: i64,
    /// Samples in its chunks.
    pub samples: i64,
    /// Its laps.
    pub laps: i64,
    /// Laps that its stints count.
    pub stint_laps: i64,
    /// The last lap of its stints.
    pub stint_end: i64,
}

impl Stored {
    /// Looks at a session of a team.
    ///
    /// # Errors
    /// Where Postgres ends the connection.
    pub async fn of(pool: &sqlx::PgPool, team: TeamId, session: SessionId) -> Result<Option<Self>, sqlx::Error> {
        let mut tx = pool.begin().await?;
        sqlx::query("select set_config('app.team', $1, true)").bind(team.to_string()).execute(&mut *tx).await?;
        // One statement sees one moment.
        sqlx::query_as(
            "select sequence,
                    (select coalesce(sum(samples), 0)::bigint from chunks where session_id = s.id) as samples,
                    (select count(*) from laps where session_id = s.id) as laps,
                    (select coalesce(sum(laps), 0)::bigint from stints where session_id = s.id) as stint_laps,
                    (select coalesce(max(last_lap), 0)::bigint from stints where session_id = s.id) as stint_end
             from sessions s where id = $1",
        )
        .bind(session.0)
        .fetch_optional(&mut *tx)
        .await
    }

    /// Whether everything belongs together that a [`crate::feeder::Feeder`] has sent up to the place of the row.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        let fed = Fed { sent: self.sequence as u64, ..Fed::default() };
        let laps = fed.laps() as i64;
        self.samples == fed.samples() as i64 && [self.laps, self.stint_laps, self.stint_end] == [laps; 3]
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // Not on the test's runtime, which may be ending.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                if let Ok(mut connection) = PgConnection::connect_with(&server).await {
                    let drop = format!(r#"drop database if exists "{name}" with (force)"#);
                    let _ = connection.execute(sqlx::AssertSqlSafe(drop)).await;
                }
            });
        });
        let _ = dropped.join();
    }
}

/// Makes the template if it is not there; its name follows from the migrations.
async fn template(server: PgConnectOptions) -> String {
    let mut hash = std::hash::DefaultHasher::new();
    onelap_service::db::migration_checksums().for_each(|sum| sum.hash(&mut hash));
    let name = format!("onelap_template_{:016x}", hash.finish());
    let mut connection = PgConnection::connect_with(&server).await.expect("Postgres answers");
    sqlx::query("select pg_advisory_lock($1)").bind(TEMPLATE_LOCK).execute(&mut connection).await.expect("lock");
    let there: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(&name)
        .fetch_one(&mut connection)
        .await
        .expect("a list of databases");
    if !there {
        let unfinished = format!("{name}_new");
        for sql in [
            format!(r#"drop database if exists "{unfinished}" with (force)"#),
            format!(r#"create database "{unfinished}""#),
        ] {
            connection.execute(sqlx::AssertSqlSafe(sql)).await.expect("the role may create databases");
        }
        onelap_service::db::migrate(server.database(&unfinished)).await.expect("the migrations run");
        let rename = format!(r#"alter database "{unfinished}" rename to "{name}""#);
        connection.execute(sqlx::AssertSqlSafe(rename)).await.expect("renamed");
    }
    sqlx::query("select pg_advisory_unlock($1)").bind(TEMPLATE_LOCK).execute(&mut connection).await.expect("unlock");
    name
}
