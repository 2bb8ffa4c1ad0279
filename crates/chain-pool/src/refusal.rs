//! Why a transaction is refused or gone, in the words that Ethereum clients know.

use std::{io, path::PathBuf};

use alloy_primitives::{Address, B256, U256};

/// A pool could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// The journal cannot be read or written.
    #[error("the transaction journal {path}: {source}")]
    Journal {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is not a journal, or one of a newer version.
    #[error("{path} is not a transaction journal that this version reads: {reason}")]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The state cannot be read.
    #[error("the state cannot be read: {0}")]
    State(String),
}

/// Why a transaction is not accepted. The words are go-ethereum's where it has the case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not an EIP-2718 transaction.
    #[error("rlp: invalid transaction: {0}")]
    Undecodable(String),
    /// Blob transactions and unknown types.
    #[error("transaction type not supported")]
    TypeNotSupported,
    /// Longer than a transaction may be.
    #[error("oversized data: transaction size {size}, limit {limit}")]
    Oversized {
        /// Encoded bytes.
        size: usize,
        /// Most that is accepted.
        limit: usize,
    },
    /// Signed for another chain.
    #[error("invalid chain id for signer: have {have} want {want}")]
    ChainId {
        /// In the transaction.
        have: u64,
        /// The chain's.
        want: u64,
    },
    /// Legacy signature without a chain id (EIP-155).
    #[error("only replay-protected (EIP-155) transactions allowed over RPC")]
    Unprotected,
    /// The signature is not one.
    #[error("invalid sender")]
    Signature,
    /// In the pool already.
    #[error("already known")]
    AlreadyKnown,
    /// The nonce has been used.
    #[error("nonce too low: next nonce {next}, tx nonce {nonce}")]
    NonceTooLow {
        /// The account's nonce.
        next: u64,
        /// The transaction's nonce.
        nonce: u64,
    },
    /// EIP-2681.
    #[error("nonce has max value: tx nonce {0}")]
    NonceMax(u64),
    /// The balance does not cover value and gas, with what already waits.
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, queued cost {queued}, tx cost {cost}, overshot {}",
        cost.saturating_add(*queued).saturating_sub(*balance)
    )]
    QueuedFunds {
        /// The account's balance in wei.
        balance: U256,
        /// What the sender's waiting transactions cost at most.
        queued: U256,
        /// What this one costs at most.
        cost: U256,
    },
    /// The balance does not cover value and gas.
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, tx cost {cost}, overshot {}",
        cost.saturating_sub(*balance)
    )]
    Funds {
        /// The account's balance in wei.
        balance: U256,
        /// What the transaction costs at most.
        cost: U256,
    },
    /// Less gas than the transaction needs before it runs (EIP-2028, 2930, 3860, 7702).
    #[error("intrinsic gas too low: gas {have}, minimum needed {want}")]
    IntrinsicGas {
        /// The transaction's gas limit.
        have: u64,
        /// What it needs at least.
        want: u64,
    },
    /// Less gas than the data's floor (EIP-7623).
    #[error("insufficient gas for floor data gas cost: gas {have}, minimum needed {want}")]
    FloorGas {
        /// The transaction's gas limit.
        have: u64,
        /// The floor.
        want: u64,
    },
    /// More gas than a block holds.
    #[error("exceeds block gas limit: gas {gas}, limit {limit}")]
    BlockGas {
        /// The transaction's gas limit.
        gas: u64,
        /// The block's.
        limit: u64,
    },
    /// More gas than one transaction may have (EIP-7825, from Osaka on).
    #[error("transaction gas limit too high (cap: {cap}, tx: {gas})")]
    GasCap {
        /// The transaction's gas limit.
        gas: u64,
        /// The cap.
        cap: u64,
    },
    /// Creation code above the limit of EIP-3860.
    #[error("max initcode size exceeded: code size {size}, limit {limit}")]
    InitCode {
        /// Bytes.
        size: usize,
        /// Most that is accepted.
        limit: usize,
    },
    /// The tip is above the fee.
    #[error("max priority fee per gas higher than max fee per gas: maxPriorityFeePerGas: {tip}, maxFeePerGas: {fee}")]
    TipAboveFee {
        /// Wei.
        tip: u128,
        /// Wei.
        fee: u128,
    },
    /// Pays less than the chain's price of gas.
    #[error("transaction underpriced: max fee per gas {fee}, minimum needed {minimum}")]
    Underpriced {
        /// Wei per gas that the transaction pays at most.
        fee: u128,
        /// The chain's price in wei per gas.
        minimum: u64,
    },
    /// A set-code transaction without authorisations, or one that creates a contract (EIP-7702).
    #[error("{0}")]
    SetCode(&'static str),
    /// Another transaction with this nonce waits and pays as much.
    #[error("replacement transaction underpriced")]
    ReplacementUnderpriced,
    /// The sender has as many transactions waiting as one may have.
    #[error("account limit exceeded: {limit} transactions of {sender} are waiting")]
    SenderLimit {
        /// Who.
        sender: Address,
        /// How many one may have.
        limit: usize,
    },
    /// Too many transactions wait for an earlier nonce.
    #[error("txpool is full: {limit} transactions wait for an earlier nonce; send nonce {next} first")]
    QueueFull {
        /// How many may wait in all.
        limit: usize,
        /// The nonce that can be executed next.
        next: u64,
    },
    /// The pool is full. Try again when blocks have taken some.
    #[error("txpool is full: {transactions} transactions, {bytes} bytes are waiting; try again later")]
    Full {
        /// How many wait.
        transactions: usize,
        /// Their encoded bytes.
        bytes: usize,
    },
    /// The journal could not be written; the transaction was not accepted.
    #[error("the transaction was not accepted: the pool's journal cannot be written: {0}")]
    Journal(String),
    /// The state could not be read.
    #[error("the transaction was not accepted: the state cannot be read: {0}")]
    State(String),
}

impl Refusal {
    /// Whether the same transaction may be accepted later without the sender changing anything.
    pub fn is_overload(&self) -> bool {
        matches!(self, Self::SenderLimit { .. } | Self::QueueFull { .. } | Self::Full { .. })
    }

    /// Whether the cause is on the node's side and says nothing of the transaction.
    pub fn is_internal(&self) -> bool {
        matches!(self, Self::Journal(_) | Self::State(_))
    }
}

/// What became of a transaction that was in the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is in a finalised block.
    Included {
        /// The block's number.
        number: u64,
    },
    /// Its sender sent another with the same nonce.
    Replaced {
        /// The other's hash.
        by: B256,
    },
    /// It became invalid, or (a peer's only) had to give way.
    Dropped {
        /// A sentence.
        why: String,
    },
}
