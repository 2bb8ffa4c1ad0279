//! What surrounds each request: an id, a log span, a time limit, the client's address.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;
use types::Code;

use crate::{App, Error};

/// The longest until a response begins. Waiting routes have deadlines of their own below it.
const LONGEST: Duration = Duration::from_secs(150);
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, as in the log, the header `x-request-id` and problems.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub String);

/// Gives the request an id and a span, and ends it when it takes too long.
pub(crate) async fn surround(mut request: Request, next: Next) -> Response {
    let id = types::new_id("req");
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!("request", id, method = %request.method(), path = request.uri().path());
    let began = Instant::now();
    let mut response = async {
        let response = match tokio::time::timeout(LONGEST, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Error::new(
                Code::RequestTimeout,
                "The server could not answer in time. What was asked for may still happen: look before you repeat it.",
            )
            .into_response(),
        };
        tracing::debug!(status = response.status().as_u16(), took_ms = began.elapsed().as_millis() as u64, "answered");
        response
    }
    .instrument(span)
    .await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

/// The address of the client; behind a proxy, what the proxy says that it is.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

impl FromRequestParts<App> for ClientAddress {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let peer = peer.unwrap_or(IpAddr::from([0, 0, 0, 0]));
        if !app.behind_proxy() {
            return Ok(ClientAddress(peer));
        }
        // The proxy appends the address it saw: only the last one is its word, those before are the client's own.
        let told = parts.headers.get_all("x-forwarded-for").iter().next_back();
        let told = told.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        Ok(ClientAddress(told.unwrap_or(peer)))
    }
}
