//! A chain in memory, wallets, and the compiled contracts of `tests/data`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_dyn_abi::{DynSolValue, FunctionExt, JsonAbiExt};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_json_abi::Function;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use alloy_rpc_types_eth::TransactionRequest;
use chain_exec::{
    Account, BuildLimits, CallContext, CallLimits, Executed, Executor, SkipReason, StateDelta, StateError, StateReader,
};
use chain_types::{Block, Genesis, Recovered};

pub const CHAIN_ID: u64 = 4242;
pub const ETHER: u128 = 1_000_000_000_000_000_000;

/// A state in memory.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Memory {
    pub accounts: BTreeMap<Address, Account>,
    pub storage: BTreeMap<(Address, U256), U256>,
    pub code: BTreeMap<B256, Bytes>,
    pub hashes: Vec<B256>,
}

impl Memory {
    pub fn apply(&mut self, delta: &StateDelta) {
        for (address, account) in &delta.accounts {
            match account {
                Some(account) => self.accounts.insert(*address, *account),
                None => self.accounts.remove(address),
            };
        }
        for (slot, value) in &delta.storage {
            match value.is_zero() {
                true => self.storage.remove(slot),
                false => self.storage.insert(*slot, *value),
            };
        }
        self.code.extend(delta.code.clone());
    }

    /// Any commitment will do here.
    pub fn root(&self) -> B256 {
        keccak256(format!("{:?}{:?}", self.accounts, self.storage))
    }

    pub fn total(&self) -> U256 {
        self.accounts.values().fold(U256::ZERO, |sum, account| sum + account.balance)
    }
}

impl StateReader for Memory {
    fn account(&self, address: &Address) -> Result<Option<Account>, StateError> {
        Ok(self.accounts.get(address).copied())
    }

    fn storage(&self, address: &Address, slot: &U256) -> Result<U256, StateError> {
        Ok(self.storage.get(&(*address, *slot)).copied().unwrap_or_default())
    }

    fn code(&self, code_hash: &B256) -> Result<Bytes, StateError> {
        self.code.get(code_hash).cloned().ok_or_else(|| StateError(format!("no code {code_hash}")))
    }

    fn block_hash(&self, number: u64) -> Result<B256, StateError> {
        Ok(self.hashes.get(number as usize).copied().unwrap_or_default())
    }
}

/// A key and its next nonce.
#[derive(Clone)]
pub struct Wallet {
    key: secp256k1::SecretKey,
    pub address: Address,
    pub nonce: u64,
}

impl Wallet {
    pub fn new(seed: u8) -> Self {
        let key = secp256k1::SecretKey::from_byte_array([seed; 32]).expect("a small number is a key");
        let public = key.public_key(secp256k1::SECP256K1).serialize_uncompressed();
        Self { key, address: Address::from_slice(&keccak256(&public[1..])[12..]), nonce: 0 }
    }

    fn sign_hash(&self, hash: B256) -> Signature {
        let message = secp256k1::Message::from_digest(hash.0);
        let (id, bytes) = secp256k1::SECP256K1.sign_ecdsa_recoverable(message, &self.key).serialize_compact();
        let (r, s) = (U256::from_be_slice(&bytes[..32]), U256::from_be_slice(&bytes[32..]));
        Signature::new(r, s, i32::from(id) == 1)
    }

    pub fn sign(&self, transaction: impl SignableTransaction<Signature> + Into<TxEnvelopeSource>) -> Recovered {
        let signature = self.sign_hash(transaction.signature_hash());
        let transaction = transaction.into().signed(signature);
        Recovered { sender: self.address, transaction }
    }

    pub fn authorize(&self, code: Address, nonce: u64) -> SignedAuthorization {
        let authorization = Authorization { chain_id: U256::from(CHAIN_ID), address: code, nonce };
        let signature = self.sign_hash(authorization.signature_hash());
        authorization.into_signed(signature)
    }

    /// A call with the next nonce, free of charge.
    pub fn call(&mut self, to: Address, value: u128, input: Bytes) -> Recovered {
        self.transact(TxKind::Call(to), value, input)
    }

    pub fn create(&mut self, input: Bytes) -> Recovered {
        self.transact(TxKind::Create, 0, input)
    }

    fn transact(&mut self, to: TxKind, value: u128, input: Bytes) -> Recovered {
        let transaction = self.plain(to, value, input);
        self.nonce += 1;
        self.sign(transaction)
    }

