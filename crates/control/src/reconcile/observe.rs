//! Looks at every node: what its host sees and what it says of itself. Brings about what is wanted, then records the state.

use std::time::Duration;

use driver::NodeHealth;
use futures::future::join_all;
use host::{Observation, State};
use serde_json::json;
use store::networks::{self, Network, NetworkObservation, Phase, Wanted};
use store::nodes::{self, Node};
use types::{NodeStatus, now};

use super::status;
use crate::operations::plan_network;
use crate::runtime::FailedStart;
use crate::{Control, Result};

/// How long a node may take to say how it is.
const HEALTH_LIMIT: Duration = Duration::from_secs(2);
/// A usage sample is stored at least this far from the one before.
const SAMPLE_EVERY_US: i64 = 5_000_000;
const LONGEST_BACK_OFF_US: i64 = 30_000_000;

/// One look at a node.
pub(crate) struct NodeView {
    /// As stored before.
    pub node: Node,
    /// Whether it should run.
    pub wanted: bool,
    /// Whether its network is still being made, or could not be.
    pub creating: bool,
    /// What the host sees.
    pub observed: std::result::Result<Observation, host::Error>,
    /// What the node says; asked only when its program runs.
    pub health: Option<std::result::Result<NodeHealth, String>>,
    /// Why it could not be started.
    pub failed_start: Option<String>,
}

/// Looks at nodes of a network, at all of them at once.
pub(crate) async fn look(control: &Control, network: &Network, nodes: &[Node]) -> Result<Vec<NodeView>> {
    let ledger = control.ledger_of(network).await?;
    let looks = nodes.iter().map(|node| {
        let ledger = ledger.clone();
        async move {
            let observed = control.host().observe(&node.id).await;
            let health = match &observed {
                Ok(Observation { state: State::Running { .. }, .. }) => {
                    Some(match tokio::time::timeout(HEALTH_LIMIT, ledger.health(&node.id)).await {
                        Ok(Ok(health)) => Ok(health),
                        Ok(Err(error)) => Err(error.to_problem().detail),
                        Err(_) => Err(format!("it did not answer within {} s", HEALTH_LIMIT.as_secs())),
                    })
                }
                _ => None,
            };
            NodeView {
                wanted: node.wanted && network.wanted == Wanted::Running && network.phase != Phase::Deleting,
                creating: matches!(network.phase, Phase::Creating | Phase::Failed),
                failed_start: control.runtime().failed_starts.lock().get(&node.id).map(|failed| failed.reason.clone()),
                node: node.clone(),
                observed,
                health,
            }
        }
    });
    Ok(join_all(looks).await)
}

impl NodeView {
    /// State of the node, and why it is not `running`.
    pub fn status(&self) -> (NodeStatus, Option<String>) {
        status::of_node(self)
    }

    /// The node with what was seen, to be stored.
    fn seen(&self) -> Node {
        let mut node = self.node.clone();
        (node.status, node.status_reason) = self.status();
        node.observed_at = Some(now());
        if let Ok(observed) = &self.observed {
            node.restarts = observed.restarts;
            (node.pid, node.started_at) = match observed.state {
                State::Running { pid, since, .. } => (Some(pid), Some(since)),
                _ => (None, node.started_at),
            };
        }
        if let Some(Ok(health)) = &self.health {
            node.height = health.height;
            node.facts = facts(health);
        }
        node
    }
}

/// The facts that the API shows: the engine's own, and those that all engines share.
fn facts(health: &NodeHealth) -> serde_json::Value {
    let mut facts = match &health.facts {
        serde_json::Value::Object(facts) => facts.clone(),
        _ => serde_json::Map::new(),
    };
    facts.insert("publicKey".into(), json!(health.identity));
    facts.insert("head".into(), json!(health.head));
    facts.insert("headAt".into(), json!(health.head_at));
    facts.insert("stateRoot".into(), json!(health.state_root));
    facts.insert("leader".into(), json!(health.leader));
    facts.insert("halted".into(), json!(health.halted));
    // A node beside the ledger, such as a contract's, neither leads nor has peers.
    if health.identity.is_some() {
        facts.insert("isLeader".into(), json!(health.leader == health.identity));
        facts.insert("peers".into(), json!(health.peers));
    }
    facts.into()
}

