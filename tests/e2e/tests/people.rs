//! People by letter: signing up, forgotten passwords, other addresses, the log-ins that they have, leaving.

use e2e::person::{PASSWORD, code};
use e2e::{Answer, Browser, Came, Mailbox, TestApp, eventually};
use serde_json::{Value, json};

const LENA: &str = "lena@example.org";

/// What can be told from an answer but for its trace id: status, body, and which headers there are.
fn looks(answer: &Answer) -> (u16, Value, Vec<String>) {
    let mut body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    if let Some(error) = body["error"].as_object_mut() {
        error.remove("trace");
    }
    let mut headers: Vec<String> = answer.headers.iter().map(|(name, _)| name.clone()).collect();
    headers.sort();
    (answer.status, body, headers)
}

fn sign_up(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD, "name": "Lena", "team_name": "Ours" })
}

async fn lena() -> (TestApp, Mailbox, Browser) {
    let (app, mailbox) = TestApp::spawn_with_mail(&[]).await;
    let browser = app.browser();
    browser.sign_up_by_letter(&mailbox, LENA).await;
    (app, mailbox, browser)
}

// ---- signing up -------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn nobody_has_an_account_before_they_have_opened_the_letter() {
    let (app, mailbox) = TestApp::spawn_with_mail(&[]).await;
    assert_eq!(app.browser().get("/api/about").await.json()["mail"], "smtp");
    let browser = app.browser();
    let asked = browser.post("/api/auth/signup", sign_up(LENA)).await;
    assert_eq!((asked.status, asked.json()), (202, json!({ "next": "letter" })));
    assert!(browser.cookies().is_empty());
    assert_eq!(browser.log_in(LENA, PASSWORD).await.status, 401, "not yet");

    let letter = mailbox.take(LENA, "Finish").await;
    assert_eq!((letter.from.as_str(), letter.link().0.as_str()), ("no-reply@1lap.test", "/signup/finish"));
    assert!(
        !letter.text.contains("Lena") && !letter.text.contains("Ours"),
        "nobody writes through us: {}",
        letter.text
    );
    let token = letter.secret();
    let finish = |password: &str| json!({ "token": token, "password": password });
    let wrong = browser.post("/api/auth/signup/finish", finish("somebody else's")).await;
    assert_eq!((wrong.status, &wrong.json()["error"]["field"]), (422, &json!("password")));
    let made = browser.post("/api/auth/signup/finish", finish(PASSWORD)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.json()["user"]["email_verified"], true);
    assert_eq!(made.json()["teams"][0]["name"], "Ours");
    assert!(browser.is_in().await);
    let again = browser.post("/api/auth/signup/finish", finish(PASSWORD)).await;
    assert_eq!((again.status, &again.json()["error"]["field"]), (422, &json!("token")), "a link is good once");
    assert_eq!(app.browser().log_in(LENA, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn signing_up_with_a_known_address_looks_the_same_and_tells_its_owner() {
    let (app, mailbox, _) = lena().await;
    let known = app.browser().post("/api/auth/signup", sign_up("LENA@example.org")).await;
    let unknown = app.browser().post("/api/auth/signup", sign_up("max@example.org")).await;
    assert_eq!(looks(&known), looks(&unknown));
    let told = mailbox.take(LENA, "You have").await;
    assert!(!told.text.contains('#'), "no link: {}", told.text);
    mailbox.take("max@example.org", "Finish").await;

    let again = app.browser().post("/api/auth/signup/resend", json!({ "email": LENA })).await;
    let nobody = app.browser().post("/api/auth/signup/resend", json!({ "email": "nobody@example.org" })).await;
    assert_eq!(looks(&again), looks(&nobody));
}

#[tokio::test]
async fn whoever_signs_up_with_anothers_address_gets_nothing_by_it() {
    let (app, mailbox) = TestApp::spawn_with_mail(&[]).await;
    let mut theirs = sign_up(LENA);
    theirs["password"] = json!("the attacker's own");
    app.browser().post("/api/auth/signup", theirs).await;
    let attackers = mailbox.take(LENA, "Finish").await.secret();
    // The owner signs up too; the letter that she opens is of either sign-up, the password that she knows of hers.
    app.browser().post("/api/auth/signup", sign_up(LENA)).await;
    let hers = mailbox.take(LENA, "Finish").await.secret();
    let browser = app.browser();
    let wrong = browser.post("/api/auth/signup/finish", json!({ "token": attackers, "password": PASSWORD })).await;
    assert_eq!(wrong.status, 422);
    let made = browser.post("/api/auth/signup/finish", json!({ "token": hers, "password": PASSWORD })).await;
    assert_eq!(made.status, 201);
    let late = json!({ "token": attackers, "password": "the attacker's own" });
    assert_eq!(app.browser().post("/api/auth/signup/finish", late).await.status, 422, "every other sign-up is void");
    assert_eq!(app.browser().log_in(LENA, "the attacker's own").await.status, 401);
}

#[tokio::test]
async fn a_letter_can_be_sent_again_and_the_earlier_link_is_void() {
    let (app, mailbox) = TestApp::spawn_with_mail(&[]).await;
    let browser = app.browser();
    browser.post("/api/auth/signup", sign_up(LENA)).await;
    let first = mailbox.take(LENA, "Finish").await.secret();
    browser.post("/api/auth/signup/resend", json!({ "email": LENA })).await;
    let second = mailbox.take(LENA, "Finish").await.secret();
    let finish = async |token: &str| {
        browser.post("/api/auth/signup/finish", json!({ "token": token, "password": PASSWORD })).await.status
    };
    assert_eq!(finish(&first).await, 422);
    assert_eq!(finish(&second).await, 201);
}

#[tokio::test]
async fn an_old_link_is_good_no_more_and_none_is_kept_in_clear() {
    let (app, mailbox, _) = lena().await;
    app.browser().post("/api/auth/signup", sign_up("max@example.org")).await;
    let signup = mailbox.take("max@example.org", "Finish").await.secret();
    app.browser().post("/api/auth/reset", json!({ "email": LENA })).await;
    let reset = mailbox.take(LENA, "new password").await.secret();
    let pool = app.owner_pool().await;
    for table in ["signups", "mail_links"] {
        let rows = sqlx::AssertSqlSafe(format!("select {table}::text from {table}"));
        let rows: Vec<String> = sqlx::query_scalar(rows).fetch_all(&pool).await.unwrap();
        assert_eq!(rows.len(), 1, "{table}");
        assert!(!rows[0].contains(&signup) && !rows[0].contains(&reset) && !rows[0].contains(PASSWORD));
        let age = format!("update {table} set expires_at = now()");
        sqlx::query(sqlx::AssertSqlSafe(age)).execute(&pool).await.unwrap();
    }
    let finish = json!({ "token": signup, "password": PASSWORD });
    assert_eq!(app.browser().post("/api/auth/signup/finish", finish).await.status, 422);
    let finish = json!({ "token": reset, "password": "another horse entirely" });
    assert_eq!(app.browser().post("/api/auth/reset/finish", finish).await.status, 422);
}

#[tokio::test]
async fn somebody_who_joins_anothers_team_needs_none_of_their_own() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    let made = browser.post("/api/auth/signup", json!({ "email": LENA, "password": PASSWORD, "name": "Lena" })).await;
    assert_eq!((made.status, &made.json()["teams"]), (201, &json!([])));
}

#[tokio::test]
async fn without_a_mail_server_an_account_is_there_at_once_and_its_address_unconfirmed() {
    let app = TestApp::spawn().await;
    let about = app.browser().get("/api/about").await.json();
    assert_eq!(
        (&about["mail"], &about["verified_email"], &about["https"]),
        (&json!("log"), &json!(false), &json!(false))
    );
    let browser = app.browser();
    let made = browser.post("/api/auth/signup", sign_up(LENA)).await;
    assert_eq!((made.status, &made.json()["user"]["email_verified"]), (201, &json!(false)));
    assert_eq!(browser.post("/api/teams", json!({ "name": "Second" })).await.status, 201);

    // The operator sets up a mail server later: what needs a confirmed address waits for it.
    let mailbox = Mailbox::start();
    let settings = mailbox.settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let later = app.another_with(&settings).await;
    let browser = later.browser();
    assert_eq!(browser.log_in(LENA, PASSWORD).await.status, 200);
    let refused = browser.post("/api/teams", json!({ "name": "Third" })).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "email_unverified"));
    assert_eq!(browser.request("POST", "/api/me/email/resend", None).await.status, 202);
    let token = mailbox.take(LENA, "Confirm your address").await.secret();
    // In another browser, where nobody is logged in.
    let confirmed = later.browser().post("/api/auth/email/confirm", json!({ "token": token })).await;
    assert_eq!((confirmed.status, confirmed.json()), (200, json!({ "email": LENA })));
    assert_eq!(browser.post("/api/teams", json!({ "name": "Third" })).await.status, 201);
    assert_eq!(later.browser().post("/api/auth/email/confirm", json!({ "token": token })).await.status, 422);
}

