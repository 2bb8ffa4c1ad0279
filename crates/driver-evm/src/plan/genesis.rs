//! The genesis files: Ethereum's, with each consensus' own section and extra data.

use alloy_primitives::{Address, U256};
use driver::NetworkSpec;
use serde_json::{Map, Value, json};
use types::FieldProblem;

use crate::plan::engine::{CLIQUE, DEV, IBFT, QBFT, RAFT};
use crate::plan::options::{BLOCK_PERIOD, EMPTY_BLOCK_PERIOD, EPOCH_LENGTH, GAS_LIMIT, REQUEST_TIMEOUT};
use crate::plan::{Family, dev, extra, options};

/// What an account owns when the specification does not say: 1,000,000 ether in wei.
const BALANCE: u128 = 1_000_000_000_000_000_000_000_000;

/// The forks that all engines of the family have, from the first block on.
const FORKS: [&str; 9] = [
    "homesteadBlock",
    "eip150Block",
    "eip155Block",
    "eip158Block",
    "byzantiumBlock",
    "constantinopleBlock",
    "petersburgBlock",
    "istanbulBlock",
    "berlinBlock",
];

/// What later forks are called: GoQuorum does not have them, Clique refuses most, London's fees need senders with a balance,
/// and the development chain has them all.
const LATER: [&str; 10] = [
    "londonBlock",
    "arrowGlacierBlock",
    "grayGlacierBlock",
    "mergeNetsplitBlock",
    "terminalTotalDifficulty",
    "shanghaiTime",
    "cancunTime",
    "pragueTime",
    "osakaTime",
    "verkleTime",
];

/// Sections of `config` that follow from the network's own settings.
const SECTIONS: [&str; 6] = ["qbft", "ibft", "ibft2", "istanbul", "clique", "ethash"];

/// Fields of a genesis that a person may give.
const FIELDS: [&str; 5] = ["config", "timestamp", "gasLimit", "alloc", "nonce"];
/// Fields that every genesis has, and that follow from the consensus.
const SETTLED: [&str; 9] = [
    "extraData",
    "mixHash",
    "difficulty",
    "coinbase",
    "number",
    "gasUsed",
    "parentHash",
    "baseFeePerGas",
    "validators",
];

/// "Istanbul practical byzantine fault tolerance", by which a block of IBFT or QBFT is known (EIP-650).
const ISTANBUL: &str = "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365";

/// Seconds from the order to the time of Clique's first block, so that its nodes have found each other when it is over.
/// Before, each of them may sign a block 1 of its own; and if it does while they connect, none hears of the others' and each
/// waits for somebody else to sign block 2.
const CLIQUE_HEAD_START: u64 = 3;

/// What a given genesis settles.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) chain_id: Option<u64>,
    /// Options, by their names.
    pub(crate) options: Map<String, Value>,
}

/// Reads a genesis that a person gave; what does not fit goes to `wrong`.
pub(crate) fn read(genesis: &Value, wrong: &mut Vec<FieldProblem>) -> Given {
    let mut given = Given::default();
    let mut refuse = |path: &str, message: &str| {
        let field = if path.is_empty() { "genesis".into() } else { format!("genesis.{path}") };
        wrong.push(FieldProblem { field, message: message.into() });
    };
    let Some(genesis) = genesis.as_object() else {
        refuse("", "An Ethereum genesis is expected: a JSON object.");
        return given;
    };
    for name in genesis.keys().filter(|name| !FIELDS.contains(&name.as_str())) {
        match SETTLED.contains(&name.as_str()) {
            true => refuse(name, "Leave it out: it follows from the consensus and the nodes' keys."),
            false => refuse(name, "A genesis has no such field."),
        }
    }
    if let Some(limit) = genesis.get(GAS_LIMIT) {
        given.options.insert(GAS_LIMIT.into(), number(limit).map_or_else(|| limit.clone(), Value::from));
    }
    if genesis.get("timestamp").is_some_and(|time| number(time).is_none()) {
        refuse("timestamp", "A number of seconds is expected.");
    }
    match genesis.get("alloc") {
        None => {}
        Some(Value::Object(alloc)) => {
            for (account, content) in alloc {
                if account.trim_start_matches("0x").parse::<Address>().is_err() {
                    refuse(&format!("alloc.{account}"), "An address is expected: 40 hexadecimal digits.");
                } else if content.get("balance").is_none_or(|balance| amount(balance).is_none()) {
                    refuse(&format!("alloc.{account}.balance"), "An amount in wei is expected, decimal or 0x and hex.");
                }
            }
        }
        Some(_) => refuse("alloc", "An object is expected: accounts by their addresses."),
    }
    let config = match genesis.get("config") {
        None | Some(Value::Null) => return given,
        Some(Value::Object(config)) => config,
        Some(_) => {
            refuse("config", "An object is expected.");
            return given;
        }
    };
    if let Some(value) = config.get("chainId") {
        given.chain_id = number(value);
        if given.chain_id.is_none() {
            refuse("config.chainId", "A whole number is expected.");
        }
    }
    for name in SECTIONS.iter().filter(|name| config.contains_key(**name)) {
        refuse(&format!("config.{name}"), "Leave it out: the consensus and its options are given with the network.");
    }
    for name in LATER.iter().filter(|name| config.get(**name).is_some_and(|fork| !fork.is_null())) {
        refuse(
            &format!("config.{name}"),
            "Leave it out: the later forks that a network has are fixed by its engine and consensus.",
        );
    }
    for name in FORKS.iter().filter(|name| config.get(**name).is_some_and(|at| number(at) != Some(0))) {
        refuse(&format!("config.{name}"), "It must be 0: there are no earlier rules to begin with.");
    }
    given
}

