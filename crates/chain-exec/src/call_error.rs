//! Why a call has no result, in the words and with the codes that Ethereum clients know.

use std::time::Duration;

use alloy_primitives::{Bytes, U256};

use crate::{ExecError, StateError};

/// Why a call, an estimate, a simulation or a trace has no result. `Display` is the message for the
/// client, [`Self::code`] the JSON-RPC code, [`Self::data`] the error's data.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// The contract reverted.
    #[error("execution reverted{}", revert_reason(.data).map(|reason| format!(": {reason}")).unwrap_or_default())]
    Reverted {
        /// What it returned: an ABI-encoded error, or nothing.
        data: Bytes,
    },
    /// Execution stopped: out of gas, invalid opcode and the like.
    #[error("{0}")]
    Halted(String),
    /// The transaction cannot be executed: fees, funds, nonce.
    #[error("{message}")]
    Refused {
        /// The kind of reason.
        reason: Refusal,
        /// What is wrong with it.
        message: String,
    },
    /// A simulation refused, with a code that the specification of `eth_simulateV1` gives.
    #[error("{message}")]
    Simulation {
        /// The JSON-RPC error code.
        code: i32,
        /// What is wrong.
        message: String,
    },
    /// The request contradicts itself or names what is not offered.
    #[error("{0}")]
    InvalidParams(String),
    /// No amount of gas below the limit is enough.
    #[error("gas required exceeds allowance ({0})")]
    GasAllowance(u64),
    /// It took too long.
    #[error("execution aborted (timeout = {})", seconds(.0))]
    Timeout(Duration),
    /// This node failed.
    #[error(transparent)]
    Failed(#[from] ExecError),
}

/// Why a transaction cannot begin, as far as programs tell reasons apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Its nonce was used.
    NonceTooLow,
    /// A transaction before it is missing.
    NonceTooHigh,
    /// It offers less than the base fee.
    FeeTooLow,
    /// Its gas limit is below what it costs before it runs.
    IntrinsicGas,
    /// Its sender cannot pay.
    Funds,
    /// Its gas limit is above the block's.
    BlockGas,
    /// It creates a contract by too long a code.
    InitCode,
    /// Anything else.
    Other,
}

impl Refusal {
    /// The code that `eth_simulateV1` gives.
    fn simulation_code(self) -> i32 {
        match self {
            Self::NonceTooLow => -38010,
            Self::NonceTooHigh => -38011,
            Self::FeeTooLow => -38012,
            Self::IntrinsicGas => -38013,
            Self::Funds => -38014,
            Self::BlockGas => -38015,
            Self::InitCode => -38025,
            Self::Other => SERVER,
        }
    }
}

/// The code of errors that have none of their own.
const SERVER: i32 = -32000;

impl CallError {
    /// The JSON-RPC error code.
    pub fn code(&self) -> i32 {
        match self {
            Self::Reverted { .. } => 3,
            Self::Simulation { code, .. } => *code,
            Self::Refused { .. } | Self::Halted(_) | Self::GasAllowance(_) | Self::Timeout(_) => SERVER,
            Self::InvalidParams(_) => -32602,
            Self::Failed(_) => -32603,
        }
    }

    /// The JSON-RPC error's data.
    pub fn data(&self) -> Option<&Bytes> {
        match self {
            Self::Reverted { data } => Some(data),
            _ => None,
        }
    }

    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::Refused { reason: Refusal::Other, message: message.into() }
    }

    /// The same error with the code that it has in `eth_simulateV1`.
    pub(crate) fn in_simulation(self) -> Self {
        match self {
            Self::Refused { reason, message } => Self::Simulation { code: reason.simulation_code(), message },
            other => other,
        }
    }
}

impl From<StateError> for CallError {
    fn from(error: StateError) -> Self {
        Self::Failed(error.into())
    }
}

fn seconds(time: &Duration) -> String {
    format!("{}s", time.as_secs_f64())
}

/// `Error(string)` and `Panic(uint256)`, the two errors that Solidity itself throws.
const ERROR: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
const PANIC: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];

/// The text of a Solidity `revert("…")` or panic; `None` for anything else.
pub fn revert_reason(data: &[u8]) -> Option<String> {
    let (selector, body) = data.split_first_chunk::<4>()?;
    match *selector {
        ERROR => {
            let offset = word(body, 0)?;
            let length = word(body, offset)?;
            let text = body.get(offset.checked_add(32)?..)?.get(..length)?;
            Some(String::from_utf8_lossy(text).into_owned())
        }
        PANIC => {
            let code = U256::from_be_slice(body.get(..32)?);
            Some(match u8::try_from(code).ok().and_then(panic_text) {
                Some(text) => text.into(),
                None => format!("unknown panic code: {code:#x}"),
            })
        }
        _ => None,
    }
}

fn word(body: &[u8], at: usize) -> Option<usize> {
    let bytes = body.get(at..at.checked_add(32)?)?;
    usize::try_from(U256::from_be_slice(bytes)).ok()
}

/// The meanings that Solidity's documentation gives to panic codes, in geth's words.
fn panic_text(code: u8) -> Option<&'static str> {
    Some(match code {
        0x00 => "generic panic",
        0x01 => "assert(false)",
        0x11 => "arithmetic underflow or overflow",
        0x12 => "division or modulo by zero",
        0x21 => "enum overflow",
        0x22 => "invalid encoded storage byte array accessed",
        0x31 => "out-of-bounds array access; popping on an empty array",
        0x32 => "out-of-bounds access of an array or bytesN",
        0x41 => "out of memory",
        0x51 => "uninitialized function",
        _ => return None,
    })
}
