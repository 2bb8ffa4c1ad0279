//! The planner's plan run with real `polder-node` processes, and the ledger against them.
//!
//! The program is found by `POLDER_NODE_PROGRAM` or beside the test's own directory (`target/debug/polder-node`); without
//! it the tests fail: `cargo build -p polder-node`.

mod network;

use std::time::Duration;

use driver::{Action, BlockId, Call, Error, Ledger, Outcome, Position, Query, conformance, no_interfaces};
use network::{Member, Network};
use serde_json::{Value, json};
use types::{Code, TransactionStatus};

/// Generous for a loaded machine.
const LONG: Duration = Duration::from_secs(60);

fn token() -> Value {
    serde_json::from_str(include_str!("../../../../contracts/artifacts/Token.json")).unwrap()
}

fn call(from: &Member, action: Action) -> Call {
    Call { from: from.address(), action, value: None, nonce: None, gas: None, transient: Default::default() }
}

async fn run(ledger: &dyn Ledger, member: &Member, call: &Call) -> (String, Outcome) {
    let signed = ledger.sign(call, member).await.unwrap();
    ledger.send(&signed).await.unwrap();
    let outcome = ledger.wait(&signed.id, LONG).await.unwrap();
    assert_eq!(outcome.inclusion().and_then(|inclusion| inclusion.contract.clone()), signed.contract);
    (signed.id, outcome)
}

