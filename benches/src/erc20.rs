//! ERC-20 transfers at an offered rate: how many become final, and how soon.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use alloy_primitives::Address;
use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{
    account::Account,
    network::{CHAIN_ID, Network},
    report::quantiles,
    rpc::{Connection, quantity},
};

/// The sample contract's artifact.
const TOKEN: &str = include_str!("../../contracts/artifacts/Token.json");

/// Connections to each node.
const CONNECTIONS: usize = 16;

/// What is offered.
#[derive(Clone, Copy)]
pub struct Load {
    /// Transactions per second.
    pub rate: u64,
    /// Seconds.
    pub seconds: u64,
    /// Sending accounts.
    pub senders: usize,
}

struct Prepared {
    body: bytes::Bytes,
    at: Duration,
}

/// Runs one load and prints its figures.
pub async fn run(name: &str, network: &Network, load: Load) -> anyhow::Result<()> {
    let (token, transfer) = deploy(network, load.senders).await?;
    let lanes = prepare(load, token, &transfer)?;

    let accepted = Arc::new(AtomicU64::new(0));
    let refused = Arc::new(AtomicU64::new(0));
    let start = Instant::now() + Duration::from_millis(200);
    let watcher = tokio::spawn(watch(network.rpc[0].clone(), start, Duration::from_secs(load.seconds + 20)));
    let before = network.usage()?;
    let mut tasks = Vec::new();
    for (lane, transactions) in lanes.into_iter().enumerate() {
        let host = network.rpc[lane % network.rpc.len()].clone();
        let (accepted, refused) = (accepted.clone(), refused.clone());
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(&host).await?;
            let mut sent = HashMap::new();
            for transaction in transactions {
                tokio::time::sleep_until((start + transaction.at).into()).await;
                let began = Instant::now();
                match connection.raw(transaction.body).await {
                    Ok(hash) => {
                        accepted.fetch_add(1, Ordering::Relaxed);
                        sent.insert(hash.as_str().unwrap_or_default().to_owned(), began);
                    }
                    Err(_) => {
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                }
                // An offered load does not wait for a slow system for ever.
                if start.elapsed() > Duration::from_secs(load.seconds + 5) {
                    break;
                }
            }
            anyhow::Ok(sent)
        }));
    }
    let mut sent = HashMap::new();
    for task in tasks {
        sent.extend(task.await??);
    }
    let offered_for = start.elapsed().as_secs_f64();
    let after = network.usage()?;
    let blocks = watcher.await??;

    let end = start + Duration::from_secs(load.seconds);
    let mut latencies = Vec::new();
    let (mut inside, mut total) = (0_u64, 0_u64);
    for (seen, hashes) in &blocks {
        for hash in hashes {
            let Some(began) = sent.get(hash) else { continue };
            total += 1;
            latencies.push((*seen - *began).as_secs_f64() * 1e3);
            if *seen > start + Duration::from_secs(2) && *seen <= end {
                inside += 1;
            }
        }
    }
    let cpu: Vec<f64> =
        before.cpu.iter().zip(&after.cpu).map(|(before, after)| (after - before) / offered_for).collect();
    let accepted = accepted.load(Ordering::Relaxed);
    println!("{name}: {} senders, offered {}/s for {} s", load.senders, load.rate, load.seconds);
    println!(
        "  final {:.0}/s, accepted {accepted}, refused {}, final in all {total}, not final {}",
        inside as f64 / (load.seconds - 2) as f64,
        refused.load(Ordering::Relaxed),
        accepted - total
    );
    println!("  sent to final: {}", quantiles(latencies));
    println!(
        "  CPU of a node {:.2} cores, memory of a node {} MB, {} blocks",
        cpu.iter().sum::<f64>() / cpu.len() as f64,
        after.memory.iter().max().unwrap_or(&0) / 1_000_000,
        blocks.len()
    );
    Ok(())
}

