//! Sending transactions and finding out what became of them.

use std::time::Duration;

use alloy_consensus::Transaction as _;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{B256, Bytes, keccak256};
use alloy_rpc_types_eth::{Transaction, TransactionReceipt};
use chain_pool::{Fate, Origin};
use chain_store::Sealed;
use jsonrpsee::{core::RpcResult, proc_macros::rpc};
use serde::Deserialize;
use tokio::time::timeout;

use crate::{api::Api, error, inclusion::Place, shapes};

/// A transaction whose sender's earlier ones are missing gets this long before it is said to be not ready:
/// the earlier ones may be on their way through another connection.
const GAP_GRACE: Duration = Duration::from_millis(250);

/// Milliseconds as a JSON number, as EIP-7966's examples and clients have it, or as a hex quantity.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Milliseconds {
    Number(u64),
    Quantity(alloy_primitives::U64),
    /// Anything else is invalid, and EIP-7966 wants the default then.
    Invalid(serde::de::IgnoredAny),
}

#[rpc(server, namespace = "eth")]
pub(crate) trait Transactions {
    #[method(name = "getTransactionByHash")]
    fn transaction(&self, hash: B256) -> RpcResult<Option<Transaction>>;

    #[method(name = "getRawTransactionByHash")]
    fn raw_transaction(&self, hash: B256) -> RpcResult<Option<Bytes>>;

    #[method(name = "getTransactionReceipt")]
    fn receipt(&self, hash: B256) -> RpcResult<Option<TransactionReceipt>>;

    #[method(name = "sendRawTransaction")]
    async fn send(&self, raw: Bytes) -> RpcResult<B256>;

    #[method(name = "sendRawTransactionSync")]
    async fn send_sync(&self, raw: Bytes, timeout: Option<Milliseconds>) -> RpcResult<TransactionReceipt>;
}

impl Api {
    fn place(&self, hash: &B256) -> RpcResult<Option<Place>> {
        self.chain.transaction(hash).map_err(error::store)
    }

    /// From the chain or the pool. It may go from the pool to the chain between two looks.
    fn find(&self, hash: &B256) -> RpcResult<Option<Transaction>> {
        let sealed = |(sealed, index): Place| shapes::transaction(&sealed, index);
        if let Some(place) = self.place(hash)? {
            return Ok(sealed(place));
        }
        if let Some(waiting) = self.pool.get(hash) {
            return Ok(Some(shapes::pending(&waiting)));
        }
        Ok(self.place(hash)?.and_then(sealed))
    }

    /// Waits for a transaction that was sent, within the time that EIP-7966 allows.
    async fn await_receipt(
        &self,
        hash: B256,
        mut place: tokio::sync::oneshot::Receiver<Place>,
        limit: Duration,
    ) -> RpcResult<TransactionReceipt> {
        let receipt = |sealed: &Sealed, index| {
            shapes::receipt(sealed, index).ok_or_else(|| error::internal(&"a block lacks a receipt"))
        };
        let grace = GAP_GRACE.min(limit);
        for wait in [grace, limit - grace] {
            if let Ok(Ok((sealed, index))) = timeout(wait, &mut place).await {
                return receipt(&sealed, index);
            }
            match self.pool.fate(&hash) {
                Some(Fate::Replaced { by }) => {
                    return Err(error::server(format!("the transaction was replaced by {by}")));
                }
                Some(Fate::Dropped { why }) => {
                    return Err(error::server(format!("the transaction was dropped: {why}")));
                }
                Some(Fate::Included { .. }) | None => {}
            }
            if let Some(waiting) = self.pool.get(&hash)
                && let Some(next) = self.pool.pending_nonce(&waiting.sender)
                && next <= waiting.transaction.nonce()
            {
                return Err(error::sync_not_ready(next, hash));
            }
        }
        match self.place(&hash)? {
            Some((sealed, index)) => receipt(&sealed, index),
            None => Err(error::sync_timeout(limit.as_secs_f64(), hash)),
        }
    }
}

#[jsonrpsee::core::async_trait]
impl TransactionsServer for Api {
    fn transaction(&self, hash: B256) -> RpcResult<Option<Transaction>> {
        self.find(&hash)
    }

    fn raw_transaction(&self, hash: B256) -> RpcResult<Option<Bytes>> {
        Ok(self.find(&hash)?.map(|transaction| transaction.inner.encoded_2718().into()))
    }

    fn receipt(&self, hash: B256) -> RpcResult<Option<TransactionReceipt>> {
        Ok(self.place(&hash)?.and_then(|(sealed, index)| shapes::receipt(&sealed, index)))
    }

    async fn send(&self, raw: Bytes) -> RpcResult<B256> {
        self.pool.submit(raw, Origin::Local).await.map_err(error::refusal)
    }

    async fn send_sync(&self, raw: Bytes, timeout: Option<Milliseconds>) -> RpcResult<TransactionReceipt> {
        let limits = &self.config.limits;
        let asked = match timeout {
            Some(Milliseconds::Number(millis)) => Some(Duration::from_millis(millis)),
            Some(Milliseconds::Quantity(millis)) => Some(Duration::from_millis(millis.to())),
            Some(Milliseconds::Invalid(_)) | None => None,
        };
        let allowed = asked.filter(|asked| !asked.is_zero() && *asked <= limits.sync_timeout_max);
        // Registered first: the block may come before the pool has answered.
        let hash = keccak256(&raw);
        let place = self.inclusion.of(hash);
        let result = match self.pool.submit(raw, Origin::Local).await {
            Ok(hash) => self.await_receipt(hash, place, allowed.unwrap_or(limits.sync_timeout)).await,
            Err(refusal) => {
                drop(place);
                Err(error::refusal(refusal))
            }
        };
        self.inclusion.forget(&hash);
        result
    }
}
