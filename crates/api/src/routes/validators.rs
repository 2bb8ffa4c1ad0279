//! Validators and the votes on them.

use axum::extract::State;
use serde::Deserialize;
use types::{NewVote, Permission, Validators};
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Json, Path, Query, Result, Signed};

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(Permission::NetworksRead, routes!(list_validators))
        .add(Permission::NetworksWrite, routes!(vote_on_validator))
        .add(Permission::NetworksWrite, routes!(withdraw_vote))
}

/// Who agrees on a network's blocks, who else could, and the votes that are under way. Always one page.
#[utoipa::path(get, path = "/networks/{network}/validators", tag = "networks",
    params(("network", description = "Id or name")), responses((status = 200, body = Validators)))]
async fn list_validators(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
) -> Result<Json<Validators>> {
    Ok(Json(app.control().validators(&signed.caller, &network).await?))
}

/// Vote on a validator in a member's name, with all of its validators that run. Voting the same twice does no harm.
#[utoipa::path(post, path = "/networks/{network}/validators/votes", tag = "networks",
    params(("network", description = "Id or name")), request_body = NewVote,
    responses((status = 200, body = Validators)))]
async fn vote_on_validator(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
    Json(vote): Json<NewVote>,
) -> Result<Json<Validators>> {
    Ok(Json(app.control().vote_on_validator(&signed.caller, &network, &vote).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MemberQuery {
    /// Name or id of the member; may be left out by who acts for one member only.
    member: Option<String>,
}

/// Take a member's vote on a validator back. What the ledger has counted stays counted until the consensus forgets it.
#[utoipa::path(delete, path = "/networks/{network}/validators/votes/{validator}", tag = "networks",
    params(("network", description = "Id or name"), ("validator", description = "Identity on the ledger, or a node's id or name"), MemberQuery),
    responses((status = 200, body = Validators)))]
async fn withdraw_vote(
    State(app): State<App>,
    signed: Signed,
    Path((network, validator)): Path<(String, String)>,
    Query(query): Query<MemberQuery>,
) -> Result<Json<Validators>> {
    Ok(Json(app.control().withdraw_vote(&signed.caller, &network, &validator, query.member.as_deref()).await?))
}
