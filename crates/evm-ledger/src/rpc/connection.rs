//! One node: HTTP/1.1 over the connector's byte streams, connections kept for the next request.

use std::time::Duration;

use bytes::Bytes;
use driver::Connector;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{client::conn::http1::SendRequest, header};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;

use crate::Endpoint;
use crate::rpc::RPC_PORT;

/// Longest that a connection may take to open.
const CONNECT: Duration = Duration::from_secs(3);
/// Connections that are kept; more are opened when more requests run at once.
const KEPT: usize = 8;
/// Longest answer that is read; nodes bound theirs below it.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// No answer came.
#[derive(Debug)]
pub(crate) struct Broken {
    /// Whether the node may have got the request.
    pub(crate) sent: bool,
    /// What broke.
    pub(crate) reason: String,
}

type Sender = SendRequest<Full<Bytes>>;

/// A node and its kept connections.
pub(crate) struct NodeConnection {
    pub(crate) id: String,
    connector: Connector,
    endpoint: Endpoint,
    kept: Mutex<Vec<Sender>>,
}

impl NodeConnection {
    pub(crate) fn new(id: String, connector: Connector, endpoint: Endpoint) -> Self {
        Self { id, connector, endpoint, kept: Mutex::default() }
    }

    /// Posts a body and reads the answer.
    pub(crate) async fn post(&self, body: Bytes, limit: Duration) -> Result<Bytes, Broken> {
        let mut request = request(&self.endpoint, body)?;
        loop {
            let (mut sender, fresh) = match self.kept() {
                Some(sender) => (sender, false),
                None => (self.connect().await?, true),
            };
            if sender.ready().await.is_err() {
                if fresh {
                    return Err(Broken { sent: false, reason: "the connection ended".into() });
                }
                continue;
            }
            let exchange = tokio::time::timeout(limit, async {
                let response = match sender.try_send_request(request).await {
                    Ok(response) => response,
                    // The node had closed a kept connection: the request comes back unsent.
                    Err(mut error) => match error.take_message() {
                        Some(request) if !fresh => return Ok(Err(request)),
                        unsent => {
                            return Err(Broken { sent: unsent.is_none(), reason: error.into_error().to_string() });
                        }
                    },
                };
                let status = response.status();
                let read = Limited::new(response.into_body(), MOST_BYTES).collect().await;
                let body = read.map_err(|error| Broken { sent: true, reason: error.to_string() })?.to_bytes();
                if !status.is_success() {
                    // 4xx: too many connections, a name that is not served; nothing was taken. 5xx may come from behind.
                    return Err(Broken { sent: status.is_server_error(), reason: format!("HTTP status {status}") });
                }
                Ok(Ok(body))
            });
            match exchange.await {
                Err(_) => {
                    return Err(Broken { sent: true, reason: format!("no answer within {} ms", limit.as_millis()) });
                }
                Ok(Err(broken)) => return Err(broken),
                Ok(Ok(Err(unsent))) => request = unsent,
                Ok(Ok(Ok(body))) => {
                    self.keep(sender);
                    return Ok(body);
                }
            }
        }
    }

    fn kept(&self) -> Option<Sender> {
        let mut kept = self.kept.lock();
        kept.retain(|sender| !sender.is_closed());
        kept.pop()
    }

    fn keep(&self, sender: Sender) {
        let mut kept = self.kept.lock();
        if kept.len() < KEPT && !sender.is_closed() {
            kept.push(sender);
        }
    }

    async fn connect(&self) -> Result<Sender, Broken> {
        let unsent = |reason: String| Broken { sent: false, reason };
        let opening = async {
            let stream =
                (self.connector)(self.id.clone(), RPC_PORT.into()).await.map_err(|error| unsent(error.to_string()))?;
            let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
            handshake.map_err(|error| unsent(error.to_string()))
        };
        let opened = tokio::time::timeout(CONNECT, opening).await;
        let (sender, connection) =
            opened.map_err(|_| unsent(format!("no connection within {} ms", CONNECT.as_millis())))??;
        // Ends when the sender is dropped or the node closes; the request that runs then says what happened.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to a node broke");
            }
        });
        Ok(sender)
    }
}

fn request(endpoint: &Endpoint, body: Bytes) -> Result<hyper::Request<Full<Bytes>>, Broken> {
    hyper::Request::post(&endpoint.path)
        .header(header::HOST, &endpoint.host)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(body))
        .map_err(|error| Broken { sent: false, reason: error.to_string() })
}
