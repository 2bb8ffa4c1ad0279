//! Hyperledger Fabric as its users meet it: a network, channels, chaincode from source, and Fabric's own command line.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tests::repository;

use crate::deployment::{Deployment, OnExit, Program, eventually, processes};
use crate::{network_is, text};

struct Case {
    version: &'static str,
    consensus: &'static str,
    orderers: &'static str,
    /// Folders of samples below `contracts/fabric`.
    languages: &'static [&'static str],
}

const CASES: [Case; 3] = [
    Case { version: "3.1.1", consensus: "raft", orderers: "3", languages: &["go", "node", "java"] },
    Case { version: "3.1.1", consensus: "bft", orderers: "4", languages: &["go"] },
    Case { version: "2.5.0", consensus: "raft", orderers: "3", languages: &["go"] },
];

#[test]
fn fabric_from_its_members_to_called_chaincode() {
    let mut deployment = Deployment::start();
    deployment.found();
    let mut developer = deployment.user("dora", "developer:beta");
    for case in &CASES {
        let name = format!("fabric-{}-{}", case.version.replace('.', "-"), case.consensus);
        let arguments = ["network", "create", &name, "--engine", "fabric", "--engine-version", case.version];
        let more = ["--consensus", case.consensus, "--members", "alpha,beta", "--peers", "1", "--wait"];
        let limits = ["--option", "chaincodeMemoryMib=64", "--option", "chaincodeCpuPercent=50"];
        let limits = if case.version == "2.5.0" { &limits[..] } else { &[] };
        let network = deployment.admin.json(&[&arguments[..], &more, &["--orderers", case.orderers], limits].concat());
        assert_eq!((&network["status"], &network["channels"]), (&json!("running"), &json!(["main"])), "{network}");
        let count = |kind: &str| nodes(&network).iter().filter(|node| node["kind"] == kind).count();
        assert_eq!((count("peer"), count("orderer").to_string()), (2, case.orderers.to_owned()), "{network}");

        for language in case.languages {
            let contract = format!("asset-{language}");
            deployed(&deployment.admin, &name, language, &contract);
            called(&developer, &name, &contract);
        }
        refused(&deployment.admin, &developer, &name);
        if case.version == "2.5.0" {
            faulty(&deployment.admin, &developer, &name);
        }
        own_command_line(&deployment, &name, case.version);
        healed(&deployment.admin, &developer, &name);
        if case.consensus == "bft" {
            another_channel(&deployment.admin, &developer, &name);
            grown(&deployment.admin, &developer, &name);
            upgraded(&deployment.admin, &developer, &name);
            deployment.kill_server();
            deployment.run_server(OnExit::Keep);
            network_is(&deployment.admin, &name, "running");
            created(&developer.at(&deployment.url), &name, "main/asset-go", "after-the-server");
        }
        deployment.admin.json(&["network", "delete", &name, "--yes", "--wait"]);
        developer = developer.at(&deployment.url);
    }
    assert!(processes(&deployment.data(), "nodes").is_empty(), "no process is left");
}

#[test]
fn a_server_that_is_killed_in_the_middle_of_every_step_goes_on_where_it_was() {
    let mut deployment = Deployment::start();
    deployment.found();
    let developer = deployment.user("dora", "developer:alpha");
    let create = ["network", "create", "trade", "--engine", "fabric", "--consensus", "raft", "--members", "alpha,beta"];
    let killed = through_kills(&mut deployment, &create);
    assert!(killed.len() >= 3, "{killed:?}");
    network_is(&deployment.admin, "trade", "running");
    let source = repository().join("contracts/fabric/go");
    let deploy = ["chaincode", "deploy", source.to_str().unwrap(), "--network", "trade", "--name", "asset-go"];
    let killed = through_kills(&mut deployment, &deploy);
    assert!(killed.len() >= 3, "{killed:?}");
    created(&developer.at(&deployment.url), "trade", "asset-go", "one");
    let add = ["node", "add", "--network", "trade", "--member", "alpha", "--kind", "orderer"];
    let killed = through_kills(&mut deployment, &add);
    assert!(killed.len() >= 3, "{killed:?}");
    created(&developer.at(&deployment.url), "trade", "asset-go", "two");
    let killed = through_kills(&mut deployment, &["node", "delete", "trade/orderer-1", "--yes"]);
    assert!(killed.len() >= 2, "{killed:?}");
    created(&developer.at(&deployment.url), "trade", "asset-go", "three");
    deployment.admin.json(&["network", "delete", "trade", "--yes", "--wait"]);
    assert!(processes(&deployment.data(), "nodes").is_empty(), "no process is left");
}

