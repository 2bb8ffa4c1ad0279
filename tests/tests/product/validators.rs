//! Members vote validators out and in again.

use serde_json::{Value, json};

use crate::deployment::{Deployment, Program, eventually};
use crate::{network_is, text};

fn list(program: &Program, network: &str) -> Value {
    program.json(&["validator", "list", "--network", network])
}

fn entry<'a>(validators: &'a Value, node: &str) -> &'a Value {
    let items = validators["items"].as_array().unwrap();
    items.iter().find(|item| item["node"] == node).unwrap_or_else(|| panic!("{node}: {validators}"))
}

/// Members vote in turn; it is decided with the last.
fn voted(admin: &Program, network: &str, node: &str, change: &str, members: &[&str]) -> Value {
    for member in members {
        admin.json(&["validator", "vote", node, change, "--network", network, "--member", member]);
    }
    eventually(&format!("{node} is voted {change}"), || {
        let validators = list(admin, network);
        (entry(&validators, node)["validates"] == json!(change == "--add")).then_some(validators)
    })
}

fn grows(admin: &Program, network: &str) {
    let height = || admin.json(&["network", "show", network])["height"].as_u64();
    let before = height();
    eventually("blocks go on", || (height() > before.map(|height| height + 3)).then_some(()));
}

#[test]
fn validators_are_voted_out_and_in() {
    let deployment = Deployment::start();
    deployment.found();
    let admin = &deployment.admin;
    let arguments =
        ["network", "create", "trade", "--engine", "quorum", "--consensus", "qbft", "--nodes", "4", "--wait"];
    let network = admin.json(&arguments);
    let nodes: Vec<&str> = network["nodes"].as_array().unwrap().iter().map(|node| text(node, "name")).collect();
    let last = nodes[3];

    let before = eventually("all have told who they are", || {
        let validators = list(admin, "trade");
        validators["items"].as_array().unwrap().iter().all(|item| item["node"].is_string()).then_some(validators)
    });
    assert_eq!([&before["validators"], &before["agreement"], &before["deciding"]], [4, 3, 3], "{before}");
    let remove = ["validator", "vote", last, "--remove", "--network", "trade"];
    assert_eq!(admin.fails(2, &remove)["code"], "name.ambiguous", "the administrator acts for all");
    let operator = deployment.user("olga", "operator:alpha");
    assert_eq!(operator.fails(1, &[&remove[..], &["--member", "beta"]].concat())["code"], "auth.forbidden");
    let add = ["validator", "vote", last, "--add", "--network", "trade"];
    assert_eq!(operator.fails(1, &add)["code"], "validator.vote", "it is one");

    let pending = operator.json(&remove);
    let shown = entry(&pending, last);
    assert_eq!((&shown["proposed"], &shown["validates"]), (&json!("remove"), &json!(true)));
    assert_eq!((&shown["votes"][0]["member"], shown["votes"].as_array().unwrap().len()), (&json!("alpha"), 1));
    eventually("the vote is counted", || {
        (entry(&list(admin, "trade"), last)["votes"][0]["counted"] == true).then_some(())
    });
    let after = voted(admin, "trade", last, "--remove", &["beta", "gamma"]);
    assert_eq!((&after["validators"], &entry(&after, last)["votes"]), (&json!(3), &json!([])), "{after}");
    grows(admin, "trade");
    network_is(admin, "trade", "running");

    // With three, all must be up.
    admin.json(&["node", "stop", nodes[2], "--wait"]);
    let few = admin.fails(1, &["validator", "vote", nodes[1], "--remove", "--network", "trade", "--member", "alpha"]);
    assert_eq!(few["code"], "validator.few", "{few}");
    let gone = admin.fails(1, &["validator", "vote", last, "--add", "--network", "trade", "--member", "gamma"]);
    assert_eq!(gone["code"], "validator.vote", "its validator does not run: {gone}");
    let none = admin.fails(1, &["validator", "vote", last, "--add", "--network", "trade", "--member", "delta"]);
    assert_eq!(none["code"], "validator.vote", "its node validates no longer: {none}");
    admin.json(&["node", "start", nodes[2], "--wait"]);
    network_is(admin, "trade", "running");

    voted(admin, "trade", last, "--add", &["alpha", "beta"]);
    grows(admin, "trade");
    // Votes that were decided do not come back.
    let settled = list(admin, "trade");
    assert_eq!(settled["validators"], 4, "{settled}");
    let audited = admin.list(&["audit", "list", "--limit", "400"]);
    let votes: Vec<&Value> = audited.iter().filter(|entry| entry["action"] == "validator.vote").collect();
    assert_eq!(votes.len(), 5, "{votes:?}");
    nodes_change(admin, "trade", &nodes);
    admin.json(&["network", "delete", "trade", "--yes", "--wait"]);
}

