//! Finds out what became of transactions whose end is not known: after a crash, a lost connection, a wait that ended.

use std::sync::Arc;

use driver::{Ledger, Outcome, Signed};
use futures::future::join_all;
use store::networks::{self, Network, Phase};
use store::transactions::{self, Transaction};
use types::{NetworkStatus, now};

use crate::{Control, Error, Result};

/// Younger ones are followed by whoever sent them.
const GRACE_US: i64 = 5_000_000;
const BATCH: i64 = 100;

/// Looks after the open transactions of all networks that run.
pub(super) async fn follow(control: &Control) -> Result<()> {
    let networks = networks::all(&mut *control.store().read().await?).await?;
    let alive = networks.iter().filter(|network| {
        network.phase == Phase::Ready
            && matches!(network.status, NetworkStatus::Running | NetworkStatus::Degraded | NetworkStatus::Halted)
    });
    join_all(alive.map(|network| follow_network(control, network))).await.into_iter().collect()
}

async fn follow_network(control: &Control, network: &Network) -> Result<()> {
    let open = transactions::open(&mut *control.store().read().await?, &network.id, now() - GRACE_US, BATCH).await?;
    if open.is_empty() {
        return Ok(());
    }
    for transaction in open {
        let ledger = control.channel_ledger(network, transaction.channel.as_deref()).await?;
        match find_out(control, network, &ledger, &transaction).await {
            // No node answers: the network's state says so, and the transaction stays open.
            Err(Error::Driver(driver::Error::Unreachable(_))) => return Ok(()),
            other => other?,
        }
    }
    Ok(())
}

async fn find_out(
    control: &Control,
    network: &Network,
    ledger: &Arc<dyn Ledger>,
    transaction: &Transaction,
) -> Result<()> {
    let outcome = ledger.outcome(&transaction.hash).await?;
    if outcome != Outcome::Unknown {
        return control.note_outcome(network, &transaction.hash, &outcome).await;
    }
    let raw = hex::decode(&transaction.raw).map_err(|error| Error::internal("a stored transaction", error))?;
    let signed = ledger.read(&raw)?;
    let used = counter_used(ledger, &signed).await?;
    // It may have come into a block between the two questions.
    let outcome = ledger.outcome(&transaction.hash).await?;
    match (outcome, used) {
        (Outcome::Unknown, true) => {
            control
                .note_refused(network, &transaction.hash, "another transaction of the account has used its counter")
                .await
        }
        (Outcome::Unknown, false) => offer_again(control, network, ledger, &signed).await,
        (outcome, _) => control.note_outcome(network, &transaction.hash, &outcome).await,
    }
}

/// No node knows it and its counter is free. The same bytes have the same hash and can come into the ledger once only, so
/// handing them over again is no second transaction.
async fn offer_again(control: &Control, network: &Network, ledger: &Arc<dyn Ledger>, signed: &Signed) -> Result<()> {
    let mut tx = control.store().begin().await?;
    transactions::count_offer(&mut tx, &network.id, &signed.id).await?;
    tx.commit().await?;
    tracing::info!(
        network = network.id,
        transaction = signed.id,
        "no node knows a recorded transaction; the same one is offered again"
    );
    let Err(driver::Error::Problem(problem)) = ledger.send(signed).await else { return Ok(()) };
    // A node that is down may still have it, so that a refusal says something only while all are up.
    let unknown = ledger.outcome(&signed.id).await? == Outcome::Unknown && !counter_used(ledger, signed).await?;
    if unknown && network.status == NetworkStatus::Running {
        control.note_refused(network, &signed.id, &problem.detail).await?;
    }
    Ok(())
}

/// Whether another transaction has used the sender's counter, so that this one can no longer come into the ledger. Where the
/// ledger does not count, nothing tells.
async fn counter_used(ledger: &Arc<dyn Ledger>, signed: &Signed) -> Result<bool> {
    let Some(nonce) = signed.nonce else { return Ok(false) };
    Ok(ledger.nonce(&signed.from).await?.is_some_and(|next| next > nonce))
}
