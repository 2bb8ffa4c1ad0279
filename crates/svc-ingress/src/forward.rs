//! Handing calls to a node: one that runs, of the application's own member if there is one, and the next when it does not
//! answer. The order stays the same while nothing changes, so that what one call has seen the next sees too, and filters
//! that a node keeps are found again.

use alloy_primitives::{hex, keccak256};
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use control::RpcNode;
use serde::Deserialize;
use serde_json::value::RawValue;
use types::Code;

use crate::call::Call;
use crate::refusal::{Refusal, json};
use crate::{Ingress, Visit, rules, whole};

/// A node's answer.
pub(crate) struct Forwarded {
    /// The answer.
    pub body: Body,
    /// The node.
    pub node: RpcNode,
    /// Whether another node may have got the call before.
    pub again: bool,
}

impl Ingress {
    /// The network's nodes in the order in which they are asked.
    pub(crate) async fn order(&self, visit: &Visit) -> Result<Vec<RpcNode>, Refusal> {
        let mut nodes = self.0.control.rpc_nodes(&visit.network).await?.to_vec();
        let own = &visit.admission.application.organisation;
        nodes.sort_by_key(|node| (!node.runs || self.0.nodes.rests(&node.id), node.organisation != *own));
        Ok(nodes)
    }

    /// Hands a body to the first node that answers; to a second one only what did not reach the first or may be repeated.
    pub(crate) async fn forward(&self, visit: &Visit, body: Bytes, repeatable: bool) -> Result<Forwarded, Refusal> {
        let mut again = false;
        let mut reasons = Vec::new();
        for node in self.order(visit).await? {
            match self.0.nodes.post(&node.id, body.clone()).await {
                Ok(response) => return Ok(Forwarded { body: Body::new(response.into_body()), node, again }),
                Err(broken) => {
                    reasons.push(format!("{}: {}", node.id, broken.reason));
                    again |= broken.sent;
                    if broken.sent && !repeatable {
                        let message = "A node got the transaction and did not answer: what became of it is not known. Ask for its receipt before sending it again.";
                        return Err(Refusal::new(Code::TransactionUnknown, message).because(&reasons.join("; ")));
                    }
                }
            }
        }
        let message = "No node of the network answers now. Try again in a moment.";
        Err(Refusal::new(Code::NodeUnreachable, message).because(&reasons.join("; ")))
    }

    /// One call; a long answer is passed on while it comes.
    pub(crate) async fn forward_one(&self, visit: &Visit, call: &Call<'_>, body: Bytes) -> Result<Response, Refusal> {
        let forwarded = self.forward(visit, body, rules::repeatable(call.method())).await?;
        if forwarded.again && call.method() == rules::SEND {
            return self.sent_again(call, forwarded).await;
        }
        let mut response = Response::new(forwarded.body);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(response)
    }

    /// The answer to a transaction that a node before this one may have got: that the network knows it, or that its nonce is
    /// used, then means that it was taken.
    async fn sent_again(&self, call: &Call<'_>, forwarded: Forwarded) -> Result<Response, Refusal> {
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(default, borrow)]
            result: Option<&'a RawValue>,
        }
        let node = forwarded.node.id.clone();
        let answer = whole(forwarded.body).await?;
        let result =
            |bytes: &[u8]| serde_json::from_slice::<Answer<'_>>(bytes).is_ok_and(|answer| answer.result.is_some());
        let raw: Option<(String,)> = call.params.and_then(|params| serde_json::from_str(params.get()).ok());
        let raw = raw.and_then(|(raw,)| hex::decode(raw).ok());
        if let (false, Some(raw)) = (result(&answer), raw) {
            let hash = keccak256(raw);
            let question =
                format!(r#"{{"jsonrpc":"2.0","id":1,"method":"eth_getTransactionByHash","params":["{hash}"]}}"#);
            if let Ok(response) = self.0.nodes.post(&node, question.into()).await
                && result(&whole(Body::new(response.into_body())).await?)
            {
                return Ok(json(call.result(&format!("\"{hash}\""))));
            }
        }
        Ok(json(String::from_utf8_lossy(&answer).into_owned()))
    }
}
