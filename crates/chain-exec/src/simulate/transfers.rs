//! Logs of a transaction together with one for every transfer of ether.

use alloy_primitives::{Address, B256, Log, LogData, U256};
use revm::{
    Inspector,
    context_interface::{ContextTr, JournalTr},
    interpreter::{CallInputs, CallOutcome, CreateInputs, CreateOutcome},
};
use revm_inspectors::transfer::{TRANSFER_EVENT_TOPIC, TRANSFER_LOG_EMITTER};

/// Collects logs in their order, transfers among them as if a token contract at `0xee…ee` had emitted
/// them. What a failed frame did is forgotten with the frame.
pub(super) struct TransferLogs {
    on: bool,
    logs: Vec<Log>,
    /// How many logs there were when each open frame began.
    frames: Vec<usize>,
}

impl TransferLogs {
    pub(super) fn new(on: bool) -> Self {
        Self { on, logs: Vec::new(), frames: Vec::new() }
    }

    /// The logs of the transaction that ended, when transfers are wanted among them.
    pub(super) fn take(&mut self) -> Option<Vec<Log>> {
        self.frames.clear();
        let logs = std::mem::take(&mut self.logs);
        self.on.then_some(logs)
    }

    fn begin(&mut self, from: Address, to: Address, value: U256) {
        self.frames.push(self.logs.len());
        self.transfer(from, to, value);
    }

    fn end(&mut self, success: bool) {
        let begun = self.frames.pop().unwrap_or(0);
        if !success {
            self.logs.truncate(begun);
        }
    }

    fn transfer(&mut self, from: Address, to: Address, value: U256) {
        if !self.on || value.is_zero() {
            return;
        }
        let topics = vec![TRANSFER_EVENT_TOPIC, from.into_word(), to.into_word()];
        let data = LogData::new_unchecked(topics, B256::from(value).0.into());
        self.logs.push(Log { address: TRANSFER_LOG_EMITTER, data });
    }
}

impl<CTX: ContextTr> Inspector<CTX> for TransferLogs {
    fn log(&mut self, _: &mut CTX, log: Log) {
        if self.on {
            self.logs.push(log);
        }
    }

    fn call(&mut self, _: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        let value = inputs.transfer_value().unwrap_or_default();
        self.begin(inputs.transfer_from(), inputs.transfer_to(), value);
        None
    }

    fn call_end(&mut self, _: &mut CTX, _: &CallInputs, outcome: &mut CallOutcome) {
        self.end(outcome.result.is_ok());
    }

    fn create(&mut self, context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        // The creator is loaded already; when it is not, the creation itself reports why.
        let nonce = context.journal_mut().load_account(inputs.caller()).map_or(0, |account| account.data.info.nonce);
        self.begin(inputs.caller(), inputs.created_address(nonce), inputs.value());
        None
    }

    fn create_end(&mut self, _: &mut CTX, _: &CreateInputs, outcome: &mut CreateOutcome) {
        self.end(outcome.result.is_ok());
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        self.transfer(contract, target, value);
    }
}
