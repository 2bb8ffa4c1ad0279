//! The engines that networks can be made of.

use axum::extract::State;
use types::{Engine, Page, Permission};
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Json, Result, Signed};

pub(super) fn routes() -> Routes {
    Routes::new().add(Permission::SignedIn, routes!(list_engines))
}

/// Engines with their kinds of consensus and a JSON Schema of their options. The first is the default.
#[utoipa::path(get, path = "/engines", tag = "networks", responses((status = 200, body = Page<Engine>)))]
async fn list_engines(State(app): State<App>, signed: Signed) -> Result<Json<Page<Engine>>> {
    Ok(Json(app.control().engines(&signed.caller)?))
}
