//! What the commands print, and how they refuse.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::cluster::{Cluster, genesis, key, polder_node};

#[test]
fn a_key_is_made_once_and_kept_private() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("node");
    let first = key(&data);
    assert_eq!(first.len(), 64);
    assert_eq!(key(&data), first);
    let mode = std::fs::metadata(data.join("node.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn init_refuses_what_does_not_fit() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("node");
    let file = directory.path().join("genesis.json");
    let own = key(&data);
    let init = |more: &[&str]| {
        let mut arguments = vec!["init", "--data", data.to_str().unwrap(), "--genesis", file.to_str().unwrap()];
        arguments.extend(more);
        let output = polder_node(&arguments);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let other = "00".repeat(32);
    let cases = [
        (json!({}), 78, "genesis"),
        (genesis(&[own.clone(), other.clone()], &json!({})), 78, "2 validators cannot run BFT"),
        (genesis(&[key(&directory.path().join("other"))], &json!({})), 78, "does not list this node's key"),
        // 32 bytes that are no point of the curve.
        (genesis(&["02".to_string() + &"00".repeat(31)], &json!({})), 78, "validator key"),
    ];
    for (genesis, code, words) in cases {
        std::fs::write(&file, genesis.to_string()).unwrap();
        let (status, log) = init(&[]);
        assert_eq!(status, Some(code), "{log}");
        assert!(log.contains("fatal: ") && log.contains(words), "`{words}` is not in: {log}");
    }

    std::fs::write(&file, genesis(std::slice::from_ref(&own), &json!({})).to_string()).unwrap();
    let (status, log) = init(&["--follower"]);
    assert_eq!(status, Some(78), "{log}");
    assert_eq!(init(&[]).0, Some(0));
    assert_eq!(init(&[]).0, Some(0), "doing it again changes nothing");

    let alloc = json!({ "0x0000000000000000000000000000000000000001": { "balance": "0x1" } });
    std::fs::write(&file, genesis(&[own], &alloc).to_string()).unwrap();
    let (status, log) = init(&[]);
    assert_eq!(status, Some(78));
    assert!(log.contains("another genesis"), "{log}");
}

#[test]
fn wrong_usage_is_64_and_help_is_0() {
    assert_eq!(polder_node(&["--help"]).status.code(), Some(0));
    assert_eq!(polder_node(&["run"]).status.code(), Some(64));
    assert_eq!(polder_node(&["run", "--data", "x", "--peer", "nonsense"]).status.code(), Some(64));
}

#[test]
fn run_refuses_what_does_not_fit() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("node");
    let run = |more: &[&str]| {
        let mut arguments = vec!["run", "--data", data.to_str().unwrap(), "--p2p", "127.0.0.1:0"];
        arguments.extend(more);
        let output = polder_node(&arguments);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (status, log) = run(&["--http", "127.0.0.1:0"]);
    assert!(status == Some(78) && log.contains("not initialised"), "{log}");

    let cluster = Cluster::start(1, 0, &json!({}));
    let taken = cluster.data(0).to_str().unwrap().to_string();
    let output = polder_node(&["run", "--data", &taken, "--http", "127.0.0.1:0", "--p2p", "127.0.0.1:0"]);
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(78) && log.contains("in use by another polder-node"), "{log}");

    let prepared = Cluster::prepare(1, 0, &json!({}));
    let data = prepared.data(0).to_str().unwrap();
    let output = polder_node(&["run", "--data", data, "--http", "0.0.0.0:0", "--p2p", "127.0.0.1:0"]);
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(78) && log.contains("--behind-proxy"), "{log}");
}
