//! Watches the networks that others run. Their answers may take long, so this is no part of looking after nodes.

use std::time::Duration;

use driver::NodeHealth;
use futures::future::join_all;
use store::networks::{self, Network, NetworkObservation, Phase};
use types::{Code, Micros, NetworkStatus, now};

use super::status::PATIENCE_US;
use crate::networks::network_spec;
use crate::{Control, Result};

/// How long the address may take to say how the network is.
const LIMIT: Duration = Duration::from_secs(10);

/// One look at each.
pub(super) async fn watch(control: &Control) -> Result<()> {
    let all = networks::all(&mut *control.store().read().await?).await?;
    let mut attached = Vec::new();
    for network in all.into_iter().filter(|network| network.phase == Phase::Ready) {
        if let (Some(_), Some(node)) = {
            let spec = network_spec(&network)?;
            (spec.attached, spec.nodes.into_iter().next())
        } {
            attached.push((network, node.id));
        }
    }
    let looks = attached.iter().map(|(network, node)| watch_network(control, network, node));
    join_all(looks).await.into_iter().collect()
}

async fn watch_network(control: &Control, network: &Network, node: &str) -> Result<()> {
    let ledger = control.ledger_of(network).await?;
    let health = tokio::time::timeout(LIMIT, ledger.health(node)).await;
    let health = health.unwrap_or_else(|_| {
        Err(driver::Error::Unreachable(format!("{node}: it did not answer within {} s", LIMIT.as_secs())))
    });
    let seen = observation(control, network, health).await?;
    let before = (network.status, &network.status_reason, network.height, network.progress_at);
    if before == (seen.status, &seen.reason, seen.height, seen.progress_at) {
        return Ok(());
    }
    let mut tx = control.store().begin().await?;
    networks::set_observed(&mut tx, &network.id, &seen).await?;
    if (seen.status, &seen.reason) != (network.status, &network.status_reason) {
        tx.change("network", &network.id, Some(&network.id));
    }
    if seen.height != network.height {
        tx.change("block", &network.id, Some(&network.id));
    }
    Ok(tx.commit().await?)
}

async fn observation(
    control: &Control,
    network: &Network,
    health: driver::Result<NodeHealth>,
) -> Result<NetworkObservation> {
    let height = health.as_ref().ok().and_then(|health| health.height).max(network.height);
    let progress_at = match height > network.height || network.progress_at.is_none() {
        true => Some(now()),
        false => network.progress_at,
    };
    let quiet = progress_at.is_some_and(|at| at < now() - PATIENCE_US);
    let oldest_open = if quiet {
        let mut read = control.store().read().await?;
        store::transactions::open(&mut read, &network.id, now() - PATIENCE_US, 1).await?.pop()
    } else {
        None
    };
    let (status, reason) = state(health, progress_at, oldest_open.map(|open| open.submitted_at));
    Ok(NetworkObservation { status, reason, height, progress_at })
}

/// State of the network, and why it is not `running`.
fn state(
    health: driver::Result<NodeHealth>,
    progress_at: Option<Micros>,
    oldest_open: Option<Micros>,
) -> (NetworkStatus, Option<String>) {
    let seconds = |since: Micros| (now() - since) / 1_000_000;
    match (health, progress_at, oldest_open) {
        (Err(error), ..) if error.code() == Code::NetworkIdentity => {
            (NetworkStatus::Failed, Some(format!("{} ({})", error.to_problem().detail, Code::NetworkIdentity)))
        }
        (Err(driver::Error::Unreachable(reason)), ..) => {
            let reason = reason.split_once(": ").map_or(reason.as_str(), |(_, reason)| reason);
            (NetworkStatus::Halted, Some(format!("the address does not answer: {reason}")))
        }
        (Err(error), ..) => (NetworkStatus::Halted, Some(format!("the address answers wrongly: {error}"))),
        (Ok(NodeHealth { halted: Some(reason), .. }), ..) => (NetworkStatus::Degraded, Some(reason)),
        (Ok(_), Some(progress), Some(open)) => (
            NetworkStatus::Halted,
            Some(format!(
                "no new blocks for {} s, while a transaction waits for {} s",
                seconds(progress),
                seconds(open)
            )),
        ),
        (Ok(_), ..) => (NetworkStatus::Running, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_decides_the_state() {
        let of = |error: driver::Error| state(Err(error), None, None);
        let (status, reason) = of(driver::Error::problem(Code::NetworkIdentity, "Another chain."));
        assert_eq!((status, reason.as_deref()), (NetworkStatus::Failed, Some("Another chain. (network.identity)")));
        let (status, reason) = of(driver::Error::Unreachable("node_1: refused".into()));
        assert_eq!(status, NetworkStatus::Halted);
        assert_eq!(reason.as_deref(), Some("the address does not answer: refused"));
        assert_eq!(of(driver::Error::Protocol("HTML".into())).0, NetworkStatus::Halted);
    }
}
