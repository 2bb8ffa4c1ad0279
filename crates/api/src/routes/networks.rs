//! Networks.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use types::{
    AttachNetwork, CreatedNetwork, Network, NetworkPreview, NewNetwork, Operation, Page, PageQuery, Permission,
    Statistics, Topology,
};
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Create, Json, Path, Query, Result, Signed};

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(Permission::NetworksRead, routes!(list_networks))
        .create(Permission::NetworksWrite, routes!(create_network))
        .add(Permission::NetworksWrite, routes!(preview_network))
        .create(Permission::NetworksWrite, routes!(attach_network))
        .add(Permission::NetworksRead, routes!(get_network))
        .add(Permission::NetworksWrite, routes!(delete_network))
        .add(Permission::NetworksWrite, routes!(start_network))
        .add(Permission::NetworksWrite, routes!(stop_network))
        .add(Permission::NetworksWrite, routes!(restart_network))
        .add(Permission::NetworksRead, routes!(get_topology))
        .add(Permission::NetworksRead, routes!(get_statistics))
}

/// Networks of one's consortia, oldest first.
#[utoipa::path(get, path = "/networks", tag = "networks", params(PageQuery), responses((status = 200, body = Page<Network>)))]
async fn list_networks(
    State(app): State<App>,
    signed: Signed,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Network>>> {
    Ok(Json(app.control().networks(&signed.caller, &query).await?))
}

/// Make a network. The answer comes at once; watch the operation in it.
#[utoipa::path(post, path = "/networks", tag = "networks", request_body = NewNetwork, responses((status = 202, body = CreatedNetwork)))]
async fn create_network(
    State(app): State<App>,
    signed: Signed,
    new: Create<NewNetwork>,
) -> Result<(StatusCode, Json<CreatedNetwork>)> {
    let created = app.control().create_network(&signed.caller, new.idempotency.as_ref(), &new.body).await?;
    Ok((StatusCode::ACCEPTED, Json(created)))
}

/// What a creation would start, and what the choice means. Nothing is made.
#[utoipa::path(post, path = "/networks/preview", tag = "networks", request_body = NewNetwork, responses((status = 200, body = NetworkPreview)))]
async fn preview_network(
    State(app): State<App>,
    signed: Signed,
    Json(new): Json<NewNetwork>,
) -> Result<Json<NetworkPreview>> {
    Ok(Json(app.control().preview_network(&signed.caller, &new).await?))
}

/// Attach a network that others run, by the address of its JSON-RPC. The name is resolved once; private addresses need an
/// administrator's permission (`--allow-address`).
#[utoipa::path(post, path = "/networks/attach", tag = "networks", request_body = AttachNetwork, responses((status = 201, body = Network)))]
async fn attach_network(
    State(app): State<App>,
    signed: Signed,
    new: Create<AttachNetwork>,
) -> Result<(StatusCode, Json<Network>)> {
    let attached = app.control().attach_network(&signed.caller, new.idempotency.as_ref(), &new.body).await?;
    Ok((StatusCode::CREATED, Json(attached)))
}

/// A network with its nodes.
#[utoipa::path(get, path = "/networks/{network}", tag = "networks",
    params(("network", description = "Id, name, or `CONSORTIUM/NAME` (the slash as %2F)")), responses((status = 200, body = Network)))]
async fn get_network(State(app): State<App>, signed: Signed, Path(network): Path<String>) -> Result<Json<Network>> {
    Ok(Json(app.control().network(&signed.caller, &network).await?))
}

/// Stop a network for good and remove its nodes with all that they keep. One that is attached is only detached.
#[utoipa::path(delete, path = "/networks/{network}", tag = "networks",
    params(("network", description = "Id or name")), responses((status = 202, body = Operation)))]
async fn delete_network(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
) -> Result<(StatusCode, Json<Operation>)> {
    Ok((StatusCode::ACCEPTED, Json(app.control().delete_network(&signed.caller, &network).await?)))
}

/// Start all nodes of a network.
#[utoipa::path(post, path = "/networks/{network}/start", tag = "networks",
    params(("network", description = "Id or name")), responses((status = 202, body = Operation)))]
async fn start_network(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
) -> Result<(StatusCode, Json<Operation>)> {
    Ok((StatusCode::ACCEPTED, Json(app.control().start_network(&signed.caller, &network).await?)))
}

/// Stop all nodes of a network; its data stays.
#[utoipa::path(post, path = "/networks/{network}/stop", tag = "networks",
    params(("network", description = "Id or name")), responses((status = 202, body = Operation)))]
async fn stop_network(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
) -> Result<(StatusCode, Json<Operation>)> {
    Ok((StatusCode::ACCEPTED, Json(app.control().stop_network(&signed.caller, &network).await?)))
}

/// Stop all nodes of a network, then start them.
#[utoipa::path(post, path = "/networks/{network}/restart", tag = "networks",
    params(("network", description = "Id or name")), responses((status = 202, body = Operation)))]
async fn restart_network(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
) -> Result<(StatusCode, Json<Operation>)> {
    Ok((StatusCode::ACCEPTED, Json(app.control().restart_network(&signed.caller, &network).await?)))
}

/// How the nodes of a network are connected, as they say themselves.
#[utoipa::path(get, path = "/networks/{network}/topology", tag = "networks",
    params(("network", description = "Id or name")), responses((status = 200, body = Topology)))]
async fn get_topology(State(app): State<App>, signed: Signed, Path(network): Path<String>) -> Result<Json<Topology>> {
    Ok(Json(app.control().topology(&signed.caller, &network).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StatisticsQuery {
    /// How far back: 1 to 1440, 15 when absent.
    minutes: Option<u32>,
}

/// Throughput, block intervals and latency in the last minutes.
#[utoipa::path(get, path = "/networks/{network}/statistics", tag = "networks",
    params(("network", description = "Id or name"), StatisticsQuery), responses((status = 200, body = Statistics)))]
async fn get_statistics(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
    Query(query): Query<StatisticsQuery>,
) -> Result<Json<Statistics>> {
    Ok(Json(app.control().network_statistics(&signed.caller, &network, query.minutes.unwrap_or(15)).await?))
}