#[tokio::test]
async fn a_mail_server_that_is_busy_is_asked_again_and_nobody_waits_for_it() {
    let (app, mailbox) = TestApp::spawn_with_mail(&[]).await;
    mailbox.refuse(1);
    let asked = app.browser().post("/api/auth/signup", sign_up(LENA)).await;
    assert_eq!(asked.status, 202);
    mailbox.take(LENA, "Finish").await;
}

#[tokio::test]
async fn letters_to_one_address_are_few() {
    let (app, _mailbox) = TestApp::spawn_with_mail(&[("SIGNUPS_PER_ADDRESS", "100")]).await;
    let mut answers = Vec::new();
    for _ in 0..7 {
        answers.push(app.browser().post("/api/auth/reset", json!({ "email": "nobody@example.org" })).await);
    }
    let last = answers.last().unwrap();
    assert_eq!((last.status, last.code().as_str()), (429, "rate_limited"), "whether or not there is an account");
    assert!(last.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    let other = app.browser().post("/api/auth/reset", json!({ "email": "other@example.org" })).await;
    assert_eq!(other.status, 202);
}

// ---- passwords and addresses ------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_letter_and_ends_all_log_ins() {
    let (app, mailbox, first) = lena().await;
    let second = app.browser();
    second.log_in(LENA, PASSWORD).await;
    let known = app.browser().post("/api/auth/reset", json!({ "email": "Lena@example.org" })).await;
    let unknown = app.browser().post("/api/auth/reset", json!({ "email": "nobody@example.org" })).await;
    assert_eq!(looks(&known), looks(&unknown));

    let letter = mailbox.take(LENA, "new password").await;
    assert_eq!(letter.link().0, "/reset");
    let finish = |password: &str| json!({ "token": letter.secret(), "password": password });
    let weak = app.browser().post("/api/auth/reset/finish", finish("short")).await;
    assert_eq!((weak.status, &weak.json()["error"]["field"]), (422, &json!("password")), "and the link is still good");
    assert_eq!(app.browser().post("/api/auth/reset/finish", finish("another horse entirely")).await.status, 204);
    assert_eq!(app.browser().post("/api/auth/reset/finish", finish("a third one, perhaps")).await.status, 422);
    assert!(!first.is_in().await && !second.is_in().await);
    assert_eq!(first.post("/api/auth/refresh", json!({})).await.status, 401);
    assert_eq!(app.browser().log_in(LENA, PASSWORD).await.status, 401);
    assert_eq!(app.browser().log_in(LENA, "another horse entirely").await.status, 200);
    mailbox.take(LENA, "Your 1Lap account").await;
    assert!(mailbox.all().iter().all(|letter| letter.to != "nobody@example.org"));
}

