//! `eth_simulateV1`: blocks of calls on top of a block, as the execution APIs' specification says.

mod chain;
mod transfers;

use std::time::Duration;

use alloy_consensus::{
    Eip658Value, Header, Receipt, ReceiptEnvelope, ReceiptWithBloom, Transaction as _, TxEnvelope, proofs,
    transaction::Recovered,
};
use alloy_eips::{
    eip2935::HISTORY_STORAGE_ADDRESS,
    eip4788::{BEACON_ROOTS_ADDRESS, SYSTEM_ADDRESS},
};
use alloy_evm::{Evm, EvmEnv, overrides::OverrideBlockHashes};
use alloy_hardforks::EthereumHardforks;
use alloy_primitives::{B256, Bloom, Log, Signature, U256};
use alloy_rpc_types_eth::{
    Block, BlockTransactions, Header as RpcHeader, Log as RpcLog, Transaction, TransactionRequest,
    simulate::{SimBlock, SimCallResult, SimulateError, SimulatePayload, SimulatedBlock},
};
use revm::{
    Database, DatabaseCommit,
    context::{
        TxEnv,
        result::{ExecutionResult, ResultAndState},
    },
    database::State,
};

use self::transfers::TransferLogs;
use crate::{
    CallContext, CallError, Executor, Refusal, StateReader,
    call::{Stage, override_state},
    database::{Base, Overlay},
    halt,
    request::{self, Checked},
    session::{database_failed, machine_failed},
    watch::Watch,
};

impl Executor {
    /// `eth_simulateV1` on top of the context's block. Of the context's own overrides none is used. The
    /// gas limit is for all calls together, and so is the time. Simulated blocks have a state root of
    /// zero: roots are only made for blocks of the chain.
    ///
    /// # Errors
    /// See [`CallError`]; a call that reverts or halts is a result, one that cannot begin is an error.
    pub fn simulate(
        &self,
        context: &CallContext<'_>,
        payload: SimulatePayload,
    ) -> Result<Vec<SimulatedBlock<Block>>, CallError> {
        let blocks = chain::complete(context.header, payload.block_state_calls)?;
        let mut simulation = Simulation {
            executor: self,
            reader: context.state,
            state: None,
            parent: context.header.clone(),
            parent_hash: context.header.hash_slow(),
            end: self.now().saturating_add(context.limits.time),
            gas_left: context.limits.gas,
            validation: payload.validation,
            trace_transfers: payload.trace_transfers,
            full: payload.return_full_transactions,
        };
        blocks.into_iter().map(|block| simulation.block(block).map_err(CallError::in_simulation)).collect()
    }
}

struct Simulation<'a> {
    executor: &'a Executor,
    reader: &'a dyn StateReader,
    /// The state after the last block, once there is one.
    state: Option<Overlay<'a>>,
    parent: Header,
    parent_hash: B256,
    end: Duration,
    gas_left: u64,
    validation: bool,
    trace_transfers: bool,
    full: bool,
}

/// One block while its calls run.
#[derive(Default)]
struct Progress {
    gas_used: u64,
    transactions: Vec<Recovered<TxEnvelope>>,
    receipts: Vec<ReceiptEnvelope>,
    calls: Vec<SimCallResult>,
    log_index: u64,
}

impl<'a> Simulation<'a> {
    fn block(&mut self, block: SimBlock) -> Result<SimulatedBlock<Block>, CallError> {
        let SimBlock { block_overrides, state_overrides, calls } = block;
        let overrides = block_overrides.unwrap_or_default();
        let header = chain::header(self.executor, &self.parent, self.parent_hash, &overrides, self.validation);
        let mut state = self.take_state();
        if let Some(hashes) = overrides.block_hash.clone() {
            state.override_block_hashes(hashes);
        }
        state.block_hashes.insert(self.parent.number, self.parent_hash);
        if let Some(overrides) = &state_overrides {
            override_state(overrides, &mut state)?;
        }
        let mut env = self.executor.env(&header);
        env.cfg_env.disable_nonce_check = !self.validation;
        env.cfg_env.disable_eip3607 = true;
        env.cfg_env.tx_gas_limit_cap = Some(u64::MAX);
        if let Some(price) = overrides.blob_base_fee
            && let Some(blob) = &mut env.block_env.blob_excess_gas_and_price
        {
            blob.blob_gasprice = price.saturating_to();
        }
        let watch = Watch::new(self.executor, self.end.saturating_sub(self.executor.now()));
        let tracer = TransferLogs::new(self.trace_transfers);
        let mut stage = Stage::new(state, env, state_overrides.as_ref(), watch, tracer)?;
        self.system_calls(&mut stage, &header)?;

        let mut progress = Progress::default();
        for call in calls {
            self.call(&mut stage, &header, call, &mut progress)?;
        }
        let simulated = self.seal(header, progress);
        self.state = Some(stage.machine.into_db());
        Ok(simulated)
    }

