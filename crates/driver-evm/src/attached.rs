//! Networks that others run: any address that answers Ethereum's JSON-RPC.
//!
//! What is behind an address can change. Before anything is told or taken, the ledger makes sure that the chain is the one
//! that was attached, by its id and its first block: for each transaction anew, for reads every few seconds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::{Address as Account, B256, U64};
use driver::{
    Artifact, AttachedSpec, Attacher, BlockId, Call, Connector, Error, Event, Found, Interfaces, Ledger, LedgerNetwork,
    NetworkSpec, NodeHealth, NodeSpec, Outcome, Position, Query, Remote, Result, Signed, Signer, TransactionSlice,
};
use evm_ledger::{Endpoint, EvmLedger, Fees, Finality, NodeClient, Request, Settings, parsed};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::{Value, json};
use types::{Address, Block, BlockSummary, Code, Engine, Transaction, TransactionDraft, TransactionTerms};

use crate::health::{EngineHealth, RAFT_LEADER};
use crate::made_at;

const CHAIN: &str = "eth_chainId";
const BLOCK: &str = "eth_getBlockByNumber";
const CLIENT: &str = "web3_clientVersion";
/// Methods by which a consensus is known, and its name.
const CONSENSUS: [(&str, &str); 4] = [
    ("clique_getSigners", "clique"),
    (RAFT_LEADER, "raft"),
    ("istanbul_getValidators", "istanbul"),
    ("qbft_getValidatorsByBlockNumber", "qbft"),
];
/// Where nobody tells.
const UNTOLD: &str = "unknown";
/// How long reads trust that the chain is the same.
const TRUST: Duration = Duration::from_secs(3);

/// Attaches networks that speak Ethereum's JSON-RPC.
pub struct EthereumAttacher;

impl Attacher for EthereumAttacher {
    fn describe(&self) -> Engine {
        Engine {
            name: "ethereum".into(),
            title: "Ethereum (attached)".into(),
            description:
                "A network that others run, used through the address of one of its nodes or of a provider. Its \
                          blocks, accounts and contracts are here; its nodes are not."
                    .into(),
            version: None,
            versions: Vec::new(),
            maintenance: None,
            consensus: Vec::new(),
            roles: Vec::new(),
            capabilities: ["evm", "chain-id", "contracts", "events", "accounts", "blocks", "transactions", "attach"]
                .map(String::from)
                .to_vec(),
            options: json!({"type": "object", "additionalProperties": false, "properties": {}}),
        }
    }

    fn look<'a>(&'a self, connector: Connector, remote: &'a Remote) -> BoxFuture<'a, Result<Found>> {
        Box::pin(async move {
            let node = NodeSpec {
                id: "attached".into(),
                name: String::new(),
                member: String::new(),
                role: String::new(),
                contract: None,
            };
            let network = LedgerNetwork::new(nowhere(vec![node]), connector);
            let ledger = open(&network, remote, Finality::Immediate);
            look(ledger.node("attached")).await
        })
    }

    fn ledger(&self, network: LedgerNetwork, remote: &Remote) -> Result<Arc<dyn Ledger>> {
        let missing = || Error::Protocol("the network is not attached".into());
        let AttachedSpec { first_block, confirmations, .. } = network.spec.attached.as_ref().ok_or_else(missing)?;
        let first_block = first_block.parse().map_err(|_| Error::Protocol("a first block without a hash".into()))?;
        let finality = confirmations.map_or(Finality::Announced, Finality::Depth);
        let inner = open(&network, remote, finality);
        let chain_id = network.spec.chain_id.unwrap_or_default();
        let node = network.spec.node_ids().next().cloned().ok_or_else(missing)?;
        Ok(Arc::new(Attached { inner, node, chain_id, first_block, sure: Mutex::default() }))
    }
}

fn open(network: &LedgerNetwork, remote: &Remote, finality: Finality) -> EvmLedger {
    let endpoint = Endpoint { host: remote.host.clone(), path: remote.path.clone() };
    let health = Arc::new(EngineHealth::attached());
    let settings = Settings { finality, fees: Fees::Market, time: made_at, endpoint, ..Settings::new(health) };
    EvmLedger::new(network, settings)
}

fn nowhere(nodes: Vec<NodeSpec>) -> NetworkSpec {
    NetworkSpec {
        engines: Default::default(),
        id: String::new(),
        name: String::new(),
        consensus: UNTOLD.into(),
        version: None,
        chain_id: None,
        created_at: 0,
        genesis: None,
        options: Value::Null,
        nodes,
        accounts: Vec::new(),
        channels: Vec::new(),
        contracts: Vec::new(),
        spent_names: Vec::new(),
        attached: None,
    }
}

fn identity() -> [Request; 2] {
    [(CHAIN, json!([])), (BLOCK, json!(["0x0", false]))]
}

/// Chain id and first block.
async fn identify(node: &NodeClient<'_>) -> Result<(u64, B256)> {
    #[derive(serde::Deserialize)]
    struct First {
        hash: B256,
    }
    let mut answers = node.ask_all(&identity()).await?.into_iter();
    let mut next = || answers.next().ok_or_else(|| Error::Protocol("a request without an answer".into()));
    let chain_id = parsed::<U64>(CHAIN, next()?)?.to();
    Ok((chain_id, parsed::<First>(BLOCK, next()?)?.hash))
}

