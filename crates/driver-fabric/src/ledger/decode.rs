//! Fabric's blocks and transactions as the platform shows them.

use driver::Interfaces;
use fabric_client::block::{self, CallRecord, CollectionHashes, Content, KeyVersion, Namespace, Party};
use fabric_client::proto::protos::TxValidationCode;
use serde_json::{Value, json};
use types::{BlockSummary, DecodedArgument, DecodedCall, Log, Transaction, TransactionStatus, TransactionSummary};

use crate::ledger::blocks::Read;

/// Bytes for a person: text where they are text, else hexadecimal with `0x`.
pub(crate) fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => text.to_owned(),
        _ => format!("0x{}", hex::encode(bytes)),
    }
}

/// Bytes for a program: JSON where they are JSON, else as [`text`].
pub(crate) fn value(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| Value::String(text(bytes)))
}

/// When a block was made, as far as its transactions tell: Fabric's blocks bear no time.
pub(crate) fn made_at(block: &block::Block) -> types::Micros {
    block.transactions.iter().map(|own| own.timestamp).max().unwrap_or_default()
}

pub(crate) fn block_summary(read: &Read) -> BlockSummary {
    let block = &read.block;
    BlockSummary {
        number: block.number,
        hash: hex::encode(&block.hash),
        parent_hash: hex::encode(&block.previous_hash),
        at: made_at(block),
        transactions: u32::try_from(block.transactions.len()).unwrap_or(u32::MAX),
        gas_used: None,
        gas_limit: None,
        size: Some(read.size as u64),
    }
}

pub(crate) fn block_facts(block: &block::Block) -> Value {
    json!({
        "dataHash": hex::encode(&block.data_hash),
        "signers": block.signers.iter().map(party).collect::<Vec<_>>(),
    })
}

/// Somebody's address: `MSP/common name`.
pub(crate) fn party(party: &Party) -> String {
    format!("{}/{}", party.msp_id, party.common_name)
}

/// The id of an entry: its place where it has none of its own, as configurations do.
pub(crate) fn entry_id(block: &block::Block, index: usize) -> String {
    let own = &block.transactions[index].id;
    if own.is_empty() { format!("{}:{index}", block.number) } else { own.clone() }
}

fn call(content: &Content) -> Option<&CallRecord> {
    match content {
        Content::Calls(calls) => calls.first(),
        _ => None,
    }
}

fn status(validation: Option<TxValidationCode>) -> TransactionStatus {
    match validation {
        Some(TxValidationCode::Valid) => TransactionStatus::Success,
        Some(_) => TransactionStatus::Reverted,
        None => TransactionStatus::Unknown,
    }
}

/// Why a transaction had no effect.
pub(crate) fn failure(validation: Option<TxValidationCode>) -> Option<String> {
    validation.filter(|code| *code != TxValidationCode::Valid).map(|code| code.as_str_name().to_owned())
}

pub(crate) fn summary(block: &block::Block, index: usize) -> TransactionSummary {
    let own = &block.transactions[index];
    let record = call(&own.content);
    TransactionSummary {
        hash: entry_id(block, index),
        block: Some(block.number),
        index: u32::try_from(index).ok(),
        at: Some(made_at(block)),
        from: own.creator.as_ref().map(party).unwrap_or_default(),
        to: record.map(|record| record.chaincode.clone()),
        value: None,
        status: status(own.validation),
        method: match &own.content {
            Content::Calls(_) => record.map(|record| record.function.clone()),
            Content::Config { .. } => Some("config".into()),
            Content::Other { .. } | Content::Unreadable { .. } => None,
        },
    }
}

pub(crate) fn transaction(block: &block::Block, index: usize, interfaces: Interfaces<'_>) -> Transaction {
    let own = &block.transactions[index];
    let record = call(&own.content);
    Transaction {
        summary: summary(block, index),
        nonce: None,
        gas_limit: None,
        gas_used: None,
        contract_address: None,
        input: record.map(input).unwrap_or_else(|| "0x".into()),
        decoded: record.map(|record| decoded(record, interfaces)),
        logs: log(block, index).into_iter().collect(),
        error: match &own.content {
            Content::Unreadable { reason } => Some(reason.clone()),
            _ => failure(own.validation),
        },
        raw: raw(own),
    }
}

/// The function and its arguments, as a JSON list of texts in hexadecimal.
fn input(record: &CallRecord) -> String {
    let words = std::iter::once(record.function.clone()).chain(record.arguments.iter().map(|argument| text(argument)));
    format!("0x{}", hex::encode(json!(words.collect::<Vec<_>>()).to_string()))
}

fn decoded(record: &CallRecord, interfaces: Interfaces<'_>) -> DecodedCall {
    let parameters = interfaces(&record.chaincode).map(|metadata| parameters(&metadata, &record.function));
    let parameters = parameters.unwrap_or_default();
    let argument = |(at, bytes): (usize, &Vec<u8>)| {
        let (name, kind) = parameters.get(at).cloned().unwrap_or_else(|| (String::new(), "string".into()));
        DecodedArgument { name, kind, value: Value::String(text(bytes)) }
    };
    DecodedCall {
        name: record.function.clone(),
        signature: record.function.clone(),
        arguments: record.arguments.iter().enumerate().map(argument).collect(),
    }
}

