//! Networks, nodes, operations, accounts, contracts, transactions, statistics, over both databases.

mod support;

use std::collections::BTreeMap;

use serde_json::json;
use store::networks::{self, Network, NetworkObservation, Phase, PlacedPort, Wanted};
use store::nodes::{self, Node};
use store::operations::{self, Filter, Operation};
use store::statistics::{self, Counted};
use store::transactions::{self, Deployment, Finding, State, Transaction};
use store::{Error, Store, accounts, consortia, contracts, organisations};
use support::Case;
use types::{Code, Consortium, Member, NetworkStatus, NodeStatus, OperationStatus, Organisation, Step, Usage};

const CASES: &[Case] = cases![
    networks_keep_what_was_settled,
    names_and_chain_ids_are_unique,
    nodes_are_observed_and_sampled,
    operations_and_their_steps,
    one_operation_of_a_network_at_a_time,
    a_network_takes_everything_but_its_operations_along,
    transactions_end_once,
    a_refused_transaction_can_come_again,
    contracts_are_found_by_every_name,
    blocks_add_up,
];

#[test]
fn sqlite() {
    support::over_sqlite(CASES);
}

#[test]
fn postgresql() {
    support::over_postgres(CASES);
}

/// Two organisations, a consortium of both, and a network `net_NAME` for each name.
async fn with_networks(store: &Store, names: &[&str]) {
    let mut tx = store.begin().await.unwrap();
    for name in ["a", "b"] {
        let organisation = Organisation {
            id: format!("org_{name}"),
            name: name.into(),
            title: name.into(),
            public_key: "00".into(),
            created_at: 1,
        };
        organisations::insert(&mut tx, &organisation, "sealed").await.unwrap();
    }
    let members = ["a", "b"].map(|name| Member {
        organisation: format!("org_{name}"),
        name: name.into(),
        title: name.into(),
        public_key: "00".into(),
        signature: "11".into(),
        joined_at: 2,
    });
    let consortium = Consortium {
        id: "con_1".into(),
        name: "con".into(),
        title: "con".into(),
        members: members.to_vec(),
        created_at: 2,
    };
    consortia::insert(&mut tx, &consortium, "statement").await.unwrap();
    for (index, name) in (0u64..).zip(names) {
        networks::insert(&mut tx, &network(name, 100 + index), &["org_b".into(), "org_a".into()]).await.unwrap();
    }
    tx.commit().await.unwrap();
}

fn network(name: &str, chain_id: u64) -> Network {
    Network {
        id: format!("net_{name}"),
        consortium: "con_1".into(),
        name: name.into(),
        engine: "polder".into(),
        consensus: "bft".into(),
        spec: json!({"text": "ünï"}),
        options: json!({"pace": 1}),
        chain_id: Some(chain_id),
        phase: Phase::Creating,
        wanted: Wanted::Running,
        status: NetworkStatus::Creating,
        status_reason: None,
        height: None,
        progress_at: None,
        counted: None,
        created_at: 5,
    }
}

fn node(name: &str, position: i64) -> Node {
    Node {
        id: format!("node_{name}"),
        network: "net_x".into(),
        name: name.into(),
        position,
        organisation: "org_a".into(),
        role: "validator".into(),
        host: "local".into(),
        wanted: true,
        status: NodeStatus::Creating,
        status_reason: None,
        height: None,
        pid: None,
        restarts: 0,
        started_at: None,
        facts: json!({}),
        observed_at: None,
    }
}

