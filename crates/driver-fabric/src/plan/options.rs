//! The engine's options.

use driver::{NetworkSpec, NumberOption, TextOption};
use serde_json::{Map, Value};

use crate::layout::BFT;

pub(crate) const CHANNEL: &str = "channel";
pub(crate) const ORDERER_MEMBER: &str = "ordererMember";
pub(crate) const CERTIFICATE_AUTHORITY: &str = "certificateAuthority";
pub(crate) const PEERS: &str = "peers";
pub(crate) const BATCH_TIMEOUT: &str = "batchTimeoutMs";
pub(crate) const BATCH_MESSAGES: &str = "batchMessages";
pub(crate) const CHAINCODE_MEMORY: &str = "chaincodeMemoryMib";
pub(crate) const CHAINCODE_CPU: &str = "chaincodeCpuPercent";

/// Longest name of a channel.
const LONGEST_CHANNEL: usize = 249;

/// Who issues members' certificates.
pub(crate) const POLDER: &str = "polder";
pub(crate) const FABRIC_CA: &str = "fabric-ca";
const AUTHORITIES: [&str; 2] = [POLDER, FABRIC_CA];

pub(crate) const TEXTS: [TextOption; 3] = [
    TextOption {
        name: CHANNEL,
        title: "First channel",
        description: "Name of the channel that all members share from the start. More channels can be added later.",
        default: "main",
        pattern: "^[a-z][a-z0-9.-]*$",
        longest: LONGEST_CHANNEL,
        choices: &[],
        fits: channel_name,
        expected: "a lower-case letter, then lower-case letters, digits, dots and dashes, at most 249 in all,",
    },
    TextOption {
        name: ORDERER_MEMBER,
        title: "Member that runs the orderers",
        description: "Name of the one member that runs all orderers. Empty: they are dealt to the members in turn, so that \
                      no single member decides what is ordered.",
        default: "",
        pattern: "^[a-z0-9-]*$",
        longest: 63,
        choices: &[],
        fits: |name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
        expected: "the name of a member, or nothing,",
    },
    TextOption {
        name: CERTIFICATE_AUTHORITY,
        title: "Certificate authority",
        description: "Who issues certificates to a member's people and programs. polder: Polder alone. fabric-ca: each member also \
                      gets a Fabric CA of its own as a node, where they are registered and enrolled by Fabric CA's clients. \
                      The nodes' own certificates are Polder's in both cases.",
        default: POLDER,
        pattern: "",
        longest: 16,
        choices: &AUTHORITIES,
        fits: |name| AUTHORITIES.contains(&name),
        expected: "`polder` or `fabric-ca`",
    },
];

const PEER_COUNT: NumberOption = NumberOption {
    name: PEERS,
    title: "Peers of each member",
    description: "Peers keep the ledger and run contracts. With two, a member can go on when one of them is down.",
    default: 1,
    low: 1,
    high: 9,
};

const fn timeout(default: u64) -> NumberOption {
    NumberOption {
        name: BATCH_TIMEOUT,
        title: "Longest wait for a block (ms)",
        description: "A block is cut this long after its first transaction, or when it is full. Shorter makes single \
                      transactions faster, longer makes fewer and larger blocks. With BFT 50 ms are taken when none are \
                      given.",
        default,
        low: 10,
        high: 60_000,
    }
}

const fn messages(default: u64) -> NumberOption {
    NumberOption {
        name: BATCH_MESSAGES,
        title: "Most transactions in a block",
        description: "A block with so many transactions is cut at once. With BFT 100 are taken when none are given.",
        default,
        low: 1,
        high: 10_000,
    }
}

const MEMORY: NumberOption = NumberOption {
    name: CHAINCODE_MEMORY,
    title: "Most memory of a chaincode (MiB)",
    description: "A chaincode that needs more is ended and started again. Each member runs its own.",
    default: 768,
    low: 16,
    high: 1 << 20,
};

const CPU: NumberOption = NumberOption {
    name: CHAINCODE_CPU,
    title: "Most CPU of a chaincode (%)",
    description: "In hundredths of a core: 100 is one. A chaincode gets no more; where the machine has no control groups it is \
                  ended and started again when it has used more for half a minute.",
    default: 100,
    low: 5,
    high: 100_000,
};

const WITH_RAFT: [NumberOption; 5] = [PEER_COUNT, timeout(200), messages(500), MEMORY, CPU];
const WITH_BFT: [NumberOption; 5] = [PEER_COUNT, timeout(50), messages(100), MEMORY, CPU];

/// Most peers that a member can run.
pub(crate) fn most_peers() -> u64 {
    PEER_COUNT.high
}

/// The numbers that a consensus takes: their defaults differ.
pub(crate) fn numbers(consensus: &str) -> &'static [NumberOption] {
    if consensus == BFT { &WITH_BFT } else { &WITH_RAFT }
}

/// Whether Fabric takes a channel's name (`configtx.ValidateChannelID`).
pub(crate) fn channel_name(name: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(rest)
        && name.len() <= LONGEST_CHANNEL
}

/// Whether each member gets a Fabric CA.
pub(crate) fn with_fabric_ca(options: &Map<String, Value>) -> bool {
    options.get(CERTIFICATE_AUTHORITY).is_some_and(|chosen| chosen == FABRIC_CA)
}

/// A number of a settled specification; the default, when it was settled before there was such an option.
pub(crate) fn number(spec: &NetworkSpec, name: &str) -> u64 {
    let default = || numbers(&spec.consensus).iter().find(|option| option.name == name).map(|option| option.default);
    spec.options.get(name).and_then(Value::as_u64).or_else(default).unwrap_or_default()
}
