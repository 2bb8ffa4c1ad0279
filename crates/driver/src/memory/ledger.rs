//! The ledger of a chain in memory. It answers while one of the network's nodes accepts connections.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use types::{Address, Block, BlockSummary, Code, Transaction, TransactionDraft, TransactionTerms, ValidatorChange};

use super::PORT;
use super::chain::{Body, Chain, Entry, Envelope, contract_address, hash};
use crate::{
    Action, Agreement, Artifact, Ballot, BlockId, Call, Error, Event, Inclusion, Interfaces, Ledger, LedgerNetwork,
    NodeHealth, Outcome, Peer, Position, Query, Result, Signed, Signer, TransactionSlice, ValidatorSet, ValidatorVote,
};

pub(super) struct MemoryLedger {
    pub network: LedgerNetwork,
    pub chain: Arc<Mutex<Chain>>,
}

impl MemoryLedger {
    /// Fails unless a node accepts connections.
    async fn reach(&self) -> Result<()> {
        let mut reasons = Vec::new();
        for node in self.network.spec.node_ids() {
            match (self.network.connector)(node.clone(), PORT.into()).await {
                Ok(_) => return Ok(()),
                Err(error) => reasons.push(format!("{node}: {error}")),
            }
        }
        Err(Error::Unreachable(reasons.join("; ")))
    }

    /// Reads the chain, once a node was reached.
    async fn read_chain<T>(&self, read: impl FnOnce(&Chain) -> Result<T>) -> Result<T> {
        self.reach().await?;
        read(&self.chain.lock())
    }

    fn chain_id(&self) -> u64 {
        self.network.spec.chain_id.unwrap_or_default()
    }

    async fn encode(&self, call: &Call) -> Result<Body> {
        let from = address(&call.from)?;
        let (to, input) = match &call.action {
            Action::Deploy { artifact, .. } => {
                if !self.artifact(artifact)?.deployable {
                    return Err(Error::problem(Code::ContractArtifact, "The artifact has no bytecode."));
                }
                (None, Vec::new())
            }
            Action::Send { contract, interface, function, args } => {
                (Some(address(contract)?), input(interface, function, args)?)
            }
            Action::Raw { to, .. } => (to.as_deref().map(address).transpose()?, Vec::new()),
        };
        // As asking for the gas does: a call that would be refused is refused before it is sent.
        if call.gas.is_none() && input.first().is_some_and(|function| function == "fail") {
            return Err(Error::problem(
                Code::ContractReverted,
                format!("The contract refused the call: {}.", input[1]),
            ));
        }
        let chain_id = self.chain_id();
        let next = self.read_chain(|chain| Ok(chain.nonce(&from))).await?;
        let nonce = call.nonce.unwrap_or(next);
        Ok(Body { chain_id, from, nonce, to, value: call.value.clone().unwrap_or_else(|| "0".into()), input })
    }

    fn full(&self, entry: &Entry) -> Result<Transaction> {
        let raw = serde_json::to_value(&entry.envelope).map_err(|error| Error::Protocol(error.to_string()))?;
        Ok(Transaction {
            summary: entry.summary.clone(),
            nonce: Some(entry.envelope.body.nonce),
            gas_limit: None,
            gas_used: None,
            contract_address: entry.contract.clone(),
            input: format!("0x{}", hex::encode(entry.envelope.body.input.join(" "))),
            decoded: None,
            logs: entry.logs.clone(),
            error: entry.error.clone(),
            raw,
        })
    }
}

/// Checks an address: 0x and 40 digits, in lower case.
fn address(text: &str) -> Result<String> {
    let fits = text.len() == 42 && text.starts_with("0x") && text[2..].bytes().all(|byte| byte.is_ascii_hexdigit());
    if fits {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(Error::problem(Code::RequestInvalid, format!("`{text}` is no address.")))
    }
}

