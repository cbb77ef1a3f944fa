//! The program as a driver runs it: what it prints where, and how it ends.

use std::path::Path;
use std::process::{Command, Output};

/// Runs the agent in a folder of its own, far from settings and tokens of this PC.
fn agent(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onelap-agent"));
    command.args(args).current_dir(folder).env("XDG_CONFIG_HOME", folder).env("APPDATA", folder);
    for name in ["ONELAP_CONFIG", "ONELAP_SERVER", "ONELAP_TOKEN", "RUST_LOG"] {
        command.env_remove(name);
    }
    command.output().unwrap_or_else(|error| panic!("the agent does not start: {error}"))
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_else(|error| panic!("not UTF-8: {error}"))
}

/// A datagram of format 2025: an event.
fn event() -> Vec<u8> {
    let mut bytes = vec![0; 45];
    bytes[..7].copy_from_slice(&[0xe9, 7, 25, 1, 18, 1, 3]);
    bytes[29..33].copy_from_slice(b"CHQF");
    bytes
}

#[test]
fn inspect_prints_what_it_can_and_names_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good.bin"), event()).unwrap();
    std::fs::write(folder.path().join("short.bin"), &event()[..44]).unwrap();
    let out = agent(folder.path(), &["inspect", "f1", "none.bin", "short.bin", "good.bin"]);
    assert_eq!(out.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(json["data"]["event"]["kind"], "chequered_flag");
    let said = text(&out.stderr);
    assert!(said.contains("none.bin: ") && said.contains("short.bin: "), "{said}");
    assert_eq!(agent(folder.path(), &["inspect", "f1", "good.bin"]).status.code(), Some(0));
    let out = agent(folder.path(), &["inspect", "lmu", "good.bin"]);
    assert_eq!((out.status.code(), out.stdout.len()), (Some(1), 0));
    assert!(text(&out.stderr).contains("45 bytes are too few"), "{}", text(&out.stderr));
}

#[test]
fn a_wrong_setting_ends_the_agent_with_its_line_and_without_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "S3cretS3cret";
    for (settings, right) in [
        ("[lmu]\nrest_port = 0\n".to_owned(), "agent.toml, line 2, column 13"),
        (format!("\ntoken = \"1lap_rig_{secret}\"\n"), "agent.toml, line 2, column 9"),
        (format!("\n\ntoken = 1lap_rig_{secret}\n"), "agent.toml, line 3"),
    ] {
        std::fs::write(folder.path().join("agent.toml"), settings).unwrap();
        let out = agent(folder.path(), &["run", "--config", "agent.toml"]);
        let said = text(&out.stderr);
        assert_eq!((out.status.code(), out.stdout.len()), (Some(1), 0));
        assert!(said.contains(right) && !said.contains(secret), "{said}");
    }
}

#[test]
fn without_a_token_run_says_how_to_get_one() {
    let folder = tempfile::tempdir().unwrap();
    let out = agent(folder.path(), &["run"]);
    assert_eq!(out.status.code(), Some(1));
    for way in ["onelap-agent pair", "onelap-agent token"] {
        assert!(text(&out.stderr).contains(way), "{}", text(&out.stderr));
    }
}

/// Started with no service to be had, told to stop, and how it ended and how long that took.
#[cfg(unix)]
#[test]
fn told_to_stop_it_ends_in_time_and_well() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;
    use std::time::{Duration, Instant};
    let token = onelap_protocol::RigToken::assemble("0a1b2c3d4e5f", &"x".repeat(40)).unwrap();
    for signal in ["-TERM", "-INT", "-HUP"] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_onelap-agent"));
        command.args(["run", "--server", "http://127.0.0.1:9", "--token", token.reveal(), "--spool-dir"]);
        command.arg(folder.path().join("spool")).env("XDG_CONFIG_HOME", folder.path()).env_remove("ONELAP_CONFIG");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let offline = lines.into_iter().find(|line| line.contains("offline"));
        if offline.is_none() {
            let output = child.wait_with_output().unwrap();
            panic!("it does not run: {}", text(&output.stderr));
        }
        let began = Instant::now();
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let status = child.wait().unwrap();
        assert!(status.success(), "{signal}: {status}");
        assert!(began.elapsed() < Duration::from_secs(6), "{signal}: {:?}", began.elapsed());
    }
}
