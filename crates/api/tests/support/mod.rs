//! A server of its own for each test: port 0, a fresh data directory, the real router and store. Its host runs nothing.

#![allow(dead_code, reason = "each test uses a part")]

#[path = "../../../store/tests/support/postgres.rs"]
pub mod postgres;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use api::{ServerConfig, Tls};
use control::{Config, Control, Foundation};
use driver::Drivers;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use host::{ByteStream, Error, Host, LogQuery, Observation};
use keys::Secret;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use types::LogLine;
use workload::{Job, Placement, PortSpec, Service};

pub const PASSWORD: &str = "correct horse battery";

/// A host without nodes.
pub struct EmptyHost;

fn nothing<T: Send + 'static>() -> BoxFuture<'static, host::Result<T>> {
    async { Err(Error::Plan("this host runs nothing".into())) }.boxed()
}

impl Host for EmptyHost {
    fn name(&self) -> &str {
        "empty"
    }
    fn reserve<'a>(&'a self, _: &'a str, _: &'a [PortSpec]) -> BoxFuture<'a, host::Result<Placement>> {
        nothing()
    }
    fn run_job<'a>(&'a self, _: &'a Job) -> BoxFuture<'a, host::Result<BTreeMap<String, String>>> {
        nothing()
    }
    fn start<'a>(&'a self, _: &'a Service) -> BoxFuture<'a, host::Result<()>> {
        nothing()
    }
    fn stop<'a>(&'a self, _: &'a str) -> BoxFuture<'a, host::Result<()>> {
        nothing()
    }
    fn remove<'a>(&'a self, _: &'a str) -> BoxFuture<'a, host::Result<()>> {
        nothing()
    }
    fn observe<'a>(&'a self, _: &'a str) -> BoxFuture<'a, host::Result<Observation>> {
        nothing()
    }
    fn nodes(&self) -> BoxFuture<'_, host::Result<Vec<String>>> {
        async { Ok(Vec::new()) }.boxed()
    }
    fn logs<'a>(&'a self, _: &'a str, _: LogQuery) -> BoxFuture<'a, host::Result<Vec<LogLine>>> {
        nothing()
    }
    fn follow<'a>(
        &'a self,
        _: &'a str,
        _: LogQuery,
    ) -> BoxFuture<'a, host::Result<BoxStream<'static, host::Result<LogLine>>>> {
        nothing()
    }
    fn connect<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, host::Result<Box<dyn ByteStream>>> {
        nothing()
    }
}

/// A running server.
pub struct TestServer {
    pub url: String,
    pub control: Control,
    shutdown: CancellationToken,
    serving: JoinHandle<Result<(), api::ServeError>>,
    _directory: Option<TempDir>,
}

impl TestServer {
    pub async fn start() -> TestServer {
        let directory = tempfile::tempdir().unwrap();
        let mut server = Self::start_in(directory.path(), None).await;
        server._directory = Some(directory);
        server
    }

    pub async fn start_in(directory: &Path, tls: Option<Tls>) -> TestServer {
        Self::start_with(directory, tls, Arc::new(EmptyHost), Drivers::default()).await
    }

    pub async fn start_with(directory: &Path, tls: Option<Tls>, host: Arc<dyn Host>, drivers: Drivers) -> TestServer {
        let mut listen = ServerConfig::new(SocketAddr::from(([127, 0, 0, 1], 0)));
        listen.tls = tls;
        Self::start_as(directory, listen, host, drivers).await
    }

    pub async fn start_as(directory: &Path, listen: ServerConfig, host: Arc<dyn Host>, drivers: Drivers) -> TestServer {
        let mut config = Config::new(directory);
        config.admin_password = Some(Secret::new(PASSWORD));
        config.database = postgres::database_of(directory).map(Secret::new);
        let foundation = Foundation::open(config).await.unwrap();
        let control = Control::new(foundation, host, drivers);
        let bound = api::bind(listen, control.directory().tls()).unwrap();
        let url = bound.url();
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(bound.serve(control.clone(), shutdown.clone()));
        TestServer { url, control, shutdown, serving, _directory: None }
    }

    /// Asks the server to shut down and waits for it.
    pub async fn stop(self) -> Result<(), api::ServeError> {
        self.shutdown.cancel();
        self.serving.await.unwrap()
    }

    pub fn closing(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// A client that is not signed in.
    pub fn anonymous(&self) -> Client {
        Client {
            http: reqwest::Client::builder().cookie_store(true).build().unwrap(),
            url: self.url.clone(),
            auth: Auth::None,
        }
    }

    /// A client with the session of a user.
    pub async fn sign_in(&self, user: &str, password: &str) -> Client {
        let mut client = self.anonymous();
        let response = client.post("/session", json!({"user": user, "password": password})).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        let session: Value = response.json().await.unwrap();
        client.auth = Auth::Csrf(session["csrfToken"].as_str().unwrap().into());
        client
    }

    pub async fn administrator(&self) -> Client {
        self.sign_in("admin", PASSWORD).await
    }

    pub fn with_key(&self, key: &str) -> Client {
        Client { http: reqwest::Client::new(), url: self.url.clone(), auth: Auth::Key(key.into()) }
    }
}

pub enum Auth {
    None,
    Csrf(String),
    Key(String),
}

/// Sends requests to the API.
pub struct Client {
    pub http: reqwest::Client,
    url: String,
    pub auth: Auth,
}

impl Client {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("/api/") || path.starts_with("//") {
            format!("{}/{}", self.url, path.trim_start_matches('/'))
        } else {
            format!("{}/api/v1{path}", self.url)
        };
        let request = self.http.request(method, url);
        match &self.auth {
            Auth::None => request,
            Auth::Csrf(token) => request.header("x-csrf-token", token),
            Auth::Key(key) => request.bearer_auth(key),
        }
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub async fn get_ok(&self, path: &str) -> Value {
        let response = self.get(path).await;
        let status = response.status();
        let body = response.text().await.unwrap();
        assert_eq!(status, StatusCode::OK, "GET {path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> Response {
        self.request(Method::POST, path).json(&body).send().await.unwrap()
    }

    pub async fn create(&self, path: &str, body: Value) -> Value {
        let response = self.post(path, body).await;
        let status = response.status();
        let body = response.text().await.unwrap();
        assert_eq!(status, StatusCode::CREATED, "POST {path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    pub async fn delete(&self, path: &str) -> Response {
        self.request(Method::DELETE, path).send().await.unwrap()
    }
}

/// Expects a problem of a code and gives it.
pub async fn problem(response: Response, code: &str) -> Value {
    let status = response.status().as_u16();
    let kind = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["code"], code, "{body}");
    assert_eq!(body["status"], status, "{body}");
    assert_eq!(kind.as_deref(), Some("application/problem+json"));
    assert_eq!(body["type"], format!("/errors/{code}"));
    assert!(body["instance"].as_str().unwrap().starts_with("req_"), "{body}");
    body
}
