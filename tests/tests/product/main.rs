//! The whole product as its users meet it: the program `polder` as a server and as a command line, and real nodes.
//!
//! Holds the contract that programs rely on: the shapes that `--output json` prints, exit statuses, and that nothing that was
//! acknowledged is lost. The programs are found by `POLDER_PROGRAM`, or beside the test's own directory.

mod attached;
mod deployment;
mod fabric;
mod fabric_ca;
#[path = "../../../crates/store/tests/support/postgres.rs"]
mod postgres;
mod validators;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use deployment::{Deployment, MEMBERS, OnExit, Program, eventually, http, processes};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tests::repository;

fn artifact() -> String {
    repository().join("contracts/artifacts/Token.json").to_str().unwrap().to_owned()
}

/// Checks that an object has these fields, each of one of the kinds: `s`tring, `n`umber, `0` null, `l`ist, `o`bject.
#[track_caller]
fn has(object: &Value, fields: &[(&str, &str)]) {
    for (field, kinds) in fields {
        let kind = match &object[field] {
            Value::String(_) => 's',
            Value::Number(_) => 'n',
            Value::Array(_) => 'l',
            Value::Object(_) => 'o',
            Value::Null if object.get(field).is_some() => '0',
            _ => '-',
        };
        assert!(kinds.contains(kind), "{field} is {kind}, not {kinds}: {object}");
    }
}

#[track_caller]
fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_else(|| panic!("{field}: {object}"))
}

fn create(program: &Program, name: &str, consensus: &str, nodes: &str) -> Value {
    let arguments = ["network", "create", name, "--consensus", consensus, "--nodes", nodes, "--wait"];
    program.json(&[&arguments[..], &["--engine", "polder"]].concat())
}

fn rpc(node: &Value, method: &str) -> Value {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": []});
    let (status, answer) = http(text(node, "rpc"), "/", Some(&body));
    assert_eq!(status, 200, "{answer}");
    serde_json::from_str::<Value>(&answer).unwrap()["result"].clone()
}

fn node_is(program: &Program, name: &str, status: &str) -> Value {
    eventually(&format!("{name} is {status}"), || {
        Some(program.json(&["node", "show", name])).filter(|node| node["status"] == status)
    })
}

fn network_is(program: &Program, name: &str, status: &str) -> Value {
    eventually(&format!("{name} is {status}"), || {
        Some(program.json(&["network", "show", name])).filter(|network| network["status"] == status)
    })
}

fn pids(network: &Value) -> Vec<i64> {
    network["nodes"].as_array().unwrap().iter().map(|node| node["pid"].as_i64().unwrap()).collect()
}

