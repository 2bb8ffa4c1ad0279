//! Who may speak to the server: names in `Host`, and web pages by their `Origin`.
//!
//! A page in a browser can reach a loopback port under a name of its own (DNS rebinding) or open a WebSocket
//! to it from any origin; both show in these headers. There is no CORS, so a page cannot read answers either.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Names that are served, in lower case; `*` is any.
#[derive(Clone, Debug)]
pub(crate) struct AllowedHosts(Arc<[String]>);

impl AllowedHosts {
    pub(crate) fn new(names: &[String]) -> Self {
        Self(names.iter().map(|name| name.to_lowercase()).collect())
    }

    fn has(&self, authority: &str) -> bool {
        let name = without_port(authority).to_lowercase();
        self.0.iter().any(|allowed| allowed == "*" || *allowed == name)
    }

    fn allow(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), &'static str> {
        let host = match headers.get(header::HOST) {
            Some(host) => host.to_str().ok(),
            None => uri.authority().map(|authority| authority.as_str()),
        };
        if !host.is_some_and(|host| self.has(host)) {
            return Err("this Host name is not served; the node's allow-list of host names decides");
        }
        match headers.get(header::ORIGIN) {
            None => Ok(()),
            Some(origin) => {
                let origin = origin.to_str().unwrap_or_default();
                match origin.split_once("://") {
                    Some((_, authority)) if self.has(authority) => Ok(()),
                    _ => Err("pages of this Origin are not served; the node's allow-list of host names decides"),
                }
            }
        }
    }
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        // The colon of an IPv6 address is followed by its bracket somewhere.
        Some((name, port)) if !port.contains(']') => name,
        _ => authority,
    }
}

/// Refuses requests for other names.
pub(crate) async fn check(State(allowed): State<AllowedHosts>, request: Request, next: Next) -> Response {
    match allowed.allow(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(reason) => (StatusCode::FORBIDDEN, reason).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(host: &str, origin: Option<&str>) -> bool {
        let names = ["localhost", "127.0.0.1", "[::1]"].map(String::from);
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        AllowedHosts::new(&names).allow(&Uri::from_static("/"), &headers).is_ok()
    }

    #[test]
    fn names_are_compared_without_ports_and_case() {
        for host in ["localhost", "LocalHost:8545", "127.0.0.1:1", "[::1]:8545", "[::1]"] {
            assert!(allowed(host, None), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:8545", "127.0.0.2", "[::2]:8545", ""] {
            assert!(!allowed(host, None), "{host}");
        }
        assert!(allowed("localhost", Some("http://localhost:3000")));
        assert!(!allowed("localhost", Some("https://evil.example")));
        assert!(!allowed("localhost", Some("null")));
    }
}
