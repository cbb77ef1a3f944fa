//! `onelap-agent token`: takes a pasted token, asks the service whose it is, and keeps it where only the driver reads it.

use crate::api::{ApiError, who_am_i};
use crate::config::place::write_private;
use crate::config::settings::{RigSettings, Settings};
use crate::config::template;
use crate::server::ServerUrl;
use onelap_protocol::RigToken;
use onelap_protocol::agent::WhoAmI;

/// Checks and keeps a token; says in words what came of it.
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
    let file = rig.token_file.display();
    write_private(&rig.token_file, &format!("{}\n", token.reveal()))
        .map_err(|e| format!("the token cannot be stored in {file}: {e}"))?;
    let mut said = format!("This is rig {} of team {}. The token is stored in {file}.", who.rig_name, who.team_name);
    if !settings.path.exists() {
        write_private(&settings.path, &template(server))
            .map_err(|e| format!("the settings cannot be written to {}: {e}", settings.path.display()))?;
        said.push_str(&format!("\nThe settings are in {}.", settings.path.display()));
    }
    Ok(said)
}

fn the_rig(settings: &Settings) -> Result<&RigSettings, String> {
    let [rig] = settings.rigs.as_slice() else {
        let names: Vec<_> = settings.rigs.iter().map(|rig| rig.name.as_str()).collect();
        return Err(format!(
            "the settings have several rigs ({}): say whose token this is with --rig NAME",
            names.join(", ")
        ));
    };
    if rig.token_is_in_settings {
        let path = settings.path.display();
        return Err(format!("{path} has a `token` for {} in it, which would count: remove it there first", rig.name));
    }
    Ok(rig)
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