#[test]
fn a_network_from_its_members_to_its_end() {
    let deployment = Deployment::start();
    let admin = &deployment.admin;
    deployment.found();
    assert_eq!(admin.list(&["org", "list"]).len(), 4);
    assert_eq!(admin.list(&["consortium", "list"])[0]["name"], "trade");

    let network = create(admin, "main", "bft", "4");
    has(&network, &[("id", "s"), ("chainId", "n"), ("nodes", "l")]);
    assert_eq!(
        ["name", "engine", "consensus", "status"].map(|field| text(&network, field)),
        ["main", "polder", "bft", "running"],
        "{network}"
    );
    let nodes = network["nodes"].as_array().unwrap();
    assert_eq!(nodes.iter().map(|node| text(node, "member")).collect::<Vec<_>>(), MEMBERS, "dealt in turn");
    for node in nodes {
        has(node, &[("id", "s"), ("height", "n"), ("rpc", "s"), ("ws", "s")]);
        assert_eq!(node["status"], "running");
        assert!(text(node, "name").starts_with("main/") && text(node, "ws").starts_with("ws://"), "{node}");
        let id = u64::from_str_radix(rpc(node, "eth_chainId").as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
        assert_eq!(network["chainId"], id);
    }
    assert_eq!(admin.list(&["network", "list"])[0]["id"], network["id"]);
    assert_eq!(admin.list(&["node", "list", "--network", "main"]).len(), 4);
    let operation = &admin.list(&["operation", "list"])[0];
    assert_eq!((&operation["kind"], &operation["status"]), (&json!("network.create"), &json!("succeeded")));
    assert_eq!(admin.json(&["operation", "show", text(operation, "id")])["id"], operation["id"]);

    contracts(&deployment);
    one_node(admin, text(&nodes[1], "name"));

    assert_eq!(admin.json(&["network", "stop", "main", "--wait"])["status"], "stopped");
    for node in admin.list(&["node", "list"]) {
        has(&node, &[("height", "0"), ("rpc", "0"), ("ws", "0"), ("pid", "0")]);
    }
    let started = admin.json(&["network", "start", "main", "--wait"]);
    assert_eq!(started["status"], "running");
    for (before, after) in nodes.iter().zip(started["nodes"].as_array().unwrap()) {
        assert_eq!(before["rpc"], after["rpc"], "addresses stay");
    }
    let restarted = admin.json(&["network", "restart", "main", "--wait"]);
    assert_eq!(restarted["status"], "running");
    assert!(pids(&started).iter().zip(pids(&restarted)).all(|(before, after)| *before != after));

    admin.json(&["network", "delete", text(&network, "id"), "--yes", "--wait"]);
    assert!(admin.list(&["network", "list"]).is_empty());
    assert!(processes(&deployment.data(), "nodes").is_empty(), "no process is left");
    assert!(std::fs::read_dir(deployment.data().join("nodes")).unwrap().next().is_none(), "no file is left");
}

/// Deploys with a member's account and with a key of the user's own, calls, sends, looks.
fn contracts(deployment: &Deployment) {
    let developer = deployment.user("dora", "developer:beta");
    let artifact = artifact();
    let arguments = ["contract", "deploy", &artifact, "--network", "main", "--args", r#"["Guilder","NLG","1000"]"#];
    let deployed = developer.json(&[&arguments[..], &["--from", "beta", "--wait"]].concat());
    has(&deployed, &[("address", "s"), ("transactionHash", "s"), ("blockNumber", "n"), ("gasUsed", "n")]);
    let address = text(&deployed, "address");
    let receiver = "0x00000000000000000000000000000000000000AA";
    let transfer = |amount: &str| json!([receiver, amount]).to_string();
    let sent = developer.json(&["contract", "send", address, "transfer", "--args", &transfer("42"), "--wait"]);
    has(&sent, &[("transactionHash", "s"), ("blockNumber", "n"), ("gasUsed", "n")]);
    assert_eq!(sent["status"], "success");
    let balance = json!([receiver]).to_string();
    let called = developer.json(&["contract", "call", address, "balanceOf", "--args", &balance]);
    assert_eq!(called, json!({"result": "42"}));
    let reverted =
        developer.fails(1, &["contract", "send", "Token", "transfer", "--args", &transfer("999999999"), "--wait"]);
    assert_eq!(reverted["code"], "contract.reverted");

    let shown = developer.json(&["tx", "show", text(&sent, "transactionHash")]);
    assert_eq!((&shown["decoded"]["name"], &shown["status"]), (&json!("transfer"), &json!("success")));
    assert_eq!(shown["logs"][0]["decoded"]["name"], "Transfer");
    assert_eq!(shown["block"], sent["blockNumber"]);
    let number = sent["blockNumber"].to_string();
    let block = developer.json(&["block", "show", &number]);
    assert_eq!((&block["number"], &block["items"][0]["hash"]), (&sent["blockNumber"], &sent["transactionHash"]));
    assert!(developer.json(&["block", "show", "latest"])["number"].as_u64() >= sent["blockNumber"].as_u64());
    assert_eq!(developer.list(&["block", "list", "--limit", "2"]).len(), 2);
    assert_eq!(developer.list(&["tx", "list", "--limit", "1"])[0]["hash"], sent["transactionHash"]);
    assert_eq!(developer.list(&["contract", "list"])[0]["address"], address);
    assert_eq!(developer.list(&["account", "list"]).len(), 4);

    // The administrator uses no member's account, but may sign with a key that stays here.
    assert_eq!(deployment.admin.fails(1, &arguments)["code"], "account.forbidden");
    let key = deployment.data().join("own.key");
    std::fs::write(&key, format!("0x{}\n", "11".repeat(32))).unwrap();
    let signer = ["--private-key-file", key.to_str().unwrap()];
    let own = deployment.admin.json(&[&arguments[..], &signer, &["--name", "Own", "--wait"]].concat());
    has(&own, &[("address", "s"), ("transactionHash", "s"), ("blockNumber", "n"), ("gasUsed", "n")]);
    let arguments = ["contract", "send", "Own", "transfer", "--args", &transfer("1"), "--wait"];
    assert_eq!(deployment.admin.json(&[&arguments[..], &signer].concat())["status"], "success");
}

/// Stops, starts, restarts and kills a node.
fn one_node(admin: &Program, name: &str) {
    let stopped = admin.json(&["node", "stop", name, "--wait"]);
    assert_eq!(stopped["status"], "stopped");
    has(&stopped, &[("height", "0"), ("rpc", "0"), ("ws", "0")]);
    let degraded = network_is(admin, "main", "degraded");
    assert!(text(&degraded, "statusReason").contains(name.trim_start_matches("main/")), "{degraded}");
    let started = admin.json(&["node", "start", name, "--wait"]);
    assert_eq!(started["status"], "running");
    let restarted = admin.json(&["node", "restart", name, "--wait"]);
    assert_ne!((&restarted["pid"], &restarted["status"]), (&started["pid"], &json!("stopped")));
    let lines = admin.list(&["node", "logs", name, "--lines", "5"]);
    assert!(!lines.is_empty() && lines.len() <= 5, "{lines:?}");

    // Nobody asks for it: it comes back.
    let killed = node_is(admin, name, "running");
    kill(Pid::from_raw(killed["pid"].as_i64().unwrap().try_into().unwrap()), Signal::SIGKILL).unwrap();
    eventually("the node is back", || {
        let node = admin.json(&["node", "show", name]);
        let back = node["pid"].is_number() && node["pid"] != killed["pid"] && node["status"] == "running";
        (back && node["restarts"].as_u64() > killed["restarts"].as_u64()).then_some(())
    });
    network_is(admin, "main", "running");
}

/// Sends transfers one after the other, and remembers those that were acknowledged.
struct Load {
    running: Arc<AtomicBool>,
    sender: thread::JoinHandle<Vec<String>>,
}

impl Load {
    fn start(program: Program, contract: &str) -> Self {
        let running = Arc::new(AtomicBool::new(true));
        let (wanted, contract) = (running.clone(), contract.to_owned());
        let sender = thread::spawn(move || {
            let args = json!(["0x00000000000000000000000000000000000000bb", 1]).to_string();
            let mut acknowledged = Vec::new();
            while wanted.load(Ordering::Relaxed) {
                // Without --wait: it is acknowledged when a node has taken it.
                let arguments = ["contract", "send", &contract, "transfer", "--args", &args, "--output", "json"];
                let output = program.run(&arguments);
                if output.status.success() {
                    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
                    acknowledged.push(text(&result, "transactionHash").to_owned());
                }
            }
            acknowledged
        });
        Self { running, sender }
    }

    fn stop(self) -> Vec<String> {
        self.running.store(false, Ordering::Relaxed);
        self.sender.join().unwrap()
    }
}

/// Every transaction is in a block, and each has its own nonce.
fn all_included(program: &Program, hashes: &[String]) {
    let mut nonces = BTreeSet::new();
    for hash in hashes {
        let shown = eventually(&format!("{hash} is included"), || {
            let output = program.run(&["tx", "show", hash, "--output", "json"]);
            let shown: Value = serde_json::from_slice(&output.stdout).ok()?;
            (shown["status"] == "success").then_some(shown)
        });
        nonces.insert(shown["nonce"].as_u64().unwrap());
    }
    assert_eq!(nonces.len(), hashes.len());
}

fn deploy(developer: &Program, network: &str) -> String {
    let arguments =
        ["contract", "deploy", &artifact(), "--network", network, "--args", r#"["Guilder","NLG","1000000"]"#];
    text(&developer.json(&[&arguments[..], &["--wait"]].concat()), "address").to_owned()
}

/// Kills a node and then the server while transfers are sent; then starts the server again.
fn killed_under_load(mut deployment: Deployment) {
    deployment.found();
    create(&deployment.admin, "main", "bft", "4");
    let developer = deployment.user("dora", "developer:beta");
    let token = deploy(&developer, "main");
    let load = Load::start(developer.clone(), &token);
    let before = network_is(&deployment.admin, "main", "running");
    kill(Pid::from_raw(pids(&before)[0].try_into().unwrap()), Signal::SIGKILL).unwrap();
    let running = eventually("the killed node is back", || {
        let network = network_is(&deployment.admin, "main", "running");
        (network["nodes"][0]["pid"] != before["nodes"][0]["pid"]).then_some(network)
    });
    deployment.kill_server();
    let first = load.stop();
    assert!(!first.is_empty());
    for pid in pids(&running) {
        kill(Pid::from_raw(pid.try_into().unwrap()), None).expect("nodes outlive the server");
    }

    deployment.run_server(OnExit::Keep);
    let adopted = network_is(&deployment.admin, "main", "running");
    assert_eq!(pids(&adopted), pids(&running), "nodes are adopted, not started again");
    let developer = developer.at(&deployment.url);
    let load = Load::start(developer.clone(), &token);
    eventually("the chain goes on", || {
        let height = deployment.admin.json(&["network", "show", "main"])["height"].as_u64();
        (height > adopted["height"].as_u64().map(|height| height + 2)).then_some(())
    });
    let hashes = [first, load.stop()].concat();
    all_included(&developer, &hashes);
    assert_eq!(deployment.admin.json(&["audit", "check"])["intact"], true);
}

/// Networks of other engines are made, used, healed and deleted by the same words.
#[test]
fn other_engines_run_the_same_way() {
    let deployment = Deployment::start();
    let admin = &deployment.admin;
    deployment.found();
    let developer = deployment.user("dora", "developer:beta");
    let listed = admin.list(&["engine", "list"]);
    for (engine, consensus, nodes, version) in [
        ("quorum", "qbft", "4", "22.7.4"),
        ("quorum", "ibft", "4", "22.7.4"),
        ("quorum", "raft", "3", "22.7.4"),
        ("geth", "clique", "3", "1.13.15"),
        ("geth", "dev", "1", "1.17.5"),
    ] {
        assert!(listed.iter().any(|one| one["name"] == engine), "{engine} is listed");
        let name = format!("{engine}-{consensus}");
        let arguments = ["network", "create", &name, "--engine", engine, "--consensus", consensus];
        let network = admin.json(&[&arguments[..], &["--nodes", nodes, "--wait"]].concat());
        assert_eq!((&network["status"], &network["version"]), (&json!("running"), &json!(version)), "{network}");

        let token = deploy(&developer, &name);
        let transfer = r#"["0x00000000000000000000000000000000000000aa","5"]"#;
        let call = ["--network", &name, "--args"];
        let send = [&["contract", "send", &token, "transfer"][..], &call, &[transfer, "--wait"]].concat();
        assert_eq!(developer.json(&send)["status"], "success", "{name}");
        let killed = network["nodes"].as_array().unwrap().last().unwrap();
        kill(Pid::from_raw(killed["pid"].as_i64().unwrap().try_into().unwrap()), Signal::SIGKILL).unwrap();
        let back = eventually(&format!("{name} is whole again"), || {
            let node = admin.json(&["node", "show", text(killed, "id")]);
            (node["status"] == "running" && node["pid"] != killed["pid"]).then_some(node)
        });
        assert!(back["restarts"].as_u64() > Some(0), "{back}");
        assert_eq!(developer.json(&send)["status"], "success", "{name} after a kill");
        let transaction = text(&developer.json(&send), "transactionHash").to_owned();
        let shown = admin.json(&["tx", "show", &transaction, "--network", &name]);
        assert_eq!((&shown["status"], &shown["method"]), (&json!("success"), &json!("transfer")), "{shown}");
        let balance = admin.json(&["contract", "call", &token, "totalSupply", "--network", &name]);
        assert_eq!(balance["result"], "1000000", "{name}");

        assert_eq!(admin.json(&["network", "restart", &name, "--wait"])["status"], "running", "{name}");
        let block = shown["block"].to_string();
        assert_eq!(admin.json(&["block", "show", &block, "--network", &name])["number"], shown["block"], "{name}");
        admin.json(&["network", "delete", &name, "--yes", "--wait"]);
    }
    assert!(processes(&deployment.data(), "nodes").is_empty(), "no process is left");
}

#[test]
fn what_was_acknowledged_outlives_killed_nodes_and_a_killed_server() {
    killed_under_load(Deployment::start());
}

#[test]
fn the_same_on_postgresql() {
    let Some(server) = postgres::Postgres::start() else { return };
    killed_under_load(Deployment::start_on(Some(server.database("polder"))));
}

#[test]
fn failures_have_their_exit_status_and_code() {
    let deployment = Deployment::start();
    let admin = &deployment.admin;
    let two = |arguments: &[&str]| assert_eq!(admin.run(arguments).status.code(), Some(2), "{arguments:?}");
    two(&["network", "create"]);
    two(&["no-such-command"]);
    two(&["network", "create", "x", "--nodes", "many"]);
    two(&["contract", "call", "x", "f", "--args", "{}"]);
    assert_eq!(admin.fails(1, &["network", "show", "none"])["code"], "not_found");
    let gone = admin.at("http://127.0.0.1:9");
    assert_eq!(gone.fails(1, &["network", "list"])["code"], "unavailable");

    deployment.found();
    let refused = admin.fails(1, &["network", "create", "three", "--nodes", "3"]);
    assert_eq!(refused["code"], "network.nodes");
    assert!(text(&refused, "detail").contains("solo"), "{refused}");

    // The wait ends, the operation goes on.
    let arguments = ["network", "create", "one", "--consensus", "solo", "--nodes", "1", "--wait"];
    let late = admin.fails(1, &[&arguments[..], &["--timeout", "1ms"]].concat());
    assert_eq!(late["code"], "wait.timeout");
    assert_eq!(network_is(admin, "one", "running")["nodes"].as_array().unwrap().len(), 1);

    // The same name in two consortia: which is meant is said by its consortium or its id.
    admin.json(&["consortium", "create", "other", "--members", "alpha"]);
    let arguments = ["network", "create", "one", "--consensus", "solo", "--nodes", "1", "--wait"];
    assert_eq!(admin.fails(2, &arguments)["code"], "name.ambiguous");
    let second = admin.json(&[&arguments[..], &["--consortium", "other"]].concat());
    assert_eq!(admin.fails(2, &["network", "show", "one"])["code"], "name.ambiguous");
    assert_eq!(admin.json(&["network", "show", "other/one"])["id"], second["id"]);
    assert_eq!(admin.fails(2, &["network", "create", "--nodes", "some"])["code"], "request.invalid", "clap's refusal");
    assert_eq!(admin.fails(2, &["network", "delete", text(&second, "id")])["code"], "request.invalid", "without --yes");
}

#[test]
fn nodes_outlive_the_server_or_end_with_it() {
    let mut deployment = Deployment::start();
    deployment.found();
    create(&deployment.admin, "one", "solo", "1");
    let second = deployment.server_command(OnExit::Keep).output().unwrap();
    assert_eq!(second.status.code(), Some(1), "one server on a data directory");
    assert!(String::from_utf8_lossy(&second.stderr).contains("store.locked"));
    let before = network_is(&deployment.admin, "one", "running");
    deployment.stop_server();
    deployment.run_server(OnExit::Stop);
    let adopted = network_is(&deployment.admin, "one", "running");
    assert_eq!(pids(&adopted), pids(&before));
    deployment.stop_server();
    assert!(processes(&deployment.data(), "").is_empty(), "nothing runs any more");
    deployment.run_server(OnExit::Keep);
    let again = network_is(&deployment.admin, "one", "running");
    assert!(again["height"].as_u64() >= adopted["height"].as_u64());
}
