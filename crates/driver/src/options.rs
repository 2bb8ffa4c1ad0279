//! Options of an engine, whole numbers and texts: their JSON Schema and what a person gave, checked.

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

/// One option, a text.
pub struct TextOption {
    /// As in the options.
    pub name: &'static str,
    /// For a person.
    pub title: &'static str,
    /// What it does and what follows from it.
    pub description: &'static str,
    /// Taken when none is given.
    pub default: &'static str,
    /// A regular expression that is met by what fits, for forms (JSON Schema's `pattern`).
    pub pattern: &'static str,
    /// Most characters.
    pub longest: usize,
    /// All that fits, where that is a few words; else none.
    pub choices: &'static [&'static str],
    /// Whether a text fits: the check itself.
    pub fits: fn(&str) -> bool,
    /// What is expected, as the end of a sentence.
    pub expected: &'static str,
}

/// JSON Schema of options that are all numbers.
pub fn options_schema(options: &[NumberOption]) -> Value {
    mixed_options_schema(&[], options)
}

/// JSON Schema of options.
pub fn mixed_options_schema(texts: &[TextOption], numbers: &[NumberOption]) -> Value {
    let text = |option: &TextOption| {
        let mut schema = json!({
            "type": "string", "title": option.title, "description": option.description, "default": option.default,
        });
        if option.choices.is_empty() {
            schema["pattern"] = option.pattern.into();
            schema["maxLength"] = option.longest.into();
        } else {
            schema["enum"] = option.choices.into();
        }
        (option.name.to_owned(), schema)
    };
    let number = |option: &NumberOption| {
        let schema = json!({
            "type": "integer", "title": option.title, "description": option.description,
            "default": option.default, "minimum": option.low, "maximum": option.high,
        });
        (option.name.to_owned(), schema)
    };
    let properties: Map<String, Value> = texts.iter().map(text).chain(numbers.iter().map(number)).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

/// Options that are all numbers, with values from the genesis and defaults filled in; what does not fit goes to `wrong`.
pub fn settle_options(
    options: &[NumberOption],
    given: &Value,
    genesis: &Map<String, Value>,
    wrong: &mut Vec<FieldProblem>,
) -> Map<String, Value> {
    settle_mixed_options(&[], options, given, genesis, wrong)
}

/// The options with values from the genesis and defaults filled in; what does not fit goes to `wrong`.
pub fn settle_mixed_options(
    texts: &[TextOption],
    numbers: &[NumberOption],
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
    let known: Vec<&str> =
        texts.iter().map(|option| option.name).chain(numbers.iter().map(|option| option.name)).collect();
    for name in given.keys().filter(|name| !known.contains(&name.as_str())) {
        let message = format!("There is no such option; the engine has {}.", known.join(", "));
        wrong.push(FieldProblem { field: format!("options.{name}"), message });
    }
    let mut settled = Map::new();
    let value_of = |name: &str| given.get(name).filter(|value| !value.is_null()).or_else(|| genesis.get(name));
    for option in texts {
        let value = value_of(option.name).and_then(|value| match value.as_str() {
            Some(text) if text.chars().count() <= option.longest && (option.fits)(text) => Some(text),
            _ => {
                let message = format!("{value} does not fit: {} is expected.", option.expected);
                wrong.push(FieldProblem { field: format!("options.{}", option.name), message });
                None
            }
        });
        settled.insert(option.name.into(), value.unwrap_or(option.default).into());
    }
    for option in numbers {
        let value = value_of(option.name).and_then(|value| match value.as_u64() {
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
