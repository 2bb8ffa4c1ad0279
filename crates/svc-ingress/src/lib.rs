//! The JSON-RPC ingress: applications elsewhere reach the nodes of a network, which listen on loopback only, through the
//! server, with a credential of their own.
//!
//! A call is read as far as needed to know its method ([`call`]), checked against what applications may do ([`rules`]) and
//! against the application's limits ([`limits`]), and goes as it is to a node ([`forward`]): one of the application's member
//! where one runs, else another, the next when one does not answer. Nodes are reached by the host's streams alone
//! ([`nodes`]), so it does not matter where they run; which networks can be reached is a capability that drivers publish. No
//! database is asked on the way: credentials and nodes are [`control`]'s to keep in memory.

mod batch;
mod call;
mod credential;
mod forward;
mod limits;
mod nodes;
mod refusal;
mod rules;
mod socket;

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use control::{Admission, Control};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use types::{Code, Id};

use call::Message;
use limits::{Entered, Limits};
use nodes::Nodes;
use refusal::{Refusal, json};
use rules::Verdict;

/// What applications are held to.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Calls of one application in a second; none for no limit.
    pub calls_per_second: Option<u32>,
    /// Calls in one batch.
    pub batch: usize,
    /// Bytes of a request or a WebSocket message.
    pub bytes: usize,
    /// Requests and WebSocket connections of one application at the same time.
    pub connections: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { calls_per_second: Some(1000), batch: 100, bytes: 2 * 1024 * 1024, connections: 256 }
    }
}

/// The ingress of one server. Clones share everything.
#[derive(Clone, Debug)]
pub struct Ingress(Arc<Inner>);

struct Inner {
    control: Control,
    options: Options,
    nodes: Nodes,
    limits: Mutex<HashMap<Id, Arc<Limits>>>,
    closing: CancellationToken,
}

/// One application at one network: what every call of it needs.
struct Visit {
    admission: Arc<Admission>,
    network: Id,
    limits: Arc<Limits>,
    /// Held for as long as the request or connection lasts.
    _entered: Entered,
}

impl Ingress {
    /// An ingress that ends its connections when `closing` is cancelled.
    pub fn new(control: Control, options: Options, closing: CancellationToken) -> Self {
        let nodes = Nodes::new(control.host().clone());
        Self(Arc::new(Inner { control, options, nodes, limits: Mutex::default(), closing }))
    }

    /// Answers a POST to a network's path.
    pub async fn post(&self, consortium: &str, network: &str, headers: &HeaderMap, body: Body) -> Response {
        match self.answer(consortium, network, headers, body).await {
            Ok(response) => response,
            Err(refusal) => refusal.into_response(),
        }
    }

    /// Opens a WebSocket at a network's path.
    pub async fn open(
        &self,
        consortium: &str,
        network: &str,
        headers: &HeaderMap,
        upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    ) -> Response {
        let opened = async {
            credential::refuse_other_origins(headers)?;
            let visit = self.visit(consortium, network, headers).await?;
            // Who may ask is told first.
            let upgrade = upgrade.map_err(|rejection| Refusal::new(Code::RequestInvalid, rejection.body_text()))?;
            let (node, upstream) = socket::connect(self, &visit).await?;
            Ok::<_, Refusal>((visit, upgrade, node, upstream))
        };
        match opened.await {
            Ok((visit, upgrade, node, upstream)) => {
                let ingress = self.clone();
                let bytes = self.0.options.bytes;
                upgrade
                    .max_message_size(bytes)
                    .max_frame_size(bytes)
                    .on_upgrade(move |client| socket::relay(ingress, visit, node, client, upstream))
            }
            Err(refusal) => refusal.into_response(),
        }
    }

    async fn answer(
        &self,
        consortium: &str,
        network: &str,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Response, Refusal> {
        let visit = self.visit(consortium, network, headers).await?;
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
            return Err(Refusal::new(Code::RequestBody, "Send the request with content-type application/json."));
        }
        let most = self.0.options.bytes;
        let body = to_bytes(body, most)
            .await
            .map_err(|_| Refusal::new(Code::RequestTooLarge, format!("A request may have at most {most} bytes.")))?;
        let message = match call::read(&body) {
            Ok(message) => message,
            Err(refusal) => return Ok(json(refusal.answer(None))),
        };
        match message {
            Message::One(call) => {
                visit.take(1)?;
                match rules::check(call.method(), visit.admission.application.inspect) {
                    Verdict::Forward => self.forward_one(&visit, &call, body.clone()).await,
                    Verdict::Answer(result) => Ok(json(call.result(result))),
                    Verdict::Refuse(refusal) => Ok(json(refusal.answer(call.id))),
                }
            }
            Message::Batch(calls) => {
                self.admit_batch(&visit, calls.len())?;
                Ok(json(self.answer_batch(&visit, &calls).await?))
            }
        }
    }

    /// Checks who asks, and for what.
    async fn visit(&self, consortium: &str, network: &str, headers: &HeaderMap) -> Result<Visit, Refusal> {
        let (name, key) = credential::read(headers)?;
        let admission = self.0.control.admit(name.as_deref(), &key).await?;
        let network = admission.network(consortium, network).cloned().ok_or_else(|| {
            Refusal::new(
                Code::NotFound,
                format!("There is no network {consortium}/{network} that this application may reach."),
            )
        })?;
        let limits = self.limits(&admission.application.id);
        let entered = limits.enter()?;
        Ok(Visit { admission, network, limits, _entered: entered })
    }

    fn limits(&self, application: &str) -> Arc<Limits> {
        let mut limits = self.0.limits.lock();
        limits.entry(application.to_owned()).or_insert_with(|| Arc::new(Limits::new(&self.0.options))).clone()
    }

    fn admit_batch(&self, visit: &Visit, calls: usize) -> Result<(), Refusal> {
        let most = self.0.options.batch;
        if calls > most {
            return Err(Refusal::new(Code::RequestTooLarge, format!("A batch may have at most {most} calls.")));
        }
        visit.take(calls)
    }
}

impl Visit {
    /// Takes calls from the application's allowance, and counts them.
    fn take(&self, calls: usize) -> Result<(), Refusal> {
        self.limits.take(calls)?;
        self.admission.count(calls);
        Ok(())
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ingress").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Longest answer that is read as a whole: of a batch, or to find out what became of a transaction.
const MOST_ANSWER: usize = 64 * 1024 * 1024;

/// Reads an answer as a whole.
async fn whole(body: Body) -> Result<Bytes, Refusal> {
    to_bytes(body, MOST_ANSWER)
        .await
        .map_err(|error| Refusal::new(Code::NodeUnreachable, "The node's answer broke off.").because(&error))
}
