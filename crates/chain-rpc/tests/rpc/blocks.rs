//! Blocks, transactions, receipts and accounts, in the shapes that ethers, viem and cast read.

use alloy_consensus::{TxEip2930, TxLegacy};
use alloy_primitives::{Bytes, TxKind, U256};
use serde_json::{Value, json};

use crate::world::{CHAIN, RECORDER, account, raw, record, run, sign, unsigned};

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn a_block_has_every_field_of_a_header_and_its_transactions() {
    run(|world| async move {
        let hash = world.send(&record(1, 0, 5, 9)).await;
        assert_eq!(world.seal().await, 1);
        let block = world.ok("eth_getBlockByNumber", json!(["latest", false])).await;
        assert_eq!(block["number"], "0x1");
        assert_eq!(block["baseFeePerGas"], "0x0");
        assert_eq!(block["transactions"], json!([hash]));
        assert_eq!(block["uncles"], json!([]));
        assert_eq!(block["withdrawals"], json!([]));
        assert_eq!(block["difficulty"], "0x0");
        assert!(block.get("totalDifficulty").is_none());
        for field in [
            "extraData",
            "gasLimit",
            "gasUsed",
            "hash",
            "logsBloom",
            "miner",
            "mixHash",
            "nonce",
            "parentHash",
            "receiptsRoot",
            "sha3Uncles",
            "size",
            "stateRoot",
            "timestamp",
            "transactionsRoot",
            "withdrawalsRoot",
            "blobGasUsed",
            "excessBlobGas",
            "parentBeaconBlockRoot",
            "requestsHash",
        ] {
            assert!(block[field].as_str().is_some_and(|text| text.starts_with("0x")), "{field}: {}", block[field]);
        }
        let by_hash = world.ok("eth_getBlockByHash", json!([block["hash"], true])).await;
        assert_eq!(by_hash["transactions"][0]["hash"], json!(hash));
        for tag in ["safe", "finalized", "pending"] {
            assert_eq!(world.ok("eth_getBlockByNumber", json!([tag, false])).await, block, "{tag}");
        }
        assert_eq!(world.ok("eth_getBlockByNumber", json!(["0x9", false])).await, Value::Null);
        assert_eq!(world.ok("eth_getBlockByNumber", json!(["earliest", false])).await["number"], "0x0");
        assert_eq!(world.ok("eth_getBlockTransactionCountByNumber", json!(["0x1"])).await, "0x1");
        assert_eq!(world.ok("eth_getUncleCountByBlockNumber", json!(["0x1"])).await, "0x0");
        assert_eq!(world.ok("eth_blockNumber", json!([])).await, "0x1");
    });
}

#[test]
fn transactions_of_every_type_have_the_fields_of_their_type() {
    run(|world| async move {
        let legacy = TxLegacy {
            chain_id: Some(CHAIN),
            gas_limit: 90_000,
            to: TxKind::Call(account(2)),
            value: U256::from(7),
            ..TxLegacy::default()
        };
        let listed = TxEip2930 {
            chain_id: CHAIN,
            nonce: 1,
            gas_limit: 90_000,
            to: TxKind::Call(account(2)),
            ..TxEip2930::default()
        };
        let (legacy, listed, priced) = (sign(1, legacy), sign(1, listed), record(1, 2, 1, 1));
        for transaction in [&legacy, &listed, &priced] {
            let hash = world.send(transaction).await;
            let waiting = world.ok("eth_getTransactionByHash", json!([hash])).await;
            assert_eq!(
                (&waiting["blockHash"], &waiting["blockNumber"], &waiting["transactionIndex"]),
                (&Value::Null, &Value::Null, &Value::Null)
            );
            assert_eq!(world.ok("eth_getTransactionReceipt", json!([hash])).await, Value::Null);
        }
        world.seal().await;
        for (index, (transaction, kind)) in
            [(&legacy, "0x0"), (&listed, "0x1"), (&priced, "0x2")].into_iter().enumerate()
        {
            let hash = *transaction.tx_hash();
            let mined = world.ok("eth_getTransactionByHash", json!([hash])).await;
            let index = format!("{index:#x}");
            assert_eq!(mined["type"], kind);
            assert_eq!(mined["from"].as_str().map(str::to_lowercase), Some(format!("{:#x}", account(1))));
            assert_eq!((mined["blockNumber"].clone(), mined["transactionIndex"].clone()), (json!("0x1"), json!(index)));
            for field in ["r", "s", "v", "gas", "gasPrice", "input", "nonce", "value", "to", "hash", "chainId"] {
                assert!(mined[field].is_string(), "{kind} {field}: {}", mined[field]);
            }
            assert_eq!(kind != "0x0", mined["accessList"].is_array(), "{mined}");
            assert_eq!(kind != "0x0", mined["yParity"].is_string(), "{mined}");
            assert_eq!(kind == "0x2", mined["maxFeePerGas"].is_string(), "{mined}");
            assert_eq!(world.ok("eth_getTransactionByBlockNumberAndIndex", json!(["0x1", index])).await, mined);
            assert_eq!(
                world.ok("eth_getTransactionByBlockHashAndIndex", json!([mined["blockHash"], index])).await,
                mined
            );
            assert_eq!(world.ok("eth_getRawTransactionByHash", json!([hash])).await, raw(transaction));
        }
    });
}

