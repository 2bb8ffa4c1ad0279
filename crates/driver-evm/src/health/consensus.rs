//! Who agrees on blocks, who leads, and whether enough are there.

use alloy_primitives::Address;
use alloy_rlp::{Decodable, Header as RlpHeader};
use evm_ledger::Header;
use serde_json::{Map, Value, json};

use crate::health::{Answers, wire};

/// How a node's network agrees, as the node tells.
pub(crate) enum Consensus {
    /// QBFT or IBFT: votes of two thirds.
    Votes { validators: Vec<Address>, proposer: Option<Address>, committers: Vec<Address>, round: Option<u32> },
    /// Raft: a majority follows a leader.
    Raft { members: Vec<Address>, active: usize, leader: Option<Address>, role: Option<String>, raft_id: Option<u16> },
    /// Clique: more than half sign in turn.
    Turns { signers: Vec<Address>, signer: Option<Address> },
    /// It does not tell.
    Untold,
}

impl Consensus {
    /// By whichever answers there are.
    pub(crate) fn read(answers: &Answers, block: &Header) -> Self {
        if let Some(members) = answers.read::<Vec<wire::RaftMember>>("raft_cluster") {
            return Self::raft(answers, members);
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

    fn raft(answers: &Answers, members: Vec<wire::RaftMember>) -> Self {
        let own = answers.read::<wire::NodeInfo>("admin_nodeInfo").and_then(|own| wire::account(&own.enode));
        let leader: Option<String> = answers.read("raft_leader");
        let id = |member: &wire::RaftMember| wire::account(&member.node_id);
        Self::Raft {
            active: members.iter().filter(|member| member.node_active).count(),
            leader: leader.and_then(|leader| wire::account(&leader)),
            role: members.iter().find(|member| id(member) == own).map(|member| member.role.clone()),
            raft_id: members.iter().find(|member| id(member) == own).map(|member| member.raft_id),
            members: sorted(members.iter().filter_map(id)),
        }
    }

    /// Whose agreement counts.
    pub(crate) fn members(&self) -> &[Address] {
        match self {
            Self::Votes { validators: members, .. }
            | Self::Raft { members, .. }
            | Self::Turns { signers: members, .. } => members,
            Self::Untold => &[],
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

    /// How many must agree.
    fn needed(&self) -> usize {
        let count = self.members().len();
        match self {
            Self::Votes { .. } => (2 * count).div_ceil(3),
            Self::Raft { .. } | Self::Turns { .. } => count / 2 + 1,
            Self::Untold => 0,
        }
    }

    /// Why a node makes no progress: it does not see enough of the others.
    pub(crate) fn halted(&self, own: Option<Address>, connected: &[Address]) -> Option<String> {
        let (all, needed) = (self.members().len(), self.needed());
        let seen = |member: &&Address| Some(**member) == own || connected.contains(member);
        let there = self.members().iter().filter(seen).count();
        let few = |what: &str, there: usize| format!("{there} of {all} {what}, {needed} are needed");
        match self {
            Self::Raft { leader: None, active, .. } => Some(format!("no leader: {}", few("nodes are active", *active))),
            Self::Votes { .. } if there < needed => Some(few("validators are connected", there)),
            Self::Turns { .. } if there < needed => Some(few("signers are connected", there)),
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
            Self::Raft { members, active, role, raft_id, .. } => json!({
                "members": texts(members), "active": active, "role": role, "raftId": raft_id,
            }),
            Self::Turns { signers, signer } => json!({
                "signers": texts(signers), "signer": signer.map(|account| account.to_string()),
            }),
            Self::Untold => json!({}),
        };
        let facts = facts.as_object().cloned().unwrap_or_default();
        facts.into_iter().filter(|(_, value)| !value.is_null()).collect()
    }
}

/// Nodes list Raft's members in any order.
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
