//! Orderers and peers that are killed and come back.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use driver::{Error, Ledger, Outcome, Signed};
use serde_json::json;
use tokio::time::Instant;

use crate::host::Network;
use crate::members::Account;
use crate::story::{LONG, create, query};

/// Sends until the outcome is known: the very same bytes each time.
async fn finally(ledger: &dyn Ledger, signed: &Signed) -> anyhow::Result<Outcome> {
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        match ledger.send(signed).await {
            Ok(()) | Err(Error::Unknown { .. }) => {}
            Err(failure) => return Err(failure.into()),
        }
        let outcome = ledger.wait(&signed.id, Duration::from_secs(5)).await?;
        if outcome.inclusion().is_some() || Instant::now() > end {
            return Ok(outcome);
        }
    }
}

pub async fn orderers_die(network: &mut Network, alpha: &Account) -> anyhow::Result<()> {
    let ledger = network.ledger();
    let ledger = &*ledger;
    let orderers = network.ids("orderer");
    let mut leader = None;
    for node in &orderers {
        if ledger.health(node).await?.facts["leader"] == true {
            leader = Some(node.clone());
        }
    }
    let leader = leader.context("a leader")?;
    let signed = ledger.sign(&create(alpha, "orphan"), alpha).await?;
    network.kill(&leader);
    let start = Instant::now();
    let outcome = finally(ledger, &signed).await?;
    ensure!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    network.say(&format!("the leader's death was got over in {:.1} s", start.elapsed().as_secs_f64()));
    assert!(matches!(ledger.health(&leader).await, Err(Error::Unreachable(_))));
    let others: Vec<&String> = orderers.iter().filter(|node| **node != leader).collect();
    until(async || {
        let health = ledger.health(others[0]).await?;
        ensure!(health.halted.is_none() && health.leader.is_some(), "{health:?}");
        assert_eq!(health.peers.iter().filter(|peer| !peer.connected).count(), 1);
        Ok(())
    })
    .await?;
    // One more, and too few are left.
    network.kill(others[1]);
    until(async || {
        let halted = ledger.health(others[0]).await?.halted.context("it stands still")?;
        let words = format!("of {} orderers must run", orderers.len());
        ensure!(halted.contains(&words), "{halted}");
        Ok(())
    })
    .await?;
    network.say("too few orderers, and it says so");
    network.reconcile().await?;
    let signed = ledger.sign(&create(alpha, "after"), alpha).await?;
    let outcome = finally(ledger, &signed).await?;
    ensure!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    network.say("both orderers are back, and it goes on");
    // A member's peers go: the other's still answer.
    let peers = network.ids("peer");
    let (own, others) = peers.split_at(peers.len() / 2);
    own.iter().for_each(|peer| network.kill(peer));
    assert_eq!(ledger.query(&query(None, "AssetExists", json!(["orphan"]))).await?, json!(true));
    assert!(matches!(ledger.health(&peers[0]).await, Err(Error::Unreachable(_))));
    others.iter().for_each(|peer| network.kill(peer));
    let nobody = ledger.blocks(None, 1).await.expect_err("no peer runs");
    assert!(matches!(nobody, Error::Unreachable(_)), "{nobody}");
    assert!(matches!(ledger.send(&signed).await, Err(Error::Unreachable(_))));
    Ok(())
}

pub async fn until(mut attempt: impl AsyncFnMut() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let end = Instant::now() + LONG;
    loop {
        match attempt().await {
            Ok(()) => return Ok(()),
            Err(failure) if Instant::now() > end => return Err(failure),
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}
