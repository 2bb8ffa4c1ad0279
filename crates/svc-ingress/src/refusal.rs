//! Refusals, as JSON-RPC errors. Clients of Ethereum show an error object of the body, whatever the HTTP status is; a problem
//! document they would not.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::value::RawValue;
use types::Code;

/// Codes of JSON-RPC 2.0, section 5.1, and of EIP-1474.
const PARSE: i64 = -32700;
const INVALID: i64 = -32600;
const MISSING: i64 = -32601;
const SERVER: i64 = -32000;
const NOT_FOUND: i64 = -32001;
const UNAVAILABLE: i64 = -32002;
const LIMIT: i64 = -32005;

/// Why something is not done.
#[derive(Debug)]
pub(crate) struct Refusal {
    rpc: i64,
    code: Code,
    message: String,
    retry_after: Option<u64>,
}

impl Refusal {
    /// A refusal of a request with the code's HTTP status.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let rpc = match code {
            Code::RequestInvalid | Code::RequestBody | Code::RequestTooLarge => INVALID,
            Code::NotFound => NOT_FOUND,
            Code::RpcMethod => MISSING,
            Code::RpcLimit => LIMIT,
            Code::NodeUnreachable => UNAVAILABLE,
            _ => SERVER,
        };
        Self { rpc, code, message: message.into(), retry_after: None }
    }

    /// What came is not JSON.
    pub fn not_json(error: &serde_json::Error) -> Self {
        Self { rpc: PARSE, ..Self::new(Code::RequestBody, format!("parse error: {error}")) }
    }

    /// A limit that may be tried again after some seconds.
    pub fn limit(message: impl Into<String>, retry_after: u64) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(Code::RpcLimit, message) }
    }

    /// Logs the cause, which is no caller's business.
    pub fn because(self, cause: &dyn std::fmt::Display) -> Self {
        tracing::debug!(code = %self.code, %cause, "a call is not answered");
        self
    }

    /// The error as the answer to a call.
    pub fn answer(&self, id: Option<&RawValue>) -> String {
        let error = serde_json::json!({
            "code": self.rpc,
            "message": self.message,
            "data": {"code": self.code.as_str(), "type": format!("/errors/{}", self.code.as_str())},
        });
        format!(r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#, id.map_or("null", RawValue::get))
    }
}

impl From<control::Error> for Refusal {
    fn from(error: control::Error) -> Self {
        if error.is_internal() {
            tracing::error!(code = %error.code(), error = error.chain(), "a call of an application failed");
        }
        Self::new(error.code(), error.problem().detail)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = json(self.answer(None));
        *response.status_mut() = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.code == Code::RpcCredential {
            // Clients that take user and password from an address send them only when they are asked to.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(r#"Basic realm="Polder application""#));
        }
        response
    }
}

/// A response of JSON text.
pub(crate) fn json(text: String) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}
