//! What became of a transaction.

use std::time::Duration;

use alloy_primitives::B256;
use driver::{Error, Outcome, Result};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::Finality;
use crate::ledger::{Abi, EvmLedger, hash};
use crate::rpc::{Answer, parsed, wire};

/// A transaction as some node knows it.
pub(crate) struct Found {
    pub(crate) transaction: wire::Transaction,
    /// The node's own object.
    pub(crate) raw: Value,
    /// With none, it waits.
    pub(crate) receipt: Option<wire::Receipt>,
}

/// Looks for a transaction: first at the node that answers reads, then, since a transaction that waits may be known to
/// one node only and a node may be behind, at all others.
pub(crate) async fn find(ledger: &EvmLedger, id: &B256) -> Result<Option<Found>> {
    let finality = ledger.settings.finality;
    let mut requests = vec![("eth_getTransactionByHash", json!([id])), ("eth_getTransactionReceipt", json!([id]))];
    if finality != Finality::Immediate {
        requests.extend(finality.requests());
    }
    if let Some(found) = read(finality, ledger.client.ask_all(&requests).await?)? {
        return Ok(Some(found));
    }
    let others: Vec<usize> = ledger.client.order().skip(1).collect();
    let asked = others.iter().map(|node| ledger.client.ask_all_of(*node, &requests));
    let mut waiting = None;
    for answers in futures::future::join_all(asked).await.into_iter().flatten() {
        match read(finality, answers) {
            Ok(Some(found)) if found.receipt.is_some() => return Ok(Some(found)),
            Ok(Some(found)) => waiting = Some(found),
            // The node that answers reads does not know it, and this one fails: nothing to add.
            Ok(None) | Err(_) => {}
        }
    }
    Ok(waiting)
}

/// Reads a transaction, its receipt and, where blocks are not final at once, how far they are.
fn read(finality: Finality, answers: Vec<Answer>) -> Result<Option<Found>> {
    let mut answers = answers.into_iter();
    let (Some(raw), Some(receipt)) = (answers.next(), answers.next()) else {
        return Err(Error::Protocol("a request without an answer".into()));
    };
    let raw: Value = parsed("eth_getTransactionByHash", raw)?;
    if raw.is_null() {
        return Ok(None);
    }
    let mut transaction: wire::Transaction = parsed("eth_getTransactionByHash", Ok(raw.clone()))?;
    let mut receipt: Option<wire::Receipt> = parsed("eth_getTransactionReceipt", receipt)?;
    if let Some(included) = &receipt
        && finality != Finality::Immediate
        && included.block_number.to::<u64>() > finality.height(answers)?
    {
        // Its block may still be replaced, and with it what became of the transaction.
        (receipt, transaction.block_number, transaction.transaction_index) = (None, None, None);
    }
    Ok(Some(Found { transaction, raw, receipt }))
}

/// Whether any node that answers has it.
pub(crate) async fn is_known(ledger: &EvmLedger, id: &str) -> Result<bool> {
    Ok(find(ledger, &hash(id)?).await?.is_some())
}

pub(crate) async fn outcome(ledger: &EvmLedger, id: &str) -> Result<Outcome> {
    let Some(found) = find(ledger, &hash(id)?).await? else { return Ok(Outcome::Unknown) };
    let Some(receipt) = found.receipt else { return Ok(Outcome::Pending) };
    let inclusion = receipt.inclusion();
    if receipt.succeeded() {
        return Ok(Outcome::Committed(inclusion));
    }
    let abi = found.transaction.to.and_then(|to| ledger.called.get(&to));
    let reason = failure(ledger, &found.transaction, &receipt, abi.as_ref()).await;
    Ok(Outcome::Invalid { inclusion, reason })
}

pub(crate) async fn wait(ledger: &EvmLedger, id: &str, limit: Duration) -> Result<Outcome> {
    let id_hash = hash(id)?;
    let (start, end) = (Instant::now(), Instant::now() + limit);
    // The receipt alone is cheap to ask for. Now and then all nodes are asked, in case the first one is behind.
    let mut full_look = start + Duration::from_secs(1);
    let at_once = ledger.settings.finality == Finality::Immediate;
    loop {
        let included = match at_once {
            true => {
                let receipt: Result<Option<wire::Receipt>> =
                    ledger.client.get("eth_getTransactionReceipt", json!([id_hash])).await;
                matches!(receipt, Ok(Some(_)))
            }
            // Included is not yet final, and finality is seconds away: the whole look is cheap enough.
            false => true,
        };
        let now = Instant::now();
        if included || now >= full_look || now >= end {
            let known = outcome(ledger, id).await;
            if now >= end || known.as_ref().is_ok_and(|outcome| outcome.inclusion().is_some()) {
                return known;
            }
            full_look = now + Duration::from_secs(1);
        }
        let pause = if at_once && now - start < Duration::from_secs(1) { 10 } else { 50 };
        sleep(Duration::from_millis(pause).min(end.saturating_duration_since(now))).await;
    }
}

/// Why an included transaction failed, as far as the node tells.
pub(crate) async fn failure(
    ledger: &EvmLedger,
    transaction: &wire::Transaction,
    receipt: &wire::Receipt,
    abi: Option<&Abi>,
) -> String {
    let reason = match traced(ledger, transaction, abi).await {
        Some(reason) => Some(reason),
        None => replayed(ledger, transaction, receipt, abi).await,
    };
    reason.unwrap_or_else(|| {
        let all = receipt.gas_used >= transaction.gas;
        if all { "out of gas".into() } else { "the transaction failed; the nodes do not tell why".into() }
    })
}

/// By the node's own trace, where tracing is on.
async fn traced(ledger: &EvmLedger, transaction: &wire::Transaction, abi: Option<&Abi>) -> Option<String> {
    let params = json!([transaction.hash, { "tracer": "callTracer", "tracerConfig": { "onlyTopCall": true } }]);
    let trace: wire::CallTrace = ledger.client.get_if_there("debug_traceTransaction", params).await.ok()??;
    let error = trace.error?;
    if error.contains("revert") {
        Some(evm_abi::decode_revert(abi.map(|abi| &**abi), &trace.output))
    } else {
        Some(error)
    }
}

/// By calling the same on the state before its block. Transactions of the same block before it are left out, so the
/// answer counts only if the call fails.
async fn replayed(
    ledger: &EvmLedger,
    transaction: &wire::Transaction,
    receipt: &wire::Receipt,
    abi: Option<&Abi>,
) -> Option<String> {
    let before = receipt.block_number.to::<u64>().checked_sub(1)?;
    let mut request = json!({
        "from": transaction.from, "data": transaction.input, "value": transaction.value, "gas": transaction.gas,
    });
    if let Some(to) = transaction.to {
        request["to"] = json!(to);
    }
    let error = ledger.client.ask("eth_call", json!([request, format!("{before:#x}")])).await.ok()?.err()?;
    match error.revert_data() {
        Some(data) => Some(evm_abi::decode_revert(abi.map(|abi| &**abi), &data)),
        None if error.is_internal() || error.is_limit() => None,
        None => Some(error.message),
    }
}
