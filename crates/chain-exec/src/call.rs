//! Calls that are not transactions: `eth_call` and what the other questions share with it.

use std::time::Duration;

use alloy_consensus::Header;
use alloy_evm::{
    Evm, EvmEnv,
    eth::{EthEvmBuilder, EthEvmContext},
    overrides::{StateOverrideError, apply_block_overrides, apply_state_overrides},
};
use alloy_primitives::{Address, Bytes, Log};
use alloy_rpc_types_eth::{BlockOverrides, TransactionRequest, state::StateOverride};
use revm::{
    Inspector,
    context::{
        TxEnv,
        result::{ExecutionResult, ResultAndState},
    },
    database::State,
    inspector::NoOpInspector,
};

use crate::{
    CallError, Executor, StateReader,
    database::{Base, Overlay},
    halt,
    request::{self, Checked},
    session::{Machine, database_failed, split_error},
    watch::Watch,
};

/// What a call may use.
#[derive(Clone, Copy, Debug)]
pub struct CallLimits {
    /// Most gas; also what a request without a limit of its own gets.
    pub gas: u64,
    /// Longest time, by the executor's clock.
    pub time: Duration,
}

/// Where a call happens: after a block, in that block's environment.
#[derive(Clone, Copy)]
pub struct CallContext<'a> {
    /// The block.
    pub header: &'a Header,
    /// The state after it.
    pub state: &'a dyn StateReader,
    /// Changes of the state, for this call only.
    pub state_overrides: Option<&'a StateOverride>,
    /// Changes of the block environment, for this call only.
    pub block_overrides: Option<&'a BlockOverrides>,
    /// What it may use.
    pub limits: CallLimits,
}

/// What a successful call returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOutcome {
    /// Returned bytes; of a creation the new contract's code.
    pub output: Bytes,
    /// Gas used, refunds taken off.
    pub gas_used: u64,
    /// Events.
    pub logs: Vec<Log>,
    /// The contract that it created.
    pub created: Option<Address>,
}

impl Executor {
    /// `eth_call`. A request that names no price pays nothing and needs no funds for gas.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn call(&self, context: &CallContext<'_>, request: TransactionRequest) -> Result<CallOutcome, CallError> {
        let (mut stage, tx) = self.prepare(context, request, NoOpInspector)?;
        let result = stage.run(tx)?.result;
        outcome(result, stage.watch())
    }

    /// Sets the stage for a request; gas that it does not name is what the limits and its sender's
    /// funds allow.
    pub(crate) fn prepare<'a, I>(
        &'a self,
        context: &CallContext<'a>,
        request: TransactionRequest,
        inspector: I,
    ) -> Result<(Stage<'a, I>, TxEnv), CallError>
    where
        (Watch, I): Inspector<EthEvmContext<Overlay<'a>>>,
    {
        let (mut state, mut env) = self.scene(context)?;
        let Checked { mut tx, gas } = request::check(self, request, &mut state, &mut env, context.limits.gas)?;
        if gas.is_none()
            && let Some(allowance) = request::allowance(&tx, &mut state)?
        {
            tx.gas_limit = tx.gas_limit.min(allowance);
        }
        let watch = Watch::new(self, context.limits.time);
        Ok((Stage::new(state, env, context.state_overrides, watch, inspector)?, tx))
    }

    /// State and environment of a call, overrides applied. Checks that only transactions of a block
    /// must pass are off.
    pub(crate) fn scene<'a>(&'a self, context: &CallContext<'a>) -> Result<(Overlay<'a>, EvmEnv), CallError> {
        let header = context.header;
        let base = Base::new(context.state, &self.codes, (header.number.saturating_sub(1), header.parent_hash));
        let mut state = State::builder().with_database(base).build();
        let mut env = self.env(header);
        env.cfg_env.disable_nonce_check = true;
        env.cfg_env.disable_eip3607 = true;
        env.cfg_env.disable_block_gas_limit = true;
        env.cfg_env.tx_gas_limit_cap = Some(u64::MAX);
        if let Some(overrides) = context.block_overrides {
            // A later number makes this block an ancestor.
            state.block_hashes.insert(header.number, header.hash_slow());
            apply_block_overrides(overrides.clone(), &mut state, &mut env.block_env);
        }
        if let Some(overrides) = context.state_overrides {
            override_state(overrides, &mut state)?;
        }
        Ok((state, env))
    }
}

/// Changes accounts as a caller asks.
pub(crate) fn override_state(overrides: &StateOverride, state: &mut Overlay<'_>) -> Result<(), CallError> {
    apply_state_overrides(overrides.clone(), state).map_err(|error| match error {
        StateOverrideError::Database(error) => database_failed(error).into(),
        other => CallError::InvalidParams(other.to_string()),
    })
}

/// A machine for calls, under a [`Watch`].
pub(crate) struct Stage<'a, I> {
    pub(crate) machine: Machine<'a, (Watch, I)>,
}

impl<'a, I> Stage<'a, I>
where
    (Watch, I): Inspector<EthEvmContext<Overlay<'a>>>,
{
    /// The overrides have been applied to the state; of them only the moves of precompiles are left.
    pub(crate) fn new(
        state: Overlay<'a>,
        env: EvmEnv,
        overrides: Option<&StateOverride>,
        watch: Watch,
        inspector: I,
    ) -> Result<Self, CallError> {
        let mut machine = EthEvmBuilder::new(state, env).activate_inspector((watch, inspector)).build();
        let moves = overrides
            .into_iter()
            .flatten()
            .filter_map(|(address, account)| Some((*address, account.move_precompile_to?)));
        machine
            .precompiles_mut()
            .move_precompiles(moves)
            .map_err(|error| CallError::InvalidParams(error.to_string()))?;
        Ok(Self { machine })
    }

    /// Runs a transaction without keeping what it does.
    pub(crate) fn run(&mut self, tx: TxEnv) -> Result<ResultAndState, CallError> {
        let told = tx.clone();
        self.machine.transact_raw(tx).map_err(|error| match self.watch().ended() {
            Some(ended) => ended,
            None => match split_error(error) {
                Ok(invalid) => halt::refusal(invalid, &told, self.machine.block().basefee),
                Err(failed) => failed.into(),
            },
        })
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.machine.inspector().0
    }
}

/// What the client of a call is told.
pub(crate) fn outcome(result: ExecutionResult, watch: &Watch) -> Result<CallOutcome, CallError> {
    let gas_used = result.tx_gas_used();
    match result {
        ExecutionResult::Success { output, logs, .. } => {
            let created = output.address().copied();
            Ok(CallOutcome { output: output.into_data(), gas_used, logs, created })
        }
        ExecutionResult::Revert { output, .. } => Err(CallError::Reverted { data: output }),
        ExecutionResult::Halt { reason, .. } => Err(CallError::Halted(halt::halt(&reason, watch))),
    }
}
