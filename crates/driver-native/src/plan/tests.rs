//! What is accepted, what is refused and why, and what a plan looks like.

use driver::conformance;
use serde_json::json;
use workload::{HostPort, PortAddress};

use super::*;

fn draft(consensus: &str, nodes: u32) -> Draft {
    Draft {
        name: "demo".into(),
        version: None,
        consensus: consensus.into(),
        nodes,
        members: vec!["alpha".into(), "beta".into(), "gamma".into()],
        chain_id: None,
        genesis: None,
        options: Value::Null,
    }
}

fn spec(draft: &Draft) -> NetworkSpec {
    let accepted = NativePlanner.accept(draft).unwrap();
    let spec = driver::conformance::settle(draft, &accepted);
    NetworkSpec { created_at: 1_700_000_000_000_000, ..spec }
}

fn placements(spec: &NetworkSpec) -> Placements {
    let port = |host: &str, port| HostPort { host: host.into(), port };
    let address = |number| PortAddress {
        inside: port("127.0.0.1", number),
        between: port("10.0.0.1", number),
        outside: port("127.0.0.1", number),
    };
    let node = |(index, node): (u16, &NodeSpec)| {
        let ports = [("rpc", address(9000 + index)), ("p2p", address(9100 + index))];
        (node.id.clone(), Placement { ports: ports.map(|(name, address)| (name.to_owned(), address)).into() })
    };
    (0..).zip(&spec.nodes).map(node).collect()
}

fn with_keys(spec: &NetworkSpec) -> Outputs {
    // Not in the order of their values: the genesis lists them in the nodes' order.
    let key = |(index, node): (usize, &NodeSpec)| {
        let key = format!("{:02x}", 0xf0 - index).repeat(32);
        (format!("{}/key", node.name), [("publicKey".to_owned(), key)].into())
    };
    spec.nodes.iter().enumerate().map(key).collect()
}

