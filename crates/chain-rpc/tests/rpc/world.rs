//! A node without consensus: chain, pool and server.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, address, hex, keccak256};
use chain_exec::{BuildLimits, Executor};
use chain_pool::{Pool, PoolConfig, PoolState, SpecId};
use chain_rpc::{ConsensusStatus, PeerStatus, Role, RpcConfig, StatusSource};
use chain_store::{Chain, StoreConfig};
use chain_types::Genesis;
use commonware_runtime::{Runner as _, tokio as runtime};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};
use serde_json::{Value, json};
use soketto::handshake::{Client, ServerResponse};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};

pub(crate) const CHAIN: u64 = 1337;

/// `SSTORE(calldata[0], calldata[1])` and `LOG2` with the same two words as topics.
pub(crate) const RECORDER: Address = address!("0x00000000000000000000000000000000000000aa");
const RECORDER_CODE: &[u8] = &hex!("6020356000355560203560003560006000a200");

/// `revert("nope")`.
pub(crate) const REVERTER: Address = address!("0x00000000000000000000000000000000000000cc");
const REVERTER_CODE: &[u8] = &hex!(
    "6308c379a060e01b600052602060045260046024527f6e6f70650000000000000000000000000000000000000000000000000000000060445260646000fd"
);

pub(crate) fn key(n: u8) -> SecretKey {
    SecretKey::from_byte_array([n; 32]).expect("small keys are valid")
}

pub(crate) fn account(n: u8) -> Address {
    let public = PublicKey::from_secret_key(SECP256K1, &key(n)).serialize_uncompressed();
    Address::from_slice(&keccak256(&public[1..])[12..])
}

fn genesis() -> Genesis {
    let mut alloc = serde_json::Map::new();
    for n in 1..=3 {
        alloc.insert(account(n).to_string(), json!({ "balance": "0xde0b6b3a7640000" }));
    }
    for (contract, code) in [(RECORDER, RECORDER_CODE), (REVERTER, REVERTER_CODE)] {
        alloc.insert(contract.to_string(), json!({ "balance": "0x0", "code": hex::encode_prefixed(code) }));
    }
    let text = json!({
        "config": {
            "chainId": CHAIN, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0,
            "byzantiumBlock": 0, "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0,
            "berlinBlock": 0, "londonBlock": 0, "terminalTotalDifficulty": "0x0",
            "terminalTotalDifficultyPassed": true, "shanghaiTime": 0, "cancunTime": 0, "pragueTime": 0,
            "polder": { "validators": [hex::encode([7; 32])] },
        },
        "nonce": "0x0", "timestamp": "0x0", "extraData": "0x", "gasLimit": "0x1c9c380", "difficulty": "0x0",
        "alloc": alloc,
    });
    Genesis::from_json(&text.to_string()).expect("the genesis is valid")
}

/// A transaction before it is signed.
pub(crate) fn unsigned(nonce: u64, to: TxKind, input: Bytes) -> TxEip1559 {
    TxEip1559 { chain_id: CHAIN, nonce, gas_limit: 200_000, to, input, ..TxEip1559::default() }
}

pub(crate) fn sign<T: SignableTransaction<Signature>>(from: u8, transaction: T) -> TxEnvelope
where
    TxEnvelope: From<alloy_consensus::Signed<T>>,
{
    let digest = Message::from_digest(transaction.signature_hash().0);
    let (recovery, bytes) = SECP256K1.sign_ecdsa_recoverable(digest, &key(from)).serialize_compact();
    let signature = Signature::from_bytes_and_parity(&bytes, i32::from(recovery) == 1);
    transaction.into_signed(signature).into()
}

/// Stores `value` under `slot` and logs both.
pub(crate) fn record(from: u8, nonce: u64, slot: u64, value: u64) -> TxEnvelope {
    let input = [U256::from(slot).to_be_bytes::<32>(), U256::from(value).to_be_bytes::<32>()].concat();
    sign(from, unsigned(nonce, TxKind::Call(RECORDER), input.into()))
}

pub(crate) fn raw(transaction: &TxEnvelope) -> Value {
    json!(hex::encode_prefixed(transaction.encoded_2718()))
}

struct HeadState(Chain);

impl PoolState for HeadState {
    fn account(&self, address: &Address) -> Result<Option<(u64, U256)>, String> {
        let account = self.0.account(address).map_err(|error| error.to_string())?;
        Ok(account.map(|account| (account.nonce, account.balance)))
    }

    fn base_fee(&self) -> u64 {
        0
    }

    fn block_gas_limit(&self) -> u64 {
        self.0.head().block.header().gas_limit
    }

    fn spec(&self) -> SpecId {
        self.0.executor().spec(self.0.head().block.header())
    }
}

struct Alone;

impl StatusSource for Alone {
    fn status(&self) -> ConsensusStatus {
        let peer = |connected| PeerStatus { public_key: "02".into(), address: None, connected };
        ConsensusStatus {
            public_key: "01".into(),
            role: Role::Validator,
            epoch: 0,
            view: 1,
            leader: None,
            validators: vec!["01".into(), "02".into(), "03".into()],
            peers: vec![peer(true), peer(false)],
            syncing_to: None,
            halted_reason: None,
        }
    }
}

/// A node and a client.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) chain: Chain,
    pub(crate) pool: Pool,
    pub(crate) address: SocketAddr,
    http: reqwest::Client,
    clock: Arc<AtomicU64>,
}

