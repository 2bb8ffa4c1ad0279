//! What contracts see and do: creations, self-destruction, block hashes, precompiles, running out of gas.

use alloy_dyn_abi::DynSolValue;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use chain_exec::created_address;

use crate::support::{CHAIN_ID, Chain, Mined, creation, encode, gas_used, number, runtime, word};

fn probe() -> (Chain, Address) {
    let mut chain = Chain::new();
    let probe = chain.deploy(creation("Probe"));
    (chain, probe)
}

fn send(chain: &mut Chain, to: Address, value: u128, input: Bytes) -> Mined {
    let mut wallet = chain.wallets[0].clone();
    let mined = chain.mine([wallet.call(to, value, input)]);
    chain.wallets[0] = wallet;
    mined
}

#[test]
fn contracts_create_contracts() {
    let (mut chain, probe) = probe();
    let transaction = chain.head().transactions()[0].clone();
    assert_eq!(created_address(&transaction, chain.wallets[0].address), Some(probe));

    let mined = send(&mut chain, probe, 5, encode("create(uint256)", &[number(3)]));
    assert!(mined.executed.receipts[0].status());
    let child = probe.create(1);
    assert_eq!(chain.balance(child), U256::from(5));
    assert_eq!(chain.read(child, "value() returns (uint256)", &[]), [number(3)]);

    send(&mut chain, probe, 0, encode("create2(bytes32,uint256)", &[word(9), number(4)]));
    let init: Bytes = [creation("Child"), number(4).abi_encode().into()].concat().into();
    let child = probe.create2(B256::with_last_byte(9), keccak256(init));
    assert_eq!(chain.read(child, "value() returns (uint256)", &[]), [number(4)]);
    let again = send(&mut chain, probe, 0, encode("create2(bytes32,uint256)", &[word(9), number(4)]));
    assert!(!again.executed.receipts[0].status(), "the address is taken");
}

#[test]
fn a_contract_that_goes_in_its_own_transaction_leaves_nothing() {
    let (mut chain, probe) = probe();
    let heir = Address::repeat_byte(0x77);
    let end = encode("createAndEnd(bytes32,address)", &[word(1), heir.into()]);
    let mined = send(&mut chain, probe, 8, end.clone());
    assert!(mined.executed.receipts[0].status());
    let init: Bytes = [creation("Child"), number(7).abi_encode().into()].concat().into();
    let child = probe.create2(B256::with_last_byte(1), keccak256(init));
    assert_eq!(chain.balance(heir), U256::from(8));
    assert!(!chain.state.accounts.contains_key(&child));
    assert!(mined.executed.delta.storage.is_empty());
    assert!(mined.executed.delta.code.is_empty());

    // Twice in one block, and then one that stays.
    let mut wallet = chain.wallets[0].clone();
    let mined = chain.mine([
        wallet.call(probe, 1, end.clone()),
        wallet.call(probe, 1, end),
        wallet.call(probe, 1, encode("create2(bytes32,uint256)", &[word(1), number(7)])),
    ]);
    chain.wallets[0] = wallet;
    assert_eq!(mined.executed.receipts.iter().filter(|receipt| receipt.status()).count(), 3);
    assert_eq!(chain.balance(heir), U256::from(10));
    assert_eq!(chain.read(child, "value() returns (uint256)", &[]), [number(7)]);

    // EIP-6780: later it only pays out.
    let mined = send(&mut chain, child, 0, encode("end(address)", &[heir.into()]));
    assert!(mined.executed.receipts[0].status());
    assert_eq!(chain.balance(heir), U256::from(11));
    assert_eq!(chain.read(child, "value() returns (uint256)", &[]), [number(7)]);
}

