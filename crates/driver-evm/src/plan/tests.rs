//! What is accepted, what is refused and why, and what plans look like.

use alloy_primitives::{hex, keccak256};
use driver::conformance;
use serde_json::{Value, json};
use workload::{Arg, Content, Job, PortAddress};

use super::*;

fn planner(engine: &str) -> EvmPlanner {
    EvmPlanner(match engine {
        "quorum" => Family::Quorum,
        "geth" => Family::Geth,
        _ => Family::Besu,
    })
}

const ALL: [(&str, &str, u32); 6] = [
    ("quorum", "qbft", 4),
    ("quorum", "ibft", 4),
    ("quorum", "raft", 3),
    ("geth", "clique", 3),
    ("geth", "dev", 1),
    ("besu", "qbft", 4),
];

fn draft(consensus: &str, nodes: u32) -> Draft {
    Draft {
        name: "demo".into(),
        consensus: consensus.into(),
        version: None,
        nodes,
        members: vec!["alpha".into(), "beta".into(), "gamma".into()],
        chain_id: None,
        genesis: None,
        options: Value::Null,
    }
}

fn spec(planner: &EvmPlanner, draft: &Draft) -> NetworkSpec {
    let accepted = planner.accept(draft).unwrap();
    let spec = driver::conformance::settle(draft, &accepted);
    NetworkSpec { created_at: 1_700_000_000_000_000, ..spec }
}

fn placements(planner: &EvmPlanner, spec: &NetworkSpec) -> Placements {
    let port = |host: &str, port| HostPort { host: host.into(), port };
    let address = |number| PortAddress {
        inside: port("127.0.0.1", number),
        between: port("10.0.0.1", number),
        outside: port("127.0.0.1", number),
    };
    let node = |(index, node): (u16, &NodeSpec)| {
        let ports = planner.ports(&node.role);
        let ports = ports.into_iter().zip(0..).map(|(port, kind)| (port.name, address(9000 + 100 * kind + index)));
        (node.id.clone(), Placement { ports: ports.collect() })
    };
    (0..).zip(&spec.nodes).map(node).collect()
}

/// A key as the program prints it, different for each node.
fn key(job: &str) -> String {
    let half = keccak256(job);
    format!("{}{}", hex::encode(half), hex::encode(keccak256(half)))
}

fn with_keys(spec: &NetworkSpec) -> Outputs {
    let output = |node: &NodeSpec| {
        let name = jobs::public_key_name(node);
        let value = key(&name);
        (name, [(PUBLIC_KEY.to_owned(), value)].into())
    };
    spec.nodes.iter().map(output).collect()
}

fn plan(engine: &str, draft: &Draft) -> Plan {
    let planner = planner(engine);
    let spec = spec(&planner, draft);
    planner.plan(&spec, &placements(&planner, &spec), &with_keys(&spec)).unwrap()
}

fn job<'a>(plan: &'a Plan, name: &str) -> &'a Job {
    plan.jobs.iter().find(|job| job.name == name).unwrap()
}

fn genesis(plan: &Plan) -> Value {
    let files = plan.jobs.iter().flat_map(|job| &job.program.files);
    let mut files = files.chain(plan.services.iter().flat_map(|service| &service.program.files));
    let file = files.rfind(|file| file.name == "genesis.json").unwrap();
    let Content::Text(text) = &file.content else { panic!("a genesis is no secret") };
    serde_json::from_str(text).unwrap()
}

fn config(plan: &Plan, node: usize) -> &str {
    let file = plan.services[node].program.files.iter().find(|file| file.name == "config.toml").unwrap();
    let Content::Text(text) = &file.content else { panic!("it is no secret") };
    text
}

/// The arguments as text; volumes and files by their names.
fn words(args: &[Arg]) -> Vec<String> {
    fn word(arg: &Arg) -> String {
        match arg {
            Arg::Text(text) => text.clone(),
            Arg::Listen(name) | Arg::Volume(name) | Arg::File(name) => format!("<{name}>"),
            Arg::Secrets | Arg::Engine(_) | Arg::In(..) => panic!("{arg:?} is not planned"),
            Arg::Joined(parts) => parts.iter().map(word).collect(),
        }
    }
    args.iter().map(word).collect()
}

fn has(words: &[String], pair: [&str; 2]) -> bool {
    words.windows(2).any(|two| two == pair)
}

