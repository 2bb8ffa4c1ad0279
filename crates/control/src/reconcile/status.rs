//! What state nodes and networks are in, derived from what was seen. Pure, so that every case can be tested.

use host::{Exit, State};
use store::networks::{Network, Wanted};
use types::{Micros, NetworkStatus, NodeStatus, now};

use super::observe::NodeView;

/// A network whose transactions wait this long while no block comes is halted.
pub(super) const PATIENCE_US: i64 = 10_000_000;
/// A node that was started this recently may be silent.
const START_US: i64 = 30_000_000;
/// After this many restarts a node is failed rather than starting.
const MANY_RESTARTS: u32 = 3;

/// State of a node, and why it is not `running`, or why it runs and makes no progress.
pub(super) fn of_node(view: &NodeView) -> (NodeStatus, Option<String>) {
    let observed = match &view.observed {
        Ok(observed) => observed,
        Err(error) => {
            return (NodeStatus::Failed, Some(format!("the host does not say how it is: {}", error.problem().detail)));
        }
    };
    let ended = observed.last_exit.as_ref().map(describe_exit);
    match &observed.state {
        State::Running { since, .. } => match &view.health {
            Some(Ok(health)) => (NodeStatus::Running, health.halted.clone()),
            Some(Err(_)) | None if now() - since < START_US => {
                (NodeStatus::Starting, Some("it was just started and does not answer yet".into()))
            }
            Some(Err(reason)) => (NodeStatus::Unhealthy, Some(reason.clone())),
            None => (NodeStatus::Unhealthy, Some("it was not asked how it is".into())),
        },
        State::Restarting { .. } => {
            let status = if observed.restarts < MANY_RESTARTS { NodeStatus::Starting } else { NodeStatus::Failed };
            (status, Some(format!("it {}; it is started again", ended.unwrap_or_else(|| "ended".into()))))
        }
        State::Absent | State::Stopped | State::Lost if view.creating => (NodeStatus::Creating, None),
        State::Absent | State::Stopped | State::Lost if view.wanted => match &view.failed_start {
            Some(reason) => (NodeStatus::Failed, Some(format!("it could not be started: {reason}"))),
            None => (NodeStatus::Starting, Some("it does not run and is about to be started".into())),
        },
        State::Absent | State::Stopped | State::Lost => (NodeStatus::Stopped, Some("it was stopped".into())),
    }
}

fn describe_exit(exit: &Exit) -> String {
    let how = match (exit.code, exit.signal) {
        (_, Some(signal)) => format!("was ended by signal {signal}"),
        (Some(code), None) => format!("ended with exit status {code}"),
        (None, None) => "ended".into(),
    };
    match &exit.reason {
        Some(reason) => format!("{how} ({reason})"),
        None => how,
    }
}

/// State of a network that is ready, and why it is not `running`. `oldest_open` is when the oldest transaction was submitted
/// that still waits, if it waits for longer than [`PATIENCE_US`] without a block.
pub(super) fn of_network(
    network: &Network,
    views: &[NodeView],
    progress_at: Option<Micros>,
    oldest_open: Option<Micros>,
) -> (NetworkStatus, Option<String>) {
    let statuses: Vec<(NodeStatus, Option<String>)> = views.iter().map(of_node).collect();
    let running = statuses.iter().filter(|(status, _)| *status == NodeStatus::Running).count();
    let not_running: Vec<String> = views
        .iter()
        .zip(&statuses)
        .filter(|(_, (status, _))| *status != NodeStatus::Running)
        .map(|(view, (status, reason))| match reason {
            Some(reason) if *status != NodeStatus::Stopped => {
                format!("{} is {}: {reason}", view.node.name, word(*status))
            }
            _ => format!("{} is {}", view.node.name, word(*status)),
        })
        .collect();
    if network.wanted == Wanted::Stopped || views.iter().all(|view| !view.wanted) {
        return match views.iter().all(|view| view.node_is_down()) {
            true => (NetworkStatus::Stopped, Some("it was stopped; start it to go on".into())),
            false => (NetworkStatus::Stopped, Some("it is being stopped; some nodes still run".into())),
        };
    }
    if running == 0 {
        return (NetworkStatus::Halted, Some(format!("no node answers: {}", not_running.join("; "))));
    }
    let healths = || views.iter().filter_map(|view| view.health.as_ref()?.as_ref().ok());
    let halted: Vec<&String> = healths().filter_map(|health| health.halted.as_ref()).collect();
    // A single node can be cut off from the others while these go on.
    if halted.len() == running
        && let Some(reason) = halted.first()
    {
        let down = if not_running.is_empty() { String::new() } else { format!(" ({})", not_running.join("; ")) };
        return (NetworkStatus::Halted, Some(format!("{reason}{down}")));
    }
    if let (Some(open), Some(progress)) = (oldest_open, progress_at)
        && now() - progress >= PATIENCE_US
    {
        let seconds = |since: Micros| (now() - since) / 1_000_000;
        return (
            NetworkStatus::Halted,
            Some(format!(
                "no new blocks for {} s, while a transaction waits for {} s",
                seconds(progress),
                seconds(open)
            )),
        );
    }
    if !not_running.is_empty() {
        return (NetworkStatus::Degraded, Some(not_running.join("; ")));
    }
    match views.iter().find_map(|view| Some((view, view.health.as_ref()?.as_ref().ok()?.halted.as_ref()?))) {
        Some((view, reason)) => (NetworkStatus::Degraded, Some(format!("{}: {reason}", view.node.name))),
        None => (NetworkStatus::Running, None),
    }
}

fn word(status: NodeStatus) -> &'static str {
    match status {
        NodeStatus::Creating => "creating",
        NodeStatus::Starting => "starting",
        NodeStatus::Running => "running",
        NodeStatus::Unhealthy => "unhealthy",
        NodeStatus::Stopped => "stopped",
        NodeStatus::Failed => "failed",
    }
}

impl NodeView {
    fn node_is_down(&self) -> bool {
        self.observed
            .as_ref()
            .is_ok_and(|observed| matches!(observed.state, State::Absent | State::Stopped | State::Lost))
    }
}

#[cfg(test)]
mod tests;