/// Code, message and data of an error.
pub(crate) type Refused = (i64, String, Value);

/// Runs a test against a node with this configuration.
pub(crate) fn with<F: Future<Output = ()>>(config: RpcConfig, test: impl FnOnce(World) -> F) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let settings = runtime::Config::new().with_storage_directory(directory.path()).with_worker_threads(2);
    runtime::Runner::new(settings).start(|context| async move {
        let genesis = genesis();
        let executor = Executor::new(&genesis).expect("the genesis can be executed");
        let chain = Chain::open(context, StoreConfig::default(), &genesis, executor.clone()).await.expect("it opens");
        let pool = Pool::open(PoolConfig::new(CHAIN), Arc::new(HeadState(chain.clone()))).expect("it opens");
        let router = chain_rpc::router(config, executor, chain.clone(), pool.clone(), Arc::new(Alone));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let clock = Arc::new(AtomicU64::new(1_700_000_000_000));
        let limit = Duration::from_secs(60);
        let done = test(World { chain, pool, address, http: reqwest::Client::new(), clock });
        tokio::time::timeout(limit, done).await.expect("a test ends within a minute");
        server.abort();
    });
}

/// Runs a test against a node as it is by default.
pub(crate) fn run<F: Future<Output = ()>>(test: impl FnOnce(World) -> F) {
    with(RpcConfig::default(), test);
}

impl World {
    pub(crate) async fn post(&self, body: Value) -> Value {
        let request = self.http.post(format!("http://{}/", self.address));
        let request = request.header("content-type", "application/json").body(body.to_string());
        let response = request.send().await.expect("the server answers");
        serde_json::from_str(&response.text().await.expect("a body")).expect("an answer in JSON")
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let mut request = self.http.get(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("the server answers");
        (response.status().as_u16(), response.text().await.expect("a body"))
    }

    pub(crate) async fn call(&self, method: &str, params: Value) -> Result<Value, Refused> {
        unpack(self.post(json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })).await)
    }

    pub(crate) async fn ok(&self, method: &str, params: Value) -> Value {
        self.call(method, params).await.unwrap_or_else(|error| panic!("{method}: {error:?}"))
    }

    pub(crate) async fn refused(&self, method: &str, params: Value) -> Refused {
        self.call(method, params).await.expect_err(method)
    }

    pub(crate) async fn send(&self, transaction: &TxEnvelope) -> B256 {
        let hash = self.ok("eth_sendRawTransaction", json!([raw(transaction)])).await;
        serde_json::from_value(hash).expect("a hash")
    }

    /// A block of what the pool offers becomes final.
    pub(crate) async fn seal(&self) -> u64 {
        let when = self.clock.fetch_add(1_000, Ordering::Relaxed);
        let limits = BuildLimits { gas: u64::MAX, bytes: 4 << 20, deadline: Duration::from_secs(60) };
        let parent = self.chain.head().block.hash();
        let proposed = self.chain.propose(&parent, when, self.pool.candidates(), limits).await.expect("it builds");
        let number = proposed.block.number();
        self.chain.finalize(proposed.block).await.expect("it is final");
        let head = self.chain.head();
        self.pool.finalized(head.block.transactions(), &head.senders, number);
        number
    }

    pub(crate) async fn socket(&self) -> Socket {
        let stream = TcpStream::connect(self.address).await.expect("the server listens");
        let host = self.address.to_string();
        let mut client = Client::new(stream.compat(), &host, "/");
        let response = client.handshake().await.expect("a handshake");
        assert!(matches!(response, ServerResponse::Accepted { .. }), "{response:?}");
        let (sender, receiver) = client.into_builder().finish();
        Socket { sender, receiver, notes: Vec::new() }
    }
}

fn unpack(answer: Value) -> Result<Value, Refused> {
    match answer.get("error") {
        None => Ok(answer["result"].clone()),
        Some(error) => {
            let message = error["message"].as_str().unwrap_or_default().to_owned();
            Err((error["code"].as_i64().unwrap_or_default(), message, error["data"].clone()))
        }
    }
}

/// A WebSocket connection.
pub(crate) struct Socket {
    sender: soketto::Sender<Compat<TcpStream>>,
    receiver: soketto::Receiver<Compat<TcpStream>>,
    /// Notifications that came while an answer was awaited.
    notes: Vec<Value>,
}

impl Socket {
    async fn read(&mut self) -> Value {
        let mut message = Vec::new();
        let received = self.receiver.receive_data(&mut message);
        tokio::time::timeout(Duration::from_secs(20), received).await.expect("a message in time").expect("a message");
        serde_json::from_slice(&message).expect("a message in JSON")
    }

    pub(crate) async fn call(&mut self, method: &str, params: Value) -> Result<Value, Refused> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        self.sender.send_text(request.to_string()).await.expect("it is sent");
        self.sender.flush().await.expect("it is sent");
        loop {
            let message = self.read().await;
            if message.get("id").is_some() {
                return unpack(message);
            }
            self.notes.push(message);
        }
    }

    /// The next notification's subscription and result.
    pub(crate) async fn next(&mut self) -> (Value, Value) {
        let note = match self.notes.is_empty() {
            true => self.read().await,
            false => self.notes.remove(0),
        };
        assert_eq!(note["method"], "eth_subscription");
        (note["params"]["subscription"].clone(), note["params"]["result"].clone())
    }
}
