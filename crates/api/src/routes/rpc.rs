//! Networks' JSON-RPC for applications. Not below `/api/v1`: what is spoken here is JSON-RPC, errors included.

use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::HeaderMap;
use axum::response::Response;
use types::Permission;
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Path};

pub(super) fn routes() -> Routes {
    Routes::new().add(Permission::Application, routes!(call_node, open_socket))
}

/// Call a network's nodes by Ethereum's JSON-RPC, with an application's key (Bearer, or Basic with the application's name).
/// Errors are JSON-RPC errors.
#[utoipa::path(post, path = "/rpc/{consortium}/{network}", tag = "rpc", request_body = serde_json::Value,
    params(("consortium", description = "Name"), ("network", description = "Name")),
    responses((status = 200, body = serde_json::Value)))]
async fn call_node(
    State(app): State<App>,
    Path((consortium, network)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    app.ingress().post(&consortium, &network, &headers, body).await
}

/// Open a WebSocket to a network's JSON-RPC, with an application's key.
#[utoipa::path(get, path = "/rpc/{consortium}/{network}", tag = "rpc",
    params(("consortium", description = "Name"), ("network", description = "Name")),
    responses((status = 101)))]
async fn open_socket(
    State(app): State<App>,
    Path((consortium, network)): Path<(String, String)>,
    headers: HeaderMap,
    upgrade: std::result::Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    app.ingress().open(&consortium, &network, &headers, upgrade).await
}
