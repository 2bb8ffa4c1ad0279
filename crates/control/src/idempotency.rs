//! Creations that can be repeated safely: the answer is recorded in the transaction that creates, under the key that the client
//! chose, for [`KEPT`]. Secrets are not recorded: the repeated answer to the creation of an access key lacks the secret.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Tx, idempotency};
use types::Code;

use crate::{Caller, Error, Result};

/// How long an answer is kept.
pub const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// A client's idempotency key and what it was sent with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    key: String,
    request_hash: String,
}

impl Idempotency {
    /// A key (1 to 200 visible ASCII characters) and a hash over method, path and body of its request.
    pub fn new(key: &str, request_hash: String) -> Result<Self> {
        if !(1..=200).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::new(
                Code::RequestInvalid,
                "The header Idempotency-Key must be 1 to 200 visible ASCII characters.",
            ));
        }
        Ok(Idempotency { key: key.to_owned(), request_hash })
    }
}

/// The answer that was given before, if the caller sent the same creation before.
///
/// Fails with `request.idempotency_conflict` when the key was used for another request.
pub async fn repeated<T: DeserializeOwned>(
    tx: &mut Tx,
    caller: &Caller,
    idempotency: Option<&Idempotency>,
) -> Result<Option<T>> {
    let Some(wanted) = idempotency else { return Ok(None) };
    let Some(recorded) = idempotency::find(tx, caller.owner(), &wanted.key).await? else { return Ok(None) };
    if recorded.request_hash != wanted.request_hash {
        return Err(Error::new(
            Code::IdempotencyConflict,
            "This idempotency key was used for a different request. Choose a fresh key for each creation.",
        ));
    }
    serde_json::from_str(&recorded.answer)
        .map(Some)
        .map_err(|error| Error::internal("a recorded answer cannot be read", error))
}

/// Records an answer, in the transaction that creates what it tells of.
pub async fn record<T: Serialize>(
    tx: &mut Tx,
    caller: &Caller,
    idempotency: Option<&Idempotency>,
    answer: &T,
) -> Result<()> {
    let Some(wanted) = idempotency else { return Ok(()) };
    let answer =
        serde_json::to_string(answer).map_err(|error| Error::internal("an answer cannot be recorded", error))?;
    let recorded = idempotency::Recorded { request_hash: wanted.request_hash.clone(), answer };
    match idempotency::insert(tx, caller.owner(), &wanted.key, &recorded).await {
        // Only on PostgreSQL, where creations run side by side.
        Err(store::Error::Taken { .. }) => Err(Error::new(
            Code::IdempotencyConflict,
            "A request with this idempotency key is running now. Send it again in a moment.",
        )),
        other => Ok(other?),
    }
}
