//! Four validator processes on loopback.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use serde_json::{Map, json};
use tempfile::TempDir;

use crate::{account::Account, rpc::Connection};

/// Chain id of every measured network.
pub const CHAIN_ID: u64 = 90_001;

/// Running nodes. Those that were started here are ended and removed when it is dropped.
pub struct Network {
    /// Address of each node's JSON-RPC as `HOST:PORT`.
    pub rpc: Vec<String>,
    processes: Processes,
    own: Vec<Child>,
    _directory: Option<TempDir>,
}

/// Processes whose use of the machine is looked at.
pub struct Processes(Vec<i32>);

/// CPU time and memory of the nodes at one moment.
pub struct Usage {
    /// Seconds of CPU of each node since its start.
    pub cpu: Vec<f64>,
    /// Resident bytes of each node.
    pub memory: Vec<u64>,
}

impl Usage {
    /// What a node used in some seconds since `before`: cores on average of all nodes, megabytes of the largest.
    pub fn since(&self, before: &Usage, seconds: f64) -> (f64, u64) {
        let used: f64 = before.cpu.iter().zip(&self.cpu).map(|(before, after)| after - before).sum();
        let nodes = self.cpu.len().max(1) as f64;
        (used / nodes / seconds, self.memory.iter().max().unwrap_or(&0) / 1_000_000)
    }
}

impl Processes {
    /// Those of the given ids.
    pub fn new(ids: impl IntoIterator<Item = u32>) -> anyhow::Result<Self> {
        Ok(Self(ids.into_iter().map(i32::try_from).collect::<Result<_, _>>()?))
    }

    /// What they have used.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        let ticks = procfs::ticks_per_second() as f64;
        let mut usage = Usage { cpu: Vec::new(), memory: Vec::new() };
        for id in &self.0 {
            let stat = procfs::process::Process::new(*id)?.stat()?;
            usage.cpu.push((stat.utime + stat.stime) as f64 / ticks);
            usage.memory.push(stat.rss * procfs::page_size());
        }
        Ok(usage)
    }
}

impl Network {
    /// Takes over processes that were started here.
    fn new(rpc: Vec<String>, own: Vec<Child>, directory: TempDir) -> anyhow::Result<Self> {
        let processes = Processes::new(own.iter().map(Child::id))?;
        Ok(Self { rpc, processes, own, _directory: Some(directory) })
    }

    /// Nodes that somebody else runs.
    pub fn of(rpc: Vec<String>, processes: Processes) -> Self {
        Self { rpc, processes, own: Vec::new(), _directory: None }
    }

    /// What the nodes have used.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        self.processes.usage()
    }

    /// Waits for the first block on every node.
    pub async fn ready(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(60);
        for host in &self.rpc {
            loop {
                if let Ok(mut connection) = Connection::open(host).await
                    && let Ok(height) = connection.call("eth_blockNumber", json!([])).await
                    && crate::rpc::quantity(&height)? >= 1
                {
                    break;
                }
                if Instant::now() > deadline {
                    bail!("{host} makes no blocks");
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Ok(())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for process in &mut self.own {
            // Already ended is fine.
            if process.kill().is_ok() {
                let _ = process.wait();
            }
        }
    }
}

/// Free ports of loopback, distinct.
pub fn free_ports(count: usize) -> anyhow::Result<Vec<u16>> {
    let held: Vec<std::net::TcpListener> =
        (0..count).map(|_| std::net::TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    held.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}

/// The senders' balances for a genesis.
pub fn allocations(senders: usize) -> anyhow::Result<Map<String, serde_json::Value>> {
    (0..=senders as u64)
        .map(|number| Ok((Account::new(number)?.address.to_string(), json!({ "balance": "0xd3c21bcecceda1000000" }))))
        .collect()
}

/// Starts four validators of the built-in chain.
pub async fn polder(program: &Path, senders: usize) -> anyhow::Result<Network> {
    let directory = tempfile::tempdir()?;
    let ports = free_ports(8)?;
    let mut keys = Vec::new();
    for index in 0..4 {
        let data = directory.path().join(format!("node{index}"));
        std::fs::create_dir(&data)?;
        keys.push(output(Command::new(program).arg("key").arg("--data").arg(&data))?);
    }
    let genesis = json!({
        "config": {
            "chainId": CHAIN_ID, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0,
            "byzantiumBlock": 0, "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0,
            "berlinBlock": 0, "londonBlock": 0, "terminalTotalDifficulty": "0x0",
            "shanghaiTime": 0, "cancunTime": 0, "pragueTime": 0,
            "polder": { "validators": keys },
        },
        "difficulty": "0x0", "gasLimit": "0x3938700", "alloc": allocations(senders)?,
    });
    let file = directory.path().join("genesis.json");
    std::fs::write(&file, serde_json::to_vec(&genesis)?)?;
    let mut processes = Vec::new();
    for index in 0..4 {
        let data = directory.path().join(format!("node{index}"));
        output(Command::new(program).arg("init").arg("--genesis").arg(&file).arg("--data").arg(&data))?;
        let log = std::fs::File::create(data.join("log"))?;
        let mut command = Command::new(program);
        command.arg("run").arg("--data").arg(&data);
        command.args(["--http", &format!("127.0.0.1:{}", ports[index])]);
        command.args(["--p2p", &format!("127.0.0.1:{}", ports[4 + index])]);
        for other in (0..4).filter(|other| *other != index) {
            command.args(["--peer", &format!("{}@127.0.0.1:{}", keys[other], ports[4 + other])]);
        }
        processes.push(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?);
    }
    let rpc = ports[..4].iter().map(|port| format!("127.0.0.1:{port}")).collect();
    let network = Network::new(rpc, processes, directory)?;
    network.ready().await?;
    Ok(network)
}

/// Standard output of a command that must succeed.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
