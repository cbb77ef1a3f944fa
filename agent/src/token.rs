//! A rig's token on its way into its file: pasted (`onelap-agent token`, which asks the service whose it is), or paired
//! ([`crate::pair`]).
//!
//! Invariants: the file is readable by its owner alone and replaced whole; no token is shown.

use crate::api::{ApiError, who_am_i};
use crate::config::place::write_private;
use crate::config::settings::{RigSettings, Settings};
use crate::config::template;
use crate::config::tokens::TokenFrom;
use crate::link::words::plain;
use crate::server::ServerUrl;
use onelap_protocol::RigToken;
use onelap_protocol::agent::WhoAmI;

/// Checks and keeps a pasted token; says in words what came of it.
///
/// # Errors
/// Why it was not kept, in the driver's words.
pub fn store(settings: &Settings, pasted: &str) -> Result<String, String> {
    store_after(settings, pasted, who_am_i)
}

fn store_after(
    settings: &Settings,
    pasted: &str,
    ask: impl FnOnce(&ServerUrl, &RigToken) -> Result<WhoAmI, ApiError>,
) -> Result<String, String> {
    let rig = the_rig(settings)?;
    let token = RigToken::parse(pasted).map_err(|e| e.to_string())?;
    let server = settings.service()?;
    let who = ask(server, &token).map_err(|e| format!("{e}\nThe token was not stored."))?;
    keep(settings, rig, &token, &who.rig_name, &who.team_name)
}

/// Puts a token that the service knows where the agent finds it; says in words where, and whose it is.
///
/// # Errors
/// Why it was not kept, in the driver's words.
pub fn keep(
    settings: &Settings,
    rig: &RigSettings,
    token: &RigToken,
    rig_name: &str,
    team_name: &str,
) -> Result<String, String> {
    let (server, path) = (settings.service()?, settings.path.display());
    let file = rig.token_file.display();
    write_private(&rig.token_file, &format!("{}\n", token.reveal()))
        .map_err(|e| format!("the token cannot be stored in {file}: {e}"))?;
    let (rig_name, team_name) = (plain(rig_name), plain(team_name));
    let mut said = format!("This is rig {rig_name} of team {team_name}. The token is stored in {file}.");
    if !settings.path.exists() {
        write_private(&settings.path, &template(server))
            .map_err(|e| format!("the settings cannot be written to {path}: {e}"))?;
        said.push_str(&format!("\nThe settings are in {path}."));
    } else if settings.server_in_file.as_ref() != Some(server) {
        let other = match &settings.server_in_file {
            Some(other) => format!("names another address ({other})"),
            None => "names no address".to_owned(),
        };
        said.push_str(&format!("\n{path} {other}: write `server = \"{server}\"` into it, at the top."));
    }
    Ok(said)
}

/// The rig whose token is to be kept.
///
/// # Errors
/// What has to be said or done first.
pub fn the_rig(settings: &Settings) -> Result<&RigSettings, String> {
    let [rig] = settings.rigs.as_slice() else {
        let names: Vec<_> = settings.rigs.iter().map(|rig| rig.name.as_str()).collect();
        return Err(format!(
            "the settings have several rigs ({}): say whose token this is with --rig NAME",
            names.join(", ")
        ));
    };
    if let Some(TokenFrom::Settings(path)) = &rig.token_from {
        let path = path.display();
        return Err(format!("{path} has a `token` for {} in it, which would count: remove it there first", rig.name));
    }
    Ok(rig)
}

