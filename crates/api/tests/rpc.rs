//! Applications and the JSON-RPC ingress through the real server, with nodes that note what reaches them.

mod support;
#[path = "../../control/tests/networks/world.rs"]
#[allow(dead_code, reason = "shared with the tests of the control plane")]
mod world;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::{IngressOptions, ServerConfig};
use parking_lot::Mutex;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use support::{Client, PASSWORD, TestServer, problem};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use world::World;

const DEADLINE: Duration = Duration::from_secs(30);

/// How a node answers.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// Each call with the node's name; a batch from its end to its beginning.
    Answers,
    /// It reads the request and hangs up.
    HangsUp,
    /// It knows every transaction, and refuses to take it again.
    Knows,
}

/// A node's JSON-RPC as far as the ingress needs one; notes the methods that reach it.
struct Node {
    at: SocketAddr,
    manner: Arc<Mutex<Manner>>,
    methods: Arc<Mutex<Vec<String>>>,
}

impl Node {
    async fn start(name: &'static str, manner: Manner) -> Node {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let methods: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = methods.clone();
        let manner = Arc::new(Mutex::new(manner));
        let mannered = manner.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (noted, manner) = (noted.clone(), mannered.clone());
                tokio::spawn(async move {
                    while let Some(request) = request(&mut stream).await {
                        let manner = *manner.lock();
                        let calls = request.as_array().cloned().unwrap_or_else(|| vec![request.clone()]);
                        noted.lock().extend(calls.iter().map(|call| call["method"].as_str().unwrap().to_owned()));
                        if manner == Manner::HangsUp {
                            return;
                        }
                        let answer = |call: &Value| match (manner, call["method"].as_str().unwrap()) {
                            (Manner::Knows, "eth_sendRawTransaction") => {
                                json!({"jsonrpc": "2.0", "id": call["id"], "error": {"code": -32000, "message": "already known"}})
                            }
                            (Manner::Knows, "eth_getTransactionByHash") => {
                                json!({"jsonrpc": "2.0", "id": call["id"], "result": {"hash": call["params"][0]}})
                            }
                            _ => json!({"jsonrpc": "2.0", "id": call["id"], "result": name}),
                        };
                        let answers: Vec<Value> = calls.iter().rev().map(answer).collect();
                        let body = if request.is_array() { json!(answers) } else { answers[0].clone() }.to_string();
                        let head = format!(
                            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                            body.len()
                        );
                        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
                    }
                });
            }
        });
        Node { at, manner, methods }
    }

    fn methods(&self) -> Vec<String> {
        self.methods.lock().clone()
    }
}

/// One request with a content length.
async fn request(stream: &mut tokio::net::TcpStream) -> Option<Value> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() == length.unwrap_or(0) {
                assert!(head.contains("host: localhost"), "nodes serve loopback's names alone: {head}");
                assert!(!head.contains("authorization"), "a node gets no credential: {head}");
                return serde_json::from_str(body).ok();
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(count) if count > 0 => read.extend_from_slice(&chunk[..count]),
            _ => return None,
        }
    }
}

struct Deployment {
    server: TestServer,
    world: World,
    admin: Client,
    developer: Client,
}