#[tokio::test]
async fn changing_the_password_asks_for_it_and_ends_the_other_log_ins() {
    let (app, mailbox, browser) = lena().await;
    let other = app.browser();
    other.log_in(LENA, PASSWORD).await;
    let change = |current: &str, password: &str| json!({ "current": current, "password": password });
    let wrong = browser.post("/api/me/password", change("not the one", "another horse entirely")).await;
    assert_eq!((wrong.status, &wrong.json()["error"]["field"]), (422, &json!("current")));
    let weak = browser.post("/api/me/password", change(PASSWORD, "password123")).await;
    assert_eq!((weak.status, &weak.json()["error"]["field"]), (422, &json!("password")));
    assert!(other.is_in().await);
    assert_eq!(browser.post("/api/me/password", change(PASSWORD, "another horse entirely")).await.status, 204);
    assert!(browser.is_in().await && !other.is_in().await);
    assert_eq!(app.browser().log_in(LENA, "another horse entirely").await.status, 200);
    assert!(mailbox.take(LENA, "Your 1Lap account").await.text.contains("password"));
}

#[tokio::test]
async fn a_new_address_is_used_once_it_is_confirmed_and_the_old_one_is_told() {
    let (app, mailbox, browser) = lena().await;
    let new = "lena@team.example";
    // A link to a new password, in the old mailbox.
    app.browser().post("/api/auth/reset", json!({ "email": LENA })).await;
    let reset = mailbox.take(LENA, "new password").await.secret();
    let ask = |email: &str, password: &str| json!({ "email": email, "password": password });
    let wrong = browser.post("/api/me/email", ask(new, "not the one")).await;
    assert_eq!((wrong.status, &wrong.json()["error"]["field"]), (422, &json!("password")));
    assert_eq!(browser.post("/api/me/email", ask(new, PASSWORD)).await.status, 202);
    let me = browser.get("/api/me").await.json();
    assert_eq!((&me["user"]["email"], &me["user"]["pending_email"]), (&json!(LENA), &json!(new)));
    mailbox.take(LENA, "A new address").await;
    let token = mailbox.take(new, "Confirm your new").await.secret();
    assert_eq!(app.browser().post("/api/auth/email/confirm", json!({ "token": token })).await.status, 200);
    let me = browser.get("/api/me").await.json();
    assert_eq!((&me["user"]["email"], &me["user"]["pending_email"]), (&json!(new), &Value::Null));
    mailbox.take(LENA, "was changed").await;
    assert_eq!(app.browser().log_in(LENA, PASSWORD).await.status, 401);
    assert_eq!(app.browser().log_in(new, PASSWORD).await.status, 200);
    let finish = json!({ "token": reset, "password": "another horse entirely" });
    assert_eq!(app.browser().post("/api/auth/reset/finish", finish).await.status, 422, "the old mailbox opens nothing");
}

