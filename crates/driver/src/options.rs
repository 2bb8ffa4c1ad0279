//! Options of an engine that are whole numbers: their JSON Schema and what a person gave, checked.

use serde_json::{Map, Value, json};
use types::{Code, FieldProblem, Problem};

/// One option, a whole number.
pub struct NumberOption {
    /// As in the options.
    pub name: &'static str,
    /// For a person.
    pub title: &'static str,
    /// What it does and what follows from it.
    pub description: &'static str,
    /// Taken when none is given.
    pub default: u64,
    /// Least that fits.
    pub low: u64,
    /// Most that fits.
    pub high: u64,
}

/// JSON Schema of options.
pub fn options_schema(options: &[NumberOption]) -> Value {
    let properties: Map<String, Value> = options
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
pub fn settle_options(
    options: &[NumberOption],
    given: &Value,
    genesis: &Map<String, Value>,
    wrong: &mut Vec<FieldProblem>,
) -> Map<String, Value> {
    let none = Map::new();
    let given = match given {
        Value::Null => &none,
        Value::Object(given) => given,
        _ => {
            wrong.push(FieldProblem { field: "options".into(), message: "An object is expected.".into() });
            &none
        }
    };
    for name in given.keys().filter(|name| options.iter().all(|option| option.name != name.as_str())) {
        let known: Vec<&str> = options.iter().map(|option| option.name).collect();
        let message = format!("There is no such option; the engine has {}.", known.join(", "));
        wrong.push(FieldProblem { field: format!("options.{name}"), message });
    }
    let mut settled = Map::new();
    for option in options {
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

/// The problem with one field of a draft.
pub fn field_problem(code: Code, field: &str, message: &str) -> Problem {
    field_problems(code, vec![FieldProblem { field: field.into(), message: message.into() }])
}

/// The problem with fields of a draft; its detail names those that are not at the top.
pub fn field_problems(code: Code, fields: Vec<FieldProblem>) -> Problem {
    let several = fields.len() > 1;
    let detail: Vec<String> = fields
        .iter()
        .map(|wrong| {
            if several || wrong.field.contains('.') {
                format!("{}: {}", wrong.field, wrong.message)
            } else {
                wrong.message.clone()
            }
        })
        .collect();
    Problem { fields, ..code.problem(detail.join(" ")) }
}