/// Starts an operation, and kills the server once in each of its steps that is seen under way. Gives the steps' names.
fn through_kills(deployment: &mut Deployment, arguments: &[&str]) -> BTreeSet<String> {
    deployment.admin.json(arguments);
    let id = text(&deployment.admin.list(&["operation", "list"])[0], "id").to_owned();
    let mut killed = BTreeSet::new();
    loop {
        let operation = deployment.admin.json(&["operation", "show", &id]);
        match text(&operation, "status") {
            "succeeded" => return killed,
            "queued" | "running" | "waiting" => {}
            _ => panic!("after the kills in {killed:?}: {operation}"),
        }
        let mut steps = operation["steps"].as_array().unwrap().iter().filter(|step| step["status"] == "running");
        if let Some(name) = steps.next().map(|step| text(step, "name").to_owned())
            && killed.insert(name)
        {
            deployment.kill_server();
            deployment.run_server(OnExit::Keep);
        }
    }
}

fn nodes(network: &Value) -> Vec<Value> {
    network["nodes"].as_array().unwrap().clone()
}

pub fn deployed(admin: &Program, network: &str, language: &str, name: &str) {
    let source = repository().join("contracts/fabric").join(language);
    let policy = "AND('alphaMSP.peer','betaMSP.peer')";
    let arguments = ["chaincode", "deploy", source.to_str().unwrap(), "--network", network, "--name", name];
    let deployed = admin.json(&[&arguments[..], &["--policy", policy, "--wait"]].concat());
    assert_eq!((&deployed["sequence"], &deployed["channel"]), (&json!(1), &json!("main")), "{deployed}");
    assert_eq!(deployed["nodes"].as_array().unwrap().len(), 2, "one for each member: {deployed}");
    let shown = admin.json(&["chaincode", "show", name, "--network", network]);
    let by = |member| json!({"member": member, "installed": true, "approved": true});
    assert_eq!(
        (&shown["committed"], &shown["approvals"]),
        (&json!(true), &json!([by("alpha"), by("beta")])),
        "{shown}"
    );
}

pub fn created(developer: &Program, network: &str, contract: &str, id: &str) -> Value {
    let args = json!([id, "blue", 5, "tom", 300]).to_string();
    let arguments = ["chaincode", "invoke", contract, "CreateAsset", "--args", &args, "--network", network, "--wait"];
    let result = developer.json(&arguments);
    assert_eq!(result["status"], "success", "{result}");
    result
}

