//! Results as tables for people or as one JSON document for programs.

use comfy_table::{Table, presets};
use serde::Serialize;

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
    println!("{table}");
    Ok(())
}

/// Prints one thing: its fields below each other, nested ones as JSON.
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
    for (name, value) in fields {
        let text = match value {
            serde_json::Value::Null => continue,
            serde_json::Value::String(text) => text,
            serde_json::Value::Number(number) if name.ends_with("At") || name == "at" => {
                number.as_i64().map_or_else(|| number.to_string(), time)
            }
            other => serde_json::to_string_pretty(&other).map_err(|error| Error::Answer(error.to_string()))?,
        };
        table.add_row([name, text]);
    }
    println!("{table}");
    Ok(())
}

/// A table without a frame.
pub fn table(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(heads.iter().map(|head| head.to_uppercase()));
    table
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Error::Answer(error.to_string()))?;
    println!("{text}");
    Ok(())
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
