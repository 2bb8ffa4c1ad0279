//! Networks, nodes, operations, contracts and tasks through the real server, with a host and an engine in memory.

mod support;
#[path = "../../control/tests/networks/world.rs"]
#[allow(dead_code, reason = "shared with the tests of the control plane")]
mod world;

use std::time::Duration;

use futures::StreamExt as _;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Client, PASSWORD, TestServer, problem};
use world::World;

const DEADLINE: Duration = Duration::from_secs(30);

async fn accepted(client: &Client, method: Method, path: &str, body: Option<Value>) -> Value {
    let mut request = client.request(method, path);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    let status = response.status();
    let body = response.text().await.unwrap();
    assert_eq!(status, StatusCode::ACCEPTED, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

async fn succeeded(client: &Client, operation: &Value) {
    let path = format!("/operations/{}", operation["id"].as_str().unwrap());
    let wait = async {
        loop {
            let operation = client.get_ok(&path).await;
            match operation["status"].as_str().unwrap() {
                "succeeded" => return,
                "failed" | "undone" => panic!("{operation}"),
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    tokio::time::timeout(DEADLINE, wait).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_from_creation_to_deletion() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::of_engine("polder");
    let server = TestServer::start_with(directory.path(), None, world.host(), world.drivers()).await;
    server.control.start();
    let admin = server.administrator().await;
    for name in ["alpha", "beta"] {
        admin.create("/organisations", json!({"name": name})).await;
    }
    admin.create("/consortia", json!({"name": "con", "members": ["alpha", "beta"]})).await;
    assert_eq!(admin.get_ok("/engines").await["items"][0]["name"], "polder");

    let new = json!({"name": "one", "engine": "polder", "consensus": "bft", "nodes": 4});
    let preview: Value = admin.post("/networks/preview", new.clone()).await.json().await.unwrap();
    assert_eq!(preview["nodes"][1], json!({"name": "one/node2", "member": "beta", "kind": "validator"}));
    problem(
        admin.post("/networks", json!({"name": "One", "engine": "polder", "consensus": "bft", "nodes": 4})).await,
        "name.invalid",
    )
    .await;
    problem(
        admin.post("/networks", json!({"name": "one", "engine": "none", "consensus": "bft", "nodes": 4})).await,
        "network.engine",
    )
    .await;
    problem(
        admin.post("/networks", json!({"name": "one", "engine": "polder", "consensus": "bft", "nodes": 3})).await,
        "network.nodes",
    )
    .await;
    problem(
        admin
            .post("/networks", json!({"name": "one", "engine": "polder", "consensus": "bft", "nodes": 4, "x": 1}))
            .await,
        "request.body",
    )
    .await;

    let created = accepted(&admin, Method::POST, "/networks", Some(new.clone())).await;
    assert_eq!(created["network"]["status"], "creating");
    succeeded(&admin, &created["operation"]).await;
    problem(admin.post("/networks", new).await, "name.taken").await;
    let network = admin.get_ok("/networks/con%2Fone").await;
    assert_eq!(network["status"], "running", "{network}");
    assert_eq!(admin.get_ok("/networks").await["items"][0]["id"], network["id"]);
    assert_eq!(admin.get_ok("/nodes?network=one&limit=3").await["items"].as_array().unwrap().len(), 3);
    let node = admin.get_ok("/nodes/one%2Fnode2").await;
    assert_eq!((node["member"].as_str(), node["status"].as_str()), (Some("beta"), Some("running")));
    assert_eq!(admin.get_ok("/nodes/one%2Fnode2/logs?lines=2").await["items"][1]["text"], "line 1");
    problem(admin.get("/nodes/one%2Fnode2/logs?lines=0").await, "request.invalid").await;
    let stream = admin.get("/nodes/one%2Fnode2/logs/stream?lines=2").await;
    let first = tokio::time::timeout(DEADLINE, stream.bytes_stream().next()).await.unwrap().unwrap().unwrap();
    assert!(String::from_utf8_lossy(&first).contains("line 0"));
    assert_eq!(admin.get_ok("/networks/one/topology").await["nodes"].as_array().unwrap().len(), 4);
    assert!(admin.get_ok("/networks/one/statistics?minutes=1").await["points"].as_array().unwrap().len() >= 12);
    problem(admin.get("/networks/one/statistics?minutes=0").await, "request.invalid").await;

    admin
        .create(
            "/users",
            json!({"name": "dev", "password": PASSWORD, "grants": [{"role": "developer", "organisation": "beta"}]}),
        )
        .await;
    let developer = server.sign_in("dev", PASSWORD).await;
    let artifact = json!({"contractName": "Box", "abi": [], "bytecode": "0x00"});
    problem(
        admin.post("/networks/one/contracts", json!({"artifact": artifact, "from": "beta"})).await,
        "account.forbidden",
    )
    .await;
    problem(developer.post("/networks/one/contracts", json!({"artifact": {}})).await, "contract.artifact").await;
    let deployed = developer.create("/networks/one/contracts", json!({"artifact": artifact})).await;
    assert_eq!((&deployed["contract"]["member"], &deployed["result"]["status"]), (&json!("beta"), &json!("success")));
    let sent: Value = developer
        .post("/networks/one/contracts/Box/send", json!({"function": "set", "args": []}))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(sent["blockNumber"], 2, "{sent}");
    let answer: Value =
        developer.post("/networks/one/contracts/Box/call", json!({"function": "get"})).await.json().await.unwrap();
    assert_eq!(answer["result"]["function"], "get");
    let usable: Vec<Value> = developer.get_ok("/networks/one/accounts").await["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["usable"].clone())
        .collect();
    assert_eq!(usable, [json!(false), json!(true)]);
    let blocks = developer.get_ok("/networks/one/blocks?limit=2").await;
    assert_eq!((&blocks["items"][0]["number"], blocks["items"].as_array().unwrap().len()), (&json!(2), 2));
    let older =
        developer.get_ok(&format!("/networks/one/blocks?limit=2&cursor={}", blocks["next"].as_str().unwrap())).await;
    assert_eq!((&older["items"][0]["number"], &older["next"]), (&json!(0), &Value::Null));
    problem(developer.get("/networks/one/blocks/xyz").await, "request.invalid").await;
    problem(developer.post("/networks/one/transactions", json!({"raw": "0x00"})).await, "transaction.refused").await;
    problem(developer.post("/networks/one/stop", json!({})).await, "auth.forbidden").await;

    let stopped = accepted(&admin, Method::POST, "/nodes/one%2Fnode1/stop", None).await;
    succeeded(&admin, &stopped).await;
    assert_eq!(admin.get_ok("/nodes/one%2Fnode1").await["status"], "stopped");
    let tasks = admin.get_ok("/server/tasks").await;
    assert!(
        tasks["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|task| task["name"] == "reconcile-nodes" && task["status"] == "running"),
        "{tasks}"
    );
    problem(admin.request(Method::POST, "/server/tasks/reconcile-nodes/stop").send().await.unwrap(), "request.invalid")
        .await;

    let deleted = accepted(&admin, Method::DELETE, "/networks/one", None).await;
    succeeded(&admin, &deleted).await;
    problem(admin.get("/networks/one").await, "not_found").await;
    let operations =
        admin.get_ok(&format!("/operations?subject={}&status=succeeded", network["id"].as_str().unwrap())).await;
    assert_eq!(operations["items"].as_array().unwrap().len(), 3, "{operations}");
    problem(
        admin
            .request(Method::POST, &format!("/operations/{}/undo", deleted["id"].as_str().unwrap()))
            .send()
            .await
            .unwrap(),
        "operation.state",
    )
    .await;
    server.control.close().await;
    server.stop().await.unwrap();
}

#[test]
fn all_of_it_on_postgresql() {
    support::postgres::again_on_postgres("all_of_it_on_postgresql");
}
