//! Validators: who agrees on a network's blocks, and members' votes on them.
//!
//! Each member votes with the nodes of its own that validate; the ledger counts. What is voted on is asked of the ledger each
//! time, nothing of it is stored but the audit log.

use std::sync::Arc;

use driver::{Ballot, Ledger, ValidatorSet};
use store::networks::{self, Network, Phase};
use store::{Connection, NewAudit, nodes};
use types::{Code, Id, NewVote, Node, NodeStatus, Permission, Validator, ValidatorChange, Validators, Vote};

use crate::{Caller, Control, Error, Result};

/// A vote that is to be given or taken back.
struct Wish<'a> {
    /// Identity on the ledger, or a node.
    subject: &'a str,
    /// None takes it back.
    change: Option<ValidatorChange>,
    member: Option<&'a str>,
    force: bool,
}

impl Control {
    /// Who agrees on the blocks of a network, who else could, and the votes that are under way.
    ///
    /// # Errors
    /// `request.invalid` where validators are not voted on, `network.attached`, `node.unreachable`.
    pub async fn validators(&self, caller: &Caller, network: &str) -> Result<Validators> {
        let mut read = self.store().read().await?;
        let network = self.find_network(&mut read, caller, Permission::NetworksRead, network).await?.network;
        let nodes = self.nodes_of(&mut read, &network).await?;
        drop(read);
        Ok(show(&self.voted_ledger(&network).await?.validators().await?, &nodes))
    }

    /// Votes in a member's name on a validator, with all of the member's validators that run.
    ///
    /// # Errors
    /// `auth.forbidden`, `validator.vote` when there is nothing to vote on or nothing to vote with, `validator.few` when fewer
    /// validators would be up than must agree, unless it is forced.
    pub async fn vote_on_validator(&self, caller: &Caller, network: &str, vote: &NewVote) -> Result<Validators> {
        let (subject, member) = (vote.validator.as_str(), vote.member.as_deref());
        self.vote(caller, network, Wish { subject, change: Some(vote.change), member, force: vote.force }).await
    }

    /// Takes a member's vote on a validator back. What the ledger has counted stays counted until the consensus forgets it.
    ///
    /// # Errors
    /// `auth.forbidden`, `validator.vote` when the member has no validator that runs.
    pub async fn withdraw_vote(
        &self,
        caller: &Caller,
        network: &str,
        subject: &str,
        member: Option<&str>,
    ) -> Result<Validators> {
        self.vote(caller, network, Wish { subject, change: None, member, force: false }).await
    }

    async fn vote(&self, caller: &Caller, network: &str, wish: Wish<'_>) -> Result<Validators> {
        let mut read = self.store().read().await?;
        let network = self.find_network(&mut read, caller, Permission::NetworksRead, network).await?.network;
        let members = networks::named_members(&mut read, &network.id).await?;
        let nodes = self.nodes_of(&mut read, &network).await?;
        drop(read);
        let (member, organisation) = choose_member(caller, &members, &nodes, wish.member)?;
        let ledger = self.voted_ledger(&network).await?;
        if network.phase != Phase::Ready {
            return Err(Error::new(Code::NetworkState, format!("The network {} is not ready.", network.name)));
        }
        let set = ledger.validators().await?;
        let subject = resolve(&*ledger, &nodes, wish.subject)?;
        let voters = voters(&set, &nodes, &organisation, &member)?;
        if let Some(change) = wish.change {
            check(&set, &nodes, &subject, change, wish.force)?;
        }
        let names: Vec<&str> = voters.iter().map(|node| node.name.as_str()).collect();
        let mut tx = self.store().begin().await?;
        tx.audit(NewAudit {
            actor: caller.actor().to_string(),
            action: if wish.change.is_some() { "validator.vote" } else { "validator.withdraw" },
            subject: format!("network {}", network.id),
            organisation: Some(organisation),
            details: serde_json::json!({
                "network": network.name, "member": member, "validator": subject, "change": wish.change, "nodes": names,
                "forced": wish.force,
            }),
        });
        tx.change("network", &network.id, Some(&network.id));
        // Written down before it is done: it cannot be undone.
        tx.commit().await?;
        let ballot = Ballot { subject, choice: wish.change };
        // One after the other: each clears away what the others were told before.
        for node in voters {
            ledger.vote(&node.id, &ballot).await?;
        }
        Ok(show(&ledger.validators().await?, &nodes))
    }

    async fn nodes_of(&self, read: &mut Connection, network: &Network) -> Result<Vec<Node>> {
        let rows = nodes::of_network(read, &network.id).await?;
        self.show_nodes(read, network, rows).await
    }

    /// The ledger of a network that runs here.
    async fn voted_ledger(&self, network: &Network) -> Result<Arc<dyn Ledger>> {
        // Who runs the nodes of an attached network votes there.
        self.driver(&network.engine)?;
        self.ledger_of(network).await
    }
}

/// The member that votes, and its organisation.
fn choose_member(
    caller: &Caller,
    members: &[(String, Id)],
    nodes: &[Node],
    given: Option<&str>,
) -> Result<(String, Id)> {
    if let Some(given) = given {
        let found = members.iter().find(|(name, id)| name == given || id == given);
        let (name, id) = found.ok_or_else(|| Error::not_found("member of the network", given))?;
        caller.require_for(Permission::NetworksWrite, id)?;
        return Ok((name.clone(), id.clone()));
    }
    caller.require(Permission::NetworksWrite)?;
    let own: Vec<&(String, Id)> = members
        .iter()
        .filter(|(_, id)| caller.has_for(Permission::NetworksWrite, id))
        .filter(|(_, id)| nodes.iter().any(|node| node.organisation == *id))
        .collect();
    match own.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Error::forbidden("You act for no member of this network that has nodes.")),
        several => {
            let names: Vec<&str> = several.iter().map(|(name, _)| name.as_str()).collect();
            let message = format!("You act for several members. Say which one votes: {}.", names.join(", "));
            Err(Error::field(Code::NameAmbiguous, "member", message))
        }
    }
}

