//! Nodes as processes of this machine, each under a [shim](crate::shim).

mod job;
mod probe;
mod program;
mod usage;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::BoxStream;
use nix::sys::signal::Signal;
use parking_lot::Mutex;
use tokio::time::Instant;
use types::LogLine;
use workload::{HostPort, Job, Placement, PortAddress, PortSpec, Service};

use crate::groups::Groups;
use crate::layout::{NodeDirectory, check_name, make_directory, read_json, remove, write_json, write_json_in_place};
use crate::ports::Ports;
use crate::process::ProcessIdentity;
use crate::shim::{BackOff, Phase, ShimSpec, ShimState, group_name, os_signal};
use crate::{ByteStream, Error, Host, LogLimits, LogQuery, Observation, Result, Secrets, State, log};

/// How long a shim may take to start its program.
const SHIM_START: Duration = Duration::from_secs(10);
/// What a shim may need beyond its program's grace.
const SHIM_STOP: Duration = Duration::from_secs(5);

/// What a [`LocalHost`] is made of.
pub struct LocalConfig {
    /// The host's name.
    pub name: String,
    /// Below it `nodes/NODEID`.
    pub directory: PathBuf,
    /// For files with secrets, best on a file system in memory: [`runtime_directory`].
    pub runtime_directory: PathBuf,
    /// The shim's program and the arguments before `--directory DIR`, such as `polder` and `["shim"]`.
    pub shim_program: PathBuf,
    /// See `shim_program`.
    pub shim_args: Vec<String>,
    /// Programs by the names that plans use.
    pub programs: BTreeMap<String, PathBuf>,
    /// Where the programs of engines are: `ENGINE-VERSION/PROGRAM` is `engines/ENGINE-VERSION/bin/PROGRAM`.
    pub engines: PathBuf,
    /// Where builds of other people's code are: `chaincode:BUILD/PROGRAM` is `builds/BUILD/bin/PROGRAM`.
    pub builds: PathBuf,
    /// Other people's code runs even where the machine cannot keep it apart: an administrator has accepted that.
    pub accept_no_sandbox: bool,
    /// Where programs are looked for that `programs` does not list.
    pub program_directories: Vec<PathBuf>,
    /// Environment variables that all programs get, such as `PATH`. Nothing of the server's own is passed on.
    pub environment: BTreeMap<String, String>,
    /// What nodes listen on: a loopback address.
    pub address: IpAddr,
    /// First and last port for nodes. Below the operating system's own range, so that it gives none of them away.
    pub ports: (u16, u16),
    /// How much of each node's log is kept.
    pub log: LogLimits,
    /// How programs that end are started again.
    pub back_off: BackOff,
}

impl LocalConfig {
    /// A host in a data directory with the usual settings: the shim is `program shim`, programs are looked for
    /// beside it.
    pub fn new(directory: &Path, program: &Path) -> Self {
        Self {
            name: "local".into(),
            directory: directory.to_owned(),
            runtime_directory: runtime_directory(directory),
            shim_program: program.to_owned(),
            shim_args: vec!["shim".into()],
            programs: BTreeMap::new(),
            engines: directory.join("engines"),
            builds: directory.join("builds"),
            accept_no_sandbox: false,
            program_directories: program.parent().map(Path::to_owned).into_iter().collect(),
            environment: BTreeMap::new(),
            address: IpAddr::from([127, 0, 0, 1]),
            ports: (20_000, 31_999),
            log: LogLimits::default(),
            back_off: BackOff::default(),
        }
    }
}

/// A directory for secrets: in memory where the machine has `/dev/shm`, else below the data directory.
pub fn runtime_directory(data: &Path) -> PathBuf {
    let shared = Path::new("/dev/shm");
    if nix::unistd::access(shared, nix::unistd::AccessFlags::W_OK).is_ok() {
        shared.join(format!("polder-{}", nix::unistd::getuid()))
    } else {
        data.join("run")
    }
}

/// Runs nodes as processes of this machine.
pub struct LocalHost {
    config: LocalConfig,
    secrets: Arc<dyn Secrets>,
    ports: Ports,
    /// Where groups for limits can be made.
    groups: Option<Groups>,
    nodes: Mutex<HashMap<String, Arc<NodeMemory>>>,
}

/// What is remembered of a node while the server runs.
#[derive(Default)]
struct NodeMemory {
    /// Held by whatever changes the node.
    changing: tokio::sync::Mutex<()>,
    usage: Mutex<usage::Sampler>,
    /// The process that has answered its probe.
    ready: Mutex<Option<ProcessIdentity>>,
}

