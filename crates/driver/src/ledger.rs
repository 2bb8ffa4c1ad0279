//! Speaking to a ledger.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use types::{
    Address, Block, BlockSummary, ChaincodeReadiness, Log, Transaction, TransactionDraft, TransactionSummary,
    TransactionTerms,
};
use workload::{Outputs, Placements, StepSpec};

use crate::{
    Ballot, Call, ContractSpec, Error, Identities, NetworkSpec, NoIdentities, Outcome, Query, Result, Signed, Signer,
    ValidatorSet,
};

/// A byte stream to a node.
pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// Connects to a named port of a node, given the node's id and the port's name.
pub type Connector =
    Arc<dyn Fn(String, String) -> BoxFuture<'static, std::io::Result<Box<dyn Connection>>> + Send + Sync>;

/// A network, or one of its channels, whose ledger is to be opened.
#[derive(Clone)]
pub struct LedgerNetwork {
    /// The network. Its nodes are tried in order, the next when one does not answer.
    pub spec: NetworkSpec,
    /// The channel, where the engine has them; with none, what concerns the whole network.
    pub channel: Option<String>,
    /// Where its nodes are.
    pub placements: Placements,
    /// What its identities, jobs and steps produced.
    pub outputs: Outputs,
    /// How nodes are reached.
    pub connector: Connector,
    /// Who signs for the members.
    pub identities: Arc<dyn Identities>,
}

impl LedgerNetwork {
    /// A network without channels, placements and identities.
    pub fn new(spec: NetworkSpec, connector: Connector) -> Self {
        Self {
            spec,
            channel: None,
            placements: Placements::new(),
            outputs: Outputs::new(),
            connector,
            identities: Arc::new(NoIdentities),
        }
    }
}

/// Which block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockId {
    /// By height.
    Number(u64),
    /// By hash.
    Hash(String),
    /// The newest final one.
    Latest,
}

impl std::str::FromStr for BlockId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        let digits = text.strip_prefix("0x").unwrap_or(text);
        if digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Self::Hash(text.to_ascii_lowercase()));
        }
        text.parse().map(Self::Number).map_err(|_| {
            Error::problem(
                types::Code::RequestInvalid,
                format!("`{text}` is no block: give a height, a hash (64 hexadecimal digits, with 0x where the engine writes it) or `latest`."),
            )
        })
    }
}

/// A place in the ledger: after the given number of entries of the block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Block height.
    pub block: u64,
    /// Entries of this block that are done with.
    pub index: u32,
}

/// An event of the ledger.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The place right after it: where to go on from.
    pub next: Position,
    /// Transaction that caused it.
    pub transaction: String,
    /// The entry.
    pub log: Log,
}

/// Some transactions, newest first.
#[derive(Clone, Debug)]
pub struct TransactionSlice {
    /// The transactions.
    pub items: Vec<TransactionSummary>,
    /// Go on before this place; none when the start of the ledger was reached.
    pub next: Option<Position>,
}

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeHealth {
    /// Height of its newest final block; none for a node that keeps no ledger, or has not joined one.
    pub height: Option<u64>,
    /// Hash of that block.
    pub head: Option<String>,
    /// When that block was made.
    pub head_at: Option<types::Micros>,
    /// State root after that block, where the engine has one.
    pub state_root: Option<String>,
    /// The node's own name on the network: its public key.
    pub identity: Option<String>,
    /// The identity of the node that leads now, where the engine tells.
    pub leader: Option<String>,
    /// The nodes that it knows.
    pub peers: Vec<Peer>,
    /// Why it makes no progress, where it knows.
    pub halted: Option<String>,
    /// More facts for a person: view, epoch, pool, version, …
    pub facts: Value,
}

/// A node that another knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Peer {
    /// Its identity.
    pub identity: String,
    /// Whether they are connected.
    pub connected: bool,
}

/// Decodes with the interfaces of known contracts: gives the interface of an address.
pub type Interfaces<'a> = &'a (dyn Fn(&str) -> Option<Value> + Send + Sync);

/// No interfaces are known.
pub fn no_interfaces(_: &str) -> Option<Value> {
    None
}

/// One ledger: a network, or one of its channels. Reads are answered by any node that is up; every method has a
/// deadline of its own.
pub trait Ledger: Send + Sync {
    /// What a signer elsewhere needs to make a transaction.
    fn terms<'a>(&'a self, draft: &'a TransactionDraft) -> BoxFuture<'a, Result<TransactionTerms>>;

    /// The sender's next counter, transactions that wait included; none where the ledger does not count.
    fn nonce<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<Option<u64>>>;

