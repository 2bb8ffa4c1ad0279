//! Planning networks of the family's programs. Pure: keys are made by jobs in the nodes' volumes, and the genesis follows
//! from the specification and their public halves.

mod accept;
mod besu;
mod dev;
mod engine;
mod extra;
mod genesis;
mod geth;
mod jobs;
mod options;
mod quorum;
#[cfg(test)]
mod tests;

pub(crate) use engine::{DEV, RAFT};

use alloy_primitives::{Address, hex, keccak256};
use driver::{Accepted, Draft, Endpoints, Error, NetworkSpec, NodeSpec, Planner, Result};
use evm_ledger::RPC_PORT;
use types::{PlannedNode, Problem};
use workload::{HostPort, Outputs, Placement, Placements, Plan, PortAddress, PortSpec, Probe, Service, Stop};

/// Where other nodes connect.
const P2P_PORT: &str = "p2p";
/// Where GoQuorum's nodes agree by Raft.
const RAFT_PORT: &str = "raft";
/// The one role that planned nodes have.
const VALIDATOR: &str = "validator";
/// What the genesis is recorded as: it names the nodes that a network was made with, whatever others come.
const GENESIS: &str = "genesis";
/// The output of the job that tells a node's public key.
const PUBLIC_KEY: &str = "publicKey";

/// One engine of the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// GoQuorum.
    Quorum,
    /// go-ethereum.
    Geth,
    /// Hyperledger Besu.
    Besu,
}

/// Plans networks of one engine.
pub(crate) struct EvmPlanner(pub(crate) Family);

impl Planner for EvmPlanner {
    fn describe(&self) -> types::Engine {
        engine::describe(self.0)
    }

    fn accept(&self, draft: &Draft) -> std::result::Result<Accepted, Problem> {
        accept::accept(self.0, draft)
    }

    fn ports(&self, _role: &str) -> Vec<PortSpec> {
        ports(self.0)
    }

    fn plan(&self, spec: &NetworkSpec, placements: &Placements, outputs: &Outputs) -> Result<Plan> {
        if spec.consensus == engine::DEV {
            return dev::plan(spec, placements);
        }
        let mut jobs = Vec::new();
        for node in &spec.nodes {
            jobs.extend(self.key_jobs(spec, node));
        }
        let Some(keys) = public_keys(spec, outputs)? else {
            return Ok(Plan { jobs, ..Plan::default() });
        };
        let recorded = outputs.get(GENESIS).and_then(|record| record.get(GENESIS)).cloned();
        let network = Network::new(self.0, spec, placements, &keys, recorded)?;
        for member in &network.nodes {
            jobs.extend(match self.0 {
                Family::Quorum => quorum::jobs(&network, member),
                Family::Geth => geth::jobs(&network, member),
                Family::Besu => Vec::new(),
            });
        }
        let services = network.nodes.iter().map(|member| match self.0 {
            Family::Quorum => quorum::service(&network, member),
            Family::Geth => geth::service(&network, member),
            Family::Besu => besu::service(&network, member),
        });
        let services = services.collect::<Result<_>>()?;
        let steps = match self.0 {
            Family::Geth => vec![geth::first_block(&network)],
            Family::Quorum | Family::Besu => Vec::new(),
        };
        let genesis = [(GENESIS.to_owned(), network.genesis.clone())].into();
        let records = [(GENESIS.to_owned(), genesis)].into();
        Ok(Plan { services, jobs, steps, records, complete: true, ..Plan::default() })
    }

    fn accept_node(&self, spec: &NetworkSpec, member: &str, _role: &str) -> std::result::Result<PlannedNode, Problem> {
        accept::accept_node(self.0, spec, member)
    }

    fn accept_removal(&self, spec: &NetworkSpec, _node: &NodeSpec) -> std::result::Result<(), Problem> {
        accept::accept_removal(self.0, spec)
    }

    fn endpoints(&self, placement: &Placement) -> Endpoints {
        let address =
            |scheme: &str, port: &str| placement.port(port).map(|port| format!("{scheme}://{}", port.outside));
        let ws = match self.0 {
            Family::Besu => besu::WS_PORT,
            Family::Quorum | Family::Geth => RPC_PORT,
        };
        Endpoints { rpc: address("http", RPC_PORT), ws: address("ws", ws) }
    }
}

impl EvmPlanner {
    fn key_jobs(&self, spec: &NetworkSpec, node: &NodeSpec) -> Vec<workload::Job> {
        match self.0 {
            Family::Quorum | Family::Geth => jobs::bootnode_key(&program(self.0, spec, "bootnode"), node).into(),
            Family::Besu => vec![besu::key_job(spec, node)],
        }
    }
}

/// A network whose keys are known.
struct Network<'a> {
    spec: &'a NetworkSpec,
    nodes: Vec<Member<'a>>,
    genesis: String,
}

