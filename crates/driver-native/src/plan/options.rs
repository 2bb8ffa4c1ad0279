//! The engine's options. Ranges are those that `polder-node` accepts in a genesis.

use serde_json::{Map, Value, json};
use types::FieldProblem;

/// One option, a whole number.
pub(crate) struct Opt {
    /// As in the options and in `config.polder`.
    pub(crate) name: &'static str,
    title: &'static str,
    description: &'static str,
    pub(crate) default: u64,
    pub(crate) low: u64,
    pub(crate) high: u64,
}

/// The block's gas limit stands at the genesis' top level, unlike the others.
pub(crate) const GAS_LIMIT: &str = "gasLimit";

/// All options.
pub(crate) const OPTIONS: [Opt; 5] = [
    Opt {
        name: "blockIntervalMs",
        title: "Block interval under load (ms)",
        description: "Shortest time between two full blocks. A transaction on an idle network does not wait for it. \
                      Shorter confirms sooner under load, longer leaves more of the machine for transactions.",
        default: 30,
        low: 1,
        high: 60_000,
    },
    Opt {
        name: "heartbeatMs",
        title: "Heartbeat (ms)",
        description: "An empty block is made after this time without transactions, as a sign of life. After a \
                      leader fails, the next block comes at most a second later than this.",
        default: 1_000,
        low: 100,
        high: 3_600_000,
    },
    Opt {
        name: "epochLength",
        title: "Epoch length (blocks)",
        description: "Blocks between two points at which the set of validators may change. Fixed for the network's life.",
        default: 256,
        low: 16,
        high: 1 << 32,
    },
    Opt {
        name: GAS_LIMIT,
        title: "Gas limit of a block",
        description: "How much work fits into one block, in gas; 60,000,000 is about 1,200 token transfers. Also the \
                      limit of a single transaction.",
        default: 60_000_000,
        low: 1_000_000,
        high: 10_000_000_000,
    },
    Opt {
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
pub(crate) fn schema() -> Value {
    let properties: Map<String, Value> = OPTIONS
        .iter()
        .map(|option| {
            let schema = json!({
                "type": "integer", "title": option.title, "description": option.description,
                "default": option.default, "minimum": option.low, "maximum": option.high,
            });
            (option.name.to_owned(), schema)
        })
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

/// The options with values from the genesis and defaults filled in; what does not fit goes to `wrong`.
pub(crate) fn settle(given: &Value, genesis: &Map<String, Value>, wrong: &mut Vec<FieldProblem>) -> Map<String, Value> {
    let none = Map::new();
    let given = match given {
        Value::Null => &none,
        Value::Object(given) => given,
        _ => {
            wrong.push(FieldProblem { field: "options".into(), message: "An object is expected.".into() });
            &none
        }
    };
    for name in given.keys().filter(|name| OPTIONS.iter().all(|option| option.name != name.as_str())) {
        let known = OPTIONS.map(|option| option.name).join(", ");
        let message = format!("There is no such option; the engine has {known}.");
        wrong.push(FieldProblem { field: format!("options.{name}"), message });
    }
    let mut settled = Map::new();
    for option in &OPTIONS {
        let given = given.get(option.name).filter(|value| !value.is_null());
        let value = given.or_else(|| genesis.get(option.name)).and_then(|value| match value.as_u64() {
            Some(number) if (option.low..=option.high).contains(&number) => Some(number),
            _ => {
                let message =
                    format!("{value} does not fit: a whole number from {} to {} is expected.", option.low, option.high);
                wrong.push(FieldProblem { field: format!("options.{}", option.name), message });
                None
            }
        });
        settled.insert(option.name.into(), value.unwrap_or(option.default).into());
    }
    settled
}
