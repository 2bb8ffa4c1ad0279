//! Asking contracts.

use driver::{Error, Query, Result, Transient};
use fabric_client::{Call, lifecycle};
use serde_json::Value;
use types::Code;

use crate::ledger::clients::Access;
use crate::ledger::{FabricLedger, decode};

/// Every contract that is written with Fabric's contract libraries has this function; others refuse it, which is an answer
/// too.
pub(crate) const METADATA: &str = "org.hyperledger.fabric:GetMetadata";

/// A call as Fabric takes it: arguments are texts, and what is none is written as JSON.
pub(crate) fn call(channel: &str, contract: &str, function: &str, args: &Value, transient: &Transient) -> Result<Call> {
    let args: Vec<String> = match args {
        Value::Null => Vec::new(),
        Value::Array(args) => {
            args.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect()
        }
        _ => return Err(Error::problem(Code::ContractArguments, "Arguments are a JSON list.")),
    };
    let call = Call::new(channel, contract, function, args);
    Ok(transient.iter().fold(call, |call, (name, value)| call.with_transient(name, value.as_bytes())))
}

pub(crate) async fn query(ledger: &FabricLedger, query: &Query) -> Result<Value> {
    let asking = match &query.from {
        None => None,
        Some(from) => Some(ledger.member_of(from).ok_or_else(|| {
            Error::problem(Code::RequestInvalid, format!("`{from}` is no account of the network's members."))
        })?),
    };
    let contract = ledger.contract_name(&query.contract);
    let call = call(&ledger.channel, contract, &query.function, &query.args, &query.transient)?;
    match evaluate(ledger, asking, &call).await {
        Ok(answer) => Ok(decode::value(&answer)),
        Err(failure) => Err(or_missing(ledger, contract, failure).await),
    }
}

/// Peers say of a contract that the channel does not have only that nobody runs it.
pub(crate) async fn or_missing(ledger: &FabricLedger, contract: &str, failure: Error) -> Error {
    if failure.code() != Code::Unavailable {
        return failure;
    }
    let asked = |access: Access| async move {
        lifecycle::committed(access.clients.gateway.peer(), &access.identity, &access.channel, contract).await
    };
    match ledger.clients.ask(&ledger.channel, None, asked).await {
        Ok(None) => {
            let detail = format!("Channel {} has no contract `{contract}`.", ledger.channel);
            Error::problem(Code::NotFound, detail)
        }
        _ => failure,
    }
}

/// Evaluates by a member's user, at its peers first; without a member, by that of whichever peer answers.
async fn evaluate(ledger: &FabricLedger, member: Option<&str>, call: &Call) -> Result<Vec<u8>> {
    let own = match member {
        Some(member) => Some(ledger.clients.user(member).await?),
        None => None,
    };
    let evaluate = |access: Access| {
        let identity = own.clone().unwrap_or(access.identity);
        async move { access.clients.gateway.evaluate(&identity, call, &[]).await }
    };
    ledger.clients.ask(&ledger.channel, member, evaluate).await
}

pub(crate) async fn metadata(ledger: &FabricLedger, contract: &str) -> Result<Option<Value>> {
    let call = call(&ledger.channel, ledger.contract_name(contract), METADATA, &Value::Null, &Transient::new())?;
    match evaluate(ledger, None, &call).await {
        Ok(answer) => {
            let metadata: Option<Value> = serde_json::from_slice(&answer).ok();
            Ok(metadata.filter(|metadata| metadata.get("contracts").is_some()))
        }
        // A contract that is written without those libraries does not know the function.
        Err(refused) if refused.code() == Code::ContractReverted => Ok(None),
        Err(failure) => Err(failure),
    }
}
