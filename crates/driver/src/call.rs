//! Calls and transactions on their way to a ledger.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a transaction does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Deploys a contract.
    Deploy {
        /// The compiled artifact as the engine's tools write it.
        artifact: Value,
        /// Constructor arguments: a JSON array, or null for none. Numbers may be text.
        args: Value,
    },
    /// Sends to a function of a contract.
    Send {
        /// The contract's address.
        contract: String,
        /// The contract's interface.
        interface: Value,
        /// Name, or full signature where names repeat.
        function: String,
        /// Arguments: a JSON array, or null for none. Numbers may be text.
        args: Value,
    },
    /// Moves value, or sends bytes that the caller has encoded.
    Raw {
        /// Receiver; none makes a contract of the bytes.
        to: Option<String>,
        /// Input, hex with `0x`; none for a plain transfer.
        data: Option<String>,
    },
}

/// Data that a contract sees and the ledger does not keep, by name, where the engine has such.
pub type Transient = BTreeMap<String, String>;

/// A transaction that is wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Address of the account that signs.
    pub from: String,
    /// What it does.
    pub action: Action,
    /// Amount to send along in the smallest unit, decimal.
    pub value: Option<String>,
    /// The sender's counter. With none, the ledger's next one is taken; a caller that sends several at once counts by itself.
    pub nonce: Option<u64>,
    /// Gas limit. With none, the ledger is asked and a margin added; asking finds out that a call would be reverted.
    pub gas: Option<u64>,
    /// Data that the ledger does not keep.
    #[serde(default)]
    pub transient: Transient,
}

/// A read-only call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Query {
    /// Address that asks, if it matters.
    pub from: Option<String>,
    /// The contract's address.
    pub contract: String,
    /// The contract's interface.
    pub interface: Value,
    /// Name, or full signature where names repeat.
    pub function: String,
    /// Arguments: a JSON array, or null for none. Numbers may be text.
    pub args: Value,
    /// Amount that the call pretends to send, decimal.
    pub value: Option<String>,
    /// Data that the contract sees and nobody keeps.
    #[serde(default)]
    pub transient: Transient,
}

/// A signed transaction. Record the id before sending it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Signed {
    /// Its id: the hash by which the ledger will know it.
    pub id: String,
    /// What is sent.
    pub raw: Vec<u8>,
    /// The sender's address, as the signature tells.
    pub from: String,
    /// The sender's counter that it uses; none where the ledger does not count.
    pub nonce: Option<u64>,
    /// Address of the contract that it will make.
    pub contract: Option<String>,
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It is in a final block and did what it should.
    Committed(Inclusion),
    /// It is in a final block, but had no effect.
    Invalid {
        /// Where.
        inclusion: Inclusion,
        /// Why, as far as the ledger tells.
        reason: String,
    },
    /// A node holds it; it is in no block yet.
    Pending,
    /// No node that answers knows it. It may still come.
    Unknown,
}

impl Outcome {
    /// Where it is, once it is in a block.
    pub fn inclusion(&self) -> Option<&Inclusion> {
        match self {
            Self::Committed(inclusion) | Self::Invalid { inclusion, .. } => Some(inclusion),
            Self::Pending | Self::Unknown => None,
        }
    }

    /// The status that the API shows.
    pub fn status(&self) -> types::TransactionStatus {
        match self {
            Self::Committed(_) => types::TransactionStatus::Success,
            Self::Invalid { .. } => types::TransactionStatus::Reverted,
            Self::Pending => types::TransactionStatus::Pending,
            Self::Unknown => types::TransactionStatus::Unknown,
        }
    }
}

/// A transaction's place in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inclusion {
    /// Block height.
    pub block: u64,
    /// Place in the block.
    pub index: u32,
    /// Gas used, where the engine counts it.
    pub gas_used: Option<u64>,
    /// Address of the contract that it made.
    pub contract: Option<String>,
}
