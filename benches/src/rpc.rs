//! JSON-RPC over one kept-alive connection: a client that costs little beside what is measured.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, client::conn::http1::SendRequest, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// One connection to a node.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    path: String,
    authorization: Option<String>,
}

impl Connection {
    /// Connects to `HOST:PORT`.
    pub async fn open(host: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, host: host.into(), path: "/".into(), authorization: None })
    }

    /// The same connection to another path, with a credential.
    pub fn at(self, path: &str, authorization: &str) -> Self {
        Self { path: path.into(), authorization: Some(authorization.into()), ..self }
    }

    /// One call; the answer's `result`, or its `error` as an error.
    pub async fn call(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut answer = self.post(serde_json::to_vec(&body)?.into()).await?;
        if let Some(error) = answer.get("error") {
            bail!("{error}");
        }
        Ok(answer["result"].take())
    }

    /// Calls whose objects are already written, in one request; for each its `result`, or its `error`'s message.
    pub async fn batch(&mut self, calls: &[Bytes]) -> anyhow::Result<Vec<Result<Value, String>>> {
        let answers = match calls {
            [one] => vec![self.post(one.clone()).await?],
            several => {
                let body = [&b"["[..], &several.join(&b','), b"]"].concat();
                match self.post(body.into()).await? {
                    Value::Array(answers) => answers,
                    other => bail!("a batch is answered with an array, not {other}"),
                }
            }
        };
        anyhow::ensure!(answers.len() == calls.len(), "{} answers to {} calls", answers.len(), calls.len());
        let read = |mut answer: Value| match answer.get("error") {
            Some(error) => Err(error["message"].as_str().map_or_else(|| error.to_string(), str::to_owned)),
            None => Ok(answer["result"].take()),
        };
        Ok(answers.into_iter().map(read).collect())
    }

    async fn post(&mut self, body: Bytes) -> anyhow::Result<Value> {
        let mut request =
            Request::post(&self.path).header(header::HOST, &self.host).header(header::CONTENT_TYPE, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(Full::new(body))?;
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?.into_body().collect().await?.to_bytes();
        serde_json::from_slice(&answer).with_context(|| String::from_utf8_lossy(&answer).into_owned())
    }
}

/// A quantity of an answer.
pub fn quantity(value: &Value) -> anyhow::Result<u64> {
    let text = value.as_str().context("a quantity is expected")?;
    Ok(u64::from_str_radix(text.trim_start_matches("0x"), 16)?)
}
