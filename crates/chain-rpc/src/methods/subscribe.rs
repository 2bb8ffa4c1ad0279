//! `eth_subscribe`.
//!
//! Heads and logs are read from the chain by number, so a subscriber that falls behind misses nothing and
//! costs no memory. One whose connection takes nothing for [`PATIENCE`] loses its subscription.

use std::{sync::Arc, time::Duration};

use alloy_rpc_types_eth::{
    Filter,
    pubsub::{Params, SubscriptionKind},
};
use chain_store::Sealed;
use jsonrpsee::{
    core::{RpcResult, SubscriptionResult},
    proc_macros::rpc,
    server::{PendingSubscriptionSink, SubscriptionMessage, SubscriptionSink},
};
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;

use crate::{api::Api, error, log_query::Wanted, shapes};

/// How long a subscriber may take nothing.
const PATIENCE: Duration = Duration::from_secs(10);

#[rpc(server, namespace = "eth")]
pub(crate) trait Subscribe {
    #[subscription(name = "subscribe" => "subscription", unsubscribe = "unsubscribe", item = serde_json::Value)]
    async fn subscribe(&self, kind: SubscriptionKind, params: Option<Params>) -> SubscriptionResult;
}

#[jsonrpsee::core::async_trait]
impl SubscribeServer for Api {
    async fn subscribe(
        &self,
        pending: PendingSubscriptionSink,
        kind: SubscriptionKind,
        params: Option<Params>,
    ) -> SubscriptionResult {
        let wanted = match (kind, params) {
            (SubscriptionKind::Logs, None | Some(Params::None)) => Wanted::new(&Filter::default()),
            (SubscriptionKind::Logs, Some(Params::Logs(filter))) => Wanted::new(&filter),
            (SubscriptionKind::NewHeads, None | Some(Params::None)) => {
                return self.heads(pending).await;
            }
            (SubscriptionKind::NewPendingTransactions, params @ (None | Some(Params::None | Params::Bool(_)))) => {
                return self.pending(pending, matches!(params, Some(Params::Bool(true)))).await;
            }
            (SubscriptionKind::Syncing, None | Some(Params::None)) => {
                return self.sync(pending).await;
            }
            (kind @ SubscriptionKind::TransactionReceipts, _) => {
                pending.reject(error::not_offered(format!("no \"{kind}\" subscription in eth namespace"))).await;
                return Ok(());
            }
            (kind, _) => {
                pending.reject(error::invalid_params(format!("these parameters do not fit \"{kind}\""))).await;
                return Ok(());
            }
        };
        let logs = move |sealed: &Sealed| {
            let receipts = shapes::receipts(sealed).into_iter();
            receipts.flat_map(|receipt| receipt.inner.into_logs()).filter(|log| wanted.matches(log)).collect()
        };
        self.blocks(pending, logs).await
    }
}

impl Api {
    async fn heads(&self, pending: PendingSubscriptionSink) -> SubscriptionResult {
        self.blocks(pending, |sealed| vec![shapes::header(sealed)]).await
    }

    /// Sends what `items` finds in each block that is finalised from now on.
    async fn blocks<T: Serialize>(
        &self,
        pending: PendingSubscriptionSink,
        items: impl Fn(&Sealed) -> Vec<T> + Send,
    ) -> SubscriptionResult {
        let mut news = self.chain.subscribe();
        let mut next = self.chain.head().block.number() + 1;
        let sink = pending.accept().await?;
        loop {
            tokio::select! {
                () = sink.closed() => return Ok(()),
                told = news.recv() => match told {
                    Err(RecvError::Closed) => return Ok(()),
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                },
            }
            while next <= self.chain.head().block.number() {
                let sealed: RpcResult<Option<Arc<Sealed>>> = self.chain.sealed_by_number(next).map_err(error::store);
                let Some(sealed) = sealed? else { break };
                for item in items(&sealed) {
                    send(&sink, &item).await?;
                }
                next += 1;
            }
        }
    }

    async fn pending(&self, pending: PendingSubscriptionSink, full: bool) -> SubscriptionResult {
        let mut news = self.pool.subscribe_pending();
        let sink = pending.accept().await?;
        loop {
            let told = tokio::select! {
                () = sink.closed() => return Ok(()),
                told = news.recv() => told,
            };
            match told {
                Ok(waiting) if full => send(&sink, &shapes::pending(&waiting)).await?,
                Ok(waiting) => send(&sink, &waiting.hash()).await?,
                // A slow subscriber loses the oldest: they are on their way into blocks.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ok(()),
            }
        }
    }

    /// Says whether the node is behind, and again when that changes.
    async fn sync(&self, pending: PendingSubscriptionSink) -> SubscriptionResult {
        let mut news = self.chain.subscribe();
        let sink = pending.accept().await?;
        let mut said = None;
        loop {
            let info = self.sync_info();
            if said != Some(info.is_some()) {
                said = Some(info.is_some());
                match info {
                    Some(info) => send(&sink, &serde_json::json!({ "syncing": true, "status": info })).await?,
                    None => send(&sink, &false).await?,
                }
            }
            tokio::select! {
                () = sink.closed() => return Ok(()),
                told = news.recv() => if matches!(told, Err(RecvError::Closed)) { return Ok(()) },
            }
        }
    }
}

/// # Errors
/// Ends the subscription: the connection is gone or takes nothing.
async fn send(sink: &SubscriptionSink, item: &impl Serialize) -> SubscriptionResult {
    let message = SubscriptionMessage::new(sink.method_name(), sink.subscription_id(), item)?;
    sink.send_timeout(message, PATIENCE).await.map_err(|error| {
        tracing::debug!(%error, "a subscription ended: its client does not take what it asked for");
        error.into()
    })
}
