//! What a node says of itself.

use alloy_primitives::B256;
use driver::{Error, NodeHealth, Result};
use evm_ledger::{Health, NodeClient, parsed};
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

/// Fields of the status that stand in the health's own.
const OWN_FIELDS: [&str; 6] = ["height", "headHash", "headTime", "stateRoot", "haltedReason", "peers"];

/// By `polder_status`, which tells all at once.
pub(crate) struct StatusHealth;

impl Health for StatusHealth {
    fn health<'a>(&'a self, node: NodeClient<'a>) -> BoxFuture<'a, Result<NodeHealth>> {
        Box::pin(health(node))
    }
}

/// Answer of `polder_status`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    public_key: String,
    leader: Option<String>,
    peers: Vec<Peer>,
    validators: Vec<String>,
    halted_reason: Option<String>,
    chain_id: u64,
    height: u64,
    head_hash: B256,
    head_time: i64,
    state_root: B256,
}

/// A node that another knows.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Peer {
    public_key: String,
    connected: bool,
}

async fn health(node: NodeClient<'_>) -> Result<NodeHealth> {
    let answer = node.ask_all(&[("polder_status", serde_json::json!([]))]).await?.remove(0);
    let mut facts: Value = parsed("polder_status", answer)?;
    let status: Status =
        serde_json::from_value(facts.clone()).map_err(|error| Error::Protocol(format!("polder_status: {error}")))?;
    if let Some(facts) = facts.as_object_mut() {
        facts.retain(|name, _| !OWN_FIELDS.contains(&name.as_str()));
    }
    let halted = if status.chain_id == node.chain_id() {
        status.halted_reason.clone().or_else(|| alone(&status))
    } else {
        Some(format!("it runs a chain with id {}, not {}", status.chain_id, node.chain_id()))
    };
    let peer = |peer: Peer| driver::Peer { identity: peer.public_key, connected: peer.connected };
    Ok(NodeHealth {
        height: Some(status.height),
        head: Some(status.head_hash.to_string()),
        head_at: Some(status.head_time.saturating_mul(1_000)),
        state_root: Some(status.state_root.to_string()),
        identity: Some(status.public_key),
        leader: status.leader,
        peers: status.peers.into_iter().map(peer).collect(),
        halted,
        facts,
    })
}

/// Why a validator that has just been started does not take part yet. It says so itself only once it looks for its peers.
fn alone(status: &Status) -> Option<String> {
    if status.validators.is_empty() {
        return Some("it has not joined the network yet".into());
    }
    let others = status.peers.iter().filter(|peer| peer.connected && status.validators.contains(&peer.public_key));
    let (connected, all) = (others.count() + 1, status.validators.len());
    let needed = all - (all - 1) / 3;
    let votes = status.validators.contains(&status.public_key);
    (votes && connected < needed).then(|| format!("{connected} of {all} validators are connected, {needed} are needed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(validators: &[&str], connected: &[&str]) -> Status {
        let peer = |key: &&str| serde_json::json!({ "publicKey": key, "connected": connected.contains(key) });
        let peers: Vec<Value> = validators.iter().filter(|key| **key != "a").map(peer).collect();
        let zero = alloy_primitives::B256::ZERO;
        serde_json::from_value(serde_json::json!({
            "publicKey": "a", "leader": null, "peers": peers, "validators": validators, "haltedReason": null,
            "chainId": 1, "height": 0, "headHash": zero, "headTime": 0, "stateRoot": zero,
        }))
        .expect("a status")
    }

    #[test]
    fn a_validator_takes_part_once_it_sees_a_quorum() {
        let four = ["a", "b", "c", "d"];
        assert!(alone(&status(&[], &[])).is_some(), "no epoch was entered");
        assert!(alone(&status(&four, &["b"])).is_some_and(|reason| reason.starts_with("2 of 4")));
        assert_eq!(alone(&status(&four, &["b", "d"])), None);
        assert_eq!(alone(&status(&["a"], &[])), None, "solo");
        assert_eq!(alone(&status(&["b", "c"], &[])), None, "a follower needs no quorum");
    }
}
