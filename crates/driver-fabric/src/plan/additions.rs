//! Channels, members of channels, contracts and nodes that are added to a network, and nodes that leave it: what fits.

use driver::{ChannelSpec, ContractSpec, NetworkSpec, NodeSpec, field_problem};
use fabric_client::lifecycle::{self, Collection};
use fabric_client::policy::Policy;
use serde_json::Value;
use types::{Code, PlannedNode, Problem};

use crate::layout::{self, BFT, CHAINCODE, ORDERER, PEER};
use crate::plan::{engine, options};

/// Longest name of a node that is made here.
const LONGEST_NODE: usize = 63;

#[allow(clippy::result_large_err, reason = "as in the trait")]
pub(crate) fn accept_channel(spec: &NetworkSpec, channel: &ChannelSpec) -> Result<(), Problem> {
    let name = &channel.name;
    if !options::channel_name(name) {
        let message = format!(
            "`{name}` is no channel's name: a lower-case letter, then lower-case letters, digits, dots and dashes, at most 249 \
             in all."
        );
        return Err(field_problem(Code::ChannelName, "name", &message));
    }
    if spec.channels.iter().any(|other| other.name == *name) {
        return Err(field_problem(Code::ChannelName, "name", &format!("The network has a channel `{name}` already.")));
    }
    let members = layout::members(spec);
    let refuse = |message: &str| Err(field_problem(Code::ChannelMembers, "members", message));
    if channel.members.is_empty() {
        return refuse("A channel needs at least one member.");
    }
    for (at, member) in channel.members.iter().enumerate() {
        if channel.members[..at].contains(member) {
            return refuse(&format!("`{member}` is named twice."));
        }
        if !members.contains(&member.as_str()) || layout::peers_of(spec, member).next().is_none() {
            return refuse(&format!("`{member}` runs no peer of the network: name some of {}.", members.join(", ")));
        }
    }
    Ok(())
}

#[allow(clippy::result_large_err, reason = "as in the trait")]
pub(crate) fn accept_contract(spec: &NetworkSpec, contract: &ContractSpec) -> Result<Vec<PlannedNode>, Problem> {
    let Some(channel) = spec.channels.iter().find(|channel| channel.name == contract.channel) else {
        let names: Vec<&str> = spec.channels.iter().map(|channel| channel.name.as_str()).collect();
        let message = format!("The network has no channel `{}`: it has {}.", contract.channel, names.join(", "));
        return Err(field_problem(Code::ChannelName, "channel", &message));
    };
    names(contract)?;
    let before = spec.contracts.iter().filter(|other| other.channel == contract.channel && other.name == contract.name);
    let next = before.map(|other| other.sequence).max().unwrap_or_default() + 1;
    if contract.sequence != next {
        let message = format!("The next sequence number of `{}` on `{}` is {next}.", contract.name, contract.channel);
        return Err(field_problem(Code::ContractSequence, "sequence", &message));
    }
    policy(channel, contract.policy.as_deref())?;
    collections(channel, contract.collections.as_ref())?;
    let mut taken: Vec<String> = spec.nodes.iter().map(|node| node.name.clone()).collect();
    let nodes = channel.members.iter().map(|member| {
        let name = node_name(spec, contract, member, &taken);
        taken.push(name.clone());
        PlannedNode { name, member: member.clone(), role: CHAINCODE.into() }
    });
    Ok(nodes.collect())
}

