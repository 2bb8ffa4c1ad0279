//! The ledger of a channel: one method each, and what they share.

mod blocks;
mod clients;
mod decode;
mod errors;
mod explore;
mod health;
mod operations;
mod orderers;
mod outcome;
mod query;
mod send;
mod steps;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use driver::{
    Artifact, BlockId, Call, ContractSpec, Error, Event, Interfaces, Ledger, LedgerNetwork, NodeHealth, Outcome,
    Position, Query, Result, Signed, Signer, TransactionSlice,
};
use fabric_client::proto::common;
use futures::future::BoxFuture;
use lru::LruCache;
use parking_lot::Mutex;
use serde_json::Value;
use types::{Address, Block, BlockSummary, ChaincodeReadiness, Code, Transaction, TransactionDraft, TransactionTerms};
use workload::StepSpec;

use blocks::Blocks;
use clients::Clients;
use orderers::Surveys;

/// How many transactions are remembered that were handed over.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).expect("it is not zero");

/// A channel's ledger; opened for no channel, what concerns the whole network, with the first channel's blocks. Cheap to
/// make: it connects when it is used and keeps its connections.
pub struct FabricLedger {
    pub(crate) clients: Clients,
    channel: String,
    blocks: Blocks,
    surveys: Surveys,
    /// First blocks of channels that are being joined.
    first_blocks: Mutex<BTreeMap<String, Arc<common::Block>>>,
    /// Ids that were handed over, with their senders' members.
    sent: Mutex<LruCache<String, Option<String>>>,
}

impl FabricLedger {
    /// The ledger of a network's channel.
    pub fn new(network: LedgerNetwork) -> Self {
        let first = || network.spec.channels.first().map(|channel| channel.name.clone()).unwrap_or_default();
        Self {
            channel: network.channel.clone().unwrap_or_else(first),
            clients: Clients::new(network),
            blocks: Blocks::default(),
            surveys: Surveys::default(),
            first_blocks: Mutex::default(),
            sent: Mutex::new(LruCache::new(REMEMBERED)),
        }
    }

    /// A contract's name without its channel's: its address is `CHANNEL/NAME`, and both are understood.
    fn contract_name<'a>(&self, address: &'a str) -> &'a str {
        address.strip_prefix(&*self.channel).and_then(|rest| rest.strip_prefix('/')).unwrap_or(address)
    }

    /// The member that an address belongs to: its account's, or that whose MSP or name it starts with.
    fn member_of(&self, address: &str) -> Option<&str> {
        let spec = &self.clients.network.spec;
        let known = |own: &&driver::AccountSpec| own.address == address || own.identity.as_deref() == Some(address);
        if let Some(account) = spec.accounts.iter().find(known) {
            return Some(&account.member);
        }
        let (owner, _) = address.split_once('/')?;
        let members = crate::layout::members(spec);
        members.into_iter().find(|member| crate::layout::msp_id(member) == owner || *member == owner)
    }
}

impl Ledger for FabricLedger {
    fn terms<'a>(&'a self, _: &'a TransactionDraft) -> BoxFuture<'a, Result<TransactionTerms>> {
        Box::pin(async { Err(Error::Unsupported("terms to sign transactions elsewhere")) })
    }

    fn nonce<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<u64>>> {
        Box::pin(async { Ok(None) })
    }

    fn sign<'a>(&'a self, call: &'a Call, signer: &'a dyn Signer) -> BoxFuture<'a, Result<Signed>> {
        Box::pin(send::sign(self, call, signer))
    }

    fn read(&self, raw: &[u8]) -> Result<Signed> {
        send::read(&self.channel, raw)
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
        Box::pin(query::query(self, query))
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
        Box::pin(explore::events(self, from, limit))
    }

    fn health<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<NodeHealth>> {
        Box::pin(health::health(self, node))
    }

    fn artifact(&self, artifact: &Value) -> Result<Artifact> {
        if !artifact.get("contracts").is_some_and(Value::is_object) {
            let detail = "This is no contract metadata: an object `contracts` is expected, as Fabric's contract libraries \
                          give it for `org.hyperledger.fabric:GetMetadata`.";
            return Err(Error::problem(Code::ContractArtifact, detail));
        }
        let name = artifact.pointer("/info/title").and_then(Value::as_str).map(str::to_owned);
        Ok(Artifact { name, interface: artifact.clone(), deployable: false })
    }

    fn canonical_address(&self, address: &str) -> Result<String> {
        let address = address.trim();
        if address.is_empty() {
            return Err(Error::problem(
                Code::RequestInvalid,
                "An address is expected: a contract's name or an account.",
            ));
        }
        Ok(address.to_owned())
    }

    fn metadata<'a>(&'a self, contract: &'a str) -> BoxFuture<'a, Result<Option<Value>>> {
        Box::pin(query::metadata(self, contract))
    }

    fn readiness<'a>(&'a self, contract: &'a ContractSpec) -> BoxFuture<'a, Result<ChaincodeReadiness>> {
        Box::pin(steps::readiness(self, contract))
    }

    fn step_done<'a>(&'a self, step: &'a StepSpec) -> BoxFuture<'a, Result<bool>> {
        Box::pin(steps::done(self, step))
    }

    fn take_step<'a>(&'a self, step: &'a StepSpec) -> BoxFuture<'a, Result<()>> {
        Box::pin(steps::take(self, step))
    }
}
