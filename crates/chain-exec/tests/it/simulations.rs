//! `eth_simulateV1`.

use alloy_primitives::{Address, B256, Bytes, U256, address};
use alloy_rpc_types_eth::{
    Block, BlockOverrides, BlockTransactions, TransactionRequest,
    simulate::{SimBlock, SimulatePayload, SimulatedBlock},
    state::{AccountOverride, StateOverridesBuilder},
};
use chain_exec::CallError;

use crate::support::{Chain, creation, encode, genesis_json, number, request, token, transfer};

fn simulate(chain: &Chain, payload: SimulatePayload) -> Result<Vec<SimulatedBlock<Block>>, CallError> {
    chain.executor.simulate(&chain.context(), payload)
}

#[test]
fn blocks_build_on_each_other() {
    let mut chain = Chain::new();
    let probe = chain.deploy(creation("Probe"));
    let increment = || request(probe, encode("increment()", &[]));
    let payload = SimulatePayload::default()
        .extend(SimBlock::default().call(increment()).call(increment()))
        .extend(SimBlock::default().call(request(probe, encode("counter()", &[]))))
        .extend(SimBlock::default().call(request(probe, encode("hashOf(uint256)", &[number(3)]))));
    let blocks = simulate(&chain, payload).expect("simulated");
    assert_eq!(blocks.len(), 3);
    let headers: Vec<_> = blocks.iter().map(|block| &block.inner.header).collect();
    assert_eq!(headers.iter().map(|header| header.number).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(headers[0].parent_hash, chain.head().hash());
    assert_eq!(headers[1].parent_hash, headers[0].hash);
    assert!(headers[1].timestamp > headers[0].timestamp);
    assert_eq!(blocks[0].calls.iter().map(|call| call.gas_used).sum::<u64>(), headers[0].gas_used);
    assert_eq!(U256::from_be_slice(&blocks[1].calls[0].return_data), U256::from(2));
    assert_eq!(blocks[2].calls[0].return_data.as_ref(), headers[1].hash.as_slice());
    let logs: Vec<_> = blocks[0].calls.iter().flat_map(|call| &call.logs).collect();
    assert_eq!(logs.len(), 2);
    assert_eq!((logs[1].log_index, logs[1].transaction_index), (Some(1), Some(1)));
    assert_eq!(logs[1].block_hash, Some(headers[0].hash));
    let BlockTransactions::Hashes(hashes) = &blocks[0].inner.transactions else { panic!("hashes") };
    assert_eq!(logs[1].transaction_hash, Some(hashes[1]));
}

#[test]
fn failures_are_results_and_refusals_are_errors() {
    let mut chain = Chain::new();
    let probe = chain.deploy(creation("Probe"));
    let poor = Address::repeat_byte(0x99);
    let payload = SimulatePayload::default().extend(
        SimBlock::default()
            .call(request(probe, encode("panic()", &[])))
            .call(TransactionRequest { gas: Some(100_000), ..request(probe, encode("burn()", &[])) })
            .call(request(probe, encode("increment()", &[]))),
    );
    let blocks = simulate(&chain, payload).expect("simulated");
    let errors: Vec<_> = blocks[0]
        .calls
        .iter()
        .map(|call| call.error.as_ref().map(|error| (error.code, error.message.as_str())))
        .collect();
    assert_eq!(
        errors,
        [Some((3, "execution reverted: division or modulo by zero")), Some((-32015, "out of gas")), None]
    );
    assert_eq!(blocks[0].calls.iter().map(|call| call.status).collect::<Vec<_>>(), [false, false, true]);

    let code = |payload| simulate(&chain, payload).expect_err("refused").code();
    let call = |request| SimulatePayload::default().extend(SimBlock::default().call(request));
    let old = TransactionRequest { nonce: Some(0), ..request(probe, Bytes::new()) };
    let new = TransactionRequest { nonce: Some(99), ..old.clone() };
    assert_eq!(code(call(old.clone()).with_validation()), -38010);
    assert_eq!(code(call(new).with_validation()), -38011);
    assert_eq!(code(call(request(probe, Bytes::new()).gas_limit(5))), -38013);
    assert_eq!(code(call(request(probe, Bytes::new()).from(poor).value(U256::from(1)))), -38014);
    assert_eq!(code(call(request(probe, Bytes::new()).gas_limit(30_000_001))), -38015);
    let increment = TransactionRequest { input: encode("increment()", &[]).into(), ..old };
    assert!(
        simulate(&chain, call(increment)).expect("simulated")[0].calls[0].status,
        "a nonce counts with validation only"
    );
}

#[test]
fn the_base_fee_counts_with_validation() {
    let mut chain = Chain::with_genesis(&genesis_json(7));
    chain.mine([]);
    let call = |request| SimulatePayload::default().extend(SimBlock::default().call(request));
    let free = request(Address::repeat_byte(9), Bytes::new());
    let blocks = simulate(&chain, call(free.clone())).expect("free without validation");
    assert_eq!(blocks[0].inner.header.base_fee_per_gas, Some(0));
    assert_eq!(simulate(&chain, call(free.clone()).with_validation()).expect_err("pays nothing").code(), -38012);
    let blocks = simulate(&chain, call(free.max_fee_per_gas(7)).with_validation()).expect("pays");
    assert_eq!(blocks[0].inner.header.base_fee_per_gas, Some(7));
    assert_eq!(blocks[0].calls[0].gas_used, 21_000);
}

#[test]
fn numbers_and_times_are_in_order_and_gaps_are_filled() {
    let chain = Chain::new();
    let at = |number: u64, time: Option<u64>| {
        let overrides = BlockOverrides { number: Some(U256::from(number)), time, ..BlockOverrides::default() };
        SimBlock::default().with_block_overrides(overrides)
    };
    let blocks =
        simulate(&chain, SimulatePayload::default().extend(at(3, Some(100))).extend(at(5, None))).expect("fills");
    let places: Vec<_> = blocks.iter().map(|block| (block.inner.header.number, block.inner.header.timestamp)).collect();
    assert_eq!(places, [(1, 1), (2, 2), (3, 100), (4, 101), (5, 102)]);
    let code = |blocks: Vec<SimBlock>| {
        simulate(&chain, SimulatePayload::default().extend_blocks(blocks)).expect_err("refused").code()
    };
    assert_eq!(code(vec![at(3, None), at(3, None)]), -38020);
    assert_eq!(code(vec![at(1, Some(9)), at(2, Some(9))]), -38021);
    assert_eq!(code(vec![at(1, Some(u64::MAX)), at(2, None)]), -38021);
    assert_eq!(code(vec![at(300, None)]), -38026);
    assert_eq!(code(vec![]), -32602);
}

#[test]
fn overrides_last_and_transactions_are_shown() {
    let mut chain = Chain::new();
    let token = chain.deploy(token(100));
    let [rich, friend] = [Address::repeat_byte(0x31), Address::repeat_byte(0x32)];
    let balance = alloy_primitives::keccak256([rich.into_word().0, B256::with_last_byte(1).0].concat());
    let overrides = StateOverridesBuilder::default()
        .append(token, AccountOverride::default().with_state_diff([(balance, B256::with_last_byte(70))]))
        .build();
    let beacon_root = Some(B256::with_last_byte(5));
    let coinbase = BlockOverrides { coinbase: Some(friend), beacon_root, ..BlockOverrides::default() };
    let payload = SimulatePayload::default()
        .extend(
            SimBlock::default()
                .with_state_overrides(overrides)
                .with_block_overrides(coinbase)
                .call(request(token, transfer(friend, 30)).from(rich)),
        )
        .extend(SimBlock::default().call(request(token, transfer(rich, 30)).from(friend)))
        .with_full_transactions();
    let blocks = simulate(&chain, payload).expect("simulated");
    assert!(blocks.iter().all(|block| block.calls[0].status));
    assert_eq!(blocks[0].inner.header.beneficiary, friend);
    assert_eq!(blocks[0].inner.header.parent_beacon_block_root, beacon_root);
    let transactions = blocks[0].inner.transactions.as_transactions().expect("in full");
    assert_eq!(transactions[0].inner.signer(), rich);
    assert_eq!(transactions[0].block_hash, Some(blocks[0].inner.header.hash));
}

#[test]
fn transfers_are_logged_where_they_happen() {
    let mut chain = Chain::new();
    let probe = chain.deploy(creation("Probe"));
    let to = Address::repeat_byte(0x21);
    let payload = SimulatePayload::default()
        .extend(
            SimBlock::default()
                .call(request(probe, encode("send(address)", &[to.into()])).value(U256::from(5)))
                .call(request(probe, encode("panic()", &[])))
                .call(request(probe, encode("increment()", &[])).value(U256::from(6))),
        )
        .with_trace_transfers();
    let blocks = simulate(&chain, payload).expect("simulated");
    let ether = address!("0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
    let emitters: Vec<Vec<Address>> =
        blocks[0].calls.iter().map(|call| call.logs.iter().map(|log| log.inner.address).collect()).collect();
    assert_eq!(emitters, [vec![ether, ether], vec![], vec![ether, probe]]);
    let inner = &blocks[0].calls[0].logs[1].inner;
    assert_eq!(inner.topics()[1..], [probe.into_word(), to.into_word()]);
    assert_eq!(U256::from_be_slice(&inner.data.data), U256::from(5));
    // The block's bloom knows only what contracts emitted.
    let bloom = blocks[0].inner.header.logs_bloom;
    assert!(bloom.contains_input(alloy_primitives::BloomInput::Raw(probe.as_slice())));
    assert!(!bloom.contains_input(alloy_primitives::BloomInput::Raw(ether.as_slice())));
}
