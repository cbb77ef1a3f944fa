//! Every route of the API's description and every message of a viewer, called by everybody: what the table of permissions
//! allows happens, and nothing else; what must not be known to exist does not.

use e2e::people::ROLES;
use e2e::world::{Furnished, OPERATOR, Route, World, operator_setting, routes};
use e2e::{Answer, Came, RawViewer, Team, TestApp};
use onelap_protocol::TeamId;
use onelap_protocol::viewer::{ViewMessage, ViewerMessage};
use onelap_service::auth::permissions::ROUTES;
use onelap_service::auth::{Access, Action};
use serde_json::{Value, json};

async fn app() -> TestApp {
    TestApp::spawn_with(&[("OPERATOR_TOKEN_SHA256", &operator_setting()), ("CLIENT_IP_HEADER", "x-client-ip")]).await
}

fn without_trace(answer: &Answer) -> Value {
    let mut body = answer.json();
    if let Some(error) = body["error"].as_object_mut() {
        error.remove("trace");
    }
    body
}

fn may(action: Action, role: &str) -> bool {
    action.rule().roles.iter().any(|allowed| allowed.word() == role)
}

/// Refused as a member is who is told what would be needed.
fn assert_needs_role(route: &Route, action: Action, role: &str, answer: &Answer) {
    assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"), "{route} as {role}: {}", answer.body);
    for allowed in action.rule().roles {
        assert!(answer.message().contains(allowed.word()), "{route} as {role}: {}", answer.message());
    }
}

#[tokio::test]
async fn every_cell_of_the_table_over_every_route() {
    let app = app().await;
    let world = World::new(&app).await;
    let shared = world.furnish("ours").await;
    let mut cells = 0;
    for route in routes() {
        let (Access::Member(action) | Access::Reader(action)) = route.access else { continue };
        let changes = route.method != "GET";
        for (at, role) in ROLES.into_iter().enumerate() {
            // Whoever may change something does it to a team of their own, so that the next finds one as it was.
            let fresh: Option<Furnished> =
                if changes && may(action, role) { Some(world.furnish("fresh").await) } else { None };
            let team = fresh.as_ref().unwrap_or(&shared);
            let request = route.fill(team);
            let answer = team.members[at].request(&route.method, &request.path, request.body).await;
            if may(action, role) {
                // The last owner cannot leave: the one thing that is allowed and refused.
                let is_done =
                    answer.status < 300 || (route.operation == "leave_team" && role == "owner" && answer.status == 409);
                assert!(is_done, "{route} as {role}: {} {}", answer.status, answer.body);
            } else {
                assert_needs_role(&route, action, role, &answer);
            }
            cells += 1;
        }
    }
    let guarded =
        ROUTES.iter().filter(|(_, _, access)| matches!(access, Access::Member(_) | Access::Reader(_))).count();
    assert_eq!(cells, guarded * ROLES.len());
    assert!(guarded >= 35, "{guarded}");
}

#[tokio::test]
async fn nobody_else_gets_anything_or_learns_what_there_is() {
    let app = app().await;
    let world = World::new(&app).await;
    let (ours, theirs) = (world.furnish("ours").await, world.furnish("theirs").await);
    let outsider = app.team("outsider").await;
    let nothing = TeamId::new();
    for route in routes() {
        let request = route.fill(&ours);
        match route.access {
            Access::Anyone => {}
            Access::Person => assert_eq!(world.as_nobody(&route.method, &request).await.status, 401, "{route}"),
            Access::Member(_) | Access::Reader(_) => {
                let nobody = world.as_nobody(&route.method, &request).await;
                assert_eq!((nobody.status, nobody.code().as_str()), (401, "unauthenticated"), "{route}");
                // What is another team's and what does not exist are the same.
                let foreign = outsider.request(&route.method, &request.path, request.body.clone()).await;
                let unknown = route.fill_in(nothing, &ours);
                let absent = outsider.request(&route.method, &unknown.path, unknown.body).await;
                assert_eq!(foreign.status, 404, "{route}: {}", foreign.body);
                assert_eq!(without_trace(&foreign), without_trace(&absent), "{route}");
                // A rig's token opens none of it, nor does what it is not made for.
                let rig = world.with_bearer(&ours.rig.token, &route.method, &request).await;
                assert_eq!(rig.status, 401, "{route} with a rig's token: {}", rig.body);
            }
            Access::Rig => {
                assert_eq!(world.as_nobody(&route.method, &request).await.status, 401, "{route}");
                assert_eq!(ours.owner.request(&route.method, &request.path, None).await.status, 401, "{route}");
                assert_eq!(world.with_bearer(&ours.key_text, &route.method, &request).await.status, 401, "{route}");
                assert_eq!(world.with_bearer(&ours.rig.token, &route.method, &request).await.status, 200, "{route}");
            }
            Access::Share => {
                assert_eq!(ours.owner.request(&route.method, &request.path, None).await.status, 401, "{route}");
                assert_eq!(ours.guest.request(&route.method, &request.path, None).await.status, 200, "{route}");
            }
            Access::Operator => {
                for answer in [
                    world.as_nobody(&route.method, &request).await,
                    ours.owner.request(&route.method, &request.path, request.body.clone()).await,
                    world.with_bearer("wrong", &route.method, &request).await,
                    world.with_bearer(&ours.key_text, &route.method, &request).await,
                ] {
                    assert_eq!(answer.status, 401, "{route}: {}", answer.body);
                }
                let done = world.with_bearer(OPERATOR, &route.method, &route.fill(&theirs)).await;
                assert!(done.status < 300, "{route}: {} {}", done.status, done.body);
                let unknown = world.with_bearer(OPERATOR, &route.method, &route.fill_in(nothing, &ours)).await;
                assert_eq!(unknown.status, if route.path.contains("{team}") { 404 } else { 200 }, "{route}");
            }
        }
    }
}