    /// A transaction of a million gas to change and sign.
    pub fn plain(&self, to: TxKind, value: u128, input: Bytes) -> TxEip1559 {
        TxEip1559 {
            chain_id: CHAIN_ID,
            nonce: self.nonce,
            gas_limit: 2_000_000,
            to,
            value: U256::from(value),
            input,
            ..TxEip1559::default()
        }
    }
}

/// Unsigned transactions of every type that the chain takes, and one that it does not.
pub enum TxEnvelopeSource {
    Legacy(alloy_consensus::TxLegacy),
    Eip2930(alloy_consensus::TxEip2930),
    Eip1559(TxEip1559),
    Eip4844(alloy_consensus::TxEip4844),
    Eip7702(alloy_consensus::TxEip7702),
}

macro_rules! source {
    ($($variant:ident: $type:ty),*) => {$(
        impl From<$type> for TxEnvelopeSource {
            fn from(transaction: $type) -> Self {
                Self::$variant(transaction)
            }
        }
    )*};
}
source!(
    Legacy: alloy_consensus::TxLegacy, Eip2930: alloy_consensus::TxEip2930, Eip1559: TxEip1559,
    Eip4844: alloy_consensus::TxEip4844, Eip7702: alloy_consensus::TxEip7702
);

impl TxEnvelopeSource {
    fn signed(self, signature: Signature) -> TxEnvelope {
        match self {
            Self::Legacy(tx) => tx.into_signed(signature).into(),
            Self::Eip2930(tx) => tx.into_signed(signature).into(),
            Self::Eip1559(tx) => tx.into_signed(signature).into(),
            Self::Eip4844(tx) => tx.into_signed(signature).convert::<alloy_consensus::TxEip4844Variant>().into(),
            Self::Eip7702(tx) => tx.into_signed(signature).into(),
        }
    }
}

/// A chain of blocks that are built, executed again as if received, and kept.
#[derive(Clone)]
pub struct Chain {
    pub executor: Executor,
    pub state: Memory,
    pub blocks: Vec<Block>,
    pub states: Vec<Memory>,
    pub wallets: Vec<Wallet>,
}

/// What [`Chain::mine`] made.
pub struct Mined {
    pub block: Block,
    pub executed: Executed,
    pub skipped: Vec<(B256, SkipReason)>,
}

pub fn genesis_json(min_gas_price: u64) -> String {
    let wallets: Vec<_> = (1..=4)
        .map(|seed| format!(r#""{}": {{"balance": "{:#x}"}}"#, Wallet::new(seed).address, 1000 * ETHER))
        .collect();
    format!(
        r#"{{"config": {{"chainId": {CHAIN_ID}, "shanghaiTime": 0, "cancunTime": 0, "pragueTime": 0,
            "polder": {{"validators": ["{}"], "minGasPrice": {min_gas_price}}}}},
            "gasLimit": "0x1c9c380", "difficulty": "0x0", "timestamp": "0x0", "extraData": "0x",
            "alloc": {{{}}}}}"#,
        "01".repeat(32),
        wallets.join(",")
    )
}

impl Chain {
    pub fn new() -> Self {
        Self::with_genesis(&genesis_json(0))
    }

    pub fn with_genesis(json: &str) -> Self {
        let executor = Executor::new(&Genesis::from_json(json).expect("the genesis is valid")).expect("usable");
        let mut state = Memory::default();
        state.apply(&executor.genesis_delta());
        let block = executor.genesis_block(state.root());
        state.hashes.push(block.hash());
        let wallets = (1..=4).map(Wallet::new).collect();
        Self { executor, states: vec![state.clone()], state, blocks: vec![block], wallets }
    }

    pub fn head(&self) -> &Block {
        self.blocks.last().expect("there is a genesis")
    }

    pub fn when(&self) -> u64 {
        1_700_000_000_000 + self.blocks.len() as u64 * 1050
    }

    /// Builds a block from the candidates and adds it.
    pub fn mine(&mut self, candidates: impl IntoIterator<Item = Recovered>) -> Mined {
        self.mine_within(candidates, limits())
    }

