//! The engines' options.

use driver::{NetworkSpec, NumberOption};
use serde_json::Value;

use crate::plan::Family;

/// Seconds between blocks.
pub(crate) const BLOCK_PERIOD: &str = "blockPeriodSeconds";
/// Seconds between empty blocks.
pub(crate) const EMPTY_BLOCK_PERIOD: &str = "emptyBlockPeriodSeconds";
/// Seconds of a round.
pub(crate) const REQUEST_TIMEOUT: &str = "requestTimeoutSeconds";
/// Blocks of an epoch.
pub(crate) const EPOCH_LENGTH: &str = "epochLength";
/// Gas of a block.
pub(crate) const GAS_LIMIT: &str = "gasLimit";
/// Wei for a unit of gas.
pub(crate) const GAS_PRICE: &str = "gasPrice";
/// Milliseconds between blocks by Raft.
pub(crate) const RAFT_BLOCK_TIME: &str = "raftBlockTimeMs";

/// Gas that a node of a small machine, shared with others, executes in a second. When a full block takes longer to build
/// than half of the block period, GoQuorum seals the empty one that it began with, again and again, while transactions
/// wait.
pub(crate) const GAS_PER_SECOND: u64 = 40_000_000;

const fn block_period(description: &'static str) -> NumberOption {
    NumberOption { name: BLOCK_PERIOD, title: "Block period (s)", description, default: 1, low: 1, high: 3600 }
}

const BFT_PERIOD: NumberOption = block_period(
    "Time between two blocks, with QBFT and IBFT. A transaction waits half of it on average. Longer periods take fuller \
     blocks and leave more of the machine for transactions. Not used by Raft.",
);

const EMPTY_PERIOD: NumberOption = NumberOption {
    name: EMPTY_BLOCK_PERIOD,
    title: "Period of empty blocks (s)",
    description: "Time between two blocks without transactions, with QBFT and IBFT: a longer one saves disk on quiet \
                  networks. 0 makes empty blocks as often as others. Not used by Raft.",
    default: 0,
    low: 0,
    high: 3600,
};

const TIMEOUT: NumberOption = NumberOption {
    name: REQUEST_TIMEOUT,
    title: "Round time-out (s)",
    description: "How long validators wait for a proposer before they pass to the next, with QBFT and IBFT; each further \
                  round waits twice as long. Must be longer than the block period: too short a time makes rounds change \
                  under load, too long a one makes a failed validator felt longer. Not used by Raft.",
    default: 4,
    low: 1,
    high: 3600,
};

const EPOCH: NumberOption = NumberOption {
    name: EPOCH_LENGTH,
    title: "Epoch length (blocks)",
    description: "After this many blocks, votes on validators that have not been decided are forgotten. Fixed for the \
                  network's life.",
    default: 30_000,
    low: 16,
    high: 1 << 32,
};

const GAS: NumberOption = NumberOption {
    name: GAS_LIMIT,
    title: "Gas limit of a block",
    description: "How much work fits into one block, in gas; 20,000,000 is about 400 token transfers. Also the limit of a \
                  single transaction. Should be less than the nodes can execute in half of a block period: with more, \
                  blocks may stay empty under load.",
    default: 20_000_000,
    low: 1_000_000,
    high: 10_000_000_000,
};

const QUORUM: [NumberOption; 6] = [
    BFT_PERIOD,
    EMPTY_PERIOD,
    TIMEOUT,
    EPOCH,
    GAS,
    NumberOption {
        name: RAFT_BLOCK_TIME,
        title: "Block time of Raft (ms)",
        description: "Shortest time between two blocks, with Raft; without transactions there are none. Not used by QBFT \
                      and IBFT.",
        default: 50,
        low: 10,
        high: 60_000,
    },
];

const GETH: [NumberOption; 4] = [
    block_period(
        "Time between two blocks, also of empty ones. A transaction is final some blocks later, so a longer period delays it \
         several times.",
    ),
    EPOCH,
    GAS,
    NumberOption {
        name: GAS_PRICE,
        title: "Price of gas (wei)",
        description: "What a transaction pays for a unit of gas. geth passes on nothing that is free, so it is at least 1 \
                      wei: next to nothing, but each sender needs a balance.",
        default: 1,
        low: 1,
        // Larger numbers would lose digits in JSON.
        high: (1 << 53) - 1,
    },
];

const BESU: [NumberOption; 5] = [BFT_PERIOD, EMPTY_PERIOD, TIMEOUT, EPOCH, GAS];

/// A number of a settled specification.
pub(crate) fn number(spec: &NetworkSpec, name: &str) -> u64 {
    spec.options.get(name).and_then(Value::as_u64).unwrap_or_default()
}

/// An engine's options.
pub(crate) fn of(family: Family) -> &'static [NumberOption] {
    match family {
        Family::Quorum => &QUORUM,
        Family::Geth => &GETH,
        Family::Besu => &BESU,
    }
}
