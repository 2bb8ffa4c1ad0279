//! Operations.

use axum::extract::State;
use axum::http::StatusCode;
use control::OperationQuery;
use serde::Deserialize;
use types::{Operation, OperationStatus, Page, Permission};
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Json, Path, Query, Result, Signed};

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(Permission::OperationsRead, routes!(list_operations))
        .add(Permission::OperationsRead, routes!(get_operation))
        .add(Permission::OperationsWrite, routes!(resume_operation))
        .add(Permission::OperationsWrite, routes!(undo_operation))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OperationsQuery {
    /// Only those that change this, or something of this network: an id.
    subject: Option<String>,
    /// Only those in this state.
    status: Option<OperationStatus>,
    /// `next` of the page before; absent for the first.
    cursor: Option<String>,
    /// Most entries to answer: 1 to 500, 50 when absent.
    limit: Option<u32>,
}

/// Operations on one's networks, newest first. They stay when their network is gone.
#[utoipa::path(get, path = "/operations", tag = "operations", params(OperationsQuery), responses((status = 200, body = Page<Operation>)))]
async fn list_operations(
    State(app): State<App>,
    signed: Signed,
    Query(query): Query<OperationsQuery>,
) -> Result<Json<Page<Operation>>> {
    let query =
        OperationQuery { subject: query.subject, status: query.status, cursor: query.cursor, limit: query.limit };
    Ok(Json(app.control().operations(&signed.caller, &query).await?))
}

/// An operation with its steps.
#[utoipa::path(get, path = "/operations/{operation}", tag = "operations",
    params(("operation", description = "Id")), responses((status = 200, body = Operation)))]
async fn get_operation(
    State(app): State<App>,
    signed: Signed,
    Path(operation): Path<String>,
) -> Result<Json<Operation>> {
    Ok(Json(app.control().operation(&signed.caller, &operation).await?))
}

/// Go on with an operation that failed, from the step that failed.
#[utoipa::path(post, path = "/operations/{operation}/resume", tag = "operations",
    params(("operation", description = "Id")), responses((status = 202, body = Operation)))]
async fn resume_operation(
    State(app): State<App>,
    signed: Signed,
    Path(operation): Path<String>,
) -> Result<(StatusCode, Json<Operation>)> {
    Ok((StatusCode::ACCEPTED, Json(app.control().resume_operation(&signed.caller, &operation).await?)))
}

/// Take back what an operation did. One that runs is stopped first.
#[utoipa::path(post, path = "/operations/{operation}/undo", tag = "operations",
    params(("operation", description = "Id")), responses((status = 202, body = Operation)))]
async fn undo_operation(
    State(app): State<App>,
    signed: Signed,
    Path(operation): Path<String>,
) -> Result<(StatusCode, Json<Operation>)> {
    Ok((StatusCode::ACCEPTED, Json(app.control().undo_operation(&signed.caller, &operation).await?)))
}
