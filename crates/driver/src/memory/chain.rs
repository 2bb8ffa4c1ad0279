//! The chain: blocks of one transaction each, contracts that map text to text.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use types::{BlockSummary, Log, Micros, TransactionStatus, TransactionSummary};

use crate::{Error, Result};

/// What is signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body {
    pub chain_id: u64,
    pub from: String,
    pub nonce: u64,
    /// None makes a contract.
    pub to: Option<String>,
    pub value: String,
    /// The function and its arguments, none for a plain transfer.
    pub input: Vec<String>,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Envelope {
    pub body: Body,
    pub signature: Vec<u8>,
}

pub(super) struct Entry {
    pub envelope: Envelope,
    pub summary: TransactionSummary,
    pub contract: Option<String>,
    pub error: Option<String>,
    pub logs: Vec<Log>,
}

/// A chain.
pub(super) struct Chain {
    pub blocks: Vec<BlockSummary>,
    /// The transaction of a block; the first block has none.
    pub entries: BTreeMap<u64, Entry>,
    pub contracts: HashMap<String, HashMap<String, String>>,
    pub nonces: HashMap<String, u64>,
    pub validators: Vec<String>,
    /// Who votes, by whom it is on and what it is for.
    pub votes: BTreeMap<(String, bool), BTreeSet<String>>,
}

impl Chain {
    pub fn new(validators: Vec<String>) -> Self {
        let mut chain = Self {
            blocks: Vec::new(),
            entries: BTreeMap::new(),
            contracts: HashMap::new(),
            nonces: HashMap::new(),
            validators,
            votes: BTreeMap::new(),
        };
        chain.push_block(0);
        chain
    }

    pub fn nonce(&self, address: &str) -> u64 {
        self.nonces.get(address).copied().unwrap_or_default()
    }

    pub fn height(&self) -> u64 {
        self.blocks.len() as u64 - 1
    }

    /// Counts a vote at once; when more than half of the validators agree, it is done.
    pub fn vote(&mut self, voter: &str, subject: &str, add: Option<bool>) {
        for choice in [true, false] {
            if let Some(voters) = self.votes.get_mut(&(subject.into(), choice)) {
                voters.remove(voter);
            }
        }
        let Some(add) = add else { return };
        let voters = self.votes.entry((subject.into(), add)).or_default();
        voters.insert(voter.into());
        if voters.len() > self.validators.len() / 2 {
            self.votes.retain(|(on, _), _| on != subject);
            self.validators.retain(|validator| validator != subject);
            if add {
                self.validators.push(subject.into());
            }
        }
    }

    pub fn find(&self, id: &str) -> Option<&Entry> {
        self.entries.values().find(|entry| entry.summary.hash == id)
    }

    fn push_block(&mut self, transactions: u32) -> (u64, Micros) {
        let number = self.blocks.len() as u64;
        let parent = self.blocks.last();
        let at = types::now().max(parent.map_or(0, |parent| parent.at));
        let parent_hash = parent.map_or_else(|| hash(b"nothing"), |parent| parent.hash.clone());
        let hash = hash(format!("{parent_hash} {number} {at}").as_bytes());
        self.blocks.push(BlockSummary {
            number,
            hash,
            parent_hash,
            at,
            transactions,
            gas_used: None,
            gas_limit: None,
            size: None,
        });
        (number, at)
    }

    /// Does a transaction and puts it into a block of its own.
    pub fn apply(&mut self, id: String, envelope: Envelope) -> Result<()> {
        let body = envelope.body.clone();
        let next = self.nonce(&body.from);
        if body.nonce != next {
            let detail = format!(
                "The ledger did not take the transaction: its counter is {}, the next one is {next}.",
                body.nonce
            );
            return Err(Error::problem(types::Code::TransactionRefused, detail));
        }
        self.nonces.insert(body.from.clone(), next + 1);
        let mut contract = None;
        let done = match &body.to {
            None => {
                let address = contract_address(&body.from, body.nonce);
                self.contracts.insert(address.clone(), HashMap::new());
                contract = Some(address);
                Ok(Vec::new())
            }
            Some(to) => self.call(to, &body.input),
        };
        let (number, at) = self.push_block(1);
        let (status, error, events) = match done {
            Ok(events) => (TransactionStatus::Success, None, events),
            Err(reason) => (TransactionStatus::Reverted, Some(reason), Vec::new()),
        };
        let to = body.to.clone();
        let log = |(index, data): (usize, String)| Log {
            address: to.clone().unwrap_or_default(),
            topics: vec!["set".into()],
            data,
            index: index as u32,
            decoded: None,
        };
        let entry = Entry {
            summary: TransactionSummary {
                hash: id,
                block: Some(number),
                index: Some(0),
                at: Some(at),
                from: body.from,
                to: body.to.clone(),
                value: Some(body.value),
                status,
                method: body.input.first().cloned(),
            },
            logs: events.into_iter().enumerate().map(log).collect(),
            envelope,
            contract,
            error,
        };
        self.entries.insert(number, entry);
        Ok(())
    }

    /// Does a call of a contract: what it emits, or why it refuses.
    fn call(&mut self, to: &str, input: &[String]) -> std::result::Result<Vec<String>, String> {
        let Some(map) = self.contracts.get_mut(to) else { return Ok(Vec::new()) };
        match input {
            [set, key, value] if set == "set" => {
                map.insert(key.clone(), value.clone());
                Ok(vec![key.clone()])
            }
            [fail, reason] if fail == "fail" => Err(reason.clone()),
            _ => Ok(Vec::new()),
        }
    }

    pub fn get(&self, contract: &str, key: &str) -> Option<Value> {
        let map = self.contracts.get(contract)?;
        Some(json!(map.get(key).cloned().unwrap_or_default()))
    }
}

/// A hash as text.
pub(super) fn hash(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(Sha256::digest(bytes)))
}

/// The address of the contract that a transaction makes.
pub(super) fn contract_address(from: &str, nonce: u64) -> String {
    hash(format!("{from} {nonce}").as_bytes())[..42].to_owned()
}