/// A node with its key and its addresses.
struct Member<'a> {
    node: &'a NodeSpec,
    /// 128 hexadecimal digits.
    key: &'a str,
    /// Its account: what signs its blocks.
    address: Address,
    rpc: &'a PortAddress,
    p2p: &'a PortAddress,
    /// Where the engine has one.
    third: Option<&'a PortAddress>,
}

impl<'a> Network<'a> {
    fn new(
        family: Family,
        spec: &'a NetworkSpec,
        placements: &'a Placements,
        keys: &'a [PublicKey],
        genesis: Option<String>,
    ) -> Result<Self> {
        let third = match family {
            Family::Quorum => Some(RAFT_PORT),
            Family::Geth => None,
            Family::Besu => Some(besu::WS_PORT),
        };
        let member = |(node, key): (&'a NodeSpec, &'a PublicKey)| {
            let third = third.map(|name| port(placements, node, name)).transpose()?;
            let (rpc, p2p) = (port(placements, node, RPC_PORT)?, port(placements, node, P2P_PORT)?);
            Ok(Member { node, key: &key.digits, address: key.address, rpc, p2p, third })
        };
        let nodes = spec.nodes.iter().zip(keys).map(member).collect::<Result<Vec<_>>>()?;
        let addresses: Vec<Address> = nodes.iter().map(|member| member.address).collect();
        let genesis = genesis.unwrap_or_else(|| genesis::file(family, spec, &addresses));
        Ok(Self { spec, nodes, genesis })
    }

    /// An option's value.
    fn option(&self, name: &str) -> u64 {
        options::number(self.spec, name)
    }

    /// The nodes beside one.
    fn others(&self, own: &Member<'_>) -> impl Iterator<Item = &Member<'a>> {
        let own = own.node.id.clone();
        self.nodes.iter().filter(move |member| member.node.id != own)
    }
}

impl Member<'_> {
    /// How other nodes find it: its key and where it listens.
    fn enode(&self) -> String {
        format!("enode://{}@{}", self.key, self.p2p.between)
    }
}

/// A node's public key.
struct PublicKey {
    /// 128 hexadecimal digits, lower case.
    digits: String,
    address: Address,
}

/// The nodes' public keys in the nodes' order; none while one is missing.
fn public_keys(spec: &NetworkSpec, outputs: &Outputs) -> Result<Option<Vec<PublicKey>>> {
    let mut keys: Vec<PublicKey> = Vec::with_capacity(spec.nodes.len());
    for node in &spec.nodes {
        let Some(output) = outputs.get(&jobs::public_key_name(node)) else { return Ok(None) };
        let text = output.get(PUBLIC_KEY).map(|text| text.trim()).unwrap_or_default();
        let digits = text.trim_start_matches("0x").to_ascii_lowercase();
        let bytes = hex::decode(&digits).ok().filter(|bytes| bytes.len() == 64);
        let wrong = || Error::Protocol(format!("the key of {} is not 128 hexadecimal digits: `{text}`", node.name));
        // An account's address (Yellow Paper, section 7): the last 20 bytes of the hash of its key.
        let address = Address::from_slice(&keccak256(bytes.ok_or_else(wrong)?)[12..]);
        if keys.iter().any(|key| key.address == address) {
            return Err(Error::Protocol(format!("{} has the same key as another node", node.name)));
        }
        keys.push(PublicKey { digits, address });
    }
    Ok(Some(keys))
}

fn port<'a>(placements: &'a Placements, node: &NodeSpec, name: &str) -> Result<&'a PortAddress> {
    placements
        .get(&node.id)
        .and_then(|placement| placement.port(name))
        .ok_or_else(|| Error::Protocol(format!("{} has no address for its port `{name}`", node.name)))
}

fn ports(family: Family) -> Vec<PortSpec> {
    let names: &[&str] = match family {
        Family::Quorum => &[RPC_PORT, P2P_PORT, RAFT_PORT],
        Family::Geth => &[RPC_PORT, P2P_PORT],
        Family::Besu => &[RPC_PORT, P2P_PORT, besu::WS_PORT],
    };
    names.iter().map(|name| PortSpec::tcp(name)).collect()
}

/// What the host resolves to a program of the network's version of the engine.
fn program(family: Family, spec: &NetworkSpec, program: &str) -> String {
    let engine = engine::name(family);
    let version = spec.version.as_deref().unwrap_or_else(|| engine::tested_version(family, &spec.consensus));
    format!("{engine}-{version}/{program}")
}

/// Host and port, each as a command line takes them.
fn apart(address: &HostPort) -> (String, String) {
    (address.host.clone(), address.port.to_string())
}

/// What all services of the family have alike.
fn service(family: Family, node: &NodeSpec, program: workload::Program, readiness: Probe) -> Service {
    Service {
        name: node.name.clone(),
        node: node.id.clone(),
        after: vec![jobs::last_name(family, node)],
        program,
        ports: ports(family),
        volumes: Vec::new(),
        readiness,
        // A node writes what it holds in memory before it ends.
        stop: Stop { grace_ms: 30_000, ..Stop::default() },
        resources: workload::Resources::default(),
    }
}