#[tokio::test]
async fn asking_for_an_address_that_has_an_account_looks_the_same() {
    let (app, mailbox, browser) = lena().await;
    app.browser().sign_up_by_letter(&mailbox, "max@example.org").await;
    let taken = browser.post("/api/me/email", json!({ "email": "max@example.org", "password": PASSWORD })).await;
    let free = browser.post("/api/me/email", json!({ "email": "free@example.org", "password": PASSWORD })).await;
    assert_eq!(looks(&taken), looks(&free));
    mailbox.take("max@example.org", "You have").await;
}

// ---- log-ins ----------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn somebodys_log_ins_are_listed_in_words_and_ended_one_by_one() {
    let app = TestApp::spawn_with(&[("CLIENT_IP_HEADER", "x-client-ip")]).await;
    let browser = app.browser();
    browser.post("/api/auth/signup", sign_up(LENA)).await;
    let other = app.browser();
    other.log_in(LENA, PASSWORD).await;
    let logins = browser.get("/api/me/logins").await.json();
    let logins = logins.as_array().unwrap();
    assert_eq!(logins.len(), 2);
    assert_eq!((&logins[0]["device"], &logins[0]["address"]), (&json!("Firefox on Linux"), &json!("127.0.0.…")));
    let theirs = logins.iter().find(|login| login["is_this"] == false).unwrap();
    let path = format!("/api/me/logins/{}", theirs["id"].as_str().unwrap());

    let stranger = app.browser();
    stranger.post("/api/auth/signup", sign_up("max@example.org")).await;
    assert_eq!(stranger.request("DELETE", &path, None).await.status, 404);
    assert!(other.is_in().await);
    assert_eq!(browser.request("DELETE", &path, None).await.status, 204);
    assert!(!other.is_in().await, "the access token that it still has is good no more");
    assert_eq!(other.post("/api/auth/refresh", json!({})).await.status, 401);
    assert_eq!(browser.request("DELETE", &path, None).await.status, 404, "once");
    assert!(browser.is_in().await && stranger.is_in().await);
    assert_eq!(browser.get("/api/me/logins").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn logging_out_everywhere_reaches_other_instances_and_open_sockets_within_seconds() {
    let app = TestApp::spawn().await;
    let there = app.beside().await;
    let browser = app.browser();
    browser.post("/api/auth/signup", sign_up(LENA)).await;
    let elsewhere = there.browser();
    elsewhere.log_in(LENA, PASSWORD).await;
    let (mut here_socket, mut there_socket) = (browser.viewer().await.unwrap(), elsewhere.viewer().await.unwrap());

    let began = std::time::Instant::now();
    assert_eq!(browser.request("POST", "/api/auth/logout-everywhere", None).await.status, 204);
    assert!(browser.cookies().is_empty());
    for socket in [&mut here_socket, &mut there_socket] {
        let code = loop {
            match socket.next().await {
                Came::Closed(code) => break code,
                Came::Message(_) | Came::Binary(_) => {}
            }
        };
        assert_eq!(code, Some(1008));
    }
    eventually("the other instance refuses the access token", || async {
        (elsewhere.get("/api/me").await.status == 401).then_some(())
    })
    .await;
    let took = began.elapsed();
    assert!(took.as_secs_f64() < 5.0, "{took:?}");
    println!("ended on two instances and their sockets after {took:?}");
    assert!(elsewhere.viewer().await.is_err());
}

#[tokio::test]
async fn what_ended_while_an_instance_was_away_is_ended_when_it_comes_back() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    browser.post("/api/auth/signup", sign_up(LENA)).await;
    let copied = browser.cookies();
    browser.request("POST", "/api/auth/logout", None).await;
    let back = app.beside().await;
    let answer = back.request("GET", "/api/me", &[("cookie", &copied)], None).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn ending_the_others_leaves_this_one() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    browser.post("/api/auth/signup", sign_up(LENA)).await;
    let other = app.browser();
    other.log_in(LENA, PASSWORD).await;
    assert_eq!(browser.request("DELETE", "/api/me/logins", None).await.status, 204);
    assert!(browser.is_in().await && !other.is_in().await);
}

