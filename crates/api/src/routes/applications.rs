//! Applications.

use axum::extract::State;
use axum::http::StatusCode;
use types::{Application, NewApplication, Page, PageQuery, Permission};
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Create, Json, Path, Query, Result, Signed};

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(Permission::ApplicationsRead, routes!(list_applications))
        .create(Permission::ApplicationsWrite, routes!(create_application))
        .add(Permission::ApplicationsRead, routes!(get_application))
        .add(Permission::ApplicationsWrite, routes!(rotate_application))
        .add(Permission::ApplicationsWrite, routes!(delete_application))
}

/// Applications of one's organisations, oldest first.
#[utoipa::path(get, path = "/applications", tag = "applications", params(PageQuery),
    responses((status = 200, body = Page<Application>)))]
async fn list_applications(
    State(app): State<App>,
    signed: Signed,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Application>>> {
    Ok(Json(app.control().list_applications(&signed.caller, &query).await?))
}

/// Make an application of a member, with a key for networks' JSON-RPC. Only this answer shows the key (`secret`).
#[utoipa::path(post, path = "/applications", tag = "applications", request_body = NewApplication,
    responses((status = 201, body = Application)))]
async fn create_application(
    State(app): State<App>,
    signed: Signed,
    new: Create<NewApplication>,
) -> Result<(StatusCode, Json<Application>)> {
    let made = app.control().create_application(&signed.caller, new.idempotency.as_ref(), &new.body).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// An application.
#[utoipa::path(get, path = "/applications/{application}", tag = "applications",
    params(("application", description = "Id or name")), responses((status = 200, body = Application)))]
async fn get_application(
    State(app): State<App>,
    signed: Signed,
    Path(application): Path<String>,
) -> Result<Json<Application>> {
    Ok(Json(app.control().get_application(&signed.caller, &application).await?))
}

/// Replace an application's key. The old one ends at once; only this answer shows the new one (`secret`).
#[utoipa::path(post, path = "/applications/{application}/rotate", tag = "applications",
    params(("application", description = "Id or name")), responses((status = 200, body = Application)))]
async fn rotate_application(
    State(app): State<App>,
    signed: Signed,
    Path(application): Path<String>,
) -> Result<Json<Application>> {
    Ok(Json(app.control().rotate_application(&signed.caller, &application).await?))
}

/// Revoke an application. Its key and its connections end at once.
#[utoipa::path(delete, path = "/applications/{application}", tag = "applications",
    params(("application", description = "Id or name")), responses((status = 204)))]
async fn delete_application(
    State(app): State<App>,
    signed: Signed,
    Path(application): Path<String>,
) -> Result<StatusCode> {
    app.control().delete_application(&signed.caller, &application).await?;
    Ok(StatusCode::NO_CONTENT)
}