/// Checks a call: the function is in the interface and the number of arguments fits.
fn input(interface: &Value, function: &str, args: &Value) -> Result<Vec<String>> {
    let signatures = interface.as_array().into_iter().flatten().filter_map(Value::as_str);
    let name = function.split('(').next().unwrap_or_default();
    let signature = signatures.into_iter().find(|signature| signature.split('(').next() == Some(name));
    let signature = signature.ok_or_else(|| {
        Error::problem(Code::ContractFunction, format!("The interface has no function `{function}`."))
    })?;
    let wanted = signature.matches(',').count() + 1;
    let given = args.as_array().map(Vec::as_slice).unwrap_or_default();
    if given.len() != wanted {
        return Err(Error::problem(
            Code::ContractArguments,
            format!("`{signature}` takes {wanted} arguments, {} were given.", given.len()),
        ));
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(std::iter::once(name.to_owned()).chain(given.iter().map(text)).collect())
}

impl Ledger for MemoryLedger {
    fn terms<'a>(&'a self, draft: &'a TransactionDraft) -> BoxFuture<'a, Result<TransactionTerms>> {
        async move {
            let from = address(&draft.from)?;
            let nonce = self.read_chain(|chain| Ok(chain.nonce(&from))).await?;
            Ok(TransactionTerms { chain_id: self.chain_id(), nonce, gas: 1, gas_price: "0".into() })
        }
        .boxed()
    }

    fn nonce<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Option<u64>>> {
        async move {
            let account = address(account)?;
            self.read_chain(|chain| Ok(Some(chain.nonce(&account)))).await
        }
        .boxed()
    }

    fn sign<'a>(&'a self, call: &'a Call, signer: &'a dyn Signer) -> BoxFuture<'a, Result<Signed>> {
        async move {
            let body = self.encode(call).await?;
            let unsigned = serde_json::to_vec(&body).map_err(|error| Error::Protocol(error.to_string()))?;
            let signature = signer.sign(&Sha256::digest(&unsigned))?;
            let raw = serde_json::to_vec(&Envelope { body, signature })
                .map_err(|error| Error::Protocol(error.to_string()))?;
            self.read(&raw)
        }
        .boxed()
    }

    /// Who has signed is not checked: this chain knows no keys.
    fn read(&self, raw: &[u8]) -> Result<Signed> {
        let refuse = |detail: &str| Error::problem(Code::TransactionRefused, detail);
        let envelope: Envelope = serde_json::from_slice(raw)
            .map_err(|_| Error::problem(Code::RequestInvalid, "The bytes are no signed transaction."))?;
        if envelope.body.chain_id != self.chain_id() {
            return Err(refuse("The transaction is for another chain."));
        }
        if envelope.signature.len() != 65 || envelope.signature.iter().all(|byte| *byte == 0) {
            return Err(refuse("The signature of the transaction is not valid."));
        }
        let Body { from, nonce, to, .. } = envelope.body;
        let contract = to.is_none().then(|| contract_address(&from, nonce));
        Ok(Signed { id: hash(raw), raw: raw.to_vec(), from, nonce: Some(nonce), contract })
    }

    fn send<'a>(&'a self, signed: &'a Signed) -> BoxFuture<'a, Result<()>> {
        async move {
            let id = self.read(&signed.raw)?.id;
            let envelope = serde_json::from_slice(&signed.raw).map_err(|error| Error::Protocol(error.to_string()))?;
            self.reach().await?;
            let mut chain = self.chain.lock();
            if chain.find(&id).is_some() { Ok(()) } else { chain.apply(id, envelope) }
        }
        .boxed()
    }

    fn outcome<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Outcome>> {
        self.read_chain(move |chain| {
            let Some(entry) = chain.find(id) else { return Ok(Outcome::Unknown) };
            let inclusion = Inclusion {
                block: entry.summary.block.unwrap_or_default(),
                index: 0,
                gas_used: None,
                contract: entry.contract.clone(),
            };
            Ok(match &entry.error {
                None => Outcome::Committed(inclusion),
                Some(reason) => Outcome::Invalid { inclusion, reason: reason.clone() },
            })
        })
        .boxed()
    }

    fn query<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Value>> {
        async move {
            let contract = address(&query.contract)?;
            let input = input(&query.interface, &query.function, &query.args)?;
            match input[0].as_str() {
                "get" => {
                    let value = self.read_chain(|chain| Ok(chain.get(&contract, &input[1]))).await?;
                    value.ok_or_else(|| Error::problem(Code::ContractFunction, "There is no contract at the address."))
                }
                "fail" => {
                    Err(Error::problem(Code::ContractReverted, format!("The contract refused the call: {}.", input[1])))
                }
                _ => Ok(Value::Null),
            }
        }
        .boxed()
    }

    fn block<'a>(&'a self, id: &'a BlockId, _: Interfaces<'a>) -> BoxFuture<'a, Result<Option<Block>>> {
        self.read_chain(move |chain| {
            let summary = match id {
                BlockId::Number(number) => usize::try_from(*number).ok().and_then(|number| chain.blocks.get(number)),
                BlockId::Hash(hash) => chain.blocks.iter().find(|block| block.hash == *hash),
                BlockId::Latest => chain.blocks.last(),
            };
            let items = |number| chain.entries.get(&number).map(|entry| entry.summary.clone()).into_iter().collect();
            Ok(summary.map(|summary| Block {
                summary: summary.clone(),
                items: items(summary.number),
                facts: json!({}),
            }))
        })
        .boxed()
    }

    fn blocks(&self, before: Option<u64>, limit: u32) -> BoxFuture<'_, Result<Vec<BlockSummary>>> {
        self.read_chain(move |chain| {
            let below = chain.blocks.iter().rev().filter(|block| before.is_none_or(|before| block.number < before));
            Ok(below.take(limit as usize).cloned().collect())
        })
        .boxed()
    }

    fn transactions<'a>(
        &'a self,
        before: Option<Position>,
        limit: u32,
        _: Interfaces<'a>,
    ) -> BoxFuture<'a, Result<TransactionSlice>> {
        self.read_chain(move |chain| {
            let mut below = chain
                .entries
                .iter()
                .rev()
                .filter(|(block, _)| before.is_none_or(|before| Position { block: **block, index: 0 } < before));
            let taken: Vec<_> = below.by_ref().take(limit as usize).collect();
            let next = if below.next().is_some() {
                taken.last().map(|(block, _)| Position { block: **block, index: 0 })
            } else {
                None
            };
            Ok(TransactionSlice { items: taken.into_iter().map(|(_, entry)| entry.summary.clone()).collect(), next })
        })
        .boxed()
    }

    fn transaction<'a>(&'a self, id: &'a str, _: Interfaces<'a>) -> BoxFuture<'a, Result<Option<Transaction>>> {
        self.read_chain(move |chain| chain.find(id).map(|entry| self.full(entry)).transpose()).boxed()
    }

    fn address<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Address>> {
        async move {
            let address = address(text)?;
            let (nonce, is_contract) =
                self.read_chain(|chain| Ok((chain.nonce(&address), chain.contracts.contains_key(&address)))).await?;
            Ok(Address {
                address,
                balance: Some("0".into()),
                nonce: Some(nonce),
                code_size: u64::from(is_contract),
                contract: None,
                member: None,
            })
        }
        .boxed()
    }

    fn events(&self, from: Position, limit: u32) -> BoxFuture<'_, Result<(Vec<Event>, Position)>> {
        self.read_chain(move |chain| {
            let mut found = Vec::new();
            for (block, entry) in chain.entries.range(from.block..) {
                for log in &entry.logs {
                    if *block == from.block && log.index < from.index {
                        continue;
                    }
                    let next = Position { block: *block, index: log.index + 1 };
                    found.push(Event { next, transaction: entry.summary.hash.clone(), log: log.clone() });
                    if found.len() == limit as usize {
                        return Ok((found, next));
                    }
                }
            }
            Ok((found, Position { block: chain.height() + 1, index: 0 }.max(from)))
        })
        .boxed()
    }

    fn health<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<NodeHealth>> {
        async move {
            let connected = (self.network.connector)(node.to_owned(), PORT.into()).await;
            connected.map_err(|error| Error::Unreachable(format!("{node}: {error}")))?;
            let chain = self.chain.lock();
            let head = &chain.blocks[chain.blocks.len() - 1];
            let others = self.network.spec.node_ids().filter(|other| *other != node);
            Ok(NodeHealth {
                height: Some(head.number),
                head: Some(head.hash.clone()),
                head_at: Some(head.at),
                state_root: None,
                identity: Some(node.to_owned()),
                leader: self.network.spec.node_ids().next().cloned(),
                peers: others.map(|other| Peer { identity: other.clone(), connected: true }).collect(),
                halted: None,
                facts: json!({}),
            })
        }
        .boxed()
    }

    fn validators(&self) -> BoxFuture<'_, Result<ValidatorSet>> {
        self.read_chain(|chain| {
            let vote = |(subject, add): &(String, bool), voter: &String| ValidatorVote {
                voter: voter.clone(),
                subject: subject.clone(),
                choice: if *add { ValidatorChange::Add } else { ValidatorChange::Remove },
                counted: true,
            };
            let votes = chain.votes.iter().flat_map(|(on, voters)| voters.iter().map(|voter| vote(on, voter)));
            Ok(ValidatorSet {
                validators: chain.validators.clone(),
                agreement: Agreement::Majority,
                votes: votes.collect(),
            })
        })
        .boxed()
    }

    fn vote<'a>(&'a self, node: &'a str, ballot: &'a Ballot) -> BoxFuture<'a, Result<()>> {
        async move {
            self.health(node).await?;
            if !self.network.spec.node_ids().any(|known| *known == ballot.subject) {
                let detail = format!("`{}` is no node that could validate.", ballot.subject);
                return Err(Error::problem(Code::RequestInvalid, detail));
            }
            let add = ballot.choice.map(|choice| choice == ValidatorChange::Add);
            self.chain.lock().vote(node, &ballot.subject, add);
            Ok(())
        }
        .boxed()
    }

    fn artifact(&self, artifact: &Value) -> Result<Artifact> {
        let refuse = || Error::problem(Code::ContractArtifact, "The artifact has no list `abi` of signatures.");
        let interface = artifact
            .get("abi")
            .filter(|abi| abi.as_array().is_some_and(|list| list.iter().all(Value::is_string)))
            .ok_or_else(refuse)?;
        Ok(Artifact {
            name: artifact.get("contractName").and_then(Value::as_str).map(str::to_owned),
            interface: interface.clone(),
            deployable: artifact.get("bytecode").is_some_and(Value::is_string),
        })
    }

    fn canonical_address(&self, text: &str) -> Result<String> {
        address(text)
    }
}
