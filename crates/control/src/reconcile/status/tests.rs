//! Statuses from observations.

use driver::NodeHealth;
use host::Observation;
use serde_json::json;
use store::networks::Phase;
use store::nodes::Node;

use super::*;

fn network(wanted: Wanted) -> Network {
    Network {
        id: "net_1".into(),
        consortium: "con_1".into(),
        name: "net".into(),
        engine: "e".into(),
        consensus: "c".into(),
        spec: json!({}),
        options: json!({}),
        chain_id: Some(1),
        phase: Phase::Ready,
        wanted,
        status: NetworkStatus::Running,
        status_reason: None,
        height: Some(7),
        progress_at: Some(now()),
        counted: None,
        created_at: 0,
    }
}

fn view(name: &str, state: State, health: Option<std::result::Result<NodeHealth, String>>) -> NodeView {
    let node = Node {
        id: format!("node_{name}"),
        network: "net_1".into(),
        name: name.into(),
        position: 0,
        organisation: "org_1".into(),
        role: "validator".into(),
        host: "local".into(),
        wanted: true,
        status: NodeStatus::Running,
        status_reason: None,
        height: None,
        pid: None,
        restarts: 0,
        started_at: None,
        facts: json!({}),
        observed_at: None,
    };
    let observed = Ok(Observation { state, restarts: 0, last_exit: None, usage: None, limits: None });
    NodeView { node, wanted: true, creating: false, observed, health, failed_start: None }
}

fn health(halted: Option<&str>) -> NodeHealth {
    NodeHealth {
        height: Some(7),
        head: Some("0x07".into()),
        head_at: Some(now()),
        state_root: None,
        identity: None,
        leader: None,
        peers: vec![],
        halted: halted.map(str::to_owned),
        facts: json!({}),
    }
}

fn up(name: &str) -> NodeView {
    view(name, State::Running { pid: 1, since: 0, ready: true }, Some(Ok(health(None))))
}

fn cut_off(name: &str) -> NodeView {
    view(
        name,
        State::Running { pid: 1, since: 0, ready: true },
        Some(Ok(health(Some("1 of 4 validators, 3 are needed")))),
    )
}

fn stopped(name: &str) -> NodeView {
    let mut view = view(name, State::Stopped, None);
    view.wanted = false;
    view
}

fn status(views: &[NodeView]) -> (NetworkStatus, String) {
    let (status, reason) = of_network(&network(Wanted::Running), views, Some(now()), None);
    (status, reason.unwrap_or_default())
}

#[test]
fn all_nodes_up_is_running() {
    assert_eq!(status(&[up("n1"), up("n2"), up("n3"), up("n4")]), (NetworkStatus::Running, String::new()));
}

#[test]
fn a_node_down_is_degraded_and_named() {
    let (status, reason) = status(&[up("n1"), up("n2"), up("n3"), stopped("n4")]);
    assert_eq!(status, NetworkStatus::Degraded);
    assert!(reason.contains("n4 is stopped"), "{reason}");
}

#[test]
fn no_quorum_is_halted_and_says_why() {
    let (status, reason) = status(&[cut_off("n1"), cut_off("n2"), stopped("n3"), stopped("n4")]);
    assert_eq!(status, NetworkStatus::Halted);
    assert!(reason.contains("3 are needed") && reason.contains("n3 is stopped") && reason.contains("n4"), "{reason}");
}

#[test]
fn one_node_cut_off_halts_nothing() {
    let (status, reason) = status(&[up("n1"), up("n2"), up("n3"), cut_off("n4")]);
    assert_eq!(status, NetworkStatus::Degraded);
    assert!(reason.contains("n4"), "{reason}");
}

#[test]
fn nobody_answering_is_halted() {
    let silent =
        |name| view(name, State::Running { pid: 1, since: 0, ready: true }, Some(Err("it did not answer".into())));
    let (status, reason) = status(&[silent("n1"), silent("n2")]);
    assert_eq!(status, NetworkStatus::Halted);
    assert!(reason.contains("did not answer"), "{reason}");
}

#[test]
fn waiting_transactions_without_blocks_are_halted() {
    let since = now() - 2 * PATIENCE_US;
    let views = [up("n1"), up("n2"), up("n3"), up("n4")];
    let (halted, reason) = of_network(&network(Wanted::Running), &views, Some(since), Some(since));
    assert_eq!(halted, NetworkStatus::Halted, "{reason:?}");
    let (idle, _) = of_network(&network(Wanted::Running), &views, Some(since), None);
    assert_eq!(idle, NetworkStatus::Running, "without a waiting transaction silence says nothing");
}

#[test]
fn a_stopped_network_is_stopped() {
    let views = [stopped("n1"), stopped("n2")];
    assert_eq!(of_network(&network(Wanted::Stopped), &views, None, None).0, NetworkStatus::Stopped);
    assert_eq!(status(&views).0, NetworkStatus::Stopped, "all its nodes were stopped one by one");
}

#[test]
fn states_of_a_node() {
    assert_eq!(of_node(&up("n")), (NodeStatus::Running, None));
    let (status, reason) = of_node(&cut_off("n"));
    assert_eq!(status, NodeStatus::Running, "its program does what it can");
    assert!(reason.unwrap().contains("3 are needed"));
    let mut fresh = view("n", State::Running { pid: 1, since: now(), ready: false }, Some(Err("refused".into())));
    assert_eq!(of_node(&fresh).0, NodeStatus::Starting);
    fresh.observed = Ok(Observation {
        state: State::Running { pid: 1, since: now() - 2 * START_US, ready: false },
        restarts: 0,
        last_exit: None,
        usage: None,
        limits: None,
    });
    assert_eq!(of_node(&fresh), (NodeStatus::Unhealthy, Some("refused".into())));

    let mut died = view("n", State::Restarting { at: now() }, None);
    let exit = Exit { code: None, signal: Some(9), at: now(), reason: None };
    died.observed = Ok(Observation {
        state: State::Restarting { at: now() },
        restarts: 0,
        last_exit: Some(exit.clone()),
        usage: None,
        limits: None,
    });
    let (status, reason) = of_node(&died);
    assert_eq!(status, NodeStatus::Starting);
    assert!(reason.unwrap().contains("signal 9"));
    died.observed = Ok(Observation {
        state: State::Restarting { at: now() },
        restarts: MANY_RESTARTS,
        last_exit: Some(exit),
        usage: None,
        limits: None,
    });
    assert_eq!(of_node(&died).0, NodeStatus::Failed, "one that ends again and again has failed");

    let mut lost = view("n", State::Lost, None);
    assert_eq!(of_node(&lost).0, NodeStatus::Starting);
    lost.failed_start = Some("Port 1 is in use.".into());
    let (status, reason) = of_node(&lost);
    assert_eq!(status, NodeStatus::Failed);
    assert!(reason.unwrap().contains("Port 1"));
    assert_eq!(of_node(&stopped("n")).0, NodeStatus::Stopped);
    let mut new = view("n", State::Absent, None);
    new.creating = true;
    assert_eq!(of_node(&new), (NodeStatus::Creating, None));
}
