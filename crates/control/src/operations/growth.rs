//! Nodes that come to a network and leave it while the others run.

use driver::{NetworkSpec, NodeSpec};
use futures::future::join_all;
use serde::{Deserialize, Serialize};
use store::networks::{self, Network};
use store::operations::Operation;
use store::{Tx, identities, nodes};
use workload::{Outputs, Placements, Plan};

use super::StepKind;
use super::chaincode::{place, reference, set_spec};
use super::steps::Progress;
use crate::networks::{network_spec, placements, stored_node};
use crate::{Control, Error, Result};

/// What an operation adds to a network or takes from it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Growth {
    /// Nodes that come, or that go.
    pub nodes: Vec<NodeSpec>,
    /// A channel, and the member that joins it.
    pub joins: Option<(String, String)>,
}

impl Growth {
    /// Of an operation that is one.
    pub fn of(operation: &Operation) -> Option<Self> {
        Self::deserialize(&operation.details).ok()
    }

    fn is_in(&self, spec: &NetworkSpec) -> bool {
        let has = |node: &NodeSpec| spec.nodes.iter().any(|own| own.id == node.id);
        let joined = |(name, member): &(String, String)| {
            spec.channels.iter().any(|channel| channel.name == *name && channel.members.contains(member))
        };
        self.nodes.iter().all(has) && self.joins.as_ref().is_none_or(joined)
    }

    /// Takes a step that is about what comes or goes.
    pub(super) async fn take(
        &self,
        control: &Control,
        network: &Network,
        kind: StepKind,
        progress: &Progress<'_>,
    ) -> Result<()> {
        match kind {
            StepKind::Include => include(control, network, self, progress).await,
            StepKind::Leave => leave(control, network, self).await,
            StepKind::Discard => discard(control, network, &self.nodes).await,
            other => Err(Error::Internal(format!("{other:?} is no step of a network's growth"), None)),
        }
    }
}

async fn include(control: &Control, network: &Network, growth: &Growth, progress: &Progress<'_>) -> Result<()> {
    let mut spec = network_spec(network)?;
    if growth.is_in(&spec) {
        return Ok(());
    }
    spec.nodes.extend(growth.nodes.iter().cloned());
    if let Some((name, member)) = &growth.joins {
        let channel = spec.channels.iter_mut().find(|channel| channel.name == *name);
        let channel = channel.ok_or_else(|| Error::not_found("channel", name))?;
        channel.members.push(member.clone());
        channel.joined.push(member.clone());
    }
    admit(control, network, spec, progress).await
}

/// Makes the nodes that a specification has beyond the network's a part of it. All that its plan needs is there before the
/// network changes: a plan that is not complete could not heal the other nodes.
pub(super) async fn admit(
    control: &Control,
    network: &Network,
    spec: NetworkSpec,
    progress: &Progress<'_>,
) -> Result<()> {
    let before = network_spec(network)?;
    let added: Vec<&NodeSpec> =
        spec.nodes.iter().filter(|node| before.nodes.iter().all(|own| own.id != node.id)).collect();
    let planner = control.driver(&network.engine)?.planner();
    let mut read = control.store().read().await?;
    let mut all: Placements = placements(&mut read, &network.id).await?;
    let outputs = networks::outputs(&mut read, &network.id).await?;
    let members = networks::named_members(&mut read, &network.id).await?;
    let position =
        nodes::of_network(&mut read, &network.id).await?.iter().map(|node| node.position).max().unwrap_or(-1);
    drop(read);
    let mut tx = control.store().begin().await?;
    record(&mut tx, network, &planner.plan(&before, &all, &outputs)?, &outputs).await?;
    tx.commit().await?;
    for node in &added {
        all.insert(node.id.clone(), control.host().reserve(&node.id, &planner.ports(&node.role)).await?);
    }
    prepare(control, network, &spec, &all, progress).await?;
    let mut tx = control.store().begin().await?;
    for (number, node) in (position + 1..).zip(added) {
        let owner = members.iter().find(|(name, _)| *name == node.member).map(|(_, id)| id.clone());
        nodes::insert(&mut tx, &stored_node(network, node, number, owner, control.host().name())?).await?;
        tx.change("node", &node.id, Some(&network.id));
        place(&mut tx, &node.id, &all[&node.id], control.host().name()).await?;
    }
    set_spec(&mut tx, network, &spec).await?;
    tx.commit().await?;
    control.runtime().reopen_ledgers(&network.id);
    Ok(())
}

/// Writes down what must stay as it is when the nodes change.
async fn record(tx: &mut Tx, network: &Network, plan: &Plan, outputs: &Outputs) -> Result<()> {
    for (name, entries) in plan.records.iter().filter(|(name, _)| !outputs.contains_key(*name)) {
        networks::put_outputs(tx, &network.id, name, entries).await?;
    }
    Ok(())
}

