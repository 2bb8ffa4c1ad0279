//! A small chain to test with: a genesis, accounts that sign, a contract that stores and logs, and a model of the
//! state at every block.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, address, hex, keccak256};
use chain_exec::{BuildLimits, Executor};
use chain_types::{Block, Genesis, Recovered};
use commonware_runtime::Spawner;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};

use crate::{Chain, StoreConfig, StoreError};

/// `SSTORE(calldata[0], calldata[1])` and `LOG2` with the same two words as topics.
pub(crate) const RECORDER: Address = address!("0x00000000000000000000000000000000000000aa");
/// The same code at another address.
pub(crate) const OTHER: Address = address!("0x00000000000000000000000000000000000000bb");
const CODE: [u8; 19] = hex!("6020356000355560203560003560006000a200");

pub(crate) const ACCOUNTS: u64 = 8;

pub(crate) fn key(n: u64) -> SecretKey {
    let mut bytes = [1; 32];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    SecretKey::from_byte_array(bytes).expect("a small number is a valid key")
}

pub(crate) fn address_of(key: &SecretKey) -> Address {
    let public = PublicKey::from_secret_key(SECP256K1, key).serialize_uncompressed();
    Address::from_slice(&keccak256(&public[1..])[12..])
}

pub(crate) fn genesis() -> Genesis {
    genesis_with(1337)
}

pub(crate) fn genesis_with(chain_id: u64) -> Genesis {
    let mut alloc = serde_json::Map::new();
    for n in 0..ACCOUNTS {
        alloc.insert(address_of(&key(n)).to_string(), serde_json::json!({ "balance": "0xde0b6b3a7640000" }));
    }
    for contract in [RECORDER, OTHER] {
        let storage = serde_json::json!({ format!("{}", B256::ZERO): format!("{}", B256::with_last_byte(7)) });
        let code = hex::encode_prefixed(CODE);
        alloc.insert(contract.to_string(), serde_json::json!({ "balance": "0x0", "code": code, "storage": storage }));
    }
    let genesis = serde_json::json!({
        "config": {
            "chainId": chain_id, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0,
            "byzantiumBlock": 0, "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0,
            "berlinBlock": 0, "londonBlock": 0, "terminalTotalDifficulty": "0x0",
            "terminalTotalDifficultyPassed": true, "shanghaiTime": 0, "cancunTime": 0, "pragueTime": 0,
            "polder": { "validators": [hex::encode([7; 32])] },
        },
        "nonce": "0x0", "timestamp": "0x0", "extraData": "0x", "gasLimit": "0x3b9aca00", "difficulty": "0x0",
        "alloc": alloc,
    });
    Genesis::from_json(&genesis.to_string()).expect("the test's genesis is valid")
}

pub(crate) async fn open<E>(context: E, config: StoreConfig) -> Result<Chain, StoreError>
where
    E: commonware_storage::Context + Spawner,
{
    let genesis = genesis();
    let executor = Executor::new(&genesis).expect("the test's genesis can be executed");
    Chain::open(context, config, &genesis, executor).await
}

pub(crate) fn limits() -> BuildLimits {
    BuildLimits { gas: 1_000_000_000, bytes: 4 << 20, deadline: Duration::from_secs(3600) }
}

/// A signed call.
pub(crate) fn call(from: u64, nonce: u64, to: Address, value: u64, input: Bytes) -> Arc<Recovered> {
    let key = key(from);
    let transaction = TxEip1559 {
        chain_id: 1337,
        nonce,
        gas_limit: 200_000,
        max_fee_per_gas: 0,
        max_priority_fee_per_gas: 0,
        to: TxKind::Call(to),
        value: U256::from(value),
        access_list: Default::default(),
        input,
    };
    let digest = Message::from_digest(transaction.signature_hash().0);
    let (recovery, bytes) = SECP256K1.sign_ecdsa_recoverable(digest, &key).serialize_compact();
    let signature = Signature::from_bytes_and_parity(&bytes, i32::from(recovery) == 1);
    let transaction: TxEnvelope = transaction.into_signed(signature).into();
    Arc::new(Recovered { sender: address_of(&key), transaction })
}

