//! An inspector that ends what takes too long or records too much, and remembers the last instruction.

use std::time::Duration;

use revm::{
    Inspector,
    bytecode::opcode::OpCode,
    context::ContextError,
    context_interface::ContextTr,
    interpreter::{Interpreter, interpreter_types::Jumps},
};

use crate::{CallError, Clock, Executor};

/// Instructions between two looks at the clock.
const STEPS: u32 = 1024;

/// Bytes that the steps of one trace may take in memory.
const RECORD: usize = 256 << 20;

/// What one recorded step takes beside its stack.
const STEP_BYTES: usize = 256;

/// Watches one call or transaction, or several in a row under one limit of time.
pub(crate) struct Watch {
    clock: Option<Clock>,
    end: Duration,
    time: Duration,
    until_check: u32,
    opcode: u8,
    stack: usize,
    /// Bytes left for recorded steps; `None` when steps are not recorded.
    record: Option<usize>,
    ended: Option<Ended>,
}

#[derive(Clone, Copy)]
enum Ended {
    Time,
    Record,
}

impl Watch {
    pub(crate) fn new(executor: &Executor, time: Duration) -> Self {
        let clock = executor.clock();
        let end = executor.now().saturating_add(time);
        Self { clock, end, time, until_check: 0, opcode: 0, stack: 0, record: None, ended: None }
    }

    /// Whether an inspector beside this one records every step, whose memory is then bounded.
    pub(crate) fn record(&mut self, steps: bool) {
        self.record = steps.then_some(RECORD);
    }

    /// Whether the time is over: for use between transactions that are not watched.
    pub(crate) fn check(&self) -> Option<CallError> {
        self.is_late().then(|| CallError::Timeout(self.time))
    }

    /// Forgets what the last transaction recorded.
    pub(crate) fn restart(&mut self) {
        self.record = self.record.map(|_| RECORD);
    }

    /// The last instruction that was begun and the height of the stack then.
    pub(crate) fn last_step(&self) -> (OpCode, usize) {
        (OpCode::new(self.opcode).unwrap_or(OpCode::INVALID), self.stack)
    }

    /// The number of the last instruction, which need not name one.
    pub(crate) fn last_byte(&self) -> u8 {
        self.opcode
    }

    /// Why execution was ended from here, if it was.
    pub(crate) fn ended(&self) -> Option<CallError> {
        self.ended.map(|ended| match ended {
            Ended::Time => CallError::Timeout(self.time),
            Ended::Record => CallError::refused(format!(
                "the trace takes more than {} MiB: use `limit` or `disableStack`, or another tracer",
                RECORD >> 20
            )),
        })
    }

    fn over(&mut self) -> Option<Ended> {
        if let Some(left) = &mut self.record {
            match left.checked_sub(STEP_BYTES + 32 * self.stack) {
                Some(rest) => *left = rest,
                None => return Some(Ended::Record),
            }
        }
        if self.until_check > 0 {
            self.until_check -= 1;
            return None;
        }
        self.until_check = STEPS;
        self.is_late().then_some(Ended::Time)
    }

    fn is_late(&self) -> bool {
        self.clock.as_ref().is_some_and(|clock| clock() >= self.end)
    }
}

impl<CTX: ContextTr> Inspector<CTX> for Watch {
    #[inline]
    fn step(&mut self, interpreter: &mut Interpreter, context: &mut CTX) {
        self.opcode = interpreter.bytecode.opcode();
        self.stack = interpreter.stack.len();
        if let Some(ended) = self.over() {
            self.ended = Some(ended);
            *context.error() = Err(ContextError::Custom("ended by the node".into()));
            interpreter.halt_fatal();
        }
    }
}