impl LocalHost {
    /// Opens a host: finds the nodes that are there, whether they run or not, and their ports.
    ///
    /// # Errors
    /// The directory cannot be read or made.
    pub fn open(config: LocalConfig, secrets: Arc<dyn Secrets>) -> Result<Self> {
        make_directory(&config.directory.join("nodes"))?;
        let ports = Ports::new(config.address, config.ports.0, config.ports.1);
        let host = Self { config, secrets, ports, groups: Groups::of_this_process(), nodes: Mutex::default() };
        for node in host.list()? {
            let directory = host.directory(&node)?;
            let placement: Placement = match read_json(&directory.placement()) {
                Ok(placement) => placement.unwrap_or_default(),
                // One node's damage does not keep the others from being looked after; its own start says it again.
                Err(error) => {
                    tracing::error!(node, %error, "a node's addresses cannot be read, so that its ports are not held");
                    continue;
                }
            };
            let runs = shim_of(&directory)?.is_some();
            for address in placement.ports.values() {
                host.ports.remember(&node, address.inside.port);
                if !runs {
                    host.ports.hold(address.inside.port);
                }
            }
        }
        Ok(host)
    }

    /// Stops every node; used when the server ends and shall leave nothing running.
    ///
    /// # Errors
    /// The first node that did not stop; the others were stopped.
    pub async fn stop_all(&self) -> Result<()> {
        let nodes = self.list()?;
        futures::future::join_all(nodes.iter().map(|node| self.stop(node))).await.into_iter().collect()
    }

    fn list(&self) -> Result<Vec<String>> {
        let path = self.config.directory.join("nodes");
        let mut nodes = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(|error| Error::file(&path, error))? {
            let entry = entry.map_err(|error| Error::file(&path, error))?;
            if let Ok(name) = entry.file_name().into_string()
                && check_name("node", &name).is_ok()
            {
                nodes.push(name);
            }
        }
        nodes.sort();
        Ok(nodes)
    }

    fn directory(&self, node: &str) -> Result<NodeDirectory> {
        check_name("node", node)?;
        Ok(NodeDirectory(self.config.directory.join("nodes").join(node)))
    }

    fn memory(&self, node: &str) -> Arc<NodeMemory> {
        self.nodes.lock().entry(node.to_owned()).or_default().clone()
    }

    fn placement(&self, node: &str) -> Result<Placement> {
        Ok(read_json(&self.directory(node)?.placement())?.unwrap_or_default())
    }

    fn secrets_directory(&self, node: &str) -> PathBuf {
        self.config.runtime_directory.join(node)
    }

    async fn do_reserve(&self, node: &str, ports: &[PortSpec]) -> Result<Placement> {
        let directory = self.directory(node)?;
        let memory = self.memory(node);
        let _changing = memory.changing.lock().await;
        make_directory(&directory.0)?;
        let mut placement = self.placement(node)?;
        let before = placement.ports.len();
        for port in ports {
            if !placement.ports.contains_key(&port.name) {
                let address = HostPort { host: self.config.address.to_string(), port: self.ports.take(node)? };
                let address = PortAddress { inside: address.clone(), between: address.clone(), outside: address };
                placement.ports.insert(port.name.clone(), address);
            }
        }
        if placement.ports.len() > before {
            write_json(&directory.placement(), &placement)?;
        }
        Ok(placement)
    }

    async fn do_start(&self, service: &Service) -> Result<()> {
        let node = service.node.as_str();
        let directory = self.directory(node)?;
        let memory = self.memory(node);
        let _changing = memory.changing.lock().await;
        let program = self.find_program(&service.program.name)?;
        if let Some(state) = shim_of(&directory)? {
            let spec: Option<ShimSpec> = read_json(&directory.spec())?;
            let same = spec.is_some_and(|spec| {
                spec.service == *service
                    && spec.program == program
                    && Some(&spec.generation) == state.as_ref().map(|state| &state.generation)
            });
            if same {
                return Ok(());
            }
        }
        self.end(node, &directory).await?;
        let placement = self.placement(node)?;
        for port in &service.ports {
            let address = placement
                .port(&port.name)
                .ok_or_else(|| Error::PortUnknown { node: node.into(), port: port.name.clone() })?;
            self.ports.release(node, address.inside.port).await?;
        }
        let result = self.launch(service, program, &directory, &placement).await;
        if result.is_err() {
            self.hold_ports(&placement);
            remove(&self.secrets_directory(node))?;
        }
        result
    }