/// The reconciler: one pass over all networks.
pub(super) async fn reconcile(control: &Control) -> Result<()> {
    let mut read = control.store().read().await?;
    let all = networks::all(&mut read).await?;
    let busy: Vec<String> =
        store::operations::active(&mut read).await?.into_iter().map(|operation| operation.scope).collect();
    let mut scenes = Vec::with_capacity(all.len());
    for network in all {
        let nodes = nodes::of_network(&mut read, &network.id).await?;
        scenes.push((network, nodes));
    }
    drop(read);
    let passes = scenes.iter().map(|(network, nodes)| {
        let busy = busy.contains(&network.id);
        async move {
            let views = look(control, network, nodes).await?;
            // While an operation acts on a network, its steps are the only ones that do.
            if !busy && network.phase == Phase::Ready && bring_about(control, network, &views).await? {
                let views = look(control, network, nodes).await?;
                return record(control, network, &views).await;
            }
            record(control, network, &views).await
        }
    });
    // One network's failure does not keep the others waiting.
    join_all(passes).await.into_iter().collect()
}

/// Starts what should run and stops what should not. Says whether anything was done.
async fn bring_about(control: &Control, network: &Network, views: &[NodeView]) -> Result<bool> {
    let mut to_start = Vec::new();
    let mut acted = false;
    for view in views {
        let Ok(observed) = &view.observed else { continue };
        match (view.wanted, &observed.state) {
            (true, State::Absent | State::Stopped | State::Lost) if due(control, &view.node.id) => {
                to_start.push(&view.node)
            }
            (false, State::Running { .. } | State::Restarting { .. }) => {
                control.host().stop(&view.node.id).await?;
                acted = true;
            }
            _ => {}
        }
    }
    if to_start.is_empty() {
        return Ok(acted);
    }
    let spec = crate::networks::network_spec(network)?;
    let mut read = control.store().read().await?;
    let (plan, _) = plan_network(control, &mut read, network, &spec).await?;
    drop(read);
    let starts = to_start.into_iter().filter_map(|node| Some((node, plan.service(&node.id)?))).map(
        |(node, service)| async move {
            tracing::info!(node = node.id, network = network.name, name = node.name, "starting a node that should run");
            match control.host().start(service).await {
                Ok(()) => {
                    control.runtime().failed_starts.lock().remove(&node.id);
                }
                Err(error) => note_failure(control, node, &error),
            }
        },
    );
    join_all(starts).await;
    Ok(true)
}

fn due(control: &Control, node: &str) -> bool {
    control.runtime().failed_starts.lock().get(node).is_none_or(|failed| failed.again_at <= now())
}

fn note_failure(control: &Control, node: &Node, error: &host::Error) {
    let mut failed_starts = control.runtime().failed_starts.lock();
    let times = failed_starts.get(&node.id).map_or(1, |failed| failed.times.saturating_add(1));
    let back_off = (1_000_000i64 << times.min(5)).min(LONGEST_BACK_OFF_US);
    tracing::warn!(node = node.id, name = node.name, times, %error, "a node cannot be started; it will be tried again");
    let failed = FailedStart { times, reason: error.problem().detail, again_at: now() + back_off };
    failed_starts.insert(node.id.clone(), failed);
}

