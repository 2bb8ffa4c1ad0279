//! Random blocks: building and executing agree, and the delta is what a plain interpreter says.

use std::sync::Arc;

use alloy_consensus::{TxEip7702, TxLegacy};
use alloy_primitives::{Address, Bytes, TxKind, U256};
use chain_types::Recovered;
use proptest::prelude::*;
use revm::{
    Context, Database, DatabaseCommit, ExecuteEvm, MainBuilder, MainContext,
    context::TxEnv,
    database::{CacheDB, EmptyDB},
    primitives::hardfork::SpecId,
    state::{AccountInfo, Bytecode},
};

use crate::support::{CHAIN_ID, Chain, Memory, Wallet, creation, encode, limits, number, token, transfer, word};

#[derive(Clone, Debug)]
enum Action {
    Pay(u8, u128),
    Token(u8, u128),
    Fill(u8, u8),
    Clear(u8, u8),
    Create(u8),
    Create2(u8),
    CreateAndEnd(u8),
    Descend(u8),
    Burn,
    Fail,
    Deploy,
    Delegate(u8),
}

#[derive(Clone, Debug)]
struct Step {
    sender: usize,
    action: Action,
    gas: u64,
    /// Added to the right nonce.
    nonce: i8,
    tip: u8,
    legacy: bool,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        (0..6u8, 0..10u128).prop_map(|(to, value)| Action::Pay(to, value)),
        Just(Action::Pay(0, 2_000_000_000_000_000_000_000)),
        (0..6u8, 0..400u128).prop_map(|(to, value)| Action::Token(to, value)),
        (0..8u8, 0..5u8).prop_map(|(from, count)| Action::Fill(from, count)),
        (0..8u8, 0..5u8).prop_map(|(from, count)| Action::Clear(from, count)),
        (0..3u8).prop_map(Action::Create),
        (0..3u8).prop_map(Action::Create2),
        (0..3u8).prop_map(Action::CreateAndEnd),
        (0..5u8).prop_map(Action::Descend),
        Just(Action::Burn),
        Just(Action::Fail),
        Just(Action::Deploy),
        (0..4u8).prop_map(Action::Delegate),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let nonce = prop_oneof![9 => Just(0i8), 1 => -1..2i8];
    (0..4usize, action(), prop_oneof![Just(400_000u64), 20_000..80_000u64], nonce, 0..3u8, any::<bool>())
        .prop_map(|(sender, action, gas, nonce, tip, legacy)| Step { sender, action, gas, nonce, tip, legacy })
}

/// A block that begins with the contracts' deployment must already be there.
fn sign(step: &Step, wallets: &mut [Wallet], probe: Address, token: Address) -> Recovered {
    let friend = |index: u8| match wallets.get(usize::from(index)) {
        Some(wallet) => wallet.address,
        None => Address::repeat_byte(index),
    };
    let on_probe =
        |text: &str, arguments: &[alloy_dyn_abi::DynSolValue]| (TxKind::Call(probe), 0, encode(text, arguments));
    let pair = |a: u8, b: u8| [number(a.into()), number(b.into())];
    let (to, value, input) = match step.action {
        Action::Pay(to, value) => (TxKind::Call(friend(to)), value, Bytes::new()),
        Action::Token(to, value) => (TxKind::Call(token), 0, transfer(friend(to), value)),
        Action::Fill(from, count) => on_probe("fill(uint256,uint256)", &pair(from, count)),
        Action::Clear(from, count) => on_probe("clear(uint256,uint256)", &pair(from, count)),
        Action::Create(value) => on_probe("create(uint256)", &[number(value.into())]),
        Action::Create2(salt) => on_probe("create2(bytes32,uint256)", &[word(salt), number(7)]),
        Action::CreateAndEnd(salt) => on_probe("createAndEnd(bytes32,address)", &[word(salt), friend(5).into()]),
        Action::Descend(depth) => on_probe("descend(uint256)", &[number(depth.into())]),
        Action::Burn => on_probe("burn()", &[]),
        Action::Fail => on_probe("panic()", &[]),
        Action::Deploy => (TxKind::Create, 0, creation("Child")),
        Action::Delegate(_) => (TxKind::Call(friend(4)), 0, Bytes::new()),
    };
    let wallet = &wallets[step.sender];
    let nonce = wallet.nonce.saturating_add_signed(step.nonce.into());
    let mut dynamic = wallet.plain(to, value, input);
    (dynamic.gas_limit, dynamic.nonce) = (step.gas, nonce);
    (dynamic.max_fee_per_gas, dynamic.max_priority_fee_per_gas) = (u128::from(step.tip) * 2, step.tip.into());
    let signed = if let Action::Delegate(authority) = step.action {
        let authority = &wallets[usize::from(authority)];
        let transaction = TxEip7702 {
            chain_id: CHAIN_ID,
            nonce,
            gas_limit: step.gas,
            to: friend(4),
            authorization_list: vec![authority.authorize(probe, authority.nonce)],
            ..TxEip7702::default()
        };
        wallet.sign(transaction)
    } else if step.legacy {
        let transaction = TxLegacy {
            chain_id: Some(CHAIN_ID),
            nonce,
            gas_price: step.tip.into(),
            gas_limit: step.gas,
            to,
            value: U256::from(value),
            input: dynamic.input,
        };
        wallet.sign(transaction)
    } else {
        wallet.sign(dynamic)
    };
    if step.nonce == 0 {
        wallets[step.sender].nonce += 1;
    }
    signed
}