/// The nodes by which a member runs the contracts of a channel that it joins.
#[allow(clippy::result_large_err, reason = "as in the trait")]
pub(crate) fn accept_member(
    spec: &NetworkSpec,
    channel: &str,
    member: &str,
) -> Result<Vec<(PlannedNode, String)>, Problem> {
    let refuse = |message: String| Err(field_problem(Code::ChannelMembers, "member", &message));
    let Some(channel) = spec.channels.iter().find(|known| known.name == channel) else {
        return Err(field_problem(Code::ChannelName, "channel", &format!("The network has no channel `{channel}`.")));
    };
    if channel.members.iter().any(|known| known == member) {
        return refuse(format!("`{member}` is a member of channel `{}` already.", channel.name));
    }
    if layout::peers_of(spec, member).next().is_none() {
        return refuse(format!("`{member}` runs no peer of the network: add one first."));
    }
    let mut taken: Vec<String> = spec.nodes.iter().map(|node| node.name.clone()).collect();
    let run = spec.contracts.iter().filter(|contract| contract.channel == channel.name);
    let nodes = run.map(|contract| {
        let name = node_name(spec, contract, member, &taken);
        taken.push(name.clone());
        (PlannedNode { name, member: member.into(), role: CHAINCODE.into() }, layout::contract_reference(contract))
    });
    Ok(nodes.collect())
}

#[allow(clippy::result_large_err, reason = "as in the trait")]
pub(crate) fn accept_node(spec: &NetworkSpec, member: &str, role: &str) -> Result<PlannedNode, Problem> {
    let prefix = match role {
        ORDERER => {
            let count = layout::nodes(spec, ORDERER).count();
            let most = engine::consensus(&spec.consensus).map_or(0, |kind| kind.max_nodes);
            if count >= most as usize {
                let message = format!(
                    "The network has {count} orderers: no more are offered, since all take part in each block."
                );
                return Err(field_problem(Code::NetworkNodes, "kind", &message));
            }
            ORDERER.to_owned()
        }
        PEER => {
            let most = options::most_peers();
            if layout::peers_of(spec, member).count() as u64 >= most {
                let message = format!("{member} runs {most} peers: no more are offered.");
                return Err(field_problem(Code::NetworkNodes, "kind", &message));
            }
            format!("{PEER}-{member}")
        }
        other => {
            let message = format!("A node of kind `{other}` cannot be added: use `{PEER}` or `{ORDERER}`.");
            return Err(field_problem(Code::NetworkNodes, "kind", &message));
        }
    };
    Ok(PlannedNode { name: spec.next_name(&prefix), member: member.into(), role: role.into() })
}

#[allow(clippy::result_large_err, reason = "as in the trait")]
pub(crate) fn accept_removal(spec: &NetworkSpec, node: &NodeSpec) -> Result<(), Problem> {
    let refuse = |message: String| Err(Code::NodeState.problem(message));
    match node.role.as_str() {
        ORDERER => {
            let left = layout::nodes(spec, ORDERER).count() - 1;
            let least = engine::consensus(&spec.consensus).map_or(1, |kind| kind.min_nodes) as usize;
            if left < least {
                let needed =
                    if spec.consensus == BFT { "BFT needs at least 4 orderers" } else { "It is the only orderer" };
                return refuse(format!("{needed}: add another one first, or delete the network."));
            }
            Ok(())
        }
        PEER if layout::peers_of(spec, &node.member).count() == 1 => {
            let member = &node.member;
            refuse(format!(
                "It is the only peer of {member}, which could neither read nor endorse without: add another one first."
            ))
        }
        PEER => Ok(()),
        CHAINCODE => {
            refuse("It runs a contract for its member, and goes when the contract's next version comes.".into())
        }
        _ => {
            refuse("The member's authority stays as long as its network: those whom it has enrolled rely on it.".into())
        }
    }
}