/// Stores what was seen, where it differs from what is stored, and tells the change feed.
pub(crate) async fn record(control: &Control, network: &Network, views: &[NodeView]) -> Result<()> {
    let seen: Vec<Node> = views.iter().map(NodeView::seen).collect();
    let samples = due_samples(control, views);
    let whole = network.phase == Phase::Ready && !views.is_empty();
    let observation = match whole {
        true => Some(observe_network(control, network, views).await?),
        false => None,
    };
    let network_changed = observation.as_ref().is_some_and(|new| {
        (new.status, &new.reason, new.height) != (network.status, &network.status_reason, network.height)
    });
    let changed: Vec<&Node> =
        views.iter().zip(&seen).filter(|(view, seen)| differs(&view.node, seen)).map(|(_, seen)| seen).collect();
    if changed.is_empty() && samples.is_empty() && !network_changed {
        return Ok(());
    }
    let mut tx = control.store().begin().await?;
    for node in changed {
        nodes::set_observed(&mut tx, node).await?;
        let before = views.iter().find(|view| view.node.id == node.id).map(|view| &view.node);
        // A new height is told once, for the network.
        if before.is_none_or(|before| {
            (before.status, before.pid, before.restarts, &before.status_reason)
                != (node.status, node.pid, node.restarts, &node.status_reason)
        }) {
            tx.change("node", &node.id, Some(&network.id));
        }
    }
    for (node, usage) in &samples {
        nodes::add_sample(&mut tx, node, usage).await?;
    }
    if let Some(new) = observation.filter(|_| network_changed) {
        networks::set_observed(&mut tx, &network.id, &new).await?;
        if (new.status, &new.reason) != (network.status, &network.status_reason) {
            tx.change("network", &network.id, Some(&network.id));
        }
        if new.height != network.height {
            tx.change("block", &network.id, Some(&network.id));
        }
    }
    Ok(tx.commit().await?)
}

fn differs(before: &Node, seen: &Node) -> bool {
    (before.status, &before.status_reason, before.height, before.pid, before.restarts, before.started_at, &before.facts)
        != (seen.status, &seen.status_reason, seen.height, seen.pid, seen.restarts, seen.started_at, &seen.facts)
}

/// Notes the newest usage and limits of each node; gives the samples that are due to be stored.
fn due_samples(control: &Control, views: &[NodeView]) -> Vec<(String, types::Usage)> {
    let (mut newest, mut all_limits) = (control.runtime().usage.lock(), control.runtime().limits.lock());
    let mut due = Vec::new();
    for view in views {
        let Ok(Observation { usage: Some(usage), limits, .. }) = &view.observed else { continue };
        match limits {
            Some(limits) => all_limits.insert(view.node.id.clone(), limits.clone()),
            None => all_limits.remove(&view.node.id),
        };
        let period = usage.at / SAMPLE_EVERY_US;
        if newest.get(&view.node.id).is_none_or(|before| before.at / SAMPLE_EVERY_US != period) {
            due.push((view.node.id.clone(), usage.clone()));
        }
        newest.insert(view.node.id.clone(), usage.clone());
    }
    due
}

async fn observe_network(control: &Control, network: &Network, views: &[NodeView]) -> Result<NetworkObservation> {
    let heights =
        views.iter().filter_map(|view| view.health.as_ref()?.as_ref().ok()).filter_map(|health| health.height);
    // The highest that was ever seen is final, also when the node that said so is down now.
    let height = heights.max().max(network.height);
    let progress_at = match height > network.height || network.progress_at.is_none() {
        true => Some(now()),
        false => network.progress_at,
    };
    // Only asked where it can matter: when nothing moved for a while.
    let quiet = progress_at.is_some_and(|at| at < now() - status::PATIENCE_US);
    let oldest_open = if quiet {
        let mut read = control.store().read().await?;
        store::transactions::open(&mut read, &network.id, now() - status::PATIENCE_US, 1).await?.pop()
    } else {
        None
    };
    let (status, reason) = status::of_network(network, views, progress_at, oldest_open.map(|open| open.submitted_at));
    Ok(NetworkObservation { status, reason, height, progress_at })
}