fn genesis(plan: &Plan) -> Value {
    let init = plan.jobs.iter().find(|job| job.name == "demo/node-1/init").expect("the job is planned");
    let Content::Text(text) = &init.program.files[0].content else { panic!("the genesis is no secret") };
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_planner_conforms() {
    for (consensus, nodes) in [("bft", 4), ("bft", 7), ("solo", 1)] {
        // A key that is the node's number.
        let key = |job: &str, _: &str| format!("{:0>64}", job.chars().filter(char::is_ascii_digit).collect::<String>());
        conformance::planner(&NativePlanner, &draft(consensus, nodes), key);
    }
}

#[test]
fn validators_are_dealt_to_the_members_in_turn() {
    let accepted = NativePlanner.accept(&draft("bft", 4)).unwrap();
    let dealt: Vec<_> =
        accepted.nodes.iter().map(|node| (node.name.as_str(), node.member.as_str(), node.role.as_str())).collect();
    let node = |name, member| (name, member, "validator");
    assert_eq!(
        dealt,
        [
            node("demo/node-1", "alpha"),
            node("demo/node-2", "beta"),
            node("demo/node-3", "gamma"),
            node("demo/node-4", "alpha")
        ]
    );
    let all = accepted.notes.join("\n");
    assert!(all.contains("the votes of 3 of 4 validators"), "{all}");
    assert!(all.contains("alpha runs 2 of 4 validators"), "{all}");
}

#[test]
fn numbers_of_nodes_that_do_not_fit_are_explained() {
    for (consensus, nodes, code, says) in [
        ("bft", 0, Code::NetworkNodes, "at least 4"),
        ("bft", 1, Code::NetworkNodes, "solo"),
        ("bft", 2, Code::NetworkNodes, "Use `solo` with one node now"),
        ("bft", 3, Code::NetworkNodes, "Raft"),
        ("bft", 65, Code::NetworkNodes, "At most 64"),
        ("solo", 4, Code::NetworkNodes, "exactly one"),
        ("raft", 3, Code::NetworkConsensus, "no consensus `raft`"),
    ] {
        let refused = NativePlanner.accept(&draft(consensus, nodes)).unwrap_err();
        assert_eq!(refused.code, code.as_str(), "{consensus} {nodes}");
        assert!(refused.detail.contains(says), "{consensus} {nodes}: {}", refused.detail);
    }
    assert!(NativePlanner.accept(&draft("solo", 1)).is_ok());
}

#[test]
fn options_are_checked_and_completed() {
    let mut draft = draft("bft", 4);
    draft.options = json!({ "blockIntervalMs": 50 });
    let options = NativePlanner.accept(&draft).unwrap().options;
    let expected = json!({ "blockIntervalMs": 50, "heartbeatMs": 1000, "epochLength": 256, "gasLimit": 60_000_000, "minGasPrice": 0 });
    assert_eq!(options, expected);
    for (options, field) in [
        (json!({ "blockIntervalMs": 0 }), "options.blockIntervalMs"),
        (json!({ "heartbeatMs": 99 }), "options.heartbeatMs"),
        (json!({ "epochLength": 15 }), "options.epochLength"),
        (json!({ "gasLimit": "60000000" }), "options.gasLimit"),
        (json!({ "minGasPrice": -1 }), "options.minGasPrice"),
        (json!({ "blockTime": 1 }), "options.blockTime"),
        (json!([]), "options"),
    ] {
        draft.options = options;
        let refused = NativePlanner.accept(&draft).unwrap_err();
        assert_eq!((refused.code.as_str(), refused.fields[0].field.as_str()), ("request.invalid", field));
    }
}

#[test]
fn a_genesis_that_does_not_fit_is_refused() {
    let key = "ab".repeat(32);
    for (genesis, field) in [
        (json!({ "config": { "polder": { "validators": [key] } } }), "genesis.config.polder.validators"),
        (json!({ "config": { "polder": { "speed": 1 } } }), "genesis.config.polder.speed"),
        (json!({ "config": { "chainId": 0 } }), "genesis.config.chainId"),
        (json!({ "config": { "cancunTime": 5 } }), "genesis.config.cancunTime"),
        (json!({ "config": { "amsterdamTime": 0 } }), "genesis.config.amsterdamTime"),
        (json!({ "config": { "osakaTime": 5, "pragueTime": 6 } }), "genesis.config.osakaTime"),
        (json!({ "aloc": {} }), "genesis.aloc"),
        (json!({ "alloc": { "0x12": { "balance": "1" } } }), "genesis"),
        (json!([]), "genesis"),
    ] {
        let draft = Draft { genesis: Some(genesis.clone()), ..draft("bft", 4) };
        let refused = NativePlanner.accept(&draft).unwrap_err();
        assert_eq!((refused.code.as_str(), refused.fields[0].field.as_str()), ("network.genesis", field), "{genesis}");
    }
}

#[test]
fn the_request_and_the_genesis_must_agree() {
    let genesis = json!({ "config": { "chainId": 77, "polder": { "heartbeatMs": 2000 } }, "gasLimit": "0x2faf080" });
    let mut draft = Draft { genesis: Some(genesis), ..draft("bft", 4) };
    let accepted = NativePlanner.accept(&draft).unwrap();
    assert_eq!(accepted.chain_id, Some(77));
    assert_eq!((&accepted.options["heartbeatMs"], &accepted.options["gasLimit"]), (&json!(2000), &json!(50_000_000)));
    draft.chain_id = Some(78);
    draft.options = json!({ "heartbeatMs": 500 });
    let refused = NativePlanner.accept(&draft).unwrap_err();
    let fields: Vec<_> = refused.fields.iter().map(|wrong| wrong.field.as_str()).collect();
    assert_eq!((refused.code.as_str(), fields), ("network.genesis", vec!["chainId", "options.heartbeatMs"]));
}

#[test]
fn keys_come_first() {
    let spec = spec(&draft("bft", 4));
    let plan = NativePlanner.plan(&spec, &placements(&spec), &Outputs::new()).unwrap();
    assert!(!plan.complete && plan.services.is_empty());
    assert_eq!(plan.due_jobs(&Outputs::new()).count(), 4);
    let mut outputs = with_keys(&spec);
    outputs.get_mut("demo/node-3/key").unwrap().insert("publicKey".into(), "no key".into());
    assert!(NativePlanner.plan(&spec, &placements(&spec), &outputs).is_err());
    assert!(NativePlanner.plan(&spec, &Placements::new(), &with_keys(&spec)).is_err(), "nodes without addresses");
}

#[test]
fn a_plan_is_the_same_each_time() {
    let spec = spec(&draft("bft", 4));
    let (placements, outputs) = (placements(&spec), with_keys(&spec));
    let plan = NativePlanner.plan(&spec, &placements, &outputs).unwrap();
    assert_eq!(plan, NativePlanner.plan(&spec, &placements, &outputs).unwrap());
    assert!(plan.complete);
    assert_eq!((plan.jobs.len(), plan.services.len()), (8, 4));
    let genesis = genesis(&plan);
    let keys: Vec<String> = ["f0", "ef", "ee", "ed"].map(|byte| byte.repeat(32)).to_vec();
    let section = json!({
        "validators": keys, "blockIntervalMs": 30, "heartbeatMs": 1000, "epochLength": 256, "minGasPrice": 0,
    });
    assert_eq!(genesis["config"]["polder"], section);
    for fork in ["londonBlock", "shanghaiTime", "cancunTime", "pragueTime", "terminalTotalDifficulty"] {
        assert_eq!(genesis["config"][fork], 0, "{fork}");
    }
    assert_eq!((&genesis["gasLimit"], &genesis["timestamp"]), (&json!("0x3938700"), &json!("0x6553f100")));
    let funded = &genesis["alloc"]["0xab5801a7d398351b8be11c439e05c5b3259aec9b"]["balance"];
    assert_eq!(funded, "0xd3c21bcecceda1000000");
    let text = |text: &str| Arg::Text(text.into());
    let mut args = vec![text("run"), text("--data"), Arg::Volume("data".into())];
    args.extend([text("--http"), Arg::Listen("rpc".into()), text("--p2p"), Arg::Listen("p2p".into())]);
    for (index, key) in keys.iter().enumerate().filter(|(index, _)| *index != 1) {
        args.extend([text("--peer"), text(&format!("{key}@10.0.0.1:{}", 9100 + index))]);
    }
    let service = &plan.services[1];
    assert_eq!((&service.program.args, &service.after), (&args, &vec!["demo/node-2/init".to_owned()]));
    let endpoints = NativePlanner.endpoints(&placements["node_2"]);
    assert_eq!(endpoints.rpc.as_deref(), Some("http://127.0.0.1:9001"));
    assert_eq!(endpoints.ws.as_deref(), Some("ws://127.0.0.1:9001"));
}

#[test]
fn what_a_given_genesis_says_stays() {
    let given = json!({
        "config": { "chainId": 77, "ourMark": "kept", "pragueTime": null, "osakaTime": 0 },
        "extraData": "0x1234",
        "timestamp": "0x5",
        "alloc": { "ab5801a7d398351b8be11c439e05c5b3259aec9b": { "balance": "7" }, "0x00000000000000000000000000000000000000aa": { "balance": "0x1" } },
    });
    let spec = spec(&Draft { genesis: Some(given), ..draft("solo", 1) });
    let plan = NativePlanner.plan(&spec, &placements(&spec), &with_keys(&spec)).unwrap();
    let genesis = genesis(&plan);
    assert_eq!(genesis["config"]["ourMark"], "kept");
    assert_eq!(genesis["config"]["osakaTime"], 0);
    assert_eq!((&genesis["config"]["chainId"], &genesis["config"]["pragueTime"]), (&json!(77), &json!(0)));
    assert_eq!((&genesis["extraData"], &genesis["timestamp"]), (&json!("0x1234"), &json!("0x5")));
    let alloc = genesis["alloc"].as_object().unwrap();
    assert_eq!(alloc.len(), 2, "the member's account is in the given genesis already: {alloc:?}");
    assert_eq!(alloc["ab5801a7d398351b8be11c439e05c5b3259aec9b"]["balance"], "7");
}

#[test]
fn the_schema_and_the_checks_agree() {
    let engine = NativePlanner.describe();
    assert_eq!(engine.consensus.iter().map(|kind| kind.name.as_str()).collect::<Vec<_>>(), ["bft", "solo"]);
    for (name, schema) in engine.options["properties"].as_object().unwrap() {
        let accepts =
            |value: u64| NativePlanner.accept(&Draft { options: json!({ name: value }), ..draft("bft", 4) }).is_ok();
        let (low, high) = (schema["minimum"].as_u64().unwrap(), schema["maximum"].as_u64().unwrap());
        assert!(accepts(low) && accepts(high) && !accepts(high + 1) && (low == 0 || !accepts(low - 1)), "{name}");
    }
}
