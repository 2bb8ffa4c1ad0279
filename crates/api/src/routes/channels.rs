//! Channels, and contracts that run beside the nodes.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use types::{
    Chaincode, ChaincodeState, Channel, NetworkProfile, NewChaincode, NewChannel, NewChannelMember, Operation, Page,
    Permission,
};
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Create, Json, Path, Query, Result, Signed};

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(Permission::NetworksRead, routes!(list_channels))
        .create(Permission::NetworksWrite, routes!(create_channel))
        .add(Permission::NetworksRead, routes!(get_channel))
        .create(Permission::NetworksWrite, routes!(join_channel))
        .add(Permission::LedgerRead, routes!(list_chaincodes))
        .create(Permission::ContractsWrite, routes!(deploy_chaincode))
        .add(Permission::LedgerRead, routes!(get_chaincode))
        .add(Permission::IdentitiesExport, routes!(export_profile))
}

/// Channels of a network, with what each node says of them. Always one page.
#[utoipa::path(get, path = "/networks/{network}/channels", tag = "channels",
    params(("network", description = "Id or name")), responses((status = 200, body = Page<Channel>)))]
async fn list_channels(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
) -> Result<Json<Page<Channel>>> {
    Ok(Json(app.control().channels(&signed.caller, &network).await?))
}

/// Make a channel. The operation joins the nodes of its members to it.
#[utoipa::path(post, path = "/networks/{network}/channels", tag = "channels",
    params(("network", description = "Id or name")), request_body = NewChannel,
    responses((status = 202, body = Operation)))]
async fn create_channel(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
    new: Create<NewChannel>,
) -> Result<(StatusCode, Json<Operation>)> {
    let operation = app.control().create_channel(&signed.caller, &network, new.idempotency.as_ref(), &new.body).await?;
    Ok((StatusCode::ACCEPTED, Json(operation)))
}

/// A channel.
#[utoipa::path(get, path = "/networks/{network}/channels/{channel}", tag = "channels",
    params(("network", description = "Id or name"), ("channel", description = "Name")),
    responses((status = 200, body = Channel)))]
async fn get_channel(
    State(app): State<App>,
    signed: Signed,
    Path((network, channel)): Path<(String, String)>,
) -> Result<Json<Channel>> {
    Ok(Json(app.control().channel(&signed.caller, &network, &channel).await?))
}

/// Have a member join a channel. The operation has the other members admit it, joins its peers, and has it run, install and
/// approve the contracts that are in force.
#[utoipa::path(post, path = "/networks/{network}/channels/{channel}/members", tag = "channels",
    params(("network", description = "Id or name"), ("channel", description = "Name")), request_body = NewChannelMember,
    responses((status = 202, body = Operation)))]
async fn join_channel(
    State(app): State<App>,
    signed: Signed,
    Path((network, channel)): Path<(String, String)>,
    new: Create<NewChannelMember>,
) -> Result<(StatusCode, Json<Operation>)> {
    let control = app.control();
    let operation =
        control.join_channel(&signed.caller, &network, &channel, new.idempotency.as_ref(), &new.body).await?;
    Ok((StatusCode::ACCEPTED, Json(operation)))
}

/// Contracts that run beside the nodes, on all channels of a network. Always one page.
#[utoipa::path(get, path = "/networks/{network}/chaincodes", tag = "channels",
    params(("network", description = "Id or name")), responses((status = 200, body = Page<Chaincode>)))]
async fn list_chaincodes(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
) -> Result<Json<Page<Chaincode>>> {
    Ok(Json(app.control().chaincodes(&signed.caller, &network).await?))
}

/// Deploy a contract from source. The operation builds it, runs it for each member of the channel, installs and approves it in
/// each member's name and commits it.
#[utoipa::path(post, path = "/networks/{network}/chaincodes", tag = "channels",
    params(("network", description = "Id or name")), request_body = NewChaincode,
    responses((status = 202, body = Operation)))]
async fn deploy_chaincode(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
    new: Create<NewChaincode>,
) -> Result<(StatusCode, Json<Operation>)> {
    let operation =
        app.control().deploy_chaincode(&signed.caller, &network, new.idempotency.as_ref(), &new.body).await?;
    Ok((StatusCode::ACCEPTED, Json(operation)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ChannelQuery {
    /// Channel, where the name is on several.
    channel: Option<String>,
}

/// A contract that runs beside the nodes, and what each member has done for its newest version.
#[utoipa::path(get, path = "/networks/{network}/chaincodes/{chaincode}", tag = "channels",
    params(("network", description = "Id or name"), ("chaincode", description = "Name"), ChannelQuery),
    responses((status = 200, body = ChaincodeState)))]
async fn get_chaincode(
    State(app): State<App>,
    signed: Signed,
    Path((network, chaincode)): Path<(String, String)>,
    Query(query): Query<ChannelQuery>,
) -> Result<Json<ChaincodeState>> {
    Ok(Json(app.control().chaincode(&signed.caller, &network, query.channel.as_deref(), &chaincode).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ProfileQuery {
    /// Name or id of the member.
    member: String,
}

/// What a member's clients need to use a network: addresses, roots of trust, and its identities with their private keys. Each
/// export is audited.
#[utoipa::path(get, path = "/networks/{network}/profile", tag = "channels",
    params(("network", description = "Id or name"), ProfileQuery), responses((status = 200, body = NetworkProfile)))]
async fn export_profile(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
    Query(query): Query<ProfileQuery>,
) -> Result<Json<NetworkProfile>> {
    Ok(Json(app.control().network_profile(&signed.caller, &network, &query.member).await?))
}
