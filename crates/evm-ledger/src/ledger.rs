//! The ledger: one method each, and what they share.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use alloy_primitives::{Address as Account, B256};
use driver::{
    Artifact, Ballot, BlockId, Call, Error, Event, Interfaces, Ledger, LedgerNetwork, NodeHealth, Outcome, Position,
    Query, Result, Signed, Signer, TransactionSlice, ValidatorSet,
};
use futures::future::BoxFuture;
use serde_json::Value;
use types::{Address, Block, BlockSummary, Code, Transaction, TransactionDraft, TransactionTerms};

use workload::StepSpec;

use crate::fees::Price;
use crate::health::NodeClient;
use crate::rpc::Client;
use crate::{Header, Settings, calls, decode, events, explore, outcome, send};

/// A network's ledger. Cheap to make: it connects when it is used and keeps its connections.
pub struct EvmLedger {
    pub(crate) chain_id: u64,
    pub(crate) client: Client,
    pub(crate) settings: Settings,
    /// Where it is fixed for the chain's life.
    pub(crate) price: OnceLock<Price>,
    /// Interfaces of contracts that were called, to tell why a transaction failed.
    pub(crate) called: decode::Called,
}

impl EvmLedger {
    /// The ledger of a network.
    pub fn new(network: &LedgerNetwork, settings: Settings) -> Self {
        Self {
            // 0 is no chain's id: what is signed for another is then refused.
            chain_id: network.spec.chain_id.unwrap_or_default(),
            client: Client::new(network, &settings.endpoint),
            settings,
            price: OnceLock::new(),
            called: decode::Called::default(),
        }
    }
}

impl EvmLedger {
    /// When a block was made.
    pub(crate) fn at(&self, header: &Header) -> types::Micros {
        (self.settings.time)(header)
    }

    /// One of the network's nodes.
    pub fn node<'a>(&'a self, node: &'a str) -> NodeClient<'a> {
        let (finality, time) = (self.settings.finality, self.settings.time);
        NodeClient { client: &self.client, node, chain_id: self.chain_id, finality, time }
    }

    /// The network's nodes.
    pub fn nodes(&self) -> Vec<NodeClient<'_>> {
        self.client.ids().map(|node| self.node(node)).collect()
    }
}

impl Ledger for EvmLedger {
    fn terms<'a>(&'a self, draft: &'a TransactionDraft) -> BoxFuture<'a, Result<TransactionTerms>> {
        Box::pin(calls::terms(self, draft))
    }

    fn nonce<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<Option<u64>>> {
        Box::pin(calls::nonce(self, address))
    }

