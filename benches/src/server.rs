//! The server: time to create a network, memory when idle, time to answer.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{account::Account, network::free_ports, report::quantiles, rpc::Connection};

/// Runs a server on a new data directory and creates networks one after another.
pub async fn run(program: &Path, runs: usize) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let server_address = format!("127.0.0.1:{}", free_ports(1)?[0]);
    let url = format!("http://{server_address}");
    let log = std::fs::File::create(directory.path().join("log"))?;
    let mut server = Command::new(program)
        .args(["server", "run", "--listen", &server_address, "--on-exit", "stop", "--data"])
        .arg(directory.path().join("data"))
        .env("POLDER_ADMIN_PASSWORD", "a password for measurements")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()?;
    let result = measure(program, &url, directory.path(), runs, server.id()).await;
    // SIGTERM, so that the server stops its nodes.
    crate::network::output(Command::new("kill").arg(server.id().to_string()))?;
    server.wait()?;
    result
}

async fn measure(program: &Path, url: &str, home: &Path, runs: usize, pid: u32) -> anyhow::Result<()> {
    let polder = |arguments: &[&str], input: Option<&str>| -> anyhow::Result<String> {
        let mut command = Command::new(program);
        command.args(arguments).env("POLDER_SERVER", url).env("XDG_CONFIG_HOME", home);
        let Some(input) = input else { return crate::network::output(&mut command) };
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        use std::io::Write as _;
        child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes())).transpose()?;
        anyhow::ensure!(child.wait()?.success(), "{arguments:?}");
        Ok(String::new())
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    while polder(&["login", "--server", url, "--user", "admin"], Some("a password for measurements\n")).is_err() {
        anyhow::ensure!(Instant::now() < deadline, "the server does not answer");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for name in ["alpha", "bravo", "charlie", "delta"] {
        polder(&["org", "create", name], None)?;
    }
    polder(&["consortium", "create", "bench", "--members", "alpha,bravo,charlie,delta"], None)?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    println!("server, idle: {} MB resident", resident(pid)? / 1_000_000);

    let mut created = Vec::new();
    for run in 0..runs {
        let name = format!("run{run}");
        let began = Instant::now();
        let text = polder(&["network", "create", &name, "--nodes", "4", "--wait", "--output", "json"], None)?;
        let network: Value = serde_json::from_str(&text)?;
        first_transaction(&network).await?;
        created.push(began.elapsed().as_secs_f64() * 1e3);
        polder(&["network", "delete", &name, "--yes", "--wait"], None)?;
    }
    println!("create a four-validator network, from the call to the first confirmed transaction:");
    println!("  {}", quantiles(created));
    Ok(())
}

/// Sends a transaction, which costs nothing, and waits for its receipt.
async fn first_transaction(network: &Value) -> anyhow::Result<()> {
    let rpc = network["nodes"][0]["rpc"].as_str().context("the node has no address")?;
    let host = rpc.trim_start_matches("http://").trim_end_matches('/');
    let chain_id = network["chainId"].as_u64().context("the network has no chain id")?;
    let account = Account::new(1)?;
    let raw = account.sign(chain_id, 0, Some(account.address), 21_000, alloy_primitives::Bytes::new());
    let receipt = Connection::open(host).await?.call("eth_sendRawTransactionSync", json!([raw])).await?;
    anyhow::ensure!(receipt["status"] == "0x1", "{receipt}");
    Ok(())
}

fn resident(pid: u32) -> anyhow::Result<u64> {
    Ok(procfs::process::Process::new(i32::try_from(pid)?)?.stat()?.rss * procfs::page_size())
}
