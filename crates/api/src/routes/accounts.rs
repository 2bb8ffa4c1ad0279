//! The accounts that are held for members on a network.

use axum::extract::State;
use types::{Account, Page, PageQuery, Permission};
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Json, Path, Query, Result, Signed};

pub(super) fn routes() -> Routes {
    Routes::new().add(Permission::LedgerRead, routes!(list_accounts))
}

/// The members' accounts, with what they own as far as a node answers. `usable` says whether the caller may sign with one.
#[utoipa::path(get, path = "/networks/{network}/accounts", tag = "ledger",
    params(("network", description = "Id or name"), PageQuery), responses((status = 200, body = Page<Account>)))]
async fn list_accounts(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Account>>> {
    Ok(Json(app.control().accounts(&signed.caller, &network, &query).await?))
}
