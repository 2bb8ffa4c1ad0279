//! Calls to the API.

use std::time::Duration;

use futures::StreamExt as _;
use reqwest::{Method, RequestBuilder, Response, header};
use serde::{Serialize, de::DeserializeOwned};
use types::{Code, Page, Problem, SignIn};

use crate::{Error, Global, session, session::StoredSession};

const DEFAULT_SERVER: &str = "http://127.0.0.1:7400";
const CONNECT: Duration = Duration::from_secs(10);
/// A request is waited for at least this long, whatever `--timeout` says: cut off, nobody knows what it has changed.
const ANSWER: Duration = Duration::from_secs(60);

/// A server, and as whom we call it.
pub struct Client {
    http: reqwest::Client,
    server: String,
    credential: Credential,
}

enum Credential {
    None,
    AccessKey(String),
    Session(StoredSession),
}

impl Client {
    /// The server and credential that the options, the environment or the stored session name.
    pub fn new(global: &Global) -> Result<Self, Error> {
        let stored = session::load()?;
        let server = global
            .server
            .clone()
            .or_else(|| stored.as_ref().map(|session| session.server.clone()))
            .unwrap_or_else(|| DEFAULT_SERVER.into());
        let credential = match (&global.access_key, stored) {
            (Some(key), _) => Credential::AccessKey(key.clone()),
            (None, Some(session)) if session.server == trimmed(&server) => Credential::Session(session),
            _ => Credential::None,
        };
        Self::with(global, &server, credential)
    }

