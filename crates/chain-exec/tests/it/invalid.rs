//! Blocks that must be refused, and what is said about them.

use alloy_consensus::Header;
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256};
use chain_exec::{Account, CallContext, Executor, Invalid, SkipReason, StateError, StateReader};
use chain_types::Block;

use crate::support::{Chain, limits, request};

/// A chain with two transfers in its newest block.
fn chain() -> Chain {
    let mut chain = Chain::new();
    let mut wallet = chain.wallets[0].clone();
    chain.mine([]);
    chain.mine([1, 2].map(|value| wallet.call(Address::repeat_byte(9), value, Bytes::new())));
    chain
}

/// Spoils one field.
type Change = fn(&mut Header);

fn execute(chain: &Chain, block: &Block) -> Result<(), Invalid> {
    let parent = chain.blocks[1].header();
    let senders = vec![chain.wallets[0].address; block.transactions().len()];
    chain.executor.execute(parent, block, &senders, &chain.states[1]).map(drop)
}

#[test]
fn every_field_of_the_header_counts() {
    let chain = chain();
    let good = chain.head();
    execute(&chain, good).expect("the block is valid");
    let changes: [(&str, Change); 23] = [
        ("number", |header| header.number += 1),
        ("parent_hash", |header| header.parent_hash = B256::repeat_byte(1)),
        ("extra_data", |header| header.extra_data = Bytes::from_static(&[1, 0, 0])),
        ("extra_data", |header| header.extra_data = Bytes::from_static(&[0, 9, 9])),
        ("timestamp", |header| header.timestamp = u64::MAX),
        ("gas_limit", |header| header.gas_limit += 1),
        ("base_fee_per_gas", |header| header.base_fee_per_gas = Some(1)),
        ("base_fee_per_gas", |header| header.base_fee_per_gas = None),
        ("beneficiary", |header| header.beneficiary = Address::repeat_byte(1)),
        ("mix_hash", |header| header.mix_hash = B256::ZERO),
        ("difficulty", |header| header.difficulty = U256::from(1)),
        ("nonce", |header| header.nonce = B64::repeat_byte(1)),
        ("ommers_hash", |header| header.ommers_hash = B256::ZERO),
        ("withdrawals_root", |header| header.withdrawals_root = None),
        ("blob_gas_used", |header| header.blob_gas_used = Some(1)),
        ("excess_blob_gas", |header| header.excess_blob_gas = Some(1)),
        ("parent_beacon_block_root", |header| header.parent_beacon_block_root = Some(B256::repeat_byte(1))),
        ("transactions_root", |header| header.transactions_root = B256::ZERO),
        ("gas_used", |header| header.gas_used += 1),
        ("receipts_root", |header| header.receipts_root = B256::ZERO),
        ("logs_bloom", |header| header.logs_bloom = Bloom::repeat_byte(1)),
        ("requests_hash", |header| header.requests_hash = None),
        ("requests_hash", |header| header.requests_hash = Some(B256::ZERO)),
    ];
    for (name, change) in changes {
        let mut header = good.header().clone();
        change(&mut header);
        let refused = execute(&chain, &Block::new(header, good.transactions().to_vec()));
        let Err(Invalid::Header { field, .. }) = refused else { panic!("{name}: {refused:?}") };
        assert_eq!(field, name);
    }
    // The state root is for the store to compare.
    let other = Header { state_root: B256::ZERO, ..good.header().clone() };
    execute(&chain, &Block::new(other, good.transactions().to_vec())).expect("not compared here");
}

#[test]
fn time_does_not_go_back() {
    let chain = chain();
    let mut header = chain.head().header().clone();
    header.timestamp -= 10;
    let refused = execute(&chain, &Block::new(header, chain.head().transactions().to_vec()));
    assert!(matches!(refused, Err(Invalid::TimeGoesBack { .. })), "{refused:?}");
}