/// What a node is called on the ledger.
fn identity(node: &Node) -> Option<&str> {
    told_identity(&node.facts)
}

fn told_identity(facts: &serde_json::Value) -> Option<&str> {
    facts.get("publicKey").and_then(serde_json::Value::as_str)
}

/// Whether a node with such facts is one of the validators.
pub(crate) fn validates(set: &ValidatorSet, facts: &serde_json::Value) -> bool {
    told_identity(facts).is_some_and(|identity| set.validators.iter().any(|validator| same(validator, identity)))
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// The identity that a person means: one as the ledger writes it, or a node's.
fn resolve(ledger: &dyn Ledger, nodes: &[Node], given: &str) -> Result<String> {
    let short = |node: &Node| node.name.rsplit('/').next() == Some(given);
    if let Some(node) = nodes.iter().find(|node| node.id == given || node.name == given || short(node)) {
        let unknown = || {
            let detail =
                format!("The node {} has not told its identity yet. Start it, or give the identity.", node.name);
            Error::field(Code::ValidatorVote, "validator", detail)
        };
        return identity(node).map(str::to_owned).ok_or_else(unknown);
    }
    ledger.canonical_address(given).map_err(|_| {
        let message = format!("“{given}” is neither a node of the network nor an identity of a validator.");
        Error::field(Code::RequestInvalid, "validator", message)
    })
}

/// The member's nodes that validate and run.
fn voters<'a>(set: &ValidatorSet, nodes: &'a [Node], organisation: &str, member: &str) -> Result<Vec<&'a Node>> {
    let own = nodes.iter().filter(|node| node.organisation == organisation && validates(set, &node.facts));
    let own: Vec<&Node> = own.collect();
    if own.is_empty() {
        let detail = format!("{member} has no validator on this network, so it has no vote.");
        return Err(Error::new(Code::ValidatorVote, detail));
    }
    let running: Vec<&Node> = own.iter().copied().filter(|node| node.status == NodeStatus::Running).collect();
    if running.is_empty() {
        let names: Vec<&str> = own.iter().map(|node| node.name.as_str()).collect();
        let detail = format!("None of the validators of {member} runs: {}. Start one, then vote.", names.join(", "));
        return Err(Error::new(Code::ValidatorVote, detail));
    }
    Ok(running)
}

/// Fails when there is nothing to vote on, or too few would be up once it is decided.
fn check(set: &ValidatorSet, nodes: &[Node], subject: &str, change: ValidatorChange, force: bool) -> Result<()> {
    if set.is_so(subject, change) {
        let so = if change == ValidatorChange::Add { "is a validator already" } else { "is no validator" };
        return Err(Error::new(Code::ValidatorVote, format!("{subject} {so}: there is nothing to vote on.")));
    }
    let mut after: Vec<&str> = set.validators.iter().map(String::as_str).filter(|one| !same(one, subject)).collect();
    if change == ValidatorChange::Add {
        after.push(subject);
    }
    if after.is_empty() {
        let detail = "It is the only validator. Without one there are no blocks, nor votes on new ones.";
        return Err(Error::new(Code::ValidatorFew, detail));
    }
    let is_up = |one: &&&str| {
        nodes.iter().any(|node| node.status == NodeStatus::Running && identity(node).is_some_and(|own| same(own, one)))
    };
    let (up, needed) = (after.iter().filter(is_up).count(), set.agreement.needed(after.len()));
    if up < needed && !force {
        return Err(Error::new(
            Code::ValidatorFew,
            format!(
                "There would be {} validators, of which {needed} must agree on each block, and only {up} are known to be up: \
                 the network would stand still. Start nodes first; if others run the rest, vote with --force.",
                after.len()
            ),
        ));
    }
    Ok(())
}

/// The validators as the API shows them.
fn show(set: &ValidatorSet, nodes: &[Node]) -> Validators {
    let node_of = |address: &str| nodes.iter().find(|node| identity(node).is_some_and(|own| same(own, address)));
    let known = |list: &[String], address: &str| list.iter().any(|one| same(one, address));
    let mut addresses = set.validators.clone();
    let others = nodes.iter().filter_map(identity).map(str::to_owned);
    let subjects = set.votes.iter().map(|vote| vote.subject.clone());
    for address in others.chain(subjects) {
        if !known(&addresses, &address) {
            addresses.push(address);
        }
    }
    let show = |address: String| {
        let votes = set.votes.iter().filter(|vote| same(&vote.subject, &address));
        let shown = votes.clone().map(|vote| {
            let node = node_of(&vote.voter);
            Vote {
                node: node.map(|node| node.name.clone()),
                member: node.map(|node| node.member.clone()),
                counted: vote.counted,
                address: vote.voter.clone(),
            }
        });
        let node = node_of(&address);
        Validator {
            validates: known(&set.validators, &address),
            node: node.map(|node| node.name.clone()),
            member: node.map(|node| node.member.clone()),
            status: node.map(|node| node.status),
            proposed: votes.clone().next().map(|vote| vote.choice),
            votes: shown.collect(),
            address,
        }
    };
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Validators {
        items: addresses.into_iter().map(show).collect(),
        validators: count(set.validators.len()),
        agreement: count(set.agreement.needed(set.validators.len())),
        deciding: count(set.deciding()),
    }
}
