//! ERC-20 transfers at an offered rate: how many become final, and how soon; and what becomes of a network that is
//! offered more than it can take.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::{Duration, Instant},
};

use alloy_primitives::Address;
use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{
    account::Account,
    network::{CHAIN_ID, Network},
    report::{Figures, quantile, quantiles},
    rpc::{Connection, quantity},
};

/// The sample contract's artifact.
const TOKEN: &str = include_str!("../../contracts/artifacts/Token.json");

/// Connections to each node.
const CONNECTIONS: usize = 32;

/// How long a load may take to become final after its end: what full pools hold.
const DRAIN: Duration = Duration::from_secs(120);

/// What is offered.
#[derive(Clone, Copy)]
pub struct Load {
    /// Transactions per second.
    pub rate: u64,
    /// Seconds.
    pub seconds: u64,
    /// Sending accounts.
    pub senders: usize,
    /// Transactions that are signed beforehand; a load in which most are refused needs fewer than it offers.
    pub signed: u64,
    /// Transactions of one sender in each request.
    pub batch: u64,
}

impl Load {
    /// A load that the network is expected to take.
    pub fn new(rate: u64, seconds: u64, senders: usize) -> Self {
        Self { rate, seconds, senders, signed: rate * seconds, batch: 1 }
    }

    /// Three times what a network was seen to take at best; in batches, since a client that waits for each answer is
    /// slowed down to what the network takes.
    pub fn overload(best: f64, seconds: u64, senders: usize) -> Self {
        let load = Self::new((best * 3.0) as u64, seconds, senders);
        // What can be final in the time with something to spare, and what the pools of four nodes hold.
        let most = (best * 1.3) as u64 * seconds + 100_000;
        Self { signed: load.signed.min(most), batch: 20, ..load }
    }
}

/// What one connection sends: for each moment, whose next transaction is offered. A refused one is offered again at
/// its sender's next turn, as a client does; if it were left out, all that follow would wait for its nonce.
struct Lane {
    turns: Vec<(Duration, usize)>,
    bodies: HashMap<usize, VecDeque<bytes::Bytes>>,
}

/// What one connection saw.
#[derive(Default)]
struct Seen {
    offered: u64,
    accepted: HashMap<String, Instant>,
    refused: BTreeMap<String, u64>,
}

/// Runs one load and prints its figures.
pub async fn run(name: &str, network: &Network, load: Load) -> anyhow::Result<Figures> {
    let (token, transfer) = deploy(network, load.senders).await?;
    let lanes = prepare(load, token, &transfer)?;

    let start = Instant::now() + Duration::from_millis(200);
    let watcher = tokio::spawn(watch(network.rpc[0].clone(), start, Duration::from_secs(load.seconds) + DRAIN));
    let before = network.usage()?;
    let mut tasks = Vec::new();
    for (number, lane) in lanes.into_iter().enumerate() {
        let host = network.rpc[number % network.rpc.len()].clone();
        tasks.push(tokio::spawn(offer(host, lane, start, load)));
    }
    let (mut offered, mut accepted, mut refused) = (0, HashMap::new(), BTreeMap::<String, u64>::new());
    for task in tasks {
        let seen = task.await??;
        offered += seen.offered;
        accepted.extend(seen.accepted);
        for (reason, count) in seen.refused {
            *refused.entry(reason).or_default() += count;
        }
    }
    let offered_for = start.elapsed().as_secs_f64();
    let after = network.usage()?;
    let blocks = watcher.await??;

    let end = start + Duration::from_secs(load.seconds);
    let mut latencies = Vec::new();
    let mut inside = 0_u64;
    let sent = accepted.len();
    for (seen, hashes) in &blocks {
        for began in hashes.iter().filter_map(|hash| accepted.remove(hash)) {
            latencies.push((*seen - began).as_secs_f64() * 1e3);
            if *seen > start + Duration::from_secs(2) && *seen <= end {
                inside += 1;
            }
        }
    }
    let (cores, megabytes) = after.since(&before, offered_for);
    let throughput = inside as f64 / (load.seconds - 2) as f64;
    println!(
        "{name}: {} senders, {:.0}/s offered of {}/s for {} s",
        load.senders,
        offered as f64 / offered_for,
        load.rate,
        load.seconds
    );
    let waiting = waiting(network, accepted.keys()).await?;
    println!(
        "  final {throughput:.0}/s, accepted {sent}, refused {}, final in all {}, waiting for a refused nonce {waiting}, lost {}",
        refused.values().sum::<u64>(),
        latencies.len(),
        accepted.len() - waiting
    );
    for (reason, count) in refused {
        println!("  refused {count} times: {reason}");
    }
    latencies.sort_by(f64::total_cmp);
    let (p50, p99) = (quantile(&latencies, 0.5), quantile(&latencies, 0.99));
    println!("  sent to final: {}", quantiles(latencies));
    println!("  CPU of a node {cores:.2} cores, memory of a node {megabytes} MB, {} blocks", blocks.len());
    Ok(Figures { throughput, p50, p99, cores, megabytes })
}

