//! Load scenarios of the built-in chain and of the server, with real processes on loopback.
//!
//! Prints what was measured with the machine's cores and the settings. Nothing here is a test: figures
//! that fall short are printed like the others.

mod account;
mod engines;
mod erc20;
mod fabric;
mod ingress;
mod light;
mod network;
mod platform;
mod report;
mod rpc;
mod server;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Load scenarios.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Debug, Subcommand)]
enum Scenario {
    /// ERC-20 transfers at an offered rate, sent to all four validators
    Erc20 {
        /// Program of the node
        #[arg(long)]
        node: PathBuf,
        /// Offered transactions per second; several are run one after another, each on a new network
        #[arg(long, value_delimiter = ',', default_value = "1000,2000,3000,6000")]
        rates: Vec<u64>,
        /// Seconds of load
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Sending accounts
        #[arg(long, default_value_t = 200)]
        senders: usize,
        /// Then offer three times the best of what became final, in batches
        #[arg(long)]
        overload: bool,
    },
    /// One table of all engines: ERC-20 transfers, and new assets on Fabric
    Engines {
        /// Program of the server; the node's program is beside it
        #[arg(long)]
        polder: PathBuf,
        /// Seconds of each load
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Sending accounts
        #[arg(long, default_value_t = 200)]
        senders: usize,
        /// Only those with this word in their title, such as `fabric`
        #[arg(long, default_value = "")]
        only: String,
        /// Script that puts the same load on Fabric with the standard client for Node.js
        #[arg(long)]
        node_client: Option<PathBuf>,
    },
    /// 20 transactions per second, each waiting for its receipt
    Light {
        /// Program of the node
        #[arg(long)]
        node: PathBuf,
        /// Seconds of load
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// What the server's JSON-RPC ingress adds to a call
    Ingress {
        /// Program of the server; the node's program is beside it
        #[arg(long)]
        polder: PathBuf,
        /// Calls each way
        #[arg(long, default_value_t = 4000)]
        calls: usize,
    },
    /// The server: time to create a network, memory when idle, time to answer
    Server {
        /// Program of the server; the node's program is beside it
        #[arg(long)]
        polder: PathBuf,
        /// Networks to create, one after another
        #[arg(long, default_value_t = 10)]
        runs: usize,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        anyhow::bail!("a TLS provider was installed twice");
    }
    let arguments = Arguments::parse();
    report::machine();
    match arguments.scenario {
        Scenario::Erc20 { node, rates, seconds, senders, overload } => {
            let mut best = 0.0_f64;
            for rate in rates {
                let network = network::polder(&node, senders).await?;
                let load = erc20::Load::new(rate, seconds, senders);
                best = best.max(erc20::run("polder bft, 4 validators", &network, load).await?.throughput);
            }
            if overload {
                let network = network::polder(&node, senders).await?;
                let load = erc20::Load::overload(best, seconds, senders);
                let figures = erc20::run("three times the best", &network, load).await?;
                println!("  {:.0} % of the best throughput", figures.throughput / best * 100.0);
            }
            Ok(())
        }
        Scenario::Light { node, seconds } => light::run(&node, seconds).await,
        Scenario::Engines { polder, seconds, senders, only, node_client } => {
            engines::run(&polder, &only, (seconds, senders), node_client.as_deref()).await
        }
        Scenario::Ingress { polder, calls } => ingress::run(&polder, calls).await,
        Scenario::Server { polder, runs } => server::run(&polder, runs).await,
    }
}
