//! Filling a new block.

use std::{sync::Arc, time::Duration};

use alloy_consensus::{Header, Transaction, TxEnvelope, proofs};
use alloy_primitives::{Address, B256, U256};
use alloy_rlp::Encodable;
use chain_types::Recovered;
use revm::context::result::InvalidTransaction;

use crate::{ExecError, Executed, Executor, StateReader, session::Session};

/// Bytes kept free for the header and the lists around the transactions.
const HEADER_BYTES: usize = 1024;

/// The cheapest transaction: with less gas left nothing fits.
pub(crate) const LEAST_GAS: u64 = 21_000;

/// Candidates in a row that did not fit before filling ends: looking for the one that does costs more
/// than the next block.
const MISFITS: usize = 32;

/// Where filling a block ends.
#[derive(Clone, Copy, Debug)]
pub struct BuildLimits {
    /// Gas of all transactions; the header's gas limit holds as well.
    pub gas: u64,
    /// Bytes of the RLP of the whole block.
    pub bytes: usize,
    /// Time after which no further candidate is tried, by the executor's clock.
    pub deadline: Duration,
}

/// A block without its state root.
#[derive(Clone, Debug)]
pub struct Built {
    /// The header; `state_root` is zero.
    pub header: Header,
    /// The transactions in their order.
    pub transactions: Vec<TxEnvelope>,
    /// Their signers.
    pub senders: Vec<Address>,
    /// What they did.
    pub executed: Executed,
    /// Candidates that were tried and left out. Those that were not reached are not listed.
    pub skipped: Vec<(B256, SkipReason)>,
}

/// Why a transaction cannot stand at this place of this block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SkipReason {
    /// Its nonce was used.
    #[error("nonce too low: next nonce {expected}, tx nonce {found}")]
    NonceTooLow {
        /// The sender's next nonce.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// A transaction before it is missing.
    #[error("nonce too high: next nonce {expected}, tx nonce {found}")]
    NonceTooHigh {
        /// The sender's next nonce.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// The sender cannot pay for its value and gas.
    #[error("insufficient funds for gas * price + value: have {balance} want {required}")]
    InsufficientFunds {
        /// The most that the transaction may cost, in wei.
        required: U256,
        /// What the sender has, in wei.
        balance: U256,
    },
    /// Its gas limit is above what is left in this block.
    #[error("gas limit {gas_limit} is above the {left} left in the block")]
    NoGasLeft {
        /// The transaction's gas limit.
        gas_limit: u64,
        /// Gas left in the block.
        left: u64,
    },
    /// It is longer than what is left in this block.
    #[error("{bytes} bytes are more than the {left} left in the block")]
    NoBytesLeft {
        /// The transaction's length.
        bytes: usize,
        /// Bytes left in the block.
        left: usize,
    },
    /// Its gas limit is above that of any block.
    #[error("exceeds block gas limit: {gas_limit} is above {block}")]
    AboveBlockGas {
        /// The transaction's gas limit.
        gas_limit: u64,
        /// The block's gas limit.
        block: u64,
    },
    /// It offers less than the base fee.
    #[error("max fee per gas less than block base fee: maxFeePerGas: {offered}, baseFee: {base_fee}")]
    FeeTooLow {
        /// Wei per gas that it offers at most.
        offered: u128,
        /// The base fee.
        base_fee: u64,
    },
    /// Blob transactions are not offered.
    #[error("blob transactions are not supported on this chain")]
    Blob,
    /// It is signed for another chain.
    #[error("invalid chain id: this chain is {expected}")]
    WrongChain {
        /// This chain's id.
        expected: u64,
    },
    /// Its gas limit is below what it costs before it runs.
    #[error("intrinsic gas too low: gas {gas_limit}, minimum needed {needed}")]
    IntrinsicGas {
        /// The transaction's gas limit.
        gas_limit: u64,
        /// What is needed at least.
        needed: u64,
    },
    /// Any other rule that it breaks, at whatever place it stands.
    #[error("{0}")]
    Malformed(String),
}

impl SkipReason {
    /// Whether the transaction can never be included, on whatever state. A nonce that is too low here may be right on
    /// a fork without this parent.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::NonceTooLow { .. }
            | Self::NonceTooHigh { .. }
            | Self::InsufficientFunds { .. }
            | Self::NoGasLeft { .. }
            | Self::NoBytesLeft { .. } => false,
            Self::AboveBlockGas { .. }
            | Self::FeeTooLow { .. }
            | Self::Blob
            | Self::WrongChain { .. }
            | Self::IntrinsicGas { .. }
            | Self::Malformed(_) => true,
        }
    }

    fn is_misfit(&self) -> bool {
        matches!(self, Self::NoGasLeft { .. } | Self::NoBytesLeft { .. })
    }

    pub(crate) fn from_evm(error: InvalidTransaction, transaction: &TxEnvelope, executor: &Executor) -> Self {
        match error {
            InvalidTransaction::NonceTooLow { tx, state } => Self::NonceTooLow { expected: state, found: tx },
            InvalidTransaction::NonceTooHigh { tx, state } => Self::NonceTooHigh { expected: state, found: tx },
            InvalidTransaction::LackOfFundForMaxFee { fee, balance } => {
                Self::InsufficientFunds { required: *fee, balance: *balance }
            }
            InvalidTransaction::GasPriceLessThanBasefee => {
                Self::FeeTooLow { offered: transaction.max_fee_per_gas(), base_fee: executor.base_fee() }
            }
            InvalidTransaction::InvalidChainId => Self::WrongChain { expected: executor.chain_id() },
            InvalidTransaction::CallGasCostMoreThanGasLimit { initial_gas, gas_limit } => {
                Self::IntrinsicGas { gas_limit, needed: initial_gas }
            }
            InvalidTransaction::GasFloorMoreThanGasLimit { gas_floor, gas_limit } => {
                Self::IntrinsicGas { gas_limit, needed: gas_floor }
            }
            other => Self::Malformed(other.to_string()),
        }
    }
}

