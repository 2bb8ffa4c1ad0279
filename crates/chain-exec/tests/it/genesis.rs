//! The genesis: what it becomes, and what is refused.

use alloy_primitives::{Address, B256, U256};
use chain_exec::{ExecError, Executor};
use chain_types::Genesis;
use revm::primitives::hardfork::SpecId;

use crate::support::{Chain, ETHER, Wallet, genesis_json, number, runtime};

fn with_alloc(entry: &str) -> String {
    genesis_json(0).replace("\"alloc\": {", &format!("\"alloc\": {{{entry},"))
}

fn refused(json: &str) -> String {
    match Executor::new(&Genesis::from_json(json).expect("the genesis is valid")) {
        Err(ExecError::Genesis(text)) => text,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn allocations_become_the_first_state() {
    let at = Address::repeat_byte(0x51);
    let entry = format!(
        r#""{at}": {{"balance": "0x5", "nonce": "0x1", "code": "{}", "storage": {{"0x01": "0x0b", "0x02": "0x00"}}}},
           "{}": {{"balance": "0x0"}}"#,
        runtime("Probe"),
        Address::repeat_byte(0x52)
    );
    let chain = Chain::with_genesis(&with_alloc(&entry));
    assert_eq!(chain.balance(Wallet::new(1).address), U256::from(1000 * ETHER));
    assert_eq!(chain.balance(at), U256::from(5));
    assert_eq!(chain.state.storage.len(), 1, "zero is no slot");
    assert_eq!(chain.state.accounts.len(), 5, "an empty account is no account");
    // The counter is the probe's second slot.
    assert_eq!(chain.read(at, "counter() returns (uint256)", &[]), [number(11)]);
    let header = chain.head().header();
    assert_eq!((header.number, header.gas_limit, header.base_fee_per_gas), (0, 30_000_000, Some(0)));
    assert_eq!(header.state_root, chain.state.root());
    assert_eq!(chain.executor.genesis_block(B256::ZERO).header().state_root, B256::ZERO);
}

#[test]
fn forks_follow_the_time() {
    let json = genesis_json(0).replace("\"pragueTime\": 0", "\"pragueTime\": 100, \"osakaTime\": 200");
    let chain = Chain::with_genesis(&json);
    let mut header = chain.head().header().clone();
    for (time, spec) in [(99, SpecId::CANCUN), (100, SpecId::PRAGUE), (200, SpecId::OSAKA)] {
        header.timestamp = time;
        assert_eq!(chain.executor.spec(&header), spec);
    }
    assert_eq!(chain.head().header().requests_hash, None, "there are no requests before Prague");
}

#[test]
fn what_cannot_be_used_is_refused() {
    let prague = |with: &str| genesis_json(0).replace("\"pragueTime\": 0", with);
    assert_eq!(refused(&prague("\"osakaTime\": 5")), "config.osakaTime needs config.pragueTime");
    assert!(refused(&prague("\"pragueTime\": 9, \"osakaTime\": 5")).contains("before"));
    assert!(refused(&prague("\"pragueTime\": 0, \"amsterdamTime\": 5")).contains("amsterdamTime"));
    let late = genesis_json(0).replace("\"timestamp\": \"0x0\"", "\"timestamp\": \"0xffffffffffffffff\"");
    assert!(refused(&late).contains("timestamp"));
    let at = Address::repeat_byte(0x51);
    let storage = format!(r#""{at}": {{"balance": "0x5", "storage": {{"0x01": "0x0b"}}}}"#);
    assert!(refused(&with_alloc(&storage)).contains("storage without code"));
    let code = format!(r#""{at}": {{"balance": "0x5", "code": "0xef0100aa"}}"#);
    assert!(refused(&with_alloc(&code)).contains("not code"));
}

#[test]
fn system_contracts_work_where_the_genesis_has_them() {
    let history = alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
    let withdrawals = alloy_eips::eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS;
    let entry = format!(
        r#""{history}": {{"balance": "0x0", "nonce": "0x1", "code": "{}"}},
           "{withdrawals}": {{"balance": "0x0", "nonce": "0x1", "code": "{}"}}"#,
        alloy_eips::eip2935::HISTORY_STORAGE_CODE,
        alloy_eips::eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_CODE,
    );
    let mut chain = Chain::with_genesis(&with_alloc(&entry));
    let genesis = chain.head().hash();
    let first = chain.mine([]).block;
    assert_eq!(chain.state.storage[&(history, U256::ZERO)], U256::from_be_bytes(genesis.0));

    // A request changes the hash of the requests, in the block and in the next one's check of it.
    let mut wallet = chain.wallets[0].clone();
    let input = [vec![7; 48], vec![0; 8]].concat();
    let second = chain.mine([wallet.call(withdrawals, 1, input.into())]);
    assert!(second.executed.receipts[0].status());
    assert_ne!(second.block.header().requests_hash, first.header().requests_hash);
    assert_eq!(chain.mine([]).block.header().requests_hash, first.header().requests_hash);

    // Where it does not have them, nothing happens.
    let mut bare = Chain::new();
    assert!(bare.mine([]).executed.delta.is_empty());
}