#[tokio::test(flavor = "multi_thread")]
async fn four_nodes_from_the_plan_to_a_contract() {
    let (alice, bob) = (Member::new(1), Member::new(2));
    let mut network = Network::start("bft", 4, &[&alice]).await;
    let ledger = network.ledger();
    let ledger = &*ledger;

    // Health, of each node for itself.
    for node in network.ids() {
        let health = ledger.health(&node).await.unwrap();
        assert_eq!(
            (health.peers.len(), health.halted.as_deref(), &health.facts["role"]),
            (3, None, &json!("validator")),
            "{health:?}"
        );
        assert_eq!(health.identity.as_deref(), Some(network.key(&node)));
    }

    // Deploy.
    let args = json!(["Guilder", "NLG", "1000"]);
    let (deployment, outcome) = run(ledger, &alice, &call(&alice, Action::Deploy { artifact: token(), args })).await;
    let Outcome::Committed(inclusion) = outcome else { panic!("{outcome:?}") };
    let contract = inclusion.contract.unwrap();
    let interface = ledger.artifact(&token()).unwrap().interface;

    // Ask, send, ask again.
    let query = |function: &str, args: Value| Query {
        from: None,
        contract: contract.clone(),
        interface: interface.clone(),
        function: function.into(),
        args,
        value: None,
        transient: Default::default(),
    };
    let send = |function: &str, args: Value| Action::Send {
        contract: contract.clone(),
        interface: interface.clone(),
        function: function.into(),
        args,
    };
    assert_eq!(ledger.query(&query("symbol", json!([]))).await.unwrap(), "NLG");
    let transfer = send("transfer", json!([bob.address(), 42]));
    let (transferred, outcome) = run(ledger, &alice, &call(&alice, transfer)).await;
    assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    assert_eq!(ledger.query(&query("balanceOf", json!([bob.address()]))).await.unwrap(), "42");

    // A call that reverts is found out before it is sent, with the interface's own words.
    let too_much = send("transfer", json!([bob.address(), "5000"]));
    let refused = ledger.sign(&call(&alice, too_much.clone()), &alice).await.unwrap_err();
    assert_eq!(refused.code(), Code::ContractReverted);
    assert!(refused.to_problem().detail.contains("InsufficientBalance("), "{refused}");
    let forced = Call { gas: Some(100_000), ..call(&alice, too_much) };
    let (reverted, outcome) = run(ledger, &alice, &forced).await;
    let Outcome::Invalid { reason, .. } = &outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("InsufficientBalance("), "{reason}");

    // Wrong words.
    for (query, code) in [
        (query("burn", json!([])), Code::ContractFunction),
        (query("balanceOf", json!([])), Code::ContractArguments),
        (Query { contract: bob.address(), ..query("symbol", json!([])) }, Code::NotFound),
        (Query { contract: "0x12".into(), ..query("symbol", json!([])) }, Code::RequestInvalid),
    ] {
        assert_eq!(ledger.query(&query).await.unwrap_err().code(), code);
    }

    // The explorer's views.
    let interfaces = |address: &str| (address == contract).then(|| interface.clone());
    let shown = ledger.transaction(&transferred, &interfaces).await.unwrap().unwrap();
    assert_eq!((shown.summary.status, shown.summary.method.as_deref()), (TransactionStatus::Success, Some("transfer")));
    assert_eq!(shown.decoded.as_ref().unwrap().arguments[1].value, "42");
    assert_eq!(shown.logs[0].decoded.as_ref().unwrap().name, "Transfer");
    let failed = ledger.transaction(&reverted, &interfaces).await.unwrap().unwrap();
    assert_eq!(failed.summary.status, TransactionStatus::Reverted);
    assert!(failed.error.unwrap().contains("InsufficientBalance("));

    let block = ledger.block(&BlockId::Number(shown.summary.block.unwrap()), &interfaces).await.unwrap().unwrap();
    assert_eq!(block.items[0].hash, transferred);
    assert_eq!(Some(block.summary.at), shown.summary.at);
    assert!((types::now() - block.summary.at).abs() < 300 * 1_000_000, "the block's time is now: {}", block.summary.at);
    let same = ledger.block(&BlockId::Hash(block.summary.hash.clone()), &no_interfaces).await.unwrap().unwrap();
    assert_eq!(same.summary.number, block.summary.number);
    assert!(ledger.block(&BlockId::Number(1 << 40), &no_interfaces).await.unwrap().is_none());

    let newest = ledger.blocks(None, 5).await.unwrap();
    assert!(newest.windows(2).all(|pair| pair[0].number == pair[1].number + 1 && pair[0].parent_hash == pair[1].hash));
    let first = ledger.blocks(Some(2), 10).await.unwrap();
    assert_eq!(first.iter().map(|block| block.number).collect::<Vec<_>>(), [1, 0]);

    let (mut listed, mut before) = (Vec::new(), None);
    loop {
        let slice = ledger.transactions(before, 2, &interfaces).await.unwrap();
        listed.extend(slice.items.into_iter().map(|item| item.hash));
        before = slice.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(listed, [reverted, transferred.clone(), deployment.clone()]);

    let (events, next) = ledger.events(Position::default(), 1).await.unwrap();
    assert_eq!(events.iter().map(|event| &event.transaction).collect::<Vec<_>>(), [&deployment]);
    let (events, next) = ledger.events(next, 10).await.unwrap();
    assert_eq!(events.iter().map(|event| &event.transaction).collect::<Vec<_>>(), [&transferred]);
    assert!(ledger.events(next, 10).await.unwrap().0.is_empty());

    let address = ledger.address(&alice.address()).await.unwrap();
    let shown = (address.nonce, address.balance.as_deref(), address.code_size);
    assert_eq!(shown, (Some(3), Some("1000000000000000000000000"), 0));
    assert!(ledger.address(&contract).await.unwrap().code_size > 0);

    // Sent twice is sent once; a used nonce is refused.
    let again =
        Call { nonce: Some(3), gas: Some(21_000), ..call(&alice, Action::Raw { to: Some(bob.address()), data: None }) };
    let (id, _) = run(ledger, &alice, &again).await;
    let signed = ledger.sign(&again, &alice).await.unwrap();
    assert_eq!(signed.id, id);
    ledger.send(&signed).await.unwrap();
    assert_eq!(ledger.read(&signed.raw).unwrap(), signed);
    let other = ledger.sign(&Call { gas: Some(50_000), ..again.clone() }, &alice).await.unwrap();
    let refused = ledger.send(&other).await.unwrap_err();
    assert_eq!(refused.code(), Code::TransactionRefused, "{refused}");
    assert_eq!(ledger.outcome(&other.id).await.unwrap(), Outcome::Unknown);
    assert!(ledger.sign(&again, &bob).await.is_err(), "another member's signature");

    // A node that ends is passed over; the others go on.
    let ids = network.ids();
    network.kill(&ids[0]);
    let (_, outcome) = run(ledger, &alice, &call(&alice, Action::Raw { to: Some(bob.address()), data: None })).await;
    assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    assert_eq!(ledger.health(&ids[0]).await.unwrap_err().code(), Code::NodeUnreachable);
    for node in &ids[1..] {
        network.kill(node);
    }
    let nobody = ledger.nonce(&alice.address()).await.unwrap_err();
    assert!(matches!(nobody, Error::Unreachable(_)), "{nobody}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_conforms() {
    let (alice, bob) = (Member::new(1), Member::new(2));
    let network = Network::start("solo", 1, &[&alice]).await;
    let case = conformance::LedgerCase {
        ledger: &*network.ledger(),
        node: &network.ids()[0],
        signer: &alice,
        standing: None,
        artifact: token(),
        constructor: json!(["Guilder", "NLG", "1000"]),
        set: ("transfer", json!([bob.address(), 42])),
        get: ("balanceOf", json!([bob.address()]), json!("42")),
        fail: ("transfer", json!([bob.address(), "1000000000000000000000000000000"]), "InsufficientBalance("),
        voters: vec![],
    };
    conformance::ledger(&case).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_solo_network_works_alone() {
    let alice = Member::new(1);
    let network = Network::start("solo", 1, &[&alice]).await;
    let ledger = network.ledger();
    let (_, outcome) =
        run(&*ledger, &alice, &call(&alice, Action::Raw { to: Some(Member::new(2).address()), data: None })).await;
    assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    let terms = ledger
        .terms(&serde_json::from_value(json!({ "from": alice.address(), "to": alice.address() })).unwrap())
        .await
        .unwrap();
    assert_eq!((terms.chain_id, terms.nonce, terms.gas, terms.gas_price.as_str()), (4242, 1, 21_000, "0"));
}
