//! What the server does around its routes: bad requests, headers, pages, streams, TLS, shutting down.

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use api::{ServeError, ServerConfig, Tls};
use futures::StreamExt;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use support::{PASSWORD, TestServer, problem};
use types::Code;

const DEADLINE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_bad_request_is_told_what_is_wrong_with_it() {
    let server = TestServer::start().await;
    let admin = server.administrator().await;
    problem(admin.get("/no-such-thing").await, "not_found").await;
    let response = admin.request(Method::PUT, "/users").json(&json!({})).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    problem(response, "request.method").await;

    let unknown =
        problem(admin.post("/organisations", json!({"name": "a", "colour": "red"})).await, "request.body").await;
    assert!(unknown["detail"].as_str().unwrap().contains("colour"), "{unknown}");
    let typed = admin.post("/users", json!({"name": "u", "password": "x", "grants": [{"role": "king"}]})).await;
    let typed = problem(typed, "request.body").await;
    assert_eq!(typed["fields"][0]["field"], "grants[0].role", "{typed}");
    let name = problem(admin.post("/organisations", json!({"name": "Not A Name"})).await, "name.invalid").await;
    assert_eq!(name["fields"][0]["field"], "name");
    for body in ["{", "{} {}", "", r#"["alpha", null]"#] {
        let request =
            admin.request(Method::POST, "/organisations").header("content-type", "application/json").body(body);
        problem(request.send().await.unwrap(), "request.body").await;
    }
    let query = problem(admin.get("/organisations?limit=many").await, "request.invalid").await;
    assert_eq!(query["fields"][0]["field"], "limit", "{query}");
    problem(admin.get("/organisations/%ff").await, "request.invalid").await;
    let request = admin.request(Method::POST, "/organisations").body("name=a");
    problem(request.send().await.unwrap(), "request.body").await;
    let large = json!({"name": "a".repeat(9 << 20)});
    problem(admin.post("/organisations", large).await, "request.too_large").await;
    let ids: Vec<String> = [admin.get("/session").await, admin.get("/nothing").await]
        .iter()
        .map(|response| response.headers()["x-request-id"].to_str().unwrap().to_owned())
        .collect();
    assert_ne!(ids[0], ids[1]);
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or("")
}