fn called(developer: &Program, network: &str, contract: &str) {
    let result = created(developer, network, contract, "one");
    let query = ["chaincode", "query", contract, "ReadAsset", "--args", r#"["one"]"#, "--network", network];
    let asset = developer.json(&query);
    assert_eq!((&asset["result"]["Owner"], &asset["result"]["Size"]), (&json!("tom"), &json!(5)), "{asset}");
    let transaction = developer.json(&["tx", "show", text(&result, "transactionHash"), "--network", network]);
    assert_eq!((&transaction["from"], &transaction["to"]), (&json!("betaMSP/user"), &json!(contract)));
    assert_eq!((&transaction["method"], transaction["logs"].as_array().unwrap().len()), (&json!("CreateAsset"), 1));
    let again = ["chaincode", "invoke", contract, "CreateAsset", "--args", r#"["one","blue",5,"tom",300]"#];
    let error = developer.fails(1, &[&again[..], &["--network", network, "--wait"]].concat());
    assert_eq!(error["code"], "contract.reverted", "{error}");
    assert!(text(&error, "detail").contains("already exists"), "{error}");
}

fn refused(admin: &Program, developer: &Program, network: &str) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("go.mod"), "module broken\n\ngo 1.21\n").unwrap();
    std::fs::write(directory.path().join("main.go"), "package main\n\nfunc main() { no such thing }\n").unwrap();
    let path = directory.path().to_str().unwrap();
    let deploy = |more: &[&str]| {
        let arguments = ["chaincode", "deploy", path, "--network", network, "--name", "broken", "--wait"];
        admin.fails(1, &[&arguments[..], more].concat())
    };
    for (more, code) in [
        (["--policy", "AND('alphaMSP.peer'"], "contract.policy"),
        (["--policy", "OR('nobodyMSP.peer')"], "contract.policy"),
        (["--sequence", "7"], "contract.sequence"),
        (["--channel", "nowhere"], "not_found"),
        (["--version", "1"], "chaincode.build"),
    ] {
        let error = deploy(&more);
        assert_eq!(error["code"], code, "{more:?}: {error}");
    }
    let failed = admin.list(&["operation", "list"]).swap_remove(0);
    assert_eq!((&failed["kind"], &failed["status"]), (&json!("chaincode.deploy"), &json!("failed")), "{failed}");
    admin.json(&["operation", "undo", text(&failed, "id"), "--wait"]);
    let names: Vec<Value> = admin.list(&["chaincode", "list", "--network", network]);
    assert!(names.iter().all(|one| one["name"] != "broken"), "{names:?}");
    let forbidden = developer.fails(1, &["network", "profile", network, "--member", "alpha", "--dir", path]);
    assert_eq!(forbidden["code"], "auth.forbidden", "{forbidden}");
}

/// Chaincode that panics, that takes too long and that eats memory: each is told, each is ended or survived, and it answers
/// again.
fn faulty(admin: &Program, developer: &Program, network: &str) {
    let directory = tempfile::tempdir().unwrap();
    let sample = repository().join("contracts/fabric/go");
    for name in ["contract.go", "main.go", "metadata.json", "go.mod", "go.sum"] {
        std::fs::copy(sample.join(name), directory.path().join(name)).unwrap();
    }
    std::fs::write(directory.path().join("faults.go"), include_str!("faults.go")).unwrap();
    let path = directory.path().to_str().unwrap();
    admin.json(&["chaincode", "deploy", path, "--network", network, "--name", "faulty", "--wait"]);
    let own = |node: &Value| node["kind"] == "chaincode" && text(node, "name").contains("faulty");
    let found = || admin.list(&["node", "list", "--network", network]).into_iter().filter(own).collect::<Vec<_>>();
    let query = |function| ["chaincode", "query", "faulty", function, "--network", network];
    let restarts = || found().iter().map(|node| node["restarts"].as_u64().unwrap()).sum::<u64>();
    for (function, told, ends) in
        [("Panic", "ended while it ran", true), ("Spin", "did not end in time", false), ("Eat", "memory", true)]
    {
        let before = restarts();
        let error = developer.fails(1, &query(function));
        assert_eq!(error["code"], "contract.failed", "{function}: {error}");
        assert!(text(&error, "detail").contains(told), "{function}: {error}");
        eventually(&format!("the chaincode is back after {function}"), || {
            let all = found();
            let back = all.len() == 2 && all.iter().all(|node| node["status"] == "running");
            (back && (!ends || restarts() > before) && developer.run(&query("GetAllAssets")).status.success())
                .then_some(())
        });
    }
    let limits = found().swap_remove(0)["limits"].clone();
    assert_eq!((&limits["memoryBytes"], &limits["cpus"]), (&json!(64 << 20), &json!(0.5)), "{limits}");
    let logged = found().iter().any(|node| {
        let log = admin.run(&["node", "logs", text(node, "id")]);
        String::from_utf8_lossy(&log.stdout).contains("more than its limit")
            || String::from_utf8_lossy(&log.stdout).contains("more memory than its limit")
    });
    assert!(logged, "the log says why it was ended");
}

