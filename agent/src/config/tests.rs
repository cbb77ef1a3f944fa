//! The settings file and its errors, and how flags and file come together.

use super::settings::{Flags, Settings, Switch};
use super::tokens::TokenFrom;
use super::*;
use crate::run::SpoolPlace;
use std::fs;
use tempfile::TempDir;

fn a_token(n: u8) -> RigToken {
    RigToken::assemble("0a1b2c3d4e5f", &char::from(b'a' + n).to_string().repeat(40)).unwrap()
}

/// A settings file, and flags that name it.
fn written(text: &str) -> (TempDir, Flags) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.toml");
    fs::write(&path, text).unwrap();
    (folder, Flags { config: Some(path), ..Flags::default() })
}

fn error(text: &str) -> ConfigError {
    let (_folder, flags) = written(text);
    Settings::load(&flags).unwrap_err()
}

#[test]
fn a_wrong_setting_is_named_with_its_line_and_what_would_be_right() {
    let cases = [
        ("# one\n\nsample_hz = 90\n", (3, 13), "2 to 60"),
        ("batch_ms = 1.5", (1, 12), "expected"),
        ("spool_mb = 8", (1, 12), "16 to"),
        ("spool = \"tape\"", (1, 9), "memory"),
        ("sample_rate = 20", (1, 1), "expected one of `server`"),
        ("[lmu]\nrest_port = 70000", (2, 13), "65535"),
        ("[f1]\n  sender = \"nobody\"", (2, 12), "IP address"),
        ("server = \"http://example.com\"", (1, 10), "https"),
        ("token = \"1lap_rig_short\"", (1, 9), "68 characters"),
        ("[[rig]]\nname = \"a b\"", (2, 8), "letters, digits"),
        ("[[rig]]\nname = \"a\"\ngame = \"chess\"", (3, 8), "lmu"),
        ("sample_hz 20", (1, 11), "="),
    ];
    for (text, at, right) in cases {
        let error = error(text);
        assert_eq!(error.at, Some(at), "{text:?}: {error}");
        assert!(error.message.contains(right), "{text:?}: {error}");
    }
}

#[test]
fn a_token_that_is_misspelt_is_told_without_showing_it() {
    let misspelt = a_token(0).reveal().replace("aaaa", "aaab");
    let error = error(&format!("token = \"{misspelt}\""));
    assert!(error.message.contains("misspelt"), "{error}");
    assert!(!error.to_string().contains("aaab"), "{error}");
    let (_folder, flags) = written(&format!("token = \"{}\"", a_token(0).reveal()));
    assert!(!format!("{:?}", Settings::load(&flags).unwrap()).contains("aaaaaaaa"));
}

#[test]
fn without_a_file_everything_has_a_value() {
    let folder = tempfile::tempdir().unwrap();
    let (_folder, flags) = written("");
    let settings = Settings::load(&flags).unwrap();
    assert!(settings.service().unwrap_err().contains("--server"), "no token goes to a site that nobody named");
    assert_eq!((settings.sample_hz, settings.batch_ms), (20, 100));
    assert!(matches!(settings.spool, SpoolPlace::Disk { cap_bytes: 0x4000_0000, .. }), "{:?}", settings.spool);
    assert_eq!(settings.games.lmu.unwrap().rest_port, Some(6397));
    assert!(settings.games.f1);
    assert_eq!((settings.rigs.len(), settings.rigs[0].f1_port), (1, 20777));
    assert!(settings.rigs[0].options().unwrap_err().contains("onelap-agent pair"));
    let missing = Flags { config: Some(folder.path().join("no.toml")), ..Flags::default() };
    assert!(Settings::load(&missing).unwrap_err().message.contains("cannot be read"));
}

#[test]
fn the_explained_file_is_how_it_is_without_one() {
    let server = ServerUrl::parse("http://127.0.0.1:8080").unwrap();
    let (_folder, flags) = written(&template(&server));
    let settings = Settings::load(&flags).unwrap();
    assert_eq!((settings.server.as_ref(), settings.sample_hz, settings.rigs.len()), (Some(&server), 20, 1));
    // Every setting that it explains is one, with the value that it shows.
    let commented_in = template(&server).replace("# token_file", "#token_file").replace("\n# ", "\n#");
    let active: String = commented_in
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) || rest == "[[rig]]" => {
                rest
            }
            _ => line,
        })
        .fold(String::new(), |text, line| text + line + "\n");
    let file = parse(Path::new("template"), &active).unwrap();
    assert_eq!(file.sample_hz, Some(SampleHz(DEFAULT_SAMPLE_HZ)));
    assert_eq!(file.rig[0].get_ref().name.0, "RIG_A");
    assert_eq!(file.lmu.rest_port.unwrap().get(), DEFAULT_REST_PORT);
}

#[test]
fn the_spool_is_where_it_is_said_to_be() {
    let (folder, flags) = written("spool_dir = \"kept\"\nspool_mb = 16");
    let kept = SpoolPlace::Disk { folder: folder.path().join("kept"), cap_bytes: 16 * 1024 * 1024 };
    assert_eq!(Settings::load(&flags).unwrap().spool, kept);
    let elsewhere = Flags { spool_dir: Some("/elsewhere".into()), spool_mb: Some(2_000), ..flags.clone() };
    let elsewhere = Settings::load(&elsewhere).unwrap().spool;
    assert_eq!(elsewhere, SpoolPlace::Disk { folder: "/elsewhere".into(), cap_bytes: 2_000 * 1024 * 1024 });
    let memory = Flags { spool: Some(SpoolChoice::Memory), ..flags };
    assert_eq!(Settings::load(&memory).unwrap().spool, SpoolPlace::Memory);
}

