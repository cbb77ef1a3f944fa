//! `onelap-agent pair` as a driver runs it: what it prints, opens and keeps, and how it ends. The service is a few lines of
//! HTTP; the real one is in the end-to-end tests.

#![expect(clippy::unwrap_used, reason = "what goes wrong here is the failure of a test")]

use onelap_protocol::RigToken;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const DEVICE_CODE: &str = "1lap_device_0123456789abcdefghij";
const PENDING: &str = r#"{"error":"authorization_pending","error_description":"wait","interval":1}"#;

fn token() -> RigToken {
    RigToken::assemble("0a1b2c3d4e5f", &"S".repeat(40)).unwrap()
}

fn agent(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onelap-agent"));
    command.args(args).current_dir(folder).env("XDG_CONFIG_HOME", folder).env("APPDATA", folder);
    for name in ["ONELAP_CONFIG", "ONELAP_SERVER", "ONELAP_TOKEN", "http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"]
    {
        command.env_remove(name);
    }
    command.env("RUST_LOG", "trace");
    command
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_else(|error| panic!("not UTF-8: {error}"))
}

/// Reads a request; gives its path and its body.
fn request(stream: &TcpStream) -> (String, Value) {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        assert!(!line.starts_with("authorization"), "no credential is needed");
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (first.split(' ').nth(1).unwrap_or_default().to_owned(), serde_json::from_slice(&body).unwrap())
}

/// A service that gives a code and answers questions for its token with these, the last one again and again.
fn service(answers: Vec<(u16, String)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let page = format!("{address}/pair");
    thread::spawn(move || {
        let mut asked = 0;
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (path, body) = request(&stream);
            let (status, body) = if path == "/api/pair/device" {
                assert_eq!(body, json!({ "name": "SIM-PC" }));
                let codes = format!(
                    r#"{{"device_code":"{DEVICE_CODE}","user_code":"BCDF-GHJK","verification_uri":"{page}",
                    "verification_uri_complete":"{page}?code=BCDF-GHJK","expires_in":600,"interval":1}}"#
                );
                (200, codes)
            } else {
                assert_eq!((path.as_str(), body), ("/api/pair/token", json!({ "device_code": DEVICE_CODE })));
                asked += 1;
                answers[(asked - 1).min(answers.len() - 1)].clone()
            };
            let length = body.len();
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).unwrap();
        }
    });
    address
}

#[test]
fn a_code_is_shown_and_a_token_is_kept_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let paired = format!(r#"{{"token":"{}","team_name":"Ours","rig":"0199","rig_name":"RIG_A"}}"#, token().reveal());
    let server = service(vec![(400, PENDING.into()), (503, String::new()), (200, paired)]);
    let args = ["pair", "--server", &server, "--name", "SIM-PC", "--no-browser"];
    let out = agent(folder.path(), &args).output().unwrap();
    let (said, logged) = (text(&out.stdout), text(&out.stderr));
    assert!(out.status.success(), "{said}{logged}");
    for words in
        ["BCDF-GHJK", &format!("{server}/pair\n"), "10 minutes", "SIM-PC", "trying again", "rig RIG_A of team Ours"]
    {
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
    for secret in ["SSSS", DEVICE_CODE] {
        assert!(!said.contains(secret) && !logged.contains(secret), "{said}{logged}");
    }
    let settings = folder.path().join(if cfg!(windows) { "1Lap" } else { "onelap" });
    assert_eq!(std::fs::read_to_string(settings.join("token")).unwrap().trim(), token().reveal());
    assert!(std::fs::read_to_string(settings.join("agent.toml")).unwrap().contains(&server));

    // The stored token is found, and one that is given counts more.
    let other = RigToken::assemble("f5e4d3c2b1a0", &"T".repeat(40)).unwrap();
    for (given, words) in [
        (None, format!("the token in {} is not good", settings.join("token").display())),
        (Some(other.reveal()), "the token of ONELAP_TOKEN is not good".to_owned()),
        (Some(other.reveal()), "is not used: ONELAP_TOKEN counts more".to_owned()),
    ] {
        let refuses = refusing();
        let mut check = agent(folder.path(), &["check", "--server", &refuses, "--lmu", "off", "--f1", "off"]);
        let out = check.envs(given.map(|token| ("ONELAP_TOKEN", token))).output().unwrap();
        assert!(text(&out.stdout).contains(&words), "{words} is not in\n{}", text(&out.stdout));
        assert!(text(&out.stdout).contains("onelap-agent pair"), "{}", text(&out.stdout));
    }
}

/// A service for which every token is revoked.
fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = BufReader::new(&stream).lines();
            while head.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            let body = r#"{"error":{"code":"token_revoked","message":"revoked"}}"#;
            let length = body.len();
            let head = format!("HTTP/1.1 401 X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            stream.write_all(head.as_bytes()).unwrap();
        }
    });
    address
}

#[test]
fn a_no_ends_it_with_an_error_and_leaves_the_old_token() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "the old one").unwrap();
    let server = service(vec![(400, r#"{"error":"access_denied","error_description":"no"}"#.into())]);
    std::fs::write(folder.path().join("agent.toml"), format!("server = \"{server}\"\n")).unwrap();
    let args = ["pair", "--config", "agent.toml", "--name", "SIM-PC", "--no-browser"];
    let out = agent(folder.path(), &args).output().unwrap();
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("said no to this PC"), "{}", text(&out.stderr));
    assert_eq!(std::fs::read_to_string(folder.path().join("token")).unwrap(), "the old one");
}

/// The program that Linux opens addresses with is one of ours here.
#[cfg(target_os = "linux")]
#[test]
fn the_page_opens_with_the_code_in_its_fragment_and_ctrl_c_ends_the_wait() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let opener = folder.path().join("xdg-open");
    std::fs::write(&opener, "#!/bin/sh\nprintf '%s' \"$*\" >opened.new && mv opened.new opened\n").unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap_or_default());
    let server = service(vec![(400, PENDING.into())]);
    let mut command = agent(folder.path(), &["pair", "--server", &server, "--name", "SIM-PC"]);
    let mut child = command.env("PATH", path).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let opened = folder.path().join("opened");
    let deadline = Instant::now() + Duration::from_secs(20);
    while !opened.exists() {
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none(), "no page was opened");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(std::fs::read_to_string(&opened).unwrap(), format!("{server}/pair#BCDF-GHJK"));

    let began = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("no token was stored"), "{said}");
    assert!(!folder.path().join("onelap").join("token").exists());
}
