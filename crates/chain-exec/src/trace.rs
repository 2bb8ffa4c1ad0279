//! `debug_traceTransaction`, `debug_traceBlock*` and `debug_traceCall`, with the tracers of revm-inspectors.

use std::time::Duration;

use alloy_evm::{Evm, FromRecoveredTx};
use alloy_primitives::Address;
use alloy_rpc_types_eth::TransactionRequest;
use alloy_rpc_types_trace::geth::{GethDebugTracerType, GethDebugTracingOptions, GethTrace, TraceResult};
use chain_types::Block;
use revm::context::{TxEnv, result::ResultAndState};
use revm_inspectors::tracing::{
    DebugInspector, DebugInspectorError, TraceLimitBehavior, TraceLimits, TransactionContext,
};

use crate::{
    CallContext, CallError, ExecError, Executor, SkipReason, StateReader,
    session::{Machine, Session, database_failed},
    watch::Watch,
};

/// Bytes of memory, inputs and the like that one transaction's trace may copy.
const COPIED: usize = 256 << 20;

type Tracer = (Watch, DebugInspector);

impl Executor {
    /// `debug_traceCall`. A call that reverts or halts has a trace too.
    ///
    /// # Errors
    /// See [`CallError`]; an unknown tracer, or one in JavaScript, is [`CallError::InvalidParams`].
    pub fn trace_call(
        &self,
        context: &CallContext<'_>,
        request: TransactionRequest,
        options: GethDebugTracingOptions,
    ) -> Result<GethTrace, CallError> {
        let mut context = *context;
        context.limits.time = time_limit(&options, context.limits.time)?;
        let steps = records_steps(&options);
        let (mut stage, tx) = self.prepare(&context, request, tracer(options)?)?;
        stage.machine.inspector_mut().0.record(steps);
        let outcome = match stage.run(tx.clone()) {
            Err(_) if copied_too_much(&stage.machine.inspector().1) => return Err(too_large()),
            outcome => outcome?,
        };
        trace(&mut stage.machine, None, &tx, &outcome)
    }

    /// Traces the transaction at `index` of a block. `before` is the state before the block, `senders`
    /// are the signers of its transactions, `time` is the most that the trace may take by the
    /// executor's clock (the options may ask for less).
    ///
    /// # Errors
    /// See [`Self::trace_call`].
    pub fn trace_transaction(
        &self,
        block: &Block,
        senders: &[Address],
        index: usize,
        before: &dyn StateReader,
        options: GethDebugTracingOptions,
        time: Duration,
    ) -> Result<GethTrace, CallError> {
        if index >= block.transactions().len() {
            return Err(CallError::InvalidParams(format!("the block has no transaction {index}")));
        }
        let mut replay = Replay::open(self, block, senders, before, options, time)?;
        for earlier in 0..index {
            replay.pass(earlier)?;
        }
        replay.trace(index)
    }

    /// Traces every transaction of a block; see [`Self::trace_transaction`]. The time is for all together.
    ///
    /// # Errors
    /// See [`Self::trace_call`].
    pub fn trace_block(
        &self,
        block: &Block,
        senders: &[Address],
        before: &dyn StateReader,
        options: GethDebugTracingOptions,
        time: Duration,
    ) -> Result<Vec<TraceResult>, CallError> {
        let mut replay = Replay::open(self, block, senders, before, options, time)?;
        (0..block.transactions().len())
            .map(|index| {
                let tx_hash = Some(*block.transactions()[index].tx_hash());
                Ok(TraceResult::Success { result: replay.trace(index)?, tx_hash })
            })
            .collect()
    }
}

/// A block that is executed again for its traces.
struct Replay<'a> {
    session: Session<'a, Tracer>,
    block: &'a Block,
    senders: &'a [Address],
}

impl<'a> Replay<'a> {
    fn open(
        executor: &'a Executor,
        block: &'a Block,
        senders: &'a [Address],
        before: &'a dyn StateReader,
        options: GethDebugTracingOptions,
        time: Duration,
    ) -> Result<Self, CallError> {
        let transactions = block.transactions().len();
        if senders.len() != transactions {
            let text = format!("{} senders for {transactions} transactions", senders.len());
            return Err(ExecError::Machine(text).into());
        }
        let mut watch = Watch::new(executor, time_limit(&options, time)?);
        watch.record(records_steps(&options));
        let inspector = (watch, tracer(options)?);
        let session = Session::open_with(executor, block.header(), before, transactions, inspector)?;
        Ok(Self { session, block, senders })
    }

    /// Executes a transaction without tracing it.
    fn pass(&mut self, index: usize) -> Result<(), CallError> {
        let transaction = &self.block.transactions()[index];
        let outcome = self.session.transact(transaction, self.senders[index])?;
        outcome.map_err(|reason| inconsistent(index, &reason))?;
        match self.session.machine().inspector().0.check() {
            Some(ended) => Err(ended),
            None => Ok(()),
        }
    }

