//! Blocks, transactions, accounts, statistics: what the explorer shows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Id, Micros};

/// One block, without its transactions.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BlockSummary {
    /// Height.
    pub number: u64,
    /// Hash.
    pub hash: String,
    /// Hash of the block before.
    pub parent_hash: String,
    /// When it was made.
    pub at: Micros,
    /// How many transactions.
    pub transactions: u32,
    /// Gas used, where the engine counts it.
    pub gas_used: Option<u64>,
    /// Gas limit, where the engine has one.
    pub gas_limit: Option<u64>,
    /// Length in bytes.
    pub size: Option<u64>,
}

/// A block with its transactions and the engine's own facts.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Block {
    /// The summary's fields.
    #[serde(flatten)]
    pub summary: BlockSummary,
    /// The transactions.
    pub items: Vec<TransactionSummary>,
    /// Facts of the engine: state root, proposer, …
    #[schema(value_type = Object)]
    pub facts: serde_json::Value,
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum TransactionStatus {
    Pending,
    Success,
    Reverted,
    Unknown,
}

/// One transaction in short.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransactionSummary {
    /// Hash.
    pub hash: String,
    /// Block height; null while pending.
    pub block: Option<u64>,
    /// Place in the block.
    pub index: Option<u32>,
    /// When its block was made.
    pub at: Option<Micros>,
    /// Sender.
    pub from: String,
    /// Receiver; null when it makes a contract.
    pub to: Option<String>,
    /// Amount in the smallest unit, decimal; null where the ledger moves none.
    pub value: Option<String>,
    /// What became of it.
    pub status: TransactionStatus,
    /// Decoded function name, where the contract's interface is known.
    pub method: Option<String>,
}

/// One transaction in full.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    /// The summary's fields.
    #[serde(flatten)]
    pub summary: TransactionSummary,
    /// The sender's counter; null where the ledger does not count.
    pub nonce: Option<u64>,
    /// Gas limit.
    pub gas_limit: Option<u64>,
    /// Gas used.
    pub gas_used: Option<u64>,
    /// Address of the contract that it made.
    pub contract_address: Option<String>,
    /// Input data, hex.
    pub input: String,
    /// Input decoded by the contract's interface.
    pub decoded: Option<DecodedCall>,
    /// Logs that it emitted.
    pub logs: Vec<Log>,
    /// Why it failed, as far as the ledger tells.
    pub error: Option<String>,
    /// The engine's own transaction object.
    #[schema(value_type = Object)]
    pub raw: serde_json::Value,
}

/// A call decoded by an interface.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecodedCall {
    /// Name of the function or event.
    pub name: String,
    /// Its full signature.
    pub signature: String,
    /// Arguments.
    pub arguments: Vec<DecodedArgument>,
}

/// One decoded argument.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecodedArgument {
    /// Name in the interface; may be empty.
    pub name: String,
    /// Type, such as `uint256`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Value; numbers as decimal text.
    #[schema(value_type = Object)]
    pub value: serde_json::Value,
}

/// One log entry.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    /// Contract that emitted it.
    pub address: String,
    /// Topics, hex.
    pub topics: Vec<String>,
    /// Data, hex.
    pub data: String,
    /// Place in the block.
    pub index: u32,
    /// Decoded by the contract's interface.
    pub decoded: Option<DecodedCall>,
}

/// An address on a ledger.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// The address.
    pub address: String,
    /// Balance in the smallest unit, decimal; null where the ledger has none.
    pub balance: Option<String>,
    /// Transactions sent; null where the ledger does not count.
    pub nonce: Option<u64>,
    /// Length of its code in bytes; 0 for an account that is no contract.
    pub code_size: u64,
    /// Name of the contract, when registered here.
    pub contract: Option<String>,
    /// Name of the member whose account it is, when held here.
    pub member: Option<String>,
}

/// An account that the platform holds for a member on a network.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// `acc_…`.
    pub id: Id,
    /// The network's id.
    pub network: Id,
    /// Name of the member.
    pub member: String,
    /// The member's organisation id.
    pub organisation: Id,
    /// Address on the ledger.
    pub address: String,
    /// Balance in the smallest unit, decimal; null when no node answers.
    pub balance: Option<String>,
    /// Transactions sent; null when no node answers.
    pub nonce: Option<u64>,
    /// Whether the caller may use it.
    pub usable: bool,
}

/// One point of the network's charts.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatisticsPoint {
    /// Start of the interval.
    pub at: Micros,
    /// Blocks in it.
    pub blocks: u32,
    /// Transactions in it.
    pub transactions: u32,
    /// Mean time between blocks in milliseconds.
    pub block_interval_ms: Option<f64>,
    /// Median time from submission through the platform to finality in milliseconds; null without samples.
    pub latency_p50_ms: Option<f64>,
    /// 99th percentile of the same.
    pub latency_p99_ms: Option<f64>,
}

/// Statistics of a network, newest point last.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Statistics {
    /// Length of an interval in seconds.
    pub interval_seconds: u32,
    /// The points.
    pub points: Vec<StatisticsPoint>,
}
