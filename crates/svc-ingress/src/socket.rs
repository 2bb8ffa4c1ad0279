//! WebSockets: each message of the client is checked, then goes to the one node that the connection was opened to; what the
//! node says goes to the client. When the node goes away the connection is closed with status 1012, and a client that
//! connects again gets the next node: subscriptions are the node's and cannot move.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use host::ByteStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message as NodeMessage};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use types::{Code, Id};

use crate::call::{self, Message as Calls};
use crate::nodes::HOST;
use crate::refusal::Refusal;
use crate::rules::{self, Verdict};
use crate::{Ingress, MOST_ANSWER, Visit};

/// A connection to a node.
pub(crate) type Upstream = WebSocketStream<Box<dyn ByteStream>>;

/// How often a client is asked whether it is still there.
const PING: Duration = Duration::from_secs(30);
/// How long a client may take to accept a message before it is given up.
const SLOW: Duration = Duration::from_secs(30);
/// Longest that a node may take to accept a connection.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Answers of the ingress itself that wait for a client that reads slowly.
const WAITING: usize = 16;

/// Why a relay ended: a status of RFC 6455, section 7.4, and the reason in words.
type End = (u16, &'static str);

const GONE: End = (1001, "the server ends");
const RESTART: End = (1012, "the node went away: connect again");
const REVOKED: End = (1008, "the application's key ended");
const TEXT_ONLY: End = (1003, "JSON-RPC is text");
const CLOSED: End = (1000, "");

/// Connects to the first node that answers.
pub(crate) async fn connect(ingress: &Ingress, visit: &Visit) -> Result<(Id, Upstream), Refusal> {
    let mut reasons = Vec::new();
    for node in ingress.order(visit).await? {
        let opening = async {
            let stream = ingress.0.nodes.stream(&node.id, node.ws_port).await.map_err(|broken| broken.reason)?;
            let config =
                WebSocketConfig::default().max_message_size(Some(MOST_ANSWER)).max_frame_size(Some(MOST_ANSWER));
            let opened = client_async_with_config(format!("ws://{HOST}/"), stream, Some(config)).await;
            opened.map(|(upstream, _)| upstream).map_err(|error| error.to_string())
        };
        match tokio::time::timeout(HANDSHAKE, opening).await {
            Ok(Ok(upstream)) => return Ok((node.id, upstream)),
            Ok(Err(reason)) => reasons.push(format!("{}: {reason}", node.id)),
            Err(_) => reasons.push(format!("{}: no answer in time", node.id)),
        }
    }
    let message = "No node of the network takes WebSocket connections now. Try again in a moment.";
    Err(Refusal::new(Code::NodeUnreachable, message).because(&reasons.join("; ")))
}

/// Passes messages on until one side, the application's key or the server ends.
pub(crate) async fn relay(ingress: Ingress, visit: Visit, node: Id, client: WebSocket, upstream: Upstream) {
    let (mut to_client, from_client) = client.split();
    let (mut to_node, from_node) = upstream.split();
    // The two directions run beside each other, so that neither waits for the other's reader.
    let (answers, own_answers) = mpsc::channel(WAITING);
    let (status, reason) = tokio::select! {
        end = up(&ingress, &visit, from_client, &mut to_node, answers) => end,
        end = down(from_node, own_answers, &mut to_client) => end,
        () = visit.admission.ended.cancelled() => REVOKED,
        () = ingress.0.closing.cancelled() => GONE,
    };
    tracing::debug!(application = visit.admission.application.id, node, status, reason, "a WebSocket ended");
    let frame = CloseFrame { code: status, reason: reason.into() };
    // Either side may be gone; nothing more can be done for it then.
    let _ = tokio::time::timeout(SLOW, to_client.send(Message::Close(Some(frame)))).await;
    let _ = tokio::time::timeout(HANDSHAKE, to_node.close()).await;
}

/// From the client to the node.
async fn up(
    ingress: &Ingress,
    visit: &Visit,
    mut from_client: SplitStream<WebSocket>,
    to_node: &mut SplitSink<Upstream, NodeMessage>,
    answers: mpsc::Sender<String>,
) -> End {
    while let Some(Ok(message)) = from_client.next().await {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return TEXT_ONLY,
            Message::Close(_) => break,
            Message::Ping(_) | Message::Pong(_) => continue,
        };
        if let Some(answer) = own_answer(ingress, visit, text.as_bytes()).await {
            if answers.send(answer).await.is_err() {
                break;
            }
        } else if to_node.send(NodeMessage::text(text.as_str())).await.is_err() {
            return RESTART;
        }
    }
    CLOSED
}

/// The answer that the ingress gives itself; none when the message goes to the node.
async fn own_answer(ingress: &Ingress, visit: &Visit, text: &[u8]) -> Option<String> {
    let inspect = visit.admission.application.inspect;
    match call::read(text) {
        Err(refusal) => Some(refusal.answer(None)),
        Ok(Calls::One(call)) => match visit.take(1) {
            Err(refusal) => Some(refusal.answer(call.id)),
            Ok(()) => match rules::check(call.method(), inspect) {
                Verdict::Forward => None,
                Verdict::Answer(result) => Some(call.result(result)),
                Verdict::Refuse(refusal) => Some(refusal.answer(call.id)),
            },
        },
        Ok(Calls::Batch(calls)) => {
            if let Err(refusal) = ingress.admit_batch(visit, calls.len()) {
                return Some(refusal.answer(None));
            }
            let passes = |call: &Result<call::Call<'_>, Refusal>| {
                call.as_ref().is_ok_and(|call| matches!(rules::check(call.method(), inspect), Verdict::Forward))
            };
            if calls.iter().all(|(_, call)| passes(call)) {
                return None;
            }
            // Answers of the node and of the ingress make one list: it is asked as over HTTP.
            Some(ingress.answer_batch(visit, &calls).await.unwrap_or_else(|refusal| refusal.answer(None)))
        }
    }
}

/// From the node, and from the ingress itself, to the client.
async fn down(
    mut from_node: SplitStream<Upstream>,
    mut own_answers: mpsc::Receiver<String>,
    to_client: &mut SplitSink<WebSocket, Message>,
) -> End {
    let mut ping = tokio::time::interval(PING);
    ping.reset();
    loop {
        let message = tokio::select! {
            answer = own_answers.recv() => match answer {
                Some(answer) => Message::text(answer),
                None => return CLOSED,
            },
            said = from_node.next() => match text_of(said) {
                Ok(Some(text)) => Message::text(text),
                Ok(None) => continue,
                Err(end) => return end,
            },
            _ = ping.tick() => Message::Ping(Default::default()),
        };
        match tokio::time::timeout(SLOW, to_client.send(message)).await {
            Ok(Ok(())) => {}
            _ => return CLOSED,
        }
    }
}

fn text_of(said: Option<tungstenite::Result<NodeMessage>>) -> Result<Option<String>, End> {
    match said {
        Some(Ok(NodeMessage::Text(text))) => Ok(Some(text.as_str().to_owned())),
        Some(Ok(NodeMessage::Binary(bytes))) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Some(Ok(NodeMessage::Close(_))) | Some(Err(_)) | None => Err(RESTART),
        Some(Ok(_)) => Ok(None),
    }
}