#[test]
fn a_flag_counts_more_than_the_file() {
    let text = format!("token = \"{}\"\nsample_hz = 30\n[lmu]\nenabled = true\nrest_port = 7000", a_token(0).reveal());
    let (_folder, flags) = written(&text);
    let flags = Flags {
        token: Some(a_token(1).reveal().to_owned()),
        sample_hz: Some(60),
        lmu_rest: Some(Switch::Off),
        f1: Some(Switch::Off),
        ..flags
    };
    let settings = Settings::load(&flags).unwrap();
    assert_eq!((&settings.rigs[0].token, &settings.rigs[0].token_from), (&Some(a_token(1)), &Some(TokenFrom::Flag)));
    assert_eq!(settings.sample_hz, 60);
    assert_eq!(settings.games.lmu.unwrap().rest_port, None);
    assert!(!settings.games.f1);
}

#[test]
fn a_token_lies_beside_the_settings() {
    let (folder, flags) = written("");
    let path = folder.path().join("token");
    place::write_private(&path, &format!("{}\n", a_token(2).reveal())).unwrap();
    let settings = Settings::load(&flags).unwrap();
    assert_eq!((settings.rigs[0].token.clone(), settings.warnings.len()), (Some(a_token(2)), 0));
    assert_eq!(settings.rigs[0].token_from, Some(TokenFrom::File(path.clone())));
    // With the byte order mark of some editors, and where a variable is set to nothing.
    fs::write(&path, format!("\u{feff}{}\r\n", a_token(2).reveal())).unwrap();
    let flags = Flags { token: Some(String::new()), ..flags };
    assert_eq!(Settings::load(&flags).unwrap().rigs[0].token, Some(a_token(2)));
    fs::write(&path, "not a token").unwrap();
    let settings = Settings::load(&flags).unwrap();
    let error = settings.rigs[0].options().unwrap_err();
    assert!(error.contains("1lap_rig_") && error.contains("onelap-agent token"), "{error}");
}

#[test]
fn of_several_tokens_it_is_known_which_counts_and_which_does_not() {
    let (folder, flags) = written(&format!("token = \"{}\"", a_token(0).reveal()));
    let settings_file = folder.path().join("agent.toml");
    let look = |flags: &Flags| {
        let rig = Settings::load(flags).unwrap().rigs.remove(0);
        (rig.token.clone().unwrap(), rig.token_from.clone().unwrap(), rig.unused_file().map(Path::to_owned))
    };
    assert_eq!(look(&flags), (a_token(0), TokenFrom::Settings(settings_file.clone()), None));
    let stored = folder.path().join("token");
    place::write_private(&stored, a_token(1).reveal()).unwrap();
    assert_eq!(look(&flags), (a_token(0), TokenFrom::Settings(settings_file), Some(stored.clone())));
    let given = Flags { token: Some(a_token(2).reveal().to_owned()), ..flags.clone() };
    assert_eq!(look(&given), (a_token(2), TokenFrom::Flag, Some(stored.clone())));
    fs::write(flags.config.as_ref().unwrap(), "").unwrap();
    assert_eq!(look(&flags), (a_token(1), TokenFrom::File(stored), None));
}

#[cfg(unix)]
#[test]
fn a_token_that_others_may_read_is_warned_of() {
    let (folder, flags) = written("");
    fs::write(folder.path().join("token"), a_token(2).reveal()).unwrap();
    let settings = Settings::load(&flags).unwrap();
    assert!(settings.warnings[0].contains("chmod 600"), "{:?}", settings.warnings);
}

#[test]
fn several_rigs_have_a_token_each() {
    let (folder, flags) = written("[[rig]]\nname = \"A\"\n[[rig]]\nname = \"B\"\ngame = \"f1\"\nf1_port = 20778\n");
    place::write_private(&folder.path().join("A.token"), a_token(0).reveal()).unwrap();
    place::write_private(&folder.path().join("B.token"), a_token(1).reveal()).unwrap();
    let rigs = Settings::load(&flags).unwrap().rigs;
    let tokens: Vec<_> = rigs.iter().map(|rig| rig.token.clone().unwrap()).collect();
    assert_eq!(tokens, [a_token(0), a_token(1)]);
    assert_eq!(rigs[1].f1_port, 20778);
    let one = Flags { rig: Some("B".into()), ..flags.clone() };
    assert_eq!(Settings::load(&one).unwrap().rigs.len(), 1);
    let none = Flags { rig: Some("C".into()), ..flags.clone() };
    assert!(Settings::load(&none).unwrap_err().message.contains("A, B"));
    let whose = Flags { token: Some(a_token(2).reveal().to_owned()), ..flags };
    assert!(Settings::load(&whose).unwrap_err().message.contains("--rig"));
}

#[test]
fn rigs_that_are_in_each_others_way_are_named_with_their_line() {
    let lmu = error("[[rig]]\nname = \"A\"\n\n[[rig]]\nname = \"B\"\n");
    assert_eq!(lmu.at.map(|(line, _)| line), Some(4), "{lmu}");
    assert!(lmu.message.contains("A and B would both read Le Mans Ultimate"), "{lmu}");
    let ports = error("[[rig]]\nname = \"A\"\n[[rig]]\nname = \"B\"\ngame = \"f1\"\n");
    assert!(ports.message.contains("f1_port"), "{ports}");
    let names = error("[[rig]]\nname = \"A\"\n[[rig]]\nname = \"A\"\ngame = \"f1\"\n");
    assert!(names.message.contains("two rigs are called A"), "{names}");
}
