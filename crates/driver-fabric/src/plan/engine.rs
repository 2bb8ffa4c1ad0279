//! What the engine is, for people who choose.

use types::{ConsensusKind, Engine};

use crate::layout::{BFT, CA, CHAINCODE, ORDERER, PEER, RAFT};
use crate::plan::options;

/// The engine's name.
pub(crate) const ENGINE: &str = "fabric";

/// The engine that a network's certificate authorities are of.
pub(crate) const CA_ENGINE: &str = "fabric-ca";

/// The engine's description.
pub(crate) fn describe() -> Engine {
    Engine {
        name: ENGINE.into(),
        title: "Hyperledger Fabric".into(),
        description: "A ledger for consortia with channels of their own members, private data, and endorsement policies that \
                      say whose agreement a change needs. Members are known by certificates. Contracts (chaincode, in Go, \
                      Node or Java) run beside the peers. For networks and programs that are built on it, and where parts of \
                      the data are for some members only."
            .into(),
        version: None,
        versions: Vec::new(),
        maintenance: None,
        consensus: kinds(),
        roles: [ORDERER, PEER, CHAINCODE, CA].map(String::from).to_vec(),
        capabilities: [
            "channels",
            "contracts-beside",
            "contracts",
            "events",
            "accounts",
            "blocks",
            "transactions",
            "identities",
            "transient",
        ]
        .map(String::from)
        .to_vec(),
        options: driver::mixed_options_schema(&options::TEXTS, options::numbers(RAFT)),
    }
}

/// Its consensus of a name.
pub(crate) fn consensus(name: &str) -> Option<ConsensusKind> {
    kinds().into_iter().find(|kind| kind.name == name)
}

fn kinds() -> Vec<ConsensusKind> {
    vec![
        ConsensusKind {
            name: RAFT.into(),
            title: "Raft: a leader orders".into(),
            description: "One orderer decides the order of transactions and the others follow; a majority must have each \
                          block. Goes on while a majority of the orderers runs: 3 tolerate 1 that is down, 5 tolerate 2. It \
                          does not protect from an orderer that lies: right where those who run orderers are trusted."
                .into(),
            role: ORDERER.into(),
            min_nodes: 1,
            max_nodes: 7,
            default_nodes: 3,
            addable: [PEER, ORDERER].map(String::from).to_vec(),
            ..ConsensusKind::default()
        },
        ConsensusKind {
            name: BFT.into(),
            title: "BFT: orderers agree by votes".into(),
            description: "The orderers vote on each block, and more than two thirds must agree. Goes on while less than a \
                          third of them are down or dishonest: 4 tolerate 1, 7 tolerate 2. Needs Fabric 3. Right for members \
                          who do not have to trust one operator."
                .into(),
            role: ORDERER.into(),
            min_nodes: 4,
            max_nodes: 16,
            default_nodes: 4,
            addable: [PEER, ORDERER].map(String::from).to_vec(),
            from_version: Some("3.0".into()),
            ..ConsensusKind::default()
        },
    ]
}
