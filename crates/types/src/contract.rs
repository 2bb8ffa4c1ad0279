//! Contracts: deploying, calling, sending.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Id, Micros};

/// A contract that is known here.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contract {
    /// `ctr_…`.
    pub id: Id,
    /// The network's id.
    pub network: Id,
    /// Name to show.
    pub name: String,
    /// Address on the ledger.
    pub address: String,
    /// The channel that it is on, where the network has channels.
    #[serde(default)]
    pub channel: Option<String>,
    /// Its interface: a Solidity ABI.
    #[schema(value_type = Vec<Object>)]
    pub interface: serde_json::Value,
    /// Transaction that made it, when deployed from here.
    pub transaction_hash: Option<String>,
    /// Name of the member that deployed it, when deployed from here.
    pub member: Option<String>,
    /// When it became known here.
    pub created_at: Micros,
}

/// Deploys a contract from a compiled artifact, or registers one that is already there.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewContract {
    /// Name to show; the artifact's `contractName` when absent.
    #[serde(default)]
    pub name: Option<String>,
    /// Compiled artifact: `{"abi": […], "bytecode": "0x…" or {"object": "0x…"}}` as Hardhat, Foundry, Truffle and Remix write it.
    #[schema(value_type = Object)]
    pub artifact: serde_json::Value,
    /// Constructor arguments; numbers may be text.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    pub args: Option<serde_json::Value>,
    /// Account id, address or member name that signs; the caller's member's account when there is one.
    #[serde(default)]
    pub from: Option<String>,
    /// Address of a contract that is already deployed: register only.
    #[serde(default)]
    pub address: Option<String>,
    /// Hash of a transaction that deploys it and was signed elsewhere: wait for it and register.
    #[serde(default)]
    pub transaction_hash: Option<String>,
}

/// Answer of a deployment or registration.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedContract {
    /// The contract; null while its transaction is not known to have succeeded.
    pub contract: Option<Contract>,
    /// The transaction that makes it; null when it was registered by its address.
    pub result: Option<TransactionResult>,
}

/// Calls or sends to a function of a contract.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContractCall {
    /// Name, or full signature where names repeat: `transfer(address,uint256)`.
    pub function: String,
    /// Arguments; numbers may be text.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    pub args: Option<serde_json::Value>,
    /// Data that the contract sees and the ledger does not keep, by name, where the engine has such.
    #[serde(default)]
    pub transient: Option<BTreeMap<String, String>>,
    /// Account id, address or member name.
    #[serde(default)]
    pub from: Option<String>,
    /// Amount to send along in the smallest unit, decimal.
    #[serde(default)]
    pub value: Option<String>,
}

/// Answer of a read-only call.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallResult {
    /// The single return value, or the list of several; numbers as decimal text.
    #[schema(value_type = Object)]
    pub result: serde_json::Value,
}

/// Answer of a deployment or of a sent transaction.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransactionResult {
    /// Address of the new contract, for a deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Hash.
    pub transaction_hash: String,
    /// The channel that it was sent to, in a network that has channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Block height; null when the outcome is not known yet.
    pub block_number: Option<u64>,
    /// Gas used.
    pub gas_used: Option<u64>,
    /// `success`, `reverted`, `pending` or `unknown`.
    pub status: crate::TransactionStatus,
}

/// A transaction signed elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RawTransaction {
    /// EIP-2718 bytes, hex with `0x`.
    pub raw: String,
}

/// What a signer elsewhere needs to make a transaction.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransactionDraft {
    /// Sender.
    pub from: String,
    /// Receiver; null makes a contract.
    #[serde(default)]
    pub to: Option<String>,
    /// Input data, hex.
    #[serde(default)]
    pub data: Option<String>,
    /// Amount, decimal.
    #[serde(default)]
    pub value: Option<String>,
}

/// The values to sign with.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransactionTerms {
    /// Chain id.
    pub chain_id: u64,
    /// Next nonce of the sender.
    pub nonce: u64,
    /// Gas that it needs, with a margin.
    pub gas: u64,
    /// Price of gas in wei.
    pub gas_price: String,
}
