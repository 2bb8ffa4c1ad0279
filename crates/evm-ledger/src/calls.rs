//! Encoding calls and asking what they would do.

use std::sync::Arc;

use alloy_consensus::{SignableTransaction, TxEip1559, TxLegacy};
use alloy_primitives::{Address, Bytes, Signature, TxKind, U64, U256, hex};
use driver::{Action, Call, Error, Query, Result};
use serde_json::{Value, json};
use types::{Code, TransactionDraft, TransactionTerms};

use crate::Fees;
use crate::fees::Price;
use crate::ledger::{Abi, EvmLedger, account, busy};
use crate::rpc::{NodeError, Request, parsed, wire};
use crate::send::Prepared;

/// What a transaction does, encoded.
struct Encoded {
    to: Option<Address>,
    data: Bytes,
    value: U256,
    abi: Option<Abi>,
}

impl Encoded {
    fn request(&self, from: Option<Address>) -> Value {
        let mut request = json!({ "data": self.data, "value": self.value });
        if let Some(from) = from {
            request["from"] = json!(from);
        }
        if let Some(to) = self.to {
            request["to"] = json!(to);
        }
        request
    }
}

pub(crate) async fn nonce(ledger: &EvmLedger, address: &str) -> Result<Option<u64>> {
    let (method, params) = next_nonce(account(address)?);
    Ok(Some(ledger.client.get::<U64>(method, params).await?.to()))
}

pub(crate) async fn terms(ledger: &EvmLedger, draft: &TransactionDraft) -> Result<TransactionTerms> {
    let from = account(&draft.from)?;
    let encoded = Encoded {
        to: draft.to.as_deref().map(account).transpose()?,
        data: data(draft.data.as_deref())?,
        value: value(draft.value.as_deref())?,
        abi: None,
    };
    let settled = settle(ledger, from, &encoded, None, None).await?;
    Ok(TransactionTerms {
        chain_id: ledger.chain_id,
        nonce: settled.nonce,
        gas: settled.gas,
        gas_price: settled.price.most().to_string(),
    })
}

pub(crate) async fn prepare(ledger: &EvmLedger, call: &Call) -> Result<Prepared> {
    let from = account(&call.from)?;
    let encoded = encode(call)?;
    if let (Some(to), Some(abi)) = (encoded.to, &encoded.abi) {
        ledger.called.remember(to, abi);
    }
    let settled = settle(ledger, from, &encoded, call.nonce, call.gas).await?;
    let (unsigned, digest) = unsigned(ledger.chain_id, &encoded, &settled);
    Ok(Prepared { unsigned, digest, from: from.to_string() })
}

/// The transaction as it is signed, and its digest.
fn unsigned(chain_id: u64, encoded: &Encoded, settled: &Settled) -> (Vec<u8>, [u8; 32]) {
    fn both(transaction: &impl SignableTransaction<Signature>) -> (Vec<u8>, [u8; 32]) {
        (transaction.encoded_for_signing(), transaction.signature_hash().0)
    }
    let (nonce, gas_limit) = (settled.nonce, settled.gas);
    let to = encoded.to.map_or(TxKind::Create, TxKind::Call);
    let (value, input) = (encoded.value, encoded.data.clone());
    match settled.price {
        Price::Legacy(gas_price) => {
            both(&TxLegacy { chain_id: Some(chain_id), nonce, gas_price, gas_limit, to, value, input })
        }
        Price::Dynamic { most, tip } => both(&TxEip1559 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas: most,
            max_priority_fee_per_gas: tip,
            to,
            value,
            access_list: Default::default(),
            input,
        }),
    }
}

pub(crate) async fn query(ledger: &EvmLedger, query: &Query) -> Result<Value> {
    let abi = Arc::new(evm_abi::parse_interface(&query.interface).map_err(abi_problem)?);
    let function = evm_abi::find_function(&abi, &query.function, count(&query.args)).map_err(abi_problem)?;
    let encoded = Encoded {
        to: Some(account(&query.contract)?),
        data: evm_abi::encode_call(function, Some(&query.args)).map_err(abi_problem)?,
        value: value(query.value.as_deref())?,
        abi: Some(abi.clone()),
    };
    let from = query.from.as_deref().map(account).transpose()?;
    let answer = ledger.client.ask("eth_call", json!([encoded.request(from), "latest"])).await?;
    let output = answer.map_err(|error| refused_call(&error, Some(&abi), Code::ContractReverted))?;
    let output: Bytes = parsed("eth_call", Ok(output))?;
    if output.is_empty() && !function.outputs.is_empty() {
        let detail = format!("There is no contract at {} that answers `{}`.", query.contract, function.signature());
        return Err(Error::problem(Code::NotFound, detail));
    }
    evm_abi::decode_output(function, &output).map_err(abi_problem)
}

/// Nonce, gas limit and price of a transaction.
struct Settled {
    nonce: u64,
    gas: u64,
    price: Price,
}

