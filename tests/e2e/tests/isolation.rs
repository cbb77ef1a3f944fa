//! What Postgres itself keeps apart, whatever the service asks it.

#![expect(clippy::unwrap_used, reason = "what goes wrong here is the failure of a test")]

use e2e::world::World;
use e2e::{Team, TestApp};
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::BTreeSet;

/// Tables that belong to no team: people's own, the list of migrations, what tells sockets to look again.
const NOT_TENANTS: &[&str] = &[
    "users",
    "refresh_tokens",
    "logins",
    "login_ends",
    "recovery_codes",
    "mail_links",
    "signups",
    "_sqlx_migrations",
    "authority_changes",
];

#[tokio::test]
async fn every_tenant_table_is_under_forced_row_level_security() {
    let app = TestApp::spawn().await;
    let pool = app.owner_pool().await;
    let rows = sqlx::query(
        "select c.relname::text as name, c.relrowsecurity and c.relforcerowsecurity as forced,
                pg_get_userbyid(c.relowner)::text as owner,
                exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'team_id' and not a.attisdropped) as of_team,
                (select count(*) from pg_policy p where p.polrelid = c.oid and p.polpermissive and p.polcmd = '*'
                     and p.polqual is not null and p.polwithcheck is not null) as policies,
                (select coalesce(array_agg(p.polname::text), '{}') from pg_policy p where p.polrelid = c.oid and p.polcmd = '*'
                     and p.polname = 'tenant' and pg_get_expr(p.polqual, p.polrelid) = pg_get_expr(p.polwithcheck, p.polrelid)) as tenant
         from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let mut tenants = BTreeSet::new();
    for row in &rows {
        let (name, forced, of_team): (String, bool, bool) = (row.get("name"), row.get("forced"), row.get("of_team"));
        let (owner, policies): (String, i64) = (row.get("owner"), row.get("policies"));
        assert_ne!(owner, "onelap_app", "{name}: the runtime role owns nothing");
        if NOT_TENANTS.contains(&name.as_str()) {
            assert!(!of_team, "{name} has rows of teams");
            continue;
        }
        assert!(forced, "{name}: row-level security is not enabled and forced");
        assert!(policies >= 1, "{name}: no policy with USING and WITH CHECK");
        if of_team {
            assert_eq!(row.get::<Vec<String>, _>("tenant").len(), 1, "{name}: no policy by team_id");
            tenants.insert(name);
        } else {
            assert!(
                ["teams", "pairings"].contains(&name.as_str()),
                "{name} is neither a team's nor known to be nobody's"
            );
        }
    }
    assert!(tenants.len() >= 17, "{tenants:?}");
    let strong: (bool, bool, bool, bool) = sqlx::query_as(
        "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles where rolname = 'onelap_app'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(strong, (false, false, false, false));
    let owned: i64 = sqlx::query_scalar("select count(*) from pg_class where pg_get_userbyid(relowner) = 'onelap_app'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(owned, 0);
}

#[tokio::test]
async fn references_between_tenant_tables_carry_the_team() {
    let app = TestApp::spawn().await;
    // A foreign key from a team's table to another of a team that leaves team_id out could point across.
    let astray: Vec<String> = sqlx::query_scalar(
        "select k.conname::text from pg_constraint k
         where k.contype = 'f'
           and exists (select from pg_attribute a where a.attrelid = k.conrelid and a.attname = 'team_id')
           and exists (select from pg_attribute a where a.attrelid = k.confrelid and a.attname = 'team_id')
           and not exists (select from pg_attribute a where a.attrelid = k.conrelid and a.attname = 'team_id' and a.attnum = any(k.conkey))",
    )
    .fetch_all(&app.owner_pool().await)
    .await
    .unwrap();
    assert_eq!(astray, Vec::<String>::new());
}

async fn runtime(app: &TestApp, team: Option<&Team>) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut tx = app.state().db.web.begin().await.unwrap();
    let role: String = sqlx::query_scalar("select current_user::text").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(role, "onelap_app");
    if let Some(team) = team {
        let id = team.id.to_string();
        sqlx::query("select set_config('app.team', $1, true)").bind(&id).execute(&mut *tx).await.unwrap();
    }
    tx
}

async fn tenant_tables(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "select c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
           and a.attname = 'team_id' order by 1",
    )
    .fetch_all(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn another_teams_rows_can_be_neither_read_nor_written_by_any_statement() {
    let app = TestApp::spawn().await;
    let world = World::new(&app).await;
    let (ours, theirs) = (world.furnish("ours").await, world.furnish("theirs").await);
    let (ours, theirs) = (ours.owner.clone(), theirs.owner.clone());
    let tables = tenant_tables(&mut *runtime(&app, None).await).await;
    let mut seen = 0;
    for table in &tables {
        let count = format!("select count(*) from {table} where team_id = $1");
        let count = async |team: Option<&Team>, of: &Team| -> i64 {
            let mut tx = runtime(&app, team).await;
            sqlx::query_scalar(AssertSqlSafe(count.clone())).bind(of.id.0).fetch_one(&mut *tx).await.unwrap()
        };
        let own = count(Some(&theirs), &theirs).await;
        seen += i64::from(own > 0);
        assert_eq!(count(Some(&ours), &theirs).await, 0, "{table}: read");
        assert_eq!(count(None, &theirs).await, 0, "{table}: read without a team");
        for change in ["delete from {} where team_id = $1", "update {} set team_id = team_id where team_id = $1"] {
            let mut tx = runtime(&app, Some(&ours)).await;
            let change = change.replace("{}", table);
            match sqlx::query(AssertSqlSafe(change.clone())).bind(theirs.id.0).execute(&mut *tx).await {
                Ok(done) => assert_eq!(done.rows_affected(), 0, "{change}"),
                // Nothing changes the audit log, not even its own team.
                Err(error) => {
                    assert!(table == "audit_log" && error.to_string().contains("permission"), "{change}: {error}");
                }
            }
            tx.commit().await.unwrap_or_default();
        }
        // Our own rows, given to them.
        let mut tx = runtime(&app, Some(&ours)).await;
        let give = format!("update {table} set team_id = $1 where team_id = $2");
        let given = sqlx::query(AssertSqlSafe(give)).bind(theirs.id.0).bind(ours.id.0).execute(&mut *tx).await;
        let is_refused = given.as_ref().map_or_else(
            |error| error.to_string().contains("row-level security") || error.to_string().contains("permission"),
            |done| done.rows_affected() == 0,
        );
        assert!(is_refused, "{table}: {given:?}");
        drop(tx);
        // A copy of one of our rows, as theirs: WITH CHECK stands before any other constraint.
        let mut tx = runtime(&app, Some(&ours)).await;
        let insert = format!(
            "insert into {table} select (jsonb_populate_record(t, jsonb_build_object('team_id', $1::text))).* from {table} t limit 1"
        );
        let inserted = sqlx::query(AssertSqlSafe(insert)).bind(theirs.id.to_string()).execute(&mut *tx).await;
        let is_refused = inserted
            .as_ref()
            .map_or_else(|error| error.to_string().contains("row-level security"), |done| done.rows_affected() == 0);
        assert!(is_refused, "{table}: {inserted:?}");
        drop(tx);
        assert_eq!(count(Some(&theirs), &theirs).await, own, "{table} is as it was");
    }
    assert_eq!(seen, tables.len() as i64, "every table had rows to be kept apart");
}

#[tokio::test]
async fn teams_themselves_and_secrets_are_shown_to_nobody_who_does_not_present_one() {
    let app = TestApp::spawn().await;
    let world = World::new(&app).await;
    let (ours, theirs) = (world.furnish("ours").await, world.furnish("theirs").await);
    let (ours, theirs) = (ours.owner.clone(), theirs.owner.clone());
    let mut tx = runtime(&app, Some(&ours)).await;
    let teams: Vec<uuid::Uuid> = sqlx::query_scalar("select id from teams").fetch_all(&mut *tx).await.unwrap();
    assert_eq!(teams, [ours.id.0]);
    let renamed = sqlx::query("update teams set name = 'x' where id = $1").bind(theirs.id.0).execute(&mut *tx).await;
    assert_eq!(renamed.unwrap().rows_affected(), 0);
    drop(tx);
    // An operator's transaction sees which teams there are, and changes none.
    let mut tx = runtime(&app, None).await;
    sqlx::query("select set_config('app.all_teams', 'on', true)").execute(&mut *tx).await.unwrap();
    let teams: i64 = sqlx::query_scalar("select count(*) from teams").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(teams, 7, "those of five people, and two");
    for sql in ["update teams set name = 'x'", "delete from teams"] {
        assert_eq!(sqlx::query(sql).execute(&mut *tx).await.unwrap().rows_affected(), 0, "{sql}");
    }
    for table in ["team_members", "rigs", "sessions", "audit_log", "shares"] {
        let count = format!("select count(*) from {table}");
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&mut *tx).await.unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    drop(tx);
    // A wrong secret shows nothing, the right one its own row only.
    let hash: String = sqlx::query_scalar("select encode(secret_hash, 'hex') from shares limit 1")
        .fetch_one(&mut *runtime(&app, Some(&theirs)).await)
        .await
        .unwrap();
    for (secret, rows) in [("00".repeat(32), 0i64), (hash, 1)] {
        let mut tx = runtime(&app, None).await;
        sqlx::query("select set_config('app.secret', $1, true)").bind(&secret).execute(&mut *tx).await.unwrap();
        let seen: i64 = sqlx::query_scalar("select count(*) from shares").fetch_one(&mut *tx).await.unwrap();
        assert_eq!(seen, rows);
        let changed = sqlx::query("update shares set shows_setup = true").execute(&mut *tx).await.unwrap();
        assert_eq!(changed.rows_affected(), 0, "seeing it is not changing it");
    }
}

#[tokio::test]
async fn what_was_written_to_the_audit_log_stays_as_it_was() {
    let app = TestApp::spawn().await;
    let ours = World::new(&app).await.furnish("ours").await.owner;
    for sql in ["update audit_log set action = 'x'", "delete from audit_log", "truncate audit_log"] {
        let mut tx = runtime(&app, Some(&ours)).await;
        let refused = sqlx::query(sql).execute(&mut *tx).await.unwrap_err();
        assert!(refused.to_string().contains("permission denied"), "{sql}: {refused}");
    }
}