#[tokio::test]
async fn what_is_dangerous_asks_for_a_password_that_was_shown_lately() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    browser.post("/api/auth/signup", sign_up(LENA)).await;
    assert_eq!(browser.get("/api/me/export").await.status, 200, "just logged in");
    let pool = app.owner_pool().await;
    let age = "update logins set authenticated_at = now() - interval '11 minutes'";
    sqlx::query(age).execute(&pool).await.unwrap();
    assert_eq!(browser.post("/api/auth/refresh", json!({})).await.status, 204, "renewing shows no password");
    let refused = browser.get("/api/me/export").await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "confirm_required"));
    let wrong = browser.post("/api/auth/confirm", json!({ "password": "not the one" })).await;
    assert_eq!((wrong.status, &wrong.json()["error"]["field"]), (422, &json!("password")));
    assert_eq!(browser.get("/api/me/export").await.status, 403);
    assert_eq!(browser.post("/api/auth/confirm", json!({ "password": PASSWORD })).await.status, 204);
    assert_eq!(browser.get("/api/me/export").await.status, 200);
    browser.forget_access();
    browser.post("/api/auth/refresh", json!({})).await;
    assert_eq!(browser.get("/api/me/export").await.status, 200, "it is remembered over a renewal");
}

// ---- second factor ----------------------------------------------------------------------------------------------------

#[tokio::test]
async fn with_a_second_factor_the_password_alone_opens_nothing() {
    let (app, mailbox, browser) = lena().await;
    let other = app.browser();
    other.log_in(LENA, PASSWORD).await;
    let begun = browser.post("/api/me/second-factor", json!({ "password": PASSWORD })).await;
    assert!(begun.json()["uri"].as_str().unwrap().starts_with("otpauth://totp/1Lap:lena@example.org?secret="));
    assert_eq!(app.browser().log_in(LENA, PASSWORD).await.status, 200, "not asked for before it was shown to work");
    let (seed, codes) = browser.second_factor(PASSWORD).await;
    assert_eq!(codes.len(), 10);
    assert!(!other.is_in().await, "log-ins that knew no second factor have ended");
    mailbox.take(LENA, "Your 1Lap account").await;

    let fresh = app.browser();
    let first = fresh.log_in(LENA, PASSWORD).await;
    assert_eq!(first.status, 202);
    assert!(fresh.cookies().is_empty());
    let challenge = first.json()["challenge"].as_str().unwrap().to_owned();
    let access = [("cookie", format!("onelap_access={challenge}"))];
    let answer = app.request("GET", "/api/me", &[(access[0].0, &access[0].1)], None).await;
    assert_eq!(answer.status, 401, "a challenge is no log-in");
    let step =
        async |code: &str| fresh.post("/api/auth/login/code", json!({ "challenge": challenge, "code": code })).await;
    let wrong = step("000000").await;
    assert_eq!((wrong.status, &wrong.json()["error"]["field"]), (422, &json!("code")));
    let used = code(&seed, 0);
    assert_eq!(step(&used).await.status, 200);
    assert!(fresh.is_in().await);
    assert_eq!(app.browser().log_in_with_code(LENA, PASSWORD, &used).await.status, 422, "a code is good once");
    assert_eq!(step("a.b.c").await.status, 422);
    let forged = fresh.post("/api/auth/login/code", json!({ "challenge": "a.b.c", "code": used })).await;
    assert_eq!(forged.status, 401);
}