    fn sign<'a>(&'a self, call: &'a Call, signer: &'a dyn Signer) -> BoxFuture<'a, Result<Signed>> {
        Box::pin(async move {
            let prepared = calls::prepare(self, call).await?;
            send::assemble(&prepared, &signer.sign(&prepared.digest)?)
        })
    }

    fn read(&self, raw: &[u8]) -> Result<Signed> {
        send::read(self.chain_id, raw)
    }

    fn send<'a>(&'a self, signed: &'a Signed) -> BoxFuture<'a, Result<()>> {
        Box::pin(send::send(self, signed))
    }

    fn outcome<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(outcome::outcome(self, id))
    }

    fn wait<'a>(&'a self, id: &'a str, limit: Duration) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(outcome::wait(self, id, limit))
    }

    fn query<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Value>> {
        Box::pin(calls::query(self, query))
    }

    fn block<'a>(&'a self, id: &'a BlockId, interfaces: Interfaces<'a>) -> BoxFuture<'a, Result<Option<Block>>> {
        Box::pin(explore::block(self, id, interfaces))
    }

    fn blocks(&self, before: Option<u64>, limit: u32) -> BoxFuture<'_, Result<Vec<BlockSummary>>> {
        Box::pin(explore::blocks(self, before, limit))
    }

    fn transactions<'a>(
        &'a self,
        before: Option<Position>,
        limit: u32,
        interfaces: Interfaces<'a>,
    ) -> BoxFuture<'a, Result<TransactionSlice>> {
        Box::pin(explore::transactions(self, before, limit, interfaces))
    }

    fn transaction<'a>(
        &'a self,
        id: &'a str,
        interfaces: Interfaces<'a>,
    ) -> BoxFuture<'a, Result<Option<Transaction>>> {
        Box::pin(explore::transaction(self, id, interfaces))
    }

    fn address<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<Address>> {
        Box::pin(explore::address(self, address))
    }

    fn events(&self, from: Position, limit: u32) -> BoxFuture<'_, Result<(Vec<Event>, Position)>> {
        Box::pin(events::events(self, from, limit))
    }

    fn health<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<NodeHealth>> {
        self.settings.health.health(self.node(node))
    }

    fn validators(&self) -> BoxFuture<'_, Result<ValidatorSet>> {
        match &self.settings.votes {
            Some(votes) => votes.validators(self.nodes()),
            None => Box::pin(async { Err(Error::Unsupported("votes on validators")) }),
        }
    }

    fn vote<'a>(&'a self, node: &'a str, ballot: &'a Ballot) -> BoxFuture<'a, Result<()>> {
        match &self.settings.votes {
            Some(votes) => votes.vote(self.node(node), self.nodes(), ballot),
            None => Box::pin(async { Err(Error::Unsupported("votes on validators")) }),
        }
    }

    fn step_done<'a>(&'a self, step: &'a StepSpec) -> BoxFuture<'a, Result<bool>> {
        match &self.settings.steps {
            Some(steps) => steps.done(step, self.nodes()),
            None => Box::pin(async { Err(Error::Unsupported("steps")) }),
        }
    }

    fn take_step<'a>(&'a self, step: &'a StepSpec) -> BoxFuture<'a, Result<()>> {
        match &self.settings.steps {
            Some(steps) => steps.take(step, self.nodes()),
            None => Box::pin(async { Err(Error::Unsupported("steps")) }),
        }
    }

    fn artifact(&self, artifact: &Value) -> Result<Artifact> {
        let read = evm_abi::Artifact::from_json(artifact).map_err(calls::abi_problem)?;
        let interface = artifact.get("abi").unwrap_or(artifact).clone();
        Ok(Artifact { deployable: read.bytecode().is_ok(), name: read.name, interface })
    }

    fn canonical_address(&self, address: &str) -> Result<String> {
        Ok(account(address)?.to_string())
    }
}

/// Reads an address; mixed case must be the checksum of EIP-55, so that a typing error shows.
pub(crate) fn account(text: &str) -> Result<Account> {
    let wrong = |why: &str| Error::problem(Code::RequestInvalid, format!("`{text}` is not an address: {why}."));
    let address: Account = text.parse().map_err(|_| wrong("0x and 40 hexadecimal digits are expected"))?;
    let digits = text.trim_start_matches("0x");
    let mixed =
        digits.bytes().any(|byte| byte.is_ascii_uppercase()) && digits.bytes().any(|byte| byte.is_ascii_lowercase());
    if mixed && address.to_string()[2..] != *digits {
        return Err(wrong("its checksum (EIP-55) is wrong; is a character mistyped?"));
    }
    Ok(address)
}

/// Reads a transaction's hash.
pub(crate) fn hash(text: &str) -> Result<B256> {
    text.parse().map_err(|_| {
        Error::problem(
            Code::RequestInvalid,
            format!("`{text}` is not the hash of a transaction: 0x and 64 hexadecimal digits are expected."),
        )
    })
}

/// The answer to a read that a node refused, for a person.
pub(crate) fn busy(message: &str) -> Error {
    Error::problem(Code::Unavailable, format!("The network's nodes cannot do this now: {message}. Try again later."))
}

/// A parsed interface.
pub(crate) type Abi = Arc<evm_abi::JsonAbi>;