    /// Writes what the shim needs and starts it.
    async fn launch(
        &self,
        service: &Service,
        program: PathBuf,
        directory: &NodeDirectory,
        placement: &Placement,
    ) -> Result<()> {
        let prepared = self.prepare("service", &service.node, &service.program, &service.volumes, placement).await?;
        let spec = ShimSpec {
            generation: types::new_id("gen"),
            service: service.clone(),
            program: program.clone(),
            args: prepared.args,
            env: prepared.env,
            directory: directory.0.clone(),
            sandbox: self.sandbox(service, &program, directory, prepared.secrets.as_deref())?,
            groups: self.groups.clone(),
            secrets: prepared.secrets,
            log: self.config.log,
            back_off: self.config.back_off,
        };
        write_json(&directory.spec(), &spec)?;
        let errors = std::fs::File::create(directory.shim_errors())
            .map_err(|error| Error::file(directory.shim_errors(), error))?;
        let mut shim = tokio::process::Command::new(&self.config.shim_program)
            .args(&self.config.shim_args)
            .arg("--directory")
            .arg(&directory.0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .map_err(|error| Error::Program { path: self.config.shim_program.clone(), reason: error.to_string() })?;
        let end = Instant::now() + SHIM_START;
        loop {
            // An unreadable state is one of a former shim that was cut short; the new one replaces it.
            let state: Option<ShimState> = read_json(&directory.state()).unwrap_or_default();
            match state {
                Some(state) if state.generation == spec.generation => match state.phase {
                    Phase::Starting => {}
                    Phase::Failed { reason } => {
                        // It ends by itself; reaped so that no zombie stays.
                        let _ = shim.wait().await;
                        return Err(Error::Program { path: program, reason });
                    }
                    _ => break,
                },
                _ => {
                    if let Ok(Some(_)) = shim.try_wait() {
                        let reason =
                            std::fs::read_to_string(directory.shim_errors()).unwrap_or_default().trim().to_owned();
                        return Err(Error::Program { path: self.config.shim_program.clone(), reason });
                    }
                }
            }
            if Instant::now() >= end {
                let _ = shim.start_kill();
                let _ = shim.wait().await;
                return Err(Error::Program {
                    path: self.config.shim_program.clone(),
                    reason: "it did not start the node in time".into(),
                });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Reaped whenever it ends. It outlives this server, then the system's first process does that.
        tokio::spawn(async move { shim.wait().await });
        Ok(())
    }

    /// Ends whatever runs of a node.
    async fn end(&self, node: &str, directory: &NodeDirectory) -> Result<()> {
        let state: Option<ShimState> = read_json(&directory.state()).unwrap_or_default();
        let spec: Option<ShimSpec> = read_json(&directory.spec()).unwrap_or_default();
        let stop = spec.map(|spec| spec.service.stop).unwrap_or_default();
        let grace = Duration::from_millis(stop.grace_ms);
        let program = state.as_ref().and_then(ShimState::program).cloned();
        let mut ended = true;
        if let Some(shim) = shim_identity(directory)?.filter(ProcessIdentity::alive) {
            shim.signal(Signal::SIGTERM);
            if !shim.ended_within(grace + SHIM_STOP).await {
                shim.signal(Signal::SIGKILL);
                ended = shim.ended_within(SHIM_STOP).await;
            }
        }
        // A shim that was killed leaves its program.
        if let Some(program) = program.filter(ProcessIdentity::alive) {
            ended &= program.end(os_signal(stop.signal), grace).await;
        }
        self.end_job(directory).await?;
        if !ended {
            return Err(Error::StopTimeout(node.into()));
        }
        remove(&self.secrets_directory(node))?;
        if let Some(state) = read_json::<ShimState>(&directory.state()).unwrap_or_default()
            && state.phase != Phase::Stopped
        {
            // Its group stays, too.
            if let Some(groups) = &self.groups
                && let Err(error) = groups.named(&group_name(&state.generation)).remove()
            {
                tracing::warn!(node, %error, "the control group of a node that has ended stays");
            }
            write_json_in_place(&directory.state(), &ShimState { phase: Phase::Stopped, ..state })?;
        }
        Ok(())
    }

    async fn do_stop(&self, node: &str) -> Result<()> {
        let directory = self.directory(node)?;
        let memory = self.memory(node);
        let _changing = memory.changing.lock().await;
        self.end(node, &directory).await?;
        self.hold_ports(&self.placement(node)?);
        Ok(())
    }

    async fn do_remove(&self, node: &str) -> Result<()> {
        let directory = self.directory(node)?;
        let memory = self.memory(node);
        let _changing = memory.changing.lock().await;
        self.end(node, &directory).await?;
        remove(&directory.0)?;
        self.ports.forget(node);
        self.nodes.lock().remove(node);
        Ok(())
    }

    fn hold_ports(&self, placement: &Placement) {
        for address in placement.ports.values() {
            self.ports.hold(address.inside.port);
        }
    }

    async fn do_observe(&self, node: &str) -> Result<Observation> {
        let directory = self.directory(node)?;
        let nothing = |state| Observation { state, restarts: 0, last_exit: None, usage: None, limits: None };
        let state = match read_json::<ShimState>(&directory.state()) {
            Ok(Some(state)) => state,
            Ok(None) => return Ok(nothing(State::Absent)),
            // Damaged, and nobody writes it anew: a start does.
            Err(_) if shim_of(&directory)?.is_none() => return Ok(nothing(State::Lost)),
            Err(error) => return Err(error),
        };
        let (restarts, last_exit, limits) = (state.restarts, state.last_exit.clone(), state.limits.clone());
        let without = |state| Observation { state, restarts, last_exit: last_exit.clone(), usage: None, limits: None };
        if matches!(state.phase, Phase::Stopped | Phase::Failed { .. }) {
            return Ok(without(State::Stopped));
        }
        if !state.shim.alive() {
            return Ok(without(State::Lost));
        }
        let (program, since, ready) = match state.phase {
            Phase::Waiting { until } => return Ok(without(State::Restarting { at: until })),
            Phase::Running { program, since, ready } if program.alive() => (program, since, ready),
            // Between two phases.
            _ => return Ok(without(State::Restarting { at: types::now() })),
        };
        let memory = self.memory(node);
        let ready = ready || self.probe(node, &directory, &memory, &program).await?;
        let usage = usage::sample(&memory.usage, &program, &directory.0).await;
        let state = State::Running { pid: program.pid, since, ready };
        Ok(Observation { state, restarts, last_exit, usage, limits })
    }

    async fn do_connect(&self, node: &str, port: &str) -> Result<Box<dyn ByteStream>> {
        let placement = self.placement(node)?;
        let address =
            placement.port(port).ok_or_else(|| Error::PortUnknown { node: node.into(), port: port.into() })?;
        let unreachable = |reason: String| Error::Unreachable { node: node.into(), port: port.into(), reason };
        let address = (address.inside.host.as_str(), address.inside.port);
        let connected = tokio::time::timeout(Duration::from_secs(5), tokio::net::TcpStream::connect(address)).await;
        let stream =
            connected.map_err(|_| unreachable("time-out".into()))?.map_err(|error| unreachable(error.to_string()))?;
        // Requests are small and answers are waited for.
        stream.set_nodelay(true).map_err(|error| unreachable(error.to_string()))?;
        Ok(Box::new(stream))
    }
}

/// The shim of a node, if one lives.
fn shim_of(directory: &NodeDirectory) -> Result<Option<Option<ShimState>>> {
    let Some(shim) = shim_identity(directory)?.filter(ProcessIdentity::alive) else { return Ok(None) };
    let state: Option<ShimState> = read_json(&directory.state()).unwrap_or_default();
    Ok(Some(state.filter(|state| state.shim == shim)))
}

/// The shim that last had the lock.
fn shim_identity(directory: &NodeDirectory) -> Result<Option<ProcessIdentity>> {
    // Empty for the moment between the lock and the first write.
    match std::fs::read(directory.lock()) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file(directory.lock(), error)),
    }
}

impl Host for LocalHost {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn reserve<'a>(&'a self, node: &'a str, ports: &'a [PortSpec]) -> BoxFuture<'a, Result<Placement>> {
        self.do_reserve(node, ports).boxed()
    }

    fn run_job<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<BTreeMap<String, String>>> {
        self.do_job(job).boxed()
    }

    fn start<'a>(&'a self, service: &'a Service) -> BoxFuture<'a, Result<()>> {
        self.do_start(service).boxed()
    }

    fn stop<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<()>> {
        self.do_stop(node).boxed()
    }

    fn remove<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<()>> {
        self.do_remove(node).boxed()
    }

    fn observe<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<Observation>> {
        self.do_observe(node).boxed()
    }

    fn nodes(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        async { self.list() }.boxed()
    }

    fn logs<'a>(&'a self, node: &'a str, query: LogQuery) -> BoxFuture<'a, Result<Vec<LogLine>>> {
        async move { Ok(log::tail(&self.directory(node)?.log(), query.lines)?.0) }.boxed()
    }

    fn follow<'a>(
        &'a self,
        node: &'a str,
        query: LogQuery,
    ) -> BoxFuture<'a, Result<BoxStream<'static, Result<LogLine>>>> {
        async move {
            let (lines, cursor) = log::tail(&self.directory(node)?.log(), query.lines)?;
            Ok(cursor.follow(lines))
        }
        .boxed()
    }

    fn connect<'a>(&'a self, node: &'a str, port: &'a str) -> BoxFuture<'a, Result<Box<dyn ByteStream>>> {
        self.do_connect(node, port).boxed()
    }
}
