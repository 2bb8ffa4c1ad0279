//! Blocks, transactions and addresses of a network's ledger.

use axum::extract::State;
use serde::Deserialize;
use types::{
    Address, Block, BlockSummary, Page, PageQuery, Permission, RawTransaction, Transaction, TransactionDraft,
    TransactionResult, TransactionSummary, TransactionTerms,
};
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Json, Path, Query, Result, Signed};

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(Permission::LedgerRead, routes!(list_blocks))
        .add(Permission::LedgerRead, routes!(get_block))
        .add(Permission::LedgerRead, routes!(list_transactions))
        .add(Permission::RawTransactions, routes!(send_transaction))
        .add(Permission::LedgerRead, routes!(get_transaction_terms))
        .add(Permission::LedgerRead, routes!(get_transaction))
        .add(Permission::LedgerRead, routes!(get_address))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ChannelQuery {
    /// The channel, where the network has channels; its first when absent.
    #[serde(default)]
    channel: Option<String>,
}

/// A page of a channel's ledger.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LedgerQuery {
    /// `next` of the page before.
    #[serde(default)]
    cursor: Option<String>,
    /// Most entries to answer, 1 to 200.
    #[serde(default)]
    limit: Option<u32>,
    /// The channel, where the network has channels; its first when absent.
    #[serde(default)]
    channel: Option<String>,
}

impl LedgerQuery {
    fn page(&self) -> PageQuery {
        PageQuery { cursor: self.cursor.clone(), limit: self.limit }
    }
}

/// Blocks, newest first.
#[utoipa::path(get, path = "/networks/{network}/blocks", tag = "ledger",
    params(("network", description = "Id or name"), LedgerQuery), responses((status = 200, body = Page<BlockSummary>)))]
async fn list_blocks(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
    Query(query): Query<LedgerQuery>,
) -> Result<Json<Page<BlockSummary>>> {
    Ok(Json(app.control().blocks(&signed.caller, &network, query.channel.as_deref(), &query.page()).await?))
}

/// A block with its transactions.
#[utoipa::path(get, path = "/networks/{network}/blocks/{block}", tag = "ledger",
    params(("network", description = "Id or name"), ("block", description = "Height, hash or `latest`"), ChannelQuery), responses((status = 200, body = Block)))]
async fn get_block(
    State(app): State<App>,
    signed: Signed,
    Path((network, block)): Path<(String, String)>,
    Query(query): Query<ChannelQuery>,
) -> Result<Json<Block>> {
    Ok(Json(app.control().block(&signed.caller, &network, query.channel.as_deref(), &block).await?))
}

/// Transactions in blocks, newest first.
#[utoipa::path(get, path = "/networks/{network}/transactions", tag = "ledger",
    params(("network", description = "Id or name"), LedgerQuery), responses((status = 200, body = Page<TransactionSummary>)))]
async fn list_transactions(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
    Query(query): Query<LedgerQuery>,
) -> Result<Json<Page<TransactionSummary>>> {
    Ok(Json(app.control().transactions(&signed.caller, &network, query.channel.as_deref(), &query.page()).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SendQuery {
    /// Whether to wait until it is final, at most 30 seconds.
    #[serde(default)]
    wait: bool,
}

/// Send a transaction that was signed elsewhere. A repetition of the same one does no harm.
#[utoipa::path(post, path = "/networks/{network}/transactions", tag = "ledger",
    params(("network", description = "Id or name"), SendQuery), request_body = RawTransaction, responses((status = 200, body = TransactionResult)))]
async fn send_transaction(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
    Query(query): Query<SendQuery>,
    Json(raw): Json<RawTransaction>,
) -> Result<Json<TransactionResult>> {
    Ok(Json(app.control().send_raw_transaction(&signed.caller, &network, &raw, query.wait).await?))
}

/// What a signer elsewhere needs to make a transaction: chain id, counter, gas, price.
#[utoipa::path(post, path = "/networks/{network}/transactions/terms", tag = "ledger",
    params(("network", description = "Id or name")), request_body = TransactionDraft, responses((status = 200, body = TransactionTerms)))]
async fn get_transaction_terms(
    State(app): State<App>,
    signed: Signed,
    Path(network): Path<String>,
    Json(draft): Json<TransactionDraft>,
) -> Result<Json<TransactionTerms>> {
    Ok(Json(app.control().transaction_terms(&signed.caller, &network, &draft).await?))
}

/// A transaction, also one that waits; its input and logs decoded where the contract's interface is known.
#[utoipa::path(get, path = "/networks/{network}/transactions/{hash}", tag = "ledger",
    params(("network", description = "Id or name"), ("hash", description = "Hash"), ChannelQuery), responses((status = 200, body = Transaction)))]
async fn get_transaction(
    State(app): State<App>,
    signed: Signed,
    Path((network, hash)): Path<(String, String)>,
    Query(query): Query<ChannelQuery>,
) -> Result<Json<Transaction>> {
    Ok(Json(app.control().transaction(&signed.caller, &network, query.channel.as_deref(), &hash).await?))
}

/// What an address has.
#[utoipa::path(get, path = "/networks/{network}/addresses/{address}", tag = "ledger",
    params(("network", description = "Id or name"), ("address", description = "Address"), ChannelQuery), responses((status = 200, body = Address)))]
async fn get_address(
    State(app): State<App>,
    signed: Signed,
    Path((network, address)): Path<(String, String)>,
    Query(query): Query<ChannelQuery>,
) -> Result<Json<Address>> {
    Ok(Json(app.control().address(&signed.caller, &network, query.channel.as_deref(), &address).await?))
}
