//! The steps of operations. Each can be taken again after a crash and then does what is left.

use std::time::Duration;

use driver::{Ledger, NetworkSpec};
use futures::future::join_all;
use parking_lot::Mutex;
use store::networks::{self, Network, Wanted};
use store::operations::{self, Operation};
use store::{Tx, nodes};
use tokio::time::Instant;
use types::{Code, OperationStatus};
use workload::{Outputs, Placements, Plan, Service, StepSpec};

use super::{Change, Growth, StepKind};
use crate::networks::network_spec;
use crate::reconcile::observe::{NodeView, look};
use crate::{Control, Error, Result};

/// How long nodes may take until they answer and agree.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// How often they are asked meanwhile: short, because a person waits.
const READY_INTERVAL: Duration = Duration::from_millis(20);

/// Takes one step.
pub(super) async fn take(
    control: &Control,
    operation: &Operation,
    kind: StepKind,
    progress: &Progress<'_>,
) -> Result<()> {
    if operation.network().is_none() {
        return super::engine::take(control, operation, kind, progress).await;
    }
    let scene = Scene::load(control, operation).await?;
    if let Some(growth) = &scene.growth
        && matches!(kind, StepKind::Include | StepKind::Leave | StepKind::Discard)
    {
        return growth.take(control, &scene.network, kind, progress).await;
    }
    match kind {
        StepKind::Place => scene.place().await,
        StepKind::Prepare => scene.prepare(progress).await,
        StepKind::Start => scene.start().await,
        StepKind::Ready => scene.ready(progress).await,
        StepKind::Settle => scene.settle(progress).await,
        StepKind::Stop => scene.stop().await,
        StepKind::Remove => scene.remove().await,
        // Done by the transaction that records the step.
        StepKind::Forget => Ok(()),
        StepKind::Compile | StepKind::Include | StepKind::Register | StepKind::Exclude => {
            super::chaincode::take(control, operation, kind, progress).await
        }
        StepKind::Leave | StepKind::Discard | StepKind::Build(_) | StepKind::Abandon => {
            Err(Error::Internal(format!("{kind:?} is no step of a network's change"), None))
        }
    }
}

/// Writes into the database what is wanted once an operation is undone.
pub(super) async fn want_undone(tx: &mut Tx, operation: &Operation, network: &Network, change: Change) -> Result<()> {
    match change {
        Change::CreateNetwork => {
            networks::set_wanted(tx, &network.id, Wanted::Stopped).await?;
            networks::set_phase(tx, &network.id, networks::Phase::Deleting, types::NetworkStatus::Deleting, None)
                .await?;
        }
        Change::StartNetwork => networks::set_wanted(tx, &network.id, Wanted::Stopped).await?,
        Change::StopNetwork => networks::set_wanted(tx, &network.id, Wanted::Running).await?,
        Change::StartNode => nodes::set_wanted(tx, &operation.shown.subject, false).await?,
        Change::StopNode => nodes::set_wanted(tx, &operation.shown.subject, true).await?,
        Change::RestartNetwork
        | Change::RestartNode
        | Change::DeleteNetwork
        | Change::AddNode
        | Change::DeleteNode
        | Change::CreateChannel
        | Change::JoinChannel
        | Change::DeployChaincode
        | Change::InstallEngine => {}
    }
    Ok(())
}

/// Tells how far a step has come.
pub(super) struct Progress<'a> {
    control: &'a Control,
    operation: &'a Operation,
    step: &'static str,
    said: Mutex<String>,
}

impl<'a> Progress<'a> {
    pub fn new(control: &'a Control, operation: &'a Operation, step: &'static str) -> Self {
        Self { control, operation, step, said: Mutex::default() }
    }