#[allow(clippy::result_large_err, reason = "as in the trait")]
fn names(contract: &ContractSpec) -> Result<(), Problem> {
    // Fabric's rule for names (`ChaincodeNameRegExp`): letters and digits in groups with one dash or underscore between.
    let letter = |byte: u8| byte.is_ascii_alphanumeric();
    let name = contract.name.as_bytes();
    let groups =
        name.split(|byte| b"-_".contains(byte)).all(|group| !group.is_empty() && group.iter().all(|own| letter(*own)));
    if !groups || name.len() > 64 {
        let message = format!(
            "`{}` is no contract's name: letters and digits, with single dashes or underscores between them, at most 64 in all.",
            contract.name
        );
        return Err(field_problem(Code::NameInvalid, "name", &message));
    }
    if ["lscc", "qscc", "cscc", "escc", "vscc"].contains(&contract.name.as_str()) {
        let message = format!("`{}` is a contract of Fabric's own: take another name.", contract.name);
        return Err(field_problem(Code::NameTaken, "name", &message));
    }
    let version = contract.version.as_bytes();
    if version.is_empty() || version.len() > 64 || !version.iter().all(|byte| letter(*byte) || b"_.+-".contains(byte)) {
        let message =
            format!("`{}` is no version: letters, digits, `_`, `.`, `+` and `-`, at most 64 in all.", contract.version);
        return Err(field_problem(Code::RequestInvalid, "version", &message));
    }
    Ok(())
}

#[allow(clippy::result_large_err, reason = "as in the trait")]
fn policy(channel: &ChannelSpec, text: Option<&str>) -> Result<(), Problem> {
    let Some(text) = text else { return Ok(()) };
    let refuse = |message: String| field_problem(Code::ContractPolicy, "policy", &message);
    let policy: Policy = text.parse().map_err(|failure: fabric_client::Error| refuse(sentence(&failure)))?;
    strangers(channel, &policy).map_err(refuse)
}

#[allow(clippy::result_large_err, reason = "as in the trait")]
fn collections(channel: &ChannelSpec, given: Option<&Value>) -> Result<(), Problem> {
    let refuse = |message: String| field_problem(Code::ContractCollections, "collections", &message);
    for collection in read_collections(given).map_err(|failure| refuse(sentence(&failure)))? {
        let named = collection.endorsement_policy.as_ref().and_then(|own| own.signature_policy.as_ref());
        for text in std::iter::once(&collection.policy).chain(named) {
            // It was parsed when the collections were read.
            let Ok(policy) = text.parse::<Policy>() else { continue };
            strangers(channel, &policy).map_err(|message| refuse(format!("`{}`: {message}", collection.name)))?;
        }
    }
    Ok(())
}

/// The collections of a contract.
pub(crate) fn read_collections(given: Option<&Value>) -> fabric_client::Result<Vec<Collection>> {
    match given {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(given) => lifecycle::collections_from_json(&given.to_string()),
    }
}

/// Fails when a policy names somebody who is not in the channel.
fn strangers(channel: &ChannelSpec, policy: &Policy) -> Result<(), String> {
    let members: Vec<String> = channel.members.iter().map(|member| layout::msp_id(member)).collect();
    match policy.organisations().into_iter().find(|own| !members.iter().any(|member| member == own)) {
        Some(stranger) => Err(format!(
            "`{stranger}` is no member of channel `{}`, whose members are {}.",
            channel.name,
            members.join(", ")
        )),
        None => Ok(()),
    }
}

/// A failure as a sentence.
fn sentence(failure: &fabric_client::Error) -> String {
    let text = failure.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    format!("{}{}.", first.into_iter().collect::<String>(), letters.as_str())
}

/// `NETWORK/NAME-SEQUENCE-MEMBER`, with the channel before it or a number behind it where that is taken.
fn node_name(spec: &NetworkSpec, contract: &ContractSpec, member: &str, taken: &[String]) -> String {
    let plain = |text: &str| -> String {
        let letters =
            text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' });
        letters.collect()
    };
    let tail = format!("{}-{member}", contract.sequence);
    let room = LONGEST_NODE.saturating_sub(tail.len() + 5);
    let named = |head: String, end: &str| {
        let head: String = plain(&head).chars().take(room).collect();
        format!("{}/{}-{tail}{end}", spec.name, head.trim_matches('-'))
    };
    let first = [named(contract.name.clone(), ""), named(format!("{}-{}", contract.channel, contract.name), "")];
    let more = (2..).map(|number| named(contract.name.clone(), &format!("-{number}")));
    let mut names = first.into_iter().chain(more).filter(|name| !taken.contains(name));
    names.next().expect("the numbers do not end")
}
