//! New assets on Fabric, by Polder's client and by the standard one for Node.js: each worker makes one after the other and waits
//! for its commit before the next. An asset that exists is not changed: peers that have its newest state at different
//! moments would endorse differently.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use anyhow::Context as _;
use fabric_client::{Call, Gateway, Identity, Node, SecretKey, Tls, connector};
use serde_json::Value;

use crate::{
    network::{Processes, output},
    report::{Figures, quantile},
};

/// How long a transaction may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Assets that are made before those that count.
const WARM_UP: usize = 10;

/// A written connection profile, and the contract.
#[derive(Clone)]
pub struct Target {
    /// The profile's directory.
    pub profile: PathBuf,
    /// Its member.
    pub member: String,
    /// The channel.
    pub channel: String,
    /// The chaincode.
    pub contract: String,
}

/// How much at once, and for how long.
#[derive(Clone, Copy)]
pub struct Load {
    /// Transactions in flight.
    pub workers: usize,
    /// Seconds.
    pub seconds: u64,
}

/// Runs a load with Polder's client, looking at the nodes.
pub async fn run(target: &Target, load: Load, nodes: &Processes) -> anyhow::Result<Figures> {
    let (gateway, identity) = open(target)?;
    let identity = Arc::new(identity);
    let run = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis();
    // The first calls meet cold caches.
    for number in 0..WARM_UP {
        create(target, &gateway, &identity, &format!("{run}-{number}")).await?;
    }
    let before = nodes.usage()?;
    let start = Instant::now();
    let end = start + Duration::from_secs(load.seconds);
    let mut tasks = Vec::new();
    for worker in 0..load.workers {
        let (gateway, identity) = (gateway.clone(), identity.clone());
        let target = target.clone();
        tasks.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            while Instant::now() < end {
                let began = Instant::now();
                create(&target, &gateway, &identity, &format!("{run}-{worker}-{}", latencies.len())).await?;
                latencies.push(began.elapsed().as_secs_f64() * 1e3);
            }
            anyhow::Ok(latencies)
        }));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    let seconds = start.elapsed().as_secs_f64();
    let (cores, megabytes) = nodes.usage()?.since(&before, seconds);
    latencies.sort_by(f64::total_cmp);
    let (p50, p99) = (quantile(&latencies, 0.5), quantile(&latencies, 0.99));
    Ok(Figures { throughput: latencies.len() as f64 / seconds, p50, p99, cores, megabytes })
}

/// Runs the same load with the client for Node.js: a script that prints its figures.
pub fn run_node(script: &Path, target: &Target, load: Load) -> anyhow::Result<Figures> {
    let mut command = Command::new("node");
    command.arg(script).arg(&target.profile).args([&target.member, &target.channel, &target.contract]);
    command.args([load.workers.to_string(), load.seconds.to_string()]);
    let printed: Value = serde_json::from_str(&output(&mut command)?)?;
    let number = |name: &str| printed[name].as_f64().with_context(|| format!("{name} is missing in {printed}"));
    let unknown = number("unknown")?;
    if unknown > 0.0 {
        println!("the client for Node.js was not told {unknown} outcomes and asked for them by id");
    }
    Ok(Figures { throughput: number("throughput")?, p50: number("p50")?, p99: number("p99")?, ..Figures::default() })
}

async fn create(target: &Target, gateway: &Gateway, identity: &Identity, id: &str) -> anyhow::Result<()> {
    let call = Call::new(&target.channel, &target.contract, "CreateAsset", [id, "blue", "1", "nobody", "1"]);
    let (_, commit) = gateway.execute(identity, &call, LIMIT).await?;
    anyhow::ensure!(commit.is_valid(), "{:?}", commit.code);
    Ok(())
}

/// The gateway of the member's peer, and the member's user.
fn open(target: &Target) -> anyhow::Result<(Gateway, Identity)> {
    let profile: Value = serde_json::from_slice(&std::fs::read(target.profile.join("connection.json"))?)?;
    let organisation = &profile["organizations"][&target.member];
    let peer = organisation["peers"][0].as_str().context("the member has no peer")?;
    let entry = &profile["peers"][peer];
    let address = entry["url"].as_str().and_then(|url| url.strip_prefix("grpcs://")).context("no address")?.to_owned();
    let root = entry["tlsCACerts"]["pem"].as_str().context("no TLS root")?;
    let host = address.rsplit_once(':').context("no port")?.0.to_owned();
    let open = connector(move || {
        let address = address.clone();
        async move {
            let stream = tokio::net::TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        }
    });
    let gateway = Gateway::new(Node::new(host, open, Tls::new(&[root], None)?)?).with_deadline(LIMIT);
    let msp = target.profile.join("msp/user");
    let certificate = only_file(&msp.join("signcerts"))?;
    let key = SecretKey::from_pem(&only_file(&msp.join("keystore"))?)?;
    let id = organisation["mspid"].as_str().context("no MSP")?;
    Ok((gateway, Identity::new(id, certificate, Arc::new(key))))
}

fn only_file(folder: &Path) -> anyhow::Result<Vec<u8>> {
    let entry = std::fs::read_dir(folder)?.next().with_context(|| format!("{} is empty", folder.display()))??;
    Ok(std::fs::read(entry.path())?)
}
