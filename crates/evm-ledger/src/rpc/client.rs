//! Requests to a network: answered by the first of its nodes that can.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use driver::{Error, LedgerNetwork, Result};
use parking_lot::Mutex;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::Endpoint;
use crate::rpc::{Broken, connection::NodeConnection};

/// Longest that one node may take to answer a read before the next is asked.
const ANSWER: Duration = Duration::from_secs(6);
/// Longest that a node may take to answer for itself.
const OWN_ANSWER: Duration = Duration::from_secs(3);

/// The code of a failure inside a node (JSON-RPC 2.0, section 5.1).
const INTERNAL: i64 = -32603;

/// The code of a method that a node does not have (JSON-RPC 2.0, section 5.1).
const MISSING: i64 = -32601;

/// The code of a limit of the node: its pool is full, it has too much to do, the answer would be too long (EIP-1474).
const LIMIT: i64 = -32005;

/// A method and its parameters.
pub type Request = (&'static str, Value);

/// A node's answer to one request.
pub type Answer = std::result::Result<Value, NodeError>;

/// The error object of an answer.
#[derive(Clone, Debug, Deserialize)]
pub struct NodeError {
    /// By JSON-RPC 2.0, section 5.1, EIP-1474, and each node's own choice.
    pub code: i64,
    /// In the node's words.
    pub message: String,
    #[serde(default)]
    data: Option<Value>,
}

impl NodeError {
    #[cfg(test)]
    pub(crate) fn new(code: i64, message: &str) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// Whether the node does not have the method, or does not offer it here.
    pub fn is_missing(&self) -> bool {
        self.code == MISSING
    }

    /// Whether the node failed, which says nothing of the request.
    pub(crate) fn is_internal(&self) -> bool {
        self.code == INTERNAL
    }

    /// Whether it is a limit of the node: later, or for less, it may answer.
    pub(crate) fn is_limit(&self) -> bool {
        self.code == LIMIT || self.message.contains("txpool is full")
    }

    /// Whether a search was over too many blocks or found too much. The nodes have no common code for it.
    pub(crate) fn is_too_much(&self) -> bool {
        let words = ["range", "limit", "too many", "too large", "more than"];
        self.is_limit() || words.iter().any(|word| self.message.contains(word))
    }

    /// Whether a node has the transaction already.
    pub(crate) fn is_repetition(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        message.contains("already known") || message.contains("known transaction")
    }

    /// What a reverted call returned.
    pub(crate) fn revert_data(&self) -> Option<Vec<u8>> {
        let reverted = self.code == 3 || self.message.starts_with("execution reverted");
        let data = self.data.as_ref().and_then(Value::as_str).and_then(|text| alloy_primitives::hex::decode(text).ok());
        reverted.then(|| data.unwrap_or_default())
    }
}

#[derive(Deserialize)]
struct Envelope {
    id: Option<u64>,
    #[serde(default)]
    result: Value,
    error: Option<NodeError>,
}

/// The nodes of a network.
pub(crate) struct Client {
    nodes: Vec<NodeConnection>,
    connector: driver::Connector,
    endpoint: Endpoint,
    /// Index of the node that answered last: asked first, so that what one request has seen the next sees too.
    preferred: AtomicUsize,
    /// Methods that a node has been found not to have.
    missing: Mutex<HashSet<&'static str>>,
}

impl Client {
    pub(crate) fn new(network: &LedgerNetwork, endpoint: &Endpoint) -> Self {
        let node = |id: &String| NodeConnection::new(id.clone(), network.connector.clone(), endpoint.clone());
        Self {
            nodes: network.spec.node_ids().map(node).collect(),
            connector: network.connector.clone(),
            endpoint: endpoint.clone(),
            preferred: AtomicUsize::new(0),
            missing: Mutex::default(),
        }
    }

    /// Ids of the nodes.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|node| node.id.as_str())
    }

    /// Indices of the nodes, the preferred one first.
    pub(crate) fn order(&self) -> impl Iterator<Item = usize> + use<> {
        let (first, count) = (self.preferred.load(Ordering::Relaxed), self.nodes.len());
        (0..count).map(move |step| (first + step) % count)
    }

    /// Asks from now on this node first.
    pub(crate) fn prefer(&self, index: usize) {
        self.preferred.store(index, Ordering::Relaxed);
    }

    /// Whether nodes are known not to have a method. All nodes of a network are taken to be alike: where they are not, the
    /// other way still works with each.
    pub(crate) fn lacks(&self, method: &'static str) -> bool {
        self.missing.lock().contains(method)
    }

    /// One read by a method that older nodes do not have; none when it is missing, which is remembered.
    pub(crate) async fn get_if_there<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<Option<T>> {
        if self.lacks(method) {
            return Ok(None);
        }
        match self.ask(method, params).await? {
            Err(error) if error.is_missing() => {
                self.missing.lock().insert(method);
                Ok(None)
            }
            answer => parsed(method, answer).map(Some),
        }
    }

    /// One request to one node.
    pub(crate) async fn ask_node(&self, index: usize, request: Request) -> std::result::Result<Answer, Broken> {
        Ok(self.ask_all_of(index, std::slice::from_ref(&request)).await?.remove(0))
    }

    /// Requests that one node answers together.
    pub(crate) async fn ask_all_of(
        &self,
        index: usize,
        requests: &[Request],
    ) -> std::result::Result<Vec<Answer>, Broken> {
        exchange(&self.nodes[index], requests, ANSWER).await
    }

    /// Requests to a node by its id; no other is asked.
    pub(crate) async fn ask_own(&self, node: &str, requests: &[Request]) -> Result<Vec<Answer>> {
        let answers = match self.nodes.iter().find(|known| known.id == node) {
            Some(known) => exchange(known, requests, OWN_ANSWER).await,
            // A node that is newer than this client.
            None => {
                let own = NodeConnection::new(node.into(), self.connector.clone(), self.endpoint.clone());
                exchange(&own, requests, OWN_ANSWER).await
            }
        };
        answers.map_err(|broken| Error::Unreachable(format!("{node}: {}", broken.reason)))
    }

    /// Reads that one node answers together.
    pub(crate) async fn ask_all(&self, requests: &[Request]) -> Result<Vec<Answer>> {
        let mut reasons = Vec::new();
        let mut failed = None;
        for index in self.order() {
            match exchange(&self.nodes[index], requests, ANSWER).await {
                Ok(answers) if answers.iter().any(|answer| answer.as_ref().is_err_and(NodeError::is_internal)) => {
                    failed = Some(answers);
                }
                Ok(answers) => {
                    self.prefer(index);
                    return Ok(answers);
                }
                Err(broken) => reasons.push(format!("{}: {}", self.nodes[index].id, broken.reason)),
            }
        }
        match failed {
            Some(answers) => Ok(answers),
            None if reasons.is_empty() => Err(Error::Unreachable("the network has no nodes".into())),
            None => Err(Error::Unreachable(reasons.join("; "))),
        }
    }

    /// One read.
    pub(crate) async fn ask(&self, method: &'static str, params: Value) -> Result<Answer> {
        Ok(self.ask_all(&[(method, params)]).await?.remove(0))
    }

    /// One read whose refusal is a defect.
    pub(crate) async fn get<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> Result<T> {
        parsed(method, self.ask(method, params).await?)
    }
}

