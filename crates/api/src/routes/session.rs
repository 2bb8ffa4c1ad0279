//! Signing in and out.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use keys::Secret;
use types::{PasswordChange, Permission, Session, SignIn};
use utoipa_axum::routes;

use super::Routes;
use crate::{App, ClientAddress, Json, Result, Signed, auth};

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(Permission::Public, routes!(sign_in))
        .add(Permission::SignedIn, routes!(show_session))
        .add(Permission::SignedIn, routes!(sign_out))
        .add(Permission::SignedIn, routes!(change_own_password))
}

/// Sign in: sets the session cookie.
#[utoipa::path(post, path = "/session", tag = "session", request_body = SignIn, responses((status = 201, body = Session)))]
async fn sign_in(
    State(app): State<App>,
    ClientAddress(from): ClientAddress,
    Json(request): Json<SignIn>,
) -> Result<impl IntoResponse> {
    let signed_in = app.control().sign_in(from, request).await?;
    let cookie = auth::set_cookie(&app, Some(signed_in.token.expose()));
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(signed_in.session)))
}

/// Who is signed in, with the CSRF token.
#[utoipa::path(get, path = "/session", tag = "session", responses((status = 200, body = Session)))]
async fn show_session(signed: Signed) -> Json<Session> {
    Json(signed.session)
}

/// Sign out: ends the session. Nothing happens with an access key.
#[utoipa::path(delete, path = "/session", tag = "session", responses((status = 204)))]
async fn sign_out(State(app): State<App>, signed: Signed) -> Result<impl IntoResponse> {
    if let Some(token) = &signed.token {
        app.control().sign_out(token).await?;
    }
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, auth::set_cookie(&app, None))]))
}

/// Change one's own password. All other sessions of the user end.
#[utoipa::path(post, path = "/session/password", tag = "session", request_body = PasswordChange, responses((status = 204)))]
async fn change_own_password(
    State(app): State<App>,
    ClientAddress(from): ClientAddress,
    signed: Signed,
    Json(change): Json<PasswordChange>,
) -> Result<StatusCode> {
    let (current, new) = (Secret::new(change.current_password), Secret::new(change.new_password));
    app.control().change_own_password(&signed.caller, from, signed.token.as_deref(), current, new).await?;
    Ok(StatusCode::NO_CONTENT)
}