/// A call of a recorder that stores `value` under `slot`.
pub(crate) fn record(from: u64, nonce: u64, contract: Address, slot: u64, value: u64) -> Arc<Recovered> {
    let input = [U256::from(slot).to_be_bytes::<32>(), U256::from(value).to_be_bytes::<32>()].concat();
    call(from, nonce, contract, 0, input.into())
}

/// What the state must be after a block: slots of the recorders, nonces and balances of the accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) slots: BTreeMap<(Address, u64), u64>,
    pub(crate) nonces: BTreeMap<u64, u64>,
    pub(crate) balances: BTreeMap<Address, u64>,
}

impl Model {
    pub(crate) fn genesis() -> Self {
        Self {
            slots: BTreeMap::from([((RECORDER, 0), 7), ((OTHER, 0), 7)]),
            nonces: (0..ACCOUNTS).map(|n| (n, 0)).collect(),
            balances: (0..ACCOUNTS).map(|n| (address_of(&key(n)), 1_000_000_000_000_000_000)).collect(),
        }
    }

    /// Some transactions that are valid now, applied to the model.
    pub(crate) fn step(&mut self, rng: &mut StdRng, most: usize) -> Vec<Arc<Recovered>> {
        let count = rng.random_range(0..=most);
        (0..count).map(|_| self.transaction(rng)).collect()
    }

    fn transaction(&mut self, rng: &mut StdRng) -> Arc<Recovered> {
        let from = rng.random_range(0..ACCOUNTS);
        let nonce = self.nonces.get_mut(&from).expect("every account has a nonce");
        let used = *nonce;
        *nonce += 1;
        if rng.random_bool(0.3) {
            // Transfers also make new accounts.
            let to = Address::left_padding_from(&rng.random_range(0x1000..0x1040u64).to_be_bytes());
            let value = rng.random_range(0..100);
            if value > 0 {
                *self.balances.entry(to).or_default() += value;
                *self.balances.get_mut(&address_of(&key(from))).expect("an account of the genesis") -= value;
            }
            return call(from, used, to, value, Bytes::new());
        }
        let contract = if rng.random_bool(0.8) { RECORDER } else { OTHER };
        let slot = rng.random_range(0..24);
        // Zero removes a slot.
        let value = if rng.random_bool(0.3) { 0 } else { rng.random_range(1..6) };
        if value == 0 {
            self.slots.remove(&(contract, slot));
        } else {
            self.slots.insert((contract, slot), value);
        }
        record(from, used, contract, slot, value)
    }

    /// Compares with the state of a chain after a block.
    pub(crate) fn assert_state(&self, state: &dyn chain_exec::StateReader, at: u64) {
        for contract in [RECORDER, OTHER] {
            for slot in 0..24 {
                let wanted = self.slots.get(&(contract, slot)).copied().unwrap_or_default();
                let found = state.storage(&contract, &U256::from(slot)).expect("the state can be read");
                assert_eq!(found, U256::from(wanted), "slot {slot} of {contract} after block {at}");
            }
            let account = state.account(&contract).expect("the state can be read").expect("the contract is there");
            assert_eq!(state.code(&account.code_hash).expect("the state can be read").as_ref(), CODE.as_slice());
        }
        for (n, nonce) in &self.nonces {
            let account = state.account(&address_of(&key(*n))).expect("the state can be read").expect("it is there");
            assert_eq!(account.nonce, *nonce, "nonce of {n} after block {at}");
        }
        for (address, balance) in &self.balances {
            let account = state.account(address).expect("the state can be read");
            let found = account.map_or(U256::ZERO, |account| account.balance);
            assert_eq!(found, U256::from(*balance), "balance of {address} after block {at}");
        }
        for stranger in 0x1000..0x1040u64 {
            let address = Address::left_padding_from(&stranger.to_be_bytes());
            let there = state.account(&address).expect("the state can be read").is_some();
            assert_eq!(there, self.balances.contains_key(&address), "{address} after block {at}");
        }
    }
}

