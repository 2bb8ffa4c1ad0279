//! Consortia.

use axum::extract::State;
use axum::http::StatusCode;
use types::{Consortium, NewConsortium, Page, PageQuery, Permission};
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Create, Json, Path, Query, Result, Signed};

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(Permission::ConsortiaRead, routes!(list_consortia))
        .create(Permission::ConsortiaWrite, routes!(create_consortium))
        .add(Permission::ConsortiaRead, routes!(get_consortium))
        .add(Permission::ConsortiaWrite, routes!(delete_consortium))
}

/// Consortia by name: those with one of one's organisations as a member.
#[utoipa::path(get, path = "/consortia", tag = "consortia", params(PageQuery),
    responses((status = 200, body = Page<Consortium>)))]
async fn list_consortia(
    State(app): State<App>,
    signed: Signed,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Consortium>>> {
    Ok(Json(app.control().list_consortia(&signed.caller, &query).await?))
}

/// Found a consortium: each member's key signs the founding statement.
#[utoipa::path(post, path = "/consortia", tag = "consortia", request_body = NewConsortium,
    responses((status = 201, body = Consortium)))]
async fn create_consortium(
    State(app): State<App>,
    signed: Signed,
    new: Create<NewConsortium>,
) -> Result<(StatusCode, Json<Consortium>)> {
    let consortium = app.control().create_consortium(&signed.caller, new.idempotency.as_ref(), &new.body).await?;
    Ok((StatusCode::CREATED, Json(consortium)))
}

/// A consortium by id or name.
#[utoipa::path(get, path = "/consortia/{consortium}", tag = "consortia",
    params(("consortium", description = "Id or name")), responses((status = 200, body = Consortium)))]
async fn get_consortium(
    State(app): State<App>,
    signed: Signed,
    Path(consortium): Path<String>,
) -> Result<Json<Consortium>> {
    Ok(Json(app.control().get_consortium(&signed.caller, &consortium).await?))
}

/// Dissolve a consortium that has no networks.
#[utoipa::path(delete, path = "/consortia/{consortium}", tag = "consortia",
    params(("consortium", description = "Id or name")), responses((status = 204)))]
async fn delete_consortium(
    State(app): State<App>,
    signed: Signed,
    Path(consortium): Path<String>,
) -> Result<StatusCode> {
    app.control().delete_consortium(&signed.caller, &consortium).await?;
    Ok(StatusCode::NO_CONTENT)
}
