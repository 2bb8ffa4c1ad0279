//! Building blocks: what is included, what is skipped and why, what the receipts say.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy_consensus::{ReceiptEnvelope, TxEip2930, TxEip4844, TxEip7702, TxLegacy};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use chain_exec::{BuildLimits, SkipReason};
use chain_types::timestamp_millis;

use crate::support::{
    CHAIN_ID, Chain, ETHER, encode, gas_used, genesis_json, limits, number, runtime, token, transfer,
};

#[test]
fn a_token_is_deployed_and_transferred() {
    let mut chain = Chain::new();
    let token = chain.deploy(token(1_000));
    let [mut a, mut b] = [chain.wallets[0].clone(), chain.wallets[1].clone()];
    let mined = chain.mine([
        a.call(token, 0, transfer(b.address, 300)),
        b.call(token, 0, transfer(a.address, 500)),
        b.call(token, 0, transfer(a.address, 100)),
    ]);
    assert!(mined.skipped.is_empty());
    let statuses: Vec<_> = mined.executed.receipts.iter().map(ReceiptEnvelope::status).collect();
    assert_eq!(statuses, [true, false, true]);
    assert_eq!(mined.executed.receipts[1].logs(), []);
    assert_eq!(mined.executed.receipts[0].logs()[0].address, token);
    assert!(gas_used(&mined, 2) > 21_000);
    assert_eq!(mined.executed.gas_used, mined.executed.receipts[2].cumulative_gas_used());
    assert_eq!(mined.block.header().gas_used, mined.executed.gas_used);
    let balance = "balanceOf(address) returns (uint256)";
    assert_eq!(chain.read(token, balance, &[a.address.into()]), [number(800)]);
    assert_eq!(chain.read(token, balance, &[b.address.into()]), [number(200)]);
}

#[test]
fn a_header_follows_from_its_parent() {
    let mut chain = Chain::new();
    let parent = chain.head().clone();
    let mined = chain.mine([]);
    let header = mined.block.header();
    assert_eq!(header.number, 1);
    assert_eq!(header.parent_hash, parent.hash());
    assert_eq!(header.mix_hash, parent.hash(), "prevrandao is the parent's hash");
    assert_eq!(header.base_fee_per_gas, Some(0));
    assert_eq!(header.gas_limit, parent.header().gas_limit);
    assert_eq!(timestamp_millis(header), 1_700_000_001_050);
    assert!(mined.executed.delta.is_empty(), "an empty block changes nothing");

    // A clock that went back does not take the block's time with it.
    let built = chain.executor.build(header, 5, &chain.state, &mut std::iter::empty(), limits()).expect("built");
    assert_eq!(timestamp_millis(&built.header), timestamp_millis(header));
}