#[test]
fn transactions_must_fit_their_place() {
    let chain = chain();
    let good = chain.head();
    let [first, second] = [good.transactions()[0].clone(), good.transactions()[1].clone()];
    let cases = [
        (vec![second.clone(), first.clone()], 0, SkipReason::NonceTooHigh { expected: 0, found: 1 }),
        (vec![first.clone(), first.clone()], 1, SkipReason::NonceTooLow { expected: 1, found: 0 }),
    ];
    for (transactions, place, expected) in cases {
        let block = Block::new(good.header().clone(), transactions);
        let Err(Invalid::Transaction { index, hash, reason }) = execute(&chain, &block) else { panic!() };
        assert_eq!((index, *reason), (place, expected));
        assert_eq!(hash, *block.transactions()[place].tx_hash());
    }
    let fewer = Block::new(good.header().clone(), vec![first.clone()]);
    assert!(matches!(execute(&chain, &fewer), Err(Invalid::Header { field: "transactions_root", .. })));
    let refused = chain.executor.execute(chain.blocks[1].header(), good, &[], &chain.states[1]);
    assert!(matches!(refused, Err(Invalid::Senders { senders: 0, transactions: 2 })));
}

#[test]
fn a_block_that_cannot_be_right_is_refused_before_its_signatures_cost_anything() {
    let chain = chain();
    let (parent, good) = (chain.blocks[1].header(), chain.head());
    chain.executor.check(parent, good).expect("the block is valid");
    let many = good.transactions().iter().cycle().take(1429).cloned().collect();
    let refused = chain.executor.check(parent, &Block::new(good.header().clone(), many)).expect_err("too many");
    assert!(matches!(refused, Invalid::TooMuchGas { limit: 30_000_000 }), "{refused}");
    let long = Header { extra_data: vec![7; 100_000].into(), ..good.header().clone() };
    let refused = chain.executor.check(parent, &Block::new(long, Vec::new())).expect_err("no such field");
    assert!(refused.to_string().len() < 1000, "{} bytes for the log", refused.to_string().len());
}

/// A disk that fails.
struct Broken;

impl StateReader for Broken {
    fn account(&self, _: &Address) -> Result<Option<Account>, StateError> {
        Err(StateError("input/output error".into()))
    }

    fn storage(&self, _: &Address, _: &U256) -> Result<U256, StateError> {
        Err(StateError("input/output error".into()))
    }

    fn code(&self, _: &B256) -> Result<Bytes, StateError> {
        Err(StateError("input/output error".into()))
    }

    fn block_hash(&self, _: u64) -> Result<B256, StateError> {
        Err(StateError("input/output error".into()))
    }
}

#[test]
fn a_failed_disk_is_not_the_blocks_fault() {
    let chain = chain();
    let (parent, good) = (chain.blocks[1].header(), chain.head());
    let senders = vec![chain.wallets[0].address; 2];
    let failed = chain.executor.execute(parent, good, &senders, &Broken).expect_err("the disk failed");
    assert!(failed.is_local());
    assert_eq!(failed.to_string(), "state: input/output error");
    let mut wallet = chain.wallets[0].clone();
    let candidate = std::sync::Arc::new(wallet.call(Address::ZERO, 1, Bytes::new()));
    let failed = chain.executor.build(parent, chain.when(), &Broken, &mut std::iter::once(candidate), limits());
    assert_eq!(failed.map(drop).expect_err("the disk failed").to_string(), "state: input/output error");
    let context = CallContext { state: &Broken, ..chain.context() };
    let failed = chain.executor.call(&context, request(Address::ZERO, Bytes::new())).expect_err("the disk failed");
    assert_eq!((failed.code(), failed.to_string().as_str()), (-32603, "state: input/output error"));
    let (block, _) = Executor::seal(
        chain.executor.build(parent, chain.when(), &chain.states[1], &mut std::iter::empty(), limits()).expect("built"),
        B256::ZERO,
    );
    assert_eq!(block.number(), 2);
}
