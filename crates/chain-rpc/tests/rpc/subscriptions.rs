//! Subscriptions over WebSocket.

use chain_rpc::{RpcConfig, RpcLimits};
use serde_json::json;

use crate::world::{RECORDER, record, run, with};

#[test]
fn heads_logs_and_pending_transactions_are_pushed() {
    run(|world| async move {
        let mut heads = world.socket().await;
        let id = heads.call("eth_subscribe", json!(["newHeads"])).await.expect("a subscription");
        assert!(id.as_str().expect("an id").starts_with("0x"));
        let mut logs = world.socket().await;
        let filter = json!({ "address": RECORDER, "topics": [format!("{:#066x}", 2)] });
        logs.call("eth_subscribe", json!(["logs", filter])).await.expect("a subscription");
        let mut pending = world.socket().await;
        pending.call("eth_subscribe", json!(["newPendingTransactions"])).await.expect("a subscription");
        let mut full = world.socket().await;
        full.call("eth_subscribe", json!(["newPendingTransactions", true])).await.expect("a subscription");

        let first = world.send(&record(1, 0, 1, 1)).await;
        let second = world.send(&record(1, 1, 2, 2)).await;
        assert_eq!(pending.next().await.1, json!(first));
        assert_eq!(pending.next().await.1, json!(second));
        assert_eq!(full.next().await.1["hash"], json!(first));
        for number in 1..=3 {
            world.seal().await;
            let (subscription, head) = heads.next().await;
            assert_eq!((subscription, head["number"].clone()), (id.clone(), json!(format!("{number:#x}"))));
            assert!(head["hash"].is_string() && head.get("transactions").is_none(), "{head}");
        }
        let log = logs.next().await.1;
        assert_eq!(
            (&log["transactionHash"], &log["blockNumber"], &log["logIndex"]),
            (&json!(second), &json!("0x1"), &json!("0x1"))
        );
        assert_eq!(heads.call("eth_unsubscribe", json!([id])).await.expect("an answer"), true);
        assert_eq!(heads.call("eth_chainId", json!([])).await.expect("an answer"), "0x539");
    });
}

#[test]
fn subscriptions_of_a_connection_have_a_limit_and_unknown_ones_are_refused() {
    let limits = RpcLimits { subscriptions: 2, ..RpcLimits::default() };
    with(RpcConfig { limits, ..RpcConfig::default() }, |world| async move {
        let mut socket = world.socket().await;
        assert_eq!(socket.call("eth_subscribe", json!(["nonsense"])).await.expect_err("refused").0, -32602);
        let wrong = socket.call("eth_subscribe", json!(["newHeads", true])).await.expect_err("refused");
        assert_eq!(wrong.0, -32602, "{wrong:?}");
        for _ in 0..2 {
            socket.call("eth_subscribe", json!(["newHeads"])).await.expect("a subscription");
        }
        let (code, message, _) = socket.call("eth_subscribe", json!(["newHeads"])).await.expect_err("refused");
        assert!(code < 0, "{code} {message}");
        // Another connection has its own.
        world.socket().await.call("eth_subscribe", json!(["newHeads"])).await.expect("a subscription");
        let over_http = world.refused("eth_subscribe", json!(["newHeads"])).await;
        assert!(over_http.0 < 0, "{over_http:?}");
    });
}
