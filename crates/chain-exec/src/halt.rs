//! Names of failures as geth gives them: tools compare these texts.

use alloy_primitives::U256;
use revm::{
    bytecode::opcode::OpCode,
    context::{
        TxEnv,
        result::{HaltReason, InvalidTransaction},
    },
};

use crate::{CallError, Refusal, watch::Watch};

/// Most items on the stack.
const STACK: usize = 1024;

/// The name of a halt of the outermost frame.
pub(crate) fn halt(reason: &HaltReason, watch: &Watch) -> String {
    match reason {
        HaltReason::OutOfGas(_) => "out of gas".into(),
        HaltReason::OpcodeNotFound | HaltReason::InvalidFEOpcode | HaltReason::NotActivated => {
            format!("invalid opcode: {}", opcode_name(watch.last_byte()))
        }
        HaltReason::InvalidJump => "invalid jump destination".into(),
        HaltReason::StackUnderflow => {
            let (opcode, height) = watch.last_step();
            format!("stack underflow ({height} <=> {})", opcode.inputs())
        }
        HaltReason::StackOverflow => {
            let (_, height) = watch.last_step();
            format!("stack limit reached {} ({})", height, STACK - 1)
        }
        HaltReason::OutOfOffset => "return data out of bounds".into(),
        HaltReason::CreateCollision => "contract address collision".into(),
        HaltReason::PrecompileError => "precompile failed".into(),
        HaltReason::PrecompileErrorWithContext(text) => text.clone(),
        HaltReason::NonceOverflow => "nonce uint64 overflow".into(),
        HaltReason::CreateContractSizeLimit => "max code size exceeded".into(),
        HaltReason::CreateContractStartingWithEF => "invalid code: must not begin with 0xef".into(),
        HaltReason::CreateInitCodeSizeLimit => "max initcode size exceeded".into(),
        HaltReason::StateChangeDuringStaticCall | HaltReason::CallNotAllowedInsideStatic => "write protection".into(),
        HaltReason::OutOfFunds => "insufficient balance for transfer".into(),
        HaltReason::CallTooDeep => "max call depth exceeded".into(),
        HaltReason::OverflowPayment => "gas uint64 overflow".into(),
    }
}

fn opcode_name(byte: u8) -> String {
    OpCode::new(byte).map_or_else(|| format!("opcode {byte:#x} not defined"), |opcode| opcode.as_str().into())
}

/// Why a transaction cannot be executed at all.
pub(crate) fn refusal(error: InvalidTransaction, tx: &TxEnv, base_fee: u64) -> CallError {
    let from = tx.caller;
    let (reason, message) = match error {
        InvalidTransaction::NonceTooLow { tx, state } => {
            (Refusal::NonceTooLow, format!("nonce too low: address {from}, tx: {tx} state: {state}"))
        }
        InvalidTransaction::NonceTooHigh { tx, state } => {
            (Refusal::NonceTooHigh, format!("nonce too high: address {from}, tx: {tx} state: {state}"))
        }
        InvalidTransaction::LackOfFundForMaxFee { fee, balance } => {
            (Refusal::Funds, insufficient_funds(tx, *balance, *fee))
        }
        InvalidTransaction::CallGasCostMoreThanGasLimit { initial_gas, gas_limit } => {
            (Refusal::IntrinsicGas, format!("intrinsic gas too low: have {gas_limit}, want {initial_gas}"))
        }
        InvalidTransaction::GasFloorMoreThanGasLimit { gas_floor, gas_limit } => (
            Refusal::IntrinsicGas,
            format!("insufficient gas for floor data gas cost: have {gas_limit}, want {gas_floor}"),
        ),
        InvalidTransaction::GasPriceLessThanBasefee => (
            Refusal::FeeTooLow,
            format!(
                "max fee per gas less than block base fee: address {from}, maxFeePerGas: {}, baseFee: {base_fee}",
                tx.gas_price
            ),
        ),
        InvalidTransaction::PriorityFeeGreaterThanMaxFee => (
            Refusal::Other,
            format!(
                "max priority fee per gas higher than max fee per gas: address {from}, maxPriorityFeePerGas: {}, maxFeePerGas: {}",
                tx.gas_priority_fee.unwrap_or_default(),
                tx.gas_price
            ),
        ),
        InvalidTransaction::CreateInitCodeSizeLimit => {
            (Refusal::InitCode, format!("max initcode size exceeded: code size {}", tx.data.len()))
        }
        InvalidTransaction::CallerGasLimitMoreThanBlock => (Refusal::BlockGas, "block gas limit reached".into()),
        InvalidTransaction::NonceOverflowInTransaction => {
            (Refusal::Other, format!("nonce has max value: address {from}, nonce: {}", tx.nonce))
        }
        InvalidTransaction::EmptyAuthorizationList => {
            (Refusal::Other, format!("EIP-7702 transaction with empty auth list (sender {from})"))
        }
        InvalidTransaction::AuthorizationListInvalidFields => {
            (Refusal::Other, format!("EIP-7702 transaction cannot be used to create contract (sender {from})"))
        }
        InvalidTransaction::TxGasLimitGreaterThanCap { gas_limit, cap } => {
            (Refusal::Other, format!("transaction gas limit too high (cap: {cap}, tx: {gas_limit})"))
        }
        other => (Refusal::Other, other.to_string()),
    };
    CallError::Refused { reason, message }
}

fn insufficient_funds(tx: &TxEnv, balance: U256, required: U256) -> String {
    format!("insufficient funds for gas * price + value: address {} have {balance} want {required}", tx.caller)
}

/// Whether more gas is all that a transaction needs to begin.
pub(crate) fn is_intrinsic_gas(error: &CallError) -> bool {
    matches!(error, CallError::Refused { reason: Refusal::IntrinsicGas, .. })
}