/// What a PC on which no rig has a token yet is told. `server` is the address that was given with the command, `None`
/// where the settings name it.
#[must_use]
pub fn first_steps(settings: &Settings, server: Option<&ServerUrl>) -> String {
    let site = match (server, &settings.server) {
        (Some(server), _) => format!(" --server {server}"),
        (None, Some(_)) => String::new(),
        (None, None) => " --server https://your.site".to_owned(),
    };
    let which = settings.rigs.first().map(RigSettings::which).unwrap_or_default();
    format!(
        "this PC has no rig's token yet. There are two ways to one:\n\n  \
         onelap-agent pair{site}{which}\n      \
         shows a code, which an owner or engineer of your team types in on the team's site\n  \
         onelap-agent token{site}{which}\n      \
         asks for a token that was copied from the team's Rigs page\n\n\
         Then start the agent again."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::place::others_may_read;
    use crate::config::settings::Flags;
    use crate::link::state::Refusal;
    use onelap_protocol::{RigId, TeamId};
    use std::fs;

    fn token() -> RigToken {
        RigToken::assemble("0a1b2c3d4e5f", &"x".repeat(40)).unwrap()
    }

    fn known(_: &ServerUrl, _: &RigToken) -> Result<WhoAmI, ApiError> {
        Ok(WhoAmI {
            team: TeamId::new(),
            team_name: "Ours".into(),
            rig: RigId::new(),
            rig_name: "RIG_A".into(),
            server_ms: 0,
            protocols: vec![],
        })
    }

    fn settings(folder: &std::path::Path, text: &str) -> Settings {
        let path = folder.join("agent.toml");
        fs::write(&path, text).unwrap();
        Settings::load(&Flags { config: Some(path), server: Some(site()), ..Flags::default() }).unwrap()
    }

    fn site() -> ServerUrl {
        ServerUrl::parse("https://1lap.example.com").unwrap()
    }

    #[test]
    fn no_token_goes_to_a_site_that_nobody_named() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { server: None, ..settings(folder.path(), "") };
        let said = store_after(&settings, token().reveal(), |_, _| panic!("asked")).unwrap_err();
        assert!(said.contains("--server"), "{said}");
    }

    #[test]
    fn a_good_token_is_kept_for_its_owner_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(folder.path(), "");
        settings.path = folder.path().join("new.toml");
        let said = store_after(&settings, &format!(" {}\n", token().reveal()), known).unwrap();
        assert!(said.contains("rig RIG_A of team Ours"), "{said}");
        let file = folder.path().join("token");
        assert!(!others_may_read(&file));
        let flags = Flags { config: Some(folder.path().join("new.toml")), ..Flags::default() };
        assert_eq!(Settings::load(&flags).unwrap().rigs[0].token, Some(token()));
    }

    #[test]
    fn a_token_that_the_service_refuses_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path(), "");
        let refusal = Refusal { status: 401, code: None, message: "it was revoked".into(), retry_after_s: None };
        let said = store_after(&settings, token().reveal(), |_, _| Err(ApiError::Refused(refusal))).unwrap_err();
        assert!(said.contains("it was revoked") && said.contains("not stored"), "{said}");
        assert!(!folder.path().join("token").exists());
    }

    #[test]
    fn a_file_that_holds_something_else_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("token"), "half a tok").unwrap();
        store_after(&settings(folder.path(), ""), token().reveal(), known).unwrap();
        assert_eq!(settings(folder.path(), "").rigs[0].token, Some(token()));
        // A file of one's own choice need not be there yet.
        let flags = Flags {
            server: Some(site()),
            config: Some(folder.path().join("agent.toml")),
            token_file: Some(folder.path().join("elsewhere")),
            ..Flags::default()
        };
        store_after(&Settings::load(&flags).unwrap(), token().reveal(), known).unwrap();
        assert_eq!(Settings::load(&flags).unwrap().rigs[0].token, Some(token()));
    }

    #[test]
    fn an_address_that_the_next_start_would_not_know_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let stored = |text: &str| store_after(&settings(folder.path(), text), token().reveal(), known).unwrap();
        let same = stored("server = \"https://1lap.example.com\"");
        assert!(!same.contains("address"), "{same}");
        for (text, told) in
            [("server = \"https://other.example\"", "another address (https://other.example)"), ("", "no address")]
        {
            let said = stored(text);
            assert!(said.contains(told) && said.contains("server = \"https://1lap.example.com\""), "{said}");
        }
    }

    #[test]
    fn a_token_in_the_settings_is_in_the_way_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path(), &format!("token = \"{}\"", token().reveal()));
        let said = store_after(&settings, token().reveal(), |_, _| panic!("asked")).unwrap_err();
        assert!(said.contains("agent.toml") && said.contains("remove it there first"), "{said}");
    }

    #[test]
    fn the_first_steps_name_both_ways_with_what_has_to_be_said() {
        let folder = tempfile::tempdir().unwrap();
        let given = settings(folder.path(), "");
        let known = Settings { server_in_file: given.server.clone(), ..given.clone() };
        let none = Settings { server: None, ..given.clone() };
        for (steps, words) in [
            (first_steps(&given, given.server.as_ref()), " --server https://1lap.example.com\n"),
            (first_steps(&known, None), "\n"),
            (first_steps(&none, None), " --server https://your.site\n"),
        ] {
            for way in ["pair", "token"] {
                assert!(steps.contains(&format!("onelap-agent {way}{words}")), "{steps}");
            }
        }
    }

    #[test]
    fn a_typo_is_found_without_asking() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path(), "");
        let typo = token().reveal().replace("xxxx_", "").replace("xxxxx", "xxxxy");
        let said = store_after(&settings, &typo, |_, _| panic!("it asked")).unwrap_err();
        assert!(said.contains("misspelt"), "{said}");
    }

    #[test]
    fn of_several_rigs_it_must_be_said_which() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path(), "[[rig]]\nname='A'\n[[rig]]\nname='B'\ngame='f1'\nf1_port=1\n");
        let said = store_after(&settings, token().reveal(), known).unwrap_err();
        assert!(said.contains("(A, B)") && said.contains("--rig"), "{said}");
    }
}
