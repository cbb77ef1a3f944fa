//! A database for each test, copied from a template that is migrated once.

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
