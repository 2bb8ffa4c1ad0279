//! What a client may ask for, and who may ask.

use std::time::Duration;

use chain_rpc::{RpcConfig, RpcLimits};
use serde_json::{Value, json};

use crate::world::{account, raw, record, run, with};

#[test]
fn batches_work_and_have_a_limit() {
    let limits = RpcLimits { batch: 2, ..RpcLimits::default() };
    with(RpcConfig { limits, ..RpcConfig::default() }, |world| async move {
        let ask = |id: u64| json!({ "jsonrpc": "2.0", "id": id, "method": "eth_chainId" });
        let answers = world.post(json!([ask(1), ask(2)])).await;
        assert_eq!(answers.as_array().map(Vec::len), Some(2));
        assert_eq!(answers[1], json!({ "jsonrpc": "2.0", "id": 2, "result": "0x539" }));
        let refused = world.post(json!([ask(1), ask(2), ask(3)])).await;
        assert!(refused["error"]["message"].as_str().expect("an error").contains("batch"), "{refused}");
    });
}

#[test]
fn a_batch_sends_in_its_order_and_sees_what_it_sent() {
    run(|world| async move {
        let call = |id: u64, method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let mut batch: Vec<_> = (0..20)
            .map(|nonce| call(nonce, "eth_sendRawTransaction", json!([raw(&record(1, nonce, nonce, nonce))])))
            .collect();
        batch.push(call(20, "eth_getTransactionCount", json!([account(1), "pending"])));
        batch.insert(3, json!({ "jsonrpc": "2.0", "id": 99 }));
        let answers = world.post(json!(batch)).await;
        let answers = answers.as_array().expect("a batch");
        assert_eq!(answers.len(), 22);
        let ids: Vec<_> = answers.iter().map(|answer| answer["id"].as_u64()).collect();
        let mut expected: Vec<_> = (0..=20).map(Some).collect();
        expected.insert(3, Some(99));
        assert_eq!(ids, expected);
        assert_eq!(answers[3]["error"]["code"], -32600);
        assert_eq!(answers[21]["result"], "0x14", "{answers:?}");
        assert_eq!(world.pool.status().pending, 20);
    });
}

#[test]
fn malformed_requests_have_json_rpcs_codes() {
    run(|world| async move {
        let code = |answer: Value| answer["error"]["code"].as_i64();
        assert_eq!(code(world.post(json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_nothing" })).await), Some(-32601));
        assert_eq!(code(world.post(json!({ "jsonrpc": "2.0", "id": 1 })).await), Some(-32600));
        assert_eq!(world.refused("eth_getBalance", json!([])).await.0, -32602);
        assert_eq!(world.refused("eth_getBalance", json!([account(1), "newest"])).await.0, -32602);
    });
}

#[test]
fn an_endless_call_ends_and_too_many_are_pushed_back() {
    let limits = RpcLimits {
        call_gas: u64::MAX,
        call_time: Duration::from_millis(300),
        heavy: 1,
        heavy_waiting: 1,
        ..RpcLimits::default()
    };
    with(RpcConfig { limits, ..RpcConfig::default() }, |world| async move {
        let target = "0x00000000000000000000000000000000000000f0";
        // JUMPDEST PUSH0 JUMP
        let endless = json!([{ "to": target }, "latest", { target: { "code": "0x5b5f56" } }]);
        let calls = (0..4).map(|_| world.call("eth_call", endless.clone()));
        let results = futures::future::join_all(calls).await;
        let errors: Vec<_> = results.into_iter().map(|result| result.expect_err("it never ends")).collect();
        let timeouts = errors.iter().filter(|(_, message, _)| message.contains("timeout")).count();
        let pushed_back = errors.iter().filter(|(code, ..)| *code == -32005).count();
        assert_eq!((timeouts, pushed_back), (2, 2), "{errors:?}");
    });
}

#[test]
fn only_allowed_names_and_origins_are_served() {
    run(|world| async move {
        let (status, body) = world.get("/healthz", &[]).await;
        assert_eq!((status, body.as_str()), (200, r#"{"status":"ok","height":0}"#));
        assert_eq!(world.get("/healthz", &[("host", "evil.example")]).await.0, 403);
        assert_eq!(world.get("/healthz", &[("host", "localhost:1")]).await.0, 200);
        assert_eq!(world.get("/healthz", &[("origin", "https://evil.example")]).await.0, 403);
        assert_eq!(world.get("/elsewhere", &[]).await.0, 404);
    });
}
