//! Results as tables for people or as one JSON document for programs.

use comfy_table::{Table, presets};
use serde::Serialize;
use types::Code;

use crate::{Error, OutputFormat};

/// A row of a table: what a list shows of one thing.
pub trait Row {
    /// The column heads.
    const HEADS: &'static [&'static str];
    /// The cells, one for each head.
    fn cells(&self) -> Vec<String>;
}

/// Prints a list.
pub fn page<T: Serialize + Row>(format: OutputFormat, page: &types::Page<T>) -> Result<(), Error> {
    if format == OutputFormat::Json {
        return json(page);
    }
    let mut table = table(T::HEADS);
    for item in &page.items {
        table.add_row(item.cells());
    }
    line(&table)
}

/// Writes to standard output. A reader that has seen enough (`| head`) ends the command, which is not an error.
pub fn line(text: &dyn std::fmt::Display) -> Result<(), Error> {
    use std::io::Write as _;
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        written => written
            .map_err(|error| Error::Failed(Code::HostFile, format!("standard output cannot be written: {error}"))),
    }
}

/// What a list inside one thing shows of its items; of other lists everything that is a single value.
const COLUMNS: &[(&str, &[&str])] = &[
    ("nodes", &["name", "member", "kind", "status", "height", "rpc"]),
    ("members", &["name", "title", "joinedAt", "publicKey"]),
    ("steps", &["title", "status", "attempts", "message"]),
    ("items", &["hash", "from", "to", "status", "method"]),
    ("logs", &["index", "address", "decoded"]),
    ("arguments", &["name", "type", "value"]),
];

/// Prints one thing: its fields below each other, then its lists as tables.
pub fn one<T: Serialize>(format: OutputFormat, thing: &T) -> Result<(), Error> {
    if format == OutputFormat::Json {
        return json(thing);
    }
    let value = serde_json::to_value(thing).map_err(|error| Error::Answer(error.to_string()))?;
    let serde_json::Value::Object(fields) = value else {
        return json(thing);
    };
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    let mut lists = Vec::new();
    rows("", &fields, &mut table, &mut lists);
    line(&table)?;
    lists.into_iter().try_for_each(|(name, list)| line(&format!("\n{name}\n{list}")))
}

/// Adds a row for each field; a nested object's fields are named `outer.inner`. Lists of objects go to `lists`.
fn rows(
    prefix: &str,
    fields: &serde_json::Map<String, serde_json::Value>,
    table: &mut Table,
    lists: &mut Vec<(String, Table)>,
) {
    for (name, value) in fields {
        // The engine's own form repeats what is above it; `--output json` has it.
        if name == "raw" {
            continue;
        }
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            serde_json::Value::Object(inner) => rows(&path, inner, table, lists),
            serde_json::Value::Array(items) if items.iter().any(serde_json::Value::is_object) => {
                lists.push((path, list(name, items)));
            }
            value => {
                let text = text(name, value);
                if !text.is_empty() {
                    table.add_row([path, text]);
                }
            }
        }
    }
}

fn list(name: &str, items: &[serde_json::Value]) -> Table {
    let heads: Vec<&str> = match COLUMNS.iter().find(|(list, _)| *list == name) {
        // Of some things that are listed under a name not all of it is known.
        Some((_, heads)) => {
            heads.iter().copied().filter(|head| items.iter().any(|item| item.get(head).is_some())).collect()
        }
        None => {
            let fields = items.iter().filter_map(serde_json::Value::as_object).flatten();
            let mut heads = Vec::new();
            for (name, value) in fields {
                if !value.is_object() && !heads.contains(&name.as_str()) {
                    heads.push(name);
                }
            }
            heads
        }
    };
    let names: Vec<String> = heads.iter().map(|head| spaced(head)).collect();
    let mut table = table(&names.iter().map(String::as_str).collect::<Vec<_>>());
    for item in items {
        table.add_row(heads.iter().map(|head| match &item[head] {
            // A log of a contract whose interface is not known.
            serde_json::Value::Null if *head == "decoded" => text("topics", &item["topics"]),
            value => text(head, value),
        }));
    }
    table
}

/// `joinedAt` as `joined at`.
fn spaced(name: &str) -> String {
    name.chars().flat_map(|letter| [letter.is_ascii_uppercase().then_some(' '), Some(letter)]).flatten().collect()
}

/// A field's value for people: times as text, lists and decoded calls in one line, nothing for null.
fn text(name: &str, value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(number) if name.ends_with("At") || name == "at" => {
            number.as_i64().map_or_else(|| number.to_string(), time)
        }
        // What a call returned is shown, even if it is nothing.
        serde_json::Value::Array(items) if items.is_empty() && name == "result" => "[]".into(),
        serde_json::Value::Array(items) => items.iter().map(|item| text("", item)).collect::<Vec<_>>().join(" "),
        // A decoded call or event.
        serde_json::Value::Object(call) if call.contains_key("arguments") => {
            let arguments = call["arguments"].as_array().into_iter().flatten();
            let arguments = arguments
                .map(|one| format!("{}={}", text("", &one["name"]), text("", &one["value"])))
                .collect::<Vec<_>>();
            format!("{}({})", text("", &call["name"]), arguments.join(", "))
        }
        other => other.to_string(),
    }
}

/// A table without a frame.
pub fn table(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(heads.iter().map(|head| head.to_uppercase()));
    table
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Error::Answer(error.to_string()))?;
    line(&text)
}

/// Microseconds since 1970 as local-independent text.
pub fn time(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |time| format!("{time:.0}"))
}

/// The text of a unit enum as the API writes it.
pub fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A value or a dash.
pub fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".into(), |value| value.to_string())
}
