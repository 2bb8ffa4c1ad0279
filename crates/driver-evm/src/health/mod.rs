//! What a node says of itself, by the methods that its engine has for that.
//!
//! Nodes are named by their accounts' addresses: that is how validators are listed and voted on, and what a node's public
//! key, as peers and Raft name it, leads to.

mod consensus;
#[cfg(test)]
mod tests;
pub(crate) mod wire;

use std::collections::HashSet;

use alloy_primitives::{Address, U64};
use driver::{NodeHealth, Peer, Result};
use evm_ledger::{Answer, Header, Health, NodeClient, NodeError, Request, parsed};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::plan::Family;
use consensus::Consensus;

/// Transactions that wait for so long while enough nodes are up mean that they do not agree.
const STUCK: types::Micros = 60 * 1_000_000;

/// Asks a node of one engine of the family.
pub(crate) struct EngineHealth {
    /// None where nobody has said.
    family: Option<Family>,
    /// How many nodes the network has, where somebody has said.
    nodes: Option<usize>,
    /// Methods that the network's nodes do not have, as their consensus is another. Each time they were asked, they would
    /// complain in their logs.
    missing: Mutex<HashSet<&'static str>>,
}

impl EngineHealth {
    /// Of a planned network.
    pub(crate) fn new(family: Family, nodes: usize) -> Self {
        Self { family: Some(family), nodes: Some(nodes), missing: Mutex::default() }
    }

    /// Of a network that others run.
    pub(crate) fn attached() -> Self {
        Self { family: None, nodes: None, missing: Mutex::default() }
    }
}

impl Health for EngineHealth {
    fn health<'a>(&'a self, node: NodeClient<'a>) -> BoxFuture<'a, Result<NodeHealth>> {
        Box::pin(health(self, node))
    }
}

const CHAIN: &str = "eth_chainId";
/// All that a node of GoQuorum's Raft may be asked about it. `raft_cluster` and `raft_role` take a lock twice over, and stop the
/// node for good when it wants to write in between, which is likely while it starts (GoQuorum, raft/handler.go: `NodeInfo`
/// calls `isVerifier`); `raft_getRaftId` reads without a lock what may change meanwhile.
pub(crate) const RAFT_LEADER: &str = "raft_leader";

async fn health(engine: &EngineHealth, node: NodeClient<'_>) -> Result<NodeHealth> {
    let block = node.newest().await?;
    let mut methods = methods(engine.family, &block);
    methods.retain(|(method, _)| !engine.missing.lock().contains(method));
    let requests: Vec<Request> = methods.iter().map(|(method, params)| (*method, params.clone())).collect();
    let answers = Answers { methods, answers: node.ask_all(&requests).await? };
    engine.missing.lock().extend(answers.missing());
    let chain_id = parsed::<U64>(CHAIN, answers.answer(CHAIN))?.to::<u64>();

    let own: Option<wire::NodeInfo> = answers.read("admin_nodeInfo");
    let identity = own.as_ref().and_then(|own| wire::account(&own.enode));
    let connected: Vec<Address> = answers
        .read::<Vec<wire::PeerInfo>>("admin_peers")
        .unwrap_or_default()
        .iter()
        .filter_map(wire::PeerInfo::account)
        .collect();
    let consensus = Consensus::read(&answers, &block, engine.nodes);
    // Alone, it leads.
    let leader = consensus.leader().or(identity.filter(|_| engine.nodes == Some(1)));
    let pool: wire::PoolStatus = answers.read("txpool_status").unwrap_or_default();
    let head_at = node.time(&block);

    let halted = if chain_id != node.chain_id() {
        Some(format!("it runs a chain with id {chain_id}, not {}", node.chain_id()))
    } else {
        let waits = pool.pending > U64::ZERO && types::now() - head_at > STUCK;
        match consensus.halted(identity, &connected) {
            None if waits && is_late(&node, &block).await? => consensus.stuck(),
            known => known,
        }
    };
    let mut facts = Map::new();
    let mut fact = |name: &str, value: Value| {
        if !value.is_null() {
            facts.insert(name.into(), value);
        }
    };
    fact("client", answers.read::<String>("web3_clientVersion").into());
    fact("enode", own.map(|own| own.enode).into());
    fact("pending", pool.pending.to::<u64>().into());
    fact("queued", pool.queued.to::<u64>().into());
    if let Some(syncing) = answers.read::<wire::Syncing>("eth_syncing") {
        fact("catchingUp", json!({ "block": syncing.current_block, "of": syncing.highest_block }));
    }
    facts.extend(consensus.facts());
    Ok(NodeHealth {
        height: Some(block.number.to()),
        head: Some(block.hash.to_string()),
        head_at: Some(head_at),
        state_root: Some(block.state_root.to_string()),
        identity: identity.map(|account| account.to_string()),
        leader: leader.map(|account| account.to_string()),
        peers: peers(identity, &connected, consensus.members()),
        halted,
        facts: facts.into(),
    })
}

