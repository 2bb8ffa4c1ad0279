//! The listener, the layers around every route, and a clean end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension};
use axum::http::{StatusCode, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::get;
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use control::Control;
use hyper_util::rt::TokioTimer;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use types::Code;

use crate::headers::{Hardening, harden};
use crate::{App, Error, Tls, console, error_pages, extract, problem, request, routes};

/// How long a client may take to send a request's headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long requests that run may take to end when the server shuts down.
const GRACE: Duration = Duration::from_secs(20);

/// How the server listens.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// TLS; none for plain HTTP.
    pub tls: Option<Tls>,
    /// A proxy in front ends TLS: plain HTTP is accepted beyond loopback, and `X-Forwarded-For` is believed.
    pub behind_proxy: bool,
    /// What applications are held to.
    pub ingress: svc_ingress::Options,
}

impl ServerConfig {
    /// Plain HTTP, not behind a proxy.
    pub fn new(listen: SocketAddr) -> Self {
        ServerConfig { listen, tls: None, behind_proxy: false, ingress: Default::default() }
    }
}

/// Why the server does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Plain HTTP beyond loopback would show passwords and keys to the network.
    #[error(
        "listening on {0} needs TLS: give --tls-cert and --tls-key, or --tls self, or --behind-proxy when a proxy in front ends TLS"
    )]
    Insecure(SocketAddr),
    /// The address is taken.
    #[error("{0} is in use by another program: stop that one or choose another address with --listen")]
    InUse(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The certificate cannot be used.
    #[error("TLS cannot be set up")]
    Tls(#[from] keys::Error),
    /// The listener failed while serving.
    #[error("the listener failed")]
    Serve(#[source] std::io::Error),
}

impl ServeError {
    /// The code that a person sees.
    pub fn code(&self) -> Code {
        match self {
            ServeError::Insecure(_) => Code::RequestInvalid,
            ServeError::InUse(_) => Code::PortInUse,
            ServeError::Tls(error) => error.code(),
            ServeError::Listen(..) => Code::Unavailable,
            ServeError::Serve(_) => Code::Internal,
        }
    }
}

/// A listener that is bound and not yet served.
#[derive(Debug)]
pub struct Bound {
    listener: std::net::TcpListener,
    address: SocketAddr,
    config: ServerConfig,
    tls: Option<RustlsConfig>,
}

/// Binds the listener. `tls_directory` is where a self-made certificate is kept.
pub fn bind(config: ServerConfig, tls_directory: PathBuf) -> Result<Bound, ServeError> {
    if !config.listen.ip().is_loopback() && config.tls.is_none() && !config.behind_proxy {
        return Err(ServeError::Insecure(config.listen));
    }
    let tls = match &config.tls {
        Some(tls) => Some(RustlsConfig::from_config(tls.server_config(&tls_directory, config.listen.ip())?)),
        None => None,
    };
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AddrInUse => ServeError::InUse(config.listen),
        _ => ServeError::Listen(config.listen, error),
    };
    let listener = std::net::TcpListener::bind(config.listen).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Bound { listener, address, config, tls })
}

impl Bound {
    /// The address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the console for a person: `http(s)://…`.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let mut shown = self.address;
        if shown.ip().is_unspecified() {
            shown.set_ip(if shown.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
        }
        format!("{scheme}://{shown}")
    }

    /// Serves until `shutdown` is cancelled; then takes no more requests, ends streams and lets what runs end within 20 s.
    pub async fn serve(self, control: Control, shutdown: CancellationToken) -> Result<(), ServeError> {
        let app = App::new(control, &self.config, shutdown.clone());
        let service = router(app, self.tls.is_some()).into_make_service_with_connect_info::<SocketAddr>();
        let handle = Handle::new();
        let closing = tokio::spawn({
            let handle = handle.clone();
            async move {
                shutdown.cancelled().await;
                handle.graceful_shutdown(Some(GRACE));
            }
        });
        let mut server = axum_server::from_tcp(self.listener).map_err(ServeError::Serve)?.handle(handle);
        server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
        server.http_builder().http2().timer(TokioTimer::new()).keep_alive_interval(Some(Duration::from_secs(30)));
        // An answer that comes in parts would wait for the client to acknowledge the first.
        let served = match self.tls {
            Some(tls) => server.acceptor(RustlsAcceptor::new(tls).acceptor(NoDelayAcceptor)).serve(service).await,
            None => server.acceptor(NoDelayAcceptor).serve(service).await,
        };
        closing.abort();
        served.map_err(ServeError::Serve)
    }
}

/// Binds and serves until `shutdown` is cancelled.
pub async fn serve(config: ServerConfig, control: Control, shutdown: CancellationToken) -> Result<(), ServeError> {
    let directory = control.directory().tls();
    bind(config, directory)?.serve(control, shutdown).await
}

/// Everything that is served, with the layers around it; the outermost comes last.
pub fn router(app: App, tls: bool) -> Router {
    let (api, _) = routes::all().into_parts();
    api.route("/errors/{code}", get(error_pages::show))
        .fallback(console::fallback)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(extract::BODY_LIMIT))
        .layer(Extension(app.clone()))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| panicked()))
        .layer(from_fn(problem::name_request))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(Hardening { tls }, harden))
        .layer(from_fn(request::surround))
        .with_state(app)
}

async fn wrong_method(uri: Uri) -> impl IntoResponse {
    Error::new(Code::MethodNotAllowed, format!("{} does not offer this method.", uri.path()))
}

/// The panic hook has logged the cause already.
fn panicked() -> axum::response::Response {
    let failure = control::Error::Internal("a route panicked".into(), None);
    let mut response = Error::from(failure).into_response();
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
