//! Answers, inputs, logs and revert reasons in words.

use alloy_dyn_abi::{DynSolValue, ErrorExt as _, EventExt as _, FunctionExt as _, JsonAbiExt as _};
use alloy_json_abi::{Function, JsonAbi, Param};
use alloy_primitives::{B256, LogData, U256, hex};
use serde_json::Value;
use types::{DecodedArgument, DecodedCall};

use crate::{Error, value::to_json};

/// The single return value, or the list of several.
///
/// # Errors
/// [`Error::Answer`] when the bytes do not fit.
pub fn decode_output(function: &Function, data: &[u8]) -> Result<Value, Error> {
    if data.is_empty() && !function.outputs.is_empty() {
        return Err(Error::Answer("it is empty: is there a contract at this address?".into()));
    }
    let values = function.abi_decode_output(data).map_err(|error| Error::Answer(error.to_string()))?;
    Ok(match values.as_slice() {
        [] => Value::Null,
        [one] => to_json(one),
        several => Value::Array(several.iter().map(to_json).collect()),
    })
}

/// A transaction's input by an interface; none when no function fits.
pub fn decode_call(abi: &JsonAbi, input: &[u8]) -> Option<DecodedCall> {
    let (selector, arguments) = input.split_at_checked(4)?;
    let function = abi.functions().find(|function| function.selector() == selector)?;
    let values = function.abi_decode_input(arguments).ok()?;
    Some(decoded(&function.name, function.signature(), &function.inputs, &values))
}

/// A log by an interface; none when no event fits.
pub fn decode_log(abi: &JsonAbi, topics: &[B256], data: &[u8]) -> Option<DecodedCall> {
    let log = LogData::new_unchecked(topics.to_vec(), data.to_vec().into());
    for event in abi.events().filter(|event| event.anonymous || Some(&event.selector()) == topics.first()) {
        let Ok(fields) = event.decode_log(&log) else { continue };
        let (mut indexed, mut body) = (fields.indexed.into_iter(), fields.body.into_iter());
        let arguments = event
            .inputs
            .iter()
            .filter_map(|input| {
                let value = if input.indexed { indexed.next() } else { body.next() }?;
                Some(DecodedArgument { name: input.name.clone(), kind: input.ty.clone(), value: to_json(&value) })
            })
            .collect();
        return Some(DecodedCall { name: event.name.clone(), signature: event.signature(), arguments });
    }
    None
}

/// Revert data in words: `Error(string)`, `Panic(uint256)`, or a custom error of the interface.
pub fn decode_revert(abi: Option<&JsonAbi>, data: &[u8]) -> String {
    if data.is_empty() {
        return "reverted without a reason".into();
    }
    if let Some(abi) = abi {
        for error in abi.errors() {
            if !data.starts_with(error.selector().as_slice()) {
                continue;
            }
            if let Ok(fields) = error.decode_error(data) {
                let values: Vec<String> = fields.body.iter().map(|value| plain(&to_json(value))).collect();
                return format!("{}({})", error.name, values.join(", "));
            }
        }
    }
    // Solidity documentation, "Panic via assert and Error via require".
    const ERROR: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
    const PANIC: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];
    match data.split_at_checked(4) {
        Some((selector, rest)) if selector == ERROR => match alloy_dyn_abi::DynSolType::String.abi_decode(rest) {
            Ok(DynSolValue::String(reason)) => reason,
            _ => hex::encode_prefixed(data),
        },
        Some((selector, rest)) if selector == PANIC && rest.len() == 32 => panic_reason(U256::from_be_slice(rest)),
        _ => format!("reverted with {}", hex::encode_prefixed(data)),
    }
}

fn panic_reason(code: U256) -> String {
    let words = match code.try_into().unwrap_or(u64::MAX) {
        0x01 => "assertion failed",
        0x11 => "arithmetic overflow",
        0x12 => "division by zero",
        0x21 => "value is not one of the enum",
        0x22 => "storage bytes are not encoded correctly",
        0x31 => "pop of an empty array",
        0x32 => "index out of bounds",
        0x41 => "out of memory",
        0x51 => "call of a zero function",
        _ => "unknown panic",
    };
    format!("{words} (panic 0x{code:x})")
}

fn decoded(name: &str, signature: String, inputs: &[Param], values: &[DynSolValue]) -> DecodedCall {
    let argument = |(input, value): (&Param, &DynSolValue)| DecodedArgument {
        name: input.name.clone(),
        kind: input.ty.clone(),
        value: to_json(value),
    };
    DecodedCall { name: name.into(), signature, arguments: inputs.iter().zip(values).map(argument).collect() }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
