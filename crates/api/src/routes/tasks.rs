//! Background tasks of the server.

use axum::extract::State;
use types::{Page, Permission, Task};
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Json, Path, Result, Signed};

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(Permission::ServerRead, routes!(list_tasks))
        .add(Permission::ServerWrite, routes!(start_task))
        .add(Permission::ServerWrite, routes!(stop_task))
}

/// Background tasks by name.
#[utoipa::path(get, path = "/server/tasks", tag = "server", responses((status = 200, body = Page<Task>)))]
async fn list_tasks(State(app): State<App>, signed: Signed) -> Result<Json<Page<Task>>> {
    Ok(Json(app.control().tasks(&signed.caller)?))
}

/// Let a task run again.
#[utoipa::path(post, path = "/server/tasks/{task}/start", tag = "server",
    params(("task", description = "Name")), responses((status = 200, body = Task)))]
async fn start_task(State(app): State<App>, signed: Signed, Path(task): Path<String>) -> Result<Json<Task>> {
    Ok(Json(app.control().start_task(&signed.caller, &task).await?))
}

/// Stop a task that may be stopped; it stays stopped over restarts of the server.
#[utoipa::path(post, path = "/server/tasks/{task}/stop", tag = "server",
    params(("task", description = "Name")), responses((status = 200, body = Task)))]
async fn stop_task(State(app): State<App>, signed: Signed, Path(task): Path<String>) -> Result<Json<Task>> {
    Ok(Json(app.control().stop_task(&signed.caller, &task).await?))
}
