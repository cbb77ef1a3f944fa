//! What was recorded, as engineers read it afterwards, and the walls between teams in the database itself.

use e2e::{RawAgent, Team, TestApp};
use onelap_protocol::agent::{EndReason, Record};
use onelap_protocol::setup::{Setup, SetupArea, SetupItem};
use onelap_protocol::{Batch, Channel};
use serde_json::{Value, json};
use sqlx::{Executor, PgPool};

fn setup(bias: &str) -> Setup {
    let item = SetupItem {
        key: "VM_BRAKE_BALANCE".into(),
        area: SetupArea::Brakes,
        label: "Brake bias".into(),
        corner: None,
        text: bias.into(),
        step: Some(7),
    };
    Setup { name: Some("Race".into()), items: vec![item] }
}

/// A session of three laps with two setups, all of it committed.
async fn three_laps(agent: &mut RawAgent) {
    agent.begin().await;
    agent.record(Record::Setup { at_s: 1.0, setup: setup("55.0:45.0") }).await;
    for lap in 1..=3u16 {
        for i in 0..5u8 {
            agent.batch(lap, f64::from(lap) * 10.0 + f64::from(i)).await;
        }
        agent.lap(lap).await;
    }
    agent.record(Record::Setup { at_s: 200.0, setup: setup("54.0:46.0") }).await;
    agent.record(Record::Setup { at_s: 300.0, setup: setup("55.0:45.0") }).await;
    agent.record(Record::End { reason: EndReason::Left }).await;
    agent.acknowledged(agent.sequence).await;
}

#[tokio::test]
async fn a_session_is_listed_and_read_with_everything_about_our_car() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let mut agent = rig.agent().await;
    three_laps(&mut agent).await;

    let page = ours.get("/sessions").await.json();
    assert_eq!((page["sessions"].as_array().map(Vec::len), &page["next"]), (Some(1), &Value::Null));
    let summary = &page["sessions"][0];
    assert_eq!((&summary["id"], &summary["rig"]), (&json!(agent.session), &json!(rig.id)));
    assert_eq!((&summary["track"], &summary["kind"]), (&json!("Portimão"), &json!("race")));
    assert_eq!((&summary["laps"], &summary["best_ms"]), (&json!(3), &json!(95_001)));
    assert_eq!(summary["end_reason"], "left");
    assert_eq!(summary["started_at"], "2026-09-21T14:13:20Z");

    let detail = ours.session(agent.session).await;
    assert_eq!(&detail["summary"], summary);
    assert_eq!(detail["info"]["car_name"], "Porsche 963");
    let laps = detail["laps"].as_array().unwrap();
    let times: Vec<u64> = laps.iter().map(|lap| lap["time_ms"].as_u64().unwrap()).collect();
    assert_eq!(times, [95_001, 95_002, 95_003]);
    assert_eq!(laps[0]["sectors_ms"], json!([30_000, 30_000, 35_001]));
    assert_eq!((&laps[1]["fuel_used_l"], &laps[1]["tire_wear_pct"]), (&json!(2.5), &json!([1.0, 2.0, 3.0, 4.0])));
    assert_eq!(detail["stints"][0]["laps"], 3);
    assert_eq!(detail["cars"][0]["drivers"], json!(["Jürgen Müller"]));
    assert_eq!(detail["cars"][0]["own"], true);
    assert_eq!(detail["pit_stops"], json!([]));

    let car = ours.get(&format!("/sessions/{}/cars/7-abc123", agent.session)).await.json();
    assert_eq!(car["laps"], detail["laps"]);
    let nobody = ours.get(&format!("/sessions/{}/cars/99-zzz", agent.session)).await.json();
    assert_eq!(nobody["laps"], json!([]));
}

