//! The service with its own checks of membership switched off: what keeps teams apart then is Postgres alone.
//!
//! In a program of its own, because the switch is for the whole process.

#![expect(clippy::unwrap_used, reason = "what goes wrong here is the failure of a test")]

use e2e::world::{Furnished, World, routes};
use e2e::{Team, TestApp};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// Everything that is stored of a team, as text.
async fn dump(app: &TestApp, team: &Team) -> BTreeMap<String, Vec<String>> {
    let mut tx = app.owner_pool().await.begin().await.unwrap();
    let id = team.id.to_string();
    sqlx::query("select set_config('app.team', $1, true)").bind(&id).execute(&mut *tx).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
           and a.attname = 'team_id'",
    )
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    let mut all = BTreeMap::new();
    for table in tables.into_iter().chain(["teams".to_owned()]) {
        let rows = format!("select t::text from {table} t order by 1");
        all.insert(table, sqlx::query_scalar(AssertSqlSafe(rows)).fetch_all(&mut *tx).await.unwrap());
    }
    all
}

#[tokio::test]
async fn postgres_alone_keeps_teams_apart() {
    let app = TestApp::spawn_with(&[("CLIENT_IP_HEADER", "x-client-ip")]).await;
    let world = World::new(&app).await;
    let ours = world.furnish("ours").await;
    let theirs: Furnished = world.furnish("theirs secret name").await;
    let before = dump(&app, &theirs.owner).await;
    assert!(before.values().filter(|rows| !rows.is_empty()).count() >= 18);

    // Whoever has logged in is now taken for an owner of any team; the database is bound to the caller's own.
    onelap_service::db::switch_checks_off(ours.owner.id);
    let mut reached = 0;
    for route in routes() {
        if !route.path.starts_with("/api/teams/{team}") {
            continue;
        }
        let request = route.fill(&theirs);
        let answer = ours.owner.request(&route.method, &request.path, request.body.clone()).await;
        assert!(![401, 403].contains(&answer.status), "{route}: the checks are off: {}", answer.body);
        reached += 1;
        for secret in theirs.marks() {
            assert!(!answer.body.contains(&secret), "{route} gave {secret} away: {}", answer.body);
        }
        let is_empty = |value: &Value| value.as_array().is_none_or(Vec::is_empty);
        if answer.status == 200 && route.method == "GET" && !route.path.ends_with("/export") {
            let body: Value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
            let lists = ["sessions", "entries"].map(|name| &body[name]);
            assert!(is_empty(&body) && lists.into_iter().all(is_empty), "{route} showed something: {}", answer.body);
        }
    }
    assert!(reached >= 35, "{reached}");
    assert_eq!(dump(&app, &theirs.owner).await, before, "and nothing of theirs was changed");
}
