//! Whether the server runs, and whether it can serve.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use types::Permission;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Json, Result};

pub(super) fn routes() -> Routes {
    Routes::new().add(Permission::Public, routes!(healthz)).add(Permission::Public, routes!(readyz))
}

/// How the server is.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
}

/// The process runs.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, body = Health)))]
async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// The database answers and the server is not shutting down.
#[utoipa::path(get, path = "/readyz", tag = "health", responses((status = 200, body = Health)))]
async fn readyz(State(app): State<App>) -> Result<(StatusCode, Json<Health>)> {
    if app.closing().is_cancelled() {
        return Err(crate::Error::new(types::Code::Unavailable, "The server is shutting down."));
    }
    app.control().ready().await?;
    Ok((StatusCode::OK, Json(Health { status: "ok" })))
}
