//! Reading requests, with errors that say which field is wrong.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use control::Idempotency;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use types::{Code, FieldProblem};

use crate::{Error, Result};

/// Most bytes of a body. A contract's artifact is the largest thing that is sent.
pub(crate) const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// A JSON body, to read or to answer.
#[derive(Clone, Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Sync + Send> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        Ok(Json(parse(&body(request, state).await?)?))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The body of a creation and its idempotency key.
#[derive(Clone, Debug)]
pub struct Create<T> {
    /// The body.
    pub body: T,
    /// Header `Idempotency-Key`, if there is one.
    pub idempotency: Option<Idempotency>,
}

impl<T: DeserializeOwned, S: Sync + Send> FromRequest<S> for Create<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        // A value that is not ASCII becomes empty, which is refused below.
        let key = request.headers().get("idempotency-key").map(|value| value.to_str().unwrap_or("").to_owned());
        let mut digest = Sha256::new();
        digest.update(request.method().as_str());
        digest.update([0]);
        digest.update(request.uri().to_string());
        digest.update([0]);
        let bytes = body(request, state).await?;
        digest.update(&bytes);
        let idempotency = key.map(|key| Idempotency::new(&key, hex::encode(digest.finalize()))).transpose()?;
        Ok(Create { body: parse(&bytes)?, idempotency })
    }
}

async fn body<S: Sync + Send>(request: Request, state: &S) -> Result<Bytes> {
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    if !media_type.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/json") {
        return Err(Error::new(Code::RequestBody, "Send the body as JSON, with content-type application/json."));
    }
    Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Error::new(Code::RequestTooLarge, format!("A body may have at most {} MiB.", BODY_LIMIT >> 20))
        } else {
            Error::new(Code::RequestBody, "The body could not be read.")
        }
    })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    // serde would take a list for the fields in their order.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(wrong(Code::RequestBody, ".", "an object is expected, not a list"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        wrong(Code::RequestBody, &path, &error.inner().to_string())
    })?;
    reader.end().map_err(|error| wrong(Code::RequestBody, ".", &error.to_string()))?;
    Ok(value)
}

fn wrong(code: Code, path: &str, message: &str) -> Error {
    let whole = path.is_empty() || path == "." || path == "?";
    let detail =
        if whole { format!("It does not fit: {message}.") } else { format!("“{path}” does not fit: {message}.") };
    let mut problem = code.problem(detail);
    if !whole {
        problem.fields = vec![FieldProblem { field: path.to_owned(), message: message.to_owned() }];
    }
    Error::from(problem)
}

/// The query of a request.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        axum::extract::Query::try_from_uri(&parts.uri).map(|query| Query(query.0)).map_err(|rejection| {
            let text = rejection.body_text();
            let reason = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            let (field, message) = reason.split_once(": ").unwrap_or(("", reason));
            wrong(Code::RequestInvalid, field, message)
        })
    }
}

/// The named parts of a request's path.
#[derive(Clone, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|path| Path(path.0)).map_err(|_| Error::new(Code::RequestInvalid, "The address is not UTF-8."))
    }
}
