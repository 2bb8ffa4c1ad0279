//! Real `polder-node` processes on loopback ports.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_polder-node");

/// Longest that a node may take to answer after its start; generous for a loaded machine.
pub const START: Duration = Duration::from_secs(60);

/// Waits until the predicate gives something, up to the deadline.
pub fn eventually<T>(what: &str, within: Duration, mut predicate: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + within;
    loop {
        if let Some(found) = predicate() {
            return found;
        }
        assert!(Instant::now() < end, "not within {within:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Runs the program to its end.
pub fn polder_node(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().expect("the program runs")
}

/// Makes a key in a data directory and returns its public half.
pub fn key(data: &Path) -> String {
    let output = polder_node(&["key", "--data", data.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_string()
}

/// A genesis for these validators; `alloc` is Ethereum's.
pub fn genesis(validators: &[String], alloc: &Value) -> Value {
    json!({
        "config": {
            "chainId": 4242,
            "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0, "byzantiumBlock": 0,
            "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0, "berlinBlock": 0, "londonBlock": 0,
            "shanghaiTime": 0, "cancunTime": 0, "pragueTime": 0, "terminalTotalDifficulty": "0x0",
            "polder": { "validators": validators, "epochLength": 32, "heartbeatMs": 500 },
        },
        "nonce": "0x0", "timestamp": "0x0", "extraData": "0x", "gasLimit": "0x5f5e100", "difficulty": "0x0",
        "mixHash": format!("0x{}", "00".repeat(32)), "coinbase": format!("0x{}", "00".repeat(20)),
        "alloc": alloc,
    })
}

struct Running {
    child: Child,
    http: SocketAddr,
}

struct Node {
    data: PathBuf,
    key: String,
    p2p: SocketAddr,
    validator: bool,
    running: Option<Running>,
}

/// A network; dropping it kills its processes.
pub struct Cluster {
    directory: TempDir,
    nodes: Vec<Node>,
    /// Whether validators are told the followers' keys.
    pub introduced: bool,
}

/// A free loopback address that stays free while the node that has it is down: below the ports that the system deals out, which
/// another node's HTTP server may get meanwhile.
fn address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = std::process::id() as u16 % 100 * 80;
    loop {
        let port = 10_000 + (own + NEXT.fetch_add(1, Ordering::Relaxed)) % 8_000;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

impl Cluster {
    /// Prepares data directories; nothing runs yet.
    pub fn prepare(validators: usize, followers: usize, alloc: &Value) -> Self {
        Self::prepare_with(validators, followers, |keys| genesis(keys, alloc))
    }

    /// As [`Self::prepare`], on any genesis for the validators.
    pub fn prepare_with(validators: usize, followers: usize, genesis: impl FnOnce(&[String]) -> Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let nodes: Vec<_> = (0..validators + followers)
            .map(|index| {
                let data = directory.path().join(format!("node-{index}"));
                let key = key(&data);
                let p2p = address();
                Node { data, key, p2p, validator: index < validators, running: None }
            })
            .collect();
        let keys: Vec<_> = nodes.iter().filter(|node| node.validator).map(|node| node.key.clone()).collect();
        let file = directory.path().join("genesis.json");
        std::fs::write(&file, genesis(&keys).to_string()).unwrap();
        for node in &nodes {
            let mut arguments =
                vec!["init", "--genesis", file.to_str().unwrap(), "--data", node.data.to_str().unwrap()];
            if !node.validator {
                arguments.push("--follower");
            }
            let output = polder_node(&arguments);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        Self { directory, nodes, introduced: true }
    }

    /// Prepares and starts a network.
    pub fn start(validators: usize, followers: usize, alloc: &Value) -> Self {
        let mut cluster = Self::prepare(validators, followers, alloc);
        let all: Vec<_> = (0..cluster.nodes.len()).collect();
        cluster.start_nodes(&all);
        cluster
    }

    /// Starts nodes at once and waits until each is ready.
    pub fn start_nodes(&mut self, indices: &[usize]) {
        let children: Vec<_> = indices.iter().map(|index| self.spawn(*index)).collect();
        for (index, mut child) in indices.iter().zip(children) {
            let mut line = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
            let ready: Value = serde_json::from_str(&line)
                .unwrap_or_else(|_| panic!("node {index} is not ready: `{line}`\n{}", self.log(*index)));
            assert_eq!(ready["event"], "ready");
            assert_eq!(ready["publicKey"], self.nodes[*index].key.as_str());
            let http = ready["http"].as_str().unwrap().parse().unwrap();
            self.nodes[*index].running = Some(Running { child, http });
        }
    }

    fn spawn(&self, index: usize) -> Child {
        let node = &self.nodes[index];
        let mut command = Command::new(PROGRAM);
        command.args(["run", "--http", "127.0.0.1:0", "--data"]).arg(&node.data);
        command.args(["--p2p", &node.p2p.to_string()]);
        for (other, peer) in self.nodes.iter().enumerate() {
            if peer.validator && other != index {
                command.args(["--peer", &format!("{}@{}", peer.key, peer.p2p)]);
            }
            if self.introduced && !peer.validator && other != index {
                command.args(["--follower-key", &peer.key]);
            }
        }
        let log = File::options().create(true).append(true).open(self.log_file(index)).unwrap();
        command.stdout(Stdio::piped()).stderr(log).spawn().expect("the program runs")
    }

    fn log_file(&self, index: usize) -> PathBuf {
        self.directory.path().join(format!("node-{index}.log"))
    }

    /// What a node has logged over all its runs.
    pub fn log(&self, index: usize) -> String {
        std::fs::read_to_string(self.log_file(index)).unwrap_or_default()
    }

    /// A node's data directory.
    pub fn data(&self, index: usize) -> &Path {
        &self.nodes[index].data
    }

    /// The process id of a running node.
    pub fn process(&self, index: usize) -> u32 {
        self.nodes[index].running.as_ref().expect("the node runs").child.id()
    }

    /// kill -9.
    pub fn kill(&mut self, index: usize) {
        let mut running = self.nodes[index].running.take().expect("the node runs");
        running.child.kill().unwrap();
        running.child.wait().unwrap();
    }

    /// SIGTERM; returns the exit status.
    pub fn terminate(&mut self, index: usize) -> Option<i32> {
        let mut running = self.nodes[index].running.take().expect("the node runs");
        let killed = Command::new("kill").args(["-TERM", &running.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        eventually("the node ends", Duration::from_secs(40), || running.child.try_wait().unwrap()).code()
    }

    /// Calls JSON-RPC.
    pub fn try_call(&self, index: usize, method: &str, params: Value) -> Option<Value> {
        let http = self.nodes[index].running.as_ref()?.http;
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer = post(http, &body.to_string())?;
        serde_json::from_str(&answer).ok()
    }

    /// Calls JSON-RPC and expects a result.
    pub fn call(&self, index: usize, method: &str, params: Value) -> Value {
        let answer = eventually(method, START, || self.try_call(index, method, params.clone()));
        assert!(answer["error"].is_null(), "{method} on node {index}: {answer}");
        answer["result"].clone()
    }

    /// The newest final block.
    pub fn height(&self, index: usize) -> u64 {
        number(&self.call(index, "eth_blockNumber", json!([])))
    }

    /// Waits until the nodes have a height.
    pub fn reach(&self, indices: &[usize], height: u64, within: Duration) {
        for index in indices {
            eventually(&format!("node {index} at {height}"), within, || (self.height(*index) >= height).then_some(()));
        }
    }

    /// A block's hash and state root.
    pub fn block(&self, index: usize, number: u64) -> (String, String) {
        let block = self.call(index, "eth_getBlockByNumber", json!([format!("0x{number:x}"), false]));
        let text = |field: &str| block[field].as_str().unwrap_or_else(|| panic!("block {number}: {block}")).to_string();
        (text("hash"), text("stateRoot"))
    }

    /// Asserts that the nodes have the same blocks and state up to a height.
    pub fn assert_same(&self, indices: &[usize], height: u64) {
        for number in [0, height / 2, height.saturating_sub(1), height] {
            let blocks: Vec<_> = indices.iter().map(|index| self.block(*index, number)).collect();
            assert!(blocks.windows(2).all(|pair| pair[0] == pair[1]), "block {number} differs: {blocks:?}");
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for index in 0..self.nodes.len() {
            if self.nodes[index].running.is_some() {
                self.kill(index);
            }
            if thread::panicking() {
                eprintln!("--- log of node {index}\n{}", self.log(index));
            }
        }
    }
}

/// A JSON-RPC quantity.
pub fn number(value: &Value) -> u64 {
    let text = value.as_str().unwrap_or_else(|| panic!("not a quantity: {value}"));
    u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
}

fn post(address: SocketAddr, body: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len(),
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    Some(body.to_string())
}