#[test]
fn slots_set_to_zero_are_removed() {
    let (mut chain, probe) = probe();
    let mined = send(&mut chain, probe, 0, encode("fill(uint256,uint256)", &[number(0), number(5)]));
    assert_eq!(mined.executed.delta.storage.len(), 5);
    let before = chain.state.storage.len();
    let mined = send(&mut chain, probe, 0, encode("clear(uint256,uint256)", &[number(1), number(3)]));
    assert!(mined.executed.delta.storage.values().all(|value| value.is_zero()));
    assert_eq!(chain.state.storage.len(), before - 3);
    // Written and put back within a block: no change.
    let mut wallet = chain.wallets[0].clone();
    let mined = chain.mine([
        wallet.call(probe, 0, encode("fill(uint256,uint256)", &[number(50), number(2)])),
        wallet.call(probe, 0, encode("clear(uint256,uint256)", &[number(50), number(2)])),
    ]);
    assert!(mined.executed.delta.storage.is_empty());
}

#[test]
fn blockhash_knows_256_ancestors() {
    let (mut chain, probe) = probe();
    for _ in 0..270 {
        chain.mine([]);
    }
    let head = chain.head().number();
    let hash = |number_: u64| {
        let read = chain.read(probe, "hashOf(uint256) returns (bytes32)", &[number(number_.into())]);
        let DynSolValue::FixedBytes(hash, 32) = read[0] else { panic!("a hash") };
        hash
    };
    assert_eq!(hash(head), B256::ZERO, "a block does not know itself");
    assert_eq!(hash(head - 1), chain.blocks[head as usize - 1].hash());
    assert_eq!(hash(head - 256), chain.blocks[head as usize - 256].hash());
    assert_eq!(hash(head - 257), B256::ZERO);
}

#[test]
fn contracts_see_their_block() {
    let (mut chain, probe) = probe();
    chain.mine([]);
    let header = chain.head().header().clone();
    let signature = "surroundings() returns (uint256,uint256,uint256,address,uint256,uint256,uint256)";
    let seen = chain.read(probe, signature, &[]);
    let randao = DynSolValue::Uint(U256::from_be_bytes(header.parent_hash.0), 256);
    let expected = [
        number(header.number.into()),
        number(header.timestamp.into()),
        randao,
        Address::ZERO.into(),
        number(header.gas_limit.into()),
        number(0),
        number(CHAIN_ID.into()),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn precompiles_answer() {
    let (chain, probe) = probe();
    let data = b"polder".to_vec();
    let signature = "precompiles(bytes) returns (bytes32,bytes20,bytes)";
    let answers = chain.read(probe, signature, &[DynSolValue::Bytes(data.clone())]);
    let sha = alloy_primitives::hex!("36c65c85e5f4ce74124e70f9e4f5f57133417c11cdfe2c824d827e692cac70b5");
    assert_eq!(answers[2], DynSolValue::Bytes(data));
    assert_eq!(answers[0], DynSolValue::FixedBytes(B256::new(sha), 32));
}

#[test]
fn running_out_of_gas_takes_the_gas_and_nothing_else() {
    let (mut chain, probe) = probe();
    let before = chain.state.clone();
    let wallet = chain.wallets[0].clone();
    let mut burn = wallet.plain(TxKind::Call(probe), 7, encode("increment()", &[]));
    burn.gas_limit = 30_000;
    let mined = chain.mine([wallet.sign(burn)]);
    assert!(!mined.executed.receipts[0].status());
    assert_eq!(gas_used(&mined, 0), 30_000);
    assert!(mined.executed.receipts[0].logs().is_empty());
    assert_eq!(mined.executed.delta.accounts.len(), 1, "only the sender's nonce");
    assert_eq!(chain.state.storage, before.storage);
    assert_eq!(chain.state.total(), before.total());
}

#[test]
fn an_inner_failure_undoes_only_itself() {
    let (mut chain, probe) = probe();
    let mined = send(&mut chain, probe, 0, encode("guarded()", &[]));
    assert!(mined.executed.receipts[0].status());
    assert_eq!(chain.read(probe, "counter() returns (uint256)", &[]), [number(1)]);
    assert_eq!(chain.state.code[&chain.state.accounts[&probe].code_hash], runtime("Probe"));
}