/// `peer` of Fabric itself, with the written profile.
fn own_command_line(deployment: &Deployment, network: &str, version: &str) {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().to_str().unwrap();
    deployment.admin.json(&["network", "profile", network, "--member", "alpha", "--dir", folder]);
    let engine = tests::engines().join(format!("fabric-{version}")).join("bin");
    let answer = shell(
        r#". ./env.sh && peer chaincode query -C main -n asset-go -c '{"Args":["ReadAsset","one"]}'"#,
        directory.path(),
        &engine,
    );
    assert_eq!(serde_json::from_str::<Value>(&answer).expect(&answer)["Owner"], "tom");
    let admin = "osnadmin channel list -o $OSN_ADMIN_ADDRESS --ca-file $OSN_ADMIN_CA --client-cert $OSN_ADMIN_CERT --client-key $OSN_ADMIN_KEY";
    assert!(shell(&format!(". ./env.sh && {admin}"), directory.path(), &engine).contains("\"main\""));
}

fn shell(script: &str, directory: &Path, programs: &Path) -> String {
    let path = format!("{}:/usr/bin:/bin", programs.display());
    let output = Command::new("bash")
        .args(["-c", script])
        .current_dir(directory)
        .env("PATH", path)
        .env("FABRIC_LOGGING_SPEC", "error")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Each node is killed in turn; it comes back, and what was committed is there.
fn healed(admin: &Program, developer: &Program, network: &str) {
    // What was ended before is started again after a while.
    network_is(admin, network, "running");
    for killed in nodes(&admin.json(&["network", "show", network])) {
        let pid = killed["pid"].as_i64().unwrap();
        kill(Pid::from_raw(pid.try_into().unwrap()), Signal::SIGKILL).unwrap();
        eventually(&format!("{} is back", text(&killed, "name")), || {
            let node = admin.json(&["node", "show", text(&killed, "id")]);
            (node["status"] == "running" && node["pid"] != killed["pid"]).then_some(())
        });
    }
    let mut attempt = 0;
    let id = eventually("a transaction is committed", || {
        attempt += 1;
        let id = format!("after-the-kills-{attempt}");
        let args = json!([id, "red", 1, "ann", 1]).to_string();
        let arguments = ["chaincode", "invoke", "asset-go", "CreateAsset", "--args", &args, "--network", network];
        let output = developer.run(&[&arguments[..], &["--wait", "--output", "json"]].concat());
        output.status.success().then_some(id)
    });
    for asset in ["one", &id] {
        let args = json!([asset]).to_string();
        let found =
            developer.json(&["chaincode", "query", "asset-go", "ReadAsset", "--args", &args, "--network", network]);
        assert_eq!(found["result"]["ID"], asset, "{found}");
    }
}

fn another_channel(admin: &Program, developer: &Program, network: &str) {
    let channel = admin.json(&["channel", "create", "second", "--network", network, "--wait"]);
    assert_eq!(channel["members"], json!(["alpha", "beta"]), "{channel}");
    let taken = admin.fails(1, &["channel", "create", "second", "--network", network, "--wait"]);
    assert!(taken["code"] == "channel.name" || taken["code"] == "name.taken", "{taken}");
    let source = repository().join("contracts/fabric/go");
    let deploy = ["chaincode", "deploy", source.to_str().unwrap(), "--network", network, "--name", "asset-go"];
    admin.json(&[&deploy[..], &["--channel", "second", "--wait"]].concat());
    let call = |function: &str| {
        let arguments = ["chaincode", "query", "asset-go", function, "--args", r#"["one"]"#, "--network", network];
        developer.json(&[&arguments[..], &["--channel", "second"]].concat())
    };
    assert_eq!(call("AssetExists")["result"], json!(false), "the other channel's assets are not here");
}

/// A member joins a channel that it was not in; a peer and an orderer come, and others go.
fn grown(admin: &Program, developer: &Program, network: &str) {
    admin.json(&["channel", "create", "third", "--network", network, "--members", "alpha", "--wait"]);
    let source = repository().join("contracts/fabric/go");
    let deploy = ["chaincode", "deploy", source.to_str().unwrap(), "--network", network, "--name", "asset-go"];
    admin.json(&[&deploy[..], &["--channel", "third", "--wait"]].concat());
    let join = ["channel", "join", "third", "--network", network, "--wait", "--member"];
    assert_eq!(admin.fails(1, &[&join[..], &["alpha"]].concat())["code"], "channel.members");
    let channel = admin.json(&[&join[..], &["beta"]].concat());
    assert_eq!(channel["members"], json!(["alpha", "beta"]), "{channel}");
    created(developer, network, "third/asset-go", "of-the-newcomer");
    let state = admin.json(&["chaincode", "show", "asset-go", "--network", network, "--channel", "third"]);
    for approval in state["approvals"].as_array().unwrap() {
        assert_eq!((&approval["installed"], &approval["approved"]), (&json!(true), &json!(true)), "{state}");
    }

    let add = ["node", "add", "--network", network, "--wait", "--member"];
    let peer = admin.json(&[&add[..], &["beta"]].concat());
    assert_eq!((&peer["kind"], &peer["status"]), (&json!("peer"), &json!("running")), "{peer}");
    let orderer = admin.json(&[&add[..], &["alpha", "--kind", "orderer"]].concat());
    assert_eq!((&orderer["kind"], &orderer["status"]), (&json!("orderer"), &json!("running")), "{orderer}");
    created(developer, network, "main/asset-go", "with-one-more");
    let all = admin.list(&["node", "list", "--network", network]);
    let of =
        |kind: &str| all.iter().find(|node| node["kind"] == kind).map(|node| text(node, "name").to_owned()).unwrap();
    let delete = |node: &str| admin.json(&["node", "delete", node, "--yes", "--wait"]);
    delete(&of("orderer"));
    created(developer, network, "main/asset-go", "with-another");
    delete(text(&peer, "id"));
    assert_eq!(
        admin.fails(1, &["node", "delete", &of("peer"), "--yes"])["code"],
        "node.state",
        "its member's only one"
    );
    assert_eq!(admin.fails(1, &["node", "delete", &of("chaincode"), "--yes"])["code"], "node.state");
    let second = admin.list(&["node", "list", "--network", network]);
    let second =
        second.iter().find(|node| node["kind"] == "orderer").map(|node| text(node, "name").to_owned()).unwrap();
    assert_eq!(admin.fails(1, &["node", "delete", &second, "--yes"])["code"], "node.state", "BFT needs four");
    created(developer, network, "third/asset-go", "of-four");
    network_is(admin, network, "running");
}

fn upgraded(admin: &Program, developer: &Program, network: &str) {
    let source = repository().join("contracts/fabric/go");
    let deploy = ["chaincode", "deploy", source.to_str().unwrap(), "--network", network, "--name", "asset-go"];
    let second = admin.json(&[&deploy[..], &["--channel", "main", "--version", "2", "--wait"]].concat());
    assert_eq!(second["sequence"], 2, "{second}");
    created(developer, network, "main/asset-go", "upgraded");
    let listed = admin.list(&["chaincode", "list", "--network", network]);
    let own: Vec<&Value> = listed.iter().filter(|one| one["name"] == "asset-go" && one["channel"] == "main").collect();
    assert_eq!(own.len(), 1, "what it replaced is gone: {listed:?}");
}
