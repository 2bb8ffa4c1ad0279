//! One network's life.

use std::time::Duration;

use fabric_client::Participation;

use crate::network::{CHANNEL, Network, Ordering, until};

pub async fn run(version: &str, ordering: Ordering) -> anyhow::Result<()> {
    let network = Network::start(version, ordering)?;
    join(&network).await?;
    eprintln!("{version} {ordering:?}: joined after {:?}", network.started.elapsed());
    Ok(())
}

async fn join(network: &Network) -> anyhow::Result<()> {
    for at in 0..network.orderers.len() {
        let participation = network.participation(at)?;
        until("the orderer answers", Duration::from_secs(20), async || Ok(participation.channels().await?)).await?;
        assert_eq!(participation.channels().await?, Vec::<String>::new());
        assert_eq!(participation.channel(CHANNEL).await?, None);
        let status = participation.join(&network.block).await?;
        assert_eq!((status.name.as_str(), status.relation.as_str(), status.height), (CHANNEL, "consenter", 1));
        joined_twice(&participation, network).await;
    }
    for (at, running) in network.peers.iter().enumerate() {
        let (peer, admin) = (network.peer(at)?, &network.members[running.member].admin);
        until("the peer answers", Duration::from_secs(20), async || Ok(peer.channels(admin).await?)).await?;
        peer.join(admin, &network.block).await?;
        assert_eq!(peer.channels(admin).await?, [CHANNEL]);
    }
    Ok(())
}

async fn joined_twice(participation: &Participation, network: &Network) {
    let refused = participation.join(&network.block).await.expect_err("it has joined already");
    assert!(matches!(refused, fabric_client::Error::Participation { status: 405, .. }), "{refused}");
}
