//! Executing a block that someone else made.

use alloy_consensus::{Header, ReceiptEnvelope, Transaction, TxEnvelope, proofs};
use alloy_primitives::{Address, B256, Bloom, TxKind};
use chain_types::{Block, MAX_BLOCK_BYTES};

use crate::{
    ExecError, Executor, SkipReason, StateDelta, StateError, StateReader, build::LEAST_GAS, header, session::Session,
};

/// What a block's transactions did.
#[derive(Clone, Debug)]
pub struct Executed {
    /// Gas used by all transactions.
    pub gas_used: u64,
    /// One receipt for each transaction, with cumulative gas and bloom.
    pub receipts: Vec<ReceiptEnvelope>,
    /// Root of the trie of receipts.
    pub receipts_root: B256,
    /// Union of the receipts' blooms.
    pub logs_bloom: Bloom,
    /// What changed in the state.
    pub delta: StateDelta,
    /// Hash of the EIP-7685 requests, since Prague.
    pub requests_hash: Option<B256>,
}

/// Why a block is refused. All but [`Invalid::Failed`] mean that no honest node ever accepts it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Invalid {
    /// A header field is not what follows from the parent and the transactions.
    #[error("header field {field} is {found}, not {expected}")]
    Header {
        /// The field's name.
        field: &'static str,
        /// What the header says.
        found: String,
        /// What it should say.
        expected: String,
    },
    /// The block is older than its parent.
    #[error("the block's time {ms} ms is before its parent's {parent_ms} ms")]
    TimeGoesBack {
        /// The parent's time, in milliseconds since 1970.
        parent_ms: u64,
        /// The block's time, in milliseconds since 1970.
        ms: u64,
    },
    /// The block is longer than any node takes.
    #[error("the block has {0} bytes, the most is {MAX_BLOCK_BYTES}")]
    TooLong(usize),
    /// However little gas each transaction uses, all of them use more than the block has.
    #[error("the transactions need more than the block's {limit} gas")]
    TooMuchGas {
        /// The block's gas limit.
        limit: u64,
    },
    /// A transaction may not stand where it stands.
    #[error("transaction {index} ({hash}): {reason}")]
    Transaction {
        /// Its place in the block.
        index: usize,
        /// Its hash.
        hash: B256,
        /// What is wrong with it.
        reason: Box<SkipReason>,
    },
    /// The caller gave another number of senders than there are transactions.
    #[error("{senders} senders for {transactions} transactions")]
    Senders {
        /// How many senders were given.
        senders: usize,
        /// How many transactions the block has.
        transactions: usize,
    },
    /// The block could not be executed here; it says nothing about the block.
    #[error(transparent)]
    Failed(#[from] ExecError),
}

impl Invalid {
    /// Whether this node failed, rather than the block.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Senders { .. })
    }
}

impl From<StateError> for Invalid {
    fn from(error: StateError) -> Self {
        Self::Failed(error.into())
    }
}

impl Executor {
    /// What can be said of a block without its transactions' signers, which cost far more to find.
    ///
    /// # Errors
    /// See [`Invalid`].
    pub fn check(&self, parent: &Header, block: &Block) -> Result<(), Invalid> {
        if block.rlp_length() > MAX_BLOCK_BYTES {
            return Err(Invalid::TooLong(block.rlp_length()));
        }
        self.check_header(parent, block.header())?;
        if LEAST_GAS.saturating_mul(block.transactions().len() as u64) > block.header().gas_limit {
            return Err(Invalid::TooMuchGas { limit: block.header().gas_limit });
        }
        Ok(())
    }

    /// Executes `block` on the state after `parent` and checks every field of its header that follows
    /// from the parent and the transactions. That is all but `state_root`: whoever keeps the state
    /// compares it with the root after the returned delta. `senders` are the transactions' signers in
    /// their order.
    ///
    /// # Errors
    /// See [`Invalid`].
    pub fn execute(
        &self,
        parent: &Header,
        block: &Block,
        senders: &[Address],
        state: &dyn StateReader,
    ) -> Result<Executed, Invalid> {
        let (claimed, transactions) = (block.header(), block.transactions());
        if senders.len() != transactions.len() {
            return Err(Invalid::Senders { senders: senders.len(), transactions: transactions.len() });
        }
        self.check(parent, block)?;

        let mut session = Session::open(self, claimed, state, transactions.len())?;
        for (index, (transaction, sender)) in transactions.iter().zip(senders).enumerate() {
            session.transact(transaction, *sender)?.map_err(|reason| Invalid::Transaction {
                index,
                hash: *transaction.tx_hash(),
                reason: Box::new(reason),
            })?;
        }
        let executed = session.close()?;

        let expected = Header {
            transactions_root: proofs::calculate_transaction_root(transactions),
            ..executed.in_header(claimed.clone())
        };
        header::compare(&expected, claimed)?;
        Ok(executed)
    }
}

impl Executed {
    /// Writes what follows from the transactions' outcome into a header.
    pub(crate) fn in_header(&self, header: Header) -> Header {
        Header {
            gas_used: self.gas_used,
            receipts_root: self.receipts_root,
            logs_bloom: self.logs_bloom,
            requests_hash: self.requests_hash,
            ..header
        }
    }
}

/// The address of the contract that a transaction creates, `None` when it creates none. Whether the
/// creation succeeded is for the receipt to say.
pub fn created_address(transaction: &TxEnvelope, sender: Address) -> Option<Address> {
    match transaction.kind() {
        TxKind::Create => Some(sender.create(transaction.nonce())),
        TxKind::Call(_) => None,
    }
}