/// Whether the next block has been waited for much longer than the newest one.
async fn is_late(node: &NodeClient<'_>, block: &Header) -> Result<bool> {
    const METHOD: &str = "eth_getBlockByHash";
    let answer = node.ask_all(&[(METHOD, json!([block.parent_hash, false]))]).await?.remove(0);
    let parent: Option<Header> = parsed(METHOD, answer)?;
    // The first block's time is not of the chain's making.
    let parent = parent.filter(|parent| !parent.number.is_zero());
    let interval = parent.map_or(0, |parent| node.time(block) - node.time(&parent));
    Ok(types::now() - node.time(block) > STUCK + 5 * interval)
}

/// Nodes that it is connected to, and those that agree on blocks and that it is not connected to.
fn peers(own: Option<Address>, connected: &[Address], members: &[Address]) -> Vec<Peer> {
    let peer = |account: &Address, connected| Peer { identity: account.to_string(), connected };
    let missing = members.iter().filter(|member| Some(**member) != own && !connected.contains(member));
    connected.iter().map(|account| peer(account, true)).chain(missing.map(|account| peer(account, false))).collect()
}

/// What is asked in one request. A node answers those that its consensus has.
fn methods(family: Option<Family>, block: &Header) -> Vec<(&'static str, Value)> {
    let none = || json!([]);
    let mut methods = vec![
        (CHAIN, none()),
        ("admin_nodeInfo", none()),
        ("admin_peers", none()),
        ("txpool_status", none()),
        ("eth_syncing", none()),
        ("web3_clientVersion", none()),
    ];
    let is = |wanted: Family| family.is_none_or(|family| family == wanted);
    if is(Family::Quorum) {
        let own = ["istanbul_getValidators", "istanbul_getSignersFromBlock", RAFT_LEADER];
        methods.extend(own.map(|method| (method, none())));
    }
    if is(Family::Geth) {
        methods.push(("clique_getSigners", none()));
        // It knows no tags, though it reads them.
        methods.push(("clique_getSigner", json!([block.hash])));
    }
    if is(Family::Besu) {
        methods.push(("qbft_getValidatorsByBlockNumber", json!(["latest"])));
    }
    methods
}

/// What a node answered, by method.
struct Answers {
    methods: Vec<(&'static str, Value)>,
    answers: Vec<Answer>,
}

impl Answers {
    fn answer(&self, method: &str) -> Answer {
        let place = self.methods.iter().position(|(known, _)| *known == method);
        place.and_then(|place| self.answers.get(place)).cloned().unwrap_or(Ok(Value::Null))
    }

    /// Whether the node has a method that it was asked by, even if it answered with an error: of its consensus, that is, as
    /// nobody else's error is about a leader.
    fn knows(&self, method: &str) -> bool {
        let asked = self.methods.iter().any(|(known, _)| *known == method);
        let is_about_it = |error: NodeError| !error.is_missing() && error.message.contains("leader");
        asked && self.answer(method).map_or_else(is_about_it, |answer| answer.is_string())
    }

    fn missing(&self) -> impl Iterator<Item = &'static str> {
        let missing = |answer: &Answer| answer.as_ref().is_err_and(NodeError::is_missing);
        self.methods
            .iter()
            .zip(&self.answers)
            .filter(move |(_, answer)| missing(answer))
            .map(|((method, _), _)| *method)
    }

    /// An answer, where the node has one. What it does not have its health does without.
    fn read<T: DeserializeOwned>(&self, method: &str) -> Option<T> {
        parsed(method, self.answer(method)).ok()
    }
}