#[tokio::test]
async fn a_lost_phone_is_replaced_by_recovery_codes_once_each() {
    let (app, mailbox, browser) = lena().await;
    let (_, codes) = browser.second_factor(PASSWORD).await;
    mailbox.take(LENA, "Your 1Lap account").await;
    let fresh = app.browser();
    assert_eq!(fresh.log_in_with_code(LENA, PASSWORD, &codes[3].to_uppercase()).await.status, 200);
    assert!(mailbox.take(LENA, "Your 1Lap account").await.text.contains("9 are left"));
    assert_eq!(fresh.get("/api/me").await.json()["user"]["recovery_codes_left"], 9);
    assert_eq!(app.browser().log_in_with_code(LENA, PASSWORD, &codes[3]).await.status, 422);

    let proof = |code: &str| json!({ "password": PASSWORD, "code": code });
    let renewed = fresh.post("/api/me/recovery-codes", proof(&codes[4])).await;
    assert_eq!(renewed.json()["recovery_codes"].as_array().unwrap().len(), 10);
    assert_eq!(app.browser().log_in_with_code(LENA, PASSWORD, &codes[5]).await.status, 422, "replaced");
    let new = renewed.json()["recovery_codes"][0].as_str().unwrap().to_owned();
    let no_code = fresh.post("/api/me/second-factor/remove", json!({ "password": PASSWORD })).await;
    assert_eq!((no_code.status, &no_code.json()["error"]["field"]), (422, &json!("code")));
    assert_eq!(fresh.post("/api/me/second-factor/remove", proof(&new)).await.status, 204);
    assert_eq!(app.browser().log_in(LENA, PASSWORD).await.status, 200);

    let pool = app.owner_pool().await;
    let left: i64 = sqlx::query_scalar("select count(*) from recovery_codes").fetch_one(&pool).await.unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn codes_cannot_be_guessed_in_a_row() {
    let (app, _mailbox, browser) = lena().await;
    let (seed, _) = browser.second_factor(PASSWORD).await;
    let mut last = None;
    for _ in 0..6 {
        last = Some(app.browser().log_in_with_code(LENA, PASSWORD, "000000").await);
    }
    assert_eq!(last.unwrap().status, 429);
    let right = app.browser().log_in_with_code(LENA, PASSWORD, &code(&seed, 0)).await;
    assert_eq!(right.status, 429, "not even the right one, until the wait is over");
    assert!(right.header("retry-after").is_some());
}

#[tokio::test]
async fn a_letter_about_the_password_does_not_remove_the_second_factor() {
    let (app, mailbox, browser) = lena().await;
    let (seed, _) = browser.second_factor(PASSWORD).await;
    let stale = app.browser().log_in(LENA, PASSWORD).await.json()["challenge"].clone();
    app.browser().post("/api/auth/reset", json!({ "email": LENA })).await;
    let token = mailbox.take(LENA, "new password").await.secret();
    // The next second, so that the challenge is older than the password.
    let pool = app.owner_pool().await;
    let finish = json!({ "token": token, "password": "another horse entirely" });
    assert_eq!(app.browser().post("/api/auth/reset/finish", finish).await.status, 204);
    let later = "update users set password_changed_at = now() + interval '1 second'";
    sqlx::query(later).execute(&pool).await.unwrap();
    let old = app.browser().post("/api/auth/login/code", json!({ "challenge": stale, "code": code(&seed, 0) })).await;
    assert_eq!(old.status, 401, "a challenge ends with the password that it was for");
    assert_eq!(app.browser().log_in(LENA, "another horse entirely").await.status, 202);
}

#[tokio::test]
async fn the_seed_is_sealed_at_rest_and_sealed_anew_when_the_secret_is_replaced() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    browser.post("/api/auth/signup", sign_up(LENA)).await;
    let (seed, _) = browser.second_factor(PASSWORD).await;
    let pool = app.owner_pool().await;
    let kept =
        async || -> Vec<u8> { sqlx::query_scalar("select totp_secret from users").fetch_one(&pool).await.unwrap() };
    let before = kept().await;
    assert!(!before.windows(seed.len()).any(|part| part == seed));

    let (old, new) = ("a secret of forty characters, for tests.", "another secret of forty characters, too.");
    let rotated = app.another_with(&[("JWT_SECRET", new), ("JWT_SECRET_PREVIOUS", old)]).await;
    assert_ne!(kept().await, before, "sealed anew at the start");
    let answer = rotated.request("GET", "/api/me", &[("cookie", &browser.cookies())], None).await;
    assert_eq!(answer.status, 200, "who was logged in still is");
    let last = rotated.another_with(&[("JWT_SECRET", new), ("JWT_SECRET_PREVIOUS", "")]).await;
    assert_eq!(last.browser().log_in_with_code(LENA, PASSWORD, &code(&seed, 0)).await.status, 200);
    let answer = last.request("GET", "/api/me", &[("cookie", &browser.cookies())], None).await;
    assert_eq!(answer.status, 401, "the former secret is no longer named");
}