/// How many of the transactions a node still has in its pool.
async fn waiting(network: &Network, hashes: impl Iterator<Item = &String>) -> anyhow::Result<usize> {
    let mut connections = Vec::new();
    for host in &network.rpc {
        connections.push(Connection::open(host).await?);
    }
    let mut waiting = 0;
    for hash in hashes {
        for connection in &mut connections {
            let found = connection.call("eth_getTransactionByHash", json!([hash])).await?;
            if !found.is_null() {
                anyhow::ensure!(found["blockNumber"].is_null(), "{hash} is in a block that was not seen");
                waiting += 1;
                break;
            }
        }
    }
    Ok(waiting)
}

/// Sends what a lane has, each at its time or as soon as the one before is answered.
async fn offer(host: String, mut lane: Lane, start: Instant, load: Load) -> anyhow::Result<Seen> {
    let mut connection = Connection::open(&host).await?;
    let mut seen = Seen::default();
    for (at, sender) in lane.turns {
        let Some(bodies) = lane.bodies.get_mut(&sender) else { continue };
        let calls: Vec<bytes::Bytes> = bodies.iter().take(load.batch as usize).cloned().collect();
        if calls.is_empty() {
            continue;
        }
        tokio::time::sleep_until((start + at).into()).await;
        // An offered load does not wait for a slow system for ever.
        if start.elapsed() > Duration::from_secs(load.seconds) {
            break;
        }
        let began = Instant::now();
        seen.offered += calls.len() as u64;
        let answers = connection.batch(&calls).await?;
        let mut accepted = answers.iter().map(Result::is_ok).collect::<VecDeque<_>>();
        // The refused ones stay.
        bodies.retain(|_| !accepted.pop_front().unwrap_or(false));
        for answer in answers {
            match answer {
                Ok(hash) => {
                    seen.accepted.insert(hash.as_str().unwrap_or_default().to_owned(), began);
                }
                Err(message) => *seen.refused.entry(without_numbers(&message)).or_default() += 1,
            }
        }
    }
    Ok(seen)
}

/// Refusals that differ in their numbers alone count as one.
fn without_numbers(text: &str) -> String {
    let words = text.split(' ').map(|word| if word.contains(|c: char| c.is_ascii_digit()) { "#" } else { word });
    words.collect::<Vec<_>>().join(" ")
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
fn prepare(load: Load, token: Address, transfer: &evm_abi::Function) -> anyhow::Result<Vec<Lane>> {
    let count = CONNECTIONS * 4;
    let mut lanes: Vec<Lane> = (0..count).map(|_| Lane { turns: Vec::new(), bodies: HashMap::new() }).collect();
    let accounts: Vec<Account> = (1..=load.senders as u64).map(Account::new).collect::<Result<_, _>>()?;
    for turn in 0..load.rate * load.seconds / load.batch {
        let sender = (turn % load.senders as u64) as usize;
        let at = Duration::from_secs_f64((turn * load.batch) as f64 / load.rate as f64);
        lanes[sender % count].turns.push((at, sender));
    }
    for index in 0..load.signed {
        let sender = (index % load.senders as u64) as usize;
        let to = accounts[(sender * 7 + 13) % load.senders].address;
        let data = evm_abi::encode_call(transfer, Some(&json!([to.to_string(), "1"])))?;
        let raw = accounts[sender].sign(CHAIN_ID, index / load.senders as u64, Some(token), 100_000, data);
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": [raw] });
        lanes[sender % count].bodies.entry(sender).or_default().push_back(serde_json::to_vec(&body)?.into());
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
