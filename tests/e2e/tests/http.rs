//! What every answer carries, what operators ask, and the web app's files.

use e2e::{TestApp, eventually};
use serde_json::Value;
use sqlx::{Connection, Executor};

#[tokio::test]
async fn every_answer_carries_a_trace_id_and_tells_browsers_what_not_to_do() {
    let app = TestApp::spawn().await;
    for path in ["/", "/api/me", "/api/nothing", "/api/channels", "/healthz", "/api/docs/"] {
        let answer = app.request("GET", path, &[], None).await;
        assert_eq!(answer.header("x-trace-id").map(str::len), Some(32), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{path}");
        let policy = answer.header("content-security-policy").expect(path);
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        let scripts = policy.split(';').find(|part| part.trim().starts_with("script-src")).unwrap_or_default();
        assert!(!scripts.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("strict-transport-security"), None, "not over plain http");
    }
}

#[tokio::test]
async fn a_callers_trace_is_carried_into_header_and_error() {
    let app = TestApp::spawn().await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = app.request("GET", "/api/me", &[("traceparent", parent)], None).await;
    assert_eq!(answer.header("x-trace-id"), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    assert_eq!(answer.json()["error"]["trace"], "4bf92f3577b34da6a3ce929d0e0e4736");
}

#[tokio::test]
async fn an_unknown_address_of_the_api_is_an_error_in_json() {
    let app = TestApp::spawn().await;
    for (method, path) in [("GET", "/api/nothing"), ("GET", "/api"), ("POST", "/somewhere"), ("PUT", "/api/nothing")] {
        let answer = app.request(method, path, &[("origin", "http://1lap.test")], None).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{method} {path}");
    }
}

#[tokio::test]
async fn what_is_not_done_with_an_address_is_said() {
    let app = TestApp::spawn().await;
    let answer = app.request("DELETE", "/api/teams/x/rigs", &[("origin", "http://1lap.test")], None).await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, POST")), "{}", answer.body);
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_an_error_in_json() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    let twice = ours.get("/sessions?limit=1&limit=2").await;
    assert_eq!((twice.status, twice.code().as_str()), (400, "malformed"), "{}", twice.body);
}

#[tokio::test]
async fn figures_have_routes_and_never_paths() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    ours.get("/rigs").await;
    app.request("GET", "/some/page/of/the/app", &[], None).await;
    app.request("BREW", "/api/nothing/7", &[], None).await;
    let figures = app.request("GET", "/metrics", &[], None).await;
    assert!(figures.header("content-type").unwrap().starts_with("text/plain"));
    let line = r#"onelap_http_request_seconds_count{method="GET",route="/api/teams/{team}/rigs",status="200"} 1"#;
    assert!(figures.body.contains(line), "{}", figures.body);
    assert!(figures.body.contains(r#"method="other",route="web""#), "{}", figures.body);
    assert!(!figures.body.contains(&ours.id.to_string()) && !figures.body.contains("BREW"));
    assert!(figures.body.contains("onelap_agents 0"));
}

#[tokio::test]
async fn a_database_that_is_gone_is_said_without_telling_more() {
    let app = TestApp::spawn().await;
    let ours = app.team("ours").await;
    assert_eq!(app.request("GET", "/readyz", &[], None).await.status, 200);

    // Postgres lives on and lets nobody into this database.
    let url = std::env::var("ONELAP_TEST_DATABASE_URL").unwrap();
    let mut server = sqlx::PgConnection::connect(&url).await.unwrap();
    let name: String =
        sqlx::query_scalar("select current_database()").fetch_one(&app.owner_pool().await).await.unwrap();
    let close = format!(r#"alter database "{name}" allow_connections false"#);
    server.execute(sqlx::AssertSqlSafe(close)).await.unwrap();
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1";
    sqlx::query(end).bind(&name).execute(&mut server).await.unwrap();

    let gone = eventually("the service notices", || async {
        let answer = app.request("GET", "/readyz", &[], None).await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    for answer in [gone, ours.get("/rigs").await] {
        assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"));
        assert!(answer.header("retry-after").is_some());
        assert!(!answer.body.contains(&name) && !answer.body.contains("connection"), "{}", answer.body);
    }
    assert_eq!(app.request("GET", "/healthz", &[], None).await.status, 200);

    let open = format!(r#"alter database "{name}" allow_connections true"#);
    server.execute(sqlx::AssertSqlSafe(open)).await.unwrap();
    eventually("the service is ready again", || async {
        (app.request("GET", "/readyz", &[], None).await.status == 200).then_some(())
    })
    .await;
    assert_eq!(ours.get("/rigs").await.status, 200);
}

#[tokio::test]
async fn the_description_is_served_as_it_is_committed_and_shown_on_a_page() {
    let app = TestApp::spawn().await;
    let served = app.request("GET", "/api/openapi.json", &[], None).await.json();
    let file = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../service/openapi.json")).unwrap();
    assert_eq!(served, serde_json::from_slice::<Value>(&file).unwrap());

    let moved = app.request("GET", "/api/docs", &[], None).await;
    assert_eq!((moved.status, moved.header("location")), (308, Some("/api/docs/")));
    let page = app.request("GET", "/api/docs/", &[], None).await;
    assert!(page.status == 200 && page.body.contains("swagger-ui"), "{}", page.body);
    assert!(!page.body.contains("https://"), "nothing comes from elsewhere");
    assert_eq!(app.request("GET", "/api/docs/swagger-ui-bundle.js", &[], None).await.status, 200);
}

#[tokio::test]
async fn the_channel_catalogue_is_that_of_the_protocol() {
    let app = TestApp::spawn().await;
    let rows = app.request("GET", "/api/channels", &[], None).await.json();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), onelap_protocol::channel::CHANNELS.len());
    let speed = rows.iter().find(|row| row["name"] == "speed").unwrap();
    assert_eq!((speed["unit"].as_str(), speed["group"].as_str()), (Some("km/h"), Some("Motion")));
}

#[tokio::test]
async fn the_web_app_is_served_for_its_own_routes_and_cached_by_name() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("assets")).unwrap();
    std::fs::write(dir.path().join("index.html"), "<!doctype html><title>1Lap</title>").unwrap();
    std::fs::write(dir.path().join("assets/app-1a2b.js"), "export {}").unwrap();
    let secret = dir.path().with_extension("secret");
    std::fs::write(&secret, "not for the web").unwrap();
    let app = TestApp::spawn_with(&[("WEB_DIR", dir.path().to_str().unwrap())]).await;

    for path in ["/", "/teams/7/sessions", "/index.html"] {
        let page = app.request("GET", path, &[], None).await;
        assert!(page.status == 200 && page.body.contains("<title>1Lap"), "{path}");
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(page.header("cache-control"), Some("no-cache"));
        let tag = page.header("etag").unwrap().to_owned();
        assert_eq!(app.request("GET", path, &[("if-none-match", &tag)], None).await.status, 304);
    }
    let asset = app.request("GET", "/assets/app-1a2b.js", &[], None).await;
    assert_eq!(asset.body, "export {}");
    assert!(asset.header("content-type").unwrap().contains("javascript"));
    assert!(asset.header("cache-control").unwrap().contains("immutable"));
    assert_eq!(app.request("GET", "/assets/app-0000.js", &[], None).await.status, 404, "never the page as a script");

    let name = secret.file_name().unwrap().to_str().unwrap();
    for path in [format!("/../{name}"), format!("/..%2f{name}"), format!("/assets/../../{name}"), format!("//{name}")] {
        let answer = app.request("GET", &path, &[], None).await;
        assert!(!answer.body.contains("not for the web"), "{path}");
    }
    std::fs::remove_file(&secret).unwrap();
}
