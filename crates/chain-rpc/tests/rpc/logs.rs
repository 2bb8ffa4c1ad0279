//! Log queries and polled filters.

use std::time::Duration;

use alloy_primitives::B256;
use chain_rpc::{RpcConfig, RpcLimits};
use serde_json::{Value, json};

use crate::world::{RECORDER, record, run, with};

fn topic(n: u64) -> B256 {
    B256::left_padding_from(&n.to_be_bytes())
}

fn count(value: &Value) -> usize {
    value.as_array().expect("a list").len()
}

#[test]
fn logs_are_found_by_address_topics_range_and_block() {
    run(|world| async move {
        for block in 0..3 {
            world.send(&record(1, block * 2, block, 100)).await;
            world.send(&record(1, block * 2 + 1, 7, block)).await;
            world.seal().await;
        }
        let logs = |filter: Value| {
            let world = world.clone();
            async move { world.ok("eth_getLogs", json!([filter])).await }
        };
        assert_eq!(count(&logs(json!({ "fromBlock": "0x0", "toBlock": "latest" })).await), 6);
        assert_eq!(count(&logs(json!({})).await), 2);
        assert_eq!(count(&logs(json!({ "fromBlock": "0x1", "toBlock": "0x2", "address": RECORDER })).await), 4);
        let other = "0x00000000000000000000000000000000000000bb";
        assert_eq!(count(&logs(json!({ "fromBlock": "0x0", "address": [other] })).await), 0);
        assert_eq!(count(&logs(json!({ "fromBlock": "0x0", "topics": [topic(7)] })).await), 3);
        assert_eq!(count(&logs(json!({ "fromBlock": "0x0", "topics": [null, [topic(100), topic(2)]] })).await), 4);
        let block = world.ok("eth_getBlockByNumber", json!(["0x2", false])).await["hash"].clone();
        let found = logs(json!({ "blockHash": block, "topics": [topic(1)] })).await;
        assert_eq!(count(&found), 1);
        assert_eq!((&found[0]["blockNumber"], &found[0]["blockHash"]), (&json!("0x2"), &block));
        assert_eq!(world.refused("eth_getLogs", json!([{ "fromBlock": "0x3", "toBlock": "0x1" }])).await.0, -32602);
        let zero = B256::ZERO;
        assert_eq!(world.refused("eth_getLogs", json!([{ "blockHash": zero }])).await.1, "unknown block");
    });
}

#[test]
fn ranges_and_counts_have_limits() {
    let limits = RpcLimits { log_blocks: 2, logs: 3, ..RpcLimits::default() };
    with(RpcConfig { limits, ..RpcConfig::default() }, |world| async move {
        for block in 0..3 {
            for n in 0..2 {
                world.send(&record(1, block * 2 + n, n, n)).await;
            }
            world.seal().await;
        }
        let (code, message, _) = world.refused("eth_getLogs", json!([{ "fromBlock": "0x0", "toBlock": "0x2" }])).await;
        assert_eq!(code, -32005);
        assert!(message.contains("max block range 2"), "{message}");
        let (code, message, _) = world.refused("eth_getLogs", json!([{ "fromBlock": "0x2", "toBlock": "0x3" }])).await;
        assert_eq!((code, message.as_str()), (-32005, "query returned more than 3 results"));
    });
}

#[test]
fn filters_report_what_is_new_since_they_were_asked() {
    run(|world| async move {
        world.seal().await;
        let logs = world.ok("eth_newFilter", json!([{ "address": RECORDER, "topics": [topic(1)] }])).await;
        let blocks = world.ok("eth_newBlockFilter", json!([])).await;
        let pending = world.ok("eth_newPendingTransactionFilter", json!([])).await;
        let first = world.send(&record(1, 0, 1, 1)).await;
        let second = world.send(&record(1, 1, 2, 2)).await;
        assert_eq!(world.ok("eth_getFilterChanges", json!([pending])).await, json!([first, second]));
        assert_eq!(world.ok("eth_getFilterChanges", json!([pending])).await, json!([]));
        world.seal().await;
        world.seal().await;
        let hashes = world.ok("eth_getFilterChanges", json!([blocks])).await;
        assert_eq!(hashes[1], world.ok("eth_getBlockByNumber", json!(["latest", false])).await["hash"]);
        assert_eq!(count(&hashes), 2);
        assert_eq!(world.ok("eth_getFilterChanges", json!([blocks])).await, json!([]));
        let changes = world.ok("eth_getFilterChanges", json!([logs])).await;
        assert_eq!((count(&changes), &changes[0]["transactionHash"]), (1, &json!(first)));
        assert_eq!(world.ok("eth_getFilterChanges", json!([logs])).await, json!([]));
        assert_eq!(world.refused("eth_getFilterLogs", json!([blocks])).await.1, "filter not found");
        assert_eq!(world.ok("eth_uninstallFilter", json!([logs])).await, true);
        assert_eq!(world.ok("eth_uninstallFilter", json!([logs])).await, false);
        assert_eq!(world.refused("eth_getFilterChanges", json!([logs])).await.1, "filter not found");
        let all = world.ok("eth_newFilter", json!([{ "fromBlock": "0x0", "toBlock": "latest" }])).await;
        assert_eq!(count(&world.ok("eth_getFilterLogs", json!([all])).await), 2);
    });
}

#[test]
fn what_does_not_fit_an_answer_comes_with_the_next() {
    let limits = RpcLimits { log_blocks: 2, logs: 3, ..RpcLimits::default() };
    with(RpcConfig { limits, ..RpcConfig::default() }, |world| async move {
        let filter = world.ok("eth_newFilter", json!([{ "address": RECORDER }])).await;
        let mut sent = Vec::new();
        for block in 0..3 {
            for n in 0..2 {
                sent.push(world.send(&record(1, block * 2 + n, n, n)).await);
            }
            world.seal().await;
        }
        let mut told = Vec::new();
        for _ in 0..3 {
            let changes = world.ok("eth_getFilterChanges", json!([filter])).await;
            assert_eq!(count(&changes), 2);
            told.extend(changes.as_array().into_iter().flatten().map(|log| log["transactionHash"].clone()));
        }
        assert_eq!(json!(told), json!(sent));
        assert_eq!(world.ok("eth_getFilterChanges", json!([filter])).await, json!([]));
    });
}

#[test]
fn what_cannot_be_answered_is_not_passed_over() {
    let limits = RpcLimits { logs: 1, ..RpcLimits::default() };
    with(RpcConfig { limits, ..RpcConfig::default() }, |world| async move {
        let filter = world.ok("eth_newFilter", json!([{ "address": RECORDER }])).await;
        for nonce in 0..2 {
            world.send(&record(1, nonce, nonce, nonce)).await;
        }
        world.seal().await;
        for _ in 0..2 {
            assert_eq!(world.refused("eth_getFilterChanges", json!([filter])).await.0, -32005);
        }
    });
}

#[test]
fn filters_are_few_and_forgotten() {
    let limits = RpcLimits { filters: 1, filter_expiry: Duration::from_millis(50), ..RpcLimits::default() };
    with(RpcConfig { limits, ..RpcConfig::default() }, |world| async move {
        let first = world.ok("eth_newBlockFilter", json!([])).await;
        assert_eq!(world.refused("eth_newBlockFilter", json!([])).await.0, -32005);
        // The expiry is the predicate here: the place is free when the first filter has been forgotten.
        while world.call("eth_newBlockFilter", json!([])).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(world.refused("eth_getFilterChanges", json!([first])).await.1, "filter not found");
    });
}
