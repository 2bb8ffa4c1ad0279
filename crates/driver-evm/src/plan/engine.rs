//! What each engine is, for people who choose.

use types::{ConsensusKind, Engine};

use crate::plan::{Family, VALIDATOR, options};

pub(crate) const QBFT: &str = "qbft";
pub(crate) const IBFT: &str = "ibft";
pub(crate) const RAFT: &str = "raft";
pub(crate) const CLIQUE: &str = "clique";
/// No consensus: geth's development chain.
pub(crate) const DEV: &str = "dev";

/// The first version of geth without Clique and with the development chain as it is.
const GETH_WITHOUT_CLIQUE: &str = "1.14";

/// Fewest validators that tolerate a failure by votes of two thirds.
const MIN_BFT: u32 = 4;

/// The engine's name.
pub(crate) fn name(family: Family) -> &'static str {
    match family {
        Family::Quorum => "quorum",
        Family::Geth => "geth",
        Family::Besu => "besu",
    }
}

/// The version that Polder's tests run, or would.
pub(crate) fn tested_version(family: Family, consensus: &str) -> &'static str {
    match family {
        Family::Quorum => "22.7.4",
        Family::Geth if consensus == DEV => "1.17.5",
        Family::Geth => "1.13.15",
        Family::Besu => "26.9.0",
    }
}

/// Its consensus of a name.
pub(crate) fn consensus(family: Family, name: &str) -> Option<ConsensusKind> {
    kinds(family).into_iter().find(|kind| kind.name == name)
}

/// The engine's description.
pub(crate) fn describe(family: Family) -> Engine {
    let (title, description) = match family {
        Family::Quorum => (
            "GoQuorum",
            "Ethereum for consortia, made from geth by ConsenSys. Gas is free; contracts run by the rules of Ethereum's \
             Berlin fork, so compile them for London or earlier. For networks and programs that are built on it.",
        ),
        Family::Geth => (
            "geth",
            "The best known Ethereum program: with proof of authority by Clique, in an old version, for networks that have it; \
             or as a development chain by the rules of today's Ethereum, for tests against geth itself.",
        ),
        Family::Besu => (
            "Besu",
            "An Ethereum program in Java, looked after by the Linux Foundation, with QBFT for consortia. Gas is free and \
             blocks are final at once. It has to be given: Polder cannot fetch it.",
        ),
    };
    Engine {
        name: name(family).into(),
        title: title.into(),
        description: description.into(),
        version: None,
        versions: Vec::new(),
        // With its versions.
        maintenance: None,
        consensus: kinds(family),
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
        options: driver::options_schema(options::of(family)),
    }
}

fn kinds(family: Family) -> Vec<ConsensusKind> {
    let kind = |name: &str, title: &str, description: &str, (min_nodes, max_nodes, default_nodes)| ConsensusKind {
        name: name.into(),
        title: title.into(),
        description: description.into(),
        role: VALIDATOR.into(),
        min_nodes,
        max_nodes,
        default_nodes,
        // Raft has no votes: its members are those that its nodes were told of. Nor has a node of its own.
        capabilities: if matches!(name, RAFT | DEV) { Vec::new() } else { vec!["validators".into()] },
        // Of Raft each node is told of the others as it starts.
        addable: if matches!(name, RAFT | DEV) { Vec::new() } else { vec![VALIDATOR.into()] },
        from_version: (name == DEV).then(|| GETH_WITHOUT_CLIQUE.into()),
        before_version: (name == CLIQUE).then(|| GETH_WITHOUT_CLIQUE.into()),
    };
    let qbft = kind(
        QBFT,
        "QBFT: validators agree by votes",
        "Two thirds of the validators must agree on each block, and what they agreed on is never taken back. Goes on while \
         less than a third of them are down or dishonest: 4 tolerate 1, 7 tolerate 2. Right for members who do not have to \
         trust one operator.",
        (MIN_BFT, 40, MIN_BFT),
    );
    match family {
        Family::Besu => vec![qbft],
        Family::Quorum => vec![
            qbft,
            kind(
                IBFT,
                "IBFT: the elder of QBFT",
                "As QBFT, in the older form of messages and blocks. For networks that have it; choose QBFT otherwise.",
                (MIN_BFT, 40, MIN_BFT),
            ),
            kind(
                RAFT,
                "Raft: a leader decides",
                "One node makes all blocks and the others follow; a majority must have each block. Fast, and it needs only 3 \
                 nodes to tolerate one that is down. It does not protect from a node that lies: right where all nodes are \
                 trusted.",
                (1, 30, 3),
            ),
        ],
        Family::Geth => vec![
            kind(
                CLIQUE,
                "Clique: signers take turns",
                "Signers make blocks in turn, and more than half of them must be up. Two may make a block at a time; then one \
                 of the two is taken back, so that a transaction is final only some blocks later. A dishonest signer can delay \
                 finality, but takes no money. Contracts run by the rules of the Berlin fork: compile them for London or \
                 earlier.",
                (1, 40, 3),
            ),
            kind(
                DEV,
                "Development: one node, no consensus",
                "One node makes blocks by itself, by the rules of Ethereum's newest forks: for developing contracts and for \
                 tests against current geth. Nothing protects it: not for a consortium's own work.",
                (1, 1, 1),
            ),
        ],
    }
}
