//! The certificates that a network needs.

use driver::{NetworkSpec, NodeSpec, Result};
use workload::{IdentitySpec, Placements, Usage};

use crate::layout::{self, CA, CHAINCODE, ORDERER};
use crate::plan::REGISTRAR;

/// Every identity: those of the members first.
pub(crate) fn identities(spec: &NetworkSpec, placements: &Placements) -> Result<Vec<IdentitySpec>> {
    let mut all = Vec::new();
    for member in layout::members(spec) {
        let own = |name: String, usage, common_name: &str, role: &str| IdentitySpec {
            name,
            member: member.to_owned(),
            usage,
            common_name: common_name.to_owned(),
            role: role.to_owned(),
            names: Vec::new(),
        };
        all.push(own(layout::admin(member), Usage::Signing, "admin", "admin"));
        all.push(own(layout::admin_tls(member), Usage::Tls, "admin", "admin"));
        all.push(own(layout::user(member), Usage::Signing, "user", "client"));
    }
    for node in &spec.nodes {
        let role = match node.role.as_str() {
            ORDERER => "orderer",
            CHAINCODE | CA => "client",
            _ => "peer",
        };
        let own = |name: String, usage, names| IdentitySpec {
            name,
            member: node.member.clone(),
            usage,
            common_name: layout::short(node).to_owned(),
            role: role.to_owned(),
            names,
        };
        match node.role.as_str() {
            CHAINCODE => {}
            CA => {
                all.push(own(layout::ca_root(&node.member), Usage::Authority, Vec::new()));
                let registrar = own(layout::registrar(&node.member), Usage::Password, Vec::new());
                all.push(IdentitySpec { common_name: REGISTRAR.into(), ..registrar });
            }
            _ => all.push(own(layout::signing(node), Usage::Signing, Vec::new())),
        }
        all.push(own(layout::tls(node), Usage::Tls, hosts(placements, node)?));
    }
    Ok(all)
}

/// The names and addresses by which others connect to a node, and the one by which Polder's own clients do.
fn hosts(placements: &Placements, node: &NodeSpec) -> Result<Vec<String>> {
    let port = layout::port(placements, node, &node.role)?;
    let mut hosts = vec!["localhost".to_owned()];
    for host in [&port.inside.host, &port.between.host, &port.outside.host] {
        // What means "all addresses" is nobody's name.
        if !hosts.contains(host) && !["0.0.0.0", "::"].contains(&host.as_str()) {
            hosts.push(host.clone());
        }
    }
    Ok(hosts)
}
