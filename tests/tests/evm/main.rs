//! Networks of GoQuorum, geth and Besu as they are: planned, run by a local host, used through the ledger, killed.
//!
//! The programs are found by `POLDER_ENGINES` (default `$XDG_CACHE_HOME` or `~/.cache`, then `polder/engines`) as
//! `NAME-VERSION/bin/PROGRAM`; without them the tests fail. Besu alone may be absent: it cannot be fetched. With `BESU_HOME`,
//! an unpacked distribution, its test runs.

mod network;

use std::path::{Path, PathBuf};

use driver::{Action, Call, Outcome, conformance};
use driver_evm::EvmDriver;
use host::Host as _;
use network::{LONG, Member, Network, Wanted, with};
use serde_json::{Value, json};
use tests::engines;

/// The engine directory, with the programs in it.
fn with_programs(version: &str, programs: &[&str]) -> PathBuf {
    let engines = engines();
    for program in programs {
        let path = engines.join(version).join("bin").join(program);
        assert!(
            path.is_file(),
            "{} is not there: `scripts/engines` installs into {}; POLDER_ENGINES names another place",
            path.display(),
            engines.display()
        );
    }
    engines
}

fn token() -> Value {
    serde_json::from_str(include_str!("../../../contracts/artifacts/Token.json")).unwrap()
}