#[tokio::test]
async fn health_pages_and_headers() {
    let server = TestServer::start().await;
    let http = reqwest::Client::new();
    for path in ["/healthz", "/readyz"] {
        let response = http.get(format!("{}{path}", server.url)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.json::<Value>().await.unwrap(), json!({"status": "ok"}));
    }
    // Any address that the console routes itself gets its first page, with a policy that lets nothing foreign in.
    for path in ["/", "/networks/net_1"] {
        let response = http.get(format!("{}{path}", server.url)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let policy = header(&response, "content-security-policy").to_owned();
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"), "{policy}");
        assert!(!policy.contains("unsafe-eval") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(header(&response, "x-content-type-options"), "nosniff");
        assert!(response.text().await.unwrap().contains("Polder"));
    }
    let response = http.get(format!("{}/assets/none.js", server.url)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let response =
        http.get(format!("{}/api/v1/openapi.json", server.url)).header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(header(&response, "content-encoding"), "gzip");
    assert_eq!(header(&response, "cache-control"), "no-store");
    assert_eq!(header(&response, "strict-transport-security"), "");
    let described = server.administrator().await.get_ok("/server").await;
    assert_eq!(described["database"], server.control.store().database().as_str());
    assert!(described["memoryBytes"].as_u64().unwrap() > 1 << 20 && described["diskFreeBytes"].as_u64().unwrap() > 0);
    assert!(described["warnings"][0].as_str().unwrap().contains("master key"));
}

#[tokio::test]
async fn each_error_code_has_a_page() {
    let server = TestServer::start().await;
    let http = reqwest::Client::new();
    for code in Code::ALL {
        let response = http.get(format!("{}/errors/{code}", server.url)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "docs/errors/{code}.md is missing");
        let page = response.text().await.unwrap();
        assert!(page.contains(&format!("<h1>{}</h1>", code.title())), "{code}: the title differs");
        assert!(page.contains(&format!("HTTP status {}", code.status())), "{code}: the status differs");
        for heading in ["What happened", "What to do"] {
            assert!(page.contains(heading), "{code}: “{heading}” is missing");
        }
    }
    let pages = std::fs::read_dir("../../docs/errors").unwrap().count();
    assert_eq!(pages, Code::ALL.len(), "a page without a code");
    let response = http.get(format!("{}/errors/no.such", server.url)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
}

/// Reads events until one fits; gives the text read so far.
async fn read_until(
    response: &mut (impl futures::Stream<Item = reqwest::Result<bytes::Bytes>> + Unpin),
    wanted: &str,
) -> String {
    let mut text = String::new();
    let reading = async {
        while !text.contains(wanted) {
            let part = response.next().await.expect("the stream goes on").unwrap();
            text.push_str(std::str::from_utf8(&part).unwrap());
        }
    };
    tokio::time::timeout(DEADLINE, reading).await.unwrap_or_else(|_| panic!("no “{wanted}” came"));
    text
}

#[tokio::test]
async fn changes_are_followed_resumed_and_ended_by_a_shutdown() {
    let server = TestServer::start().await;
    let admin = server.administrator().await;
    let response = admin.get("/changes").await;
    assert_eq!(header(&response, "content-type"), "text/event-stream");
    assert_eq!(header(&response, "content-encoding"), "");
    let mut live = response.bytes_stream();
    let first = admin.create("/organisations", json!({"name": "alpha"})).await;
    let text = read_until(&mut live, first["id"].as_str().unwrap()).await;
    let sequence: i64 = text.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().trim().parse().unwrap();
    assert!(text.contains(r#""kind":"organisation""#), "{text}");

    let second = admin.create("/organisations", json!({"name": "beta"})).await;
    let resumed =
        admin.request(Method::GET, "/changes").header("last-event-id", sequence.to_string()).send().await.unwrap();
    let mut resumed = resumed.bytes_stream();
    let text = read_until(&mut resumed, second["id"].as_str().unwrap()).await;
    assert!(!text.contains(first["id"].as_str().unwrap()), "what was seen does not come again: {text}");
    let mut ahead = admin.get("/changes?after=99999").await.bytes_stream();
    read_until(&mut ahead, "event: reset").await;
    problem(
        admin.request(Method::GET, "/changes").header("last-event-id", "x").send().await.unwrap(),
        "request.cursor",
    )
    .await;

    drop((resumed, ahead));
    server.closing().cancel();
    let ended = async { while live.next().await.is_some_and(|part| part.is_ok()) {} };
    tokio::time::timeout(DEADLINE, ended).await.expect("streams end when the server shuts down");
    tokio::time::timeout(DEADLINE, server.stop()).await.expect("the server ends").unwrap();
}

#[tokio::test]
async fn beyond_loopback_needs_tls_or_a_proxy() {
    let directory = tempfile::tempdir().unwrap();
    let everywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let error = api::bind(ServerConfig::new(everywhere), directory.path().into()).unwrap_err();
    assert!(matches!(error, ServeError::Insecure(_)), "{error}");
    assert!(error.to_string().contains("--tls self") && error.to_string().contains("--behind-proxy"));
    let mut config = ServerConfig::new(everywhere);
    config.behind_proxy = true;
    let bound = api::bind(config, directory.path().into()).unwrap();
    let taken = ServerConfig { behind_proxy: true, ..ServerConfig::new(bound.address()) };
    assert_eq!(api::bind(taken, directory.path().into()).unwrap_err().code(), Code::PortInUse);
    let mut config = ServerConfig::new(everywhere);
    config.tls = Some(Tls::SelfMade);
    api::bind(config, directory.path().into()).unwrap();
    let mut config = ServerConfig::new(everywhere);
    config.tls = Some(Tls::Given { certificate: directory.path().join("none"), key: directory.path().join("none") });
    assert!(matches!(api::bind(config, directory.path().into()), Err(ServeError::Tls(_))));
}

#[tokio::test]
async fn tls_with_a_self_made_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let server = TestServer::start_in(directory.path(), Some(Tls::SelfMade)).await;
    assert!(server.url.starts_with("https://"));
    let certificate = std::fs::read(directory.path().join("tls/cert.pem")).unwrap();
    let certificate = reqwest::Certificate::from_pem(&certificate).unwrap();
    let http = reqwest::Client::builder().tls_certs_only([certificate]).build().unwrap();
    let request =
        http.post(format!("{}/api/v1/session", server.url)).json(&json!({"user": "admin", "password": PASSWORD}));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    assert!(header(&response, "set-cookie").contains("; Secure"));
    assert!(header(&response, "strict-transport-security").starts_with("max-age="));
    let distrustful = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    assert!(distrustful.get(format!("{}/healthz", server.url)).send().await.is_err(), "no one else trusts it");
    server.stop().await.unwrap();
}

#[test]
fn all_of_it_on_postgresql() {
    support::postgres::again_on_postgres("all_of_it_on_postgresql");
}