/// The genesis file of a network: what was given, completed; the same for the same input.
pub(crate) fn file(family: Family, spec: &NetworkSpec, validators: &[Address]) -> String {
    let mut genesis = spec.genesis.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    let seconds = u64::try_from(spec.created_at / 1_000_000).unwrap_or(0);
    let consensus = spec.consensus.as_str();
    let option = |name: &str| options::number(spec, name);

    let mut config = genesis.remove("config").and_then(|config| config.as_object().cloned()).unwrap_or_default();
    config.insert("chainId".into(), spec.chain_id.into());
    for fork in FORKS {
        config.insert(fork.into(), 0.into());
    }
    if family == Family::Quorum {
        config.insert("isQuorum".into(), true.into());
        config.entry("txnSizeLimit").or_insert_with(|| 64.into());
    }
    config.extend(section(family, spec, option));
    if consensus == DEV {
        config.extend(dev::forks());
    }

    let extra = match consensus {
        QBFT => extra::qbft(validators),
        IBFT => extra::ibft(validators),
        CLIQUE => extra::clique(validators),
        DEV => Vec::new().into(),
        _ => vec![0; 32].into(),
    };
    let difficulty = if matches!(consensus, RAFT | DEV) { "0x0" } else { "0x1" };
    let zeros = |bytes: usize| format!("0x{}", "00".repeat(bytes));
    let mix = if matches!(consensus, QBFT | IBFT) { ISTANBUL.into() } else { zeros(32) };
    let time = match consensus {
        // It counts nanoseconds.
        RAFT => seconds * 1_000_000_000,
        CLIQUE => seconds + CLIQUE_HEAD_START,
        _ => seconds,
    };

    let mut file = Map::new();
    file.insert("config".into(), config.into());
    file.insert("nonce".into(), genesis.remove("nonce").unwrap_or_else(|| "0x0".into()));
    file.insert("timestamp".into(), genesis.remove("timestamp").unwrap_or_else(|| format!("{time:#x}").into()));
    file.insert("extraData".into(), extra.to_string().into());
    file.insert("gasLimit".into(), format!("{:#x}", option(GAS_LIMIT)).into());
    file.insert("difficulty".into(), difficulty.into());
    file.insert("mixHash".into(), mix.into());
    file.insert("coinbase".into(), zeros(20).into());
    file.insert("alloc".into(), alloc(genesis.remove("alloc"), spec).into());
    format!("{:#}\n", Value::Object(file))
}

/// The consensus' section of `config`.
fn section(family: Family, spec: &NetworkSpec, option: impl Fn(&str) -> u64) -> Option<(String, Value)> {
    let mut bft = json!({
        "epochlength": option(EPOCH_LENGTH),
        "blockperiodseconds": option(BLOCK_PERIOD),
        "requesttimeoutseconds": option(REQUEST_TIMEOUT),
    });
    if option(EMPTY_BLOCK_PERIOD) > 0 {
        bft["emptyblockperiodseconds"] = option(EMPTY_BLOCK_PERIOD).into();
    }
    if family == Family::Quorum {
        // In turn; and two thirds of the validators rounded up, not 2f + 1, which is too few for 5, 6, 8, …
        (bft["policy"], bft["ceil2Nby3Block"]) = (0.into(), 0.into());
    }
    match spec.consensus.as_str() {
        name @ (QBFT | IBFT) => Some((name.into(), bft)),
        CLIQUE => Some((CLIQUE.into(), json!({ "period": option(BLOCK_PERIOD), "epoch": option(EPOCH_LENGTH) }))),
        _ => None,
    }
}

/// What accounts own: as given, and the members'.
fn alloc(given: Option<Value>, spec: &NetworkSpec) -> Map<String, Value> {
    let mut alloc = given.and_then(|given| given.as_object().cloned()).unwrap_or_default();
    let plain = |address: &str| address.trim_start_matches("0x").to_ascii_lowercase();
    for account in &spec.accounts {
        if alloc.keys().any(|known| plain(known) == plain(&account.address)) {
            continue;
        }
        let balance = account.balance.as_deref().and_then(|text| text.parse::<U256>().ok());
        let balance = balance.unwrap_or_else(|| U256::from(BALANCE));
        alloc.insert(format!("0x{}", plain(&account.address)), json!({ "balance": format!("{balance:#x}") }));
    }
    if spec.consensus == DEV {
        alloc.extend(dev::system_contracts());
    }
    alloc
}

/// A number as genesis files write it: JSON's, decimal text or 0x hex.
fn number(value: &Value) -> Option<u64> {
    match value {
        Value::String(_) => amount(value).and_then(|amount| u64::try_from(amount).ok()),
        _ => value.as_u64(),
    }
}

/// The same, without a bound.
fn amount(value: &Value) -> Option<U256> {
    match value {
        Value::String(text) => match text.strip_prefix("0x") {
            Some(digits) => U256::from_str_radix(digits, 16).ok(),
            None => U256::from_str_radix(text, 10).ok(),
        },
        _ => value.as_u64().map(U256::from),
    }
}
