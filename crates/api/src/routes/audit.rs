//! The audit log.

use axum::extract::State;
use types::{AuditCheck, AuditEntry, Page, PageQuery, Permission};
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Json, Query, Result, Signed};

pub(super) fn routes() -> Routes {
    Routes::new().add(Permission::AuditRead, routes!(list_audit)).add(Permission::AuditRead, routes!(check_audit))
}

/// Who did what, newest first: everything for a platform administrator, else what concerns one's organisations.
#[utoipa::path(get, path = "/audit", tag = "audit", params(PageQuery), responses((status = 200, body = Page<AuditEntry>)))]
async fn list_audit(
    State(app): State<App>,
    signed: Signed,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<AuditEntry>>> {
    Ok(Json(app.control().list_audit(&signed.caller, &query).await?))
}

/// Follow the chain of hashes through the whole log.
#[utoipa::path(get, path = "/audit/check", tag = "audit", responses((status = 200, body = AuditCheck)))]
async fn check_audit(State(app): State<App>, signed: Signed) -> Result<Json<AuditCheck>> {
    Ok(Json(app.control().check_audit(&signed.caller).await?))
}
