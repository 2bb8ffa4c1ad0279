//! Runs a plan as it stands, without a host: identities, services, steps.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use driver::{
    ChannelSpec, Connection, Connector, ContractSpec, Draft, Driver as _, Ledger, LedgerNetwork, NetworkSpec, NodeSpec,
};
use driver_fabric::FabricDriver;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use types::PlannedNode;
use workload::{
    Arg, Content, HostPort, Outputs, Piece, Placement, Placements, Plan, PortAddress, Probe, Service, key_reference,
};

use crate::members::Members;
use crate::programs::{Process, engines, program};

const START: Duration = Duration::from_secs(30);

/// A running network; dropping it kills its processes.
pub struct Network {
    pub spec: NetworkSpec,
    pub placements: Placements,
    pub outputs: Outputs,
    pub members: Arc<Members>,
    pub started: Instant,
    /// Programs of contracts by their names.
    contracts: BTreeMap<String, PathBuf>,
    processes: BTreeMap<String, Process>,
    taken: Vec<String>,
    pub directory: tempfile::TempDir,
}

impl Network {
    /// Plans a network and runs it until its steps are taken.
    pub async fn start(version: &str, consensus: &str, nodes: u32, options: Value) -> anyhow::Result<Self> {
        let names = ["alpha", "beta"];
        let draft = Draft {
            name: "test".into(),
            consensus: consensus.into(),
            version: Some(version.into()),
            nodes,
            members: names.map(String::from).to_vec(),
            chain_id: None,
            genesis: None,
            options,
        };
        let accepted = FabricDriver.planner().accept(&draft).map_err(|problem| anyhow::anyhow!(problem.detail))?;
        let mut network = Self {
            spec: NetworkSpec {
                id: "net_test".into(),
                name: draft.name,
                consensus: draft.consensus,
                version: draft.version,
                engines: accepted.engines.into_iter().map(|name| (name, "1.5.21".to_owned())).collect(),
                chain_id: None,
                created_at: types::now(),
                genesis: None,
                options: accepted.options,
                nodes: Vec::new(),
                accounts: accepted.accounts,
                channels: accepted.channels,
                contracts: Vec::new(),
                spent_names: Vec::new(),
                attached: None,
            },
            placements: Placements::new(),
            outputs: Outputs::new(),
            members: Arc::new(Members::new(&names)?),
            started: Instant::now(),
            contracts: BTreeMap::new(),
            processes: BTreeMap::new(),
            taken: Vec::new(),
            directory: tempfile::tempdir()?,
        };
        network.add(accepted.nodes, None)?;
        network.reconcile().await?;
        Ok(network)
    }

    /// Adds nodes to the specification and reserves their ports.
    fn add(&mut self, nodes: Vec<PlannedNode>, contract: Option<String>) -> anyhow::Result<()> {
        // Bound together, so that they differ.
        let mut listeners = Vec::new();
        for node in nodes {
            let id = format!("node_{}", self.placements.len());
            let mut ports = BTreeMap::new();
            for port in FabricDriver.planner().ports(&node.role) {
                let listener = TcpListener::bind("127.0.0.1:0")?;
                let bound = HostPort { host: "127.0.0.1".into(), port: listener.local_addr()?.port() };
                listeners.push(listener);
                let address = PortAddress { inside: bound.clone(), between: bound.clone(), outside: bound };
                ports.insert(port.name, address);
            }
            self.placements.insert(id.clone(), Placement { ports });
            self.spec.nodes.push(NodeSpec::new(id, node, contract.clone()));
        }
        Ok(())
    }

    /// Adds a channel, and has its members' peers join it.
    pub async fn open(&mut self, channel: ChannelSpec) -> anyhow::Result<()> {
        let accepted = FabricDriver.planner().accept_channel(&self.spec, &channel);
        accepted.map_err(|problem| anyhow::anyhow!(problem.detail))?;
        self.spec.channels.push(channel);
        self.reconcile().await
    }

    /// Adds a contract, and has it run and committed.
    pub async fn deploy(&mut self, contract: ContractSpec, program: &Path) -> anyhow::Result<()> {
        let planner = FabricDriver;
        let nodes = planner.planner().accept_contract(&self.spec, &contract);
        let nodes = nodes.map_err(|problem| anyhow::anyhow!(problem.detail))?;
        let reference = format!("{}/{}/{}", contract.channel, contract.name, contract.sequence);
        self.contracts.insert(contract.program.clone(), program.to_owned());
        self.spec.contracts.push(contract);
        self.add(nodes, Some(reference))?;
        self.reconcile().await
    }