/// A node comes and is voted in; one of the first is voted out and goes; and the next to come still gets the first block that
/// all have.
fn nodes_change(admin: &Program, network: &str, first: &[&str]) {
    let operator = admin.fails(2, &["node", "add", "--network", network, "--wait"]);
    assert_eq!(operator["code"], "name.ambiguous", "the administrator acts for all");
    let unknown = ["node", "add", "--network", network, "--member", "alpha", "--kind", "peer"];
    assert_eq!(admin.fails(1, &unknown)["code"], "network.nodes");
    let add = ["node", "add", "--network", network, "--member", "alpha", "--wait"];
    let added = admin.json(&add);
    let name = text(&added, "name").to_owned();
    assert_eq!(
        (name.as_str(), &added["status"], &added["member"]),
        ("trade/node-5", &json!("running"), &json!("alpha"))
    );
    follows(admin, network, &name);
    voted(admin, network, &name, "--add", &["alpha", "beta", "gamma"]);
    grows(admin, network);
    let kept = admin.fails(1, &["node", "delete", first[0], "--yes"]);
    assert_eq!(kept["code"], "node.state", "it validates: {kept}");
    voted(admin, network, first[0], "--remove", &["beta", "gamma", "delta"]);
    admin.json(&["node", "delete", first[0], "--yes", "--wait"]);
    assert_eq!(admin.fails(1, &["node", "show", first[0]])["code"], "not_found");
    grows(admin, network);
    let last = text(&admin.json(&add), "name").to_owned();
    assert_eq!(last, "trade/node-6", "a name is given once");
    follows(admin, network, &last);
    admin.json(&["network", "restart", network, "--wait"]);
    network_is(admin, network, "running");
    grows(admin, network);
    let names: Vec<String> =
        admin.list(&["node", "list", "--network", network]).iter().map(|node| text(node, "name").to_owned()).collect();
    assert_eq!(names, [first[1], first[2], first[3], &name, &last]);
}

/// A node that was added has the blocks that the others make.
fn follows(admin: &Program, network: &str, node: &str) {
    let wanted = admin.json(&["network", "show", network])["height"].as_u64().unwrap() + 2;
    eventually(&format!("{node} follows"), || {
        (admin.json(&["node", "show", node])["height"].as_u64() >= Some(wanted)).then_some(())
    });
}

#[test]
fn clique_votes_too_and_raft_does_not() {
    let deployment = Deployment::start();
    deployment.found();
    let admin = &deployment.admin;
    let make = |name: &str, engine: &str, consensus: &str, nodes: &str| {
        let arguments = ["network", "create", name, "--engine", engine, "--consensus", consensus];
        admin.json(&[&arguments[..], &["--nodes", nodes, "--wait"]].concat())
    };
    let network = make("old", "geth", "clique", "3");
    let last = text(&network["nodes"][2], "name");
    eventually("all have told who they are", || {
        list(admin, "old")["items"].as_array().unwrap().iter().all(|item| item["node"].is_string()).then_some(())
    });
    voted(admin, "old", last, "--remove", &["alpha", "beta"]);
    grows(admin, "old");
    voted(admin, "old", last, "--add", &["alpha", "beta"]);
    grows(admin, "old");
    let added = admin.json(&["node", "add", "--network", "old", "--member", "delta", "--wait"]);
    follows(admin, "old", text(&added, "name"));
    voted(admin, "old", text(&added, "name"), "--add", &["alpha", "beta"]);
    grows(admin, "old");
    admin.json(&["network", "delete", "old", "--yes", "--wait"]);

    make("led", "quorum", "raft", "1");
    assert_eq!(admin.fails(1, &["validator", "list", "--network", "led"])["code"], "request.invalid");
    let fixed = admin.fails(1, &["node", "add", "--network", "led", "--member", "alpha"]);
    assert_eq!(fixed["code"], "network.nodes", "{fixed}");
    let only = admin.fails(1, &["node", "delete", "led/node-1", "--yes"]);
    assert_eq!(only["code"], "node.state", "{only}");
}