    pub fn mine_within(&mut self, candidates: impl IntoIterator<Item = Recovered>, limits: BuildLimits) -> Mined {
        let mut candidates = candidates.into_iter().map(Arc::new);
        let parent = self.head().header().clone();
        let built = self
            .executor
            .build(&parent, self.when(), &self.state, &mut candidates, limits)
            .expect("building does not fail");
        let (senders, skipped) = (built.senders.clone(), built.skipped.clone());
        let mut next = self.state.clone();
        next.apply(&built.executed.delta);
        let (block, executed) = Executor::seal(built, next.root());

        let received = Block::from_rlp(&block.to_rlp()).expect("a block's RLP is read");
        let again = self.executor.execute(&parent, &received, &senders, &self.state).expect("the block is valid");
        assert_eq!(again.delta, executed.delta);
        assert_eq!(again.receipts, executed.receipts);
        assert_eq!(again.requests_hash, executed.requests_hash);

        next.hashes.push(block.hash());
        self.state = next;
        self.states.push(self.state.clone());
        self.blocks.push(block.clone());
        Mined { block, executed, skipped }
    }

    /// Mines a creation and gives the contract's address.
    pub fn deploy(&mut self, creation: Bytes) -> Address {
        let mut wallet = self.wallets[0].clone();
        let address = wallet.address.create(wallet.nonce);
        let mined = self.mine([wallet.create(creation)]);
        self.wallets[0] = wallet;
        assert!(mined.executed.receipts[0].status(), "the creation succeeds");
        address
    }

    pub fn context(&self) -> CallContext<'_> {
        CallContext {
            header: self.head().header(),
            state: &self.state,
            state_overrides: None,
            block_overrides: None,
            limits: CallLimits { gas: 30_000_000, time: Duration::from_secs(5) },
        }
    }

    /// Calls a function and decodes what it returns by its signature.
    pub fn read(&self, to: Address, function: &str, arguments: &[DynSolValue]) -> Vec<DynSolValue> {
        let outcome = self
            .executor
            .call(&self.context(), request(to, encode(function, arguments)))
            .unwrap_or_else(|error| panic!("{function}: {error}"));
        decode(function, &outcome.output)
    }

    pub fn balance(&self, address: Address) -> U256 {
        self.state.accounts.get(&address).map_or(U256::ZERO, |account| account.balance)
    }
}

pub fn limits() -> BuildLimits {
    BuildLimits { gas: u64::MAX, bytes: chain_types::MAX_BLOCK_BYTES, deadline: Duration::from_secs(1) }
}

pub fn request(to: Address, input: Bytes) -> TransactionRequest {
    TransactionRequest::default().from(Wallet::new(1).address).to(to).input(input.into())
}

fn function(text: &str) -> Function {
    Function::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Selector and arguments, by a signature such as `f(uint256)`.
pub fn encode(signature: &str, arguments: &[DynSolValue]) -> Bytes {
    function(signature).abi_encode_input(arguments).unwrap_or_else(|error| panic!("{signature}: {error}")).into()
}

/// Return values, by a signature such as `f() returns (uint256)`.
pub fn decode(signature: &str, data: &[u8]) -> Vec<DynSolValue> {
    function(signature).abi_decode_output(data).unwrap_or_else(|error| panic!("{signature}: {error}"))
}

pub fn number(value: u128) -> DynSolValue {
    DynSolValue::Uint(U256::from(value), 256)
}

pub fn word(value: u8) -> DynSolValue {
    DynSolValue::FixedBytes(B256::with_last_byte(value), 32)
}

/// Creation code of a contract of `tests/data/Contracts.sol`.
pub fn creation(name: &str) -> Bytes {
    artifact(name, "creation")
}

/// Code of a contract of `tests/data/Contracts.sol` once it is created.
pub fn runtime(name: &str) -> Bytes {
    artifact(name, "runtime")
}

fn artifact(name: &str, kind: &str) -> Bytes {
    let artifacts: serde_json::Value =
        serde_json::from_str(include_str!("../data/contracts.json")).expect("the artifacts are JSON");
    artifacts[name][kind].as_str().and_then(|code| code.parse().ok()).expect("the artifact has code")
}

/// Creation code of the token with a supply for its creator.
pub fn token(supply: u128) -> Bytes {
    [creation("Token"), number(supply).abi_encode().into()].concat().into()
}

pub fn transfer(to: Address, value: u128) -> Bytes {
    encode("transfer(address,uint256)", &[to.into(), number(value)])
}

/// The receipt's gas alone.
pub fn gas_used(mined: &Mined, index: usize) -> u64 {
    let before = index.checked_sub(1).map_or(0, |before| mined.executed.receipts[before].cumulative_gas_used());
    mined.executed.receipts[index].cumulative_gas_used() - before
}
