//! What the store costs: ERC-20-like calls proposed on one store and verified on another, then made final on both.
//!
//! `cargo bench -p chain-store --bench store -- [DIRECTORY] [TRANSACTIONS PER BLOCK] [BLOCKS]`. Each call changes a
//! sender's account and two storage slots and logs three topics. Senders are known, as a pool makes them known. Prints
//! the time that each stage takes of one transaction, and how many calls a second one store can take on one core.

use std::{path::PathBuf, sync::Arc, time::Duration, time::Instant};

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, hex, keccak256};
use chain_exec::{BuildLimits, Executor};
use chain_store::{Chain, SenderCache, StoreConfig};
use chain_types::{Genesis, Recovered};
use commonware_runtime::{Runner as _, Supervisor as _, tokio};

const SENDERS: u64 = 200;

/// Adds to the slots of the caller and of calldata[0], and logs both with a constant first topic.
const TOKEN: [u8; 30] = hex!("6001335401335560016000355401600035556000353360aa60006000a300");

fn genesis() -> Genesis {
    let mut alloc = serde_json::Map::new();
    let token = serde_json::json!({ "balance": "0x0", "code": hex::encode_prefixed(TOKEN) });
    alloc.insert(Address::repeat_byte(0xaa).to_string(), token);
    let genesis = serde_json::json!({
        "config": {
            "chainId": 1337, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0,
            "byzantiumBlock": 0, "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0,
            "berlinBlock": 0, "londonBlock": 0, "terminalTotalDifficulty": "0x0",
            "terminalTotalDifficultyPassed": true, "shanghaiTime": 0, "cancunTime": 0, "pragueTime": 0,
            "polder": { "validators": [hex::encode([7; 32])] },
        },
        "nonce": "0x0", "timestamp": "0x0", "extraData": "0x", "gasLimit": "0x12a05f200", "difficulty": "0x0",
        "alloc": alloc,
    });
    Genesis::from_json(&genesis.to_string()).expect("the genesis is valid")
}

/// A call whose signature is some number: whoever it recovers to is told to the cache and not asked for.
fn call(sender: u64, nonce: u64, to: u64) -> Arc<Recovered> {
    let transaction = TxEip1559 {
        chain_id: 1337,
        nonce,
        gas_limit: 120_000,
        to: TxKind::Call(Address::repeat_byte(0xaa)),
        input: Bytes::copy_from_slice(keccak256(to.to_be_bytes()).as_slice()),
        ..Default::default()
    };
    let scalar = |n: u64| B256::from(U256::from(n + 1));
    let signature = Signature::from_scalars_and_parity(scalar(sender), scalar(nonce), false);
    let transaction: TxEnvelope = transaction.into_signed(signature).into();
    let sender = Address::left_padding_from(&(0x10_0000 + sender).to_be_bytes());
    SenderCache::global().insert(*transaction.tx_hash(), sender);
    Arc::new(Recovered { sender, transaction })
}

fn cpu() -> Duration {
    // utime and stime of this process, in ticks of 10 ms.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

async fn open(context: tokio::Context, directory: PathBuf, prefix: &str) -> Chain {
    let genesis = genesis();
    let executor = Executor::new(&genesis).expect("the genesis can be executed");
    let config = StoreConfig {
        directory: Some(directory.join(prefix)),
        partition_prefix: prefix.into(),
        ..StoreConfig::default()
    };
    Chain::open(context, config, &genesis, executor).await.unwrap_or_else(|error| panic!("fatal: {error}"))
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let temporary = tempfile::tempdir().expect("a temporary directory");
    let directory = arguments.first().map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let number = |index: usize, default| arguments.get(index).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (per_block, blocks) = (number(1, 200u64), number(2, 150u64));
    let config = tokio::Config::new().with_worker_threads(2).with_storage_directory(directory.join("runtime"));
    tokio::Runner::new(config).start(|context| async move {
        let a = open(context.child("a"), directory.clone(), "a").await;
        let b = open(context.child("b"), directory, "b").await;
        let limits = || BuildLimits { gas: 5_000_000_000, bytes: 7 << 20, deadline: Duration::from_secs(60) };
        let (mut proposing, mut verifying, mut finalizing) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        let (start, burnt) = (Instant::now(), cpu());
        let mut made = Duration::ZERO;
        let mut waiting = Vec::new();
        for number in 1..=blocks {
            let at = Instant::now();
            let calls: Vec<_> = (0..per_block)
                .map(|n| (number - 1) * per_block + n)
                .map(|n| call(n % SENDERS, n / SENDERS, n))
                .collect();
            made += at.elapsed();
            let at = Instant::now();
            let parent = a.head().block.hash();
            let proposed = a.propose(&parent, number * 1000, Box::new(calls.into_iter()), limits()).await;
            let proposed = proposed.unwrap_or_else(|error| panic!("fatal: {error}"));
            assert_eq!(proposed.block.transactions().len() as u64, per_block, "{:?}", proposed.skipped.first());
            proposing += at.elapsed();
            let at = Instant::now();
            b.verify(proposed.block.clone()).await.unwrap_or_else(|error| panic!("fatal: {error}"));
            verifying += at.elapsed();
            let at = Instant::now();
            for chain in [&a, &b] {
                let durable = chain.finalize(proposed.block.clone()).await;
                waiting.push(durable.unwrap_or_else(|error| panic!("fatal: {error}")));
            }
            finalizing += at.elapsed();
        }
        for chain in [&a, &b] {
            chain.close().await.unwrap_or_else(|error| panic!("fatal: {error}"));
        }
        let (elapsed, burnt) = (start.elapsed() - made, cpu() - burnt);
        let total = (per_block * blocks) as f64;
        let each = |time: Duration| time.as_secs_f64() / total * 1e6;
        println!("{per_block} calls in each of {blocks} blocks, {SENDERS} senders, two stores on {} cores", std::thread::available_parallelism().map_or(0, std::num::NonZero::get));
        println!("propose {:.1} µs, verify {:.1} µs, finalize {:.1} µs per call", each(proposing), each(verifying), each(finalizing) / 2.0);
        println!("all of it: {:.1} µs of wall time, {:.1} µs of processor time per call and store (making the calls included)", each(elapsed) / 2.0, each(burnt) / 2.0);
        println!("one store on one core: {:.0} calls/s", 2.0 * total / burnt.as_secs_f64());
    });
}
