//! Contracts.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use types::{
    CallResult, Contract, ContractCall, CreatedContract, NewContract, Page, PageQuery, Permission, TransactionResult,
};
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Create, Json, Path, Query, Result, Signed};

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(Permission::LedgerRead, routes!(list_contracts))
        .create(Permission::ContractsWrite, routes!(create_contract))
        .add(Permission::LedgerRead, routes!(get_contract))
        .add(Permission::LedgerRead, routes!(call_contract))
        .create(Permission::LedgerWrite, routes!(send_to_contract))
}

/// Contracts that are known of a network, oldest first.
#[utoipa::path(get, path = "/networks/{network}/contracts", tag = "contracts",
    params(("network", description = "Id or name"), PageQuery), responses((status = 200, body = Page<Contract>)))]
async fn list_contracts(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Contract>>> {
    Ok(Json(app.control().contracts(&signed.caller, &network, &query).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WaitQuery {
    /// Whether to wait until it is final, at most 30 seconds.
    #[serde(default = "yes")]
    #[param(default = true)]
    wait: bool,
}

fn yes() -> bool {
    true
}

impl WaitQuery {
    fn patience(&self) -> Duration {
        if self.wait { control::WAIT_LIMIT } else { Duration::ZERO }
    }
}

/// Deploy a contract from its compiled artifact with a member's account, or register one by its address or by the hash of the
/// transaction that makes it. Answers when the transaction is final, or after 30 seconds with what is known then (202); with
/// `wait=false` as soon as the ledger has taken it.
#[utoipa::path(post, path = "/networks/{network}/contracts", tag = "contracts",
    params(("network", description = "Id or name"), WaitQuery), request_body = NewContract,
    responses((status = 201, body = CreatedContract), (status = 202, body = CreatedContract)))]
async fn create_contract(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
    Query(query): Query<WaitQuery>,
    new: Create<NewContract>,
) -> Result<(StatusCode, Json<CreatedContract>)> {
    let created = app
        .control()
        .create_contract(&signed.caller, &network, new.idempotency.as_ref(), &new.body, query.patience())
        .await?;
    let status = if created.contract.is_some() { StatusCode::CREATED } else { StatusCode::ACCEPTED };
    Ok((status, Json(created)))
}

/// A contract with its interface.
#[utoipa::path(get, path = "/networks/{network}/contracts/{contract}", tag = "contracts",
    params(("network", description = "Id or name"), ("contract", description = "Address, id or name")), responses((status = 200, body = Contract)))]
async fn get_contract(
    State(app): State<App>,
    signed: Signed,
    Path((network, contract)): Path<(String, String)>,
) -> Result<Json<Contract>> {
    Ok(Json(app.control().contract(&signed.caller, &network, &contract).await?))
}

/// Ask a contract; nothing is changed.
#[utoipa::path(post, path = "/networks/{network}/contracts/{contract}/call", tag = "contracts",
    params(("network", description = "Id or name"), ("contract", description = "Address, id or name")),
    request_body = ContractCall, responses((status = 200, body = CallResult)))]
async fn call_contract(
    State(app): State<App>,
    signed: Signed,
    Path((network, contract)): Path<(String, String)>,
    Json(call): Json<ContractCall>,
) -> Result<Json<CallResult>> {
    Ok(Json(app.control().call_contract(&signed.caller, &network, &contract, &call).await?))
}

/// Send to a function of a contract with a member's account. Answers when the transaction is final, or after 30 seconds with
/// what is known then; with `wait=false` as soon as the ledger has taken it.
#[utoipa::path(post, path = "/networks/{network}/contracts/{contract}/send", tag = "contracts",
    params(("network", description = "Id or name"), ("contract", description = "Address, id or name"), WaitQuery),
    request_body = ContractCall, responses((status = 200, body = TransactionResult)))]
async fn send_to_contract(
    State(app): State<App>,
    signed: Signed,
    Path((network, contract)): Path<(String, String)>,
    Query(query): Query<WaitQuery>,
    call: Create<ContractCall>,
) -> Result<Json<TransactionResult>> {
    Ok(Json(
        app.control()
            .send_to_contract(
                &signed.caller,
                &network,
                &contract,
                call.idempotency.as_ref(),
                &call.body,
                query.patience(),
            )
            .await?,
    ))
}
