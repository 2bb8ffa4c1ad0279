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
        status.halted_reason
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
