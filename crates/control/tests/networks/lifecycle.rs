//! Making, stopping, starting and deleting.

use std::os::unix::fs::PermissionsExt as _;

use control::Idempotency;
use types::{Code, GivenEngineVersion, NetworkStatus, NodeStatus, OperationStatus, PageQuery, Role};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_network_runs_when_its_operation_has_succeeded() {
    let deployment = Deployment::new();
    let control = deployment.found().await;
    let created = control.create_network(&admin(), None, &new_network("one")).await.unwrap();
    assert_eq!(created.network.status, NetworkStatus::Creating);
    assert!(created.network.nodes.iter().all(|node| node.rpc.is_none() && node.height.is_none()));

    let operation = succeeded(&control, &created.operation).await;
    assert!(
        operation
            .steps
            .iter()
            .all(|step| step.status == OperationStatus::Succeeded && step.attempts == 1 && step.finished_at.is_some())
    );
    let network = control.network(&admin(), "con/one").await.unwrap();
    assert_eq!((network.status, network.status_reason), (NetworkStatus::Running, None));
    let members: Vec<&str> = network.nodes.iter().map(|node| node.member.as_str()).collect();
    assert_eq!(members, MEMBERS, "nodes are dealt to the members in turn");
    for node in &network.nodes {
        assert_eq!(node.status, NodeStatus::Running);
        assert!(node.rpc.is_some() && node.height.is_some() && node.pid.is_some() && node.wanted, "{node:?}");
        assert!(node.name.starts_with("one/node"));
    }
    let accounts = control.accounts(&admin(), "one", &PageQuery::default()).await.unwrap().items;
    assert_eq!(accounts.iter().map(|account| account.member.as_str()).collect::<Vec<_>>().len(), 4);
    assert!(accounts.iter().all(|account| !account.usable), "an administrator of the platform uses no account");
    let chain_id = network.chain_id.unwrap();
    let mut second = new_network("two");
    second.chain_id = Some(chain_id);
    assert_eq!(control.create_network(&admin(), None, &second).await.unwrap_err().code(), Code::NetworkChainId);
    assert_eq!(control.create_network(&admin(), None, &new_network("one")).await.unwrap_err().code(), Code::NameTaken);
    control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_creation_makes_nothing() {
    let deployment = Deployment::new();
    let control = deployment.found().await;
    let key = Idempotency::new("k1", "hash".into()).unwrap();
    let first = control.create_network(&admin(), Some(&key), &new_network("one")).await.unwrap();
    let second = control.create_network(&admin(), Some(&key), &new_network("one")).await.unwrap();
    assert_eq!(first.network.id, second.network.id);
    assert_eq!(control.networks(&admin(), &PageQuery::default()).await.unwrap().items.len(), 1);
    control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_needed_too_must_be_installed() {
    let deployment = Deployment::new();
    let control = deployment.found().await;
    let mut new = new_network("one");
    new.options = Some(serde_json::json!({"engines": ["fabric-ca"]}));
    let error = control.create_network(&admin(), None, &new).await.unwrap_err();
    assert_eq!(error.code(), Code::EngineMissing);
    assert!(error.to_string().contains("polder engine install fabric-ca"), "{error}");
    assert_eq!(control.preview_network(&admin(), &new).await.unwrap_err().code(), Code::EngineMissing);
    assert!(control.networks(&admin(), &PageQuery::default()).await.unwrap().items.is_empty(), "nothing is made");

    let programs = tempfile::tempdir().unwrap();
    for name in ["fabric-ca-server", "fabric-ca-client"] {
        let path = programs.path().join(name);
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = programs.path().display().to_string();
    let given = GivenEngineVersion { engine: "fabric-ca".into(), version: "1.5.0".into(), path };
    control.add_engine(&admin(), &given).await.unwrap();
    control.create_network(&admin(), None, &new).await.unwrap();
    let error = control.remove_engine(&admin(), "fabric-ca@1.5.0").await.unwrap_err();
    assert_eq!(error.code(), Code::InUse, "a network that is of another engine runs it");
    control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_start_restart_and_delete() {
    let deployment = Deployment::new();
    let control = deployment.found().await;
    let network = running_network(&control, "one").await;

    let stop = control.stop_network(&admin(), "one").await.unwrap();
    succeeded(&control, &stop).await;
    assert!(deployment.world.running().is_empty());
    let stopped = status_is(&control, "one", NetworkStatus::Stopped).await;
    assert!(
        stopped.nodes.iter().all(|node| node.status == NodeStatus::Stopped && node.rpc.is_none() && !node.wanted),
        "{stopped:#?}"
    );

    let start = control.start_network(&admin(), "one").await.unwrap();
    succeeded(&control, &start).await;
    status_is(&control, "one", NetworkStatus::Running).await;
    let before = control.network(&admin(), "one").await.unwrap().nodes[0].pid;
    let restart = control.restart_network(&admin(), "one").await.unwrap();
    succeeded(&control, &restart).await;
    assert_ne!(control.network(&admin(), "one").await.unwrap().nodes[0].pid, before);

    let delete = control.delete_network(&admin(), "one").await.unwrap();
    succeeded(&control, &delete).await;
    assert!(deployment.world.is_empty(), "nothing is left on the host");
    assert_eq!(control.network(&admin(), &network.id).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(control.operation(&admin(), &delete.id).await.unwrap().subject_name, "one", "the operation stays");
    running_network(&control, "one").await;
    control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_go_down_and_come_back() {
    let deployment = Deployment::new();
    let control = deployment.found().await;
    let network = running_network(&control, "one").await;

    deployment.world.lose(&network.nodes[2].id);
    eventually(async || {
        let node = control.node(&admin(), "one/node3").await.unwrap();
        let back = node.status == NodeStatus::Running && node.pid != network.nodes[2].pid;
        if back { Ok(()) } else { Err(format!("{node:?}")) }
    })
    .await;

    succeeded(&control, &control.stop_node(&admin(), "one/node1").await.unwrap()).await;
    let degraded = status_is(&control, "one", NetworkStatus::Degraded).await;
    assert!(degraded.status_reason.unwrap().contains("node1"));
    succeeded(&control, &control.stop_node(&admin(), "one/node2").await.unwrap()).await;
    let halted = status_is(&control, "one", NetworkStatus::Halted).await;
    assert!(halted.status_reason.unwrap().contains("3 are needed"));
    succeeded(&control, &control.start_node(&admin(), &network.nodes[1].id).await.unwrap()).await;
    status_is(&control, "one", NetworkStatus::Degraded).await;
    succeeded(&control, &control.start_node(&admin(), "one/node1").await.unwrap()).await;
    status_is(&control, "one", NetworkStatus::Running).await;
    assert!(!control.node_usage(&admin(), "one/node4").await.unwrap().is_empty());
    control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_creation_is_resumed() {
    let deployment = Deployment::new();
    let control = deployment.found().await;
    deployment.world.break_programs(true);
    let created = control.create_network(&admin(), None, &new_network("one")).await.unwrap();
    let failed = ended(&control, &created.operation.id).await;
    assert_eq!(failed.status, OperationStatus::Failed);
    assert_eq!(failed.error.unwrap().code, "host.program");
    let network = control.network(&admin(), "one").await.unwrap();
    assert_eq!(network.status, NetworkStatus::Failed);
    assert!(network.status_reason.unwrap().contains("broken"));
    assert_eq!(control.start_network(&admin(), "one").await.unwrap_err().code(), Code::NetworkState);

    deployment.world.break_programs(false);
    let resumed = control.resume_operation(&admin(), &failed.id).await.unwrap();
    let done = succeeded(&control, &resumed).await;
    assert_eq!(done.steps.iter().find(|step| step.name == "prepare").unwrap().attempts, 2);
    assert_eq!(control.resume_operation(&admin(), &failed.id).await.unwrap_err().code(), Code::OperationState);
    assert_eq!(control.undo_operation(&admin(), &failed.id).await.unwrap_err().code(), Code::OperationState);
    status_is(&control, "one", NetworkStatus::Running).await;
    control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_is_undone_while_it_runs() {
    let deployment = Deployment::new();
    let control = deployment.found().await;
    deployment.world.hold_at(11);
    let mut held = deployment.world.held();
    let created = control.create_network(&admin(), None, &new_network("one")).await.unwrap();
    tokio::time::timeout(DEADLINE, held.wait_for(|held| *held)).await.unwrap().unwrap();
    let busy = control.delete_network(&admin(), "one").await.unwrap_err();
    assert_eq!(busy.code(), Code::NetworkState, "one change at a time");
    deployment.world.release();
    control.undo_operation(&admin(), &created.operation.id).await.unwrap();
    let undone = ended(&control, &created.operation.id).await;
    assert_eq!(undone.status, OperationStatus::Undone, "{undone:#?}");
    assert!(undone.steps.iter().any(|step| step.name == "undo-remove" && step.status == OperationStatus::Succeeded));
    assert!(deployment.world.is_empty());
    assert_eq!(control.network(&admin(), "one").await.unwrap_err().code(), Code::NotFound);
    control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_acts_for_its_own_organisation() {
    let deployment = Deployment::new();
    let control = deployment.found().await;
    let operator = member(&control, Role::Operator, "alpha").await;
    let all = control.create_network(&operator, None, &new_network("one")).await.unwrap_err();
    assert_eq!(all.code(), Code::Forbidden, "it would run nodes for the others");
    running_network(&control, "one").await;
    let denied = control.stop_node(&operator, "one/node2").await.unwrap_err();
    assert_eq!(denied.code(), Code::Forbidden);
    assert_eq!(control.stop_network(&operator, "one").await.unwrap_err().code(), Code::Forbidden);
    succeeded(&control, &control.stop_node(&operator, "one/node1").await.unwrap()).await;
    let auditor = member(&control, Role::Auditor, "beta").await;
    assert_eq!(control.networks(&auditor, &PageQuery::default()).await.unwrap().items.len(), 1);
    assert_eq!(control.start_node(&auditor, "one/node2").await.unwrap_err().code(), Code::Forbidden);
    let audit = control.list_audit(&auditor, &PageQuery::default()).await.unwrap();
    for action in ["network.create", "node.stop"] {
        let told = audit.items.iter().filter(|entry| entry.action == action).count();
        assert_eq!(told, 1, "each member reads of {action}: {audit:?}");
    }

    control
        .create_organisation(&admin(), None, &NewOrganisation { name: "outside".into(), title: None })
        .await
        .unwrap();
    let outsider = member(&control, Role::OrganisationAdministrator, "outside").await;
    assert!(control.networks(&outsider, &PageQuery::default()).await.unwrap().items.is_empty());
    assert_eq!(control.network(&outsider, "one").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(control.node(&outsider, "one/node1").await.unwrap_err().code(), Code::NotFound);
    control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_fit_two_networks_are_ambiguous() {
    let deployment = Deployment::new();
    let control = deployment.found().await;
    let new = NewConsortium { name: "second".into(), title: None, members: vec!["alpha".into()] };
    control.create_consortium(&admin(), None, &new).await.unwrap();
    let mut network = new_network("one");
    assert_eq!(
        control.create_network(&admin(), None, &network).await.unwrap_err().code(),
        Code::NameAmbiguous,
        "which consortium?"
    );
    for consortium in ["con", "second"] {
        network.consortium = Some(consortium.into());
        control.create_network(&admin(), None, &network).await.unwrap();
    }
    assert_eq!(control.network(&admin(), "one").await.unwrap_err().code(), Code::NameAmbiguous);
    assert_eq!(control.network(&admin(), "second/one").await.unwrap().nodes[3].member, "alpha");
    network.members = Some(vec!["beta".into()]);
    network.name = "two".into();
    assert_eq!(control.create_network(&admin(), None, &network).await.unwrap_err().code(), Code::ConsortiumMembers);
    network.members = None;
    network.nodes = Some(3);
    assert_eq!(control.preview_network(&admin(), &network).await.unwrap_err().code(), Code::NetworkNodes);
    control.close().await;
}