async fn quorum(consensus: &str, nodes: u32) {
    let wanted = Wanted {
        driver: &EvmDriver::quorum(),
        consensus,
        version: None,
        nodes,
        engines: with_programs("quorum-22.7.4", &["geth", "bootnode"]),
    };
    with(wanted, story).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quorum_by_qbft() {
    quorum("qbft", 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quorum_by_ibft() {
    quorum("ibft", 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quorum_by_raft() {
    quorum("raft", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn geth_by_clique() {
    let engines = with_programs("geth-1.13.15", &["geth", "bootnode"]);
    let wanted = Wanted { driver: &EvmDriver::geth(), consensus: "clique", version: None, nodes: 3, engines };
    with(wanted, story).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn geth_as_a_development_chain() {
    let engines = with_programs("geth-1.17.5", &["geth"]);
    let wanted = Wanted { driver: &EvmDriver::geth(), consensus: "dev", version: None, nodes: 1, engines };
    with(wanted, story).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn besu_by_qbft() {
    let Some(home) = std::env::var_os("BESU_HOME") else {
        println!("not run: BESU_HOME is not set, and Besu cannot be fetched");
        return;
    };
    let engines = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(Path::new(&home), engines.path().join("besu-given")).unwrap();
    let wanted = Wanted {
        driver: &EvmDriver::besu(),
        consensus: "qbft",
        version: Some("given"),
        nodes: 4,
        engines: engines.path().into(),
    };
    with(wanted, story).await;
}

/// The ledger's suite, then one node killed, then all.
async fn story(network: &Network) {
    let (ledger, alice, bob) = (&*network.ledger, &network.alice, Member::new(2));
    let case = conformance::LedgerCase {
        ledger,
        node: &network.ids[0],
        signer: alice,
        standing: None,
        artifact: token(),
        constructor: json!(["Guilder", "NLG", "1000"]),
        set: ("transfer", json!([bob.address(), 42])),
        get: ("balanceOf", json!([bob.address()]), json!("42")),
        fail: ("transfer", json!([bob.address(), "1000000000000000000000000000000"]), "InsufficientBalance("),
        // These have no votes.
        voters: if matches!(&*network.consensus, "raft" | "dev") { vec![] } else { network.ids.clone() },
    };
    conformance::ledger(&case).await;
    seen(network).await;
    burst(network, &bob).await;

    let before = pay(network, &bob).await;
    let leader = ledger.health(&network.ids[0]).await.unwrap().leader;
    let victim = by_identity(network, leader.as_deref()).await;
    let killed = network.kill(&victim).await;
    // A node of its own is missed until it is back.
    let during = if network.ids.len() > 1 { pay(network, &bob).await } else { before.clone() };
    network.back(&victim, killed, during.1).await;

    let mut all = Vec::new();
    let acknowledged = pay(network, &bob).await;
    for node in &network.ids {
        all.push((node, network.kill(node).await));
    }
    for (node, killed) in all {
        network.back(node, killed, acknowledged.1).await;
    }
    for (id, block) in [before, during, acknowledged] {
        let outcome = ledger.outcome(&id).await.unwrap();
        assert!(matches!(&outcome, Outcome::Committed(inclusion) if inclusion.block == block), "{outcome:?}");
    }
    pay(network, &bob).await;
}

/// What each node says of itself fits what the others say of it.
async fn seen(network: &Network) {
    let mut identities = Vec::new();
    for node in &network.ids {
        network
            .until(node, "connected", async |network| {
                let health = network.ledger.health(node).await.unwrap();
                health.peers.len() + 1 == network.ids.len() && health.peers.iter().all(|peer| peer.connected)
            })
            .await;
        let health = network.ledger.health(node).await.unwrap();
        let usage = network.host.observe(node).await.unwrap().usage.unwrap();
        println!("  {node}: {} MB, {}", usage.memory_bytes >> 20, health.facts);
        let head_at = health.head_at.unwrap();
        assert!((types::now() - head_at).abs() < 300 * 1_000_000, "the head is of now: {head_at}");
        identities.push((health.identity.unwrap(), health.peers, health.leader));
    }
    for (own, peers, leader) in &identities {
        assert!(
            peers.iter().all(|peer| peer.identity != *own && identities.iter().any(|known| known.0 == peer.identity))
        );
        assert!(leader.as_ref().is_some_and(|leader| identities.iter().any(|known| known.0 == *leader)), "{leader:?}");
    }
}

async fn by_identity(network: &Network, identity: Option<&str>) -> String {
    for node in &network.ids {
        if network.ledger.health(node).await.unwrap().identity.as_deref() == identity {
            return node.clone();
        }
    }
    panic!("nobody is {identity:?}");
}

/// More at once than a block takes: blocks are full, and all are committed. A gas limit that is too high for the machine would
/// leave blocks empty and all of them waiting.
async fn burst(network: &Network, to: &Member) {
    const COUNT: u64 = 1500;
    let ledger = &*network.ledger;
    let first = ledger.nonce(&network.alice.address()).await.unwrap().unwrap();
    let begin = std::time::Instant::now();
    let mut last = String::new();
    for nonce in first..first + COUNT {
        let action = Action::Raw { to: Some(to.address()), data: None };
        let from = network.alice.address();
        let call = Call {
            from,
            action,
            value: Some("1".into()),
            nonce: Some(nonce),
            gas: Some(21_000),
            transient: Default::default(),
        };
        let signed = ledger.sign(&call, &network.alice).await.unwrap();
        ledger.send(&signed).await.unwrap();
        last = signed.id;
    }
    let sent = begin.elapsed();
    let outcome = ledger.wait(&last, LONG).await.unwrap();
    assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    println!(
        "  {COUNT} transfers: handed over in {:.1} s, all final after {:.1} s",
        sent.as_secs_f64(),
        begin.elapsed().as_secs_f64()
    );
}

/// A transaction and the final block that it is in.
async fn pay(network: &Network, to: &Member) -> (String, u64) {
    let ledger = &*network.ledger;
    let action = Action::Raw { to: Some(to.address()), data: None };
    let call = Call {
        from: network.alice.address(),
        action,
        value: Some("1".into()),
        nonce: None,
        gas: None,
        transient: Default::default(),
    };
    let signed = ledger.sign(&call, &network.alice).await.unwrap();
    ledger.send(&signed).await.unwrap();
    let outcome = ledger.wait(&signed.id, LONG).await.unwrap();
    let Outcome::Committed(inclusion) = outcome else { panic!("{outcome:?}") };
    (signed.id, inclusion.block)
}
