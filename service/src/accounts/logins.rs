//! `/api/me/logins`: the browsers in which somebody is logged in.

use crate::app::State;
use crate::auth::{self, Caller, Login, LoginId};
use crate::error::{ApiError, ErrorBody};
use actix_web::{HttpResponse, delete, get, web};
use uuid::Uuid;

/// One's own log-ins, those used last first.
#[utoipa::path(tag = "account", responses((status = 200, body = Vec<Login>)))]
#[get("/api/me/logins")]
pub(crate) async fn list_logins(caller: Caller, state: web::Data<State>) -> Result<web::Json<Vec<Login>>, ApiError> {
    auth::list(&mut *state.db.web.acquire().await?, caller).await.map(web::Json)
}

/// End one of one's own log-ins: within seconds it can do nothing more, and its live view closes.
#[utoipa::path(
    tag = "account",
    params(("login" = Uuid, Path)),
    responses(
        (status = 204, description = "It has ended"),
        (status = 404, description = "There is no such one", body = ErrorBody),
    )
)]
#[delete("/api/me/logins/{login}")]
pub(crate) async fn end_login(
    caller: Caller,
    state: web::Data<State>,
    login: web::Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    auth::end_one(&state.db, &state.auth, caller.user, LoginId(*login)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// End all of one's own log-ins but this one.
#[utoipa::path(tag = "account", responses((status = 204, description = "They have ended")))]
#[delete("/api/me/logins")]
pub(crate) async fn end_other_logins(caller: Caller, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let ended = auth::end_all(&mut *state.db.web.acquire().await?, caller.user, Some(caller.login)).await?;
    ended.tell(&state.auth);
    Ok(HttpResponse::NoContent().finish())
}
