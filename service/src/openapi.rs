//! The description of the HTTP API, and a page that shows it.
//!
//! Invariant: `service/openapi.json` is what [`document`] gives; a test fails when it is not.

use crate::{about, accounts, health, laps, metrics, rigs, sessions, setups, teams};
use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::SwaggerUi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "1Lap",
        description = "Telemetry of a sim-racing team, live and recorded. Errors are `{\"error\": {code, message, field?, \
            trace}}`. Everything but GET needs an `Origin` header that is the service's own. The sockets `/api/agent/ws` \
            and `/api/live/ws` are described in the protocol crate.",
    ),
    paths(
        accounts::signup::signup,
        accounts::signup::finish_signup,
        accounts::signup::resend_signup,
        accounts::login::login,
        accounts::login::login_code,
        accounts::login::renew,
        accounts::login::confirm,
        accounts::login::logout,
        accounts::login::logout_everywhere,
        accounts::password::ask_reset,
        accounts::password::finish_reset,
        accounts::password::change_password,
        accounts::email::confirm_email,
        accounts::email::change_email,
        accounts::email::resend_verification,
        accounts::me::who,
        accounts::me::rename,
        accounts::logins::list_logins,
        accounts::logins::end_login,
        accounts::logins::end_other_logins,
        accounts::second_factor::begin_second_factor,
        accounts::second_factor::confirm_second_factor,
        accounts::second_factor::remove_second_factor,
        accounts::second_factor::new_recovery_codes,
        accounts::leave::export,
        accounts::leave::delete_account,
        teams::routes::create_team,
        rigs::routes::list_rigs,
        rigs::routes::create_rig,
        rigs::routes::delete_rig,
        rigs::routes::create_token,
        rigs::routes::revoke_token,
        rigs::routes::whoami,
        sessions::routes::list_sessions,
        sessions::routes::session_detail,
        laps::routes::car_history,
        laps::routes::lap_trace,
        laps::routes::list_channels,
        setups::routes::find_setup,
        health::healthz,
        health::readyz,
        metrics::scrape,
        about::about,
    ),
    modifiers(&Credentials),
    security(("session" = [])),
)]
struct Api;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let cookie = ApiKeyValue::with_description(
            "onelap_access",
            "Set by signing up and logging in; behind https its name is __Host-onelap_access.",
        );
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("1lap_rig_…").build();
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        components.add_security_scheme("rig_token", SecurityScheme::Http(token));
    }
}

/// The description.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

/// The description as the file `openapi.json` has it.
///
/// # Errors
/// Where it cannot be written as JSON.
pub fn text() -> Result<String, serde_json::Error> {
    document().to_pretty_json().map(|text| text + "\n")
}

#[get("/api/docs")]
async fn docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/api/docs/")).finish()
}

/// Adds `/api/openapi.json` and `/api/docs/`.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(docs);
    config.service(SwaggerUi::new("/api/docs/{_:.*}").url("/api/openapi.json", document()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_description_is_up_to_date() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        let text = text().unwrap();
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            std::fs::write(file, &text).unwrap();
        }
        let committed = std::fs::read_to_string(file).unwrap_or_default();
        assert!(committed == text, "service/openapi.json is not what the code gives: run \"make openapi\"");
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_and_says_what_it_is_for() {
        let mut names = std::collections::HashSet::new();
        for (path, item) in document().paths.paths {
            for (method, operation) in
                [("get", item.get), ("post", item.post), ("put", item.put), ("delete", item.delete)]
            {
                let Some(operation) = operation else { continue };
                let name = operation.operation_id.unwrap();
                assert!(names.insert(name.clone()), "two operations are called {name}");
                assert!(operation.summary.is_some_and(|s| !s.is_empty()), "{method} {path} has no summary");
            }
        }
    }
}