    /// Has a member join a channel, with nodes for the channel's contracts.
    pub async fn join(&mut self, channel: &str, member: &str) -> anyhow::Result<()> {
        let accepted = FabricDriver.planner().accept_member(&self.spec, channel, member);
        for (node, contract) in accepted.map_err(|problem| anyhow::anyhow!(problem.detail))? {
            self.add(vec![node], Some(contract))?;
        }
        let channel = self.spec.channels.iter_mut().find(|known| known.name == channel).context("the channel")?;
        channel.members.push(member.into());
        channel.joined.push(member.into());
        self.look_again().await
    }

    /// Adds a node; gives its id.
    pub async fn grow(&mut self, member: &str, role: &str) -> anyhow::Result<String> {
        let accepted = FabricDriver.planner().accept_node(&self.spec, member, role);
        let node = accepted.map_err(|problem| anyhow::anyhow!(problem.detail))?;
        self.spec.spent_names.push(node.name.clone());
        self.add(vec![node], None)?;
        self.look_again().await?;
        Ok(self.spec.nodes.last().context("the node")?.id.clone())
    }

    /// Takes a node out of the network, then ends it.
    pub async fn shrink(&mut self, node: &str) -> anyhow::Result<()> {
        let at = self.spec.nodes.iter().position(|own| own.id == node).context("the node")?;
        let accepted = FabricDriver.planner().accept_removal(&self.spec, &self.spec.nodes[at]);
        accepted.map_err(|problem| anyhow::anyhow!(problem.detail))?;
        let gone = self.spec.nodes.remove(at);
        self.spec.spent_names.push(gone.name);
        self.look_again().await?;
        self.kill(node);
        Ok(())
    }

    /// As [`Self::reconcile`], with steps that were taken before looked at again.
    async fn look_again(&mut self) -> anyhow::Result<()> {
        self.taken.clear();
        self.reconcile().await
    }

    /// Issues what is missing, starts what does not run, takes the steps that are due.
    pub async fn reconcile(&mut self) -> anyhow::Result<()> {
        let plan = loop {
            let plan = FabricDriver.planner().plan(&self.spec, &self.placements, &self.outputs)?;
            if plan.complete {
                break plan;
            }
            let due: Vec<_> = plan.due_identities(&self.outputs).cloned().collect();
            for identity in due {
                self.members.issue(&identity, &mut self.outputs)?;
            }
        };
        for service in &plan.services {
            if !self.processes.contains_key(&service.node) {
                self.run(service)?;
            }
        }
        for service in &plan.services {
            self.ready(service).await?;
        }
        self.say("all nodes run");
        self.take_steps(&plan).await
    }

    async fn take_steps(&mut self, plan: &Plan) -> anyhow::Result<()> {
        for step in &plan.steps {
            if self.taken.contains(&step.name) {
                continue;
            }
            let known =
                |name: &String| self.taken.contains(name) || plan.services.iter().any(|service| service.name == *name);
            assert!(step.after.iter().all(known), "{} comes too early", step.name);
            let ledger = self.ledger();
            let was_done = ledger.step_done(step).await;
            if let Some(node) = step.restart.as_deref().filter(|_| !matches!(was_done, Ok(true))) {
                let service = plan.service(node).context("a service")?;
                self.kill(node);
                self.run(service)?;
            }
            ledger.take_step(step).await.with_context(|| step.name.clone())?;
            assert!(ledger.step_done(step).await?, "{} is done", step.name);
            ledger.take_step(step).await.with_context(|| format!("{} again", step.name))?;
            self.taken.push(step.name.clone());
            let before = if matches!(was_done, Ok(true)) { " (was done)" } else { "" };
            self.say(&format!("{}{before}", step.name));
        }
        Ok(())
    }

    pub fn say(&self, what: &str) {
        let version = self.spec.version.as_deref().unwrap_or_default();
        eprintln!("{version} {}: {:6.2} s {what}", self.spec.consensus, self.started.elapsed().as_secs_f64());
    }

    fn home(&self, node: &str) -> PathBuf {
        self.directory.path().join(node)
    }

    fn text(&self, node: &str, arg: &Arg) -> anyhow::Result<String> {
        let home = self.home(node);
        let path = |path: PathBuf| path.display().to_string();
        Ok(match arg {
            Arg::Text(text) => text.clone(),
            Arg::Listen(name) => self.placements[node].port(name).context("a port")?.inside.to_string(),
            Arg::Volume(name) => path(home.join("volumes").join(name)),
            Arg::File(name) => path(home.join("secrets").join(name)),
            Arg::Secrets => path(home.join("secrets")),
            Arg::Engine(below) => path(engines()?.join(below)),
            Arg::In(volume, below) => path(home.join("volumes").join(volume).join(below)),
            Arg::Joined(parts) => {
                parts.iter().map(|part| self.text(node, part)).collect::<anyhow::Result<Vec<_>>>()?.concat()
            }
        })
    }