#[test]
fn every_reason_to_skip_is_told() {
    let mut chain = Chain::with_genesis(&genesis_json(7));
    let a = chain.wallets[0].clone();
    let to = TxKind::Call(Address::repeat_byte(9));
    let paying = |nonce: u64| {
        let mut tx = a.plain(to, 0, Bytes::new());
        (tx.nonce, tx.gas_limit, tx.max_fee_per_gas) = (nonce, 21_000, 7);
        tx
    };
    let change = |tx: &mut alloy_consensus::TxEip1559, change: fn(&mut alloy_consensus::TxEip1559)| {
        change(tx);
        a.sign(tx.clone())
    };
    let blob = TxEip4844 {
        chain_id: CHAIN_ID,
        max_fee_per_gas: 7,
        gas_limit: 21_000,
        blob_versioned_hashes: vec![B256::ZERO],
        ..TxEip4844::default()
    };
    let block = chain.head().header().gas_limit;
    let cases = [
        (change(&mut paying(2), |_| ()), SkipReason::NonceTooHigh { expected: 1, found: 2 }),
        (change(&mut paying(0), |_| ()), SkipReason::NonceTooLow { expected: 1, found: 0 }),
        (
            change(&mut paying(1), |tx| tx.value = U256::from(2000 * ETHER)),
            SkipReason::InsufficientFunds {
                required: U256::from(2000 * ETHER + 147_000),
                balance: U256::from(1000 * ETHER - 147_000),
            },
        ),
        (change(&mut paying(1), |tx| tx.max_fee_per_gas = 6), SkipReason::FeeTooLow { offered: 6, base_fee: 7 }),
        (change(&mut paying(1), |tx| tx.chain_id = 1), SkipReason::WrongChain { expected: CHAIN_ID }),
        (
            change(&mut paying(1), |tx| tx.gas_limit = 20_999),
            SkipReason::IntrinsicGas { gas_limit: 20_999, needed: 21_000 },
        ),
        (
            change(&mut paying(1), |tx| tx.gas_limit = 30_000_001),
            SkipReason::AboveBlockGas { gas_limit: 30_000_001, block },
        ),
        (
            change(&mut paying(1), |tx| tx.gas_limit = 30_000_000),
            SkipReason::NoGasLeft { gas_limit: 30_000_000, left: block - 21_000 },
        ),
        (a.sign(blob), SkipReason::Blob),
        (
            change(&mut paying(1), |tx| tx.max_priority_fee_per_gas = 8),
            SkipReason::Malformed("priority fee is greater than max fee".into()),
        ),
    ];
    let (candidates, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    let hashes: Vec<_> = candidates.iter().map(|candidate| candidate.hash()).collect();
    let mined = chain.mine(std::iter::once(a.sign(paying(0))).chain(candidates));
    assert_eq!(mined.block.transactions().len(), 1);
    assert_eq!(mined.skipped, hashes.into_iter().zip(expected).collect::<Vec<_>>());
    let permanent: Vec<_> = mined.skipped.iter().map(|(_, reason)| reason.is_permanent()).collect();
    assert_eq!(permanent, [false, false, false, true, true, true, true, false, true, true]);
}

#[test]
fn filling_ends_with_gas_bytes_and_time() {
    let mut chain = Chain::new();
    let mut a = chain.wallets[0].clone();
    let many: Vec<_> = (0..40).map(|_| a.call(Address::repeat_byte(9), 1, vec![1; 100].into())).collect();

    let gas = BuildLimits { gas: 2_100_000, ..limits() };
    let mined = chain.clone().mine_within(many.clone(), gas);
    assert!(mined.executed.gas_used <= 2_100_000);
    assert!((2..40).contains(&mined.block.transactions().len()));
    assert!(matches!(mined.skipped[0].1, SkipReason::NoGasLeft { gas_limit: 2_000_000, .. }));

    let bytes = BuildLimits { bytes: 3_000, ..limits() };
    let mined = chain.clone().mine_within(many.clone(), bytes);
    assert!(mined.block.rlp_length() <= 3_000);
    assert!(mined.block.transactions().len() > 5);
    assert!(
        mined
            .skipped
            .iter()
            .all(|(_, reason)| matches!(reason, SkipReason::NoBytesLeft { .. } | SkipReason::NonceTooHigh { .. }))
    );

    // A clock that goes on by a millisecond each time it is read.
    let ticks = AtomicU64::new(0);
    chain.executor =
        chain.executor.with_clock(Arc::new(move || Duration::from_millis(ticks.fetch_add(1, Ordering::Relaxed))));
    let time = BuildLimits { deadline: Duration::from_millis(10), ..limits() };
    let mined = chain.mine_within(many, time);
    assert_eq!(mined.block.transactions().len(), 9);
    assert!(mined.skipped.is_empty());
}

#[test]
fn fees_go_to_the_beneficiary_and_the_base_fee_is_burnt() {
    let beneficiary = Address::repeat_byte(0xbe);
    let json = genesis_json(7).replace("\"extraData\"", &format!("\"coinbase\": \"{beneficiary}\", \"extraData\""));
    let mut chain = Chain::with_genesis(&json);
    let before = chain.state.total();
    let [a, b] = [chain.wallets[0].clone(), chain.wallets[1].clone()];
    let mut dynamic = a.plain(TxKind::Call(b.address), 1, Bytes::new());
    (dynamic.max_fee_per_gas, dynamic.max_priority_fee_per_gas) = (100, 3);
    let legacy = TxLegacy {
        chain_id: Some(CHAIN_ID),
        gas_price: 9,
        gas_limit: 21_000,
        to: TxKind::Call(a.address),
        ..TxLegacy::default()
    };
    let mined = chain.mine([a.sign(dynamic), b.sign(legacy)]);
    assert_eq!(mined.block.header().base_fee_per_gas, Some(7));
    assert_eq!(chain.balance(beneficiary), U256::from(21_000 * 3 + 21_000 * 2));
    assert_eq!(chain.state.total(), before - U256::from(2 * 21_000 * 7));
    let mined = chain.mine([]);
    assert_eq!(mined.block.header().base_fee_per_gas, Some(7), "the base fee never moves");
}

#[test]
fn an_access_list_is_charged_and_warms() {
    let mut chain = Chain::new();
    let token = chain.deploy(token(1_000));
    let a = chain.wallets[0].clone();
    let plain = TxEip2930 {
        chain_id: CHAIN_ID,
        nonce: a.nonce,
        gas_limit: 100_000,
        to: TxKind::Call(token),
        input: encode("balanceOf(address)", &[a.address.into()]),
        ..TxEip2930::default()
    };
    let slot = alloy_primitives::keccak256([a.address.into_word().0, B256::with_last_byte(1).0].concat());
    let listed = TxEip2930 {
        nonce: a.nonce + 1,
        access_list: AccessList(vec![AccessListItem { address: token, storage_keys: vec![slot] }]),
        ..plain.clone()
    };
    let mined = chain.mine([a.sign(plain), a.sign(listed)]);
    assert!(matches!(mined.executed.receipts[1], ReceiptEnvelope::Eip2930(_)));
    // EIP-2930: 2400 for the address, 1900 for the slot; 2000 less for the slot's first read.
    assert_eq!(gas_used(&mined, 1), gas_used(&mined, 0) + 2400 + 1900 - 2000);
}

#[test]
fn an_account_runs_code_that_it_delegated_to() {
    let mut chain = Chain::new();
    let batch = chain.deploy(crate::support::creation("Batch"));
    let [a, b, c] = [0, 1, 2].map(|index| chain.wallets[index].clone());
    let heir = Address::repeat_byte(0x11);
    let call = |to: Address, value: u128| {
        alloy_dyn_abi::DynSolValue::Tuple(vec![to.into(), number(value), alloy_dyn_abi::DynSolValue::Bytes(Vec::new())])
    };
    let calls = alloy_dyn_abi::DynSolValue::Array(vec![call(heir, 5), call(heir, 6)]);
    let transaction = TxEip7702 {
        chain_id: CHAIN_ID,
        nonce: a.nonce,
        gas_limit: 500_000,
        to: b.address,
        input: encode("execute((address,uint256,bytes)[])", &[calls]),
        // The second authorisation has a wrong nonce: it is passed over.
        authorization_list: vec![b.authorize(batch, 0), c.authorize(batch, 5)],
        ..TxEip7702::default()
    };
    let mined = chain.mine([a.sign(transaction)]);
    assert!(mined.executed.receipts[0].status());
    assert!(matches!(mined.executed.receipts[0], ReceiptEnvelope::Eip7702(_)));
    assert_eq!(mined.executed.receipts[0].logs()[0].address, b.address);
    assert_eq!(chain.balance(heir), U256::from(11));
    assert_eq!(chain.balance(b.address), U256::from(1000 * ETHER - 11));
    let delegated = chain.state.accounts[&b.address];
    assert_eq!(delegated.nonce, 1);
    assert_eq!(chain.state.code[&delegated.code_hash].as_ref(), [&[0xef, 1, 0][..], batch.as_slice()].concat());
    assert_eq!(chain.state.accounts[&c.address].nonce, 0);

    // An account with a delegation still sends transactions, and can take the delegation back.
    let mut b = chain.wallets[1].clone();
    b.nonce = 1;
    let mined = chain.mine([b.call(heir, 1, Bytes::new())]);
    assert!(mined.executed.receipts[0].status());
    let a = chain.wallets[0].clone();
    let undo = TxEip7702 {
        chain_id: CHAIN_ID,
        nonce: a.nonce + 1,
        gas_limit: 100_000,
        to: heir,
        authorization_list: vec![b.authorize(Address::ZERO, 2)],
        ..TxEip7702::default()
    };
    assert!(chain.mine([a.sign(undo)]).executed.receipts[0].status());
    assert_eq!(chain.state.accounts[&b.address].code_hash, revm::primitives::KECCAK_EMPTY);
    assert_eq!(runtime("Batch").len(), chain.state.code[&chain.state.accounts[&batch].code_hash].len());
}

/// Whatever a transaction gives a precompile, it is the transaction that fails.
#[test]
fn no_precompile_stops_a_block() {
    let mut chain = Chain::new();
    let mut wallet = chain.wallets[0].clone();
    let precompiles: Vec<_> =
        (1..=0x13_u64).chain([0x100]).map(|n| Address::left_padding_from(&n.to_be_bytes())).collect();
    for length in [0, 1, 64, 128, 160, 192, 213, 256, 288, 384] {
        for byte in [0, 1, 0xff] {
            for part in precompiles.chunks(10) {
                let calls: Vec<_> =
                    part.iter().map(|precompile| wallet.call(*precompile, 0, vec![byte; length].into())).collect();
                let mined = chain.mine(calls);
                assert_eq!(mined.block.transactions().len(), part.len(), "{length} bytes of {byte:#x}");
            }
        }
    }
}
