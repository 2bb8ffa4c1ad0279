//! From a JSON-RPC request to a transaction that the machine runs, with geth's rules for what is left out.

use alloy_evm::EvmEnv;
use alloy_primitives::{Address, TxKind, U256};
use alloy_rpc_types_eth::TransactionRequest;
use revm::{Database, context::TxEnv, context_interface::either::Either};

use crate::{CallError, Executor, Refusal, database::Overlay, session::database_failed};

/// A request whose fields agree with each other and with the chain.
pub(crate) struct Checked {
    pub(crate) tx: TxEnv,
    /// The gas limit that the request names.
    pub(crate) gas: Option<u64>,
}

/// Checks a request. Its nonce defaults to the sender's next one in `state`, its gas limit to `gas`,
/// which is also the most that it gets. A base fee of zero takes the block's place in `env` when the
/// request pays nothing, so that it need not pay the base fee either.
pub(crate) fn check(
    executor: &Executor,
    request: TransactionRequest,
    state: &mut Overlay<'_>,
    env: &mut EvmEnv,
    gas: u64,
) -> Result<Checked, CallError> {
    if request.has_eip4844_fields() {
        return Err(CallError::InvalidParams("blob transactions are not supported on this chain".into()));
    }
    if let Some(id) = request.chain_id.filter(|id| *id != executor.chain_id()) {
        let own = executor.chain_id();
        return Err(CallError::InvalidParams(format!("chainId does not match node's (have={id}, want={own})")));
    }
    let data = request.input.clone().try_into_unique_input().map_err(|_| {
        CallError::InvalidParams(
            "both \"data\" and \"input\" are set and not equal. Please use \"input\" to pass transaction call data"
                .into(),
        )
    })?;
    let from = request.from.unwrap_or_default();
    let (price, tip) = fees(&request, from, env)?;
    let nonce = match request.nonce {
        Some(nonce) => nonce,
        None => state.basic(from).map_err(database_failed)?.map_or(0, |account| account.nonce),
    };
    let access_list = request.access_list.unwrap_or_default();
    let authorizations = request.authorization_list.unwrap_or_default();
    let tx_type = match (authorizations.is_empty(), tip.is_some(), access_list.is_empty()) {
        (false, _, _) => 4,
        (true, true, _) => 2,
        (true, false, false) => 1,
        (true, false, true) => 0,
    };
    let tx = TxEnv {
        tx_type,
        caller: from,
        gas_limit: request.gas.unwrap_or(gas).min(gas),
        gas_price: price,
        gas_priority_fee: tip,
        kind: request.to.unwrap_or(TxKind::Create),
        value: request.value.unwrap_or_default(),
        data: data.unwrap_or_default(),
        nonce,
        chain_id: Some(executor.chain_id()),
        access_list,
        authorization_list: authorizations.into_iter().map(Either::Left).collect(),
        ..TxEnv::default()
    };
    if price == 0 {
        env.block_env.basefee = 0;
    }
    Ok(Checked { tx, gas: request.gas })
}

/// Most per gas, and the priority fee when the request has EIP-1559's fields.
fn fees(request: &TransactionRequest, from: Address, env: &EvmEnv) -> Result<(u128, Option<u128>), CallError> {
    if request.has_eip1559_fields() && request.gas_price.is_some() {
        return Err(CallError::InvalidParams(
            "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified".into(),
        ));
    }
    let (cap, tip) = match request.gas_price {
        Some(price) => (price, None),
        None if request.has_eip1559_fields() => {
            (request.max_fee_per_gas.unwrap_or(0), Some(request.max_priority_fee_per_gas.unwrap_or(0)))
        }
        None => return Ok((0, None)),
    };
    if tip.is_some_and(|tip| tip > cap) {
        return Err(CallError::refused(format!(
            "max priority fee per gas higher than max fee per gas: address {from}, maxPriorityFeePerGas: {}, maxFeePerGas: {cap}",
            tip.unwrap_or_default()
        )));
    }
    let base_fee = env.block_env.basefee;
    if cap > 0 && cap < u128::from(base_fee) {
        let message = format!(
            "max fee per gas less than block base fee: address {from}, maxFeePerGas: {cap}, baseFee: {base_fee}"
        );
        return Err(CallError::Refused { reason: Refusal::FeeTooLow, message });
    }
    Ok((cap, tip))
}

/// How much gas the sender can pay for, its value taken off; `None` when gas costs nothing.
pub(crate) fn allowance(tx: &TxEnv, state: &mut Overlay<'_>) -> Result<Option<u64>, CallError> {
    if tx.gas_price == 0 {
        return Ok(None);
    }
    let balance = state.basic(tx.caller).map_err(database_failed)?.map_or(U256::ZERO, |account| account.balance);
    let Some(available) = balance.checked_sub(tx.value) else {
        return Err(CallError::Refused { reason: Refusal::Funds, message: "insufficient funds for transfer".into() });
    };
    Ok(Some((available / U256::from(tx.gas_price)).saturating_to()))
}
