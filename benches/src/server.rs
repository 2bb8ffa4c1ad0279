//! The server: time to create a network, and memory when idle.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{
    account::Account,
    platform::{Platform, rpc},
    report::quantiles,
    rpc::Connection,
};

/// Runs a server on a new data directory and creates networks one after another.
pub async fn run(program: &Path, runs: usize) -> anyhow::Result<()> {
    let platform = Platform::start(program, &[]).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    println!("server, idle: {} MB resident", platform.memory()? / 1_000_000);

    let mut created = Vec::new();
    for run in 0..runs {
        let name = format!("run{run}");
        let began = Instant::now();
        let network = platform.json(&["network", "create", &name, "--nodes", "4", "--wait"])?;
        first_transaction(&network).await?;
        created.push(began.elapsed().as_secs_f64() * 1e3);
        platform.polder(&["network", "delete", &name, "--yes", "--wait"])?;
    }
    println!("create a four-validator network, from the call to the first confirmed transaction:");
    println!("  {}", quantiles(created));
    Ok(())
}

/// Sends a transaction, which costs nothing, and waits for its receipt.
async fn first_transaction(network: &Value) -> anyhow::Result<()> {
    let chain_id = network["chainId"].as_u64().context("the network has no chain id")?;
    let account = Account::new(1)?;
    let raw = account.sign(chain_id, 0, Some(account.address), 21_000, alloy_primitives::Bytes::new());
    let mut connection = Connection::open(&rpc(network)?[0]).await?;
    let receipt = connection.call("eth_sendRawTransactionSync", json!([raw])).await?;
    anyhow::ensure!(receipt["status"] == "0x1", "{receipt}");
    Ok(())
}
