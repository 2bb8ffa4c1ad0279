//! The genesis file: Ethereum's, with a `polder` section in `config`.

use driver::NetworkSpec;
use serde_json::{Map, Value, json};
use types::FieldProblem;

use crate::plan::options::{GAS_LIMIT, OPTIONS};

/// What an account owns when the specification does not say: 1,000,000 ether in wei.
const BALANCE: u128 = 1_000_000_000_000_000_000_000_000;

/// Ethereum's forks that are numbered by blocks.
const BLOCK_FORKS: [&str; 13] = [
    "homesteadBlock",
    "eip150Block",
    "eip155Block",
    "eip158Block",
    "byzantiumBlock",
    "constantinopleBlock",
    "petersburgBlock",
    "istanbulBlock",
    "muirGlacierBlock",
    "berlinBlock",
    "londonBlock",
    "arrowGlacierBlock",
    "grayGlacierBlock",
];
/// Forks by time that the chain needs from the start.
const NEEDED_FORKS: [&str; 2] = ["shanghaiTime", "cancunTime"];
/// Forks that the chain does not know.
const LATER_FORKS: [&str; 2] = ["amsterdamTime", "bogotaTime"];

/// Fields of a genesis as Ethereum's tools know them.
const FIELDS: [&str; 16] = [
    "config",
    "nonce",
    "timestamp",
    "extraData",
    "gasLimit",
    "difficulty",
    "mixHash",
    "coinbase",
    "alloc",
    "number",
    "gasUsed",
    "parentHash",
    "baseFeePerGas",
    "excessBlobGas",
    "blobGasUsed",
    "slotNumber",
];

/// What a given genesis settles.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) chain_id: Option<u64>,
    /// Options, by their names; a value that is not a number stands as it is and is refused with the options.
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
        refuse(name, "A genesis has no such field.");
    }
    if let Some(limit) = genesis.get(GAS_LIMIT) {
        given.options.insert(GAS_LIMIT.into(), number(limit).map_or_else(|| limit.clone(), Value::from));
    }
    let empty = Map::new();
    let config = match genesis.get("config") {
        None | Some(Value::Null) => &empty,
        Some(Value::Object(config)) => config,
        Some(_) => {
            refuse("config", "An object is expected.");
            &empty
        }
    };
    if let Some(value) = config.get("chainId") {
        match number(value) {
            Some(id) if id >= 1 && i64::try_from(id).is_ok() => given.chain_id = Some(id),
            _ => refuse("config.chainId", "A whole number from 1 to 9223372036854775807 is expected."),
        }
    }
    for name in NEEDED_FORKS {
        if config.get(name).is_some_and(|time| !time.is_null() && number(time) != Some(0)) {
            refuse(&format!("config.{name}"), "It must be 0: this chain has no earlier rules.");
        }
    }
    for name in LATER_FORKS {
        if config.get(name).is_some_and(|time| !time.is_null()) {
            refuse(&format!("config.{name}"), "This fork is not offered: leave it out.");
        }
    }
    let time = |name| config.get(name).and_then(number);
    if time("osakaTime").is_some_and(|osaka| osaka < time("pragueTime").unwrap_or(0)) {
        refuse("config.osakaTime", "Osaka comes after Prague (pragueTime).");
    }
    match config.get("polder") {
        None | Some(Value::Null) => {}
        Some(Value::Object(section)) => {
            for (name, value) in section {
                if name == "validators" {
                    refuse(
                        "config.polder.validators",
                        "Leave the validators out: each node makes its own key and Polder lists them. To run nodes \
                         with keys that exist already, use `polder-node` without the platform.",
                    );
                } else if name != GAS_LIMIT && OPTIONS.iter().any(|option| option.name == name) {
                    given.options.insert(name.clone(), value.clone());
                } else {
                    refuse(&format!("config.polder.{name}"), "The chain has no such setting.");
                }
            }
        }
        Some(_) => refuse("config.polder", "An object is expected."),
    }
    if wrong.is_empty() {
        parses(genesis, wrong);
    }
    given
}

