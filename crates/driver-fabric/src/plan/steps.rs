//! What is done on the running network, in order.

use std::collections::BTreeMap;

use driver::{ChannelSpec, ContractSpec, NetworkSpec, NodeSpec};
use workload::StepSpec;

use crate::layout::{self, ORDERER};

pub(crate) const JOIN_ORDERER: &str = "join-orderer";
pub(crate) const JOIN_PEER: &str = "join-peer";
pub(crate) const ADMIT: &str = "admit";
pub(crate) const ANNOUNCE: &str = "announce";
pub(crate) const ORDERERS: &str = "orderers";
pub(crate) const ANCHORS: &str = "anchors";
pub(crate) const ENDORSERS: &str = "endorsers";
pub(crate) const INSTALL: &str = "install";
pub(crate) const APPROVE: &str = "approve";
pub(crate) const COMMIT: &str = "commit";
pub(crate) const CONTRACT_READY: &str = "contract-ready";

/// All steps: channel by channel, then contract by contract.
pub(crate) fn steps(spec: &NetworkSpec) -> Vec<StepSpec> {
    let mut steps = Vec::new();
    for channel in &spec.channels {
        channel_steps(spec, channel, &mut steps);
    }
    for contract in &spec.contracts {
        contract_steps(spec, contract, &mut steps);
    }
    steps
}

fn step(name: String, title: String, after: Vec<String>, action: &str, parameters: &[(&str, &str)]) -> StepSpec {
    let parameters: BTreeMap<String, String> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    StepSpec { name, title, after, action: action.to_owned(), parameters, restart: None }
}

fn endorsers(channel: &str) -> String {
    format!("endorsers {channel}")
}

fn channel_steps(spec: &NetworkSpec, channel: &ChannelSpec, steps: &mut Vec<StepSpec>) {
    let name = channel.name.as_str();
    let mut joined = Vec::new();
    let mut join = |node: &NodeSpec, action: &str, after: &[String]| {
        let short = layout::short(node);
        let own = format!("join {name} {short}");
        let after = after.iter().cloned().chain([node.name.clone()]).collect();
        let parameters = [("node", node.id.as_str()), ("channel", name)];
        let title = format!("{short} joins channel {name}");
        joined.push(own.clone());
        step(own, title, after, action, &parameters)
    };
    steps.extend(layout::nodes(spec, ORDERER).map(|node| join(node, JOIN_ORDERER, &[])));
    let mut admitted = Vec::new();
    for member in &channel.joined {
        let own = format!("admit {name} {member}");
        let title = format!("The members of channel {name} admit {member}");
        steps.push(step(own.clone(), title, admitted, ADMIT, &[("member", member), ("channel", name)]));
        admitted = vec![own];
    }
    let peers = channel.members.iter().flat_map(|member| layout::peers_of(spec, member));
    steps.extend(peers.map(|node| join(node, JOIN_PEER, &admitted)));
    // A peer that joined by a first block that does not name its member tells others nothing of the channel until it is started
    // anew (Fabric, `gossip/service/gossip_service.go`: what it would tell was thrown away before).
    for node in channel.joined.iter().flat_map(|member| layout::peers_of(spec, member)) {
        let short = layout::short(node);
        let own = format!("announce {name} {short}");
        let title = format!("{short} starts anew, to be known in channel {name}");
        let parameters = [("node", node.id.as_str()), ("channel", name)];
        let after = vec![format!("join {name} {short}")];
        steps.push(StepSpec {
            restart: Some(node.id.clone()),
            ..step(own.clone(), title, after, ANNOUNCE, &parameters)
        });
        joined.push(own);
    }
    // One after the other: of two updates of one configuration at a time, one is refused.
    let mut after = joined;
    // A new orderer follows before it is counted on; one that leaves does so when it no longer is.
    if !spec.spent_names.is_empty() {
        let own = format!("orderers {name}");
        let title = format!("The members of channel {name} agree on who orders");
        steps.push(step(own.clone(), title, after, ORDERERS, &[("channel", name)]));
        after = vec![own];
    }
    for member in &channel.members {
        let own = format!("anchors {name} {member}");
        let title = format!("Tell channel {name} where {member}'s peers are found");
        let parameters = [("member", member.as_str()), ("channel", name)];
        steps.push(step(own.clone(), title, after, ANCHORS, &parameters));
        after = vec![own];
    }
    let title = format!("Wait until the members of channel {name} see each other and an orderer leads");
    steps.push(step(endorsers(name), title, after, ENDORSERS, &[("channel", name)]));
}

/// Nothing for a version whose nodes are gone: it was replaced, and its service with it.
fn contract_steps(spec: &NetworkSpec, contract: &ContractSpec, steps: &mut Vec<StepSpec>) {
    let reference = layout::contract_reference(contract);
    let sequence = contract.sequence.to_string();
    let (channel, name) = (contract.channel.as_str(), contract.name.as_str());
    let shared = [("channel", channel), ("name", name), ("sequence", sequence.as_str())];
    let run = layout::nodes(spec, layout::CHAINCODE).filter(|node| node.contract.as_ref() == Some(&reference));
    let version = format!("{name} {} on channel {channel}", contract.version);
    let before = format!("ready {channel}/{name}/{}", contract.sequence - 1);
    let before = if steps.iter().any(|own| own.name == before) { before } else { endorsers(channel) };
    let mut approved = Vec::new();
    for node in run {
        let member = node.member.as_str();
        let parameters: Vec<(&str, &str)> = shared.iter().copied().chain([("member", member)]).collect();
        let install = format!("install {reference} {member}");
        let title = format!("Install {version} on {member}'s peers");
        steps.push(step(install.clone(), title, vec![before.clone()], INSTALL, &parameters));
        let approve = format!("approve {reference} {member}");
        let title = format!("{member} approves {version}");
        steps.push(step(approve.clone(), title, vec![install, node.name.clone()], APPROVE, &parameters));
        approved.push(approve);
    }
    if approved.is_empty() {
        return;
    }
    let commit = format!("commit {reference}");
    steps.push(step(commit.clone(), format!("Commit {version}"), approved, COMMIT, &shared));
    let title = format!("Wait until members can endorse {version}");
    steps.push(step(format!("ready {reference}"), title, vec![commit], CONTRACT_READY, &shared));
}
