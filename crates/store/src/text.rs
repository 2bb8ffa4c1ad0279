//! Values that are kept as text: words of enums and JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// The word by which serde writes a unit variant.
pub(crate) fn of<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        // Only unit variants are given to this function.
        other => unreachable!("not a word: {other:?}"),
    }
}

/// Reads a word back.
pub(crate) fn word<T: DeserializeOwned>(word: &str) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(word.into()))
        .map_err(|error| Error::stored("word", format!("`{word}`: {error}")))
}

/// Reads a JSON document.
pub(crate) fn json(text: &str) -> Result<serde_json::Value> {
    from_json(text)
}

/// Reads a value from JSON.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::stored("value", error))
}

/// Writes a value as JSON.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    // Maps have text keys and nothing here writes itself in a way that can fail.
    serde_json::to_string(value).expect("the stored types always serialise")
}

/// `$first, $first+1, …`
pub(crate) fn placeholders(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

macro_rules! text_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum $name { $($variant),* }

        impl $name {
            /// As it is stored.
            pub fn as_str(self) -> &'static str { match self { $($name::$variant => $text),* } }

            fn parse(text: &str) -> $crate::Result<Self> {
                match text {
                    $($text => Ok($name::$variant),)*
                    _ => Err($crate::Error::stored(stringify!($name), format!("`{text}`"))),
                }
            }
        }
    };
}
pub(crate) use text_enum;
