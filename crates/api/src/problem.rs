//! Errors as RFC 9457 problem documents.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use types::{Code, Problem};

use crate::request::RequestId;

/// Why a route failed.
#[derive(Debug)]
pub struct Error(control::Error);

impl Error {
    /// A failure of a code, with what happened and what to do next.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Error(control::Error::new(code, detail))
    }
}

impl<E: Into<control::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Error(error.into())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if self.0.is_internal() {
            tracing::error!(code = %self.0.code(), error = self.0.chain(), "a request failed");
        } else {
            tracing::debug!(code = %self.0.code(), error = self.0.chain(), "a request was refused");
        }
        let mut response = respond(self.0.problem());
        if let control::Error::Throttled { seconds } = self.0 {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Makes the response of a problem.
pub(crate) fn respond(problem: Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(&problem)).into_response();
    let json = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response.extensions_mut().insert(problem);
    response
}

/// Puts the request's id into problems, where the routes do not know it.
pub(crate) async fn name_request(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let mut response = next.run(request).await;
    match (response.extensions_mut().remove::<Problem>(), id) {
        (Some(mut problem), Some(RequestId(id))) => {
            problem.instance = Some(id);
            let headers = response.headers().clone();
            let mut named = respond(problem);
            for (name, value) in &headers {
                if name != header::CONTENT_LENGTH && !named.headers().contains_key(name) {
                    named.headers_mut().append(name.clone(), value.clone());
                }
            }
            named
        }
        _ => response,
    }
}