#[test]
fn planners_conform() {
    for (engine, consensus, nodes) in ALL {
        conformance::planner(&planner(engine), &draft(consensus, nodes), |job, _| key(job));
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_field() {
    let geth = |version: &str| Draft { version: Some(version.into()), ..draft("clique", 3) };
    let dev = |version: &str| Draft { version: Some(version.into()), ..draft("dev", 1) };
    let genesis = |genesis: Value| Draft { genesis: Some(genesis), ..draft("qbft", 4) };
    let options = |options: Value| Draft { options, ..draft("qbft", 4) };
    let cases = [
        ("quorum", draft("clique", 4), "consensus"),
        ("quorum", draft("qbft", 3), "nodes"),
        ("geth", draft("clique", 100), "nodes"),
        ("geth", geth("1.17.5"), "version"),
        ("geth", dev("1.13.15"), "version"),
        ("geth", draft("dev", 2), "nodes"),
        ("quorum", Draft { chain_id: Some(1), ..draft("raft", 3) }, "chainId"),
        ("quorum", genesis(json!([])), "genesis"),
        ("quorum", genesis(json!({ "extraData": "0x" })), "genesis.extraData"),
        ("quorum", genesis(json!({ "oops": 1 })), "genesis.oops"),
        ("quorum", genesis(json!({ "config": { "londonBlock": 0 } })), "genesis.config.londonBlock"),
        ("quorum", genesis(json!({ "config": { "qbft": {} } })), "genesis.config.qbft"),
        ("quorum", genesis(json!({ "alloc": { "0x12": { "balance": "1" } } })), "genesis.alloc.0x12"),
        ("quorum", options(json!({ "blockPeriodSeconds": 4 })), "options.requestTimeoutSeconds"),
        (
            "quorum",
            options(json!({ "blockPeriodSeconds": 3, "emptyBlockPeriodSeconds": 2 })),
            "options.emptyBlockPeriodSeconds",
        ),
        ("quorum", options(json!({ "gasPrice": 1 })), "options.gasPrice"),
    ];
    for (engine, draft, field) in cases {
        let problem = planner(engine).accept(&draft).unwrap_err();
        assert!(problem.fields.iter().any(|wrong| wrong.field == field), "{field}: {problem:?}");
    }
    assert!(planner("geth").accept(&geth("1.13.15")).is_ok());
    assert!(planner("geth").accept(&dev("v1.14.0-unstable")).is_ok());
    assert!(planner("geth").accept(&dev("8585ac91f198")).is_ok(), "a commit: nobody knows");
    assert!(planner("quorum").accept(&Draft { chain_id: Some(1), ..draft("raft", 3) }).is_err());
}

#[test]
fn notes_say_what_the_choice_means() {
    let said = |engine: &str, draft: Draft| planner(engine).accept(&draft).unwrap().notes.join("\n");
    assert!(said("quorum", draft("qbft", 4)).contains("3 of 4 validators: 1 may be down or dishonest"));
    let raft = said("quorum", draft("raft", 3));
    assert!(raft.contains("None may be dishonest") && raft.contains("firewall"), "{raft}");
    let clique = said("geth", draft("clique", 4));
    assert!(clique.contains("not final at once") && clique.contains("3 blocks after") && clique.contains("balance"));
    let heavy = Draft { options: json!({ "gasLimit": 3_700_000_000_u64 }), ..draft("qbft", 4) };
    assert!(said("quorum", heavy).contains("blocks may then stay empty"));
    assert!(!said("quorum", draft("qbft", 4)).contains("stay empty"), "defaults are safe");
    let dev = said("geth", draft("dev", 1));
    assert!(dev.contains("nobody else checks it") && dev.contains("EIP-1559"), "{dev}");
}

#[test]
fn keys_come_first_and_each_job_can_be_run_again() {
    // A single node of its own needs none beforehand.
    for (engine, consensus, nodes) in ALL.into_iter().filter(|(_, consensus, _)| *consensus != "dev") {
        let planner = planner(engine);
        let spec = spec(&planner, &draft(consensus, nodes));
        let places = placements(&planner, &spec);
        let first = planner.plan(&spec, &places, &Outputs::new()).unwrap();
        assert!(!first.complete && first.services.is_empty());
        let mut outputs = with_keys(&spec);
        let name = jobs::public_key_name(&spec.nodes[1]);
        let other = outputs[&jobs::public_key_name(&spec.nodes[0])].clone();
        outputs.insert(name.clone(), [(PUBLIC_KEY.to_owned(), "no key".to_owned())].into());
        assert!(planner.plan(&spec, &places, &outputs).is_err());
        outputs.insert(name, other);
        assert!(planner.plan(&spec, &places, &outputs).is_err(), "two nodes with one key");
    }
    let plan = plan("geth", &draft("clique", 3));
    let emptied = |name: &str| {
        job(&plan, name).volumes.iter().filter(|volume| volume.emptied).map(|volume| &*volume.name).collect::<Vec<_>>()
    };
    assert_eq!(emptied("demo/node-1/account"), ["keystore"], "an account that is there is refused");
    assert_eq!(emptied("demo/node-1/init"), ["data"]);
    assert!(emptied("demo/node-1/key").is_empty() && emptied("demo/node-1/password").is_empty());
    let order = ["demo/node-1/init", "demo/node-1/account", "demo/node-1/password", "demo/node-1/public-key"];
    for pair in order.windows(2) {
        assert_eq!(job(&plan, pair[0]).after, [pair[1]]);
    }
}

#[test]
fn quorum_by_votes() {
    let draft = Draft {
        version: Some("24.4.1".into()),
        options: json!({ "blockPeriodSeconds": 2, "emptyBlockPeriodSeconds": 10 }),
        ..draft("qbft", 4)
    };
    let plan = plan("quorum", &draft);
    let genesis = genesis(&plan);
    let section = json!({
        "epochlength": 30_000, "blockperiodseconds": 2, "requesttimeoutseconds": 4, "emptyblockperiodseconds": 10,
        "policy": 0, "ceil2Nby3Block": 0,
    });
    assert_eq!((&genesis["config"]["qbft"], &genesis["config"]["isQuorum"]), (&section, &json!(true)));
    assert_eq!((&genesis["difficulty"], &genesis["gasLimit"]), (&json!("0x1"), &json!("0x1312d00")));
    assert_eq!(genesis["timestamp"], "0x6553f100");
    assert!(genesis["extraData"].as_str().unwrap().starts_with("0xf87aa0"));
    let funded = &genesis["alloc"]["0xab5801a7d398351b8be11c439e05c5b3259aec9b"]["balance"];
    assert_eq!(funded, "0xd3c21bcecceda1000000");

    let service = &plan.services[1];
    assert_eq!(service.program.name, "quorum-24.4.1/geth");
    assert_eq!(service.program.env["PRIVATE_CONFIG"], Arg::from("ignore"));
    let words = words(&service.program.args);
    for pair in [
        ["--datadir", "<data>"],
        ["--nodekey", "<keys>/nodekey"],
        ["--networkid", "4242"],
        ["--http.addr", "127.0.0.1"],
        ["--http.port", "9001"],
        ["--ws.port", "9001"],
        ["--gcmode", "archive"],
        ["--miner.gaslimit", "20000000"],
        ["--miner.gastarget", "20000000"],
    ] {
        assert!(has(&words, pair), "{pair:?} in {words:?}");
    }
    assert!(!words.iter().any(|word| word.contains("personal") || word == "--unlock" || word == "--raft"));
    let config = config(&plan, 1);
    assert!(config.contains("ListenAddr = \"127.0.0.1:9101\""), "{config}");
    assert_eq!(config.matches("enode://").count(), 3, "all but itself");
    assert!(config.contains("@10.0.0.1:9100") && !config.contains("@10.0.0.1:9101"));
    assert!(service.volumes.iter().all(|volume| volume.files.is_empty() && !volume.emptied));
}

#[test]
fn quorum_by_raft_numbers_its_nodes() {
    let plan = plan("quorum", &draft("raft", 3));
    let genesis = genesis(&plan);
    assert_eq!((&genesis["difficulty"], &genesis["timestamp"]), (&json!("0x0"), &json!("0x17979cfe362a0000")));
    assert!(["qbft", "ibft", "clique"].iter().all(|name| genesis["config"].get(*name).is_none()));
    let peers: Vec<&str> = plan
        .services
        .iter()
        .map(|service| {
            let data = service.volumes.iter().find(|volume| volume.name == "data").unwrap();
            assert_eq!(data.files[0].path, "geth/static-nodes.json");
            data.files[0].text.as_str()
        })
        .collect();
    assert!(peers.iter().all(|text| *text == peers[0]), "the order is each node's number");
    let list: Vec<String> = serde_json::from_str(peers[0]).unwrap();
    assert!(list[2].ends_with("@10.0.0.1:9102?discport=0&raftport=9202"), "{list:?}");
    let words = words(&plan.services[2].program.args);
    assert!(has(&words, ["--raftport", "9202"]) && has(&words, ["--raftblocktime", "50"]), "{words:?}");
    assert!(words.contains(&"--miner.etherbase".into()) && !words.contains(&"--raftdnsenable".into()));
}

#[test]
fn geth_signs_with_the_nodes_own_key() {
    let plan = plan("geth", &draft("clique", 3));
    assert_eq!(genesis(&plan)["config"]["clique"], json!({ "period": 1, "epoch": 30_000 }));
    let import = words(&job(&plan, "demo/node-1/account").program.args);
    assert_eq!(import.last().unwrap(), "<keys>/nodekey");
    assert!(has(&import, ["--password", "<keys>/password"]) && has(&import, ["--keystore", "<keystore>"]));
    let words = words(&plan.services[0].program.args);
    assert!(has(&words, ["--password", "<keys>/password"]) && has(&words, ["--miner.gasprice", "1"]), "{words:?}");
    assert_eq!(plan.services[0].program.name, "geth-1.13.15/geth");
    let step = &plan.steps[0];
    assert_eq!((step.action.as_str(), step.after.len()), ("first-block", 3));
    assert_eq!(genesis(&plan)["timestamp"], "0x6553f103", "a head start");
}

#[test]
fn besu_by_its_documentation() {
    let plan = plan("besu", &draft("qbft", 4));
    assert_eq!((plan.jobs.len(), plan.services.len()), (4, 4));
    let words = words(&plan.services[0].program.args);
    for word in ["--data-path=<data>", "--genesis-file=<genesis.json>", "--rpc-http-port=9000", "--p2p-port=9100"] {
        assert!(words.contains(&word.to_owned()), "{word} in {words:?}");
    }
    let genesis = genesis(&plan);
    assert_eq!(genesis["config"]["qbft"]["blockperiodseconds"], 1);
    assert!(genesis["config"].get("isQuorum").is_none());
    let data = &plan.services[0].volumes[0];
    assert_eq!((data.files[0].path.as_str(), data.files[0].text.matches("enode://").count()), ("static-nodes.json", 3));
}

#[test]
fn what_a_given_genesis_says_stays() {
    let given = json!({
        "config": { "chainId": 77, "ourMark": "kept", "txnSizeLimit": 128 },
        "timestamp": "0x5",
        "gasLimit": "0xf42400",
        "alloc": { "ab5801a7d398351b8be11c439e05c5b3259aec9b": { "balance": "7" }, "0x00000000000000000000000000000000000000aa": { "balance": "0x1" } },
    });
    let draft = Draft { genesis: Some(given), ..draft("ibft", 4) };
    let accepted = planner("quorum").accept(&draft).unwrap();
    assert_eq!((accepted.chain_id, &accepted.options["gasLimit"]), (Some(77), &json!(16_000_000)));
    let genesis = genesis(&plan("quorum", &draft));
    let config = &genesis["config"];
    assert_eq!(
        (&config["ourMark"], &config["txnSizeLimit"], &config["chainId"]),
        (&json!("kept"), &json!(128), &json!(77))
    );
    assert_eq!((&genesis["timestamp"], &genesis["gasLimit"]), (&json!("0x5"), &json!("0xf42400")));
    let alloc = genesis["alloc"].as_object().unwrap();
    assert_eq!(alloc.len(), 2, "the member's account is in the given genesis already: {alloc:?}");
}

#[test]
fn the_schema_and_the_checks_agree() {
    for (engine, consensus, nodes) in ALL {
        let planner = planner(engine);
        for (name, schema) in planner.describe().options["properties"].as_object().unwrap() {
            let problem = |value: u64| {
                let mut options = json!({ "requestTimeoutSeconds": 3600, "blockPeriodSeconds": 1 });
                if engine == "geth" {
                    options = json!({});
                }
                options[name] = value.into();
                planner.accept(&Draft { options, ..draft(consensus, nodes) }).err()
            };
            let out_of_range =
                |value: u64| problem(value).is_some_and(|problem| problem.detail.contains("does not fit"));
            let (low, high) = (schema["minimum"].as_u64().unwrap(), schema["maximum"].as_u64().unwrap());
            assert!(!out_of_range(low) && !out_of_range(high) && out_of_range(high + 1), "{engine} {name}");
            assert!(low == 0 || out_of_range(low - 1), "{engine} {name}");
        }
    }
}

#[test]
fn a_development_chain_begins_with_todays_forks_and_nobodys_money() {
    let plan = plan("geth", &draft("dev", 1));
    let init = job(&plan, "demo/node-1/init");
    assert!(init.after.is_empty() && plan.steps.is_empty());
    assert!(has(&words(&init.program.args), ["--state.scheme", "hash"]));
    let service = words(&plan.services[0].program.args);
    assert!(service.contains(&"--dev".into()) && has(&service, ["--dev.period", "1"]), "{service:?}");
    assert_eq!(plan.services[0].program.name, "geth-1.17.5/geth");
    let genesis = genesis(&plan);
    assert_eq!(
        (&genesis["config"]["osakaTime"], &genesis["config"]["terminalTotalDifficulty"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(genesis["difficulty"], "0x0", "as after the merge");
    let system = |address: &str| genesis["alloc"][address]["code"].as_str().unwrap_or_default().len() > 100;
    assert!(
        system("0x000f3df6d732807ef1319fb7b8bb8522d0beac02") && system("0x0000f90827f1c53a10cb7a02335b175320002935")
    );
}
