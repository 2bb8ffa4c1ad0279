//! The HTTP server: `/api/v1`, networks' JSON-RPC, health, the pages of the error codes and the console.
//!
//! Routes translate between HTTP and use cases and decide nothing. A route can only be registered with the permission that it
//! needs ([`routes::Routes`]); the permission is part of the API description. Errors leave as RFC 9457 problems.

mod auth;
mod console;
mod error_pages;
mod extract;
mod headers;
mod openapi;
mod problem;
mod request;
pub mod routes;
mod server;
mod tls;

use std::sync::Arc;

use control::Control;
use svc_ingress::Ingress;
use tokio_util::sync::CancellationToken;

pub use auth::Signed;
pub use extract::{Create, Json, Path, Query};
pub use openapi::document;
pub use problem::Error;
pub use request::ClientAddress;
pub use server::{Bound, ServeError, ServerConfig, bind, router, serve};
pub use svc_ingress::Options as IngressOptions;
pub use tls::Tls;

/// Result of a route.
pub type Result<T> = std::result::Result<T, Error>;

/// What every route has at hand.
#[derive(Clone, Debug)]
pub struct App(Arc<AppInner>);

#[derive(Debug)]
struct AppInner {
    control: Control,
    ingress: Ingress,
    secure_cookies: bool,
    behind_proxy: bool,
    closing: CancellationToken,
}

impl App {
    pub(crate) fn new(control: Control, config: &ServerConfig, closing: CancellationToken) -> Self {
        let secure_cookies = config.behind_proxy || config.tls.is_some();
        let ingress = Ingress::new(control.clone(), config.ingress, closing.clone());
        App(Arc::new(AppInner { control, ingress, secure_cookies, behind_proxy: config.behind_proxy, closing }))
    }

    /// The control plane.
    pub fn control(&self) -> &Control {
        &self.0.control
    }

    pub(crate) fn ingress(&self) -> &Ingress {
        &self.0.ingress
    }

    /// Cancelled when the server shuts down: streams end then.
    pub fn closing(&self) -> &CancellationToken {
        &self.0.closing
    }

    pub(crate) fn secure_cookies(&self) -> bool {
        self.0.secure_cookies
    }

    pub(crate) fn behind_proxy(&self) -> bool {
        self.0.behind_proxy
    }
}
