//! Users.

use axum::extract::State;
use axum::http::StatusCode;
use types::{NewUser, Page, PageQuery, Permission, User, UserChange};
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Create, Json, Path, Query, Result, Signed};

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(Permission::UsersRead, routes!(list_users))
        .create(Permission::UsersWrite, routes!(create_user))
        .add(Permission::UsersRead, routes!(get_user))
        .add(Permission::UsersWrite, routes!(change_user))
        .add(Permission::UsersWrite, routes!(delete_user))
}

/// Users by name.
#[utoipa::path(get, path = "/users", tag = "users", params(PageQuery), responses((status = 200, body = Page<User>)))]
async fn list_users(
    State(app): State<App>,
    signed: Signed,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<User>>> {
    Ok(Json(app.control().list_users(&signed.caller, &query).await?))
}

/// Make a user.
#[utoipa::path(post, path = "/users", tag = "users", request_body = NewUser, responses((status = 201, body = User)))]
async fn create_user(State(app): State<App>, signed: Signed, new: Create<NewUser>) -> Result<(StatusCode, Json<User>)> {
    let user = app.control().create_user(&signed.caller, new.idempotency.as_ref(), &new.body).await?;
    Ok((StatusCode::CREATED, Json(user)))
}

/// A user by id or name.
#[utoipa::path(get, path = "/users/{user}", tag = "users", params(("user", description = "Id or name")),
    responses((status = 200, body = User)))]
async fn get_user(State(app): State<App>, signed: Signed, Path(user): Path<String>) -> Result<Json<User>> {
    Ok(Json(app.control().get_user(&signed.caller, &user).await?))
}

/// Change a user's password or roles. A new password ends the user's sessions.
#[utoipa::path(patch, path = "/users/{user}", tag = "users", params(("user", description = "Id or name")),
    request_body = UserChange, responses((status = 200, body = User)))]
async fn change_user(
    State(app): State<App>,
    signed: Signed,
    Path(user): Path<String>,
    Json(change): Json<UserChange>,
) -> Result<Json<User>> {
    Ok(Json(app.control().change_user(&signed.caller, &user, &change).await?))
}

/// Remove a user with its sessions and access keys.
#[utoipa::path(delete, path = "/users/{user}", tag = "users", params(("user", description = "Id or name")),
    responses((status = 204)))]
async fn delete_user(State(app): State<App>, signed: Signed, Path(user): Path<String>) -> Result<StatusCode> {
    app.control().delete_user(&signed.caller, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}
