//! What the engine is, for people who choose.

use types::{ConsensusKind, Engine};

use crate::{ENGINE, plan::options};

/// The consensus between several validators.
pub(crate) const BFT: &str = "bft";
/// One validator alone.
pub(crate) const SOLO: &str = "solo";
/// The one role that planned nodes have.
pub(crate) const VALIDATOR: &str = "validator";

/// Fewest validators that tolerate a failure.
pub(crate) const MIN_BFT: u32 = 4;
/// Each block needs votes of two thirds of the validators, so that more make it slower.
pub(crate) const MAX_BFT: u32 = 64;

/// The engine's description.
pub(crate) fn describe() -> Engine {
    Engine {
        name: ENGINE.into(),
        title: "Polder".into(),
        description: "The built-in blockchain: an Ethereum-compatible ledger for consortia. Blocks are final at once, \
                      gas is free unless you set a price, and Solidity contracts, wallets and libraries of Ethereum \
                      work unchanged. Nothing has to be installed. Choose it unless you need another ledger."
            .into(),
        version: Some(env!("CARGO_PKG_VERSION").into()),
        versions: Vec::new(),
        maintenance: None,
        consensus: vec![
            ConsensusKind {
                name: BFT.into(),
                title: "BFT: members agree by votes".into(),
                description: "The validators of all members vote on each block; more than two thirds must agree, and \
                              a block that they agreed on is never taken back. The network goes on while less than a \
                              third of the validators are down or dishonest: 4 tolerate 1, 7 tolerate 2, 10 tolerate \
                              3. Right for a consortium whose members do not have to trust one operator."
                    .into(),
                role: VALIDATOR.into(),
                min_nodes: MIN_BFT,
                max_nodes: MAX_BFT,
                default_nodes: MIN_BFT,
                ..ConsensusKind::default()
            },
            ConsensusKind {
                name: SOLO.into(),
                title: "Solo: one validator decides".into(),
                description: "A single node makes all blocks. Nothing has to agree with it, so it tolerates no \
                              failure: when it is down, the network stands still. Right for development and tests."
                    .into(),
                role: VALIDATOR.into(),
                min_nodes: 1,
                max_nodes: 1,
                default_nodes: 1,
                ..ConsensusKind::default()
            },
        ],
        roles: vec![VALIDATOR.into()],
        capabilities: [
            "evm",
            "chain-id",
            "contracts",
            "events",
            "accounts",
            "blocks",
            "transactions",
            "json-rpc",
            "websocket",
        ]
        .map(String::from)
        .to_vec(),
        options: options::schema(),
    }
}