async fn look(node: NodeClient<'_>) -> Result<Found> {
    let other = |reason: String| {
        let detail = format!("What answers at the address is no Ethereum JSON-RPC: {reason}.");
        Error::problem(Code::AddressInvalid, detail)
    };
    let (chain_id, first_block) = match identify(&node).await {
        Err(Error::Protocol(reason)) => return Err(other(reason)),
        found => found?,
    };
    let latest = |method: &str| if method.starts_with("qbft_") { json!(["latest"]) } else { json!([]) };
    let mut asked: Vec<Request> = vec![(CLIENT, json!([]))];
    asked.extend(CONSENSUS.iter().map(|(method, _)| (*method, latest(method))));
    let mut answers = node.ask_all(&asked).await?.into_iter();
    let client = answers.next().and_then(|answer| parsed::<String>(CLIENT, answer).ok());
    let known = CONSENSUS.iter().zip(answers).find_map(|((_, name), answer)| Some((*name, answer.ok()?)));
    let (consensus, members) = known.map_or((UNTOLD, Value::Null), |(name, members)| (name, members));
    // Clique's blocks are final when more than half of the signers have built on them.
    let signers = serde_json::from_value::<Vec<Account>>(members).unwrap_or_default().len() as u64;
    let confirmations = (consensus == "clique" && signers > 0).then_some(signers / 2 + 1);
    Ok(Found { chain_id, first_block: first_block.to_string(), client, consensus: consensus.into(), confirmations })
}

/// The ledger of an attached network: that of any chain, once it is sure that it is this one.
struct Attached {
    inner: EvmLedger,
    node: String,
    chain_id: u64,
    first_block: B256,
    /// When it was last found to be so.
    sure: Mutex<Option<Instant>>,
}

impl Attached {
    /// Fails unless the chain was found to be the same not long ago.
    async fn trust(&self) -> Result<()> {
        let sure = *self.sure.lock();
        match sure.is_some_and(|at| at.elapsed() < TRUST) {
            true => Ok(()),
            false => self.make_sure().await,
        }
    }

    /// Fails unless the chain is the same now.
    async fn make_sure(&self) -> Result<()> {
        *self.sure.lock() = None;
        let (chain_id, first_block) = identify(&self.inner.node(&self.node)).await?;
        if (chain_id, first_block) != (self.chain_id, self.first_block) {
            let what = match chain_id == self.chain_id {
                true => format!("a chain of the same id, {chain_id}, that began with another block, {first_block}"),
                false => format!("a chain with id {chain_id}, not {}", self.chain_id),
            };
            let detail = format!(
                "The address now answers as {what}. Nothing is sent to it. If the network has moved, detach this one and \
                 attach it anew."
            );
            return Err(Error::problem(Code::NetworkIdentity, detail));
        }
        *self.sure.lock() = Some(Instant::now());
        Ok(())
    }
}

/// A read, once the chain is trusted.
macro_rules! trusted {
    ($self:ident, $call:ident($($argument:expr),*)) => {
        Box::pin(async move {
            $self.trust().await?;
            $self.inner.$call($($argument),*).await
        })
    };
}

impl Ledger for Attached {
    fn terms<'a>(&'a self, draft: &'a TransactionDraft) -> BoxFuture<'a, Result<TransactionTerms>> {
        trusted!(self, terms(draft))
    }

    fn nonce<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<Option<u64>>> {
        trusted!(self, nonce(address))
    }

    fn sign<'a>(&'a self, call: &'a Call, signer: &'a dyn Signer) -> BoxFuture<'a, Result<Signed>> {
        Box::pin(async move {
            self.make_sure().await?;
            self.inner.sign(call, signer).await
        })
    }

    fn read(&self, raw: &[u8]) -> Result<Signed> {
        self.inner.read(raw)
    }

    fn send<'a>(&'a self, signed: &'a Signed) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.make_sure().await?;
            self.inner.send(signed).await
        })
    }

    fn outcome<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Outcome>> {
        trusted!(self, outcome(id))
    }

    fn wait<'a>(&'a self, id: &'a str, limit: Duration) -> BoxFuture<'a, Result<Outcome>> {
        trusted!(self, wait(id, limit))
    }

    fn query<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Value>> {
        trusted!(self, query(query))
    }

    fn block<'a>(&'a self, id: &'a BlockId, interfaces: Interfaces<'a>) -> BoxFuture<'a, Result<Option<Block>>> {
        trusted!(self, block(id, interfaces))
    }

    fn blocks(&self, before: Option<u64>, limit: u32) -> BoxFuture<'_, Result<Vec<BlockSummary>>> {
        trusted!(self, blocks(before, limit))
    }

    fn transactions<'a>(
        &'a self,
        before: Option<Position>,
        limit: u32,
        interfaces: Interfaces<'a>,
    ) -> BoxFuture<'a, Result<TransactionSlice>> {
        trusted!(self, transactions(before, limit, interfaces))
    }

    fn transaction<'a>(
        &'a self,
        id: &'a str,
        interfaces: Interfaces<'a>,
    ) -> BoxFuture<'a, Result<Option<Transaction>>> {
        trusted!(self, transaction(id, interfaces))
    }

    fn address<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<Address>> {
        trusted!(self, address(address))
    }

    fn events(&self, from: Position, limit: u32) -> BoxFuture<'_, Result<(Vec<Event>, Position)>> {
        trusted!(self, events(from, limit))
    }

    fn health<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<NodeHealth>> {
        Box::pin(async move {
            self.make_sure().await?;
            self.inner.health(node).await
        })
    }

    fn artifact(&self, artifact: &Value) -> Result<Artifact> {
        self.inner.artifact(artifact)
    }

    fn canonical_address(&self, address: &str) -> Result<String> {
        self.inner.canonical_address(address)
    }
}
