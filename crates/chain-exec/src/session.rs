//! The transactions of one block, in order, on one state: what building, checking and tracing share.

use alloy_consensus::{
    Eip658Value, Header, Receipt, ReceiptEnvelope, ReceiptWithBloom, Transaction, TxEnvelope, proofs,
};
use alloy_eips::{
    eip2935::HISTORY_STORAGE_ADDRESS,
    eip4788::{BEACON_ROOTS_ADDRESS, SYSTEM_ADDRESS},
    eip6110::DEPOSIT_REQUEST_TYPE,
    eip7002::{WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, WITHDRAWAL_REQUEST_TYPE},
    eip7251::{CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, CONSOLIDATION_REQUEST_TYPE},
    eip7685::Requests,
};
use alloy_evm::{
    EthEvm, Evm, FromRecoveredTx,
    eth::{EthEvmBuilder, EthEvmContext, eip6110},
    precompiles::PrecompilesMap,
};
use alloy_hardforks::EthereumHardforks;
use alloy_primitives::{Address, Bloom, Bytes};
use revm::{
    DatabaseCommit, Inspector,
    context::{
        TxEnv,
        result::{EVMError, ExecutionResult, InvalidTransaction, ResultAndState},
    },
    database::{State, bal::EvmDatabaseError, states::bundle_state::BundleRetention},
    inspector::NoOpInspector,
};

use crate::{
    ExecError, Executed, Executor, SkipReason, StateDelta, StateError, StateReader,
    database::{Base, Overlay},
    delta,
};

/// The machine with the state that it runs on.
pub(crate) type Machine<'a, I> = EthEvm<Overlay<'a>, I, PrecompilesMap>;

/// What the machine fails with.
pub(crate) type MachineError = EVMError<EvmDatabaseError<StateError>>;

/// A block in the middle of its execution.
pub(crate) struct Session<'a, I = NoOpInspector> {
    executor: &'a Executor,
    machine: Machine<'a, I>,
    gas_limit: u64,
    prague: bool,
    gas_used: u64,
    bloom: Bloom,
    receipts: Vec<ReceiptEnvelope>,
}

impl<'a> Session<'a> {
    /// Begins the block with this header on the state before it.
    pub(crate) fn open(
        executor: &'a Executor,
        header: &Header,
        state: &'a dyn StateReader,
        transactions: usize,
    ) -> Result<Self, ExecError> {
        Self::open_with(executor, header, state, transactions, NoOpInspector)
    }
}

