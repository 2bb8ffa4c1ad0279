//! Starting, stopping, restarting and deleting networks and nodes.

use store::networks::{Network, Phase, Wanted};
use store::{NewAudit, Tx, networks, nodes, operations};
use types::{Code, NetworkStatus, Operation, Permission};

use super::{attached_error, network_spec, refuse_stopped};
use crate::operations::{Change, Subject, new_operation};
use crate::{Caller, Control, Error, Result};

impl Control {
    /// Starts all nodes of a network.
    pub async fn start_network(&self, caller: &Caller, reference: &str) -> Result<Operation> {
        self.change_network(caller, reference, Change::StartNetwork).await
    }

    /// Stops all nodes of a network; its data stays.
    pub async fn stop_network(&self, caller: &Caller, reference: &str) -> Result<Operation> {
        self.change_network(caller, reference, Change::StopNetwork).await
    }

    /// Stops all nodes of a network, then starts them.
    pub async fn restart_network(&self, caller: &Caller, reference: &str) -> Result<Operation> {
        self.change_network(caller, reference, Change::RestartNetwork).await
    }

    /// Stops a network for good and removes its nodes with all that they keep.
    pub async fn delete_network(&self, caller: &Caller, reference: &str) -> Result<Operation> {
        self.change_network(caller, reference, Change::DeleteNetwork).await
    }

    /// Starts a node, given by its id or `NETWORK/NODE`.
    pub async fn start_node(&self, caller: &Caller, reference: &str) -> Result<Operation> {
        self.change_node(caller, reference, Change::StartNode).await
    }

    /// Stops a node; its data stays.
    pub async fn stop_node(&self, caller: &Caller, reference: &str) -> Result<Operation> {
        self.change_node(caller, reference, Change::StopNode).await
    }

    /// Stops a node, then starts it.
    pub async fn restart_node(&self, caller: &Caller, reference: &str) -> Result<Operation> {
        self.change_node(caller, reference, Change::RestartNode).await
    }

    async fn change_network(&self, caller: &Caller, reference: &str, change: Change) -> Result<Operation> {
        let mut tx = self.store().begin().await?;
        let network = self.find_network(&mut tx, caller, Permission::NetworksRead, reference).await?.network;
        self.require_for_network(&mut tx, caller, Permission::NetworksWrite, &network).await?;
        refuse_attached(&network, change)?;
        check_phase(&network, change)?;
        apply_to_network(&mut tx, &network, change).await?;
        let subject = (network.id.clone(), network.name.clone());
        self.begin_change(tx, caller, &network, subject, change).await
    }

    async fn change_node(&self, caller: &Caller, reference: &str, change: Change) -> Result<Operation> {
        let mut tx = self.store().begin().await?;
        let (network, node) = self.find_node(&mut tx, caller, Permission::NodesRead, reference).await?;
        caller.require_for(Permission::NodesWrite, &node.organisation)?;
        check_phase(&network, change)?;
        if change != Change::StopNode {
            refuse_stopped(&network)?;
        }
        nodes::set_wanted(&mut tx, &node.id, change != Change::StopNode).await?;
        let subject = (node.id.clone(), format!("{}/{}", network.name, node.name));
        self.begin_change(tx, caller, &network, subject, change).await
    }

    async fn begin_change(
        &self,
        mut tx: Tx,
        caller: &Caller,
        network: &Network,
        (subject, name): (String, String),
        change: Change,
    ) -> Result<Operation> {
        refuse_while_active(&mut tx, network).await?;
        let changed = Subject { id: &subject, name: &name, scope: &network.id, consortium: &network.consortium };
        let operation = new_operation(change, &changed, caller);
        operations::insert(&mut tx, &operation).await.map_err(|error| match error {
            // Only on PostgreSQL: another server began a change at the same time.
            store::Error::Taken { .. } => Error::new(
                Code::NetworkState,
                format!("Another change of the network {} has just begun. Wait until it has ended.", network.name),
            ),
            other => other.into(),
        })?;
        let members = networks::members(&mut tx, &network.id).await?;
        let entry = NewAudit {
            actor: caller.actor().to_string(),
            action: change.kind(),
            subject: format!("{} {subject}", if subject == network.id { "network" } else { "node" }),
            organisation: None,
            details: serde_json::json!({"name": name}),
        };
        tx.audit_each(&members, entry);
        tx.change("network", &network.id, Some(&network.id));
        tx.change("operation", &operation.shown.id, Some(&network.id));
        tx.commit().await?;
        self.runtime().operations_due.notify_one();
        Ok(operation.shown)
    }
}

/// Fails unless a network is ready and nothing changes it now.
pub(crate) async fn refuse_while_busy(tx: &mut Tx, network: &Network) -> Result<()> {
    refuse_attached(network, Change::StartNetwork)?;
    check_phase(network, Change::StartNetwork)?;
    refuse_while_active(tx, network).await
}

async fn refuse_while_active(tx: &mut Tx, network: &Network) -> Result<()> {
    match operations::active_of(tx, &network.id).await? {
        Some(active) => Err(busy(network, &active)),
        None => Ok(()),
    }
}

/// Of a network that others run only the record here can be removed.
fn refuse_attached(network: &Network, change: Change) -> Result<()> {
    match network_spec(network)?.attached {
        Some(_) if change != Change::DeleteNetwork => Err(attached_error(&network.name)),
        _ => Ok(()),
    }
}

fn check_phase(network: &Network, change: Change) -> Result<()> {
    let refuse = |detail: String| Err(Error::new(Code::NetworkState, detail));
    match (network.phase, change) {
        (Phase::Ready, _) | (_, Change::DeleteNetwork) => Ok(()),
        (Phase::Creating, _) => {
            refuse(format!("The network {} is being made. Wait until its operation has ended.", network.name))
        }
        (Phase::Failed, _) => refuse(format!(
            "The network {} could not be made. Resume or undo its operation, or delete the network.",
            network.name
        )),
        (Phase::Deleting, _) => refuse(format!("The network {} is being deleted.", network.name)),
    }
}

async fn apply_to_network(tx: &mut Tx, network: &Network, change: Change) -> Result<()> {
    match change {
        Change::StopNetwork => networks::set_wanted(tx, &network.id, Wanted::Stopped).await?,
        Change::DeleteNetwork => {
            networks::set_wanted(tx, &network.id, Wanted::Stopped).await?;
            networks::set_phase(tx, &network.id, Phase::Deleting, NetworkStatus::Deleting, None).await?;
        }
        _ => {
            networks::set_wanted(tx, &network.id, Wanted::Running).await?;
            nodes::set_all_wanted(tx, &network.id, true).await?;
        }
    }
    Ok(())
}

fn busy(network: &Network, active: &operations::Operation) -> Error {
    let shown = &active.shown;
    let undoable = Change::parse(&shown.kind).is_ok_and(|change| change.undo_steps().is_some()) && !active.undoing;
    let hint = if undoable { " or undo it (`polder operation undo`)" } else { "" };
    Error::new(
        Code::NetworkState,
        format!(
            "The operation {} ({}) on the network {} has not ended. Wait for it{hint}.",
            shown.id, shown.kind, network.name
        ),
    )
}