    fn take_state(&mut self) -> Overlay<'a> {
        self.state.take().unwrap_or_else(|| {
            // Here the context's block is the parent, which the reader need not know by number.
            let parent = (self.parent.number, self.parent_hash);
            State::builder().with_database(Base::new(self.reader, &self.executor.codes, parent)).build()
        })
    }

    fn system_calls(&self, stage: &mut Stage<'a, TransferLogs>, header: &Header) -> Result<(), CallError> {
        let beacon_root = header.parent_beacon_block_root.unwrap_or_default();
        let mut calls = vec![(BEACON_ROOTS_ADDRESS, beacon_root)];
        if self.executor.rules.forks.is_prague_active_at_timestamp(header.timestamp) {
            calls.push((HISTORY_STORAGE_ADDRESS, header.parent_hash));
        }
        for (contract, data) in calls {
            let outcome =
                stage.machine.transact_system_call(SYSTEM_ADDRESS, contract, data.0.into()).map_err(machine_failed)?;
            stage.machine.db_mut().commit(outcome.state);
        }
        Ok(())
    }

    fn call(
        &mut self,
        stage: &mut Stage<'a, TransferLogs>,
        header: &Header,
        mut request: TransactionRequest,
        progress: &mut Progress,
    ) -> Result<(), CallError> {
        let from = request.from.unwrap_or_default();
        let left = header.gas_limit.saturating_sub(progress.gas_used);
        let gas = request.gas.unwrap_or(left);
        if gas > left {
            let (used, limit) = (progress.gas_used, header.gas_limit);
            let message = format!("block gas limit reached: {used} + {gas} > {limit}");
            return Err(CallError::Refused { reason: Refusal::BlockGas, message });
        }
        request.gas = Some(gas);
        if request.nonce.is_none() {
            let account = stage.machine.db_mut().basic(from).map_err(database_failed)?;
            request.nonce = Some(account.map_or(0, |account| account.nonce));
        }
        let tx = self.transaction(stage, &request)?;
        let envelope = envelope(request, &tx)?;
        // Without validation a call that pays nothing need not pay the base fee that an override sets.
        let free = !self.validation && tx.gas_price == 0;
        stage.machine.ctx_mut().cfg.disable_base_fee = free;
        let ResultAndState { result, state } = stage.run(tx)?;
        stage.machine.db_mut().commit(state);
        self.gas_left = self.gas_left.saturating_sub(result.tx_gas_used());
        progress.gas_used += result.tx_gas_used();
        progress.receipts.push(receipt(&envelope, &result, progress.gas_used));
        let traced = stage.machine.inspector_mut().1.take();
        progress.push(header, *envelope.tx_hash(), result, traced, stage.watch());
        progress.transactions.push(Recovered::new_unchecked(envelope, from));
        Ok(())
    }

    fn transaction(
        &self,
        stage: &mut Stage<'a, TransferLogs>,
        request: &TransactionRequest,
    ) -> Result<TxEnv, CallError> {
        // The block's base fee stays as it is: BASEFEE must answer with what the header says.
        let mut env = EvmEnv::new(stage.machine.cfg_env().clone(), stage.machine.block().clone());
        let state = stage.machine.db_mut();
        let Checked { tx, .. } = request::check(self.executor, request.clone(), state, &mut env, self.gas_left)?;
        Ok(tx)
    }

    /// Ends a block: roots, hash, and the places in its logs that name them.
    fn seal(&mut self, header: Header, progress: Progress) -> SimulatedBlock<Block> {
        let Progress { gas_used, transactions, receipts, mut calls, .. } = progress;
        let envelopes: Vec<_> = transactions.iter().map(|transaction| transaction.inner().clone()).collect();
        let header = Header {
            gas_used,
            transactions_root: proofs::calculate_transaction_root(&envelopes),
            receipts_root: proofs::calculate_receipt_root(&receipts),
            logs_bloom: receipts.iter().fold(Bloom::ZERO, |bloom, receipt| bloom | *receipt.logs_bloom()),
            ..header
        };
        let hash = header.hash_slow();
        for log in calls.iter_mut().flat_map(|call| &mut call.logs) {
            log.block_hash = Some(hash);
        }
        let size = chain_types::Block::new(header.clone(), envelopes).rlp_length();
        let (number, timestamp, base_fee) = (header.number, header.timestamp, header.base_fee_per_gas);
        let listed = if self.full {
            let place = |(index, inner): (usize, Recovered<TxEnvelope>)| Transaction {
                effective_gas_price: Some(inner.effective_gas_price(base_fee)),
                inner,
                block_hash: Some(hash),
                block_number: Some(number),
                transaction_index: Some(index as u64),
                block_timestamp: Some(timestamp),
            };
            BlockTransactions::Full(transactions.into_iter().enumerate().map(place).collect())
        } else {
            BlockTransactions::Hashes(transactions.iter().map(|transaction| *transaction.tx_hash()).collect())
        };
        self.parent = header.clone();
        self.parent_hash = hash;
        let header = RpcHeader { hash, inner: header, total_difficulty: None, size: Some(U256::from(size)) };
        let inner = Block { header, uncles: Vec::new(), transactions: listed, withdrawals: Some(Default::default()) };
        SimulatedBlock { inner, calls }
    }
}

