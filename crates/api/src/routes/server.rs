//! The server about itself, and the API description.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
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
async fn show_openapi() -> Result<impl IntoResponse> {
    let text = crate::document()
        .to_json()
        .map_err(|error| control::Error::internal("the API description cannot be written", error))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text))
}
