//! What can be said of a transaction without knowing what else waits.

use std::sync::Arc;

use alloy_consensus::{Transaction, TxEnvelope, Typed2718};
use alloy_eips::eip2718::{Decodable2718, EIP7702_TX_TYPE_ID};
use alloy_primitives::{B256, U256};
use chain_types::Recovered;
use revm::{
    context_interface::cfg::gas::calculate_initial_tx_gas,
    primitives::{eip3860::MAX_INITCODE_SIZE, hardfork::SpecId},
};

use crate::{PoolConfig, PoolState, Refusal};

/// Most gas of one transaction from Osaka on (EIP-7825).
const OSAKA_GAS_CAP: u64 = 1 << 24;

/// A transaction that is sound in itself.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) transaction: Arc<Recovered>,
    pub(crate) hash: B256,
    pub(crate) nonce: u64,
    /// Value and the most that its gas can cost, in wei.
    pub(crate) cost: U256,
    /// What it pays per gas at the chain's base fee, in wei.
    pub(crate) price: u128,
    /// Encoded bytes.
    pub(crate) size: usize,
}

impl Candidate {
    /// Whether this one pays enough more than `old` to take its place.
    pub(crate) fn outbids(&self, old: &Self, percent: u64) -> bool {
        let raised = |new: u128, old: u128| {
            let needed = U256::from(old) * U256::from(100 + percent);
            new > old && U256::from(new) * U256::from(100) >= needed
        };
        let tip = |candidate: &Self| {
            let transaction = &candidate.transaction.transaction;
            transaction.max_priority_fee_per_gas().unwrap_or_else(|| transaction.max_fee_per_gas())
        };
        let fee = |candidate: &Self| candidate.transaction.transaction.max_fee_per_gas();
        raised(fee(self), fee(old)) && raised(tip(self), tip(old))
    }
}

/// Decodes raw bytes; cheap refusals come before the signature is looked at.
pub(crate) fn decode(raw: &[u8], config: &PoolConfig, spec: SpecId) -> Result<TxEnvelope, Refusal> {
    let limit = config.limits.transaction_bytes;
    if raw.len() > limit {
        return Err(Refusal::Oversized { size: raw.len(), limit });
    }
    // A first byte below 0xc0 is a type: those that Ethereum has and this chain does not are named as such.
    match raw.first() {
        None => return Err(Refusal::Undecodable("it is empty".into())),
        Some(3) => return Err(Refusal::TypeNotSupported),
        Some(4) if !spec.is_enabled_in(SpecId::PRAGUE) => return Err(Refusal::TypeNotSupported),
        Some(byte) if (5..0x80).contains(byte) || *byte == 0 => return Err(Refusal::TypeNotSupported),
        Some(_) => {}
    }
    let transaction = TxEnvelope::decode_2718_exact(raw).map_err(|error| Refusal::Undecodable(error.to_string()))?;
    match transaction.chain_id() {
        None => Err(Refusal::Unprotected),
        Some(have) if have != config.chain_id => Err(Refusal::ChainId { have, want: config.chain_id }),
        Some(_) => Ok(transaction),
    }
}

/// Checks a decoded transaction against the rules of the next block and finds its sender.
pub(crate) fn check(
    transaction: TxEnvelope,
    size: usize,
    config: &PoolConfig,
    state: &dyn PoolState,
) -> Result<Candidate, Refusal> {
    let spec = state.spec();
    let gas = transaction.gas_limit();
    let limit = state.block_gas_limit();
    if gas > limit {
        return Err(Refusal::BlockGas { gas, limit });
    }
    if spec.is_enabled_in(SpecId::OSAKA) && gas > OSAKA_GAS_CAP {
        return Err(Refusal::GasCap { gas, cap: OSAKA_GAS_CAP });
    }
    if transaction.is_create() && transaction.input().len() > MAX_INITCODE_SIZE {
        return Err(Refusal::InitCode { size: transaction.input().len(), limit: MAX_INITCODE_SIZE });
    }
    if transaction.nonce() == u64::MAX {
        return Err(Refusal::NonceMax(u64::MAX));
    }
    let fee = transaction.max_fee_per_gas();
    if let Some(tip) = transaction.max_priority_fee_per_gas().filter(|tip| *tip > fee) {
        return Err(Refusal::TipAboveFee { tip, fee });
    }
    let base_fee = state.base_fee();
    if fee < u128::from(base_fee) {
        return Err(Refusal::Underpriced { fee, minimum: base_fee });
    }
    intrinsic_gas(&transaction, spec)?;
    let sender = config.senders.sender(&transaction).ok_or(Refusal::Signature)?;
    let cost = U256::from(fee).saturating_mul(U256::from(gas)).saturating_add(transaction.value());
    Ok(Candidate {
        hash: *transaction.tx_hash(),
        nonce: transaction.nonce(),
        price: transaction.effective_gas_price(Some(base_fee)),
        cost,
        size,
        transaction: Arc::new(Recovered { sender, transaction }),
    })
}

fn intrinsic_gas(transaction: &TxEnvelope, spec: SpecId) -> Result<(), Refusal> {
    let authorizations = transaction.authorization_list().map_or(0, <[_]>::len);
    if transaction.ty() == EIP7702_TX_TYPE_ID && authorizations == 0 {
        return Err(Refusal::SetCode("set code tx must have at least one authorization tuple"));
    }
    let accessed = transaction.access_list();
    let slots: usize = accessed.map_or(0, |list| list.iter().map(|item| item.storage_keys.len()).sum());
    let needed = calculate_initial_tx_gas(
        spec,
        transaction.input(),
        transaction.is_create(),
        accessed.map_or(0, |list| list.len() as u64),
        slots as u64,
        authorizations as u64,
        None,
    );
    let have = transaction.gas_limit();
    let want = needed.initial_total_gas();
    if have < want {
        return Err(Refusal::IntrinsicGas { have, want });
    }
    if have < needed.floor_gas {
        return Err(Refusal::FloorGas { have, want: needed.floor_gas });
    }
    Ok(())
}
