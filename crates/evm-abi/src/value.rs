//! JSON values and Solidity values.

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{Address, I256, U256, hex};
use serde_json::Value;

/// Reads a JSON value as a Solidity type. `names` are the components' names of a tuple.
pub fn from_json(kind: &DynSolType, json: &Value, names: &[String]) -> Result<DynSolValue, String> {
    match kind {
        DynSolType::Bool => match json {
            Value::Bool(value) => Ok(DynSolValue::Bool(*value)),
            Value::String(text) if text == "true" || text == "false" => Ok(DynSolValue::Bool(text == "true")),
            _ => Err("true or false is expected".into()),
        },
        DynSolType::Uint(bits) => {
            let value = parse_number::<U256>(json)?;
            if *bits < 256 && value >= U256::from(1) << *bits {
                return Err(format!("{value} is too large for uint{bits}"));
            }
            Ok(DynSolValue::Uint(value, *bits))
        }
        DynSolType::Int(bits) => {
            let value = parse_number::<I256>(json)?;
            let limit = I256::ONE.asl(bits - 1);
            if *bits < 256 && limit.is_some_and(|limit| value >= limit || value < -limit) {
                return Err(format!("{value} does not fit int{bits}"));
            }
            Ok(DynSolValue::Int(value, *bits))
        }
        DynSolType::Address => text(json, "an address")?
            .parse::<Address>()
            .map(DynSolValue::Address)
            .map_err(|_| "an address is expected: 0x and 40 hexadecimal digits".into()),
        DynSolType::FixedBytes(size) => {
            let bytes = bytes(json)?;
            if bytes.len() != *size {
                return Err(format!("bytes{size} needs {size} bytes, {} are given", bytes.len()));
            }
            let mut word = alloy_primitives::B256::ZERO;
            word[..*size].copy_from_slice(&bytes);
            Ok(DynSolValue::FixedBytes(word, *size))
        }
        DynSolType::Bytes => bytes(json).map(DynSolValue::Bytes),
        DynSolType::String => Ok(DynSolValue::String(text(json, "text")?.to_owned())),
        DynSolType::Array(inner) => items(inner, list(json)?, names).map(DynSolValue::Array),
        DynSolType::FixedArray(inner, size) => {
            let list = list(json)?;
            if list.len() != *size {
                return Err(format!("{size} entries are expected, {} are given", list.len()));
            }
            items(inner, list, names).map(DynSolValue::FixedArray)
        }
        DynSolType::Tuple(kinds) => tuple(kinds, json, names).map(DynSolValue::Tuple),
        other => Err(format!("arguments of type {other} cannot be given")),
    }
}

fn items(kind: &DynSolType, list: &[Value], names: &[String]) -> Result<Vec<DynSolValue>, String> {
    let one = |(index, json)| from_json(kind, json, names).map_err(|message| format!("[{index}]: {message}"));
    list.iter().enumerate().map(one).collect()
}

fn tuple(kinds: &[DynSolType], json: &Value, names: &[String]) -> Result<Vec<DynSolValue>, String> {
    if let Value::Object(fields) = json {
        if names.len() != kinds.len() {
            return Err("the interface gives no names here: give a list".into());
        }
        let field = |(kind, name): (&DynSolType, &String)| {
            let json = fields.get(name).ok_or_else(|| format!("`{name}` is missing"))?;
            from_json(kind, json, &[]).map_err(|message| format!("{name}: {message}"))
        };
        return kinds.iter().zip(names).map(field).collect();
    }
    let list = list(json)?;
    if list.len() != kinds.len() {
        return Err(format!("{} entries are expected, {} are given", kinds.len(), list.len()));
    }
    let one = |(index, (kind, json))| from_json(kind, json, &[]).map_err(|message| format!("[{index}]: {message}"));
    kinds.iter().zip(list).enumerate().map(one).collect()
}

fn parse_number<T: std::str::FromStr>(json: &Value) -> Result<T, String> {
    let text = match json {
        // Above 2^53 other programs may already have lost digits; they must send text.
        Value::Number(number) if number.as_f64().is_some_and(|value| value.abs() > 9_007_199_254_740_991.0) => {
            return Err(format!("{number} is too large for a JSON number: give it as text"));
        }
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return Err("a number is expected".into()),
    };
    text.parse().map_err(|_| format!("`{text}` is not a whole number in range"))
}

fn bytes(json: &Value) -> Result<Vec<u8>, String> {
    hex::decode(text(json, "hexadecimal bytes")?).map_err(|_| "bytes are expected: 0x and pairs of digits".into())
}

fn text<'a>(json: &'a Value, what: &str) -> Result<&'a str, String> {
    json.as_str().ok_or_else(|| format!("{what} as text is expected"))
}

fn list(json: &Value) -> Result<&Vec<Value>, String> {
    json.as_array().ok_or_else(|| "a list is expected".into())
}

/// A Solidity value as JSON: numbers as decimal text, bytes and addresses as 0x hex, tuples as lists.
pub fn to_json(value: &DynSolValue) -> Value {
    match value {
        DynSolValue::Bool(value) => Value::Bool(*value),
        DynSolValue::Int(value, _) => Value::String(value.to_string()),
        DynSolValue::Uint(value, _) => Value::String(value.to_string()),
        DynSolValue::FixedBytes(word, size) => Value::String(hex::encode_prefixed(&word[..*size])),
        DynSolValue::Address(address) => Value::String(address.to_checksum(None)),
        DynSolValue::Function(function) => Value::String(hex::encode_prefixed(function.as_slice())),
        DynSolValue::Bytes(bytes) => Value::String(hex::encode_prefixed(bytes)),
        DynSolValue::String(text) => Value::String(text.clone()),
        DynSolValue::Array(list) | DynSolValue::FixedArray(list) | DynSolValue::Tuple(list) => {
            Value::Array(list.iter().map(to_json).collect())
        }
        #[allow(unreachable_patterns, reason = "a feature of the library adds variants")]
        other => Value::String(format!("{other:?}")),
    }
}
