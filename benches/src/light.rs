//! Light load: how long one transaction takes from being sent to its durable receipt.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use alloy_primitives::Bytes;
use serde_json::json;

use crate::{
    account::Account,
    network::{self, CHAIN_ID},
    report::quantiles,
    rpc::Connection,
};

/// Sends 20 transactions a second to the four nodes in turn with `eth_sendRawTransactionSync`.
pub async fn run(program: &Path, seconds: u64) -> anyhow::Result<()> {
    let network = network::polder(program, 4).await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let idle = network.usage()?;
    let mut samples = Vec::new();
    let mut tasks = Vec::new();
    let start = Instant::now();
    for (index, host) in network.rpc.iter().enumerate() {
        let account = Account::new(index as u64 + 1)?;
        let host = host.clone();
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(&host).await?;
            let mut samples = Vec::new();
            for nonce in 0..seconds * 5 {
                // The nodes take turns every 50 ms.
                let at = start + Duration::from_millis(nonce * 200 + index as u64 * 50);
                tokio::time::sleep_until(at.into()).await;
                let raw = account.sign(CHAIN_ID, nonce, Some(account.address), 21_000, Bytes::new());
                let began = Instant::now();
                let receipt = connection.call("eth_sendRawTransactionSync", json!([raw])).await?;
                anyhow::ensure!(receipt["status"] == "0x1", "{receipt}");
                samples.push(began.elapsed().as_secs_f64() * 1e3);
            }
            anyhow::Ok(samples)
        }));
    }
    for task in tasks {
        samples.extend(task.await??);
    }
    println!("light load: 20/s for {seconds} s, eth_sendRawTransactionSync, four validator processes, fsync on");
    println!("  {}", quantiles(samples));
    println!(
        "  idle before: {} MB resident for the largest validator",
        idle.memory.iter().max().unwrap_or(&0) / 1_000_000
    );
    Ok(())
}