/// Names and types of a function's parameters by a contract's metadata.
fn parameters(metadata: &Value, function: &str) -> Vec<(String, String)> {
    let (contract, name) = function.split_once(':').map_or((None, function), |(own, name)| (Some(own), name));
    let contracts = metadata.get("contracts").and_then(Value::as_object);
    let fits = |own: &&String| contract.is_none_or(|contract| contract == own.as_str());
    let transactions = contracts.into_iter().flatten().filter(|(own, _)| fits(own));
    let mut transactions = transactions.flat_map(|(_, own)| own["transactions"].as_array().into_iter().flatten());
    let found = transactions.find(|own| own["name"] == name);
    let parameters = found.and_then(|own| own["parameters"].as_array()).into_iter().flatten();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    parameters.map(|own| (word(&own["name"]), word(&own["schema"]["type"]))).collect()
}

/// The event of a transaction that took effect: Fabric gives a transaction one at most.
pub(crate) fn log(block: &block::Block, index: usize) -> Option<Log> {
    let own = &block.transactions[index];
    if own.validation != Some(TxValidationCode::Valid) {
        return None;
    }
    let record = call(&own.content)?;
    let (name, payload) = record.event.as_ref()?;
    let argument = std::str::from_utf8(payload).ok().map(|_| DecodedArgument {
        name: "payload".into(),
        kind: "string".into(),
        value: value(payload),
    });
    Some(Log {
        address: record.chaincode.clone(),
        topics: vec![name.clone()],
        data: format!("0x{}", hex::encode(payload)),
        index: u32::try_from(index).unwrap_or(u32::MAX),
        decoded: argument.map(|argument| DecodedCall {
            name: name.clone(),
            signature: name.clone(),
            arguments: vec![argument],
        }),
    })
}

fn raw(own: &block::Transaction) -> Value {
    let validation = own.validation.map(|code| code.as_str_name());
    let mut all = json!({
        "id": own.id, "channel": own.channel, "timestamp": own.timestamp, "validationCode": validation,
        "creator": own.creator.as_ref().map(|creator| json!({ "msp": creator.msp_id, "subject": creator.subject })),
    });
    let more = match &own.content {
        Content::Calls(calls) => ("calls", calls.iter().map(raw_call).collect()),
        Content::Config { sequence } => ("configuration", json!({ "sequence": sequence })),
        Content::Other { kind } => ("kind", json!(kind)),
        Content::Unreadable { reason } => ("unreadable", json!(reason)),
    };
    all[more.0] = more.1;
    all
}

fn raw_call(record: &CallRecord) -> Value {
    json!({
        "chaincode": record.chaincode,
        "version": record.version,
        "function": record.function,
        "arguments": record.arguments.iter().map(|argument| text(argument)).collect::<Vec<_>>(),
        "initialises": record.is_init,
        "status": record.status,
        "message": record.message,
        "result": text(&record.result),
        "endorsers": record.endorsers.iter().map(party).collect::<Vec<_>>(),
        "namespaces": record.namespaces.iter().map(namespace).collect::<Vec<_>>(),
        "event": record.event.as_ref().map(|(name, payload)| json!({ "name": name, "payload": text(payload) })),
    })
}

fn version(version: Option<KeyVersion>) -> Value {
    version.map_or(Value::Null, |own| json!({ "block": own.block, "transaction": own.transaction }))
}

fn namespace(own: &Namespace) -> Value {
    let reads = own.reads.iter().map(|read| json!({ "key": key(&read.key), "version": version(read.version) }));
    let writes = own.writes.iter().map(|write| match &write.value {
        Some(bytes) => json!({ "key": key(&write.key), "value": text(bytes) }),
        None => json!({ "key": key(&write.key), "deleted": true }),
    });
    json!({
        "name": own.name,
        "reads": reads.collect::<Vec<_>>(),
        "ranges": own.ranges.iter().map(|(start, end)| json!([key(start), key(end)])).collect::<Vec<_>>(),
        "writes": writes.collect::<Vec<_>>(),
        "collections": own.collections.iter().map(collection).collect::<Vec<_>>(),
    })
}

/// A key for a person: composite keys have parts between characters that no person sees.
fn key(key: &str) -> String {
    key.replace(['\0', '\u{10ffff}'], "/")
}

fn collection(own: &CollectionHashes) -> Value {
    let reads = own.reads.iter().map(|(key, read)| json!({ "keyHash": hex::encode(key), "version": version(*read) }));
    let writes = own.writes.iter().map(|(key, value)| {
        json!({ "keyHash": hex::encode(key), "valueHash": value.as_ref().map(hex::encode), "deleted": value.is_none() })
    });
    json!({
        "name": own.name,
        "reads": reads.collect::<Vec<_>>(),
        "writes": writes.collect::<Vec<_>>(),
        "hash": hex::encode(&own.hash),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_as_what_they_are() {
        assert_eq!(value(br#"{"a":1}"#), json!({ "a": 1 }));
        assert_eq!(value(b"tom"), json!("tom"));
        assert_eq!(value(&[0xff, 1]), json!("0xff01"));
        assert_eq!(value(b""), json!(""));
    }

    #[test]
    fn parameters_are_named_by_metadata() {
        let metadata = json!({ "contracts": { "asset": { "transactions": [
            { "name": "Create", "parameters": [{ "name": "id", "schema": { "type": "string" } }] },
        ] } } });
        assert_eq!(parameters(&metadata, "Create"), [("id".to_owned(), "string".to_owned())]);
        assert_eq!(parameters(&metadata, "asset:Create").len(), 1);
        assert!(parameters(&metadata, "other:Create").is_empty());
    }
}
