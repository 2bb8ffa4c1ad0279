//! Reaching nodes: HTTP over the host's streams, connections kept for the next call.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _};
use host::{ByteStream, Host};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::http::Uri;
use hyper::{Request, Response, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use types::Id;

/// Longest that a connection may take to open.
const CONNECT: Duration = Duration::from_secs(3);
/// Longest until an answer begins. Some reads take long.
const ANSWER: Duration = Duration::from_secs(60);
/// Shorter than any node keeps a connection that is not used.
const IDLE: Duration = Duration::from_secs(15);
/// Connections kept to one node; more are opened when more calls run at once.
const KEPT: usize = 64;
/// How long a node that could not be reached is asked last.
const REST: Duration = Duration::from_secs(2);
/// The name that nodes serve, however a stream came to them.
pub(crate) const HOST: &str = "localhost";

/// No answer came.
#[derive(Debug)]
pub(crate) struct Broken {
    /// Whether the node may have got the call.
    pub sent: bool,
    /// What broke.
    pub reason: String,
}

/// The way to nodes.
pub(crate) struct Nodes {
    host: Arc<dyn Host>,
    client: Client<Reach, Full<Bytes>>,
    resting: Mutex<HashMap<Id, Instant>>,
}

impl Nodes {
    pub fn new(host: Arc<dyn Host>) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(hyper_util::rt::TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(KEPT)
            .build(Reach(host.clone()));
        Self { host, client, resting: Mutex::default() }
    }

    /// Posts a body to a node; the answer's body is still to come.
    pub async fn post(&self, node: &str, body: Bytes) -> Result<Response<Incoming>, Broken> {
        let request = Request::post(format!("http://{node}/"))
            .header(header::HOST, HOST)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| Broken { sent: false, reason: error.to_string() })?;
        let answer = match tokio::time::timeout(ANSWER, self.client.request(request)).await {
            Ok(answer) => answer,
            Err(_) => return Err(Broken { sent: true, reason: "no answer in time".into() }),
        };
        let response = answer.map_err(|error| {
            let sent = !error.is_connect();
            if !sent {
                self.rest(node);
            }
            Broken { sent, reason: format!("{error:?}") }
        })?;
        let status = response.status();
        if !status.is_success() {
            // 4xx: too many connections, a name that is not served; nothing was taken. 5xx may come from behind.
            return Err(Broken { sent: status.is_server_error(), reason: format!("HTTP status {status}") });
        }
        Ok(response)
    }

    /// Opens a stream to a node's port.
    pub async fn stream(&self, node: &str, port: &str) -> Result<Box<dyn ByteStream>, Broken> {
        let opened = connect(&self.host, node, port).await;
        opened.map_err(|reason| {
            self.rest(node);
            Broken { sent: false, reason: reason.to_string() }
        })
    }

    /// Whether the node could not be reached a moment ago.
    pub fn rests(&self, node: &str) -> bool {
        let mut resting = self.resting.lock();
        if resting.is_empty() {
            return false;
        }
        resting.retain(|_, since| since.elapsed() < REST);
        resting.contains_key(node)
    }

    fn rest(&self, node: &str) {
        self.resting.lock().insert(node.to_owned(), Instant::now());
    }
}

async fn connect(host: &Arc<dyn Host>, node: &str, port: &str) -> std::io::Result<Box<dyn ByteStream>> {
    let opened = tokio::time::timeout(CONNECT, host.connect(node, port)).await;
    opened.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))?.map_err(std::io::Error::other)
}

/// Connects the HTTP client to the node that an address names.
#[derive(Clone)]
struct Reach(Arc<dyn Host>);

impl tower::Service<Uri> for Reach {
    type Response = TokioIo<Stream>;
    type Error = std::io::Error;
    type Future = BoxFuture<'static, std::io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let host = self.0.clone();
        async move {
            let node = address.host().unwrap_or_default();
            Ok(TokioIo::new(Stream(connect(&host, node, driver::RPC_PORT).await?)))
        }
        .boxed()
    }
}

/// A stream as the HTTP client takes it.
struct Stream(Box<dyn ByteStream>);

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
