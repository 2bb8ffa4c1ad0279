//! Runs a plan's jobs and services as they stand, without a host.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::{Address, keccak256};
use driver::{
    AccountSpec, Connection, Connector, Draft, Driver as _, Ledger, LedgerNetwork, NetworkSpec, Signer, conformance,
};
use driver_native::NativeDriver;
use secp256k1::{Message, SECP256K1, SecretKey};
use tempfile::TempDir;
use workload::{Arg, Content, HostPort, Outputs, Placement, Placements, Plan, PortAddress, Program};

const START: Duration = Duration::from_secs(60);

/// Someone with an account.
pub struct Member {
    key: SecretKey,
    address: String,
}

impl Member {
    pub fn new(seed: u8) -> Self {
        let key = SecretKey::from_byte_array([seed; 32]).unwrap();
        let public = key.public_key(SECP256K1).serialize_uncompressed();
        let address = Address::from_slice(&keccak256(&public[1..])[12..]).to_string();
        Self { key, address }
    }

    pub fn address(&self) -> String {
        self.address.clone()
    }
}

impl Signer for Member {
    fn address(&self) -> &str {
        &self.address
    }

    fn sign(&self, digest: &[u8]) -> driver::Result<Vec<u8>> {
        let digest = Message::from_digest(digest.try_into().unwrap());
        let (recovery, bytes) = SECP256K1.sign_ecdsa_recoverable(digest, &self.key).serialize_compact();
        let mut signature = bytes.to_vec();
        signature.push(i32::from(recovery) as u8);
        Ok(signature)
    }
}

/// A running network; dropping it kills its processes.
pub struct Network {
    directory: TempDir,
    spec: NetworkSpec,
    placements: Placements,
    outputs: Outputs,
    children: BTreeMap<String, Child>,
}

impl Network {
    /// Plans and runs a network and waits until each node answers and sees the others.
    pub async fn start(consensus: &str, nodes: u32, members: &[&Member]) -> Self {
        let driver = NativeDriver;
        let draft = Draft {
            name: "test".into(),
            version: None,
            consensus: consensus.into(),
            nodes,
            members: vec!["alpha".into(), "beta".into()],
            chain_id: Some(4242),
            genesis: None,
            options: serde_json::Value::Null,
        };
        let accepted = driver.planner().accept(&draft).unwrap();
        let account = |member: &&Member| AccountSpec {
            address: member.address(),
            member: "alpha".into(),
            balance: None,
            identity: None,
        };
        let mut spec = conformance::settle(&draft, &accepted);
        spec.accounts = members.iter().map(account).collect();
        let placements = place(&driver, &spec);
        let mut network = Self {
            directory: tempfile::tempdir().unwrap(),
            spec,
            placements,
            outputs: Outputs::new(),
            children: BTreeMap::new(),
        };
        loop {
            let plan = driver.planner().plan(&network.spec, &network.placements, &network.outputs).unwrap();
            network.run_jobs(&plan);
            if plan.complete && plan.is_prepared(&network.outputs) {
                network.run_services(&plan);
                break;
            }
        }
        network.ready().await;
        network
    }

    fn run_jobs(&mut self, plan: &Plan) {
        let due = |outputs: &Outputs| plan.due_jobs(outputs).next().cloned();
        while let Some(job) = due(&self.outputs) {
            let output = self.command(&job.node, &job.program).output().expect("the program runs");
            assert!(output.status.success(), "{}: {}", job.name, String::from_utf8_lossy(&output.stderr));
            let text = String::from_utf8(output.stdout).unwrap().trim().to_owned();
            let outputs = job.outputs.iter().map(|output| (output.name.clone(), text.clone())).collect();
            self.outputs.insert(job.name, outputs);
        }
    }

    fn run_services(&mut self, plan: &Plan) {
        for service in &plan.services {
            let log = std::fs::File::create(self.log(&service.node)).unwrap();
            let mut command = self.command(&service.node, &service.program);
            let child = command.stdout(Stdio::null()).stderr(log).spawn().expect("the program runs");
            self.children.insert(service.node.clone(), child);
        }
    }