/// The answer as a value.
///
/// # Errors
/// A protocol error when it is an error or another kind of value.
pub fn parsed<T: DeserializeOwned>(method: &str, answer: Answer) -> Result<T> {
    let value = answer.map_err(|error| Error::Protocol(format!("{method}: {} ({})", error.message, error.code)))?;
    serde_json::from_value(value).map_err(|error| Error::Protocol(format!("{method}: {error}")))
}

async fn exchange(
    node: &NodeConnection,
    requests: &[Request],
    limit: Duration,
) -> std::result::Result<Vec<Answer>, Broken> {
    let one = |(id, (method, params)): (usize, &Request)| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    let body = match requests {
        [] => return Ok(Vec::new()),
        [request] => one((0, request)),
        several => several.iter().enumerate().map(one).collect(),
    };
    let answer = node.post(body.to_string().into(), limit).await?;
    read(&answer, requests.len()).map_err(|reason| Broken { sent: true, reason })
}

fn read(body: &[u8], count: usize) -> std::result::Result<Vec<Answer>, String> {
    let wrong = |error: serde_json::Error| format!("not a JSON-RPC answer: {error}");
    if body.trim_ascii_start().first() != Some(&b'[') {
        let envelope: Envelope = serde_json::from_slice(body).map_err(wrong)?;
        return match (envelope.error, count) {
            // One error for all of a batch.
            (Some(error), _) => Ok(vec![Err(error); count]),
            (None, 1) => Ok(vec![Ok(envelope.result)]),
            (None, _) => Err("one answer to several requests".into()),
        };
    }
    let envelopes: Vec<Envelope> = serde_json::from_slice(body).map_err(wrong)?;
    let mut answers: Vec<Option<Answer>> = vec![None; count];
    for envelope in envelopes {
        let index = envelope.id.and_then(|id| usize::try_from(id).ok()).filter(|index| *index < count);
        let index = index.ok_or("an answer to no request")?;
        answers[index] = Some(envelope.error.map_or(Ok(envelope.result), Err));
    }
    answers.into_iter().collect::<Option<Vec<Answer>>>().ok_or_else(|| "a request without an answer".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_a_batch_come_in_any_order() {
        let body = br#" [{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"execution reverted","data":"0x0102"}},{"jsonrpc":"2.0","id":0,"result":"0x1"}]"#;
        let answers = read(body, 2).unwrap();
        assert_eq!(answers[0].as_ref().unwrap(), "0x1");
        assert_eq!(answers[1].as_ref().unwrap_err().revert_data(), Some(vec![1, 2]));
        assert!(read(body, 3).is_err(), "an answer is missing");
        assert!(read(body, 1).is_err(), "an answer is too many");
    }

    #[test]
    fn one_error_answers_a_whole_batch() {
        let answers = read(br#"{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"too large"}}"#, 2).unwrap();
        assert!(answers.iter().all(|answer| answer.as_ref().unwrap_err().code == -32005));
        assert!(read(b"<html>", 1).is_err());
    }
}
