//! Planning networks of Fabric's programs. Pure: certificates are asked for first, the rest follows from them.

mod accept;
mod additions;
mod ca;
mod engine;
mod genesis;
mod identities;
mod options;
pub(crate) mod services;
pub(crate) mod steps;
#[cfg(test)]
mod tests;

use driver::{
    Accepted, ChannelSpec, ContractSpec, Draft, Endpoints, Keys, LedgerNetwork, NetworkSpec, NodeSpec, Planner,
    Profile, Result,
};
use types::{PlannedNode, Problem};
use workload::{Outputs, Placement, Placements, Plan, PortSpec};

pub(crate) use additions::read_collections;
pub(crate) use ca::REGISTRAR;
pub use genesis::genesis_block;
pub(crate) use genesis::{anchors, consenters, orderer_organisations};

use crate::layout::{ADMIN_PORT, CA, CHAINCODE, OPERATIONS_PORT, ORDERER, PEER};
use crate::profile;

/// Plans networks of Fabric.
pub(crate) struct FabricPlanner;

impl Planner for FabricPlanner {
    fn describe(&self) -> types::Engine {
        engine::describe()
    }

    fn accept(&self, draft: &Draft) -> std::result::Result<Accepted, Problem> {
        accept::accept(draft)
    }

    fn ports(&self, role: &str) -> Vec<PortSpec> {
        ports(role)
    }

    fn keeps_ledger(&self, role: &str) -> bool {
        [PEER, ORDERER].contains(&role)
    }

    fn plan(&self, spec: &NetworkSpec, placements: &Placements, outputs: &Outputs) -> Result<Plan> {
        let identities = identities::identities(spec, placements)?;
        if identities.iter().any(|identity| !outputs.contains_key(&identity.name)) {
            return Ok(Plan { identities, ..Plan::default() });
        }
        let plans = services::Plans { spec, placements, outputs };
        Ok(Plan {
            services: spec.nodes.iter().map(|node| plans.service(node)).collect::<Result<_>>()?,
            steps: steps::steps(spec),
            identities,
            complete: true,
            ..Plan::default()
        })
    }

    fn accept_channel(&self, spec: &NetworkSpec, channel: &ChannelSpec) -> std::result::Result<(), Problem> {
        additions::accept_channel(spec, channel)
    }

    fn accept_contract(
        &self,
        spec: &NetworkSpec,
        contract: &ContractSpec,
    ) -> std::result::Result<Vec<PlannedNode>, Problem> {
        additions::accept_contract(spec, contract)
    }

    fn accept_member(
        &self,
        spec: &NetworkSpec,
        channel: &str,
        member: &str,
    ) -> std::result::Result<Vec<(PlannedNode, String)>, Problem> {
        additions::accept_member(spec, channel, member)
    }

    fn accept_node(&self, spec: &NetworkSpec, member: &str, role: &str) -> std::result::Result<PlannedNode, Problem> {
        additions::accept_node(spec, member, role)
    }

    fn accept_removal(&self, spec: &NetworkSpec, node: &NodeSpec) -> std::result::Result<(), Problem> {
        additions::accept_removal(spec, node)
    }

    fn profile(&self, network: &LedgerNetwork, member: &str, keys: Keys<'_>) -> Result<Profile> {
        profile::profile(network, member, keys)
    }

    fn endpoints(&self, _placement: &Placement) -> Endpoints {
        // Neither JSON-RPC nor anything like it: clients get a profile.
        Endpoints::default()
    }
}

fn ports(role: &str) -> Vec<PortSpec> {
    let names: &[&str] = match role {
        ORDERER => &[ORDERER, ADMIN_PORT, OPERATIONS_PORT],
        CHAINCODE => &[CHAINCODE],
        CA => &[CA, OPERATIONS_PORT],
        _ => &[PEER, CHAINCODE, OPERATIONS_PORT],
    };
    names.iter().map(|name| PortSpec::tcp(name)).collect()
}
