//! Members of channels, orderers and peers that come and go while the network runs.

use anyhow::{Context as _, ensure};
use driver::{Driver as _, Outcome, no_interfaces};
use driver_fabric::FabricDriver;
use serde_json::json;
use types::Code;

use crate::host::Network;
use crate::members::Account;
use crate::outage::until;
use crate::story::{create, execute, query};

pub async fn grows(network: &mut Network, alpha: &Account, beta: &Account) -> anyhow::Result<()> {
    let refused = FabricDriver.planner().accept_member(&network.spec, "main", "beta").expect_err("it is one");
    assert_eq!(refused.code, Code::ChannelMembers.as_str());
    network.join("side", "beta").await?;
    network.say("beta joined the second channel");
    let side = network.ledger_of("side");
    // Both members endorse from now on: a majority of two.
    let (id, outcome) = execute(&*side, beta, &create(beta, "of-the-second")).await?;
    ensure!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    let shown = side.transaction(&id, &no_interfaces).await?.context("it is there")?;
    let endorsers = serde_json::to_value(&shown)?.to_string();
    ensure!(endorsers.contains("alphaMSP") && endorsers.contains("betaMSP"), "{endorsers}");
    // What was there before it joined, it has too.
    assert_eq!(side.query(&query(Some(beta), "ReadAsset", json!(["aside"]))).await?["Owner"], "tom");

    let peer = network.grow("beta", "peer").await?;
    network.say("one more peer");
    until(async || {
        let height = network.ledger().health(&peer).await?.height;
        let other = network.ledger().health(&network.ids("peer")[0]).await?.height;
        ensure!(height.is_some() && height == other, "{height:?} of {other:?}");
        Ok(())
    })
    .await?;

    let orderers = network.ids("orderer");
    network.grow("alpha", "orderer").await?;
    network.say("one more orderer");
    let (_, outcome) = execute(&*network.ledger(), alpha, &create(alpha, "with-one-more")).await?;
    ensure!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    network.shrink(&orderers[0]).await?;
    network.say("the first orderer is gone");
    let (_, outcome) = execute(&*network.ledger(), beta, &create(beta, "with-another")).await?;
    ensure!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    assert_eq!(network.ids("orderer").len(), orderers.len());
    // A channel that is made now is of the orderers that there are.
    let channel = driver::ChannelSpec {
        name: "later".into(),
        members: vec!["alpha".into(), "beta".into()],
        joined: Vec::new(),
        created_at: Some(types::now()),
    };
    network.open(channel).await?;
    network.shrink(&peer).await?;
    network.say("the peer is gone");
    Ok(())
}
