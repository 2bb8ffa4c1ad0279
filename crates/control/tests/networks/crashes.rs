//! The control plane ends at every point of a change, and another one takes it up from the same database.

use types::{Code, NetworkStatus, NewNode, OperationStatus};

use super::*;

/// Lets the control plane end at a gate of the host. False when there is no such gate any more: the change has ended before.
async fn crash_at(
    deployment: &Deployment,
    control: Control,
    gate: usize,
    begin: impl AsyncFnOnce(&Control) -> Operation,
) -> (bool, Operation) {
    deployment.world.hold_at(gate);
    let mut held = deployment.world.held();
    let operation = begin(&control).await;
    let crashed = tokio::select! {
        result = held.wait_for(|held| *held) => { result.unwrap(); true }
        _ = ended(&control, &operation.id) => false,
    };
    control.close().await;
    drop(control);
    deployment.world.release();
    (crashed, operation)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_survives_a_crash_at_any_gate() {
    let deployment = Deployment::new();
    let mut control = deployment.found().await;
    let mut crashes = 0;
    for gate in 0.. {
        let name = format!("net{gate}");
        let (crashed, operation) = crash_at(&deployment, control, gate, async |control| {
            control.create_network(&admin(), None, &new_network(&name)).await.unwrap().operation
        })
        .await;
        control = deployment.open().await;
        succeeded(&control, &operation).await;
        let network = status_is(&control, &name, NetworkStatus::Running).await;
        assert_eq!(deployment.world.running().len(), 4, "after a crash at gate {gate}");
        assert_eq!(network.nodes.len(), 4);
        succeeded(&control, &control.delete_network(&admin(), &name).await.unwrap()).await;
        assert!(deployment.world.is_empty());
        if !crashed {
            break;
        }
        crashes += 1;
    }
    assert!(crashes >= 20, "there are two gates at each of many calls, found {crashes}");
    control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_survives_a_crash_at_any_gate() {
    let deployment = Deployment::new();
    let mut control = deployment.found().await;
    for gate in 0.. {
        running_network(&control, "one").await;
        let (crashed, operation) = crash_at(&deployment, control, gate, async |control| {
            control.delete_network(&admin(), "one").await.unwrap()
        })
        .await;
        control = deployment.open().await;
        if crashed {
            let shown = control.network(&admin(), "one").await;
            assert!(
                shown.is_err() || shown.is_ok_and(|network| network.status == NetworkStatus::Deleting),
                "shown as deleting until it is gone"
            );
        }
        succeeded(&control, &operation).await;
        assert!(deployment.world.is_empty(), "after a crash at gate {gate}");
        if !crashed {
            break;
        }
    }
    control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undoing_survives_a_crash_at_any_gate() {
    let deployment = Deployment::new();
    let mut control = deployment.found().await;
    for gate in 0.. {
        deployment.world.break_programs(true);
        let name = format!("net{gate}");
        let created = control.create_network(&admin(), None, &new_network(&name)).await.unwrap().operation;
        assert_eq!(ended(&control, &created.id).await.status, OperationStatus::Failed);
        deployment.world.break_programs(false);
        let (crashed, operation) = crash_at(&deployment, control, gate, async |control| {
            control.undo_operation(&admin(), &created.id).await.unwrap()
        })
        .await;
        control = deployment.open().await;
        assert_eq!(
            ended(&control, &operation.id).await.status,
            OperationStatus::Undone,
            "after a crash at gate {gate}"
        );
        assert!(deployment.world.is_empty());
        if !crashed {
            break;
        }
    }
    control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_come_and_go_over_a_crash_at_any_gate() {
    let deployment = Deployment::new();
    let mut control = deployment.found().await;
    let before = running_network(&control, "one").await;
    let new = NewNode { member: Some(MEMBERS[1].into()), kind: None };
    let mut crashes = 0;
    for gate in 0.. {
        let (came, operation) = crash_at(&deployment, control, gate, async |control| {
            control.add_node(&admin(), "one", None, &new).await.unwrap()
        })
        .await;
        control = deployment.open().await;
        succeeded(&control, &operation).await;
        let node = control.node(&admin(), &operation.subject).await.unwrap();
        assert_eq!((node.member.as_str(), node.name), (MEMBERS[1], format!("one/node-{}", gate + 1)));
        assert_eq!(deployment.world.running().len(), 5, "after a crash at gate {gate}");
        let (went, operation) = crash_at(&deployment, control, gate, async |control| {
            control.delete_node(&admin(), &node.id).await.unwrap()
        })
        .await;
        control = deployment.open().await;
        succeeded(&control, &operation).await;
        let after = status_is(&control, "one", NetworkStatus::Running).await;
        let pids = |network: &Network| network.nodes.iter().map(|node| (node.id.clone(), node.pid)).collect::<Vec<_>>();
        assert_eq!(pids(&after), pids(&before), "the others are left alone, after a crash at gate {gate}");
        assert_eq!(deployment.world.running().len(), 4);
        if !came && !went {
            break;
        }
        crashes += 1;
    }
    assert!(crashes >= 6, "found {crashes}");
    let least = control.delete_node(&admin(), &before.nodes[0].id).await.unwrap_err();
    assert_eq!(least.code(), Code::NodeState, "what the planner says");

    deployment.world.break_programs(true);
    let failed = control.add_node(&admin(), "one", None, &new).await.unwrap();
    assert_eq!(ended(&control, &failed.id).await.status, OperationStatus::Failed);
    deployment.world.break_programs(false);
    assert_eq!(control.network(&admin(), "one").await.unwrap().nodes.len(), 4, "it is no part of the network yet");
    control.undo_operation(&admin(), &failed.id).await.unwrap();
    assert_eq!(ended(&control, &failed.id).await.status, OperationStatus::Undone);
    succeeded(&control, &control.delete_network(&admin(), "one").await.unwrap()).await;
    assert!(deployment.world.is_empty(), "nothing is left of it");
    control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn running_nodes_are_adopted_and_lost_ones_started() {
    let deployment = Deployment::new();
    let control = deployment.found().await;
    let before = running_network(&control, "one").await;
    let jobs = deployment.world.job_runs().len();
    control.close().await;
    drop(control);
    deployment.world.lose(&before.nodes[0].id);

    let control = deployment.open().await;
    let after = eventually(async || {
        let network = control.network(&admin(), "one").await.unwrap();
        let up = network.status == NetworkStatus::Running
            && network.nodes[0].pid.is_some_and(|pid| Some(pid) != before.nodes[0].pid);
        if up { Ok(network) } else { Err(format!("{network:?}")) }
    })
    .await;
    for (old, new) in before.nodes.iter().zip(&after.nodes).skip(1) {
        assert_eq!(old.pid, new.pid, "a node that runs is left alone");
        assert_eq!(old.rpc, new.rpc, "and keeps its address");
    }
    assert_eq!(deployment.world.job_runs().len(), jobs, "nothing is initialised again");
    control.close().await;
}
