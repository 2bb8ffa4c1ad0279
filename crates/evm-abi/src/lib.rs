//! Solidity interfaces and JSON: reads compiled artifacts, encodes JSON arguments, decodes results,
//! inputs, logs and revert reasons for people.
//!
//! Numbers may be given as JSON numbers or as text (decimal or 0x hex) and are answered as decimal
//! text, because JSON numbers lose digits beyond 2^53. Bytes and addresses are 0x hex. Tuples are
//! lists, or objects by component name when given.

mod artifact;
mod decode;
mod value;

pub use alloy_json_abi::{Function, JsonAbi};
pub use artifact::Artifact;
pub use decode::{decode_call, decode_log, decode_output, decode_revert};

use alloy_dyn_abi::{JsonAbiExt as _, Specifier as _};
use alloy_primitives::Bytes;
use serde_json::Value;

/// Why an artifact, an argument or an answer does not fit.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a compiled artifact.
    #[error("{0}")]
    Artifact(String),
    /// No such function, or several.
    #[error("{0}")]
    Function(String),
    /// An argument does not fit its type.
    #[error("argument {path}: {message}")]
    Argument {
        /// Where, such as `1 (amount)`.
        path: String,
        /// Why.
        message: String,
    },
    /// Too few or too many arguments.
    #[error("{expected} arguments are expected ({signature}), {given} are given")]
    Count {
        /// How many the interface has.
        expected: usize,
        /// How many were given.
        given: usize,
        /// What was called.
        signature: String,
    },
    /// The ledger's answer does not fit the interface.
    #[error("the answer does not fit the interface: {0}")]
    Answer(String),
}

/// Reads an ABI.
///
/// # Errors
/// [`Error::Artifact`] when it is not one.
pub fn parse_interface(json: &Value) -> Result<JsonAbi, Error> {
    serde_json::from_value(json.clone()).map_err(|error| Error::Artifact(format!("the ABI is not valid: {error}")))
}

/// Finds a function by name, or by signature where names repeat. `given` arguments settle an overload
/// when only one takes that many.
///
/// # Errors
/// [`Error::Function`] when there is none or more than one.
pub fn find_function<'a>(abi: &'a JsonAbi, name: &str, given: usize) -> Result<&'a Function, Error> {
    let named = || abi.functions().filter(|function| function.name == name || function.signature() == name);
    let all: Vec<&Function> = named().collect();
    match all.as_slice() {
        [] => {
            let known: Vec<String> = abi.functions().map(Function::signature).collect();
            Err(Error::Function(format!("there is no function `{name}`; the interface has {}", known.join(", "))))
        }
        [one] => Ok(one),
        _ => {
            let mut fitting = named().filter(|function| function.inputs.len() == given);
            match (fitting.next(), fitting.next()) {
                (Some(function), None) => Ok(function),
                _ => {
                    let signatures: Vec<String> = all.iter().map(|function| function.signature()).collect();
                    Err(Error::Function(format!("`{name}` is ambiguous: use one of {}", signatures.join(", "))))
                }
            }
        }
    }
}

/// Input data of a call: selector and arguments.
///
/// # Errors
/// [`Error::Argument`] or [`Error::Count`].
pub fn encode_call(function: &Function, args: Option<&Value>) -> Result<Bytes, Error> {
    let values = arguments(&function.inputs, args, &function.signature())?;
    function.abi_encode_input(&values).map(Bytes::from).map_err(|error| Error::Function(error.to_string()))
}

/// Input data of a deployment: bytecode and constructor's arguments.
///
/// # Errors
/// [`Error::Argument`], [`Error::Count`], or [`Error::Artifact`] when the bytecode is absent.
pub fn encode_deployment(artifact: &Artifact, args: Option<&Value>) -> Result<Bytes, Error> {
    let mut data = artifact.bytecode()?.to_vec();
    match &artifact.abi.constructor {
        Some(constructor) => {
            let values = arguments(&constructor.inputs, args, "constructor")?;
            let encoded = constructor.abi_encode_input(&values).map_err(|error| Error::Function(error.to_string()))?;
            data.extend(encoded);
        }
        None => {
            arguments(&[], args, "constructor")?;
        }
    }
    Ok(data.into())
}

fn arguments(
    inputs: &[alloy_json_abi::Param],
    args: Option<&Value>,
    signature: &str,
) -> Result<Vec<alloy_dyn_abi::DynSolValue>, Error> {
    let empty = Vec::new();
    let given = match args {
        None | Some(Value::Null) => &empty,
        Some(Value::Array(list)) => list,
        Some(_) => return Err(Error::Argument { path: "list".into(), message: "a JSON list is expected".into() }),
    };
    if given.len() != inputs.len() {
        return Err(Error::Count { expected: inputs.len(), given: given.len(), signature: signature.into() });
    }
    let convert = |(index, (input, json)): (usize, (&alloy_json_abi::Param, &Value))| {
        let path = if input.name.is_empty() { index.to_string() } else { format!("{index} ({})", input.name) };
        let kind = input.resolve().map_err(|error| Error::Artifact(error.to_string()))?;
        let names: Vec<String> = input.components.iter().map(|part| part.name.clone()).collect();
        value::from_json(&kind, json, &names).map_err(|message| Error::Argument { path, message })
    };
    inputs.iter().zip(given).enumerate().map(convert).collect()
}

#[cfg(test)]
mod tests;
