//! Organisations.

use axum::extract::State;
use axum::http::StatusCode;
use types::{NewOrganisation, Organisation, Page, PageQuery, Permission};
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Create, Json, Path, Query, Result, Signed};

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(Permission::OrganisationsRead, routes!(list_organisations))
        .create(Permission::OrganisationsWrite, routes!(create_organisation))
        .add(Permission::OrganisationsRead, routes!(get_organisation))
        .add(Permission::OrganisationsWrite, routes!(delete_organisation))
}

/// Organisations by name: one's own and those that share a consortium with one of them.
#[utoipa::path(get, path = "/organisations", tag = "organisations", params(PageQuery),
    responses((status = 200, body = Page<Organisation>)))]
async fn list_organisations(
    State(app): State<App>,
    signed: Signed,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Organisation>>> {
    Ok(Json(app.control().list_organisations(&signed.caller, &query).await?))
}

/// Make an organisation and its signing key.
#[utoipa::path(post, path = "/organisations", tag = "organisations", request_body = NewOrganisation,
    responses((status = 201, body = Organisation)))]
async fn create_organisation(
    State(app): State<App>,
    signed: Signed,
    new: Create<NewOrganisation>,
) -> Result<(StatusCode, Json<Organisation>)> {
    let organisation = app.control().create_organisation(&signed.caller, new.idempotency.as_ref(), &new.body).await?;
    Ok((StatusCode::CREATED, Json(organisation)))
}

/// An organisation by id or name.
#[utoipa::path(get, path = "/organisations/{organisation}", tag = "organisations",
    params(("organisation", description = "Id or name")), responses((status = 200, body = Organisation)))]
async fn get_organisation(
    State(app): State<App>,
    signed: Signed,
    Path(organisation): Path<String>,
) -> Result<Json<Organisation>> {
    Ok(Json(app.control().get_organisation(&signed.caller, &organisation).await?))
}

/// Remove an organisation that is a member of no consortium.
#[utoipa::path(delete, path = "/organisations/{organisation}", tag = "organisations",
    params(("organisation", description = "Id or name")), responses((status = 204)))]
async fn delete_organisation(
    State(app): State<App>,
    signed: Signed,
    Path(organisation): Path<String>,
) -> Result<StatusCode> {
    app.control().delete_organisation(&signed.caller, &organisation).await?;
    Ok(StatusCode::NO_CONTENT)
}
