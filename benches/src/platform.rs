//! A Polder server with a consortium, used through its command line as an operator would.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde_json::Value;
use tempfile::TempDir;

use crate::network::{Processes, free_ports, output};

/// Of the first administrator and of the developer.
const PASSWORD: &str = "a password for measurements";

/// A member and its developer, who sends the transactions.
pub const MEMBER: &str = "alpha";

/// A running server; its nodes and it are ended when it is dropped.
pub struct Platform {
    program: PathBuf,
    url: String,
    server: Child,
    directory: TempDir,
}

impl Platform {
    /// Starts a server with some options on new data, with a consortium of four members.
    pub async fn start(program: &Path, options: &[&str]) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let address = format!("127.0.0.1:{}", free_ports(1)?[0]);
        let log = std::fs::File::create(directory.path().join("log"))?;
        let server = Command::new(program)
            .args(["server", "run", "--listen", &address, "--on-exit", "stop"])
            .args(options)
            .arg("--data")
            .arg(directory.path().join("data"))
            .env("POLDER_ADMIN_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let platform = Self { program: program.into(), url: format!("http://{address}"), server, directory };
        let deadline = Instant::now() + Duration::from_secs(30);
        while platform.sign_in("admin").is_err() {
            anyhow::ensure!(Instant::now() < deadline, "the server does not answer");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for name in [MEMBER, "bravo", "charlie", "delta"] {
            platform.polder(&["org", "create", name])?;
        }
        platform.polder(&["consortium", "create", "bench", "--members", "alpha,bravo,charlie,delta"])?;
        let role = format!("developer:{MEMBER}");
        platform.typed("admin", &["user", "create", "dora", "--role", &role])?;
        platform.sign_in("dora")?;
        Ok(platform)
    }

    /// Resident bytes of the server.
    pub fn memory(&self) -> anyhow::Result<u64> {
        Ok(Processes::new([self.server.id()])?.usage()?.memory[0])
    }

    /// Runs a command as the administrator; its output.
    pub fn polder(&self, arguments: &[&str]) -> anyhow::Result<String> {
        output(self.command("admin", arguments).stdin(Stdio::null()))
    }

    /// Runs a command as the administrator; the document that it prints.
    pub fn json(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        self.json_as("admin", arguments)
    }

    /// Runs a command as the member's developer; the document that it prints.
    pub fn as_developer(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        self.json_as("dora", arguments)
    }

    fn json_as(&self, user: &str, arguments: &[&str]) -> anyhow::Result<Value> {
        let arguments = [arguments, &["--output", "json"]].concat();
        let text = output(self.command(user, &arguments).stdin(Stdio::null()))?;
        serde_json::from_str(&text).with_context(|| format!("{arguments:?} printed {text}"))
    }

    fn sign_in(&self, user: &str) -> anyhow::Result<()> {
        self.typed(user, &["login", "--server", &self.url, "--user", user])
    }

    /// Runs a command that reads a password.
    fn typed(&self, user: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let mut child = self.command(user, arguments).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        use std::io::Write as _;
        let mut stdin = child.stdin.take().context("no standard input")?;
        stdin.write_all(format!("{PASSWORD}\n").as_bytes())?;
        drop(stdin);
        anyhow::ensure!(child.wait()?.success(), "{arguments:?}");
        Ok(())
    }

    fn command(&self, user: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env("POLDER_SERVER", &self.url);
        command.env("XDG_CONFIG_HOME", self.directory.path().join(user));
        command
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // SIGTERM, so that the server stops its nodes.
        let asked = output(Command::new("kill").arg(self.server.id().to_string()));
        if asked.is_err() || self.server.wait().is_err() {
            eprintln!("the server {} could not be ended", self.server.id());
        }
    }
}

/// The processes of a network's nodes, as the command line shows it.
pub fn processes(network: &Value) -> anyhow::Result<Processes> {
    let ids: Option<Vec<u32>> =
        nodes(network)?.iter().map(|node| node["pid"].as_u64().and_then(|id| u32::try_from(id).ok())).collect();
    Processes::new(ids.context("a node does not run")?)
}

/// Where the nodes' JSON-RPC is, as `HOST:PORT`.
pub fn rpc(network: &Value) -> anyhow::Result<Vec<String>> {
    nodes(network)?
        .iter()
        .map(|node| {
            let address = node["rpc"].as_str().context("a node has no address")?;
            Ok(address.trim_start_matches("http://").trim_end_matches('/').to_owned())
        })
        .collect()
}

fn nodes(network: &Value) -> anyhow::Result<&Vec<Value>> {
    network["nodes"].as_array().context("the network has no nodes")
}
