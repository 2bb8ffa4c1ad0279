//! An orderer's channel participation interface: HTTP with mutual TLS, on its administration port
//! (Fabric's `swagger-fabric.json`, paths below `/participation/v1/channels`).

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use prost::Message as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::proto::common::Block;
use crate::{Error, Node, Result};

/// More than any answer of this interface, in bytes.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// Separates the parts of a request; it cannot stand in a block by accident, being random.
const BOUNDARY: &str = "polder-3f0c6ad2a1f94d6ea5b1b0f8f0a7c6d2";

/// An orderer's part in a channel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChannelStatus {
    /// The channel.
    pub name: String,
    /// `consenter`, `follower` or `config-tracker`.
    #[serde(rename = "consensusRelation", default)]
    pub relation: String,
    /// `active`, `onboarding`, `inactive` or `failed`.
    #[serde(default)]
    pub status: String,
    /// Number of blocks that it has.
    #[serde(default)]
    pub height: u64,
}

#[derive(Deserialize)]
struct ChannelName {
    name: String,
}

#[derive(Deserialize)]
struct ChannelList {
    // `null` when there is none.
    channels: Option<Vec<ChannelName>>,
}

/// The administration port of an orderer. Its [`Node`] shows an administrator's TLS certificate.
#[derive(Clone)]
pub struct Participation {
    node: Node,
    deadline: Duration,
}

impl Participation {
    /// At a node's administration port.
    pub fn new(node: Node) -> Self {
        Self { node, deadline: Duration::from_secs(15) }
    }

    /// With another deadline for each call.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The names of the channels that it takes part in.
    pub async fn channels(&self) -> Result<Vec<String>> {
        let list: ChannelList = self.read("list channels", "").await?;
        Ok(list.channels.unwrap_or_default().into_iter().map(|channel| channel.name).collect())
    }

    /// Its part in a channel; none when it has none.
    pub async fn channel(&self, name: &str) -> Result<Option<ChannelStatus>> {
        match self.read("look at a channel", &format!("/{name}")).await {
            Ok(status) => Ok(Some(status)),
            Err(Error::Participation { status: 404, .. }) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Joins a channel with its first block, or with a newer configuration block to have the others replicated.
    pub async fn join(&self, block: &Block) -> Result<ChannelStatus> {
        let mut body = Vec::new();
        body.extend_from_slice(format!("--{BOUNDARY}\r\n").as_bytes());
        body.extend_from_slice(b"Content-Disposition: form-data; name=\"config-block\"; filename=\"config.block\"\r\n");
        body.extend_from_slice(b"Content-Type: application/octet-stream\r\n\r\n");
        body.extend_from_slice(&block.encode_to_vec());
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let operation = "join a channel";
        parse(operation, self.call(operation, Method::POST, "", body).await?)
    }

    /// Leaves a channel and deletes its blocks.
    pub async fn remove(&self, name: &str) -> Result<()> {
        self.call("leave a channel", Method::DELETE, &format!("/{name}"), Vec::new()).await.map(drop)
    }

    async fn read<T: DeserializeOwned>(&self, operation: &'static str, path: &str) -> Result<T> {
        parse(operation, self.call(operation, Method::GET, path, Vec::new()).await?)
    }

    async fn call(&self, operation: &'static str, method: Method, path: &str, body: Vec<u8>) -> Result<Bytes> {
        let exchange = self.exchange(operation, method, path, body);
        let (status, body) = tokio::time::timeout(self.deadline, exchange)
            .await
            .map_err(|_| Error::Deadline { operation, deadline: self.deadline })??;
        if status.is_success() {
            return Ok(body);
        }
        #[derive(Deserialize)]
        struct Refusal {
            error: String,
        }
        let message = serde_json::from_slice::<Refusal>(&body)
            .map_or_else(|_| String::from_utf8_lossy(&body).into_owned(), |refusal| refusal.error);
        Err(Error::Participation { operation, status: status.as_u16(), message })
    }

    async fn exchange(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<(StatusCode, Bytes)> {
        let broken = |source: Box<dyn std::error::Error + Send + Sync>| Error::Connection { operation, source };
        let stream = self.node.http().await.map_err(|failure| broken(failure.into()))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|failure| broken(failure.into()))?;
        let request = Request::builder()
            .method(method)
            .uri(format!("/participation/v1/channels{path}"))
            .header("Host", self.node.name())
            .header("Content-Type", format!("multipart/form-data; boundary={BOUNDARY}"))
            .body(Full::new(Bytes::from(body)))
            .map_err(|failure| broken(failure.into()))?;
        let answer = async {
            let answer = sender.send_request(request).await.map_err(|failure| broken(failure.into()))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), LARGEST_ANSWER).collect().await.map_err(broken)?;
            Ok((status, body.to_bytes()))
        };
        // The connection is driven by the call itself, so that nothing is left behind when the call is dropped.
        let driven = async {
            let ended = connection.await;
            ended.map_err(|failure| broken(failure.into()))?;
            std::future::pending().await
        };
        futures::pin_mut!(answer, driven);
        match futures::future::select(answer, driven).await {
            futures::future::Either::Left((answer, _)) => answer,
            futures::future::Either::Right((ended, _)) => ended,
        }
    }
}

fn parse<T: DeserializeOwned>(operation: &'static str, body: Bytes) -> Result<T> {
    serde_json::from_slice(&body).map_err(|source| Error::Decode { what: operation, source: source.into() })
}