#[tokio::test]
async fn a_setup_is_kept_once_and_found_by_its_hash() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    three_laps(&mut agent).await;
    let detail = ours.session(agent.session).await;
    let setups = detail["setups"].as_array().unwrap();
    let at: Vec<f64> = setups.iter().map(|s| s["at_s"].as_f64().unwrap()).collect();
    assert_eq!(at, [1.0, 200.0, 300.0]);
    assert_eq!(setups[0]["hash"], setups[2]["hash"]);
    assert_ne!(setups[0]["hash"], setups[1]["hash"]);
    let hash = setups[1]["hash"].as_str().unwrap();
    let found = ours.get(&format!("/setups/{hash}")).await;
    assert_eq!(serde_json::from_str::<Setup>(&found.body).unwrap(), setup("54.0:46.0"));

    let theirs = app.team("theirs").await;
    assert_eq!(theirs.get(&format!("/setups/{hash}")).await.status, 404);
    assert_eq!(ours.get("/setups/54").await.status, 404);
}

#[tokio::test]
async fn a_laps_samples_are_its_own_and_only_those_channels_that_were_asked_for() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    three_laps(&mut agent).await;
    let base = format!("/sessions/{}/laps", agent.session);

    let answer = ours.get(&format!("{base}/2/trace")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/vnd.onelap.trace")));
    let (header, batch) = Batch::decode(&answer.bytes).unwrap();
    assert_eq!((header.session, header.samples), (agent.session, 10));
    let speeds: Vec<f64> = (0..10).map(|i| batch.value(Channel::Speed, i).unwrap()).collect();
    assert_eq!(speeds, [20.0, 21.0, 21.0, 22.0, 22.0, 23.0, 23.0, 24.0, 24.0, 25.0]);
    assert!(batch.column(Channel::Lap).iter().all(|lap| *lap == 2));

    let some = ours.get(&format!("{base}/2/trace?channels=speed,throttle")).await;
    let (_, batch) = Batch::decode(&some.bytes).unwrap();
    assert_eq!((batch.value(Channel::Speed, 0), batch.value(Channel::Lap, 0)), (Some(20.0), None));

    let wrong = ours.get(&format!("{base}/2/trace?channels=speed,spede")).await;
    assert_eq!((wrong.status, &wrong.json()["error"]["field"]), (422, &json!("channels")));
    assert!(wrong.message().contains("spede"), "{}", wrong.message());
    let wrong = ours.get(&format!("{base}/two/trace")).await;
    assert_eq!((wrong.status, &wrong.json()["error"]["field"]), (422, &json!("lap")));
    assert_eq!(ours.get(&format!("{base}/9/trace")).await.status, 404);
}

#[tokio::test]
async fn a_stretch_of_session_time_has_its_samples_across_laps_and_chunks() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    three_laps(&mut agent).await;
    let base = format!("/sessions/{}/trace", agent.session);
    let of = async |query: &str| ours.get(&format!("{base}?{query}")).await;
    let times = |answer: &e2e::Answer| {
        let (_, batch) = Batch::decode(&answer.bytes).unwrap();
        (0..batch.len()).map(|i| batch.value(Channel::SessionTime, i).unwrap()).collect::<Vec<f64>>()
    };
    let all = of("from_s=0&to_s=60").await;
    assert_eq!((all.status, all.header("content-type")), (200, Some("application/vnd.onelap.trace")));
    let all = times(&all);
    assert_eq!(all.len(), 30, "three laps of five batches of two samples");
    let (from_s, to_s) = (all[7], all[22]);
    assert_eq!(times(&of(&format!("from_s={from_s}&to_s={to_s}")).await), all[7..=22], "over two lines, both ends");

    let some = of(&format!("from_s={from_s}&to_s={to_s}&channels=speed")).await;
    let (header, batch) = Batch::decode(&some.bytes).unwrap();
    assert_eq!((header.samples, batch.value(Channel::SessionTime, 0)), (16, None));
    assert!(batch.value(Channel::Speed, 0).is_some());

    assert_eq!(of("from_s=900&to_s=1000").await.status, 404, "nothing was recorded then");
    for (query, status, said) in [
        ("from_s=0&to_s=1801", 422, "1800 seconds"),
        ("from_s=5&to_s=4", 422, "ends after it begins"),
        ("from_s=0&to_s=NaN", 422, "seconds"),
        ("from_s=0&to_s=60&channels=spede", 422, "spede"),
        ("from_s=0", 400, "to_s"),
    ] {
        let wrong = of(query).await;
        assert_eq!(wrong.status, status, "{query}: {}", wrong.body);
        assert!(wrong.message().contains(said), "{query}: {}", wrong.message());
    }
}

