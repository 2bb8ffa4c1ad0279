//! What planner and ledger agree on: names of identities, ports and MSPs, and who is who in a specification.

use driver::{ContractSpec, Error, NetworkSpec, NodeSpec, Result};
use fabric_client::channel::Address;
use fabric_client::msp::Msp;
use fabric_client::package::{self, Package, Service};
use workload::{Outputs, Placements, PortAddress};

/// Roles of nodes.
pub(crate) const ORDERER: &str = "orderer";
pub(crate) const PEER: &str = "peer";
pub(crate) const CHAINCODE: &str = "chaincode";
pub(crate) const CA: &str = "ca";

/// Ports of nodes; the two main ones are named as the roles are.
pub(crate) const ADMIN_PORT: &str = "admin";
pub(crate) const OPERATIONS_PORT: &str = "operations";

/// Kinds of consensus.
pub(crate) const RAFT: &str = "raft";
pub(crate) const BFT: &str = "bft";

/// The version that is taken where a specification names none: the newest that the tests run.
pub(crate) const TESTED_VERSION: &str = "3.1.1";

/// Whether a version is older than 3.
pub(crate) fn before_3(version: Option<&str>) -> bool {
    let version = version.unwrap_or(TESTED_VERSION).trim_start_matches('v');
    version.split('.').next().and_then(|major| major.parse::<u32>().ok()).is_some_and(|major| major < 3)
}

/// The id of a member's MSP. Fabric takes letters, digits, dots and dashes.
pub(crate) fn msp_id(member: &str) -> String {
    let legal = |letter: char| letter.is_ascii_alphanumeric() || ".-".contains(letter);
    let name: String = member.chars().map(|letter| if legal(letter) { letter } else { '-' }).collect();
    format!("{name}MSP")
}

/// A node's name within its network.
pub(crate) fn short(node: &NodeSpec) -> &str {
    node.name.rsplit('/').next().unwrap_or(&node.name)
}

/// Names of a node's identities.
pub(crate) fn signing(node: &NodeSpec) -> String {
    format!("{}/signing", short(node))
}

pub(crate) fn tls(node: &NodeSpec) -> String {
    format!("{}/tls", short(node))
}

/// The name of a member's Fabric CA, as a node within the network and as its clients know it.
pub(crate) fn ca(member: &str) -> String {
    format!("ca-{member}")
}

/// The root by which a member's Fabric CA issues.
pub(crate) fn ca_root(member: &str) -> String {
    format!("{}/root", ca(member))
}

/// The identity that a member's Fabric CA knows from the start: it registers others.
pub(crate) fn registrar(member: &str) -> String {
    format!("{}/registrar", ca(member))
}

/// Names of a member's identities.
pub(crate) fn admin(member: &str) -> String {
    format!("{member}/admin")
}

pub(crate) fn admin_tls(member: &str) -> String {
    format!("{member}/admin-tls")
}

pub(crate) fn user(member: &str) -> String {
    format!("{member}/user")
}

/// Address of a member's account.
pub(crate) fn account(member: &str) -> String {
    format!("{}/user", msp_id(member))
}

/// The nodes of a role.
pub(crate) fn nodes<'a>(spec: &'a NetworkSpec, role: &'a str) -> impl Iterator<Item = &'a NodeSpec> {
    spec.nodes.iter().filter(move |node| node.role == role)
}

/// A member's peers.
pub(crate) fn peers_of<'a>(spec: &'a NetworkSpec, member: &'a str) -> impl Iterator<Item = &'a NodeSpec> {
    nodes(spec, PEER).filter(move |node| node.member == member)
}

/// A member's Fabric CA, where it has one.
pub(crate) fn ca_of<'a>(spec: &'a NetworkSpec, member: &str) -> Option<&'a NodeSpec> {
    nodes(spec, CA).find(|node| node.member == member)
}

/// The members, in the order of their nodes. Each runs a peer.
pub(crate) fn members(spec: &NetworkSpec) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for node in nodes(spec, PEER).chain(nodes(spec, ORDERER)) {
        if !found.contains(&node.member.as_str()) {
            found.push(&node.member);
        }
    }
    found
}

/// Where a port of a node is.
pub(crate) fn port<'a>(placements: &'a Placements, node: &NodeSpec, name: &str) -> Result<&'a PortAddress> {
    placements
        .get(&node.id)
        .and_then(|placement| placement.port(name))
        .ok_or_else(|| Error::Protocol(format!("{} has no address for its port `{name}`", node.name)))
}

/// Where other nodes reach a node's main port.
pub(crate) fn between(placements: &Placements, node: &NodeSpec) -> Result<Address> {
    let address = &port(placements, node, &node.role)?.between;
    Ok(Address::new(&address.host, address.port))
}

/// A part of an identity's output.
fn part<'a>(outputs: &'a Outputs, identity: &str, part: &str) -> Result<&'a str> {
    outputs
        .get(identity)
        .and_then(|output| output.get(part))
        .map(String::as_str)
        .ok_or_else(|| Error::Protocol(format!("the {part} of identity `{identity}` is missing")))
}

/// The certificate of an identity, PEM.
pub(crate) fn certificate<'a>(outputs: &'a Outputs, identity: &str) -> Result<&'a str> {
    part(outputs, identity, "certificate")
}

/// The certificate of who issued an identity, PEM.
pub(crate) fn authority<'a>(outputs: &'a Outputs, identity: &str) -> Result<&'a str> {
    part(outputs, identity, "authority")
}

/// A member's MSP. The root of its Fabric CA stands beside that of Polder's own authority for it.
pub(crate) fn msp(outputs: &Outputs, member: &str) -> Result<Msp> {
    let mut roots = vec![authority(outputs, &admin(member))?.to_owned()];
    roots.extend(certificate(outputs, &ca_root(member)).ok().map(str::to_owned));
    Ok(Msp {
        id: msp_id(member),
        roots,
        tls_roots: vec![authority(outputs, &admin_tls(member))?.to_owned()],
        ..Msp::default()
    })
}

/// How a specification's nodes name a version of a contract.
pub(crate) fn contract_reference(contract: &ContractSpec) -> String {
    format!("{}/{}/{}", contract.channel, contract.name, contract.sequence)
}

/// The node that runs a contract for a member.
pub(crate) fn contract_node<'a>(spec: &'a NetworkSpec, contract: &ContractSpec, member: &str) -> Option<&'a NodeSpec> {
    let reference = contract_reference(contract);
    nodes(spec, CHAINCODE).find(|node| node.member == member && node.contract.as_ref() == Some(&reference))
}

/// The package by which a member's peers find the contract's service. The same inputs give the same package, and with it
/// the same id.
pub(crate) fn package(
    placements: &Placements,
    outputs: &Outputs,
    contract: &ContractSpec,
    node: &NodeSpec,
) -> Result<Package> {
    let service = Service {
        tls_required: true,
        root_cert: authority(outputs, &tls(node))?.to_owned(),
        ..Service::at(port(placements, node, CHAINCODE)?.between.to_string())
    };
    let label = format!("{}_{}", contract.name, contract.sequence);
    package::service(&label, &service, &Default::default())
        .map_err(|failure| Error::Protocol(format!("the package of {} cannot be made: {failure}", contract.name)))
}