/// Issues identities and runs jobs until the plan is complete and nothing of it is left. Jobs that do not wait for each other
/// run side by side.
pub(super) async fn prepare(
    control: &Control,
    network: &Network,
    spec: &NetworkSpec,
    placements: &Placements,
    progress: &Progress<'_>,
) -> Result<()> {
    let planner = control.driver(&network.engine)?.planner();
    loop {
        let mut read = control.store().read().await?;
        let outputs: Outputs = networks::outputs(&mut read, &network.id).await?;
        let members = networks::named_members(&mut read, &network.id).await?;
        drop(read);
        let plan = planner.plan(spec, placements, &outputs)?;
        let identities: Vec<_> = plan.due_identities(&outputs).collect();
        if !identities.is_empty() {
            control.issue(network, &members, &identities).await?;
        }
        let due: Vec<_> = plan.due_jobs(&outputs).collect();
        if due.is_empty() && !identities.is_empty() {
            continue;
        }
        if due.is_empty() {
            return match plan.complete && plan.is_prepared(&outputs) {
                true => Ok(()),
                false => Err(Error::Internal(format!("the plan of network {} cannot go on", network.id), None)),
            };
        }
        let done = plan.jobs.iter().filter(|job| outputs.contains_key(&job.name)).count();
        progress.say(format!("{done} of {} jobs done", plan.jobs.len())).await?;
        let results = join_all(due.iter().map(|job| control.host().run_job(job))).await;
        let mut tx = control.store().begin().await?;
        let mut failure = None;
        for (job, result) in due.iter().zip(results) {
            match result {
                Ok(entries) => networks::put_outputs(&mut tx, &network.id, &job.name, &entries).await?,
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        tx.commit().await?;
        if let Some(error) = failure {
            return Err(error.into());
        }
    }
}

/// Takes the nodes out of the network. They run on until the ledger no longer counts on them.
async fn leave(control: &Control, network: &Network, growth: &Growth) -> Result<()> {
    let gone = |node: &NodeSpec| growth.nodes.iter().any(|own| own.id == node.id);
    let before = network_spec(network)?;
    if !before.nodes.iter().any(gone) {
        return Ok(());
    }
    let mut after = before.clone();
    after.nodes.retain(|node| !gone(node));
    for name in before.nodes.iter().filter(|node| gone(node)).map(|node| &node.name) {
        if !after.spent_names.contains(name) {
            after.spent_names.push(name.clone());
        }
    }
    let mut tx = control.store().begin().await?;
    dismiss(control, &mut tx, network, &before, &after).await?;
    tx.commit().await?;
    control.runtime().reopen_ledgers(&network.id);
    Ok(())
}

/// Writes down a specification without some nodes, and forgets the keys that only these had.
async fn dismiss(
    control: &Control,
    tx: &mut Tx,
    network: &Network,
    before: &NetworkSpec,
    after: &NetworkSpec,
) -> Result<()> {
    let planner = control.driver(&network.engine)?.planner();
    let all: Placements = placements(tx, &network.id).await?;
    let outputs = networks::outputs(tx, &network.id).await?;
    let (old, new) = (planner.plan(before, &all, &outputs)?, planner.plan(after, &all, &outputs)?);
    record(tx, network, &old, &outputs).await?;
    for identity in old.identities.iter().filter(|own| new.identities.iter().all(|other| other.name != own.name)) {
        identities::delete(tx, &network.id, &identity.name).await?;
        networks::delete_outputs(tx, &network.id, &identity.name).await?;
    }
    set_spec(tx, network, after).await
}

/// Ends the nodes' processes and removes all that is kept of them here.
async fn discard(control: &Control, network: &Network, gone: &[NodeSpec]) -> Result<()> {
    for node in gone {
        control.host().remove(&node.id).await?;
    }
    let mut tx = control.store().begin().await?;
    for node in gone {
        nodes::delete(&mut tx, &node.id).await?;
        tx.change("node", &node.id, Some(&network.id));
    }
    tx.change("network", &network.id, Some(&network.id));
    tx.commit().await?;
    let ids: Vec<_> = gone.iter().map(|node| node.id.clone()).collect();
    control.runtime().forget(&network.id, &ids);
    Ok(())
}

/// Removes the nodes that run a version of a contract, and takes it out of the network.
pub(super) async fn exclude(control: &Control, network: &Network, subject: &str) -> Result<()> {
    // As it is now: several may be removed one after the other.
    let network = networks::get(&mut *control.store().read().await?, &network.id)
        .await?
        .ok_or_else(|| Error::not_found("network", &network.id))?;
    let before = network_spec(&network)?;
    let mut after = before.clone();
    let runs = |node: &NodeSpec| node.contract.as_deref() == Some(subject);
    after.nodes.retain(|node| !runs(node));
    after.contracts.retain(|contract| reference(contract) != subject);
    let gone: Vec<&NodeSpec> = before.nodes.iter().filter(|node| runs(node)).collect();
    for node in &gone {
        control.host().remove(&node.id).await?;
    }
    let mut tx = control.store().begin().await?;
    dismiss(control, &mut tx, &network, &before, &after).await?;
    for node in &gone {
        nodes::delete(&mut tx, &node.id).await?;
        tx.change("node", &node.id, Some(&network.id));
    }
    tx.commit().await?;
    control.runtime().reopen_ledgers(&network.id);
    Ok(())
}