#[tokio::test]
async fn our_own_team_does_not_open_another_teams_things() {
    let app = app().await;
    let world = World::new(&app).await;
    let (ours, theirs) = (world.furnish("ours").await, world.furnish("theirs").await);
    let stranger = app.team("stranger").await;
    let user = stranger.user().await;
    let mut tried = 0;
    for route in routes() {
        let names_a_thing = route.path.matches('{').count() > 1;
        if !(matches!(route.access, Access::Member(_) | Access::Reader(_)) && names_a_thing) {
            continue;
        }
        let mut request = route.fill_in(ours.owner.id, &theirs);
        request.path = request.path.replace(&theirs.target.to_string(), &user.to_string());
        // Of the same setup every team has its own row: this is ours.
        let is_ours = route.path.ends_with("/setups/{hash}");
        let answer = ours.owner.request(&route.method, &request.path, request.body).await;
        assert_eq!(answer.status, if is_ours { 200 } else { 404 }, "{route}: {}", answer.body);
        tried += 1;
    }
    assert!(tried >= 12, "{tried}");
    // And what is named in a body.
    for (path, body) in [
        ("/shares", json!({ "name": "x", "kind": "session", "session": theirs.session })),
        ("/shares", json!({ "name": "x", "kind": "rig", "rig": theirs.rig.id })),
        ("/owner", json!({ "user": user })),
        ("/pairings/approve", json!({ "user_code": ours.user_code, "rig": theirs.rig.id })),
    ] {
        assert_eq!(ours.owner.post(path, body.clone()).await.status, 404, "{path} {body}");
    }
    // Everything of theirs is where it was.
    assert_eq!(theirs.owner.get("/shares").await.json().as_array().unwrap().len(), 1);
    assert_eq!(world.with_bearer(&theirs.rig.token, "GET", &routes_named("whoami").fill(&theirs)).await.status, 200);
}

fn routes_named(operation: &str) -> Route {
    routes().into_iter().find(|route| route.operation == operation).unwrap_or_else(|| panic!("no route {operation}"))
}

#[tokio::test]
async fn a_share_and_a_key_open_what_they_cover_and_nothing_else() {
    let app = app().await;
    let world = World::new(&app).await;
    let (ours, theirs) = (world.furnish("ours").await, world.furnish("theirs").await);
    let live_only = ours.owner.guest(&ours.owner.share(json!({ "name": "live", "kind": "team" })).await).await;
    let keys = [
        (Action::SeeLive, ours.owner.key(&["read_live"]).await),
        (Action::SeeHistory, ours.owner.key(&["read_history"]).await),
        (Action::SeeSetups, ours.owner.key(&["read_setups"]).await),
    ];
    for route in routes() {
        let request = route.fill(&ours);
        let foreign = route.fill(&theirs);
        let call =
            async |team: &Team, to: &e2e::world::Request| team.request(&route.method, &to.path, to.body.clone()).await;
        match route.access {
            // Nothing but reading is open to either, whatever they cover.
            Access::Member(_) | Access::Person => {
                assert_eq!(call(&ours.guest, &request).await.status, 401, "{route} with a share");
                assert_eq!(
                    world.with_bearer(&ours.key_text, &route.method, &request).await.status,
                    401,
                    "{route} with a key"
                );
            }
            Access::Reader(action) => {
                assert_eq!(call(&ours.guest, &request).await.status, 200, "{route} with a share of everything");
                assert_eq!(call(&ours.guest, &foreign).await.status, 404, "{route} with another team's share");
                assert_eq!(call(&live_only, &request).await.status, 404, "{route} with a share of what is live");
                assert_eq!(
                    world.with_bearer(&ours.key_text, &route.method, &request).await.status,
                    200,
                    "{route} with a key"
                );
                assert_eq!(
                    world.with_bearer(&ours.key_text, &route.method, &foreign).await.status,
                    404,
                    "{route} with another team's key"
                );
                for (covered, key) in &keys {
                    let answer = world.with_bearer(key, &route.method, &request).await;
                    assert_eq!(answer.status, if *covered == action { 200 } else { 403 }, "{route}: {}", answer.body);
                }
            }
            Access::Anyone | Access::Rig | Access::Share | Access::Operator => {}
        }
    }
}