async fn with_nodes(store: &Store) {
    with_networks(store, &["x"]).await;
    let mut tx = store.begin().await.unwrap();
    // Ids in another order than positions.
    nodes::insert(&mut tx, &node("2", 0)).await.unwrap();
    nodes::insert(&mut tx, &node("1", 1)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn networks_keep_what_was_settled(store: Store) {
    with_networks(&store, &["x", "y", "z"]).await;
    let mut tx = store.begin().await.unwrap();
    let found = networks::get(&mut tx, "net_x").await.unwrap().unwrap();
    assert_eq!((found.spec, found.options, found.chain_id), (json!({"text": "ünï"}), json!({"pace": 1}), Some(100)));
    assert_eq!(networks::members(&mut tx, "net_x").await.unwrap(), ["org_b", "org_a"]);
    assert_eq!(networks::by_name(&mut tx, "y").await.unwrap().len(), 1);
    assert_eq!(networks::count_in(&mut tx, "con_1").await.unwrap(), 3);
    let ids = |networks: Vec<Network>| networks.into_iter().map(|network| network.id).collect::<Vec<_>>();
    assert_eq!(ids(networks::list(&mut tx, None, "", 2).await.unwrap()), ["net_x", "net_y"]);
    assert_eq!(
        ids(networks::list(&mut tx, Some(&["con_1".into(), "con_2".into()]), "net_y", 2).await.unwrap()),
        ["net_z"]
    );
    assert!(networks::list(&mut tx, Some(&[]), "", 2).await.unwrap().is_empty());

    let seen = NetworkObservation {
        status: NetworkStatus::Degraded,
        reason: Some("why".into()),
        height: Some(7),
        progress_at: Some(9),
    };
    networks::set_observed(&mut tx, "net_x", &seen).await.unwrap();
    assert_eq!(
        networks::get(&mut tx, "net_x").await.unwrap().unwrap().status,
        NetworkStatus::Creating,
        "it is not ready yet"
    );
    networks::set_phase(&mut tx, "net_x", Phase::Ready, NetworkStatus::Running, None).await.unwrap();
    networks::set_observed(&mut tx, "net_x", &seen).await.unwrap();
    networks::set_wanted(&mut tx, "net_x", Wanted::Stopped).await.unwrap();
    let found = networks::get(&mut tx, "net_x").await.unwrap().unwrap();
    assert_eq!(
        (found.status, found.status_reason.as_deref(), found.height, found.progress_at),
        (NetworkStatus::Degraded, Some("why"), Some(7), Some(9))
    );
    assert_eq!((found.phase, found.wanted), (Phase::Ready, Wanted::Stopped));

    let outputs = BTreeMap::from([("publicKey".to_owned(), "ab".to_owned())]);
    networks::put_outputs(&mut tx, "net_x", "key-1", &outputs).await.unwrap();
    networks::put_outputs(&mut tx, "net_x", "init-1", &BTreeMap::new()).await.unwrap();
    networks::put_outputs(&mut tx, "net_x", "key-1", &outputs).await.unwrap();
    let stored = networks::outputs(&mut tx, "net_x").await.unwrap();
    assert_eq!(stored, BTreeMap::from([("key-1".to_owned(), outputs), ("init-1".to_owned(), BTreeMap::new())]));
    tx.commit().await.unwrap();
}

async fn names_and_chain_ids_are_unique(store: Store) {
    with_networks(&store, &["x"]).await;
    for mut other in [network("x", 7), network("y", 100)] {
        other.id = "net_other".into();
        let mut tx = store.begin().await.unwrap();
        let error = networks::insert(&mut tx, &other, &[]).await.unwrap_err();
        assert!(matches!(error, Error::Taken { .. }), "{error:?}");
    }
    let mut read = store.read().await.unwrap();
    assert!(networks::has_chain_id(&mut read, 100).await.unwrap());
    assert!(!networks::has_chain_id(&mut read, 7).await.unwrap());
    drop(read);
    let mut tx = store.begin().await.unwrap();
    let error = consortia::delete(&mut tx, "con_1").await.unwrap_err();
    assert_eq!(error.code(), Code::InUse);
}

async fn nodes_are_observed_and_sampled(store: Store) {
    with_nodes(&store).await;
    let mut tx = store.begin().await.unwrap();
    let names = |nodes: Vec<Node>| nodes.into_iter().map(|node| node.name).collect::<Vec<_>>();
    assert_eq!(names(nodes::of_network(&mut tx, "net_x").await.unwrap()), ["2", "1"]);
    assert_eq!(names(nodes::list(&mut tx, &["net_x".into()], "node_1", 5).await.unwrap()), ["2"]);
    let mut seen = node("1", 1);
    seen.status = NodeStatus::Running;
    (seen.height, seen.pid, seen.restarts, seen.started_at, seen.facts) =
        (Some(3), Some(42), 2, Some(8), json!({"leader": true}));
    nodes::set_observed(&mut tx, &seen).await.unwrap();
    nodes::set_wanted(&mut tx, "node_1", false).await.unwrap();
    let found = nodes::get(&mut tx, "node_1").await.unwrap().unwrap();
    assert_eq!(
        (found.status, found.height, found.pid, found.restarts, found.started_at),
        (NodeStatus::Running, Some(3), Some(42), 2, Some(8))
    );
    assert_eq!((found.facts, found.wanted), (json!({"leader": true}), false));
    nodes::set_all_wanted(&mut tx, "net_x", true).await.unwrap();
    assert!(nodes::get(&mut tx, "node_1").await.unwrap().unwrap().wanted);

    for at in [10, 20, 20, 30] {
        nodes::add_sample(&mut tx, "node_1", &Usage { at, cpu: 0.25, memory_bytes: 1 << 40, disk_bytes: 7 })
            .await
            .unwrap();
    }
    nodes::prune_samples(&mut tx, 20).await.unwrap();
    let samples = nodes::samples(&mut tx, "node_1", 0).await.unwrap();
    assert_eq!(samples.iter().map(|usage| usage.at).collect::<Vec<_>>(), [20, 30]);
    assert_eq!(
        nodes::newest_sample(&mut tx, "node_1").await.unwrap(),
        Some(Usage { at: 30, cpu: 0.25, memory_bytes: 1 << 40, disk_bytes: 7 })
    );

    let port = |node: &str, name: &str, number| PlacedPort {
        node: node.into(),
        port: name.into(),
        host: "local".into(),
        number,
        address: json!(number),
    };
    networks::place(&mut tx, &port("node_1", "rpc", 1)).await.unwrap();
    networks::place(&mut tx, &port("node_1", "rpc", 2)).await.unwrap();
    networks::place(&mut tx, &port("node_2", "rpc", 3)).await.unwrap();
    let placements = networks::placements(&mut tx, "net_x").await.unwrap();
    assert_eq!(placements["node_1"]["rpc"], json!(2));
    let error = networks::place(&mut tx, &port("node_2", "p2p", 2)).await.unwrap_err();
    assert!(matches!(error, Error::Taken { .. }), "a port is given once: {error:?}");
}

fn operation(id: &str, network: &str) -> Operation {
    let step = |name: &str| Step {
        name: name.into(),
        title: name.into(),
        status: OperationStatus::Queued,
        message: None,
        attempts: 0,
        started_at: None,
        finished_at: None,
    };
    Operation {
        scope: network.into(),
        consortium: "con_1".into(),
        undoing: false,
        details: serde_json::Value::Null,
        shown: types::Operation {
            id: id.into(),
            kind: "network.create".into(),
            subject: network.into(),
            subject_name: "x".into(),
            status: OperationStatus::Queued,
            steps: vec![step("one"), step("two")],
            error: None,
            actor: "server".into(),
            created_at: 3,
            started_at: None,
            finished_at: None,
        },
    }
}

async fn operations_and_their_steps(store: Store) {
    let mut tx = store.begin().await.unwrap();
    for (id, network) in [("op_1", "net_x"), ("op_2", "net_y"), ("op_3", "net_z")] {
        operations::insert(&mut tx, &operation(id, network)).await.unwrap();
    }
    operations::set_status(&mut tx, "op_1", OperationStatus::Running, None, 10).await.unwrap();
    operations::begin_step(&mut tx, "op_1", "one", 11).await.unwrap();
    operations::set_step(&mut tx, "op_1", "one", OperationStatus::Failed, Some("why"), Some(12)).await.unwrap();
    let problem = Code::HostProgram.problem("why");
    operations::set_status(&mut tx, "op_1", OperationStatus::Failed, Some(&problem), 13).await.unwrap();
    let failed = operations::get(&mut tx, "op_1").await.unwrap().unwrap().shown;
    assert_eq!(
        (failed.status, failed.error, failed.started_at, failed.finished_at),
        (OperationStatus::Failed, Some(problem), Some(10), Some(13))
    );
    assert_eq!(
        (failed.steps[0].message.as_deref(), failed.steps[0].attempts, failed.steps[1].attempts),
        (Some("why"), 1, 0)
    );

    operations::requeue(&mut tx, "op_1", true).await.unwrap();
    operations::add_step(&mut tx, "op_1", "undo", "Undo").await.unwrap();
    operations::add_step(&mut tx, "op_1", "undo", "Undo").await.unwrap();
    operations::begin_step(&mut tx, "op_1", "one", 14).await.unwrap();
    let again = operations::get(&mut tx, "op_1").await.unwrap().unwrap();
    assert!(again.undoing && again.shown.error.is_none() && again.shown.finished_at.is_none());
    assert_eq!(again.shown.steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(), ["one", "two", "undo"]);
    assert_eq!((again.shown.steps[0].attempts, again.shown.steps[0].started_at), (2, Some(11)));
    assert_eq!(operations::active(&mut tx).await.unwrap().len(), 3);
    operations::set_status(&mut tx, "op_2", OperationStatus::Succeeded, None, 20).await.unwrap();
    assert!(operations::active_of(&mut tx, "net_y").await.unwrap().is_none());
    assert_eq!(operations::newest_of(&mut tx, "net_y").await.unwrap().unwrap().shown.id, "op_2");

    let ids = async |tx: &mut store::Tx, filter: Filter, before: &str| -> Vec<String> {
        operations::list(tx, &filter, before, 2)
            .await
            .unwrap()
            .into_iter()
            .map(|operation| operation.shown.id)
            .collect()
    };
    assert_eq!(ids(&mut tx, Filter::default(), "").await, ["op_3", "op_2"]);
    assert_eq!(ids(&mut tx, Filter::default(), "op_2").await, ["op_1"]);
    let filter = Filter {
        consortia: Some(vec!["con_1".into()]),
        subject: Some("net_y".into()),
        status: Some(OperationStatus::Succeeded),
    };
    assert_eq!(ids(&mut tx, filter, "").await, ["op_2"]);
    assert!(ids(&mut tx, Filter { consortia: Some(vec!["con_2".into()]), ..Filter::default() }, "").await.is_empty());
    assert!(ids(&mut tx, Filter { consortia: Some(vec![]), ..Filter::default() }, "").await.is_empty());
    tx.commit().await.unwrap();
}

async fn one_operation_of_a_network_at_a_time(store: Store) {
    let mut tx = store.begin().await.unwrap();
    operations::insert(&mut tx, &operation("op_1", "net_x")).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let error = operations::insert(&mut tx, &operation("op_2", "net_x")).await.unwrap_err();
    assert!(matches!(error, Error::Taken { .. }), "{error:?}");
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    operations::set_status(&mut tx, "op_1", OperationStatus::Failed, None, 1).await.unwrap();
    operations::insert(&mut tx, &operation("op_2", "net_x")).await.unwrap();
    tx.commit().await.unwrap();
}

async fn with_account(store: &Store) {
    with_nodes(store).await;
    let mut tx = store.begin().await.unwrap();
    let account = accounts::Account {
        id: "acc_1".into(),
        network: "net_x".into(),
        organisation: "org_a".into(),
        address: "0xAa".into(),
        secret: "sealed".into(),
        created_at: 1,
    };
    accounts::insert(&mut tx, &account).await.unwrap();
    tx.commit().await.unwrap();
}

fn transaction(hash: &str, nonce: u64) -> Transaction {
    Transaction {
        network: "net_x".into(),
        hash: hash.into(),
        account: Some("acc_1".into()),
        channel: None,
        nonce: Some(nonce),
        raw: "00".into(),
        deploys: Some(Deployment { name: "Box".into(), interface: json!([]) }),
        state: State::Sending,
        message: None,
        offers: 1,
        submitted_at: 10,
        finished_at: None,
        block: None,
        gas_used: None,
        address: None,
    }
}

async fn a_network_takes_everything_but_its_operations_along(store: Store) {
    with_account(&store).await;
    let mut tx = store.begin().await.unwrap();
    operations::insert(&mut tx, &operation("op_1", "net_x")).await.unwrap();
    transactions::record(&mut tx, &transaction("0x1", 0)).await.unwrap();
    statistics::add(&mut tx, "net_x", &[Counted { at: 1, blocks: 1, ..Counted::default() }], 1).await.unwrap();
    nodes::add_sample(&mut tx, "node_1", &Usage { at: 1, cpu: 0.0, memory_bytes: 1, disk_bytes: 1 }).await.unwrap();
    networks::delete(&mut tx, "net_x").await.unwrap();
    tx.commit().await.unwrap();
    let mut read = store.read().await.unwrap();
    assert!(networks::get(&mut read, "net_x").await.unwrap().is_none());
    assert!(nodes::get(&mut read, "node_1").await.unwrap().is_none());
    assert!(nodes::samples(&mut read, "node_1", 0).await.unwrap().is_empty());
    assert!(accounts::get(&mut read, "acc_1").await.unwrap().is_none());
    assert!(transactions::get(&mut read, "net_x", "0x1").await.unwrap().is_none());
    assert!(statistics::since(&mut read, "net_x", 0).await.unwrap().is_empty());
    assert_eq!(operations::get(&mut read, "op_1").await.unwrap().unwrap().shown.subject_name, "x");
}

async fn transactions_end_once(store: Store) {
    with_account(&store).await;
    let mut tx = store.begin().await.unwrap();
    for (hash, nonce) in [("0x1", 4), ("0x2", 5)] {
        transactions::record(&mut tx, &transaction(hash, nonce)).await.unwrap();
    }
    assert_eq!(transactions::highest_open_nonce(&mut tx, "acc_1").await.unwrap(), Some(5));
    assert!(!transactions::note(&mut tx, "net_x", "0x2", &Finding::of(State::Unknown)).await.unwrap());
    let mut success = Finding::of(State::Success);
    (success.block, success.gas_used, success.address, success.finished_at) =
        (Some(3), Some(21), Some("0xBb".into()), Some(30));
    assert!(transactions::note(&mut tx, "net_x", "0x2", &success).await.unwrap());
    assert!(
        !transactions::note(&mut tx, "net_x", "0x2", &Finding::of(State::Refused)).await.unwrap(),
        "an end is not changed"
    );
    let found = transactions::get(&mut tx, "net_x", "0x2").await.unwrap().unwrap();
    assert_eq!(
        (found.state, found.block, found.gas_used, found.address.as_deref()),
        (State::Success, Some(3), Some(21), Some("0xBb"))
    );
    assert_eq!(found.deploys.unwrap().name, "Box");
    assert_eq!(transactions::highest_open_nonce(&mut tx, "acc_1").await.unwrap(), Some(4));
    assert_eq!(transactions::open(&mut tx, "net_x", 11, 5).await.unwrap().len(), 1);
    assert!(transactions::open(&mut tx, "net_x", 10, 5).await.unwrap().is_empty(), "it is too young");
    assert_eq!(transactions::latencies(&mut tx, "net_x", 0).await.unwrap(), [(10, 30)]);
    transactions::count_offer(&mut tx, "net_x", "0x1").await.unwrap();
    assert_eq!(transactions::get(&mut tx, "net_x", "0x1").await.unwrap().unwrap().offers, 2);
    transactions::prune(&mut tx, 31).await.unwrap();
    assert!(transactions::get(&mut tx, "net_x", "0x2").await.unwrap().is_none());
    assert!(transactions::get(&mut tx, "net_x", "0x1").await.unwrap().is_some(), "it has not ended");
}

async fn a_refused_transaction_can_come_again(store: Store) {
    with_account(&store).await;
    let mut tx = store.begin().await.unwrap();
    transactions::record(&mut tx, &transaction("0x1", 0)).await.unwrap();
    transactions::record(&mut tx, &Transaction { submitted_at: 99, ..transaction("0x1", 0) }).await.unwrap();
    assert_eq!(transactions::get(&mut tx, "net_x", "0x1").await.unwrap().unwrap().submitted_at, 10, "recorded once");
    transactions::note(&mut tx, "net_x", "0x1", &Finding::of(State::Refused)).await.unwrap();
    assert_eq!(transactions::highest_open_nonce(&mut tx, "acc_1").await.unwrap(), None);
    transactions::record(&mut tx, &transaction("0x1", 0)).await.unwrap();
    let found = transactions::get(&mut tx, "net_x", "0x1").await.unwrap().unwrap();
    assert_eq!((found.state, found.finished_at), (State::Sending, None));
}

async fn contracts_are_found_by_every_name(store: Store) {
    with_account(&store).await;
    let mut tx = store.begin().await.unwrap();
    let contract = contracts::Contract {
        id: "ctr_1".into(),
        network: "net_x".into(),
        name: "Box".into(),
        address: "0xAbC".into(),
        channel: None,
        interface: json!([1]),
        transaction_hash: None,
        organisation: Some("org_a".into()),
        created_at: 1,
    };
    contracts::put(&mut tx, &contract).await.unwrap();
    let mut again = contract.clone();
    (again.id, again.name) = ("ctr_2".into(), "Chest".into());
    assert_eq!(contracts::put(&mut tx, &again).await.unwrap().id, "ctr_1", "one contract for one address");
    for reference in ["ctr_1", "0xabc", "Chest"] {
        assert_eq!(contracts::find(&mut tx, "net_x", reference).await.unwrap().len(), 1, "{reference}");
    }
    assert!(contracts::find(&mut tx, "net_x", "Box").await.unwrap().is_empty());
    assert_eq!(contracts::list(&mut tx, "net_x", "", 5).await.unwrap()[0].interface, json!([1]));
    assert_eq!(accounts::of_network(&mut tx, "net_x").await.unwrap().len(), 1);
}

async fn blocks_add_up(store: Store) {
    with_networks(&store, &["x"]).await;
    let mut tx = store.begin().await.unwrap();
    let counted = |at, blocks| Counted { at, blocks, transactions: 2, interval_sum_us: 10, intervals: 1 };
    statistics::add(&mut tx, "net_x", &[counted(5, 1), counted(10, 2)], 3).await.unwrap();
    statistics::add(&mut tx, "net_x", &[counted(10, 3)], 6).await.unwrap();
    let expected = [counted(5, 1), Counted { at: 10, blocks: 5, transactions: 4, interval_sum_us: 20, intervals: 2 }];
    assert_eq!(statistics::since(&mut tx, "net_x", 0).await.unwrap(), expected);
    assert_eq!(networks::get(&mut tx, "net_x").await.unwrap().unwrap().counted, Some(6));
    statistics::prune(&mut tx, 10).await.unwrap();
    assert_eq!(statistics::since(&mut tx, "net_x", 0).await.unwrap().len(), 1);
    assert_eq!(statistics::task_wanted(&mut tx, "t").await.unwrap(), None);
    statistics::set_task_wanted(&mut tx, "t", false).await.unwrap();
    statistics::set_task_wanted(&mut tx, "t", true).await.unwrap();
    assert_eq!(statistics::task_wanted(&mut tx, "t").await.unwrap(), Some(true));
}
