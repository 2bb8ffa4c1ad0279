//! Networks of real processes: they agree, they survive kill -9, they stop cleanly, and they refuse what is wrong.

mod cluster;
mod commands;

use std::{thread, time::Duration};

use cluster::{Cluster, eventually};
use serde_json::json;

/// Longest that something may take that needs a few blocks; generous for a loaded machine.
const SOON: Duration = Duration::from_secs(60);

#[test]
fn four_nodes_agree() {
    let cluster = Cluster::start(4, 0, &json!({}));
    cluster.reach(&[0, 1, 2, 3], 5, SOON);
    cluster.assert_same(&[0, 1, 2, 3], 5);
    let status = cluster.call(0, "polder_status", json!([]));
    assert_eq!(status["role"], "validator");
    assert_eq!(status["peers"].as_array().unwrap().len(), 3);
    assert!(status["halted_reason"].is_null() && status["haltedReason"].is_null(), "{status}");
}

#[test]
fn each_node_survives_kill_9() {
    let mut cluster = Cluster::start(4, 0, &json!({}));
    let all = [0, 1, 2, 3];
    cluster.reach(&all, 3, SOON);
    for victim in all {
        cluster.kill(victim);
        let others: Vec<_> = all.into_iter().filter(|index| *index != victim).collect();
        let height = cluster.height(others[0]);
        cluster.reach(&others, height + 3, SOON);
        cluster.start_nodes(&[victim]);
        let height = cluster.height(others[0]);
        cluster.reach(&all, height + 2, SOON);
        cluster.assert_same(&all, height);
    }
}

#[test]
fn all_nodes_killed_at_once_lose_nothing_and_cross_epochs() {
    let mut cluster = Cluster::start(4, 0, &json!({}));
    let all = [0, 1, 2, 3];
    let mut known = Vec::new();
    for round in 1..=3 {
        // The heights go past the first boundary, at block 31.
        let target = known.len() as u64 + 14;
        cluster.reach(&all, target, SOON * 2);
        known = (0..=target).map(|number| cluster.block(round % 4, number)).collect();
        for victim in all {
            cluster.kill(victim);
        }
        cluster.start_nodes(&all);
        for index in all {
            for (number, block) in known.iter().enumerate() {
                eventually("the node has caught up", SOON, || (cluster.height(index) >= number as u64).then_some(()));
                assert_eq!(cluster.block(index, number as u64), *block, "block {number} on node {index}");
            }
        }
    }
    assert!(known.len() > 32);
}

#[test]
fn two_of_four_down_halt_the_chain_and_back_it_goes_on() {
    let mut cluster = Cluster::start(4, 0, &json!({}));
    cluster.reach(&[0, 1, 2, 3], 3, SOON);
    cluster.kill(2);
    cluster.kill(3);
    // What was under way may still become final.
    let status = eventually("the status tells", SOON, || {
        let status = cluster.call(0, "polder_status", json!([]));
        status["haltedReason"].is_string().then_some(status)
    });
    assert!(status["haltedReason"].as_str().unwrap().contains("2 of 4 validators"), "{status}");
    thread::sleep(Duration::from_secs(1));
    let height = cluster.height(0).max(cluster.height(1));
    thread::sleep(Duration::from_secs(4));
    assert_eq!(cluster.height(0).max(cluster.height(1)), height, "progress without a quorum");

    cluster.start_nodes(&[2, 3]);
    cluster.reach(&[0, 1, 2, 3], height + 1, Duration::from_secs(5));
    cluster.assert_same(&[0, 1, 2, 3], height);
}

#[test]
fn a_follower_follows_and_catches_up() {
    let mut cluster = Cluster::start(4, 1, &json!({}));
    cluster.reach(&[0, 1, 2, 3, 4], 4, SOON);
    assert_eq!(cluster.call(4, "polder_status", json!([]))["role"], "follower");
    cluster.kill(4);
    let height = cluster.height(0);
    cluster.reach(&[0, 1, 2, 3], height + 8, SOON);
    cluster.start_nodes(&[4]);
    cluster.reach(&[0, 1, 2, 3, 4], height + 10, SOON);
    cluster.assert_same(&[0, 4], height + 10);
}