#[test]
fn receipts_count_logs_over_the_block_and_name_created_contracts() {
    run(|world| async move {
        let created = sign(2, unsigned(0, TxKind::Create, Bytes::from_static(&[0x60, 0x00, 0x60, 0x00, 0xf3])));
        for transaction in [&record(1, 0, 1, 1), &record(1, 1, 2, 2), &created] {
            world.send(transaction).await;
        }
        world.seal().await;
        let receipts = world.ok("eth_getBlockReceipts", json!(["latest"])).await;
        let receipts = receipts.as_array().expect("a list").clone();
        assert_eq!(receipts.len(), 3);
        let mut logs = 0;
        let mut gas = 0;
        for (index, receipt) in receipts.iter().enumerate() {
            assert_eq!(*receipt, world.ok("eth_getTransactionReceipt", json!([receipt["transactionHash"]])).await);
            assert_eq!(receipt["transactionIndex"], format!("{index:#x}"));
            assert_eq!((&receipt["status"], &receipt["type"]), (&json!("0x1"), &json!("0x2")));
            assert_eq!(receipt["effectiveGasPrice"], "0x0");
            for log in receipt["logs"].as_array().expect("a list") {
                assert_eq!(log["logIndex"], format!("{logs:#x}"));
                assert_eq!(log["removed"], false);
                assert_eq!(log["transactionHash"], receipt["transactionHash"]);
                logs += 1;
            }
            let number =
                |field: &str| u64::from_str_radix(&receipt[field].as_str().expect("hex")[2..], 16).expect("hex");
            gas += number("gasUsed");
            assert_eq!(number("cumulativeGasUsed"), gas);
        }
        assert_eq!(logs, 2);
        let expected = format!("{:#x}", account(2).create(0));
        let find = receipts.iter().find(|receipt| receipt["to"].is_null()).expect("the creation");
        assert_eq!(find["contractAddress"].as_str().map(str::to_lowercase), Some(expected));
        assert!(keys(&receipts[0]).contains(&"contractAddress"), "{:?}", keys(&receipts[0]));
    });
}

#[test]
fn accounts_are_read_at_any_block() {
    run(|world| async move {
        world.send(&record(1, 0, 5, 9)).await;
        world.seal().await;
        world.send(&record(1, 1, 5, 10)).await;
        world.seal().await;
        world.send(&record(1, 2, 5, 11)).await;
        let (one, contract) = (account(1), RECORDER);
        for (block, value) in [("0x0", 0), ("0x1", 9), ("0x2", 10), ("latest", 10), ("pending", 10)] {
            let word = world.ok("eth_getStorageAt", json!([contract, "0x5", block])).await;
            assert_eq!(word, format!("{value:#066x}"), "{block}");
        }
        for (block, nonce) in [("earliest", "0x0"), ("0x1", "0x1"), ("latest", "0x2"), ("pending", "0x3")] {
            assert_eq!(world.ok("eth_getTransactionCount", json!([one, block])).await, nonce, "{block}");
        }
        assert_eq!(world.ok("eth_getBalance", json!([one])).await, "0xde0b6b3a7640000");
        let first = world.ok("eth_getBlockByNumber", json!(["0x1", false])).await["hash"].clone();
        let by_hash = json!([one, { "blockHash": first, "requireCanonical": true }]);
        assert_eq!(world.ok("eth_getTransactionCount", by_hash).await, "0x1");
        assert_eq!(
            world.ok("eth_getCode", json!([contract, "latest"])).await,
            "0x6020356000355560203560003560006000a200"
        );
        assert_eq!(world.ok("eth_getCode", json!([one, "latest"])).await, "0x");
        assert_eq!(world.refused("eth_getBalance", json!([one, "0x99"])).await.1, "header not found");
        let (code, message, _) = world.refused("eth_getProof", json!([one, [], "latest"])).await;
        assert_eq!(code, -32601);
        assert!(message.contains("not offered"), "{message}");
    });
}

#[test]
fn the_node_says_who_it_is() {
    run(|world| async move {
        assert_eq!(world.ok("eth_chainId", json!([])).await, "0x539");
        assert_eq!(world.ok("net_version", json!([])).await, "1337");
        assert_eq!(world.ok("net_listening", json!([])).await, true);
        assert_eq!(world.ok("net_peerCount", json!([])).await, "0x1");
        assert_eq!(world.ok("eth_syncing", json!([])).await, false);
        assert_eq!(world.ok("eth_accounts", json!([])).await, json!([]));
        assert_eq!(world.ok("eth_gasPrice", json!([])).await, "0x0");
        assert_eq!(world.ok("eth_maxPriorityFeePerGas", json!([])).await, "0x0");
        assert!(world.ok("web3_clientVersion", json!([])).await.as_str().expect("text").starts_with("polder/v"));
        let empty = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
        assert_eq!(world.ok("web3_sha3", json!(["0x"])).await, empty);
        world.seal().await;
        let status = world.ok("polder_status", json!([])).await;
        assert_eq!(
            (&status["height"], &status["chainId"], &status["role"]),
            (&json!(1), &json!(CHAIN), &json!("validator"))
        );
        assert_eq!(status["validators"].as_array().map(Vec::len), Some(3));
        assert_eq!(status["headTime"], 1_700_000_000_000_u64);
        let history = world.ok("eth_feeHistory", json!(["0x5", "latest", [25.0, 75.0]])).await;
        assert_eq!(
            (&history["oldestBlock"], &history["baseFeePerGas"]),
            (&json!("0x0"), &json!(["0x0", "0x0", "0x0"]))
        );
        assert_eq!(history["reward"], json!([["0x0", "0x0"], ["0x0", "0x0"]]));
    });
}
