//! Networks that others run, attached by their address: here, those of another deployment, behind a proxy that can be turned
//! to another one.

use std::{
    io,
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

use crate::deployment::{Deployment, OnExit, Program, eventually};
use crate::{artifact, has, network_is, text};

/// Passes bytes on to a node, and to another one when it is told so.
struct Proxy {
    url: String,
    target: Arc<Mutex<String>>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    fn to(node: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let proxy = Self { url, target: Arc::default(), open: Arc::default() };
        proxy.turn(node);
        let (target, open) = (proxy.target.clone(), proxy.open.clone());
        thread::spawn(move || {
            for inside in listener.incoming().flatten() {
                let Ok(outside) = TcpStream::connect(target.lock().unwrap().as_str()) else { continue };
                let halves = |a: &TcpStream, b: &TcpStream| (a.try_clone().unwrap(), b.try_clone().unwrap());
                for (mut from, mut to) in [halves(&inside, &outside), halves(&outside, &inside)] {
                    thread::spawn(move || {
                        // Whoever closes first ends both ways.
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
                open.lock().unwrap().extend([inside, outside]);
            }
        });
        proxy
    }

    fn turn(&self, node: &str) {
        *self.target.lock().unwrap() = node.trim_start_matches("http://").to_owned();
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn make(maker: &Program, name: &str, engine: &str, consensus: &str, more: &[&str]) -> String {
    let arguments = ["network", "create", name, "--engine", engine, "--consensus", consensus, "--nodes", "1", "--wait"];
    let network = maker.json(&[&arguments[..], more].concat());
    text(&network["nodes"][0], "rpc").to_owned()
}

fn attach<'a>(name: &'a str, url: &'a str) -> [&'a str; 5] {
    ["network", "attach", name, "--rpc", url]
}

fn code(problem: &Value) -> &str {
    text(problem, "code")
}

#[test]
fn a_network_of_others_is_attached_used_and_watched() {
    let maker = Deployment::start();
    maker.found();
    let chain = ["--chain-id", "770011"];
    let node = make(&maker.admin, "theirs", "quorum", "raft", &chain);
    let proxy = Proxy::to(&node);
    let mut user = Deployment::start();
    user.found();
    let link_local = attach("partner", "http://169.254.169.254/latest");
    for never in [&link_local, &attach("partner", "http://[fe80::1]:8545"), &attach("partner", &proxy.url)] {
        assert_eq!(code(&user.admin.fails(1, never)), "address.refused", "{never:?}");
    }
    assert_eq!(code(&user.admin.fails(1, &attach("partner", "ftp://127.0.0.1"))), "address.invalid");

    user.stop_server();
    user.allow = vec!["127.0.0.0/8".into(), "169.254.0.0/16".into()];
    user.run_server(OnExit::Keep);
    assert_eq!(user.admin.json(&["server", "show"])["allowedAddresses"], json!(["127.0.0.0/8", "169.254.0.0/16"]));
    assert_eq!(code(&user.admin.fails(1, &link_local)), "address.refused", "whatever is allowed");
    assert_eq!(code(&user.admin.fails(1, &attach("partner", "http://127.0.0.1:9"))), "node.unreachable");
    let partner = attach("partner", &proxy.url);
    assert_eq!(code(&user.admin.fails(1, &[&partner[..], &["--chain-id", "5"]].concat())), "network.identity");
    let network = user.admin.json(&[&partner[..], &chain].concat());
    has(&network, &[("id", "s"), ("chainId", "n"), ("nodes", "l"), ("attached", "o")]);
    assert_eq!((&network["chainId"], text(&network["attached"], "rpc")), (&json!(770_011), proxy.url.as_str()));
    assert!(text(&network["attached"], "client").starts_with("Geth/"), "{network}");
    assert_eq!(code(&user.admin.fails(1, &attach("again", &proxy.url))), "network.chain_id");

    let contract = used(&user);
    refused(&user.admin);
    swapped(&maker, &user, &proxy, &node, &contract);
    poor(&maker, &user);

    user.admin.json(&["network", "delete", "partner", "--yes", "--wait"]);
    assert_eq!(user.admin.list(&["network", "list"]).len(), 1, "that of the geth node is left");
    assert!(maker.admin.list(&["network", "list"]).iter().all(|network| network["status"] == "running"));
}

/// Deploys, calls, sends with a member's account; looks at blocks and figures.
fn used(user: &Deployment) -> String {
    let developer = user.user("dora", "developer:beta");
    assert_eq!(user.admin.list(&["account", "list", "--network", "partner"]).len(), 4);
    let artifact = artifact();
    let deploy = ["contract", "deploy", &artifact, "--network", "partner", "--args", r#"["Guilder","NLG","1000"]"#];
    let deployed = developer.json(&[&deploy[..], &["--from", "beta", "--wait"]].concat());
    let address = text(&deployed, "address").to_owned();
    let transfer = json!(["0x00000000000000000000000000000000000000AA", 42]).to_string();
    let sent = developer.json(&["contract", "send", &address, "transfer", "--args", &transfer, "--wait"]);
    assert_eq!(sent["status"], "success");
    let balance = json!(["0x00000000000000000000000000000000000000AA"]).to_string();
    let called = developer.json(&["contract", "call", &address, "balanceOf", "--args", &balance]);
    assert_eq!(called, json!({"result": "42"}));
    assert_eq!(developer.json(&["tx", "show", text(&sent, "transactionHash")])["decoded"]["name"], "transfer");
    assert!(developer.json(&["block", "show", "latest"])["number"].as_u64() >= sent["blockNumber"].as_u64());
    eventually("the height is told", || {
        let network = user.admin.json(&["network", "show", "partner"]);
        (network["height"].as_u64() >= sent["blockNumber"].as_u64()).then_some(())
    });
    eventually("transactions are counted", || {
        let statistics = user.admin.json(&["network", "statistics", "partner"]);
        let points = statistics["points"].as_array().unwrap().iter();
        (points.filter_map(|point| point["transactions"].as_u64()).sum::<u64>() >= 2).then_some(())
    });
    address
}

/// What only those can do who run the nodes.
fn refused(admin: &Program) {
    for arguments in [
        &["network", "stop", "partner"][..],
        &["network", "restart", "partner"],
        &["node", "logs", "partner/rpc"],
        &["node", "stop", "partner/rpc"],
        &["validator", "list", "--network", "partner"],
        &["channel", "create", "more", "--network", "partner"],
        &["network", "profile", "partner", "--member", "alpha", "--dir", "/nonexistent"],
    ] {
        assert_eq!(code(&admin.fails(1, arguments)), "network.attached", "{arguments:?}");
    }
    assert!(admin.list(&["node", "list", "--network", "partner"]).is_empty());
}

/// Another chain answers at the address, then none, then the right one, then one of the same id with another beginning.
fn swapped(maker: &Deployment, user: &Deployment, proxy: &Proxy, node: &str, contract: &str) {
    let other = make(&maker.admin, "other", "quorum", "raft", &[]);
    let developer = user.user("emma", "developer:gamma");
    let transfer = json!(["0x00000000000000000000000000000000000000AA", 0]).to_string();
    let send = ["contract", "send", contract, "transfer", "--network", "partner", "--args", &transfer, "--wait"];
    let is_another = |words: &str| {
        let failed = network_is(&user.admin, "partner", "failed");
        let reason = text(&failed, "statusReason");
        assert!(reason.contains(words) && reason.ends_with("(network.identity)"), "{reason}");
        assert!(failed["height"].is_null(), "{failed}");
    };
    proxy.turn(&other);
    assert_eq!(code(&developer.fails(1, &send)), "network.identity", "at once, before anything was watched");
    is_another("a chain with id");
    assert_eq!(code(&user.admin.fails(1, &["block", "show", "latest", "--network", "partner"])), "network.identity");
    assert!(maker.admin.list(&["tx", "list", "--network", "other"]).is_empty(), "nothing was sent to it");

    proxy.turn("127.0.0.1:9");
    let halted = network_is(&user.admin, "partner", "halted");
    assert!(text(&halted, "statusReason").starts_with("the address does not answer"), "{halted}");
    proxy.turn(node);
    network_is(&user.admin, "partner", "running");
    assert_eq!(developer.json(&send)["status"], "success", "it goes on");

    maker.admin.json(&["network", "delete", "theirs", "--yes", "--wait"]);
    let anew = make(&maker.admin, "theirs", "quorum", "raft", &["--chain-id", "770011"]);
    proxy.turn(&anew);
    assert_eq!(code(&developer.fails(1, &send)), "network.identity");
    is_another("began with another block");
    assert!(maker.admin.list(&["tx", "list", "--network", "theirs"]).is_empty(), "nothing was sent to it");
}

/// Gas has a price on geth, and the members' accounts are empty.
fn poor(maker: &Deployment, user: &Deployment) {
    let node = make(&maker.admin, "priced", "geth", "clique", &[]);
    let network = user.admin.json(&attach("priced", &node));
    assert_eq!((&network["consensus"], &network["attached"]["confirmations"]), (&json!("clique"), &json!(1)));
    let developer = user.user("frits", "developer:alpha");
    let artifact = artifact();
    let deploy = ["contract", "deploy", &artifact, "--network", "priced", "--args", r#"["Guilder","NLG","1000"]"#];
    let problem = developer.fails(1, &[&deploy[..], &["--from", "alpha", "--wait"]].concat());
    assert_eq!(code(&problem), "account.funds", "{problem}");
}