/// Asks for what is not given, in one request.
async fn settle(
    ledger: &EvmLedger,
    from: Address,
    encoded: &Encoded,
    nonce: Option<u64>,
    gas: Option<u64>,
) -> Result<Settled> {
    let price = ledger.price.get().copied();
    let mut requests: Vec<Request> = Vec::new();
    if nonce.is_none() {
        requests.push(next_nonce(from));
    }
    if gas.is_none() {
        requests.push(("eth_estimateGas", json!([encoded.request(Some(from))])));
    }
    if price.is_none() {
        requests.extend(Price::requests());
    }
    let mut answers =
        if requests.is_empty() { Vec::new() } else { ledger.client.ask_all(&requests).await? }.into_iter();
    let mut next = || answers.next().ok_or_else(|| Error::Protocol("a request without an answer".into()));

    let nonce = match nonce {
        Some(nonce) => nonce,
        None => parsed::<U64>("eth_getTransactionCount", next()?)?.to(),
    };
    let gas = match gas {
        Some(gas) => gas,
        None => {
            let estimate = next()?.map_err(|error| {
                let poor = crate::send::too_poor(&error, &from.to_string());
                poor.unwrap_or_else(|| refused_call(&error, encoded.abi.as_ref(), Code::TransactionRefused))
            })?;
            let estimate: U64 = parsed("eth_estimateGas", Ok(estimate))?;
            with_margin(ledger, estimate.to()).await?
        }
    };
    let price = match price {
        Some(price) => price,
        None => {
            let price = Price::read(next()?, next()?, ledger.settings.fees == Fees::Market)?;
            match ledger.settings.fees {
                Fees::Fixed => *ledger.price.get_or_init(|| price),
                Fees::Market => price,
            }
        }
    };
    Ok(Settled { nonce, gas, price })
}

/// A quarter more than was estimated, as the state may have changed when the transaction runs; not above what a block
/// takes.
async fn with_margin(ledger: &EvmLedger, estimate: u64) -> Result<u64> {
    /// The smallest gas limit that blocks of a planned chain can have.
    const ANY_BLOCK: u64 = 1_000_000;
    let gas = estimate.saturating_add(estimate / 4);
    // What only moves value needs exactly this much.
    if estimate == 21_000 {
        return Ok(estimate);
    }
    if gas <= ANY_BLOCK {
        return Ok(gas);
    }
    let head: wire::Block = ledger.client.get("eth_getBlockByNumber", json!(["latest", false])).await?;
    Ok(gas.min(head.header.gas_limit.to()).max(estimate))
}

fn next_nonce(from: Address) -> Request {
    ("eth_getTransactionCount", json!([from, "pending"]))
}

fn encode(call: &Call) -> Result<Encoded> {
    let value = value(call.value.as_deref())?;
    match &call.action {
        Action::Deploy { artifact, args } => {
            let artifact = evm_abi::Artifact::from_json(artifact).map_err(abi_problem)?;
            let data = evm_abi::encode_deployment(&artifact, Some(args)).map_err(abi_problem)?;
            Ok(Encoded { to: None, data, value, abi: Some(Arc::new(artifact.abi)) })
        }
        Action::Send { contract, interface, function, args } => {
            let abi = Arc::new(evm_abi::parse_interface(interface).map_err(abi_problem)?);
            let function = evm_abi::find_function(&abi, function, count(args)).map_err(abi_problem)?;
            let data = evm_abi::encode_call(function, Some(args)).map_err(abi_problem)?;
            Ok(Encoded { to: Some(account(contract)?), data, value, abi: Some(abi) })
        }
        Action::Raw { to, data: bytes } => {
            let to = to.as_deref().map(account).transpose()?;
            Ok(Encoded { to, data: data(bytes.as_deref())?, value, abi: None })
        }
    }
}

fn count(args: &Value) -> usize {
    args.as_array().map_or(0, Vec::len)
}

fn data(text: Option<&str>) -> Result<Bytes> {
    let text = text.unwrap_or_default();
    let decoded = hex::decode(text).map(Bytes::from);
    decoded.map_err(|error| Error::problem(Code::RequestInvalid, format!("The data is not hexadecimal: {error}.")))
}

fn value(text: Option<&str>) -> Result<U256> {
    let Some(text) = text else { return Ok(U256::ZERO) };
    let wrong = || {
        Error::problem(
            Code::RequestInvalid,
            format!("`{text}` is not an amount: a whole number in the smallest unit is expected."),
        )
    };
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    text.parse().map_err(|_| wrong())
}

/// What is wrong with an artifact, an interface or arguments.
pub(crate) fn abi_problem(error: evm_abi::Error) -> Error {
    let code = match &error {
        evm_abi::Error::Artifact(_) => Code::ContractArtifact,
        evm_abi::Error::Function(_) | evm_abi::Error::Answer(_) => Code::ContractFunction,
        evm_abi::Error::Argument { .. } | evm_abi::Error::Count { .. } => Code::ContractArguments,
    };
    Error::problem(code, sentence(&error.to_string()))
}

/// Why a call or an estimate has no result. `otherwise` is the code where nothing was reverted.
fn refused_call(error: &NodeError, abi: Option<&Abi>, otherwise: Code) -> Error {
    if let Some(data) = error.revert_data() {
        let reason = evm_abi::decode_revert(abi.map(|abi| &**abi), &data);
        return Error::problem(Code::ContractReverted, format!("The contract refused the call: {reason}."));
    }
    if error.is_internal() {
        return Error::Protocol(error.message.clone());
    }
    if error.is_limit() {
        return busy(&error.message);
    }
    Error::problem(otherwise, format!("The ledger refused the call: {}.", error.message))
}

/// An error's words as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}
