//! The price of gas. The base fee never changes, and nothing has to be paid beyond it.

use std::sync::Arc;

use alloy_consensus::{BlockHeader, Transaction};
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{U64, U128};
use alloy_rpc_types_eth::FeeHistory;
use chain_store::Sealed;
use jsonrpsee::{core::RpcResult, proc_macros::rpc};

use crate::{
    api::{Api, Node},
    error,
    heavy::Deadline,
};

/// Blocks and percentiles of one `eth_feeHistory`, as geth has it.
const MOST_BLOCKS: u64 = 1024;
const MOST_PERCENTILES: usize = 100;

#[rpc(server, namespace = "eth")]
pub(crate) trait Fees {
    #[method(name = "gasPrice")]
    fn gas_price(&self) -> RpcResult<U128>;

    #[method(name = "maxPriorityFeePerGas")]
    fn max_priority_fee_per_gas(&self) -> RpcResult<U128>;

    #[method(name = "feeHistory")]
    async fn fee_history(
        &self,
        count: U64,
        newest: BlockNumberOrTag,
        percentiles: Option<Vec<f64>>,
    ) -> RpcResult<FeeHistory>;
}

#[jsonrpsee::core::async_trait]
impl FeesServer for Api {
    fn gas_price(&self) -> RpcResult<U128> {
        Ok(U128::from(self.executor.base_fee()))
    }

    fn max_priority_fee_per_gas(&self) -> RpcResult<U128> {
        Ok(U128::ZERO)
    }

    async fn fee_history(
        &self,
        count: U64,
        newest: BlockNumberOrTag,
        percentiles: Option<Vec<f64>>,
    ) -> RpcResult<FeeHistory> {
        let percentiles = percentiles.unwrap_or_default();
        if percentiles.len() > MOST_PERCENTILES {
            return Err(error::invalid_params(format!("over the query limit {MOST_PERCENTILES}")));
        }
        let in_order = percentiles.windows(2).all(|pair| pair[0] <= pair[1]);
        if !in_order || percentiles.iter().any(|percentile| !(0.0..=100.0).contains(percentile)) {
            return Err(error::invalid_params("invalid reward percentiles: 0 to 100 in rising order are expected"));
        }
        let node = self.0.clone();
        self.heavy.run(move || history(&node, count.to(), newest, &percentiles)).await
    }
}

fn history(node: &Arc<Node>, count: u64, newest: BlockNumberOrTag, percentiles: &[f64]) -> RpcResult<FeeHistory> {
    let newest = node.number(newest);
    let head = node.chain.head().block.number();
    if newest > head {
        return Err(error::server(format!("request beyond head block: requested {newest}, head {head}")));
    }
    let count = count.min(MOST_BLOCKS).min(newest + 1);
    if count == 0 {
        return Ok(FeeHistory::default());
    }
    let oldest = newest + 1 - count;
    let deadline = Deadline::after(node.config.limits.call_time);
    let mut answer = FeeHistory { oldest_block: oldest, ..FeeHistory::default() };
    let mut rewards = Vec::new();
    for number in oldest..=newest {
        deadline.check()?;
        let sealed = node.chain.sealed_by_number(number).map_err(error::store)?;
        let sealed = sealed.ok_or_else(error::header_not_found)?;
        let header = sealed.block.header();
        answer.base_fee_per_gas.push(header.base_fee_per_gas().unwrap_or_default().into());
        answer.gas_used_ratio.push(header.gas_used as f64 / header.gas_limit as f64);
        answer.base_fee_per_blob_gas.push(1);
        answer.blob_gas_used_ratio.push(0.0);
        if !percentiles.is_empty() {
            rewards.push(paid(&sealed, percentiles));
        }
    }
    // The block after the newest.
    answer.base_fee_per_gas.push(node.executor.base_fee().into());
    answer.base_fee_per_blob_gas.push(1);
    answer.reward = (!percentiles.is_empty()).then_some(rewards);
    Ok(answer)
}

/// Priority fees at percentiles of the gas that a block used.
fn paid(sealed: &Sealed, percentiles: &[f64]) -> Vec<u128> {
    let header = sealed.block.header();
    let base_fee = header.base_fee_per_gas().unwrap_or_default();
    let mut before = 0;
    let mut tips: Vec<(u128, u64)> = sealed
        .block
        .transactions()
        .iter()
        .zip(&sealed.receipts)
        .map(|(transaction, receipt)| {
            let gas = receipt.cumulative_gas_used() - before;
            before = receipt.cumulative_gas_used();
            (transaction.effective_tip_per_gas(base_fee).unwrap_or_default(), gas)
        })
        .collect();
    tips.sort_unstable();
    percentiles
        .iter()
        .map(|percentile| {
            let threshold = header.gas_used as f64 * percentile / 100.0;
            let mut sum = 0;
            let reached = tips.iter().find(|(_, gas)| {
                sum += gas;
                sum as f64 >= threshold
            });
            reached.or(tips.last()).map_or(0, |(tip, _)| *tip)
        })
        .collect()
}