/// The same transactions on revm alone, without this crate's block, cache and delta.
fn plain(before: &Memory, chain: &Chain) -> CacheDB<EmptyDB> {
    let header = chain.head().header();
    let mut database = CacheDB::new(EmptyDB::default());
    for (address, account) in &before.accounts {
        let code = before.code.get(&account.code_hash).cloned().map(Bytecode::new_raw).unwrap_or_default();
        database
            .insert_account_info(*address, AccountInfo::new(account.balance, account.nonce, account.code_hash, code));
    }
    for ((address, slot), value) in &before.storage {
        database.insert_account_storage(*address, *slot, *value).expect("in memory");
    }
    let mut machine = Context::mainnet()
        .modify_cfg_chained(|cfg| {
            cfg.set_spec_and_mainnet_gas_params(SpecId::PRAGUE);
            cfg.chain_id = CHAIN_ID;
        })
        .modify_block_chained(|block| {
            block.number = U256::from(header.number);
            block.timestamp = U256::from(header.timestamp);
            block.gas_limit = header.gas_limit;
            block.prevrandao = Some(header.mix_hash);
        })
        .with_db(database)
        .build_mainnet();
    for transaction in chain.head().transactions() {
        let sender = Recovered::recover(transaction.clone()).expect("signed").sender;
        let tx: TxEnv = alloy_evm::FromRecoveredTx::from_recovered_tx(transaction, sender);
        let outcome = machine.transact(tx).expect("a transaction of the block is valid");
        machine.ctx.journaled_state.database.commit(outcome.state);
    }
    machine.ctx.journaled_state.database
}

fn compare(after: &Memory, mut plain: CacheDB<EmptyDB>) {
    let touched: Vec<Address> = plain.cache.accounts.keys().copied().collect();
    for address in touched {
        let expected = plain.basic(address).expect("in memory").filter(|info| !info.is_empty());
        let found = after.accounts.get(&address);
        assert_eq!(
            found.map(|account| (account.nonce, account.balance, account.code_hash)),
            expected.as_ref().map(|info| (info.nonce, info.balance, info.code_hash)),
            "{address}"
        );
        let slots: Vec<U256> = plain.cache.accounts[&address].storage.keys().copied().collect();
        for slot in slots {
            let expected = plain.storage(address, slot).expect("in memory");
            let found = after.storage.get(&(address, slot)).copied().unwrap_or_default();
            assert_eq!(found, expected, "{address} {slot}");
        }
    }
    for (address, slot) in after.storage.keys() {
        assert_eq!(plain.storage(*address, *slot).expect("in memory"), after.storage[&(*address, *slot)]);
    }
    assert!(after.storage.values().all(|value| !value.is_zero()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn built_and_executed_blocks_are_the_same(blocks in prop::collection::vec(prop::collection::vec(step(), 0..24), 1..4)) {
        let mut chain = Chain::new();
        let probe = chain.deploy(creation("Probe"));
        let token = chain.deploy(token(1_000));
        let mut wallets = chain.wallets.clone();
        let total = chain.state.total();
        for steps in blocks {
            // A sender whose transaction was skipped goes on from the nonce that the state has.
            for wallet in &mut wallets {
                wallet.nonce = chain.state.accounts.get(&wallet.address).map_or(0, |account| account.nonce);
            }
            let candidates: Vec<_> = steps.iter().map(|step| sign(step, &mut wallets, probe, token)).collect();
            let before = chain.state.clone();
            let parent = chain.head().header().clone();
            let when = chain.when();
            let offered = candidates.len();
            let mined = chain.mine(candidates.clone());
            prop_assert_eq!(mined.block.transactions().len() + mined.skipped.len(), offered);
            let again = chain.executor
                .build(&parent, when, &before, &mut candidates.into_iter().map(Arc::new), limits())
                .expect("built");
            prop_assert_eq!(&again.executed.delta, &mined.executed.delta);
            prop_assert_eq!(again.header.receipts_root, mined.block.header().receipts_root);
            compare(&chain.state, plain(&before, &chain));
            prop_assert_eq!(chain.state.total(), total, "without a base fee no ether is lost");
        }
    }
}