    fn trace(&mut self, index: usize) -> Result<GethTrace, CallError> {
        let (transaction, sender) = (&self.block.transactions()[index], self.senders[index]);
        self.session.machine().enable_inspector();
        let run = self.session.run(transaction, sender);
        let machine = self.session.machine();
        machine.disable_inspector();
        if let Some(ended) = machine.inspector().0.ended() {
            return Err(ended);
        }
        if copied_too_much(&machine.inspector().1) {
            return Err(too_large());
        }
        let outcome = run?.map_err(|reason| inconsistent(index, &reason))?;
        let context = TransactionContext {
            block_hash: Some(self.block.hash()),
            tx_hash: Some(*transaction.tx_hash()),
            tx_index: Some(index),
        };
        let tx = TxEnv::from_recovered_tx(transaction, sender);
        let trace = trace(machine, Some(context), &tx, &outcome)?;
        let (watch, tracer) = machine.inspector_mut();
        watch.restart();
        tracer.fuse().map_err(inspector_failed)?;
        self.session.keep(transaction, outcome);
        Ok(trace)
    }
}

/// What a tracer recorded of a transaction whose changes are not kept yet.
fn trace(
    machine: &mut Machine<'_, Tracer>,
    context: Option<TransactionContext>,
    tx: &TxEnv,
    outcome: &ResultAndState,
) -> Result<GethTrace, CallError> {
    let block = machine.block().clone();
    let (state, (_, tracer), _) = machine.components_mut();
    tracer.get_result(context, tx, &block, outcome, state).map_err(|error| match error {
        DebugInspectorError::Database(error) => database_failed(error).into(),
        other => CallError::InvalidParams(other.to_string()),
    })
}

/// Blocks of the chain are valid: one that is not was read wrongly.
fn inconsistent(index: usize, reason: &SkipReason) -> CallError {
    ExecError::Machine(format!("transaction {index} of a finalised block does not execute: {reason}")).into()
}

fn tracer(options: GethDebugTracingOptions) -> Result<DebugInspector, CallError> {
    if let Some(GethDebugTracerType::JsTracer(code)) = options.tracer.as_ref()
        && !code.is_empty()
    {
        let name =
            if code.len() <= 40 && code.chars().all(char::is_alphanumeric) { code.as_str() } else { "JavaScript" };
        return Err(CallError::InvalidParams(format!(
            "tracer {name} is not offered: there are the struct logger (no name), callTracer, flatCallTracer, \
             prestateTracer, 4byteTracer, muxTracer and noopTracer, and none in JavaScript"
        )));
    }
    let limits = TraceLimits::default().set_max_recorded_bytes(Some(COPIED)).set_behavior(TraceLimitBehavior::Halt);
    Ok(match DebugInspector::new(options).map_err(inspector_failed)? {
        DebugInspector::CallTracer(inner, config) => DebugInspector::CallTracer(inner.with_limits(limits), config),
        DebugInspector::PreStateTracer(inner, config) => {
            DebugInspector::PreStateTracer(inner.with_limits(limits), config)
        }
        DebugInspector::FlatCallTracer(inner) => DebugInspector::FlatCallTracer(inner.with_limits(limits)),
        DebugInspector::Erc7562Tracer(inner, config) => {
            DebugInspector::Erc7562Tracer(inner.with_limits(limits), config)
        }
        DebugInspector::Default(inner, config) => DebugInspector::Default(inner.with_limits(limits), config),
        other => other,
    })
}

fn copied_too_much(tracer: &DebugInspector) -> bool {
    match tracer {
        DebugInspector::CallTracer(inner, _)
        | DebugInspector::PreStateTracer(inner, _)
        | DebugInspector::FlatCallTracer(inner)
        | DebugInspector::Erc7562Tracer(inner, _)
        | DebugInspector::Default(inner, _) => inner.limit_exceeded(),
        _ => false,
    }
}

fn too_large() -> CallError {
    CallError::refused(format!("the trace copies more than {} MiB of memory and inputs", COPIED >> 20))
}

fn inspector_failed(error: DebugInspectorError) -> CallError {
    CallError::InvalidParams(error.to_string())
}

/// Whether every instruction is recorded, without a limit that the caller set.
fn records_steps(options: &GethDebugTracingOptions) -> bool {
    let struct_logger = options.tracer.as_ref().is_none_or(|tracer| tracer.as_str().is_empty());
    struct_logger && options.config.limit.is_none_or(|limit| limit == 0)
}

/// The options' timeout, at most the node's.
fn time_limit(options: &GethDebugTracingOptions, most: Duration) -> Result<Duration, CallError> {
    match options.timeout.as_deref() {
        None => Ok(most),
        Some(text) => go_duration(text)
            .map(|asked| asked.min(most))
            .ok_or_else(|| CallError::InvalidParams(format!("time: invalid duration {text:?}"))),
    }
}

/// A duration as Go writes it: `5s`, `1m30s`, `1.5h`.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let seconds = match &rest[..unit] {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        rest = &rest[unit..];
        total = total.checked_add(Duration::try_from_secs_f64(number * seconds).ok()?)?;
    }
    (!text.is_empty()).then_some(total)
}
