//! The server about itself, and the API description.

use axum::extract::State;
use types::{Permission, Server};
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Json, Result, Signed};

pub(super) fn routes() -> Routes {
    Routes::new().add(Permission::ServerRead, routes!(show_server)).add(Permission::Public, routes!(show_openapi))
}

/// The server: version, resources, and what an administrator should see to.
#[utoipa::path(get, path = "/server", tag = "server", responses((status = 200, body = Server)))]
async fn show_server(State(app): State<App>, signed: Signed) -> Result<Json<Server>> {
    Ok(Json(app.control().server(&signed.caller)?))
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "server",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")))]
async fn show_openapi() -> Json<serde_json::Value> {
    Json(crate::document())
}
