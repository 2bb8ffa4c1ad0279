//! The engine's options. Ranges are those that `polder-node` accepts in a genesis.

use driver::NumberOption;

/// The block's gas limit stands at the genesis' top level, unlike the others.
pub(crate) const GAS_LIMIT: &str = "gasLimit";

/// All options.
pub(crate) const OPTIONS: [NumberOption; 5] = [
    NumberOption {
        name: "blockIntervalMs",
        title: "Block interval under load (ms)",
        description: "Shortest time between two full blocks. A transaction on an idle network does not wait for it. \
                      Shorter confirms sooner under load, longer leaves more of the machine for transactions.",
        default: 30,
        low: 1,
        high: 60_000,
    },
    NumberOption {
        name: "heartbeatMs",
        title: "Heartbeat (ms)",
        description: "An empty block is made after this time without transactions, as a sign of life. After a \
                      leader fails, the next block comes at most a second later than this.",
        default: 1_000,
        low: 100,
        high: 3_600_000,
    },
    NumberOption {
        name: "epochLength",
        title: "Epoch length (blocks)",
        description: "Blocks between two points at which the set of validators may change. Fixed for the network's life.",
        default: 256,
        low: 16,
        high: 1 << 32,
    },
    NumberOption {
        name: GAS_LIMIT,
        title: "Gas limit of a block",
        description: "How much work fits into one block, in gas; 60,000,000 is about 1,200 token transfers. Also the \
                      limit of a single transaction.",
        default: 60_000_000,
        low: 1_000_000,
        high: 10_000_000_000,
    },
    NumberOption {
        name: "minGasPrice",
        title: "Price of gas (wei)",
        description: "0 makes transactions free, as is usual in a consortium. Above 0 every sender needs a balance.",
        default: 0,
        low: 0,
        // Larger numbers would lose digits in JSON.
        high: (1 << 53) - 1,
    },
];

/// JSON Schema of the options.
pub(crate) fn schema() -> serde_json::Value {
    driver::options_schema(&OPTIONS)
}