    pub async fn say(&self, message: String) -> Result<()> {
        if *self.said.lock() == message {
            return Ok(());
        }
        let mut tx = self.control.store().begin().await?;
        operations::set_step(
            &mut tx,
            &self.operation.shown.id,
            self.step,
            OperationStatus::Running,
            Some(&message),
            None,
        )
        .await?;
        tx.change("operation", &self.operation.shown.id, self.operation.network());
        tx.commit().await?;
        *self.said.lock() = message;
        Ok(())
    }
}

/// What a step acts on: the whole network, or one node of it.
struct Scene<'a> {
    control: &'a Control,
    network: Network,
    spec: NetworkSpec,
    nodes: Vec<nodes::Node>,
    /// Whether the nodes are all that the network has.
    whole: bool,
    /// What comes or goes, where the operation is about that.
    growth: Option<Growth>,
}

impl<'a> Scene<'a> {
    async fn load(control: &'a Control, operation: &Operation) -> Result<Self> {
        let mut read = control.store().read().await?;
        let network = networks::get(&mut read, &operation.scope)
            .await?
            .ok_or_else(|| Error::Internal(format!("operation {} has lost its network", operation.shown.id), None))?;
        let mut nodes = nodes::of_network(&mut read, &network.id).await?;
        let growth = Growth::of(operation);
        let whole = operation.shown.subject == network.id && growth.is_none();
        let spec = network_spec(&network)?;
        if let Some(growth) = &growth {
            nodes.retain(|node| growth.nodes.iter().any(|own| own.id == node.id));
        } else if !whole {
            let subject = &operation.shown.subject;
            let runs = |node: &nodes::Node| {
                spec.nodes.iter().any(|own| own.id == node.id && own.contract.as_ref() == Some(subject))
            };
            nodes.retain(|node| node.id == *subject || runs(node));
        }
        Ok(Self { control, spec, network, nodes, whole, growth })
    }

