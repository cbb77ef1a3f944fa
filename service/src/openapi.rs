//! The description of the HTTP API, and a page that shows it.
//!
//! Invariant: `service/openapi.json` is what [`document`] gives; a test fails when it is not.

use crate::auth::permissions::{Access, access};
use crate::error::ErrorBody;
use crate::{
    about, accounts, api_keys, audit, health, invitations, laps, metrics, operators, pairing, rigs, sessions, setups,
    shares, teams,
};
use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use std::sync::LazyLock;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi, ToSchema};
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
        laps::routes::session_trace,
        laps::routes::list_channels,
        setups::routes::find_setup,
        health::healthz,
        health::readyz,
        metrics::scrape,
        about::about,
        teams::routes::list_roles,
        teams::routes::find_team,
        teams::routes::rename_team,
        teams::routes::leave_team,
        teams::routes::delete_team,
        teams::routes::keep_team,
        teams::routes::hand_over,
        teams::routes::export_team,
        teams::routes::list_members,
        teams::routes::change_role,
        teams::routes::remove_member,
        invitations::routes::invite,
        invitations::routes::list_invitations,
        invitations::routes::revoke_invitation,
        invitations::routes::look_at_invitation,
        invitations::routes::accept_invitation,
        audit::routes::list_audit,
        audit::routes::export_audit,
        rigs::routes::rotate_token,
        pairing::routes::begin_pairing,
        pairing::routes::fetch_token,
        pairing::routes::look_at_pairing,
        pairing::routes::approve_pairing,
        pairing::routes::deny_pairing,
        shares::routes::list_shares,
        shares::routes::create_share,
        shares::routes::revoke_share,
        shares::routes::open_share,
        shares::routes::current_share,
        shares::routes::close_share,
        api_keys::routes::list_keys,
        api_keys::routes::create_key,
        api_keys::routes::revoke_key,
        operators::routes::operator_teams,
        operators::routes::operator_counts,
        operators::routes::disable_team,
        operators::routes::enable_team,
    ),
    modifiers(&Credentials, &Refusals),
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
        let share = ApiKeyValue::with_description(
            "onelap_share",
            "Set by opening a share link; behind https its name is __Host-onelap_share.",
        );
        components.add_security_scheme("share", SecurityScheme::ApiKey(ApiKey::Cookie(share)));
        for (name, format) in [("api_key", "1lap_key_…"), ("operator_token", "the operator's own")] {
            let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format(format).build();
            components.add_security_scheme(name, SecurityScheme::Http(token));
        }
    }
}

/// What every route of a kind can be refused with, so that no route has to say it again; follows from
/// [`permissions`](crate::auth::permissions).
struct Refusals;

impl Modify for Refusals {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut api.paths.paths {
            for (method, operation) in
                [("GET", &mut item.get), ("POST", &mut item.post), ("PUT", &mut item.put), ("DELETE", &mut item.delete)]
            {
                if let Some(operation) = operation {
                    refuse(operation, method, access(method, path).unwrap_or(Access::Anyone));
                }
            }
        }
    }
}

fn refuse(operation: &mut Operation, method: &str, access: Access) {
    const LOGIN: (&str, &str) = ("401", "Nobody has logged in, or the credential is not good");
    const ROLE: (&str, &str) = ("403", "The caller may not do this (the message says who may), or the Origin is wrong");
    const NOTHING: (&str, &str) = ("404", "There is no such thing, or it is another team's");
    const OFTEN: (&str, &str) = ("429", "Too often");
    let mut refusals = match access {
        Access::Anyone => vec![],
        Access::Person | Access::Share => vec![LOGIN],
        Access::Rig => vec![LOGIN, ROLE],
        Access::Member(_) => vec![LOGIN, ROLE, NOTHING],
        Access::Reader(_) => vec![LOGIN, ROLE, NOTHING, OFTEN],
        Access::Operator => vec![LOGIN, NOTHING, OFTEN],
    };
    if matches!(access, Access::Reader(_)) {
        let any_of = ["session", "share", "api_key"].map(|name| SecurityRequirement::new(name, Vec::<String>::new()));
        operation.security = Some(any_of.to_vec());
    }
    if method != "GET" {
        refusals.push(ROLE);
    }
    let mut parameters = operation.parameters.iter().flatten();
    if parameters.any(|p| matches!(p, RefOr::T(p) if p.parameter_in == ParameterIn::Query)) {
        refusals.push(("400", "The query cannot be read"));
    }
    if operation.request_body.is_some() {
        refusals.push(("400", "The body is not JSON"));
        refusals.push(("413", "The body is over the limit"));
        refusals.push(("422", "A value is not allowed; `field` names it"));
    }
    refusals.push(("503", "The service has too much to do, or its database does not answer: try again"));
    for (status, description) in refusals {
        let body = ContentBuilder::new().schema(Some(Ref::from_schema_name(ErrorBody::name()))).build();
        let response = ResponseBuilder::new().description(description).content("application/json", body).build();
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| response.into());
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

/// What can be done with an address of the description; `None` where it has no such address.
#[must_use]
pub fn methods_of(path: &str) -> Option<String> {
    static ROUTES: LazyLock<Vec<(Vec<String>, String)>> = LazyLock::new(|| {
        let parts = |path: &str| path.split('/').map(str::to_owned).collect();
        let route = |(path, item): (String, PathItem)| {
            let methods = [("GET", item.get), ("POST", item.post), ("PUT", item.put), ("DELETE", item.delete)];
            let allow: Vec<&str> = methods.iter().filter(|(_, op)| op.is_some()).map(|(method, _)| *method).collect();
            (parts(&path), allow.join(", "))
        };
        document().paths.paths.into_iter().map(route).collect()
    });
    let asked: Vec<&str> = path.split('/').collect();
    let is_it = |parts: &[String]| {
        parts.len() == asked.len()
            && parts
                .iter()
                .zip(&asked)
                .all(|(part, asked)| part == asked || (part.starts_with('{') && !asked.is_empty()))
    };
    ROUTES.iter().find(|(parts, _)| is_it(parts)).map(|(_, allow)| allow.clone())
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
