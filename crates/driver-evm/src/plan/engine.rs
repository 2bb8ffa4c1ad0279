//! What each engine is, for people who choose.

use types::{ConsensusKind, Engine};

use crate::plan::{Family, VALIDATOR, options};

pub(crate) const QBFT: &str = "qbft";
pub(crate) const IBFT: &str = "ibft";
pub(crate) const RAFT: &str = "raft";
pub(crate) const CLIQUE: &str = "clique";

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
pub(crate) fn tested_version(family: Family) -> &'static str {
    match family {
        Family::Quorum => "22.7.4",
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
    let (title, description, maintenance) = match family {
        Family::Quorum => (
            "GoQuorum",
            "Ethereum for consortia, made from geth by ConsenSys. Gas is free; contracts run by the rules of Ethereum's \
             Berlin fork, so compile them for `london` or earlier. For networks and programs that are built on it.",
            Some(
                "Its makers archived GoQuorum on 5 June 2026: there are no more corrections, not even for security. For a \
                 new network choose Besu, which also has QBFT, or the built-in blockchain.",
            ),
        ),
        Family::Geth => (
            "geth (Clique)",
            "The best known Ethereum program, with proof of authority by Clique. Contracts run by the rules of Ethereum's \
             Berlin fork, so compile them for `london` or earlier. Blocks are not final at once. For tests against geth \
             itself and for networks that exist.",
            Some(
                "Clique ended with geth 1.13 (April 2024): newer versions run only behind a separate consensus program. For \
                 a new network choose Besu or the built-in blockchain.",
            ),
        ),
        Family::Besu => (
            "Besu",
            "An Ethereum program in Java, looked after by the Linux Foundation, with QBFT for consortia. Gas is free and \
             blocks are final at once. It has to be given: Polder cannot fetch it.",
            None,
        ),
    };
    Engine {
        name: name(family).into(),
        title: title.into(),
        description: description.into(),
        version: None,
        versions: Vec::new(),
        maintenance: maintenance.map(Into::into),
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
        // Raft has no votes: its members are those that its nodes were told of.
        capabilities: if name == RAFT { Vec::new() } else { vec!["validators".into()] },
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
        Family::Geth => vec![kind(
            CLIQUE,
            "Clique: signers take turns",
            "Signers make blocks in turn, and more than half of them must be up. Two may make a block at a time; then one of \
             the two is taken back, so that a transaction is final only some blocks later. A dishonest signer can delay \
             finality, but takes no money.",
            (1, 40, 3),
        )],
    }
}