    async fn place(&self) -> Result<()> {
        let driver = self.control.driver(&self.network.engine)?;
        let mut placements = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            placements.push(self.control.host().reserve(&node.id, &driver.planner().ports(&node.role)).await?);
        }
        let mut tx = self.control.store().begin().await?;
        for (node, placement) in self.nodes.iter().zip(&placements) {
            super::chaincode::place(&mut tx, &node.id, placement, &node.host).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn prepare(&self, progress: &Progress<'_>) -> Result<()> {
        let placements =
            crate::networks::placements(&mut *self.control.store().read().await?, &self.network.id).await?;
        super::growth::prepare(self.control, &self.network, &self.spec, &placements, progress).await?;
        self.control.runtime().reopen_ledgers(&self.network.id);
        Ok(())
    }

    async fn start(&self) -> Result<()> {
        let (plan, _) = self.plan().await?;
        for node in &self.nodes {
            self.control.runtime().failed_starts.lock().remove(&node.id);
        }
        let own = |service: &&Service| self.nodes.iter().any(|node| node.id == service.node);
        let mut left: Vec<&Service> = plan.services.iter().filter(own).collect();
        while !left.is_empty() {
            let names: Vec<&str> = left.iter().map(|service| service.name.as_str()).collect();
            let (now, later): (Vec<&Service>, Vec<&Service>) = left
                .iter()
                .copied()
                .partition(|service| !service.after.iter().any(|name| names.contains(&name.as_str())));
            if now.is_empty() {
                return Err(Error::Internal(
                    format!("the services of network {} wait for each other", self.network.id),
                    None,
                ));
            }
            for result in join_all(now.iter().map(|service| self.control.host().start(service))).await {
                result?;
            }
            left = later;
        }
        Ok(())
    }

    /// Waits until every node answers and, when all are there, none says that the network makes no progress.
    async fn ready(&self, progress: &Progress<'_>) -> Result<()> {
        let end = Instant::now() + READY_LIMIT;
        loop {
            let views = look(self.control, &self.network, &self.nodes).await?;
            let waiting: Vec<String> = views.iter().filter_map(|view| not_ready(view, self.whole)).collect();
            if waiting.is_empty() {
                return crate::reconcile::observe::record(self.control, &self.network, &views).await;
            }
            if Instant::now() >= end {
                return Err(Error::new(
                    Code::NodeUnreachable,
                    format!(
                        "After {} s the network is not ready: {}. Look at the logs of these nodes, then resume or undo the operation.",
                        READY_LIMIT.as_secs(),
                        waiting.join("; ")
                    ),
                ));
            }
            // Nodes that start in a moment need no message, and each message costs a write.
            if Instant::now() + READY_LIMIT > end + Duration::from_secs(1) {
                progress
                    .say(format!(
                        "{} of {} nodes are ready; {}",
                        views.len() - waiting.len(),
                        views.len(),
                        waiting.join("; ")
                    ))
                    .await?;
            }
            tokio::time::sleep(READY_INTERVAL).await;
        }
    }

    /// Takes the plan's steps on the running ledger.
    async fn settle(&self, progress: &Progress<'_>) -> Result<()> {
        let (plan, outputs) = self.plan().await?;
        let ledger = self.ledger().await?;
        // Where nodes come and go, what was done before is looked at again: it may concern them.
        let due = |step: &&StepSpec| self.growth.is_some() || !outputs.contains_key(&step.name);
        let due: Vec<_> = plan.steps.iter().filter(due).collect();
        for (number, step) in due.iter().enumerate() {
            progress.say(format!("{} of {}: {}", number + 1, due.len(), step.title)).await?;
            if !ledger.step_done(step).await? {
                if let Some(service) = step.restart.as_deref().and_then(|node| plan.service(node)) {
                    self.control.host().stop(&service.node).await?;
                    self.control.host().start(service).await?;
                }
                ledger.take_step(step).await?;
            }
            let mut tx = self.control.store().begin().await?;
            networks::put_outputs(&mut tx, &self.network.id, &step.name, &Default::default()).await?;
            tx.commit().await?;
        }
        self.control.runtime().reopen_ledgers(&self.network.id);
        Ok(())
    }

    async fn stop(&self) -> Result<()> {
        for result in join_all(self.nodes.iter().map(|node| self.control.host().stop(&node.id))).await {
            result?;
        }
        let views = look(self.control, &self.network, &self.nodes).await?;
        crate::reconcile::observe::record(self.control, &self.network, &views).await
    }

    async fn remove(&self) -> Result<()> {
        for result in join_all(self.nodes.iter().map(|node| self.control.host().remove(&node.id))).await {
            result?;
        }
        Ok(())
    }

    async fn plan(&self) -> Result<(Plan, Outputs)> {
        let mut read = self.control.store().read().await?;
        plan_network(self.control, &mut read, &self.network, &self.spec).await
    }

    async fn ledger(&self) -> Result<std::sync::Arc<dyn Ledger>> {
        self.control.ledger_of(&self.network).await
    }
}

/// The plan of a network as it stands, and the outputs that it was made with.
pub(crate) async fn plan_network(
    control: &Control,
    read: &mut store::Connection,
    network: &Network,
    spec: &NetworkSpec,
) -> Result<(Plan, Outputs)> {
    let placements: Placements = crate::networks::placements(read, &network.id).await?;
    let outputs: Outputs = networks::outputs(read, &network.id).await?;
    let plan = control.driver(&network.engine)?.planner().plan(spec, &placements, &outputs)?;
    Ok((plan, outputs))
}

fn not_ready(view: &NodeView, whole: bool) -> Option<String> {
    let name = &view.node.name;
    match &view.health {
        Some(Ok(health)) => health.halted.as_ref().filter(|_| whole).map(|reason| format!("{name}: {reason}")),
        _ => {
            let (status, reason) = view.status();
            Some(format!("{name}: {}", reason.unwrap_or_else(|| format!("{status:?}").to_lowercase())))
        }
    }
}