    async fn ready(&mut self) {
        let (ledger, end) = (self.ledger(), Instant::now() + START);
        for node in self.ids() {
            loop {
                let health = ledger.health(&node).await;
                let others = self.spec.nodes.len() - 1;
                if health
                    .as_ref()
                    .is_ok_and(|health| health.peers.iter().filter(|peer| peer.connected).count() == others)
                {
                    break;
                }
                assert!(Instant::now() < end, "{node} is not ready: {health:?}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    fn command(&self, node: &str, program: &Program) -> Command {
        let directory = self.directory.path().join(node);
        std::fs::create_dir_all(&directory).unwrap();
        for file in &program.files {
            let Content::Text(text) = &file.content else { panic!("no secrets are planned") };
            std::fs::write(directory.join(&file.name), text).unwrap();
        }
        assert_eq!(program.name, "polder-node");
        let mut command = Command::new(node_program());
        command.args(program.args.iter().map(|arg| match arg {
            Arg::Text(text) => text.clone(),
            Arg::Listen(port) => self.placements[node].port(port).unwrap().inside.to_string(),
            Arg::Volume(name) | Arg::File(name) => directory.join(name).display().to_string(),
            other => panic!("{other:?} is not planned"),
        }));
        command
    }

    fn log(&self, node: &str) -> PathBuf {
        self.directory.path().join(format!("{node}.log"))
    }

    /// The ids of the nodes.
    pub fn ids(&self) -> Vec<String> {
        self.spec.nodes.iter().map(|node| node.id.clone()).collect()
    }

    /// A node's public key.
    pub fn key(&self, node: &str) -> &str {
        let name = &self.spec.nodes.iter().find(|known| known.id == node).unwrap().name;
        &self.outputs[&format!("{name}/key")]["publicKey"]
    }

    /// A new ledger.
    pub fn ledger(&self) -> Arc<dyn Ledger> {
        let placements = self.placements.clone();
        let connector: Connector = Arc::new(move |node, port| {
            let address =
                placements.get(&node).and_then(|placement| placement.port(&port)).map(|port| port.outside.to_string());
            Box::pin(async move {
                let address = address.ok_or(std::io::ErrorKind::NotFound)?;
                let stream = tokio::net::TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream) as Box<dyn Connection>)
            })
        });
        NativeDriver.ledger(LedgerNetwork::new(self.spec.clone(), connector))
    }

    /// kill -9.
    pub fn kill(&mut self, node: &str) {
        let mut child = self.children.remove(node).expect("the node runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for (node, mut child) in std::mem::take(&mut self.children) {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
            if std::thread::panicking() {
                eprintln!("--- {node}\n{}", std::fs::read_to_string(self.log(&node)).unwrap_or_default());
            }
        }
    }
}

fn place(driver: &NativeDriver, spec: &NetworkSpec) -> Placements {
    // Bound together, so that they differ.
    let mut listeners = Vec::new();
    let mut address = || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let bound = listener.local_addr().unwrap();
        listeners.push(listener);
        let bound = HostPort { host: bound.ip().to_string(), port: bound.port() };
        PortAddress { inside: bound.clone(), between: bound.clone(), outside: bound }
    };
    let mut placement = |node: &driver::NodeSpec| {
        let ports = driver.planner().ports(&node.role).into_iter().map(|port| (port.name, address())).collect();
        (node.id.clone(), Placement { ports })
    };
    spec.nodes.iter().map(&mut placement).collect()
}

fn node_program() -> PathBuf {
    if let Some(program) = std::env::var_os("POLDER_NODE_PROGRAM") {
        return program.into();
    }
    // target/debug/deps/TEST → target/debug/polder-node
    let own = std::env::current_exe().unwrap();
    let program = own.ancestors().nth(2).unwrap_or(Path::new("")).join("polder-node");
    assert!(
        program.is_file(),
        "{} is not there: build it with `cargo build -p polder-node`, or set POLDER_NODE_PROGRAM",
        program.display()
    );
    program
}
