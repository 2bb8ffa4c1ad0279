//! Sending, refusals, and waiting for the receipt.

use alloy_primitives::{Bytes, TxKind, U256};
use serde_json::json;

use crate::world::{account, raw, record, run, sign, unsigned};

#[test]
fn a_refusal_has_the_words_and_the_code_that_clients_know() {
    run(|world| async move {
        world.send(&record(1, 0, 1, 1)).await;
        world.seal().await;
        let poor = sign(
            9,
            alloy_consensus::TxEip1559 { value: U256::from(1), ..unsigned(0, TxKind::Call(account(1)), Bytes::new()) },
        );
        let small = sign(
            1,
            alloy_consensus::TxEip1559 { gas_limit: 20_000, ..unsigned(1, TxKind::Call(account(1)), Bytes::new()) },
        );
        let other =
            sign(1, alloy_consensus::TxEip1559 { chain_id: 9, ..unsigned(1, TxKind::Call(account(1)), Bytes::new()) });
        for (transaction, words) in [
            (record(1, 0, 2, 2), "nonce too low: next nonce 1, tx nonce 0"),
            (poor, "insufficient funds for gas * price + value: balance 0"),
            (small, "intrinsic gas too low"),
            (other, "invalid chain id for signer: have 9 want 1337"),
        ] {
            let (code, message, _) = world.refused("eth_sendRawTransaction", json!([raw(&transaction)])).await;
            assert_eq!(code, -32000, "{message}");
            assert!(message.starts_with(words), "{message}");
        }
        world.send(&record(1, 1, 2, 2)).await;
        let (_, message, _) = world.refused("eth_sendRawTransaction", json!([raw(&record(1, 1, 2, 2))])).await;
        assert_eq!(message, "already known");
        let (_, message, _) = world.refused("eth_sendRawTransaction", json!([raw(&record(1, 1, 3, 3))])).await;
        assert_eq!(message, "replacement transaction underpriced");
        assert_eq!(world.refused("eth_sendRawTransaction", json!(["0x1234zz"])).await.0, -32602);
        assert_eq!(world.refused("eth_sendTransaction", json!([{}])).await.0, -32601);
    });
}

#[test]
fn sending_and_waiting_answers_with_the_receipt() {
    run(|world| async move {
        let transaction = record(1, 0, 1, 1);
        let waiting = tokio::spawn({
            let (world, raw) = (world.clone(), raw(&transaction));
            async move { world.ok("eth_sendRawTransactionSync", json!([raw, 20_000])).await }
        });
        world.pool.wait_pending().await;
        world.seal().await;
        let receipt = waiting.await.expect("it ends");
        assert_eq!(receipt, world.ok("eth_getTransactionReceipt", json!([transaction.tx_hash()])).await);
        assert_eq!(receipt["blockNumber"], "0x1");
    });
}

#[test]
fn waiting_in_vain_says_whether_the_transaction_could_be_processed() {
    run(|world| async move {
        let ready = record(1, 0, 1, 1);
        let (code, message, data) = world.refused("eth_sendRawTransactionSync", json!([raw(&ready), 300])).await;
        assert_eq!((code, data), (4, json!(ready.tx_hash())), "{message}");
        assert!(message.contains("wasn't processed in 0.3s"), "{message}");
        let gap = record(1, 5, 1, 1);
        let (code, message, data) = world.refused("eth_sendRawTransactionSync", json!([raw(&gap), "0x7530"])).await;
        assert_eq!((code, data), (5, json!(gap.tx_hash())), "{message}");
        let (code, ..) = world.refused("eth_sendRawTransactionSync", json!([raw(&ready)])).await;
        assert_eq!(code, -32000);
    });
}

#[test]
fn the_pools_content_is_shown() {
    run(|world| async move {
        world.send(&record(1, 0, 1, 1)).await;
        world.send(&record(1, 2, 1, 1)).await;
        assert_eq!(world.ok("txpool_status", json!([])).await, json!({ "pending": "0x1", "queued": "0x1" }));
        let sender = account(1).to_string();
        let content = world.ok("txpool_content", json!([])).await;
        assert_eq!(content["pending"][&sender]["0"]["nonce"], "0x0");
        assert_eq!(content["queued"][&sender]["2"]["nonce"], "0x2");
        let own = world.ok("txpool_contentFrom", json!([sender])).await;
        assert_eq!(own["pending"]["0"], content["pending"][&sender]["0"]);
        let text = world.ok("txpool_inspect", json!([])).await["pending"][&sender]["0"].clone();
        assert!(text.as_str().expect("text").ends_with(": 0 wei + 200000 gas × 0 wei"), "{text}");
    });
}