    /// Makes the transaction that a call asks for and has it signed. The ledger may be asked what the call would do, nothing is
    /// changed yet; the transaction's id is known from here on.
    ///
    /// # Errors
    /// A problem `contract.reverted` when the contract refuses the call, `transaction.refused` when the signature is not that
    /// of [`Call::from`].
    fn sign<'a>(&'a self, call: &'a Call, signer: &'a dyn Signer) -> BoxFuture<'a, Result<Signed>>;

    /// Reads a transaction that was signed elsewhere and checks that it is for this ledger.
    ///
    /// # Errors
    /// A problem `request.invalid` when the bytes are no transaction, `transaction.refused` when it is for another ledger
    /// or its signature is not valid.
    fn read(&self, raw: &[u8]) -> Result<Signed>;

    /// Hands a signed transaction over. A repetition of one that the ledger has is no error.
    ///
    /// # Errors
    /// A problem `transaction.refused` when it was refused for good; [`Error::Unreachable`] when no node got it;
    /// [`Error::Unknown`] when that is not known.
    fn send<'a>(&'a self, signed: &'a Signed) -> BoxFuture<'a, Result<()>>;

    /// What became of a transaction.
    fn outcome<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Outcome>>;

    /// Waits until a transaction is in a final block, at most for `limit`; then gives what is known.
    fn wait<'a>(&'a self, id: &'a str, limit: Duration) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            let end = tokio::time::Instant::now() + limit;
            loop {
                let outcome = self.outcome(id).await;
                let known = matches!(&outcome, Ok(outcome) if outcome.inclusion().is_some());
                if known || tokio::time::Instant::now() >= end {
                    return outcome;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
    }

    /// Asks a contract. The single return value, or the list of several; numbers as decimal text.
    fn query<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Value>>;

    /// A block with its transactions; none when there is none.
    fn block<'a>(&'a self, id: &'a BlockId, interfaces: Interfaces<'a>) -> BoxFuture<'a, Result<Option<Block>>>;

    /// Up to `limit` blocks, newest first, below the height `before` or from the newest.
    fn blocks(&self, before: Option<u64>, limit: u32) -> BoxFuture<'_, Result<Vec<BlockSummary>>>;

    /// Up to `limit` transactions, newest first, before a place or from the newest.
    fn transactions<'a>(
        &'a self,
        before: Option<Position>,
        limit: u32,
        interfaces: Interfaces<'a>,
    ) -> BoxFuture<'a, Result<TransactionSlice>>;

    /// A transaction, also while it waits; none when no node knows it.
    fn transaction<'a>(&'a self, id: &'a str, interfaces: Interfaces<'a>)
    -> BoxFuture<'a, Result<Option<Transaction>>>;

    /// What an address has. Names are left for the caller to fill in.
    fn address<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<Address>>;

    /// Up to `limit` events after a place, oldest first, and the place to go on from.
    fn events(&self, from: Position, limit: u32) -> BoxFuture<'_, Result<(Vec<Event>, Position)>>;

    /// What a node says of itself. Asks that node only.
    fn health<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<NodeHealth>>;

    /// Reads the interface and the name out of a compiled artifact.
    ///
    /// # Errors
    /// A problem `contract.artifact`.
    fn artifact(&self, artifact: &Value) -> Result<Artifact>;

    /// Writes an address in the ledger's canonical form.
    ///
    /// # Errors
    /// A problem `request.invalid` when it is none.
    fn canonical_address(&self, address: &str) -> Result<String>;

    /// What a contract tells of its own interface, where the engine's contracts do; none when it does not.
    fn metadata<'a>(&'a self, contract: &'a str) -> BoxFuture<'a, Result<Option<Value>>> {
        let _ = contract;
        Box::pin(async { Ok(None) })
    }

    /// How far the members have brought a version of a contract that runs beside the nodes.
    fn readiness<'a>(&'a self, contract: &'a ContractSpec) -> BoxFuture<'a, Result<ChaincodeReadiness>> {
        let _ = contract;
        Box::pin(async { Err(Error::Unsupported("contracts that run beside the nodes")) })
    }

    /// Who agrees on blocks, and the votes that are under way.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where validators are not voted on.
    fn validators(&self) -> BoxFuture<'_, Result<ValidatorSet>> {
        Box::pin(async { Err(Error::Unsupported("votes on validators")) })
    }

    /// Has a node vote on a validator, or take its vote back. Doing it twice does no harm. Votes that have been decided, of any
    /// node that answers, are cleared away first: left standing, they would count against a later decision.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where validators are not voted on, a problem `request.invalid` when the subject cannot be one,
    /// [`Error::Unreachable`] when the node does not answer.
    fn vote<'a>(&'a self, node: &'a str, ballot: &'a Ballot) -> BoxFuture<'a, Result<()>> {
        let _ = (node, ballot);
        Box::pin(async { Err(Error::Unsupported("votes on validators")) })
    }

    /// Whether a step of the plan is done.
    fn step_done<'a>(&'a self, step: &'a StepSpec) -> BoxFuture<'a, Result<bool>> {
        let _ = step;
        Box::pin(async { Err(Error::Unsupported("steps")) })
    }

    /// Takes a step of the plan. Doing it twice does no harm.
    fn take_step<'a>(&'a self, step: &'a StepSpec) -> BoxFuture<'a, Result<()>> {
        let _ = step;
        Box::pin(async { Err(Error::Unsupported("steps")) })
    }
}

/// What is read out of a compiled artifact.
#[derive(Clone, Debug, PartialEq)]
pub struct Artifact {
    /// The contract's name, where the artifact tells.
    pub name: Option<String>,
    /// Its interface.
    pub interface: Value,
    /// Whether it carries code to deploy.
    pub deployable: bool,
}
