//! `eth_estimateGas`.

use alloy_primitives::TxKind;
use alloy_rpc_types_eth::TransactionRequest;
use revm::{
    Database,
    context::{
        TxEnv,
        result::{ExecutionResult, HaltReason},
    },
    inspector::NoOpInspector,
};

use crate::{
    CallContext, CallError, Executor,
    call::{self, Stage},
    database::Overlay,
    request::{self, Checked},
    session::database_failed,
    watch::Watch,
};

/// What a transfer to an account without code costs.
const TRANSFER: u64 = 21_000;

/// What a call that carries value gives to its callee on top.
const STIPEND: u64 = 2_300;

impl Executor {
    /// `eth_estimateGas`: the least gas limit with which the request succeeds in the context's block.
    /// Less may suffice for a contract that does less when it has less.
    ///
    /// # Errors
    /// [`CallError::Reverted`] with the contract's data when it reverts however much gas it has,
    /// [`CallError::GasAllowance`] when the limits or the sender's funds do not suffice; see [`CallError`].
    pub fn estimate_gas(&self, context: &CallContext<'_>, request: TransactionRequest) -> Result<u64, CallError> {
        let (mut state, mut env) = self.scene(context)?;
        let Checked { mut tx, gas } = request::check(self, request, &mut state, &mut env, context.limits.gas)?;
        let most = gas.filter(|gas| *gas >= TRANSFER).unwrap_or(env.block_env.gas_limit);
        // The limit that a transaction has must hold here too: the answer becomes one's gas limit.
        let cap = self.env(context.header).cfg_env.tx_gas_limit_cap.unwrap_or(u64::MAX);
        let allowance = request::allowance(&tx, &mut state)?.unwrap_or(u64::MAX);
        let most = most.min(context.limits.gas).min(cap).min(allowance);

        let transfer = is_transfer(&tx, &mut state)?;
        let watch = Watch::new(self, context.limits.time);
        let mut stage = Stage::new(state, env, context.state_overrides, watch, NoOpInspector)?;
        if transfer && most >= TRANSFER {
            tx.gas_limit = TRANSFER;
            if let Attempt::Enough(_) = attempt(&mut stage, &tx)? {
                return Ok(TRANSFER);
            }
        }
        tx.gas_limit = most;
        match attempt(&mut stage, &tx)? {
            Attempt::Enough(result) => search(&mut stage, tx, &result),
            Attempt::TooLittle => Err(CallError::GasAllowance(most)),
            Attempt::Failed(result) => match call::outcome(result, stage.watch()) {
                Err(error) => Err(error),
                Ok(_) => Err(CallError::GasAllowance(most)),
            },
        }
    }
}

fn is_transfer(tx: &TxEnv, state: &mut Overlay<'_>) -> Result<bool, CallError> {
    let TxKind::Call(to) = tx.kind else { return Ok(false) };
    if !tx.data.is_empty() {
        return Ok(false);
    }
    let account = state.basic(to).map_err(database_failed)?;
    Ok(account.is_none_or(|account| account.is_empty_code_hash()))
}

enum Attempt {
    Enough(ExecutionResult),
    /// It ran out of gas, or could not begin.
    TooLittle,
    /// It failed in another way, which may still be for want of gas.
    Failed(ExecutionResult),
}

fn attempt(stage: &mut Stage<'_, NoOpInspector>, tx: &TxEnv) -> Result<Attempt, CallError> {
    match stage.run(tx.clone()) {
        Ok(outcome) => Ok(match outcome.result {
            result @ ExecutionResult::Success { .. } => Attempt::Enough(result),
            ExecutionResult::Halt { reason: HaltReason::OutOfGas(_), .. } => Attempt::TooLittle,
            result => Attempt::Failed(result),
        }),
        Err(error) if crate::halt::is_intrinsic_gas(&error) => Ok(Attempt::TooLittle),
        Err(error) => Err(error),
    }
}

/// Searches between what the transaction used with plenty of gas, below which it cannot succeed, and
/// that plenty.
fn search(stage: &mut Stage<'_, NoOpInspector>, mut tx: TxEnv, plenty: &ExecutionResult) -> Result<u64, CallError> {
    let mut enough = tx.gas_limit;
    let mut too_little = plenty.tx_gas_used().saturating_sub(1);
    // Most transactions need what they used before refunds, and what their inner calls had to keep back:
    // a call passes on at most 63 of 64 parts.
    let used = plenty.gas().total_gas_spent().max(plenty.tx_gas_used());
    for guess in [used, (used + STIPEND) * 64 / 63] {
        if (too_little + 1..enough).contains(&guess) {
            tx.gas_limit = guess;
            match attempt(stage, &tx)? {
                Attempt::Enough(_) => enough = guess,
                _ => too_little = guess,
            }
        }
    }
    while too_little + 1 < enough {
        // The answer is near the lower end more often than not.
        let middle = (too_little + (enough - too_little) / 2).min(too_little.saturating_mul(2));
        tx.gas_limit = middle;
        match attempt(stage, &tx)? {
            Attempt::Enough(_) => enough = middle,
            _ => too_little = middle,
        }
    }
    Ok(enough)
}
