//! Batches of calls.
//!
//! Calls are answered one after another, as clients expect who ask for what an earlier call of the batch has changed.
//! Only transactions that follow each other are sent at once: each waits for the journal's next write to the disk, and
//! a hundred of them in a row would wait a hundred times. They reach the pool in the batch's order.

use futures::{StreamExt as _, stream::FuturesOrdered};
use jsonrpsee::server::{
    BatchResponseBuilder, MethodResponse,
    middleware::rpc::{Batch, BatchEntry, Notification, Request, RpcService, RpcServiceT},
};
use tower::Layer;

/// Answers batches with [`Batches`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLayer {
    /// Bytes of an answer.
    pub(crate) response_bytes: usize,
}

impl Layer<RpcService> for BatchLayer {
    type Service = Batches;

    fn layer(&self, service: RpcService) -> Batches {
        Batches { service, response_bytes: self.response_bytes }
    }
}

/// A connection's calls.
#[derive(Clone)]
pub(crate) struct Batches {
    service: RpcService,
    response_bytes: usize,
}

fn sends(method: &str) -> bool {
    matches!(method, "eth_sendRawTransaction" | "eth_sendRawTransactionSync")
}

impl Batches {
    /// Answers calls at once, in their order.
    async fn at_once(
        &self,
        calls: &mut Vec<Request<'_>>,
        answers: &mut BatchResponseBuilder,
    ) -> Result<(), MethodResponse> {
        let mut done = FuturesOrdered::new();
        for call in calls.drain(..) {
            done.push_back(self.service.call(call));
        }
        while let Some(answer) = done.next().await {
            answers.append(answer)?;
        }
        Ok(())
    }

    async fn answer(self, batch: Batch<'_>) -> Result<MethodResponse, MethodResponse> {
        let mut answers = BatchResponseBuilder::new_with_limit(self.response_bytes);
        let (mut sending, mut notified) = (Vec::new(), false);
        for entry in batch {
            match entry {
                Ok(BatchEntry::Call(call)) if sends(&call.method) => sending.push(call),
                Ok(BatchEntry::Call(call)) => {
                    self.at_once(&mut sending, &mut answers).await?;
                    answers.append(self.service.call(call).await)?;
                }
                Ok(BatchEntry::Notification(notification)) => {
                    notified = true;
                    self.service.notification(notification).await;
                }
                Err(malformed) => {
                    self.at_once(&mut sending, &mut answers).await?;
                    let (error, id) = malformed.into_parts();
                    answers.append(MethodResponse::error(id, error))?;
                }
            }
        }
        self.at_once(&mut sending, &mut answers).await?;
        // A batch without a call is answered with nothing, an empty one with an error.
        Ok(match answers.is_empty() && notified {
            true => MethodResponse::notification(),
            false => MethodResponse::from_batch(answers.finish()),
        })
    }
}

impl RpcServiceT for Batches {
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.service.call(request)
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let answering = self.clone().answer(batch);
        async move { answering.await.unwrap_or_else(|too_long| too_long) }
    }

    fn notification<'a>(&self, notification: Notification<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.service.notification(notification)
    }
}
