//! Reading what an application sends, as far as needed: the members of each call, the parameters unread.
//!
//! A call goes to a node as it came, so it must mean the same here and there. Nodes written in Go find members without regard
//! to case and take the last of several: a member that JSON-RPC does not have, and one that comes twice, are refused.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::refusal::Refusal;
use types::Code;

/// One call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call<'a> {
    #[serde(default, rename = "jsonrpc")]
    _version: Option<Cow<'a, str>>,
    /// None for a notification, which is not answered.
    #[serde(default, borrow)]
    pub id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    /// The parameters.
    #[serde(default, borrow)]
    pub params: Option<&'a RawValue>,
}

impl Call<'_> {
    /// The method's name.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// An answer with a result, which is JSON.
    pub fn result(&self, result: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, self.id.map_or("null", RawValue::get))
    }
}

/// What came.
#[derive(Debug)]
pub(crate) enum Message<'a> {
    One(Call<'a>),
    /// Each with its text, or why it is none.
    Batch(Vec<(&'a str, Result<Call<'a>, Refusal>)>),
}

/// Reads a request or a message.
pub(crate) fn read(bytes: &[u8]) -> Result<Message<'_>, Refusal> {
    if bytes.trim_ascii_start().first() != Some(&b'[') {
        return serde_json::from_slice(bytes).map(Message::One).map_err(|error| wrong(&error));
    }
    let texts: Vec<&RawValue> = serde_json::from_slice(bytes).map_err(|error| wrong(&error))?;
    if texts.is_empty() {
        return Err(Refusal::new(Code::RequestBody, "invalid request: the batch is empty"));
    }
    fn call(text: &RawValue) -> Result<Call<'_>, Refusal> {
        serde_json::from_str(text.get()).map_err(|error| wrong(&error))
    }
    Ok(Message::Batch(texts.into_iter().map(|text| (text.get(), call(text))).collect()))
}

fn wrong(error: &serde_json::Error) -> Refusal {
    match error.classify() {
        serde_json::error::Category::Data => Refusal::new(Code::RequestBody, format!("invalid request: {error}")),
        _ => Refusal::not_json(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_means_the_same_to_every_reader() {
        let Ok(Message::One(call)) = read(br#" {"id":"a","jsonrpc":"2.0","method":"eth_\u0063all","params":[1]}"#)
        else {
            panic!("it is a call");
        };
        assert_eq!((call.method(), call.id.map(RawValue::get)), ("eth_call", Some(r#""a""#)));
        assert_eq!(call.result("[]"), r#"{"jsonrpc":"2.0","id":"a","result":[]}"#);
        for ambiguous in [
            r#"{"method":"eth_call","Method":"admin_peers"}"#,
            r#"{"method":"eth_call","method":"admin_peers"}"#,
            r#"{"method":"eth_call","METHOD":"admin_peers"}"#,
            r#"{"method":"eth_call"} {"method":"admin_peers"}"#,
            r#"{"method":["eth_call"]}"#,
            "{}",
            "1",
            "",
        ] {
            assert!(read(ambiguous.as_bytes()).is_err(), "{ambiguous}");
        }
    }

    #[test]
    fn each_call_of_a_batch_is_read() {
        let Ok(Message::Batch(calls)) = read(br#"[{"method":"a","id":1}, 7, {"method":"b"}]"#) else {
            panic!("it is a batch");
        };
        assert_eq!(calls.iter().map(|(_, call)| call.is_ok()).collect::<Vec<_>>(), [true, false, true]);
        assert!(read(b"[]").is_err());
    }
}
