//! JSON-RPC errors, with the codes and words that Ethereum clients know.

use alloy_primitives::B256;
use chain_exec::{CallError, StateError};
use chain_pool::Refusal;
use chain_store::StoreError;
use jsonrpsee::types::{
    ErrorObjectOwned,
    error::{INTERNAL_ERROR_CODE, INVALID_PARAMS_CODE, METHOD_NOT_FOUND_CODE},
};

/// geth's code for everything that has none of its own.
const SERVER: i32 = -32000;

/// EIP-1474: the request exceeds a limit.
const LIMIT: i32 = -32005;

/// EIP-7966.
const SYNC_TIMEOUT: i32 = 4;
const SYNC_NOT_READY: i32 = 5;

pub(crate) fn server(message: impl Into<String>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(SERVER, message, None::<()>)
}

pub(crate) fn limit(message: impl Into<String>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(LIMIT, message, None::<()>)
}

/// Whether less would have been answered.
pub(crate) fn is_limit(error: &ErrorObjectOwned) -> bool {
    error.code() == LIMIT
}

pub(crate) fn invalid_params(message: impl Into<String>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(INVALID_PARAMS_CODE, message, None::<()>)
}

pub(crate) fn not_offered(message: impl Into<String>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(METHOD_NOT_FOUND_CODE, message, None::<()>)
}

/// The cause goes to the log, not to the client.
pub(crate) fn internal(cause: &dyn std::fmt::Display) -> ErrorObjectOwned {
    tracing::error!(%cause, "a JSON-RPC request failed");
    ErrorObjectOwned::owned(INTERNAL_ERROR_CODE, "internal error; the node's log says more", None::<()>)
}

pub(crate) fn header_not_found() -> ErrorObjectOwned {
    server("header not found")
}

pub(crate) fn sync_timeout(seconds: f64, hash: B256) -> ErrorObjectOwned {
    let message = format!("The transaction was added to the mempool but wasn't processed in {seconds}s.");
    ErrorObjectOwned::owned(SYNC_TIMEOUT, message, Some(hash))
}

pub(crate) fn sync_not_ready(next: u64, hash: B256) -> ErrorObjectOwned {
    let message = format!(
        "The transaction was added to the mempool but cannot be processed: the sender's next nonce is {next}, or it cannot pay yet."
    );
    ErrorObjectOwned::owned(SYNC_NOT_READY, message, Some(hash))
}

pub(crate) fn store(error: StoreError) -> ErrorObjectOwned {
    match error {
        StoreError::TooManyLogs { .. } => limit(error.to_string()),
        other => internal(&other),
    }
}

pub(crate) fn state(error: StateError) -> ErrorObjectOwned {
    internal(&error)
}

pub(crate) fn call(error: CallError) -> ErrorObjectOwned {
    match &error {
        CallError::Failed(cause) => internal(cause),
        other => ErrorObjectOwned::owned(other.code(), other.to_string(), other.data()),
    }
}

pub(crate) fn refusal(refusal: Refusal) -> ErrorObjectOwned {
    match &refusal {
        Refusal::State(cause) => internal(cause),
        refused if refused.is_overload() => limit(refused.to_string()),
        refused => server(refused.to_string()),
    }
}