/// Whether what remains is a genesis as Ethereum's tools read it.
fn parses(genesis: &Map<String, Value>, wrong: &mut Vec<FieldProblem>) {
    let mut whole = genesis.clone();
    complete(&mut whole, 1);
    if let Err(error) = serde_json::from_value::<alloy_genesis::Genesis>(Value::Object(whole)) {
        wrong.push(FieldProblem {
            field: "genesis".into(),
            message: format!("It is not an Ethereum genesis: {error}."),
        });
    }
}

/// The genesis file of a network: what was given, completed; the same for the same input.
pub(crate) fn file(spec: &NetworkSpec, validators: &[String]) -> String {
    let mut genesis = spec.genesis.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    let seconds = u64::try_from(spec.created_at / 1_000_000).unwrap_or(0);
    genesis.entry("timestamp").or_insert_with(|| format!("{seconds:#x}").into());
    complete(&mut genesis, spec.chain_id.unwrap_or_default());

    let option = |name: &str| spec.options.get(name).cloned().unwrap_or(Value::Null);
    if let Some(limit) = option(GAS_LIMIT).as_u64() {
        genesis.insert(GAS_LIMIT.into(), format!("{limit:#x}").into());
    }
    let mut section = Map::from_iter([("validators".to_owned(), json!(validators))]);
    for name in OPTIONS.iter().map(|option| option.name).filter(|name| *name != GAS_LIMIT) {
        section.insert(name.into(), option(name));
    }
    if let Some(config) = genesis.get_mut("config").and_then(Value::as_object_mut) {
        config.insert("chainId".into(), spec.chain_id.into());
        config.insert("polder".into(), section.into());
    }
    if let Some(alloc) = genesis.get_mut("alloc").and_then(Value::as_object_mut) {
        let plain = |address: &str| address.trim_start_matches("0x").to_ascii_lowercase();
        for account in &spec.accounts {
            if alloc.keys().any(|known| plain(known) == plain(&account.address)) {
                continue;
            }
            let balance = account.balance.as_deref().and_then(|text| text.parse::<alloy_primitives::U256>().ok());
            let balance = balance.unwrap_or_else(|| alloy_primitives::U256::from(BALANCE));
            alloc.insert(format!("0x{}", plain(&account.address)), json!({ "balance": format!("{balance:#x}") }));
        }
    }
    format!("{:#}\n", Value::Object(genesis))
}

/// Adds what an Ethereum genesis has and this one leaves out.
fn complete(genesis: &mut Map<String, Value>, chain_id: u64) {
    let config = genesis.entry("config").or_insert_with(|| json!({}));
    if config.is_null() {
        *config = json!({});
    }
    if let Some(config) = config.as_object_mut() {
        config.entry("chainId").or_insert_with(|| chain_id.into());
        for name in BLOCK_FORKS.iter().chain(&NEEDED_FORKS).chain(&["pragueTime", "terminalTotalDifficulty"]) {
            let value = config.entry(*name).or_insert(Value::Null);
            if value.is_null() {
                *value = 0.into();
            }
        }
    }
    let zeros = |bytes: usize| Value::from(format!("0x{}", "00".repeat(bytes)));
    for (name, value) in [
        ("nonce", json!("0x0")),
        ("timestamp", json!("0x0")),
        ("extraData", json!("0x")),
        (GAS_LIMIT, json!("0x3938700")),
        ("difficulty", json!("0x0")),
        ("mixHash", zeros(32)),
        ("coinbase", zeros(20)),
        ("alloc", json!({})),
    ] {
        genesis.entry(name).or_insert(value);
    }
}

/// A number as genesis files write it: JSON's, decimal text or 0x hex.
fn number(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        },
        _ => value.as_u64(),
    }
}
