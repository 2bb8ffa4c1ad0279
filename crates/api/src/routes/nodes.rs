//! Nodes.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt as _};
use serde::Deserialize;
use types::{LogLine, NewNode, Node, Operation, Page, PageQuery, Permission, Usage};
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Create, Json, Path, Query, Result, Signed};

const KEEP_ALIVE: Duration = Duration::from_secs(15);
const DEFAULT_LINES: u32 = 200;

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(Permission::NodesRead, routes!(list_nodes))
        .create(Permission::NodesWrite, routes!(add_node))
        .add(Permission::NodesRead, routes!(get_node))
        .add(Permission::NodesWrite, routes!(delete_node))
        .add(Permission::NodesWrite, routes!(start_node))
        .add(Permission::NodesWrite, routes!(stop_node))
        .add(Permission::NodesWrite, routes!(restart_node))
        .add(Permission::NodesRead, routes!(get_node_logs))
        .add(Permission::NodesRead, routes!(follow_node_logs))
        .add(Permission::NodesRead, routes!(get_node_usage))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NodesQuery {
    /// Only nodes of this network: id or name.
    network: Option<String>,
    /// `next` of the page before; absent for the first.
    cursor: Option<String>,
    /// Most entries to answer: 1 to 500, 50 when absent.
    limit: Option<u32>,
}

/// Nodes of one's networks.
#[utoipa::path(get, path = "/nodes", tag = "nodes", params(NodesQuery), responses((status = 200, body = Page<Node>)))]
async fn list_nodes(
    State(app): State<App>,
    signed: Signed,
    Query(query): Query<NodesQuery>,
) -> Result<Json<Page<Node>>> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    Ok(Json(app.control().nodes(&signed.caller, query.network.as_deref(), &page).await?))
}

/// Add a node to a running network. The operation makes its keys, starts it and has it join the others; `subject` is its id.
#[utoipa::path(post, path = "/networks/{network}/nodes", tag = "nodes",
    params(("network", description = "Id or name")), request_body = NewNode,
    responses((status = 202, body = Operation)))]
async fn add_node(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
    new: Create<NewNode>,
) -> Result<(StatusCode, Json<Operation>)> {
    let operation = app.control().add_node(&signed.caller, &network, new.idempotency.as_ref(), &new.body).await?;
    Ok((StatusCode::ACCEPTED, Json(operation)))
}

/// A node.
#[utoipa::path(get, path = "/nodes/{node}", tag = "nodes",
    params(("node", description = "Id, or `NETWORK/NODE` (the slash as %2F)")), responses((status = 200, body = Node)))]
async fn get_node(State(app): State<App>, signed: Signed, Path(node): Path<String>) -> Result<Json<Node>> {
    Ok(Json(app.control().node(&signed.caller, &node).await?))
}

/// Take a node from its network for good, with all that it keeps. One that validates is voted out first.
#[utoipa::path(delete, path = "/nodes/{node}", tag = "nodes",
    params(("node", description = "Id or `NETWORK/NODE`")), responses((status = 202, body = Operation)))]
async fn delete_node(
    State(app): State<App>,
    signed: Signed,
    Path(node): Path<String>,
) -> Result<(StatusCode, Json<Operation>)> {
    Ok((StatusCode::ACCEPTED, Json(app.control().delete_node(&signed.caller, &node).await?)))
}

/// Start a node.
#[utoipa::path(post, path = "/nodes/{node}/start", tag = "nodes",
    params(("node", description = "Id or `NETWORK/NODE`")), responses((status = 202, body = Operation)))]
async fn start_node(
    State(app): State<App>,
    signed: Signed,
    Path(node): Path<String>,
) -> Result<(StatusCode, Json<Operation>)> {
    Ok((StatusCode::ACCEPTED, Json(app.control().start_node(&signed.caller, &node).await?)))
}

/// Stop a node; its data stays.
#[utoipa::path(post, path = "/nodes/{node}/stop", tag = "nodes",
    params(("node", description = "Id or `NETWORK/NODE`")), responses((status = 202, body = Operation)))]
async fn stop_node(
    State(app): State<App>,
    signed: Signed,
    Path(node): Path<String>,
) -> Result<(StatusCode, Json<Operation>)> {
    Ok((StatusCode::ACCEPTED, Json(app.control().stop_node(&signed.caller, &node).await?)))
}

/// Stop a node, then start it.
#[utoipa::path(post, path = "/nodes/{node}/restart", tag = "nodes",
    params(("node", description = "Id or `NETWORK/NODE`")), responses((status = 202, body = Operation)))]
async fn restart_node(
    State(app): State<App>,
    signed: Signed,
    Path(node): Path<String>,
) -> Result<(StatusCode, Json<Operation>)> {
    Ok((StatusCode::ACCEPTED, Json(app.control().restart_node(&signed.caller, &node).await?)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LogsQuery {
    /// The newest lines: 1 to 10000, 200 when absent.
    lines: Option<u32>,
}

/// The newest lines of a node's log, oldest first.
#[utoipa::path(get, path = "/nodes/{node}/logs", tag = "nodes",
    params(("node", description = "Id or `NETWORK/NODE`"), LogsQuery), responses((status = 200, body = Page<LogLine>)))]
async fn get_node_logs(
    State(app): State<App>,
    signed: Signed,
    Path(node): Path<String>,
    Query(query): Query<LogsQuery>,
) -> Result<Json<Page<LogLine>>> {
    let items = app.control().node_logs(&signed.caller, &node, query.lines.unwrap_or(DEFAULT_LINES)).await?;
    Ok(Json(Page { items, next: None }))
}

/// The newest lines of a node's log, then each new one, as server-sent events with a LogLine as data. Lasts over restarts of
/// the node.
#[utoipa::path(get, path = "/nodes/{node}/logs/stream", tag = "nodes",
    params(("node", description = "Id or `NETWORK/NODE`"), LogsQuery),
    responses((status = 200, content_type = "text/event-stream", body = LogLine)))]
async fn follow_node_logs(
    State(app): State<App>,
    signed: Signed,
    Path(node): Path<String>,
    Query(query): Query<LogsQuery>,
) -> Result<Sse<impl Stream<Item = std::result::Result<Event, Infallible>>>> {
    let lines = app.control().follow_node_logs(&signed.caller, &node, query.lines.unwrap_or(DEFAULT_LINES)).await?;
    // The stream ends at the first line that cannot be read: the client comes back.
    let events = lines
        .take_while(|line| {
            std::future::ready(
                line.as_ref().inspect_err(|error| tracing::warn!(%error, "following a log failed")).is_ok(),
            )
        })
        .filter_map(|line| {
            std::future::ready(line.ok().and_then(|line| Event::default().json_data(&line).ok()).map(Ok))
        })
        .take_until(app.closing().clone().cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// What a node used of its machine in the last hour, oldest sample first.
#[utoipa::path(get, path = "/nodes/{node}/usage", tag = "nodes",
    params(("node", description = "Id or `NETWORK/NODE`")), responses((status = 200, body = Page<Usage>)))]
async fn get_node_usage(State(app): State<App>, signed: Signed, Path(node): Path<String>) -> Result<Json<Page<Usage>>> {
    Ok(Json(Page { items: app.control().node_usage(&signed.caller, &node).await?, next: None }))
}
