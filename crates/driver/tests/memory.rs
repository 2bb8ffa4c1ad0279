//! The in-memory driver conforms.

use std::sync::Arc;

use driver::memory::{MemoryDriver, artifact};
use driver::{Connection, Draft, Driver, Drivers, LedgerNetwork, Signer, conformance};
use futures::FutureExt;
use serde_json::{Value, json};

fn draft() -> Draft {
    Draft {
        name: "demo".into(),
        version: None,
        consensus: "none".into(),
        nodes: 3,
        members: vec!["alpha".into(), "beta".into()],
        chain_id: None,
        genesis: None,
        options: Value::Null,
    }
}

/// Signs with anything: the chain knows no keys.
struct Anybody;

impl Signer for Anybody {
    fn address(&self) -> &str {
        "0x00000000000000000000000000000000000000aa"
    }

    fn sign(&self, _: &[u8]) -> driver::Result<Vec<u8>> {
        Ok(vec![1; 65])
    }
}

/// Nodes that accept connections; `gone` does not, nor does any that the network has not.
fn network(nodes: &[&str]) -> LedgerNetwork {
    let known: Vec<String> = nodes.iter().map(|node| (*node).to_owned()).collect();
    let connector = Arc::new(move |node: String, _port: String| {
        let up = node != "gone" && known.contains(&node);
        async move {
            if !up {
                return Err(std::io::ErrorKind::ConnectionRefused.into());
            }
            Ok(Box::new(tokio::io::duplex(64).0) as Box<dyn Connection>)
        }
        .boxed()
    });
    let driver = MemoryDriver::new("program");
    let accepted = driver.planner().accept(&draft()).unwrap();
    let mut spec = conformance::settle(&draft(), &accepted);
    spec.nodes.truncate(nodes.len());
    for (node, id) in spec.nodes.iter_mut().zip(nodes) {
        node.id = (*id).into();
    }
    LedgerNetwork::new(spec, connector)
}

#[test]
fn the_planner_conforms() {
    let driver = MemoryDriver::new("program");
    conformance::planner(driver.planner(), &draft(), |job, _| format!("output of {job}"));
}

#[tokio::test]
async fn the_ledger_conforms() {
    let driver = MemoryDriver::new("program");
    let ledger = driver.ledger(network(&["node_1", "node_2", "node_3"]));
    let case = conformance::LedgerCase {
        ledger: &*ledger,
        node: "node_1",
        signer: &Anybody,
        standing: None,
        artifact: artifact(),
        constructor: Value::Null,
        set: ("set", json!(["key", "5"])),
        get: ("get", json!(["key"]), json!("5")),
        fail: ("fail", json!(["no luck"]), "no luck"),
        voters: ["node_1", "node_2", "node_3"].map(String::from).to_vec(),
    };
    conformance::ledger(&case).await;
    assert!(
        driver.ledger(network(&["node_1"])).health("node_1").await.unwrap().height > Some(0),
        "the chain outlives a ledger value"
    );
    let error = driver.ledger(network(&["gone"])).nonce(case.signer.address()).await.unwrap_err();
    assert_eq!(error.code(), types::Code::NodeUnreachable);
}

#[test]
fn drivers_are_found_by_their_engines_name() {
    let drivers = Drivers::new(vec![Arc::new(MemoryDriver::new("program"))]);
    assert!(drivers.get("memory").is_some());
    assert!(drivers.get("other").is_none());
    assert_eq!(drivers.engines()[0].name, "memory");
}