/// Deploys the token and gives each sender some; answers the address and the input of a transfer's selector.
async fn deploy(network: &Network, senders: usize) -> anyhow::Result<(Address, evm_abi::Function)> {
    let artifact = evm_abi::Artifact::from_json(&serde_json::from_str(TOKEN)?)?;
    let transfer = evm_abi::find_function(&artifact.abi, "transfer", 2)?.clone();
    let owner = Account::new(0)?;
    let mut connection = Connection::open(&network.rpc[0]).await?;
    let data = evm_abi::encode_deployment(&artifact, Some(&json!(["Load", "LOAD", "1000000000000000000000000"])))?;
    let raw = owner.sign(CHAIN_ID, 0, None, 3_000_000, data);
    let hash = connection.call("eth_sendRawTransaction", json!([raw])).await?;
    let receipt = receipt(&mut connection, &hash).await?;
    let token: Address = receipt["contractAddress"].as_str().context("no contract address")?.parse()?;
    let mut last = Value::Null;
    for number in 1..=senders as u64 {
        let to = Account::new(number)?.address;
        let data = evm_abi::encode_call(&transfer, Some(&json!([to.to_string(), "1000000000"])))?;
        let raw = owner.sign(CHAIN_ID, number, Some(token), 100_000, data);
        last = connection.call("eth_sendRawTransaction", json!([raw])).await?;
    }
    let paid = self::receipt(&mut connection, &last).await?;
    anyhow::ensure!(paid["status"] == "0x1", "the senders could not be given tokens");
    Ok((token, transfer))
}

async fn receipt(connection: &mut Connection, hash: &Value) -> anyhow::Result<Value> {
    for _ in 0..2_000 {
        let receipt = connection.call("eth_getTransactionReceipt", json!([hash])).await?;
        if !receipt.is_null() {
            return Ok(receipt);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("{hash} is not included")
}

/// Signs everything before the load begins. A sender stays on one connection, so that its nonces come in order.
fn prepare(load: Load, token: Address, transfer: &evm_abi::Function) -> anyhow::Result<Vec<Vec<Prepared>>> {
    let count = CONNECTIONS * 4;
    let mut lanes: Vec<Vec<Prepared>> = (0..count).map(|_| Vec::new()).collect();
    let accounts: Vec<Account> = (1..=load.senders as u64).map(Account::new).collect::<Result<_, _>>()?;
    for index in 0..load.rate * load.seconds {
        let sender = (index % load.senders as u64) as usize;
        let to = accounts[(sender * 7 + 13) % load.senders].address;
        let data = evm_abi::encode_call(transfer, Some(&json!([to.to_string(), "1"])))?;
        let raw = accounts[sender].sign(CHAIN_ID, index / load.senders as u64, Some(token), 100_000, data);
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": [raw] });
        let at = Duration::from_secs_f64(index as f64 / load.rate as f64);
        lanes[sender % count].push(Prepared { body: serde_json::to_vec(&body)?.into(), at });
    }
    Ok(lanes)
}

/// When each block was first seen final, with its transactions; ends after a pause without any, or at `limit`.
async fn watch(host: String, start: Instant, limit: Duration) -> anyhow::Result<Vec<(Instant, Vec<String>)>> {
    let mut connection = Connection::open(&host).await?;
    let mut next = quantity(&connection.call("eth_blockNumber", json!([])).await?)? + 1;
    let mut blocks = Vec::new();
    let mut busy = Instant::now() + Duration::from_secs(5);
    while start.elapsed() < limit && busy.elapsed() < Duration::from_secs(5) {
        let head = quantity(&connection.call("eth_blockNumber", json!([])).await?)?;
        let seen = Instant::now();
        while next <= head {
            let block = connection.call("eth_getBlockByNumber", json!([format!("0x{next:x}"), false])).await?;
            let hashes: Vec<String> = block["transactions"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|hash| hash.as_str().map(str::to_owned))
                .collect();
            if !hashes.is_empty() {
                busy = seen;
            }
            blocks.push((seen, hashes));
            next += 1;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(blocks)
}