impl Deployment {
    /// Two members, a network of four nodes (alpha has the first and the third), developers of both.
    async fn start(directory: &Path) -> Deployment {
        let world = World::of_engine("polder");
        // Few, so that a slow machine reaches the limit too.
        let ingress = IngressOptions { calls_per_second: Some(100), ..IngressOptions::default() };
        let listen = ServerConfig { ingress, ..ServerConfig::new(SocketAddr::from(([127, 0, 0, 1], 0))) };
        let server = TestServer::start_as(directory, listen, world.host(), world.drivers()).await;
        server.control.start();
        let admin = server.administrator().await;
        for name in ["alpha", "beta", "gamma"] {
            admin.create("/organisations", json!({"name": name})).await;
            let grants = json!([{"role": "developer", "organisation": name}]);
            admin
                .create("/users", json!({"name": format!("dev-{name}"), "password": PASSWORD, "grants": grants}))
                .await;
        }
        admin.create("/consortia", json!({"name": "con", "members": ["alpha", "beta"]})).await;
        admin.create("/consortia", json!({"name": "other", "members": ["gamma"]})).await;
        for (name, consortium) in [("one", "con"), ("two", "con")] {
            let new =
                json!({"name": name, "consortium": consortium, "engine": "polder", "consensus": "bft", "nodes": 4});
            let response = admin.post("/networks", new).await;
            assert_eq!(response.status(), StatusCode::ACCEPTED);
            let made = async {
                while admin.get_ok(&format!("/networks/{name}")).await["status"] != "running" {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            tokio::time::timeout(DEADLINE, made).await.unwrap();
        }
        let developer = server.sign_in("dev-alpha", PASSWORD).await;
        Deployment { server, world, admin, developer }
    }

    /// Makes an application of alpha for the network `one`, and gives its key.
    async fn key(&self, name: &str) -> String {
        let made =
            self.developer.create("/applications", json!({"name": name, "member": "alpha", "networks": ["one"]}));
        made.await["secret"].as_str().unwrap().to_owned()
    }

    async fn listen(&self, node: &str, at: Option<SocketAddr>) {
        let node = self.admin.get_ok(&format!("/nodes/one%2F{node}")).await;
        self.world.listen(node["id"].as_str().unwrap(), at);
    }

    async fn end(self) {
        self.server.control.close().await;
        self.server.stop().await.unwrap();
    }
}

fn call(method: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": []})
}

async fn post(url: &str, key: &str, body: &Value) -> Response {
    reqwest::Client::new().post(format!("{url}/rpc/con/one")).bearer_auth(key).json(body).send().await.unwrap()
}

async fn answer(url: &str, key: &str, body: &Value) -> Value {
    post(url, key, body).await.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_belong_to_their_member() {
    let directory = tempfile::tempdir().unwrap();
    let deployment = Deployment::start(directory.path()).await;
    let Deployment { admin, developer, server, .. } = &deployment;
    let new = |name: &str, member: &str, networks: Value| json!({"name": name, "member": member, "networks": networks});

    let request = || {
        let body = new("shop", "alpha", json!(["con/one", "two"]));
        developer.request(Method::POST, "/applications").header("idempotency-key", "k").json(&body)
    };
    let made: Value = request().send().await.unwrap().json().await.unwrap();
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with(&format!("polder_{}_", made["id"].as_str().unwrap())), "{made}");
    assert_eq!(made["networks"][0]["rpc"], "/rpc/con/one");
    assert_eq!(admin.get_ok("/networks/one").await["rpc"], "/rpc/con/one");
    let repeated: Value = request().send().await.unwrap().json().await.unwrap();
    assert_eq!((&repeated["id"], &repeated["secret"]), (&made["id"], &Value::Null));

    let create = async |client: &Client, body: Value| client.post("/applications", body).await;
    problem(create(developer, new("shop", "alpha", json!(["one"]))).await, "name.taken").await;
    problem(create(developer, new("Shop", "alpha", json!(["one"]))).await, "name.invalid").await;
    problem(create(developer, new("x", "alpha", json!([]))).await, "request.invalid").await;
    problem(create(developer, new("x", "alpha", json!(["none"]))).await, "not_found").await;
    problem(create(developer, new("x", "beta", json!(["one"]))).await, "auth.forbidden").await;
    problem(create(admin, new("x", "alpha", json!(["one"]))).await, "auth.forbidden").await;
    let gamma = server.sign_in("dev-gamma", PASSWORD).await;
    problem(create(&gamma, new("x", "gamma", json!(["one"]))).await, "not_found").await;

    let beta = server.sign_in("dev-beta", PASSWORD).await;
    assert_eq!(beta.get_ok("/applications").await["items"], json!([]));
    problem(beta.get("/applications/shop").await, "not_found").await;
    problem(beta.delete("/applications/shop").await, "not_found").await;
    problem(admin.delete("/applications/shop").await, "auth.forbidden").await;
    assert_eq!(create(&beta, new("shop", "beta", json!(["one"]))).await.status(), StatusCode::CREATED);
    problem(admin.get("/applications/shop").await, "name.ambiguous").await;
    let page = admin.get_ok("/applications?limit=1").await;
    assert_eq!((&page["items"][0]["name"], &page["items"][0]["secret"]), (&json!("shop"), &Value::Null));
    let cursor = page["next"].as_str().unwrap();
    let rest = admin.get_ok(&format!("/applications?limit=1&cursor={cursor}")).await;
    assert_eq!((&rest["items"][0]["member"], &rest["next"]), (&json!("beta"), &Value::Null));

    assert_eq!(developer.delete("/applications/shop").await.status(), StatusCode::NO_CONTENT);
    let audit = admin.get_ok("/audit").await.to_string();
    assert!(audit.contains("application.create") && audit.contains("application.delete"));
    assert!(!audit.contains(secret.rsplit_once('_').unwrap().1), "a secret is in the audit log");
    deployment.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_its_networks_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let deployment = Deployment::start(directory.path()).await;
    let url = deployment.server.url.clone();
    let node = Node::start("node1", Manner::Answers).await;
    deployment.listen("node1", Some(node.at)).await;
    let key = deployment.key("shop").await;
    let own =
        deployment.developer.create("/access-keys", json!({"name": "k"})).await["secret"].as_str().unwrap().to_owned();

    assert_eq!(answer(&url, &key, &call("eth_call")).await["result"], "node1");
    let http = reqwest::Client::new();
    let basic = |name: &str| {
        http.post(format!("{url}/rpc/con/one")).basic_auth(name, Some(&key)).json(&call("eth_call")).send()
    };
    assert_eq!(basic("shop").await.unwrap().status(), StatusCode::OK);
    assert_eq!(basic("else").await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let none = http.post(format!("{url}/rpc/con/one")).json(&call("eth_call")).send().await.unwrap();
    assert_eq!(none.status(), StatusCode::UNAUTHORIZED);
    assert!(none.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic"));
    let error: Value = none.json().await.unwrap();
    assert_eq!(error["error"]["data"]["code"], "rpc.credential", "{error}");
    for wrong in [own.as_str(), "polder_app_0_0", "", &key[..key.len() - 1]] {
        assert_eq!(post(&url, wrong, &call("eth_call")).await.status(), StatusCode::UNAUTHORIZED, "{wrong}");
    }
    for path in ["/rpc/con/two", "/rpc/con/none", "/rpc/other/one"] {
        let response =
            http.post(format!("{url}{path}")).bearer_auth(&key).json(&call("eth_call")).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
    problem(deployment.server.with_key(&key).get("/networks").await, "auth.expired").await;
    assert_eq!(node.methods(), ["eth_call", "eth_call"], "nothing else reached the node");

    let shown = deployment.developer.get_ok("/applications/shop").await;
    assert_eq!(shown["calls"], 2, "{shown}");
    assert!(shown["lastUsedAt"].is_number());
    let rotated: Value = deployment.developer.post("/applications/shop/rotate", json!({})).await.json().await.unwrap();
    let new = rotated["secret"].as_str().unwrap().to_owned();
    assert_eq!(post(&url, &key, &call("eth_call")).await.status(), StatusCode::UNAUTHORIZED, "it was replaced");
    assert_eq!(post(&url, &new, &call("eth_call")).await.status(), StatusCode::OK);

    // A restart knows keys and counts; a revoked key ends at once.
    let world = deployment.world.clone();
    deployment.end().await;
    let server = TestServer::start_with(directory.path(), None, world.host(), world.drivers()).await;
    server.control.start();
    assert_eq!(answer(&server.url, &new, &call("eth_call")).await["result"], "node1");
    let developer = server.sign_in("dev-alpha", PASSWORD).await;
    assert_eq!(developer.get_ok("/applications/shop").await["calls"], 4);
    assert_eq!(developer.delete("/applications/shop").await.status(), StatusCode::NO_CONTENT);
    assert_eq!(post(&server.url, &new, &call("eth_call")).await.status(), StatusCode::UNAUTHORIZED);
    server.control.close().await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_pass_is_passed_and_answered_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let deployment = Deployment::start(directory.path()).await;
    let url = deployment.server.url.clone();
    let node = Node::start("node1", Manner::Answers).await;
    deployment.listen("node1", Some(node.at)).await;
    let key = deployment.key("shop").await;

    for method in
        ["admin_peers", "personal_listAccounts", "eth_sendTransaction", "eth_sign", "debug_traceCall", "txpool_status"]
    {
        let refused = post(&url, &key, &call(method)).await;
        assert_eq!(refused.status(), StatusCode::OK);
        let refused: Value = refused.json().await.unwrap();
        assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(1), &json!(-32601)), "{method}: {refused}");
    }
    assert_eq!(answer(&url, &key, &call("eth_accounts")).await["result"], json!([]));
    assert_eq!(node.methods(), [""; 0], "nothing reached the node");

    let batch = json!([
        {"jsonrpc": "2.0", "id": "a", "method": "eth_call", "params": []},
        {"jsonrpc": "2.0", "id": 2, "method": "admin_peers", "params": []},
        {"jsonrpc": "2.0", "id": 3, "method": "eth_accounts", "params": []},
        {"jsonrpc": "2.0", "id": 4, "method": "net_version", "params": []},
        {"jsonrpc": "2.0", "id": 5, "Method": "admin_peers"},
    ]);
    let answers = answer(&url, &key, &batch).await;
    let ids: Vec<&Value> = answers.as_array().unwrap().iter().map(|answer| &answer["id"]).collect();
    assert_eq!(ids, [&json!("a"), &json!(2), &json!(3), &json!(4), &Value::Null], "{answers}");
    assert_eq!(answers[1]["error"]["code"], -32601);
    assert_eq!(answers[4]["error"]["code"], -32600);
    assert_eq!(node.methods(), ["eth_call", "net_version"]);

    let long: Vec<Value> = (0..101).map(|_| call("eth_call")).collect();
    assert_eq!(post(&url, &key, &json!(long)).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let big = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": ["0".repeat(3 << 20)]});
    assert_eq!(post(&url, &key, &big).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let plain =
        reqwest::Client::new().post(format!("{url}/rpc/con/one")).bearer_auth(&key).body(call("eth_call").to_string());
    assert_eq!(plain.send().await.unwrap().status(), StatusCode::BAD_REQUEST, "a browser would send it unasked");
    assert_eq!(answer(&url, &key, &json!("x")).await["error"]["code"], -32600);

    let hundred: Vec<Value> = (0..100).map(|_| call("eth_accounts")).collect();
    let limited = async {
        loop {
            let response = post(&url, &key, &json!(hundred)).await;
            if response.status() != StatusCode::OK {
                return response;
            }
        }
    };
    let limited = tokio::time::timeout(DEADLINE, limited).await.unwrap();
    assert_eq!(limited.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(limited.headers()["retry-after"].to_str().unwrap().parse::<u32>().unwrap() >= 1);
    assert_eq!(limited.json::<Value>().await.unwrap()["error"]["code"], -32005);
    deployment.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_node_is_asked_when_one_does_not_answer() {
    let directory = tempfile::tempdir().unwrap();
    let deployment = Deployment::start(directory.path()).await;
    let url = deployment.server.url.clone();
    let key = deployment.key("shop").await;
    let nobody = post(&url, &key, &call("eth_call")).await;
    assert_eq!(nobody.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(nobody.json::<Value>().await.unwrap()["error"]["code"], -32002);

    // Another member's while the own ones are down; the own one again when it is back.
    let (second, third) = (Node::start("node2", Manner::Answers).await, Node::start("node3", Manner::Answers).await);
    deployment.listen("node2", Some(second.at)).await;
    assert_eq!(answer(&url, &key, &call("eth_call")).await["result"], "node2");
    deployment.listen("node3", Some(third.at)).await;
    let back = async {
        while answer(&url, &key, &call("eth_call")).await["result"] != "node3" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(DEADLINE, back).await.unwrap();

    // The first node gets it and hangs up.
    let silent = Node::start("node1", Manner::HangsUp).await;
    deployment.listen("node1", Some(silent.at)).await;
    let other = deployment.key("other").await;
    let reached = async {
        while silent.methods().is_empty() {
            assert!(answer(&url, &other, &call("eth_call")).await["result"].is_string(), "a read is asked again");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(DEADLINE, reached).await.unwrap();
    *third.manner.lock() = Manner::Knows;
    let raw = json!({"jsonrpc": "2.0", "id": 9, "method": "eth_sendRawTransaction", "params": ["0x02"]});
    let sent = answer(&url, &key, &raw).await;
    let hash = alloy_primitives::keccak256([2u8]).to_string();
    assert_eq!((&sent["id"], &sent["result"]), (&json!(9), &json!(hash)), "known is taken: {sent}");
    let waits = json!({"jsonrpc": "2.0", "id": 9, "method": "eth_sendRawTransactionSync", "params": ["0x02"]});
    let unknown = post(&url, &key, &waits).await;
    assert_eq!(unknown.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(unknown.json::<Value>().await.unwrap()["error"]["data"]["code"], "transaction.unknown");
    assert!(!third.methods().contains(&"eth_sendRawTransactionSync".into()), "it was sent again");
    deployment.end().await;
}
