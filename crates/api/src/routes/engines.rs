//! The engines that networks can be made of, and the versions of their programs.

use axum::extract::State;
use axum::http::StatusCode;
use types::{
    Engine, EngineVersion, GivenEngineVersion, InstallableEngine, NewEngineVersion, Operation, Page, Permission,
};
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Create, Json, Path, Result, Signed};

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(Permission::SignedIn, routes!(list_engines))
        .add(Permission::EnginesRead, routes!(list_available_engines))
        .create(Permission::EnginesWrite, routes!(install_engine))
        .add(Permission::EnginesWrite, routes!(add_engine))
        .add(Permission::EnginesWrite, routes!(remove_engine))
}

/// Engines with their kinds of consensus, their versions and a JSON Schema of their options. The first is the default.
#[utoipa::path(get, path = "/engines", tag = "engines", responses((status = 200, body = Page<Engine>)))]
async fn list_engines(State(app): State<App>, signed: Signed) -> Result<Json<Page<Engine>>> {
    Ok(Json(app.control().engines(&signed.caller)?))
}

/// Engines whose programs do not come with Polder, with the versions that are known and those that are installed.
#[utoipa::path(get, path = "/engines/available", tag = "engines",
    responses((status = 200, body = Page<InstallableEngine>)))]
async fn list_available_engines(State(app): State<App>, signed: Signed) -> Result<Json<Page<InstallableEngine>>> {
    Ok(Json(app.control().installable_engines(&signed.caller)?))
}

/// Install a version: it is built from the Go module registry by the operation that is answered.
#[utoipa::path(post, path = "/engine-versions", tag = "engines", request_body = NewEngineVersion,
    responses((status = 202, body = Operation)))]
async fn install_engine(
    State(app): State<App>,
    signed: Signed,
    new: Create<NewEngineVersion>,
) -> Result<(StatusCode, Json<Operation>)> {
    let operation = app.control().install_engine(&signed.caller, new.idempotency.as_ref(), &new.body).await?;
    Ok((StatusCode::ACCEPTED, Json(operation)))
}

/// Add programs that are on the server's machine already. They are not copied; adding them again is no error.
#[utoipa::path(post, path = "/engine-versions/add", tag = "engines", request_body = GivenEngineVersion,
    responses((status = 201, body = EngineVersion)))]
async fn add_engine(
    State(app): State<App>,
    signed: Signed,
    Json(given): Json<GivenEngineVersion>,
) -> Result<(StatusCode, Json<EngineVersion>)> {
    Ok((StatusCode::CREATED, Json(app.control().add_engine(&signed.caller, &given).await?)))
}

/// Remove a version that no network runs. Programs that were added stay where they are.
#[utoipa::path(delete, path = "/engine-versions/{version}", tag = "engines",
    params(("version", description = "`ENGINE@VERSION`")), responses((status = 204)))]
async fn remove_engine(State(app): State<App>, signed: Signed, Path(version): Path<String>) -> Result<StatusCode> {
    app.control().remove_engine(&signed.caller, &version).await?;
    Ok(StatusCode::NO_CONTENT)
}
