//! Networks and nodes as the API shows them.

use std::collections::HashMap;

use driver::NetworkSpec;
use serde_json::Value;
use store::Connection;
use store::{networks, nodes};
use types::{Id, Link, Network, NetworkStatus, Node, NodeStatus, Topology};
use workload::Placement;

use crate::{Control, Error, Result};

/// The specification that a network was made with.
pub(crate) fn network_spec(network: &networks::Network) -> Result<NetworkSpec> {
    serde_json::from_value(network.spec.clone())
        .map_err(|error| Error::internal(format!("the specification of network {}", network.id), error))
}

/// The stored placements of a network's nodes.
pub(crate) async fn placements(read: &mut Connection, network: &str) -> Result<workload::Placements> {
    let mut placements = workload::Placements::new();
    for (node, ports) in networks::placements(read, network).await? {
        let mut placement = Placement::default();
        for (port, address) in ports {
            let address = serde_json::from_value(address)
                .map_err(|error| Error::internal(format!("placement of node {node}"), error))?;
            placement.ports.insert(port, address);
        }
        placements.insert(node, placement);
    }
    Ok(placements)
}

impl Control {
    /// A network with its nodes.
    pub(crate) async fn show_network(&self, read: &mut Connection, network: networks::Network) -> Result<Network> {
        let rows = nodes::of_network(read, &network.id).await?;
        let spec = network_spec(&network)?;
        let channels = spec.channels.into_iter().map(|channel| channel.name).collect();
        let attached = spec.attached.as_ref().map(super::attach::shown).transpose()?;
        let nodes = self.show_nodes(read, &network, rows).await?;
        let rpc = match self.speaks_json_rpc(&network.engine) {
            true => {
                let consortium = store::consortia::find(read, &network.consortium).await?;
                consortium.map(|consortium| types::rpc_path(&consortium.name, &network.name))
            }
            false => None,
        };
        Ok(Network {
            height: match attached {
                // The newest that it told, while it answers.
                Some(_) => network
                    .height
                    .filter(|_| matches!(network.status, NetworkStatus::Running | NetworkStatus::Degraded)),
                None => nodes.iter().filter_map(|node| node.height).max(),
            },
            id: network.id,
            name: network.name,
            consortium: network.consortium,
            version: network.spec["version"].as_str().map(str::to_owned),
            engine: network.engine,
            consensus: network.consensus,
            status: network.status,
            status_reason: network.status_reason,
            chain_id: network.chain_id,
            rpc,
            nodes,
            attached,
            channels,
            options: network.options,
            created_at: network.created_at,
        })
    }

    /// Nodes of one network.
    pub(crate) async fn show_nodes(
        &self,
        read: &mut Connection,
        network: &networks::Network,
        rows: Vec<nodes::Node>,
    ) -> Result<Vec<Node>> {
        let members: HashMap<Id, String> =
            network_spec(network)?.nodes.into_iter().map(|node| (node.id, node.member)).collect();
        let placements = placements(read, &network.id).await?;
        let planner = self.drivers().get(&network.engine).map(|driver| driver.planner());
        let (usage, limits) = (self.runtime().usage.lock(), self.runtime().limits.lock());
        let show = |row: nodes::Node| {
            let answers = matches!(row.status, NodeStatus::Running | NodeStatus::Unhealthy);
            let endpoints = match (planner, placements.get(&row.id)) {
                (Some(planner), Some(placement)) if answers => planner.endpoints(placement),
                _ => driver::Endpoints::default(),
            };
            let addresses =
                placements.get(&row.id).filter(|_| answers).into_iter().flat_map(|placement| &placement.ports);
            let addresses = addresses.map(|(name, port)| (name.clone(), port.outside.to_string())).collect();
            Node {
                name: format!("{}/{}", network.name, row.name),
                member: members.get(&row.id).cloned().unwrap_or_default(),
                height: row.height.filter(|_| answers),
                rpc: endpoints.rpc,
                ws: endpoints.ws,
                addresses,
                wanted: row.wanted && network.wanted == networks::Wanted::Running,
                pid: row.pid,
                usage: usage.get(&row.id).filter(|_| row.pid.is_some()).cloned(),
                limits: limits.get(&row.id).filter(|_| row.pid.is_some()).cloned(),
                id: row.id,
                network: row.network,
                organisation: row.organisation,
                role: row.role,
                status: row.status,
                status_reason: row.status_reason,
                host: row.host,
                restarts: row.restarts,
                started_at: row.started_at,
                facts: row.facts,
            }
        };
        Ok(rows.into_iter().map(show).collect())
    }
}

/// Which node sees which, by the peers that each reports. A link is listed once; it is up when either end says so.
pub(crate) fn topology(nodes: Vec<Node>) -> Topology {
    let fact = |node: &Node, name: &str| node.facts.get(name).and_then(Value::as_str).map(str::to_owned);
    let by_identity: HashMap<String, Id> =
        nodes.iter().filter_map(|node| Some((fact(node, "publicKey")?, node.id.clone()))).collect();
    let mut links: Vec<Link> = Vec::new();
    for node in &nodes {
        for peer in node.facts.get("peers").and_then(Value::as_array).into_iter().flatten() {
            let identity = peer.get("identity").and_then(Value::as_str).unwrap_or_default();
            let connected = node.height.is_some() && peer.get("connected").and_then(Value::as_bool).unwrap_or_default();
            let Some(other) = by_identity.get(identity).filter(|other| **other != node.id) else { continue };
            let known = links.iter_mut().find(|link| {
                (link.from == node.id && link.to == *other) || (link.to == node.id && link.from == *other)
            });
            match known {
                Some(link) => link.connected |= connected,
                None => links.push(Link { from: node.id.clone(), to: other.clone(), connected }),
            }
        }
    }
    // Nodes that run agree on the leader but for moments: the one that the highest node names is shown.
    let leader = nodes
        .iter()
        .filter(|node| node.height.is_some())
        .max_by_key(|node| node.height)
        .and_then(|node| by_identity.get(&fact(node, "leader")?).cloned());
    Topology { nodes, links, leader }
}
