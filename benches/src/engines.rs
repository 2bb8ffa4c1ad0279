//! One table of all engines from one run: the same ERC-20 load on those with an EVM, new assets on Fabric, each network
//! made and run by the server, each at the best of the settings that are tried.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{
    account::Account,
    erc20, fabric,
    network::{CHAIN_ID, Network},
    platform::{MEMBER, Platform, processes, rpc},
    report::Figures,
    rpc::Connection,
};

/// Engines with an EVM: title, arguments that create the network, rates that are offered, options worth telling.
const CHAINS: [(&str, &[&str], &[u64], &str); 5] = [
    ("built-in chain, BFT", &["--engine", "polder", "--consensus", "bft"], &[2000, 3000], ""),
    ("GoQuorum QBFT", &["--engine", "quorum", "--consensus", "qbft"], &[400, 550], "1 s blocks, "),
    ("GoQuorum IBFT", &["--engine", "quorum", "--consensus", "ibft"], &[400, 550], "1 s blocks, "),
    ("GoQuorum Raft", &["--engine", "quorum", "--consensus", "raft"], &[400, 550], "blocks each 50 ms, "),
    ("geth Clique", &["--engine", "geth", "--consensus", "clique"], &[], "1 s blocks, "),
];

/// Block gas limit for GoQuorum: more than a period's load, less than what is executed in half of one.
const GAS: [&str; 2] = ["--option", "gasLimit=40000000"];

const FABRIC: [(&str, &str, &str); 2] = [("Fabric Raft", "raft", "3"), ("Fabric BFT", "bft", "4")];
const WORKERS: [usize; 2] = [50, 150];

struct Row {
    engine: String,
    settings: String,
    /// Seconds from the call to the first committed transaction.
    first: f64,
    figures: Option<Figures>,
}

/// Runs everything whose title has a word in it, and prints the table. What fails is told, and the others go on.
pub async fn run(
    program: &Path,
    word: &str,
    (seconds, senders): (u64, usize),
    script: Option<&Path>,
) -> anyhow::Result<()> {
    let platform = Platform::start(program, &[]).await?;
    let (mut rows, mut clients) = (Vec::new(), Vec::new());
    let wanted = |title: &str| title.to_lowercase().contains(&word.to_lowercase());
    let mut keep = |title: &str, measured: anyhow::Result<Row>| match measured {
        Ok(row) => rows.push(row),
        Err(error) => {
            println!("{title} was not measured: {error:#}");
            if let Err(error) = platform.polder(&["network", "delete", "load", "--yes", "--wait"]) {
                println!("its network could not be deleted: {error:#}");
            }
        }
    };
    for (title, arguments, rates, told) in CHAINS.into_iter().filter(|(title, ..)| wanted(title)) {
        keep(title, chain(&platform, title, arguments, rates, told, (seconds, senders)).await);
    }
    for (title, consensus, orderers) in FABRIC.into_iter().filter(|(title, ..)| wanted(title)) {
        keep(title, fabric(&platform, title, consensus, orderers, seconds, script, &mut clients).await);
    }
    println!(
        "\n| engine | settings | create to first transaction | throughput | p50 | p99 | CPU a node | memory a node |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for Row { engine, settings, first, figures } in rows {
        let measured = match figures {
            None => "| | | |".into(),
            Some(Figures { throughput, p50, p99, cores, megabytes }) => {
                format!("{throughput:.0}/s | {p50:.0} ms | {p99:.0} ms | {cores:.2} cores | {megabytes} MB")
            }
        };
        println!("| {engine} | {settings} | {first:.1} s | {measured} |");
    }
    for line in clients {
        println!("{line}");
    }
    Ok(())
}

async fn chain(
    platform: &Platform,
    title: &str,
    arguments: &[&str],
    rates: &[u64],
    told: &str,
    (seconds, senders): (u64, usize),
) -> anyhow::Result<Row> {
    let id = CHAIN_ID.to_string();
    let mut create = [&["network", "create", "load", "--nodes", "4", "--chain-id", &id, "--wait"], arguments].concat();
    if arguments.contains(&"quorum") {
        create.extend(GAS);
    }
    let began = Instant::now();
    let network = platform.json(&create)?;
    first_transaction(platform, &network, arguments.contains(&"geth")).await?;
    let first = began.elapsed().as_secs_f64();
    platform.polder(&["network", "delete", "load", "--yes", "--wait"])?;
    let mut best: Option<(u64, Figures)> = None;
    for &rate in rates {
        let made = platform.json(&create)?;
        // Without a transaction Raft makes no block.
        first_transaction(platform, &made, false).await?;
        let network = Network::of(rpc(&made)?, processes(&made)?);
        network.ready().await?;
        let figures = erc20::run(title, &network, erc20::Load::new(rate, seconds, senders)).await?;
        if best.is_none_or(|(_, best)| best.throughput < figures.throughput) {
            best = Some((rate, figures));
        }
        platform.polder(&["network", "delete", "load", "--yes", "--wait"])?;
    }
    let offered = best.map(|(rate, _)| format!(", {rate}/s offered")).unwrap_or_default();
    let settings = format!("{told}4 nodes{offered}");
    Ok(Row { engine: title.into(), settings, first, figures: best.map(|(_, figures)| figures) })
}

