//! A block's senders and receipts as they are stored: without blooms, which follow from the logs.
//!
//! RLP of `[senders, [[type, status, cumulative gas, [log, …]], …]]`.

use alloy_consensus::{Eip658Value, Receipt, ReceiptEnvelope, ReceiptWithBloom, TxType};
use alloy_primitives::{Address, Log};
use alloy_rlp::{Decodable, RlpDecodable, RlpEncodable};

#[derive(RlpEncodable, RlpDecodable)]
struct Outcomes {
    senders: Vec<Address>,
    receipts: Vec<Outcome>,
}

#[derive(RlpEncodable, RlpDecodable)]
struct Outcome {
    kind: u8,
    status: bool,
    cumulative_gas_used: u64,
    logs: Vec<Log>,
}

pub(crate) fn encode(senders: &[Address], receipts: &[ReceiptEnvelope]) -> Vec<u8> {
    let receipts = receipts.iter().map(|receipt| Outcome {
        kind: receipt.tx_type().into(),
        status: receipt.status(),
        cumulative_gas_used: receipt.cumulative_gas_used(),
        logs: receipt.logs().to_vec(),
    });
    alloy_rlp::encode(Outcomes { senders: senders.to_vec(), receipts: receipts.collect() })
}

pub(crate) fn decode(mut bytes: &[u8]) -> alloy_rlp::Result<(Vec<Address>, Vec<ReceiptEnvelope>)> {
    let outcomes = Outcomes::decode(&mut bytes)?;
    let receipts = outcomes.receipts.into_iter().map(|outcome| {
        let receipt = Receipt {
            status: Eip658Value::Eip658(outcome.status),
            cumulative_gas_used: outcome.cumulative_gas_used,
            logs: outcome.logs,
        };
        let receipt: ReceiptWithBloom<Receipt> = receipt.with_bloom();
        Ok(match TxType::try_from(outcome.kind).map_err(|_| alloy_rlp::Error::Custom("transaction type"))? {
            TxType::Legacy => ReceiptEnvelope::Legacy(receipt),
            TxType::Eip2930 => ReceiptEnvelope::Eip2930(receipt),
            TxType::Eip1559 => ReceiptEnvelope::Eip1559(receipt),
            TxType::Eip4844 => ReceiptEnvelope::Eip4844(receipt),
            TxType::Eip7702 => ReceiptEnvelope::Eip7702(receipt),
        })
    });
    Ok((outcomes.senders, receipts.collect::<alloy_rlp::Result<_>>()?))
}