/// What a viewer's message is answered with.
async fn answer(viewer: &mut RawViewer, message: &ViewerMessage) -> &'static str {
    viewer.say(message).await;
    loop {
        match viewer.next().await {
            Came::Message(ViewMessage::Rigs { .. }) => return "rigs",
            Came::Message(ViewMessage::Snapshot { setup: Some(_), .. }) => return "snapshot with setup",
            Came::Message(ViewMessage::Snapshot { .. }) => return "snapshot",
            Came::Message(ViewMessage::Refused { code, .. }) => return code.as_str(),
            Came::Message(_) | Came::Binary(_) => {}
            Came::Closed(code) => panic!("closed with {code:?}"),
        }
    }
}

#[tokio::test]
async fn every_message_of_a_viewer_by_everybody() {
    let app = app().await;
    let world = World::new(&app).await;
    let (ours, theirs) = (world.furnish("ours").await, world.furnish("theirs").await);
    let outsider = app.team("outsider").await;
    let live_only = ours.owner.share(json!({ "name": "live", "kind": "team" })).await;
    let other_rig = ours.owner.rig("other").await;
    let of_other = ours.owner.share(json!({ "name": "rig", "kind": "rig", "rig": other_rig.id })).await;
    let messages = |of: &Furnished| {
        [
            ViewerMessage::Watch { team: of.owner.id },
            ViewerMessage::Subscribe { team: of.owner.id, session: of.session, max_hz: None, after: None },
        ]
    };
    for (at, role) in ROLES.into_iter().enumerate() {
        let mut viewer = ours.members[at].viewer().await;
        let [watch, subscribe] = messages(&ours);
        assert!(may(Action::SeeLive, role));
        assert_eq!(answer(&mut viewer, &watch).await, "rigs", "{role}");
        assert_eq!(answer(&mut viewer, &subscribe).await, "snapshot with setup", "{role}");
    }
    let mut stranger = outsider.viewer().await;
    for message in messages(&ours) {
        assert_eq!(answer(&mut stranger, &message).await, "not_found", "{message:?}");
    }
    // The right team with another's session.
    let mut viewer = ours.owner.viewer().await;
    let crossed = ViewerMessage::Subscribe { team: ours.owner.id, session: theirs.session, max_hz: None, after: None };
    assert_eq!(answer(&mut viewer, &crossed).await, "not_found");

    let [watch, subscribe] = messages(&ours);
    let mut guest = ours.guest.viewer().await;
    assert_eq!(answer(&mut guest, &watch).await, "rigs");
    assert_eq!(answer(&mut guest, &subscribe).await, "snapshot with setup");
    for message in messages(&theirs) {
        assert_eq!(answer(&mut guest, &message).await, "not_found", "another team's share: {message:?}");
    }
    let mut guest = ours.owner.guest(&live_only).await.viewer().await;
    assert_eq!(
        answer(&mut guest, &subscribe).await,
        "snapshot",
        "setups are hidden where the share does not show them"
    );
    let mut guest = ours.owner.guest(&of_other).await.viewer().await;
    assert_eq!(answer(&mut guest, &subscribe).await, "not_found", "the session of a rig that is not shared");

    let mut tool = app.viewer_with_key(&ours.key_text).await.unwrap();
    assert_eq!(answer(&mut tool, &watch).await, "rigs");
    assert_eq!(answer(&mut tool, &subscribe).await, "snapshot with setup");
    for message in messages(&theirs) {
        assert_eq!(answer(&mut tool, &message).await, "not_found", "another team's key: {message:?}");
    }
    let mut tool = app.viewer_with_key(&ours.owner.key(&["read_live"]).await).await.unwrap();
    assert_eq!(answer(&mut tool, &subscribe).await, "snapshot");
    let mut tool = app.viewer_with_key(&ours.owner.key(&["read_history"]).await).await.unwrap();
    assert_eq!(answer(&mut tool, &watch).await, "forbidden");

    for (cookies, what) in [("", "nobody"), ("onelap_share=1lap_visit_x", "a made-up share")] {
        let refused =
            Team { cookies: cookies.to_owned(), ..ours.owner.clone() }.try_viewer().await.err().map(|r| r.status);
        assert_eq!(refused, Some(401), "{what}");
    }
    assert_eq!(app.viewer_with_key(&ours.rig.token).await.err().map(|r| r.status), Some(401), "a rig's token");
}

#[tokio::test]
async fn the_app_shows_the_table_that_the_service_goes_by() {
    let app = app().await;
    let told = app.request("GET", "/api/roles", &[], None).await.json();
    let roles: Vec<&str> = told["roles"].as_array().unwrap().iter().map(|r| r["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ROLES);
    let manage_rigs = told["actions"].as_array().unwrap().iter().find(|row| row["action"] == "manage_rigs").unwrap();
    assert_eq!(manage_rigs["roles"], json!(["owner", "engineer"]));
}