impl Executor {
    /// Fills a block on `parent` from candidates in their order. A candidate that cannot stand in the
    /// block (nonce, balance, gas or bytes above what is left) is skipped and reported; filling ends
    /// with the candidates, the room or the time. The block may be empty.
    ///
    /// `when_ms` is the block's time in milliseconds since 1970; the parent's time is used when that is later.
    ///
    /// # Errors
    /// When the state cannot be read or a system contract fails: nothing that a candidate can cause.
    pub fn build(
        &self,
        parent: &Header,
        when_ms: u64,
        state: &dyn StateReader,
        candidates: &mut dyn Iterator<Item = Arc<Recovered>>,
        limits: BuildLimits,
    ) -> Result<Built, ExecError> {
        let begin = self.now();
        let header = self.next_header(parent, parent.hash_slow(), when_ms);
        let gas_limit = limits.gas.min(header.gas_limit);
        let mut bytes_left = limits.bytes.saturating_sub(HEADER_BYTES);
        let mut session = Session::open(self, &header, state, 0)?;
        let (mut transactions, mut senders, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        let mut misfits = 0;

        while misfits < MISFITS
            && gas_limit.saturating_sub(session.gas_used()) >= LEAST_GAS
            && self.now().saturating_sub(begin) < limits.deadline
        {
            let Some(candidate) = candidates.next() else { break };
            let (transaction, length) = (&candidate.transaction, candidate.transaction.length());
            let gas_left = gas_limit - session.gas_used();
            let tried = if transaction.gas_limit() > gas_left && transaction.gas_limit() <= header.gas_limit {
                Err(SkipReason::NoGasLeft { gas_limit: transaction.gas_limit(), left: gas_left })
            } else if length > bytes_left {
                Err(SkipReason::NoBytesLeft { bytes: length, left: bytes_left })
            } else {
                session.transact(transaction, candidate.sender)?
            };
            match tried {
                Ok(()) => {
                    misfits = 0;
                    bytes_left -= length;
                    transactions.push(transaction.clone());
                    senders.push(candidate.sender);
                }
                Err(reason) => {
                    misfits += usize::from(reason.is_misfit());
                    skipped.push((candidate.hash(), reason));
                }
            }
        }

        let executed = session.close()?;
        let header = Header {
            transactions_root: proofs::calculate_transaction_root(&transactions),
            ..executed.in_header(header)
        };
        Ok(Built { header, transactions, senders, executed, skipped })
    }
}
