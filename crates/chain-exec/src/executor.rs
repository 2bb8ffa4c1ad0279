//! The executor: a chain's rules, shared by everything that runs transactions.

use std::{sync::Arc, time::Duration};

use alloy_consensus::Header;
use alloy_evm::EvmEnv;
use alloy_primitives::{Address, B256};
use chain_types::{Block, Genesis};
use revm::primitives::hardfork::SpecId;

use crate::{Built, Executed, StateDelta, StateError, database::CodeCache, forks::Forks, genesis, header::LATEST};

/// Time since any fixed moment; only differences are used.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Builds and executes blocks by the rules of one genesis. Cheap to clone.
#[derive(Clone)]
pub struct Executor {
    pub(crate) rules: Arc<Rules>,
    pub(crate) codes: Arc<CodeCache>,
    clock: Option<Clock>,
}

/// What the genesis fixes for the life of the chain.
pub(crate) struct Rules {
    pub(crate) chain_id: u64,
    pub(crate) forks: Forks,
    /// Base fee of every block, in wei.
    pub(crate) base_fee: u64,
    /// Who receives priority fees.
    pub(crate) beneficiary: Address,
    /// Whose deposit events become EIP-6110 requests.
    pub(crate) deposit_contract: Option<Address>,
    genesis_delta: StateDelta,
    genesis_header: Header,
}

/// Why a block could not be made, or a genesis not be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ExecError {
    /// The state could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The genesis asks for something that this chain does not have.
    #[error("the genesis cannot be used: {0}")]
    Genesis(String),
    /// A system contract of the genesis failed; no block can be made while it does.
    #[error("a system contract failed: {0}")]
    SystemContract(String),
    /// The virtual machine failed in a way that no transaction can cause.
    #[error("the virtual machine failed: {0}")]
    Machine(String),
}

impl Executor {
    /// Reads the rules and the first state from a genesis.
    ///
    /// # Errors
    /// [`ExecError::Genesis`] for a fork that is not offered, code that is not code, or storage on an
    /// account that could still become a contract.
    pub fn new(genesis: &Genesis) -> Result<Self, ExecError> {
        if genesis.ethereum.timestamp > LATEST {
            return Err(ExecError::Genesis(format!("timestamp is above {LATEST}")));
        }
        let forks = Forks::new(&genesis.ethereum.config)?;
        let genesis_header = genesis::header(genesis, &forks);
        let rules = Rules {
            chain_id: genesis.chain_id(),
            base_fee: genesis.polder.min_gas_price,
            beneficiary: genesis.ethereum.coinbase,
            deposit_contract: genesis.ethereum.config.deposit_contract_address,
            genesis_delta: genesis::delta(genesis)?,
            genesis_header,
            forks,
        };
        Ok(Self { rules: Arc::new(rules), codes: Arc::new(CodeCache::default()), clock: None })
    }

    /// Uses this clock for every limit of time: [`crate::BuildLimits::deadline`],
    /// [`crate::CallLimits::time`]. Without a clock no time ever passes and these limits never end anything.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The state that the genesis describes.
    pub fn genesis_delta(&self) -> StateDelta {
        self.rules.genesis_delta.clone()
    }

    /// Block 0, given the root of [`Self::genesis_delta`].
    pub fn genesis_block(&self, state_root: B256) -> Block {
        Block::new(Header { state_root, ..self.rules.genesis_header.clone() }, Vec::new())
    }

    /// The chain id.
    pub fn chain_id(&self) -> u64 {
        self.rules.chain_id
    }

    /// The base fee of every block, in wei: the genesis' lowest price of gas.
    pub fn base_fee(&self) -> u64 {
        self.rules.base_fee
    }

    /// The rules in force in a block.
    pub fn spec(&self, header: &Header) -> SpecId {
        alloy_evm::spec(&self.rules.forks, header)
    }

    /// Puts the root of the state after a block that was built here into its header.
    pub fn seal(built: Built, state_root: B256) -> (Block, Executed) {
        let header = Header { state_root, ..built.header };
        (Block::new(header, built.transactions), built.executed)
    }

    pub(crate) fn clock(&self) -> Option<Clock> {
        self.clock.clone()
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.as_ref().map_or(Duration::ZERO, |clock| clock())
    }

    /// Configuration and block environment for transactions of the block with this header.
    pub(crate) fn env(&self, header: &Header) -> EvmEnv {
        let blobs = self.rules.forks.blob_params(header.timestamp);
        EvmEnv::for_eth_block(header, &self.rules.forks, self.rules.chain_id, Some(blobs))
    }
}

impl std::fmt::Debug for Executor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor").field("chain_id", &self.rules.chain_id).finish_non_exhaustive()
    }
}