/// A finalised chain of blocks with the state after each, as consensus would deliver it.
pub(crate) struct History {
    pub(crate) blocks: Vec<Block>,
    pub(crate) models: Vec<Model>,
    pub(crate) rng: StdRng,
}

impl History {
    pub(crate) fn new(seed: u64) -> Self {
        Self { blocks: Vec::new(), models: vec![Model::genesis()], rng: StdRng::seed_from_u64(seed) }
    }

    pub(crate) fn model(&self) -> &Model {
        self.models.last().expect("there is a genesis")
    }

    /// Proposes the next block on `chain`, whose candidates must have the last block of this history.
    pub(crate) async fn propose(&mut self, chain: &Chain, most: usize) -> Block {
        let parent = self.blocks.last().map_or(chain.genesis_hash(), Block::hash);
        let mut model = self.model().clone();
        let transactions = model.step(&mut self.rng, most);
        let count = transactions.len();
        let when = 1_000 * (self.blocks.len() as u64 + 1);
        let proposed = chain.propose(&parent, when, Box::new(transactions.into_iter()), limits()).await;
        let proposed = proposed.expect("a block can be proposed");
        assert_eq!(proposed.skipped, Vec::new());
        assert_eq!(proposed.block.transactions().len(), count);
        self.blocks.push(proposed.block.clone());
        self.models.push(model);
        proposed.block
    }

    /// Like [`Self::propose`], `None` once the store has stopped.
    pub(crate) async fn propose_if_possible(&mut self, chain: &Chain, most: usize) -> Option<Block> {
        let parent = self.blocks.last().map_or(chain.genesis_hash(), Block::hash);
        let mut model = self.model().clone();
        let transactions = model.step(&mut self.rng, most);
        let when = 1_000 * (self.blocks.len() as u64 + 1);
        match chain.propose(&parent, when, Box::new(transactions.into_iter()), limits()).await {
            Ok(proposed) => {
                self.blocks.push(proposed.block.clone());
                self.models.push(model);
                Some(proposed.block)
            }
            Err(error) => {
                assert!(error.is_fatal(), "{error}");
                None
            }
        }
    }

    /// Compares everything that a chain says with this history, up to the chain's head.
    pub(crate) fn assert_chain(&self, chain: &Chain) {
        let head = chain.head().block.number();
        for number in 0..=head {
            self.models[number as usize].assert_state(&*chain.state_at(number).expect("below the head"), number);
        }
        for block in &self.blocks[..head as usize] {
            let sealed = chain.sealed_by_number(block.number()).expect("readable").expect("below the head");
            assert_eq!(sealed.block, *block);
            assert_eq!(chain.sealed_by_hash(&block.hash()).expect("readable"), Some(sealed.clone()));
            assert_eq!(chain.hash_by_number(block.number()).expect("readable"), Some(block.hash()));
            let state = chain.state_at(head).expect("the head");
            assert_eq!(state.block_hash(block.number()).expect("readable"), block.hash());
            for (index, transaction) in block.transactions().iter().enumerate() {
                let found = chain.transaction(transaction.tx_hash()).expect("readable").expect("it was included");
                assert_eq!((found.0.block.hash(), found.1), (block.hash(), index));
                assert_eq!(
                    found.0.senders[index],
                    alloy_consensus::transaction::SignerRecoverable::recover_signer(transaction).expect("signed")
                );
            }
            let root = alloy_consensus::proofs::calculate_receipt_root(&sealed.receipts);
            assert_eq!(root, block.header().receipts_root);
        }
    }
}