    fn with(global: &Global, server: &str, credential: Credential) -> Result<Self, Error> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(global.timeout.max(ANSWER))
            .redirect(reqwest::redirect::Policy::none());
        if let Some(path) = &global.ca_cert {
            let pem = std::fs::read(path).map_err(|error| Error::file(path, error))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem)
                .map_err(|_| Error::Usage(format!("{} holds no PEM certificate", path.display())))?;
            builder = builder.tls_certs_merge(certificates);
        }
        let http = builder.build().map_err(|error| Error::Usage(error.to_string()))?;
        Ok(Self { http, server: trimmed(server), credential })
    }

    /// Signs in; the answer is to be stored.
    pub async fn sign_in(global: &Global, user: &str, password: &str) -> Result<StoredSession, Error> {
        let server = global.server.clone().unwrap_or_else(|| DEFAULT_SERVER.into());
        let client = Self::with(global, &server, Credential::None)?;
        let body = SignIn { user: user.into(), password: password.into() };
        let response = client.send(client.request(Method::POST, "session").json(&body)).await?;
        let cookie = response
            .headers()
            .get_all(header::SET_COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .find_map(|value| value.split(';').next()?.strip_prefix("polder_session=").map(str::to_owned))
            .ok_or_else(|| Error::Answer("no session cookie".into()))?;
        let session: types::Session = decode(response).await?;
        let csrf_token = session.csrf_token.ok_or_else(|| Error::Answer("no CSRF token".into()))?;
        Ok(StoredSession { server: client.server, user: session.user.name, cookie, csrf_token })
    }

    /// `GET /api/v1/PATH`.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        decode(self.send(self.request(Method::GET, path)).await?).await
    }

    /// All pages of a list.
    pub async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Page<T>, Error> {
        let mut items = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let cursor = next.map(|cursor| format!("&cursor={}", encode(&cursor))).unwrap_or_default();
            let page: Page<T> = self.get(&format!("{path}{join}limit=500{cursor}")).await?;
            items.extend(page.items);
            next = page.next;
            if next.is_none() {
                return Ok(Page { items, next });
            }
        }
    }

    /// The first `limit` entries of a list. Commands have no cursor, so none is given for the rest.
    pub async fn first<T: DeserializeOwned>(&self, path: &str, limit: u32) -> Result<Page<T>, Error> {
        let join = if path.contains('?') { '&' } else { '?' };
        let page: Page<T> = self.get(&format!("{path}{join}limit={limit}")).await?;
        Ok(Page { next: None, ..page })
    }

    /// `POST /api/v1/PATH` with a body. Sent with an idempotency key, so that a repeat after a broken
    /// connection does nothing twice.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Error> {
        let key = types::new_id("idem");
        let request = self.request(Method::POST, path).header("idempotency-key", key).json(body);
        decode(self.send(request).await?).await
    }

    /// `PATCH /api/v1/PATH`.
    pub async fn patch<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Error> {
        decode(self.send(self.request(Method::PATCH, path).json(body)).await?).await
    }

    /// `DELETE /api/v1/PATH`; null when the answer has no body.
    pub async fn delete(&self, path: &str) -> Result<serde_json::Value, Error> {
        decode(self.send(self.request(Method::DELETE, path)).await?).await
    }

    /// Hands over each server-sent event of a stream that has data, with its name (empty for the usual ones), until it ends.
    pub async fn follow(
        &self,
        path: &str,
        mut each: impl FnMut(&str, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let request = self.request(Method::GET, path).timeout(Duration::from_secs(365 * 24 * 3600));
        let mut chunks = self.send(request).await?.bytes_stream();
        let mut buffer = Vec::new();
        let mut name = String::new();
        while let Some(chunk) = chunks.next().await {
            buffer.extend_from_slice(&chunk.map_err(|source| self.unreachable(source))?);
            while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = buffer.drain(..=end).collect();
                if let Some(value) = line.strip_prefix(b"event:") {
                    name = String::from_utf8_lossy(value.trim_ascii()).into_owned();
                } else if let Some(data) = line.strip_prefix(b"data:") {
                    each(&name, data.trim_ascii())?;
                } else if line.trim_ascii().is_empty() {
                    name.clear();
                }
            }
        }
        Ok(())
    }

    /// A path of the server as an address.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.server)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}/api/v1/{path}", self.server));
        match &self.credential {
            Credential::None => request,
            Credential::AccessKey(key) => request.bearer_auth(key),
            Credential::Session(session) => request
                .header(header::COOKIE, format!("polder_session={}", session.cookie))
                .header("x-csrf-token", &session.csrf_token),
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let response = request.send().await.map_err(|source| self.unreachable(source))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let bytes = response.bytes().await.map_err(|source| self.unreachable(source))?;
        let mut problem: Problem = serde_json::from_slice(&bytes)
            .map_err(|_| Error::Answer(format!("status {status} without a problem document")))?;
        if problem.code == Code::AuthRequired.as_str() || problem.code == Code::AuthExpired.as_str() {
            problem.detail = format!(
                "{} Use `polder login --server {} --user NAME`, or set POLDER_ACCESS_KEY.",
                problem.detail, self.server
            );
        }
        Err(Error::Server(Box::new(problem)))
    }

    fn unreachable(&self, source: reqwest::Error) -> Error {
        if source.is_builder() {
            return Error::Usage(format!("`{}` is not a server's address, such as {DEFAULT_SERVER}", self.server));
        }
        Error::Unreachable { server: self.server.clone(), source: source.without_url() }
    }
}

async fn decode<T: DeserializeOwned>(response: Response) -> Result<T, Error> {
    let bytes = response.bytes().await.map_err(|error| Error::Answer(error.to_string()))?;
    // An answer without a body says nothing.
    parse(if bytes.is_empty() { b"null" } else { &bytes })
}

/// Reads JSON of the server.
pub fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(json).map_err(|error| Error::Answer(error.to_string()))
}

fn trimmed(server: &str) -> String {
    server.trim_end_matches('/').to_owned()
}

/// The end of an address of something on a channel, if one is meant.
pub fn on_channel(channel: Option<&str>) -> String {
    channel.map(|channel| format!("?channel={}", encode(channel))).unwrap_or_default()
}

/// Percent-encodes one segment or value of an address.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