    fn run(&mut self, service: &Service) -> anyhow::Result<()> {
        let node = service.node.as_str();
        let home = self.home(node);
        for volume in &service.volumes {
            let directory = home.join("volumes").join(&volume.name);
            fs::create_dir_all(&directory)?;
            for file in &volume.files {
                assert!(!file.text.contains("PRIVATE KEY"), "{} keeps a key", file.path);
                write(&directory.join(&file.path), file.text.as_bytes(), if file.executable { 0o755 } else { 0o644 })?;
            }
        }
        for file in &service.program.files {
            let prefix = key_reference(&self.spec.id, "");
            let secret = |reference: &String| -> anyhow::Result<String> {
                Ok(self.members.key(reference.strip_prefix(&prefix).context("a key of this network")?)?.to_string())
            };
            let text = match &file.content {
                Content::Text(text) => text.clone(),
                Content::Secret(reference) => secret(reference)?,
                Content::Pieces(pieces) => {
                    let piece = |piece: &Piece| match piece {
                        Piece::Text(text) => Ok(text.clone()),
                        Piece::Secret(reference) => secret(reference),
                    };
                    pieces.iter().map(piece).collect::<anyhow::Result<String>>()?
                }
            };
            write(&home.join("secrets").join(&file.name), text.as_bytes(), 0o600)?;
        }
        let environment = service.program.env.iter().map(|(name, value)| Ok((name.clone(), self.text(node, value)?)));
        let environment = environment.collect::<anyhow::Result<Vec<_>>>()?;
        let arguments = service.program.args.iter().map(|arg| self.text(node, arg));
        let arguments = arguments.collect::<anyhow::Result<Vec<_>>>()?;
        let path = match self.contracts.get(&service.program.name) {
            Some(path) => path.clone(),
            None => program(&service.program.name)?,
        };
        let log = self.directory.path().join(format!("{node}.log"));
        self.processes.insert(node.to_owned(), Process::start(&path, &arguments, &environment, &log)?);
        Ok(())
    }

    async fn ready(&self, service: &Service) -> anyhow::Result<()> {
        let end = Instant::now() + START;
        loop {
            let ready = match &service.readiness {
                Probe::Tcp(port) => self.connect(&service.node, port).await.is_ok(),
                Probe::Http { port, path } => self.answers(&service.node, port, path).await.unwrap_or(false),
                _ => true,
            };
            if ready {
                return Ok(());
            }
            if Instant::now() > end {
                bail!("{} is not ready", service.name);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn connect(&self, node: &str, port: &str) -> std::io::Result<TcpStream> {
        let address = self.placements[node].port(port).ok_or(std::io::ErrorKind::NotFound)?;
        TcpStream::connect(address.inside.to_string()).await
    }

    async fn answers(&self, node: &str, port: &str, path: &str) -> anyhow::Result<bool> {
        let mut stream = self.connect(node, port).await?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer.split_whitespace().nth(1) == Some("200"))
    }

    /// What a ledger is opened with.
    pub fn opened(&self) -> LedgerNetwork {
        let placements = self.placements.clone();
        let connector: Connector = Arc::new(move |node, port| {
            let address = placements.get(&node).and_then(|placement| placement.port(&port)).cloned();
            Box::pin(async move {
                let address = address.ok_or(std::io::ErrorKind::NotFound)?;
                let stream = TcpStream::connect(address.inside.to_string()).await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream) as Box<dyn Connection>)
            })
        });
        LedgerNetwork {
            channel: Some("main".into()),
            placements: self.placements.clone(),
            outputs: self.outputs.clone(),
            identities: self.members.clone(),
            ..LedgerNetwork::new(self.spec.clone(), connector)
        }
    }

    /// A new ledger of the first channel.
    pub fn ledger(&self) -> Arc<dyn Ledger> {
        FabricDriver.ledger(self.opened())
    }

    /// A new ledger of a channel.
    pub fn ledger_of(&self, channel: &str) -> Arc<dyn Ledger> {
        FabricDriver.ledger(LedgerNetwork { channel: Some(channel.into()), ..self.opened() })
    }

    /// The ids of the nodes of a role.
    pub fn ids(&self, role: &str) -> Vec<String> {
        self.spec.nodes.iter().filter(|node| node.role == role).map(|node| node.id.clone()).collect()
    }

    /// kill -9.
    pub fn kill(&mut self, node: &str) {
        drop(self.processes.remove(node).expect("the node runs"));
    }
}

pub fn write(path: &Path, contents: &[u8], mode: u32) -> anyhow::Result<()> {
    fs::create_dir_all(path.parent().context("a folder")?)?;
    fs::write(path, contents)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    Ok(())
}