// ---- leaving ----------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn everything_that_is_ones_own_can_be_taken_along() {
    let (_app, _mailbox, browser) = lena().await;
    browser.second_factor(PASSWORD).await;
    let export = browser.get("/api/me/export").await;
    assert!(export.header("content-disposition").unwrap().starts_with("attachment"));
    let body = export.json();
    assert_eq!(body["account"]["email"], LENA);
    assert!(body["account"]["second_factor_since"].is_string() && body["account"]["email_verified_at"].is_string());
    assert_eq!((&body["teams"][0]["name"], &body["teams"][0]["role"]), (&json!("lena"), &json!("owner")));
    assert_eq!(body["logins"].as_array().unwrap().len(), 1);
    let founded = &body["audit"][0];
    assert_eq!((&founded["action"], &founded["team"]), (&json!("team.founded"), &body["teams"][0]["id"]));
    assert!(founded["address"].is_string(), "{founded}");
    assert!(!export.body.contains("argon2") && !export.body.contains("hash"), "{}", export.body);
}

#[tokio::test]
async fn an_account_is_deleted_with_the_password_unless_a_team_would_have_no_owner() {
    let (app, mailbox, browser) = lena().await;
    let wrong = browser.post("/api/me/delete", json!({ "password": "not the one" })).await;
    assert_eq!((wrong.status, &wrong.json()["error"]["field"]), (422, &json!("password")));
    let alone = browser.post("/api/me/delete", json!({ "password": PASSWORD })).await;
    assert_eq!((alone.status, alone.code().as_str()), (409, "conflict"));
    assert!(alone.message().contains("\"lena\""), "{}", alone.message());

    // Somebody else owns the team too.
    let max = app.browser();
    let made = max.sign_up_by_letter(&mailbox, "max@example.org").await.json();
    let me = browser.get("/api/me").await.json();
    let (team, max_id) = (me["teams"][0]["id"].as_str().unwrap(), made["user"]["id"].as_str().unwrap());
    let mut tx = app.owner_pool().await.begin().await.unwrap();
    sqlx::query("select set_config('app.team', $1, true)").bind(team).execute(&mut *tx).await.unwrap();
    let join = "insert into team_members (team_id, user_id, role) values ($1::uuid, $2::uuid, 'owner')";
    sqlx::query(join).bind(team).bind(max_id).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();

    let copied = browser.cookies();
    let mut socket = browser.viewer().await.unwrap();
    assert_eq!(browser.post("/api/me/delete", json!({ "password": PASSWORD })).await.status, 204);
    assert!(browser.cookies().is_empty());
    assert_eq!(app.request("GET", "/api/me", &[("cookie", &copied)], None).await.status, 401);
    while !matches!(socket.next().await, Came::Closed(_)) {}
    assert_eq!(app.browser().log_in(LENA, PASSWORD).await.status, 401);
    mailbox.take(LENA, "deleted").await;
    let pool = app.owner_pool().await;
    for table in ["logins", "refresh_tokens", "mail_links", "recovery_codes"] {
        let count =
            format!("select count(*) from {table} t join users u on u.id = t.user_id where lower(u.email) = $1");
        let left: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count)).bind(LENA).fetch_one(&pool).await.unwrap();
        assert_eq!(left, 0, "{table}");
    }
    assert_eq!(max.get("/api/me").await.json()["teams"].as_array().unwrap().len(), 2, "the team lives on");
    // The address is free again.
    app.browser().sign_up_by_letter(&mailbox, LENA).await;
}
