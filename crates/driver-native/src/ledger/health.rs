//! What a node says of itself.

use driver::{Error, NodeHealth, Peer, Result};
use serde_json::Value;

use crate::ledger::NativeLedger;
use crate::rpc::{parsed, wire};

/// Fields of the status that stand in the health's own.
const OWN_FIELDS: [&str; 6] = ["height", "headHash", "headTime", "stateRoot", "haltedReason", "peers"];

pub(super) async fn health(ledger: &NativeLedger, node: &str) -> Result<NodeHealth> {
    let answer = ledger.client.ask_own(node, ("polder_status", serde_json::json!([]))).await?;
    let mut facts: Value = parsed("polder_status", answer)?;
    let status: wire::Status =
        serde_json::from_value(facts.clone()).map_err(|error| Error::Protocol(format!("polder_status: {error}")))?;
    if let Some(facts) = facts.as_object_mut() {
        facts.retain(|name, _| !OWN_FIELDS.contains(&name.as_str()));
    }
    let halted = if status.chain_id == ledger.chain_id {
        status.halted_reason.clone().or_else(|| alone(&status))
    } else {
        Some(format!("it runs a chain with id {}, not {}", status.chain_id, ledger.chain_id))
    };
    let peer = |peer: wire::Peer| Peer { identity: peer.public_key, connected: peer.connected };
    Ok(NodeHealth {
        height: status.height,
        head: status.head_hash.to_string(),
        head_at: status.head_time.saturating_mul(1_000),
        state_root: Some(status.state_root.to_string()),
        identity: Some(status.public_key),
        leader: status.leader,
        peers: status.peers.into_iter().map(peer).collect(),
        halted,
        facts,
    })
}

/// Why a validator that has just been started does not take part yet. It says so itself only once it looks for its peers.
fn alone(status: &wire::Status) -> Option<String> {
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

    fn status(validators: &[&str], connected: &[&str]) -> wire::Status {
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