/// Writes rows as the owner, under a team's name.
async fn as_team(owner: &PgPool, team: &Team, sql: &str) -> Result<u64, sqlx::Error> {
    let mut tx = owner.begin().await?;
    sqlx::query("select set_config('app.team', $1, true)").bind(team.id.to_string()).execute(&mut *tx).await?;
    let done = tx.execute(sqlx::AssertSqlSafe(sql.to_owned())).await?;
    tx.commit().await?;
    Ok(done.rows_affected())
}

#[tokio::test]
async fn sessions_come_page_by_page_newest_first() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let mut agent = ours.rig("RIG_A").await.agent().await;
    three_laps(&mut agent).await;
    // Seven in all, three of which began at the same moment.
    let owner = app.owner_pool().await;
    let copies = "insert into sessions (team_id, id, rig_id, info, game, kind, track, car_name, class, driver, own_car,
                                        started_at, last_at, epoch, sequence, checkpoint)
        select team_id, gen_random_uuid(), rig_id, info, game, kind, track, car_name, class, driver, own_car,
               started_at - (n / 3) * interval '1 hour', last_at, epoch, sequence, checkpoint
        from sessions, generate_series(1, 6) n";
    assert_eq!(as_team(&owner, &ours, copies).await.unwrap(), 6);

    let whole = ours.get("/sessions").await.json();
    let whole = whole["sessions"].as_array().unwrap().clone();
    assert_eq!(whole.len(), 7);
    assert!(whole.is_sorted_by(|a, b| a["started_at"].as_str() >= b["started_at"].as_str()));

    let (mut paged, mut before) = (Vec::new(), String::new());
    loop {
        let page = ours.get(&format!("/sessions?limit=3{before}")).await.json();
        paged.extend(page["sessions"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        assert_eq!(paged.len() % 3, 0);
        before = format!("&before={next}");
    }
    assert_eq!(paged, whole);

    for (query, field) in
        [("limit=0", "limit"), ("limit=many", "limit"), ("limit=201", "limit"), ("before=x", "before")]
    {
        let wrong = ours.get(&format!("/sessions?{query}")).await;
        assert_eq!((wrong.status, &wrong.json()["error"]["field"]), (422, &json!(field)), "{query}");
    }
}

#[tokio::test]
async fn what_a_deleted_rig_recorded_stays() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let rig = ours.rig("RIG_A").await;
    let mut agent = rig.agent().await;
    three_laps(&mut agent).await;
    let path = format!("/api/teams/{}/rigs/{}", ours.id, rig.id);
    assert_eq!(ours.request("DELETE", &path, None).await.status, 204);
    let detail = ours.session(agent.session).await;
    assert_eq!((&detail["summary"]["rig"], &detail["summary"]["rig_name"]), (&Value::Null, &Value::Null));
    assert_eq!(detail["laps"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn every_table_of_a_team_has_forced_row_level_security() {
    let app = TestApp::spawn().await;
    let owner = app.owner_pool().await;
    // (table, enabled, forced, has a policy that binds reading and writing to the team)
    let tables: Vec<(String, bool, bool, bool)> = sqlx::query_as(
        "select c.relname::text, c.relrowsecurity, c.relforcerowsecurity,
                exists (select from pg_policy p where p.polrelid = c.oid and p.polcmd = '*'
                        and pg_get_expr(p.polqual, c.oid) like '%app_team()%'
                        and pg_get_expr(p.polwithcheck, c.oid) like '%app_team()%')
         from pg_class c
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
           and (c.relname = 'teams' or exists (
               select from pg_attribute a where a.attrelid = c.oid and a.attname = 'team_id' and not a.attisdropped))
         order by 1",
    )
    .fetch_all(&owner)
    .await
    .unwrap();
    assert!(tables.len() >= 13, "{tables:?}");
    for (table, enabled, forced, bound) in tables {
        assert!(enabled && forced && bound, "{table}: enabled {enabled}, forced {forced}, bound {bound}");
    }
    // What belongs to no team is known by name: a new table has to choose.
    let others: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'teams'
           and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'team_id')
         order by 1",
    )
    .fetch_all(&owner)
    .await
    .unwrap();
    let people = ["login_ends", "logins", "mail_links", "recovery_codes", "refresh_tokens", "signups", "users"];
    let mut expected = [&["_sqlx_migrations", "authority_changes", "pairings"], &people[..]].concat();
    expected.sort_unstable();
    assert_eq!(others, expected);
}

#[tokio::test]
async fn the_runtime_role_owns_nothing_and_bypasses_nothing() {
    let app = TestApp::spawn().await;
    let role: (bool, bool, bool, bool, i64) = sqlx::query_as(
        "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,
                (select count(*) from pg_class where relowner = r.oid)
                + (select count(*) from pg_proc where proowner = r.oid)
                + (select count(*) from pg_namespace where nspowner = r.oid)
                + (select count(*) from pg_database where datdba = r.oid)
         from pg_roles r where rolname = current_user",
    )
    .fetch_one(&app.state().db.web)
    .await
    .unwrap();
    assert_eq!(role, (false, false, false, false, 0));
    for pool in [&app.state().db.web, &app.state().db.ingest] {
        let role: String = sqlx::query_scalar("select current_user::text").fetch_one(pool).await.unwrap();
        assert_eq!(role, "onelap_app");
    }
}

#[tokio::test]
async fn the_database_itself_keeps_teams_apart() {
    let app = TestApp::spawn().await;
    let (ours, theirs) = (app.team("ours").await, app.team("theirs").await);
    let mut agent = ours.rig("RIG_A").await.agent().await;
    three_laps(&mut agent).await;
    let runtime = &app.state().db.web;
    let seen = async |team: Option<&Team>, table: &str| -> i64 {
        let mut tx = runtime.begin().await.unwrap();
        if let Some(team) = team {
            let set = "select set_config('app.team', $1, true)";
            sqlx::query(set).bind(team.id.to_string()).execute(&mut *tx).await.unwrap();
        }
        let count = format!("select count(*) from {table}");
        let rows = sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&mut *tx).await.unwrap();
        tx.rollback().await.unwrap();
        rows
    };
    for table in ["sessions", "laps", "stints", "chunks", "setups", "session_setups", "rigs", "rig_tokens"] {
        assert!(seen(Some(&ours), table).await > 0, "{table}");
        assert_eq!(seen(Some(&theirs), table).await, 0, "{table}");
        assert_eq!(seen(None, table).await, 0, "{table}: no team, no rows");
    }
    assert_eq!(seen(Some(&theirs), "teams").await, 1);

    // Writing into another team's rows, or moving a row there, is refused; changing them finds nothing.
    let owner = app.owner_pool().await;
    let insert = format!("insert into rigs (team_id, id, name) values ('{}', gen_random_uuid(), 'x')", ours.id);
    let refused = as_team(&owner, &theirs, &insert).await.unwrap_err().to_string();
    assert!(refused.contains("row-level security"), "{refused}");
    let steal = format!("update sessions set team_id = '{}'", theirs.id);
    assert!(as_team(&owner, &ours, &steal).await.is_err());
    assert_eq!(as_team(&owner, &theirs, "delete from laps").await.unwrap(), 0);
    assert_eq!(seen(Some(&ours), "laps").await, 3);
}

#[tokio::test]
async fn a_person_sees_their_own_memberships_and_no_others() {
    let app = TestApp::spawn().await;
    let (ours, _) = (app.team("ours").await, app.team("theirs").await);
    let me = ours.request("GET", "/api/me", None).await.json();
    let mut tx = app.state().db.web.begin().await.unwrap();
    let user = me["user"]["id"].as_str().unwrap();
    sqlx::query("select set_config('app.user', $1, true)").bind(user).execute(&mut *tx).await.unwrap();
    let teams: Vec<String> = sqlx::query_scalar("select name from teams").fetch_all(&mut *tx).await.unwrap();
    assert_eq!(teams, ["ours"]);
    let members: i64 = sqlx::query_scalar("select count(*) from team_members").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(members, 1);
    // Knowing oneself gives no right to write.
    let join = "insert into team_members (team_id, user_id, role) select gen_random_uuid(), $1::uuid, 'owner'";
    assert!(sqlx::query(join).bind(user).execute(&mut *tx).await.is_err());
    tx.rollback().await.unwrap();
}
