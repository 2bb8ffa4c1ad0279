//! Access keys.

use axum::extract::State;
use axum::http::StatusCode;
use types::{AccessKey, NewAccessKey, Page, PageQuery, Permission};
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Create, Json, Path, Query, Result, Signed};

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(Permission::SignedIn, routes!(list_access_keys))
        .create(Permission::SignedIn, routes!(create_access_key))
        .add(Permission::SignedIn, routes!(delete_access_key))
}

/// One's own access keys, oldest first; all of them for a platform administrator.
#[utoipa::path(get, path = "/access-keys", tag = "access-keys", params(PageQuery),
    responses((status = 200, body = Page<AccessKey>)))]
async fn list_access_keys(
    State(app): State<App>,
    signed: Signed,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<AccessKey>>> {
    Ok(Json(app.control().list_access_keys(&signed.caller, &query).await?))
}

/// Make an access key. Only this answer shows the key (`secret`).
#[utoipa::path(post, path = "/access-keys", tag = "access-keys", request_body = NewAccessKey,
    responses((status = 201, body = AccessKey)))]
async fn create_access_key(
    State(app): State<App>,
    signed: Signed,
    new: Create<NewAccessKey>,
) -> Result<(StatusCode, Json<AccessKey>)> {
    let key = app.control().create_access_key(&signed.caller, new.idempotency.as_ref(), &new.body).await?;
    Ok((StatusCode::CREATED, Json(key)))
}

/// Revoke an access key.
#[utoipa::path(delete, path = "/access-keys/{key}", tag = "access-keys", params(("key", description = "Id")),
    responses((status = 204)))]
async fn delete_access_key(State(app): State<App>, signed: Signed, Path(key): Path<String>) -> Result<StatusCode> {
    app.control().delete_access_key(&signed.caller, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}
