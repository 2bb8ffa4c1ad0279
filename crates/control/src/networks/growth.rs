//! Adding nodes to running networks and taking them from there.

use driver::{NetworkSpec, NodeSpec};
use store::Tx;
use store::networks::{self, Network, Wanted};
use types::{Code, ConsensusKind, Id, NewNode, Operation, Permission, new_id};

use super::{network_spec, refuse_while_busy};
use crate::idempotency::{self, Idempotency};
use crate::operations::{self, Change, Growth, Wish, set_spec};
use crate::validators::validates;
use crate::{Caller, Control, Error, Result};

impl Control {
    /// Adds a node to a network that runs.
    ///
    /// # Errors
    /// `network.nodes` when the engine's networks do not take one more of its kind, `network.state`, `name.ambiguous` when the
    /// caller acts for several members and names none.
    pub async fn add_node(
        &self,
        caller: &Caller,
        network: &str,
        idempotency: Option<&Idempotency>,
        new: &NewNode,
    ) -> Result<Operation> {
        let mut tx = self.store().begin().await?;
        if let Some(answer) = idempotency::repeated(&mut tx, caller, idempotency).await? {
            return Ok(answer);
        }
        let network = self.find_network(&mut tx, caller, Permission::NetworksRead, network).await?.network;
        let members = networks::named_members(&mut tx, &network.id).await?;
        let member = choose_member(caller, &members, new.member.as_deref())?;
        refuse_while_busy(&mut tx, &network).await?;
        refuse_stopped(&network)?;
        let mut spec = network_spec(&network)?;
        let addable = self.consensus_of(&network)?.addable;
        let role = new.kind.as_ref().or(addable.first());
        let role = role.filter(|role| addable.contains(role)).ok_or_else(|| not_addable(&network, &addable))?;
        let planner = self.driver(&network.engine)?.planner();
        let node = NodeSpec::new(new_id("node"), planner.accept_node(&spec, member, role)?, None);
        spec.spent_names.push(node.name.clone());
        set_spec(&mut tx, &network, &spec).await?;
        let (id, name) = (node.id.clone(), node.name.clone());
        let growth = Growth { nodes: vec![node], joins: None };
        let operation = begin(&mut tx, caller, &network, Change::AddNode, (&id, &name), &growth).await?;
        idempotency::record(&mut tx, caller, idempotency, &operation).await?;
        tx.commit().await?;
        self.runtime().operations_due.notify_one();
        Ok(operation)
    }

    /// Takes a node from its network for good, with all that it keeps.
    ///
    /// # Errors
    /// `node.state` when the network cannot do without it, `network.state`.
    pub async fn delete_node(&self, caller: &Caller, reference: &str) -> Result<Operation> {
        let mut read = self.store().read().await?;
        let (network, node) = self.find_node(&mut read, caller, Permission::NodesRead, reference).await?;
        drop(read);
        caller.require_for(Permission::NodesWrite, &node.organisation)?;
        let kind = self.consensus_of(&network)?;
        if kind.capabilities.iter().any(|own| own == "validators") {
            let set = self.ledger_of(&network).await?.validators().await?;
            if validates(&set, &node.facts) {
                let detail = format!(
                    "{0}/{1} validates: vote it out first (`polder validator vote {1} --network {0} --remove`).",
                    network.name, node.name
                );
                return Err(Error::new(Code::NodeState, detail));
            }
        }
        let mut tx = self.store().begin().await?;
        // As it is now: nobody changes it from here on.
        let network = networks::get(&mut tx, &network.id).await?.ok_or_else(|| Error::not_found("node", reference))?;
        refuse_while_busy(&mut tx, &network).await?;
        refuse_stopped(&network)?;
        let spec: NetworkSpec = network_spec(&network)?;
        let own = spec.nodes.iter().find(|own| own.id == node.id);
        let own = own.ok_or_else(|| Error::not_found("node", reference))?.clone();
        self.driver(&network.engine)?.planner().accept_removal(&spec, &own)?;
        let (id, name) = (own.id.clone(), own.name.clone());
        let growth = Growth { nodes: vec![own], joins: None };
        let operation = begin(&mut tx, caller, &network, Change::DeleteNode, (&id, &name), &growth).await?;
        tx.commit().await?;
        self.runtime().operations_due.notify_one();
        Ok(operation)
    }

    fn consensus_of(&self, network: &Network) -> Result<ConsensusKind> {
        let kinds = self.driver(&network.engine)?.planner().describe().consensus;
        let own = kinds.into_iter().find(|kind| kind.name == network.consensus);
        own.ok_or_else(|| Error::Internal(format!("network {} has an unknown consensus", network.id), None))
    }
}

/// Records a growth of a network that is to be brought about.
pub(crate) async fn begin(
    tx: &mut Tx,
    caller: &Caller,
    network: &Network,
    change: Change,
    (id, name): (&str, &str),
    growth: &Growth,
) -> Result<Operation> {
    let nodes: Vec<_> = growth
        .nodes
        .iter()
        .map(|node| serde_json::json!({"id": node.id, "name": node.name, "member": node.member, "kind": node.role}))
        .collect();
    let joins =
        growth.joins.as_ref().map(|(channel, member)| serde_json::json!({"channel": channel, "member": member}));
    let details =
        serde_json::to_value(growth).map_err(|error| Error::internal("what an operation is to bring about", error))?;
    let audited = serde_json::json!({"name": name, "nodes": nodes, "joins": joins});
    operations::begin(tx, caller, network, Wish { change, subject: (id, name), details, audited }).await
}

/// The member whose node it is to be.
fn choose_member<'a>(caller: &Caller, members: &'a [(String, Id)], given: Option<&str>) -> Result<&'a str> {
    if let Some(given) = given {
        let found = members.iter().find(|(name, id)| name == given || id == given);
        let (name, id) = found
            .ok_or_else(|| Error::field(Code::NotFound, "member", format!("“{given}” is no member of the network.")))?;
        caller.require_for(Permission::NodesWrite, id)?;
        return Ok(name);
    }
    caller.require(Permission::NodesWrite)?;
    let own = members.iter().filter(|(_, id)| caller.has_for(Permission::NodesWrite, id));
    let own: Vec<&str> = own.map(|(name, _)| name.as_str()).collect();
    match own.as_slice() {
        [one] => Ok(one),
        [] => Err(Error::forbidden("You act for no member of this network.")),
        several => {
            let message = format!("You act for several members. Say whose node it is to be: {}.", several.join(", "));
            Err(Error::field(Code::NameAmbiguous, "member", message))
        }
    }
}

fn not_addable(network: &Network, addable: &[String]) -> Error {
    let detail = match addable {
        [] => format!(
            "Nodes cannot be added to {}: a {} network with {} counts on the nodes that it was made with.",
            network.name, network.engine, network.consensus
        ),
        kinds => format!("Nodes of these kinds can be added to {}: {}.", network.name, kinds.join(", ")),
    };
    Error::field(Code::NetworkNodes, "kind", detail)
}

pub(crate) fn refuse_stopped(network: &Network) -> Result<()> {
    match network.wanted {
        Wanted::Stopped => {
            let detail = format!("The network {} is stopped. Start the network.", network.name);
            Err(Error::new(Code::NodeState, detail))
        }
        Wanted::Running => Ok(()),
    }
}