/// Where gas has a price, the member's account pays; elsewhere anybody sends.
async fn first_transaction(platform: &Platform, network: &Value, priced: bool) -> anyhow::Result<()> {
    if priced {
        let token = "contracts/artifacts/Token.json";
        let arguments =
            ["contract", "deploy", token, "--network", "load", "--args", r#"["Load","LOAD","1"]"#, "--wait"];
        return platform.as_developer(&arguments).map(drop);
    }
    // None of those that the load sends from.
    let account = Account::new(1_000_000)?;
    let raw = account.sign(CHAIN_ID, 0, Some(account.address), 21_000, alloy_primitives::Bytes::new());
    let mut connection = Connection::open(&rpc(network)?[0]).await?;
    let hash = connection.call("eth_sendRawTransaction", json!([raw])).await?;
    let deadline = Instant::now() + Duration::from_secs(60);
    while connection.call("eth_getTransactionReceipt", json!([hash])).await?.is_null() {
        anyhow::ensure!(Instant::now() < deadline, "the first transaction is not included");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

async fn fabric(
    platform: &Platform,
    title: &str,
    consensus: &str,
    orderers: &str,
    seconds: u64,
    script: Option<&Path>,
    clients: &mut Vec<String>,
) -> anyhow::Result<Row> {
    let source = "contracts/fabric/go";
    let create = ["network", "create", "load", "--engine", "fabric", "--members", "alpha,bravo", "--peers", "1"];
    let create = [&create[..], &["--consensus", consensus, "--orderers", orderers, "--wait"]].concat();
    let deploy = ["chaincode", "deploy", source, "--network", "load", "--name", "asset", "--wait"];
    let invoke = ["chaincode", "invoke", "asset", "CreateAsset", "--network", "load", "--wait", "--args"];
    // The first deployment builds; the second finds what was built.
    let mut first = 0.0;
    for run in 0..2 {
        if run > 0 {
            platform.polder(&["network", "delete", "load", "--yes", "--wait"])?;
        }
        let began = Instant::now();
        platform.json(&create)?;
        platform.json(&deploy)?;
        platform.as_developer(&[&invoke[..], &[r#"["first","blue",1,"ann",1]"#]].concat())?;
        first = began.elapsed().as_secs_f64();
    }
    let directory = tempfile::tempdir()?;
    let profile = directory.path().join("profile");
    let folder = profile.to_str().context("a path that is no text")?;
    platform.polder(&["network", "profile", "load", "--member", MEMBER, "--dir", folder])?;
    let target = fabric::Target { profile, member: MEMBER.into(), channel: "main".into(), contract: "asset".into() };
    let nodes = processes(&platform.json(&["network", "show", "load"])?)?;
    let mut best: Option<(usize, Figures)> = None;
    for workers in WORKERS {
        let figures = fabric::run(&target, fabric::Load { workers, seconds }, &nodes).await?;
        println!("{title}, {workers} in flight: {:.0}/s, p50 {:.0} ms", figures.throughput, figures.p50);
        if best.is_none_or(|(_, best)| best.throughput < figures.throughput) {
            best = Some((workers, figures));
        }
    }
    let (workers, figures) = best.context("nothing was measured")?;
    if let Some(script) = script {
        for workers in [1, workers] {
            // In turns, so that what the machine does meanwhile meets both.
            let load = fabric::Load { workers, seconds: seconds / 2 };
            let (mut own, mut other) = (Vec::new(), Vec::new());
            for _ in 0..2 {
                own.push(fabric::run(&target, load, &nodes).await?);
                other.push(fabric::run_node(script, &target, load)?);
            }
            let mean = |runs: &[Figures], of: fn(&Figures) -> f64| runs.iter().map(of).sum::<f64>() / runs.len() as f64;
            clients.push(format!(
                "{title}, {workers} in flight: Polder's client {:.1} ms p50, {:.0}/s; the client for Node.js {:.1} ms p50, {:.0}/s",
                mean(&own, |run| run.p50),
                mean(&own, |run| run.throughput),
                mean(&other, |run| run.p50),
                mean(&other, |run| run.throughput),
            ));
        }
    }
    platform.polder(&["network", "delete", "load", "--yes", "--wait"])?;
    let settings = format!("2 peers, {orderers} orderers, {workers} in flight");
    Ok(Row { engine: title.into(), settings, first, figures: Some(figures) })
}
