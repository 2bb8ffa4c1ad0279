//! Calls, estimates, simulations and traces.

use serde_json::json;

use crate::world::{RECORDER, REVERTER, account, record, run, with};

/// Two words.
fn words(slot: u64, value: u64) -> String {
    format!("0x{slot:064x}{value:064x}")
}

#[test]
fn a_revert_has_its_reason_and_its_data() {
    run(|world| async move {
        let call = json!({ "from": account(1), "to": REVERTER });
        for method in ["eth_call", "eth_estimateGas"] {
            let (code, message, data) = world.refused(method, json!([call, "latest"])).await;
            assert_eq!((code, message.as_str()), (3, "execution reverted: nope"), "{method}");
            assert!(data.as_str().expect("data").starts_with("0x08c379a0"), "{data}");
        }
    });
}

#[test]
fn calls_take_overrides_and_any_block() {
    run(|world| async move {
        // Returns the balance of the caller.
        let code = "0x333160005260206000f3";
        let target = "0x00000000000000000000000000000000000000f0";
        let caller = "0x00000000000000000000000000000000000000f1";
        let overrides = json!({ target: { "code": code }, caller: { "balance": "0x2a" } });
        let call = json!({ "from": caller, "to": target });
        let result = world.ok("eth_call", json!([call, "latest", overrides])).await;
        assert_eq!(result, format!("{:#066x}", 42));
        // Returns the block's number.
        let overrides = json!({ target: { "code": "0x4360005260206000f3" } });
        let result = world.ok("eth_call", json!([call, "latest", overrides, { "number": "0x64" }])).await;
        assert_eq!(result, format!("{:#066x}", 100));
        assert_eq!(world.refused("eth_call", json!([call, "0x77"])).await.1, "header not found");
    });
}

#[test]
fn estimates_access_lists_and_simulations() {
    run(|world| async move {
        let call = json!({ "from": account(1), "to": RECORDER, "data": words(1, 2) });
        let gas = world.ok("eth_estimateGas", json!([call])).await;
        let gas = u64::from_str_radix(&gas.as_str().expect("hex")[2..], 16).expect("hex");
        assert!((43_000..70_000).contains(&gas), "{gas}");
        let list = world.ok("eth_createAccessList", json!([call, "latest"])).await;
        let slot = format!("{:#066x}", 1);
        assert_eq!(list["accessList"][0]["storageKeys"], json!([slot]));
        let payload = json!({ "blockStateCalls": [{ "calls": [call] }], "validation": false });
        let simulated = world.ok("eth_simulateV1", json!([payload, "latest"])).await;
        assert_eq!(simulated[0]["calls"][0]["status"], "0x1");
        assert_eq!(simulated[0]["calls"][0]["logs"].as_array().map(Vec::len), Some(1));
        assert_eq!(simulated[0]["number"], "0x1");
    });
}

#[test]
fn transactions_calls_and_blocks_are_traced() {
    run(|world| async move {
        world.send(&record(1, 0, 1, 1)).await;
        let hash = world.send(&record(1, 1, 1, 2)).await;
        world.seal().await;
        let steps = world.ok("debug_traceTransaction", json!([hash])).await;
        assert_eq!(steps["failed"], false);
        assert!(steps["structLogs"].as_array().expect("steps").iter().any(|step| step["op"] == "SSTORE"));
        let tracer = json!({ "tracer": "callTracer", "tracerConfig": { "withLog": true } });
        let call = world.ok("debug_traceTransaction", json!([hash, tracer])).await;
        assert_eq!((call["type"].as_str(), call["logs"].as_array().map(Vec::len)), (Some("CALL"), Some(1)));
        let before = world.ok("debug_traceTransaction", json!([hash, { "tracer": "prestateTracer" }])).await;
        let contract = format!("{RECORDER:#x}");
        // The transaction before it in the block has been replayed.
        assert_eq!(before[&contract]["storage"][format!("{:#066x}", 1)], format!("{:#066x}", 1));
        let all = world.ok("debug_traceBlockByNumber", json!(["latest", { "tracer": "callTracer" }])).await;
        assert_eq!(all.as_array().map(Vec::len), Some(2));
        assert_eq!(all[1]["result"]["to"].as_str(), Some(contract.as_str()));
        let request = json!({ "from": account(1), "to": REVERTER });
        let traced = world.ok("debug_traceCall", json!([request, "latest", { "tracer": "callTracer" }])).await;
        assert_eq!(
            (traced["error"].as_str(), traced["revertReason"].as_str()),
            (Some("execution reverted"), Some("nope"))
        );
        let zero = format!("{:#066x}", 0);
        assert_eq!(world.refused("debug_traceTransaction", json!([zero])).await.1, "transaction not found");
    });
}

#[test]
fn what_is_switched_off_says_how_to_switch_it_on() {
    let config = chain_rpc::RpcConfig { debug: false, txpool: false, ..Default::default() };
    with(config, |world| async move {
        for (method, switch) in [("debug_traceTransaction", "--rpc-debug on"), ("txpool_content", "--rpc-txpool on")] {
            let (code, message, _) = world.refused(method, json!([])).await;
            assert_eq!(code, -32601);
            assert!(message.contains(switch), "{message}");
        }
    });
}
