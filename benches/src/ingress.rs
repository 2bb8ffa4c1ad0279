//! What the server's JSON-RPC ingress adds to a call: the same calls to a node and through the ingress, in turn, over one
//! kept-alive connection each.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{
    account::Account,
    platform::{MEMBER, Platform},
    report::{quantile, quantiles},
    rpc::Connection,
};

/// Runs a server with a network of four validators and measures `calls` calls of each kind.
pub async fn run(program: &Path, calls: usize) -> anyhow::Result<()> {
    let platform = Platform::start(program, &["--rpc-rate", "0"]).await?;
    let network = platform.json(&["network", "create", "ingress", "--nodes", "4", "--wait"])?;
    let chain_id = network["chainId"].as_u64().context("the network has no chain id")?;
    let create = ["application", "create", "bench", "--member", MEMBER, "--network", "ingress"];
    let application = platform.as_developer(&create)?;
    let text = |value: &Value| value.as_str().map(str::to_owned).context("an address is missing");
    let address = |url: String| url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let own = network["nodes"].as_array().into_iter().flatten().find(|node| node["member"] == MEMBER);
    let direct = address(text(&own.context("the member has no node")?["rpc"])?);
    let through = address(text(&application["networks"][0]["rpc"])?);
    let (host, path) = through.split_once('/').context("the address has no path")?;
    let key = text(&application["secret"])?;

    let mut ways = [
        ("node", Connection::open(&direct).await?, Vec::new()),
        ("ingress", Connection::open(host).await?.at(&format!("/{path}"), &format!("Bearer {key}")), Vec::new()),
    ];
    for (method, count) in [("eth_blockNumber", calls), ("eth_sendRawTransaction", calls / 4)] {
        for (_, _, samples) in &mut ways {
            samples.clear();
        }
        // The first calls open connections and warm up; they are not counted.
        for turn in 0..count + 50 {
            for index in [turn % 2, (turn + 1) % 2] {
                let (_, connection, samples) = &mut ways[index];
                let params = match method {
                    "eth_blockNumber" => json!([]),
                    _ => {
                        let account = Account::new(index as u64 + 1)?;
                        let to = Some(account.address);
                        json!([account.sign(chain_id, turn as u64, to, 21_000, alloy_primitives::Bytes::new())])
                    }
                };
                let began = Instant::now();
                connection.call(method, params).await?;
                if turn >= 50 {
                    samples.push(began.elapsed().as_secs_f64() * 1e3);
                }
                if method == "eth_sendRawTransaction" {
                    // Light load: the block with the one before is final, or its consensus would be measured with it.
                    tokio::time::sleep(Duration::from_millis(50 + turn as u64 * 7 % 11)).await;
                }
            }
        }
        println!("{method}, one after another over a kept connection, {count} each way in turn:");
        for (name, _, samples) in &ways {
            println!("  {name:8} {}", quantiles(samples.clone()));
        }
        println!("  the ingress adds {:.2} ms p50", median(&ways[1].2) - median(&ways[0].2));
    }
    Ok(())
}

fn median(samples: &[f64]) -> f64 {
    let mut samples = samples.to_vec();
    samples.sort_by(f64::total_cmp);
    quantile(&samples, 0.5)
}