impl Progress {
    fn push(&mut self, header: &Header, hash: B256, result: ExecutionResult, traced: Option<Vec<Log>>, watch: &Watch) {
        let mut call = SimCallResult {
            gas_used: result.tx_gas_used(),
            max_used_gas: Some(result.gas().total_gas_spent().max(result.gas().floor_gas())),
            ..SimCallResult::default()
        };
        let mut logs = Vec::new();
        match result {
            ExecutionResult::Success { output, logs: emitted, .. } => {
                call.status = true;
                call.return_data = output.into_data();
                logs = traced.unwrap_or(emitted);
            }
            ExecutionResult::Revert { output, .. } => {
                let message = CallError::Reverted { data: output.clone() }.to_string();
                let code = SimulateError::EXECUTION_REVERTED_CODE;
                call.error = Some(SimulateError { code, message, data: Some(output.clone()) });
                call.return_data = output;
            }
            ExecutionResult::Halt { reason, .. } => {
                let code = SimulateError::VM_EXECUTION_ERROR_CODE;
                call.error = Some(SimulateError { code, message: halt::halt(&reason, watch), data: None });
            }
        }
        for inner in logs {
            call.logs.push(RpcLog {
                inner,
                block_hash: None,
                block_number: Some(header.number),
                block_timestamp: Some(header.timestamp),
                transaction_hash: Some(hash),
                transaction_index: Some(self.calls.len() as u64),
                log_index: Some(self.log_index),
                removed: false,
            });
            self.log_index += 1;
        }
        self.calls.push(call);
    }
}

/// The transaction that a call stands for, with a signature of zeros.
fn envelope(request: TransactionRequest, tx: &TxEnv) -> Result<TxEnvelope, CallError> {
    let mut request = TransactionRequest {
        gas: Some(tx.gas_limit),
        nonce: Some(tx.nonce),
        to: Some(tx.kind),
        value: Some(tx.value),
        chain_id: tx.chain_id,
        ..request.normalized_input()
    };
    if request.gas_price.is_none() {
        request.max_fee_per_gas = Some(tx.gas_price);
        request.max_priority_fee_per_gas = Some(tx.gas_priority_fee.unwrap_or(0));
    }
    let built = request
        .build_consensus_tx()
        .map_err(|error| CallError::InvalidParams(format!("not a transaction: {}", error.error)))?;
    let signature = Signature::new(U256::ZERO, U256::ZERO, false);
    Ok(built.into_envelope(signature))
}

fn receipt(transaction: &TxEnvelope, result: &ExecutionResult, cumulative_gas_used: u64) -> ReceiptEnvelope {
    let logs = if result.is_success() { result.logs().to_vec() } else { Vec::new() };
    let status = Eip658Value::Eip658(result.is_success());
    let receipt: ReceiptWithBloom<Receipt> = Receipt { status, cumulative_gas_used, logs }.into();
    ReceiptEnvelope::from_typed(transaction.tx_type(), receipt)
}
