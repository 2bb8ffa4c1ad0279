//! Who agrees on blocks, who leads, and whether enough are there.

use alloy_primitives::Address;
use alloy_rlp::{Decodable, Header as RlpHeader};
use evm_ledger::Header;
use serde_json::{Map, Value, json};

use crate::health::{Answers, RAFT_LEADER, wire};

/// How a node's network agrees, as the node tells.
pub(crate) enum Consensus {
    /// QBFT or IBFT: votes of two thirds.
    Votes { validators: Vec<Address>, proposer: Option<Address>, committers: Vec<Address>, round: Option<u32> },
    /// Raft: a majority of so many nodes, where that is known, follows a leader.
    Raft { nodes: Option<usize>, leader: Option<Address> },
    /// Clique: more than half sign in turn.
    Turns { signers: Vec<Address>, signer: Option<Address> },
    /// It does not tell.
    Untold,
}

impl Consensus {
    /// By whichever answers there are; `nodes` are the network's, where somebody has said how many.
    pub(crate) fn read(answers: &Answers, block: &Header, nodes: Option<usize>) -> Self {
        if answers.knows(RAFT_LEADER) {
            let leader: Option<String> = answers.read(RAFT_LEADER);
            return Self::Raft { nodes, leader: leader.and_then(|leader| wire::account(&leader)) };
        }
        if let Some(signers) = answers.read("clique_getSigners") {
            return Self::Turns { signers, signer: answers.read("clique_getSigner") };
        }
        let begun = !block.number.is_zero();
        if let Some(validators) = answers.read("qbft_getValidatorsByBlockNumber") {
            let (proposer, round) = (begun.then_some(block.miner), round(&block.extra_data));
            return Self::Votes { validators, proposer, committers: Vec::new(), round };
        }
        let Some(validators) = answers.read("istanbul_getValidators") else { return Self::Untold };
        let signers: Option<wire::Signers> = answers.read("istanbul_getSignersFromBlock");
        let proposer = signers.as_ref().map(|signers| signers.author).filter(|_| begun);
        let committers = sorted(signers.into_iter().flat_map(|signers| signers.committers));
        Self::Votes { validators, proposer, committers, round: round(&block.extra_data) }
    }

    /// Whose agreement counts, as far as nodes tell.
    pub(crate) fn members(&self) -> &[Address] {
        match self {
            Self::Votes { validators: members, .. } | Self::Turns { signers: members, .. } => members,
            Self::Raft { .. } | Self::Untold => &[],
        }
    }

    /// Raft's leader, or who made the newest block.
    pub(crate) fn leader(&self) -> Option<Address> {
        match self {
            Self::Votes { proposer: leader, .. } | Self::Raft { leader, .. } | Self::Turns { signer: leader, .. } => {
                *leader
            }
            Self::Untold => None,
        }
    }

    /// How many there are, and how many of them must agree.
    fn needed(&self) -> (usize, usize) {
        let count = self.members().len();
        match self {
            Self::Votes { .. } => (count, (2 * count).div_ceil(3)),
            Self::Raft { nodes, .. } => nodes.map_or((0, 0), |nodes| (nodes, nodes / 2 + 1)),
            Self::Turns { .. } => (count, count / 2 + 1),
            Self::Untold => (0, 0),
        }
    }

    /// Why a node makes no progress: it does not see enough of the others.
    pub(crate) fn halted(&self, own: Option<Address>, connected: &[Address]) -> Option<String> {
        let (all, needed) = self.needed();
        let seen = |member: &&Address| Some(**member) == own || connected.contains(member);
        let there = match self {
            Self::Raft { .. } => connected.len() + 1,
            _ => self.members().iter().filter(seen).count(),
        };
        let few = |what: &str| format!("{there} of {all} {what} are connected, {needed} are needed");
        match self {
            Self::Votes { .. } if there < needed => Some(few("validators")),
            Self::Turns { .. } if there < needed => Some(few("signers")),
            // A leader that lost its followers does not notice (GoQuorum, raft/handler.go: CheckQuorum is off).
            Self::Raft { .. } if there < needed => Some(few("nodes")),
            Self::Raft { leader: None, .. } => Some("the nodes have no leader".into()),
            _ => None,
        }
    }

    /// Why transactions wait although enough nodes are there.
    pub(crate) fn stuck(&self) -> Option<String> {
        match self {
            Self::Votes { .. } => Some(
                "transactions wait, but the validators do not agree on a block: their rounds change, each with a longer \
                 time-out. Restarting all validators begins anew with a short one"
                    .into(),
            ),
            Self::Turns { .. } => {
                Some("transactions wait, and the signers for one another: restart one of them, then it asks the others".into())
            }
            Self::Raft { .. } | Self::Untold => None,
        }
    }

    /// More for a person.
    pub(crate) fn facts(&self) -> Map<String, Value> {
        let texts = |accounts: &[Address]| accounts.iter().map(Address::to_string).collect::<Vec<_>>();
        let facts = match self {
            Self::Votes { validators, proposer, committers, round } => json!({
                "validators": texts(validators), "proposer": proposer.map(|account| account.to_string()), "round": round,
                "committers": texts(committers),
            }),
            Self::Turns { signers, signer } => json!({
                "signers": texts(signers), "signer": signer.map(|account| account.to_string()),
            }),
            Self::Raft { .. } | Self::Untold => json!({}),
        };
        let facts = facts.as_object().cloned().unwrap_or_default();
        facts.into_iter().filter(|(_, value)| !value.is_null()).collect()
    }
}

/// Nodes list accounts in any order.
fn sorted(accounts: impl Iterator<Item = Address>) -> Vec<Address> {
    let mut accounts: Vec<Address> = accounts.collect();
    accounts.sort();
    accounts
}

/// The round in which a block of QBFT was agreed on: 0 unless a proposer failed. IBFT's blocks do not tell.
pub(crate) fn round(extra: &[u8]) -> Option<u32> {
    let mut list = extra;
    let header =
        RlpHeader::decode(&mut list).ok().filter(|header| header.list && header.payload_length == list.len())?;
    let mut items = &list[..header.payload_length];
    // Vanity, validators, vote.
    for _ in 0..3 {
        let item = RlpHeader::decode(&mut items).ok()?;
        items = items.get(item.payload_length..)?;
    }
    u32::decode(&mut items).ok()
}
