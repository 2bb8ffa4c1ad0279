//! Compiled artifacts as Hardhat, Foundry, Truffle, Remix and solc write them.

use alloy_json_abi::JsonAbi;
use alloy_primitives::Bytes;
use serde_json::Value;

use crate::{Error, parse_interface};

/// A compiled contract.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// `contractName`, where the artifact says it.
    pub name: Option<String>,
    /// The interface.
    pub abi: JsonAbi,
    code: Option<String>,
}

impl Artifact {
    /// Reads an artifact: an object with `abi` and `bytecode`, or a bare ABI.
    ///
    /// # Errors
    /// [`Error::Artifact`] when it has no valid ABI.
    pub fn from_json(json: &Value) -> Result<Self, Error> {
        if json.is_array() {
            return Ok(Self { name: None, abi: parse_interface(json)?, code: None });
        }
        let abi = json.get("abi").ok_or_else(|| Error::Artifact("the artifact has no `abi`".into()))?;
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        // Hardhat and Truffle: "bytecode": "0x…"; Foundry: "bytecode": {"object": "0x…"};
        // solc: "evm": {"bytecode": {"object": "…"}}; Remix: "data": {"bytecode": {"object": "…"}}.
        let code = text(json.get("bytecode"))
            .or_else(|| text(json.pointer("/bytecode/object")))
            .or_else(|| text(json.pointer("/evm/bytecode/object")))
            .or_else(|| text(json.pointer("/data/bytecode/object")));
        Ok(Self { name: text(json.get("contractName")), abi: parse_interface(abi)?, code })
    }

    /// The creation code.
    ///
    /// # Errors
    /// [`Error::Artifact`] when it is absent, empty, or has libraries that are not linked.
    pub fn bytecode(&self) -> Result<Bytes, Error> {
        let code = self.code.as_deref().map(|code| code.trim_start_matches("0x")).unwrap_or_default();
        if code.is_empty() {
            return Err(Error::Artifact(
                "the artifact has no bytecode: is it an interface or an abstract contract?".into(),
            ));
        }
        if code.contains("__") {
            return Err(Error::Artifact("the bytecode has libraries that are not linked: link them first".into()));
        }
        alloy_primitives::hex::decode(code)
            .map(Bytes::from)
            .map_err(|error| Error::Artifact(format!("the bytecode is not hexadecimal: {error}")))
    }
}