#[test]
fn a_node_stops_cleanly_and_goes_on() {
    let mut cluster = Cluster::start(1, 0, &json!({}));
    cluster.reach(&[0], 3, SOON);
    let before = cluster.block(0, 3);
    assert_eq!(cluster.terminate(0), Some(0), "{}", cluster.log(0));
    cluster.start_nodes(&[0]);
    assert_eq!(cluster.block(0, 3), before);
    cluster.reach(&[0], 6, SOON);
}

#[test]
fn a_follower_that_nobody_lets_in_says_what_is_missing() {
    let mut cluster = Cluster::prepare(4, 1, &json!({}));
    cluster.introduced = false;
    cluster.start_nodes(&[0, 1, 2, 3, 4]);
    cluster.reach(&[0, 1, 2, 3], 2, SOON);
    let status = eventually("the status tells", SOON, || {
        let status = cluster.call(4, "polder_status", json!([]));
        status["haltedReason"].is_string().then_some(status)
    });
    let key = status["publicKey"].as_str().unwrap();
    assert!(status["haltedReason"].as_str().unwrap().contains(&format!("--follower-key {key}")), "{status}");
}

#[test]
fn a_lost_state_commitment_is_built_again() {
    let mut cluster = Cluster::start(4, 0, &json!({}));
    cluster.reach(&[0, 1, 2, 3], 6, SOON);
    cluster.kill(3);
    let consensus = cluster.data(3).join("consensus");
    let mut removed = 0;
    for entry in std::fs::read_dir(consensus).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_str().unwrap().starts_with("state-state-") {
            std::fs::remove_dir_all(entry.path()).unwrap();
            removed += 1;
        }
    }
    assert!(removed > 2, "{removed} directories");
    cluster.start_nodes(&[3]);
    assert!(cluster.log(3).contains("is built again from the blocks"), "{}", cluster.log(3));
    let height = cluster.height(0);
    cluster.reach(&[0, 1, 2, 3], height + 4, SOON);
    cluster.assert_same(&[0, 1, 2, 3], height + 4);
}

#[test]
fn a_validator_that_lost_the_chain_fetches_it_from_the_others() {
    let mut cluster = Cluster::start(4, 0, &json!({}));
    cluster.reach(&[0, 1, 2, 3], 40, SOON);
    cluster.kill(3);
    for part in ["chain", "consensus"] {
        std::fs::remove_dir_all(cluster.data(3).join(part)).unwrap();
    }
    cluster.start_nodes(&[3]);
    let height = cluster.height(0);
    cluster.reach(&[0, 1, 2, 3], height + 4, SOON);
    cluster.assert_same(&[0, 1, 2, 3], height + 4);
}

#[test]
fn the_pool_goes_by_the_forks_of_the_genesis() {
    // A transfer with 16,777,217 gas: one more than a transaction may have from Osaka on (EIP-7825).
    let thirsty = "0xf863808084010000019419e7e376e7c213b7e7e7e46cc70a5dd086daff2a8080822147a0ea1600984f838fe56463d165386606eede8deaa83be88c84d9a46a7c913e52a4a01dcf9f9ad8ceb5d3a519eb3ad19e03396257d424cbbbb63c3ba10892e309f974";
    for (osaka, expected) in [(false, None), (true, Some("transaction gas limit too high"))] {
        let mut cluster = Cluster::prepare_with(1, 0, |keys| {
            let mut genesis = cluster::genesis(keys, &json!({}));
            if osaka {
                genesis["config"]["osakaTime"] = json!(0);
            }
            genesis
        });
        cluster.start_nodes(&[0]);
        let answer = cluster.try_call(0, "eth_sendRawTransaction", json!([thirsty])).unwrap();
        match expected {
            None => assert!(answer["result"].is_string(), "{answer}"),
            Some(words) => assert!(answer["error"]["message"].as_str().unwrap().contains(words), "{answer}"),
        }
    }
}

#[test]
fn an_idle_validator_is_small() {
    let cluster = Cluster::start(4, 0, &json!({}));
    cluster.reach(&[0, 1, 2, 3], 5, SOON);
    let status = std::fs::read_to_string(format!("/proc/{}/status", cluster.process(0))).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kilobytes <= 100 * 1000, "{line}");
}