impl<'a, I: Inspector<EthEvmContext<Overlay<'a>>>> Session<'a, I> {
    /// As [`Session::open`], with an inspector that is off until it is enabled.
    pub(crate) fn open_with(
        executor: &'a Executor,
        header: &Header,
        state: &'a dyn StateReader,
        transactions: usize,
        inspector: I,
    ) -> Result<Self, ExecError> {
        let base = Base::new(state, &executor.codes, (header.number.saturating_sub(1), header.parent_hash));
        let overlay = State::builder().with_database(base).with_bundle_update().build();
        let machine = EthEvmBuilder::new(overlay, executor.env(header)).inspector(inspector).build();
        let mut session = Self {
            executor,
            machine,
            gas_limit: header.gas_limit,
            prague: executor.rules.forks.is_prague_active_at_timestamp(header.timestamp),
            gas_used: 0,
            bloom: Bloom::ZERO,
            receipts: Vec::with_capacity(transactions),
        };
        if session.prague {
            session.system_call(HISTORY_STORAGE_ADDRESS, header.parent_hash.0.into())?;
        }
        let beacon_root = header.parent_beacon_block_root.unwrap_or_default();
        session.system_call(BEACON_ROOTS_ADDRESS, beacon_root.0.into())?;
        Ok(session)
    }

    pub(crate) fn gas_used(&self) -> u64 {
        self.gas_used
    }

    pub(crate) fn machine(&mut self) -> &mut Machine<'a, I> {
        &mut self.machine
    }

    /// Runs one transaction and keeps what it did, or says why it cannot stand here; the outer error
    /// is not the transaction's fault.
    pub(crate) fn transact(
        &mut self,
        transaction: &TxEnvelope,
        sender: Address,
    ) -> Result<Result<(), SkipReason>, ExecError> {
        match self.run(transaction, sender)? {
            Ok(outcome) => {
                self.keep(transaction, outcome);
                Ok(Ok(()))
            }
            Err(reason) => Ok(Err(reason)),
        }
    }

    /// Runs one transaction without keeping anything.
    pub(crate) fn run(
        &mut self,
        transaction: &TxEnvelope,
        sender: Address,
    ) -> Result<Result<ResultAndState, SkipReason>, ExecError> {
        if let Err(reason) = self.check(transaction) {
            return Ok(Err(reason));
        }
        match self.machine.transact_raw(TxEnv::from_recovered_tx(transaction, sender)) {
            Ok(outcome) => Ok(Ok(outcome)),
            Err(EVMError::Transaction(error)) => Ok(Err(SkipReason::from_evm(error, transaction, self.executor))),
            Err(error) => Err(machine_failed(error)),
        }
    }

    fn check(&self, transaction: &TxEnvelope) -> Result<(), SkipReason> {
        if transaction.is_eip4844() {
            return Err(SkipReason::Blob);
        }
        let (gas_limit, left) = (transaction.gas_limit(), self.gas_limit - self.gas_used);
        if gas_limit > self.gas_limit {
            return Err(SkipReason::AboveBlockGas { gas_limit, block: self.gas_limit });
        }
        if gas_limit > left {
            return Err(SkipReason::NoGasLeft { gas_limit, left });
        }
        Ok(())
    }

    /// Keeps what [`Self::run`] returned.
    pub(crate) fn keep(&mut self, transaction: &TxEnvelope, outcome: ResultAndState) {
        let ResultAndState { result, state } = outcome;
        self.machine.db_mut().commit(state);
        self.gas_used += result.tx_gas_used();
        let receipt = receipt(transaction, result, self.gas_used);
        self.bloom |= *receipt.logs_bloom();
        self.receipts.push(receipt);
    }

    /// Ends the block.
    pub(crate) fn close(mut self) -> Result<Executed, ExecError> {
        let requests_hash = if self.prague { Some(self.requests()?.requests_hash()) } else { None };
        Ok(Executed {
            gas_used: self.gas_used,
            receipts_root: proofs::calculate_receipt_root(&self.receipts),
            logs_bloom: self.bloom,
            receipts: self.receipts,
            delta: take_delta(self.machine.into_db()),
            requests_hash,
        })
    }

    /// EIP-7685 requests: deposits from the logs of the genesis' deposit contract, the others from the
    /// system contracts where the genesis has them.
    fn requests(&mut self) -> Result<Requests, ExecError> {
        let mut requests = Requests::default();
        let mut deposits = Vec::new();
        if let Some(contract) = self.executor.rules.deposit_contract {
            eip6110::accumulate_deposits_from_receipts(contract, &self.receipts, &mut deposits)
                .map_err(|error| ExecError::SystemContract(error.to_string()))?;
        }
        let withdrawals = self.system_call(WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, Bytes::new())?;
        let consolidations = self.system_call(CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, Bytes::new())?;
        for (kind, data) in [
            (DEPOSIT_REQUEST_TYPE, deposits.into()),
            (WITHDRAWAL_REQUEST_TYPE, withdrawals),
            (CONSOLIDATION_REQUEST_TYPE, consolidations),
        ] {
            if !data.is_empty() {
                requests.push_request_with_type(kind, data);
            }
        }
        Ok(requests)
    }

    /// Calls a system contract; one that the genesis does not have does nothing. A block whose history
    /// contracts fail is still a block, as the specifications say: only their requests must succeed.
    fn system_call(&mut self, contract: Address, data: Bytes) -> Result<Bytes, ExecError> {
        let outcome = self.machine.transact_system_call(SYSTEM_ADDRESS, contract, data).map_err(machine_failed)?;
        self.machine.db_mut().commit(outcome.state);
        match outcome.result {
            ExecutionResult::Success { output, .. } => Ok(output.into_data()),
            _ if contract == HISTORY_STORAGE_ADDRESS || contract == BEACON_ROOTS_ADDRESS => Ok(Bytes::new()),
            failed => Err(ExecError::SystemContract(format!("{contract}: {failed:?}"))),
        }
    }
}

/// An error of the machine that no transaction causes.
pub(crate) fn machine_failed(error: MachineError) -> ExecError {
    match error {
        EVMError::Database(error) => database_failed(error),
        other => ExecError::Machine(other.to_string()),
    }
}

/// An error of the state below the machine.
pub(crate) fn database_failed(error: EvmDatabaseError<StateError>) -> ExecError {
    match error {
        EvmDatabaseError::Database(error) => ExecError::State(error),
        other => ExecError::Machine(other.to_string()),
    }
}

/// Splits an error of the machine into the transaction's fault and others.
pub(crate) fn split_error(error: MachineError) -> Result<InvalidTransaction, ExecError> {
    match error {
        EVMError::Transaction(error) => Ok(error),
        error => Err(machine_failed(error)),
    }
}

fn take_delta(mut overlay: Overlay<'_>) -> StateDelta {
    overlay.merge_transitions(BundleRetention::PlainState);
    delta::from_bundle(overlay.take_bundle())
}

fn receipt(transaction: &TxEnvelope, result: ExecutionResult, cumulative_gas_used: u64) -> ReceiptEnvelope {
    let receipt: ReceiptWithBloom<Receipt> = Receipt {
        status: Eip658Value::Eip658(result.is_success()),
        cumulative_gas_used,
        // Of a failed transaction the machine returns the logs that were undone.
        logs: if result.is_success() { result.into_logs() } else { Vec::new() },
    }
    .into();
    match transaction {
        TxEnvelope::Legacy(_) => ReceiptEnvelope::Legacy(receipt),
        TxEnvelope::Eip2930(_) => ReceiptEnvelope::Eip2930(receipt),
        TxEnvelope::Eip1559(_) => ReceiptEnvelope::Eip1559(receipt),
        TxEnvelope::Eip4844(_) => ReceiptEnvelope::Eip4844(receipt),
        TxEnvelope::Eip7702(_) => ReceiptEnvelope::Eip7702(receipt),
    }
}
