//! A host of closures, for tests of what stands above hosts: no process, no file, no port.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{BoxStream, StreamExt};
use parking_lot::Mutex;
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use types::LogLine;
use workload::{
    Arg, Content, HostPort, Job, OutputSource, Placement, PortAddress, PortSpec, Probe, Program, Service, VolumeSpec,
};

use crate::{BackOff, ByteStream, Error, Exit, Host, LogQuery, Observation, Result, State};

/// Files of a node's volumes, by volume and path.
pub type MemoryFiles = Arc<Mutex<BTreeMap<(String, String), String>>>;

/// A program of an [`InMemoryHost`] that is being run.
pub struct Invocation {
    /// Id of its node.
    pub node: String,
    /// Its arguments: a volume is its name, a file is its content.
    pub args: Vec<String>,
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// The node's files. They stay until the node is removed.
    pub files: MemoryFiles,
    /// Connections to the node's ports, with the port's name.
    pub connections: mpsc::Receiver<(String, DuplexStream)>,
    /// The wish that it stop.
    pub stop: CancellationToken,
    out: Output,
}

impl Invocation {
    /// Prints a line on standard output.
    pub fn print(&self, text: &str) {
        self.out.line("stdout", text);
    }

    /// Prints a line on standard error.
    pub fn print_error(&self, text: &str) {
        self.out.line("stderr", text);
    }
}

/// How a program of an [`InMemoryHost`] ends: its exit status.
pub type ProgramEnd = i32;

type Run = Arc<dyn Fn(Invocation) -> BoxFuture<'static, ProgramEnd> + Send + Sync>;

/// A host that runs closures.
pub struct InMemoryHost {
    programs: Mutex<HashMap<String, Run>>,
    nodes: Mutex<HashMap<String, Arc<Node>>>,
    next_port: Mutex<u16>,
    back_off: BackOff,
}

/// What is printed: into the node's log, and kept apart for jobs.
#[derive(Clone)]
struct Output {
    node: Arc<Node>,
    run: Arc<Mutex<Vec<LogLine>>>,
}

impl Output {
    fn line(&self, stream: &str, text: &str) {
        let line = LogLine { at: types::now(), stream: stream.into(), text: text.into() };
        self.run.lock().push(line.clone());
        self.node.log.send_modify(|log| log.push(line));
        if stream == "stdout"
            && matches!(&self.node.inner.lock().service, Some(Service { readiness: Probe::Line(wanted), .. }) if text.contains(wanted))
        {
            self.node.inner.lock().ready = true;
        }
    }
}

struct Node {
    log: watch::Sender<Vec<LogLine>>,
    files: MemoryFiles,
    inner: Mutex<Inner>,
    changing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Inner {
    placement: Placement,
    service: Option<Service>,
    state: Option<State>,
    ready: bool,
    restarts: u32,
    last_exit: Option<Exit>,
    connections: Option<mpsc::Sender<(String, DuplexStream)>>,
    supervisor: Option<Supervisor>,
}

struct Supervisor {
    stop: CancellationToken,
    crash: watch::Sender<u32>,
    task: tokio::task::JoinHandle<()>,
}

impl Default for InMemoryHost {
    fn default() -> Self {
        Self::new()
    }
}

impl InMemoryHost {
    /// A host without programs, whose programs start again after 20 ms.
    pub fn new() -> Self {
        let back_off = BackOff { first_ms: 20, longest_ms: 1000, stable_ms: 60_000 };
        Self { programs: Mutex::default(), nodes: Mutex::default(), next_port: Mutex::new(1), back_off }
    }

    /// Adds a program.
    pub fn with_program<F, R>(self, name: &str, run: F) -> Self
    where
        F: Fn(Invocation) -> R + Send + Sync + 'static,
        R: Future<Output = ProgramEnd> + Send + 'static,
    {
        self.programs.lock().insert(name.into(), Arc::new(move |invocation| run(invocation).boxed()));
        self
    }

    /// Kills a node's program, as by signal 9. The host starts it again.
    pub fn crash(&self, node: &str) {
        if let Some(supervisor) = &self.node(node).inner.lock().supervisor {
            supervisor.crash.send_modify(|count| *count += 1);
        }
    }

    /// Ends a node with everything that sees to it, as a restart of the machine does.
    pub fn lose(&self, node: &str) {
        let node = self.node(node);
        let mut inner = node.inner.lock();
        if let Some(supervisor) = inner.supervisor.take() {
            supervisor.task.abort();
            inner.state = Some(State::Lost);
            inner.connections = None;
        }
    }

    fn node(&self, id: &str) -> Arc<Node> {
        let make = || {
            Arc::new(Node {
                log: watch::Sender::new(Vec::new()),
                files: MemoryFiles::default(),
                inner: Mutex::default(),
                changing: tokio::sync::Mutex::default(),
            })
        };
        self.nodes.lock().entry(id.to_owned()).or_insert_with(make).clone()
    }

    fn program(&self, name: &str) -> Result<Run> {
        let programs = self.programs.lock();
        programs
            .get(name)
            .cloned()
            .ok_or_else(|| Error::ProgramUnknown { name: name.into(), looked_for: "closures".into() })
    }

    async fn end(&self, node: &Node) {
        let supervisor = node.inner.lock().supervisor.take();
        if let Some(supervisor) = supervisor {
            supervisor.stop.cancel();
            // It ends by itself: it bounds the program's grace.
            let _ = supervisor.task.await;
        }
        let mut inner = node.inner.lock();
        inner.connections = None;
        if inner.state.is_some() {
            inner.state = Some(State::Stopped);
        }
    }

    async fn do_job(&self, job: &Job) -> Result<BTreeMap<String, String>> {
        let run = self.program(&job.program.name)?;
        let node = self.node(&job.node);
        let _changing = node.changing.lock().await;
        let stop = CancellationToken::new();
        let (_sender, connections) = mpsc::channel(1);
        for volume in job.volumes.iter().filter(|volume| volume.emptied) {
            node.files.lock().retain(|(name, _), _| *name != volume.name);
        }
        fill(&node, &job.volumes);
        let (invocation, out) = invoke(&job.node, &node, &job.program, connections, stop)?;
        let failed = |reason: String| Error::Job { job: job.name.clone(), reason };
        let limit = Duration::from_millis(job.time_limit_ms);
        let code =
            tokio::time::timeout(limit, run(invocation)).await.map_err(|_| failed("it did not end in time".into()))?;
        let printed = |stream: &str| {
            let lines = out.run.lock();
            lines
                .iter()
                .filter(|line| line.stream == stream)
                .map(|line| line.text.clone())
                .collect::<Vec<_>>()
                .join("\n")
        };
        if code != 0 {
            return Err(failed(format!("exit status: {code}: {}", printed("stderr"))));
        }
        let output = |source: &OutputSource| match source {
            OutputSource::Stdout => Ok(printed("stdout").trim().to_owned()),
            OutputSource::File { volume, path } => {
                let files = node.files.lock();
                files.get(&(volume.clone(), path.clone())).cloned().ok_or_else(|| failed(format!("it left no {path}")))
            }
        };
        job.outputs.iter().map(|spec| Ok((spec.name.clone(), output(&spec.source)?))).collect()
    }

    async fn do_start(&self, service: &Service) -> Result<()> {
        let run = self.program(&service.program.name)?;
        let node = self.node(&service.node);
        let _changing = node.changing.lock().await;
        {
            let inner = node.inner.lock();
            if inner.supervisor.is_some() && inner.service.as_ref() == Some(service) {
                return Ok(());
            }
            for port in &service.ports {
                if inner.placement.port(&port.name).is_none() {
                    return Err(Error::PortUnknown { node: service.node.clone(), port: port.name.clone() });
                }
            }
        }
        self.end(&node).await;
        let (stop, crash) = (CancellationToken::new(), watch::Sender::new(0));
        {
            let mut inner = node.inner.lock();
            inner.service = Some(service.clone());
            inner.restarts = 0;
            inner.last_exit = None;
        }
        // Fails here, once, for what would fail each time.
        let (first, task) = begin(service, &node, &stop)?;
        let supervise =
            supervise(node.clone(), service.clone(), run, stop.clone(), crash.subscribe(), self.back_off, first, task);
        let task = tokio::spawn(supervise);
        node.inner.lock().supervisor = Some(Supervisor { stop, crash, task });
        Ok(())
    }
}

/// Puts the files there that a plan wants in volumes.
fn fill(node: &Node, volumes: &[VolumeSpec]) {
    let mut files = node.files.lock();
    for volume in volumes {
        files.extend(volume.files.iter().map(|file| ((volume.name.clone(), file.path.clone()), file.text.clone())));
    }
}

/// Notes that a program runs.
fn begin(service: &Service, node: &Arc<Node>, stop: &CancellationToken) -> Result<(Invocation, CancellationToken)> {
    let (sender, connections) = mpsc::channel(16);
    let asked = stop.child_token();
    if let Some(volume) = service.volumes.iter().find(|volume| volume.emptied) {
        return Err(Error::Plan(format!("`{}` is a service's: it stays", volume.name)));
    }
    fill(node, &service.volumes);
    let (invocation, _) = invoke(&service.node, node, &service.program, connections, asked.clone())?;
    let mut inner = node.inner.lock();
    inner.connections = Some(sender);
    // Ports are open at once, so only a line is waited for.
    inner.ready = !matches!(service.readiness, Probe::Line(_));
    inner.state = Some(State::Running { pid: 1, since: types::now(), ready: false });
    Ok((invocation, asked))
}

#[allow(clippy::too_many_arguments)]
async fn supervise(
    node: Arc<Node>,
    service: Service,
    run: Run,
    stop: CancellationToken,
    mut crash: watch::Receiver<u32>,
    back_off: BackOff,
    first: Invocation,
    mut asked: CancellationToken,
) {
    let mut pause = 0;
    let mut invocation = first;
    loop {
        let started = std::time::Instant::now();
        let mut task = tokio::spawn(run(invocation));
        let grace = Duration::from_millis(service.stop.grace_ms);
        let late = async {
            asked.cancelled().await;
            tokio::time::sleep(grace).await;
        };
        let (code, signal) = tokio::select! {
            code = &mut task => (code.ok(), None),
            () = late => (None, Some(9)),
            _ = crash.changed() => (None, Some(9)),
        };
        task.abort();
        {
            let mut inner = node.inner.lock();
            inner.connections = None;
            let reason =
                node.log.borrow().iter().rev().find(|line| line.stream == "stderr").map(|line| line.text.clone());
            inner.last_exit = Some(Exit { code, signal, at: types::now(), reason });
            if stop.is_cancelled() {
                return;
            }
            pause = back_off.next(pause, started.elapsed().as_millis() as u64);
            inner.restarts += 1;
            inner.state = Some(State::Restarting { at: types::now() + pause as i64 * 1000 });
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(pause)) => {}
            () = stop.cancelled() => return,
        }
        match begin(&service, &node, &stop) {
            Ok((next, token)) => (invocation, asked) = (next, token),
            Err(_) => return,
        }
    }
}

fn invoke(
    id: &str,
    node: &Arc<Node>,
    program: &Program,
    connections: mpsc::Receiver<(String, DuplexStream)>,
    stop: CancellationToken,
) -> Result<(Invocation, Output)> {
    let placement = node.inner.lock().placement.clone();
    let resolve = |arg: &Arg| resolve(arg, id, program, &placement);
    let args = program.args.iter().map(resolve).collect::<Result<_>>()?;
    let env = program.env.iter().map(|(name, value)| Ok((name.clone(), resolve(value)?))).collect::<Result<_>>()?;
    let out = Output { node: node.clone(), run: Arc::default() };
    Ok((Invocation { node: id.into(), args, env, files: node.files.clone(), connections, stop, out: out.clone() }, out))
}

fn resolve(arg: &Arg, node: &str, program: &Program, placement: &Placement) -> Result<String> {
    match arg {
        Arg::Text(text) => Ok(text.clone()),
        Arg::Volume(name) => Ok(name.clone()),
        Arg::Listen(port) => match placement.port(port) {
            Some(address) => Ok(address.inside.to_string()),
            None => Err(Error::PortUnknown { node: node.into(), port: port.clone() }),
        },
        Arg::File(name) => match program.files.iter().find(|file| file.name == *name).map(|file| &file.content) {
            Some(Content::Text(text)) => Ok(text.clone()),
            Some(Content::Secret(_) | Content::Pieces(_)) => {
                Err(Error::Secret { reference: name.clone(), reason: "this host has no secrets".into() })
            }
            None => Err(Error::Plan(format!("no file `{name}` is declared"))),
        },
        Arg::Secrets | Arg::Engine(_) | Arg::In(..) => Err(Error::Plan("this host has no directories".into())),
        Arg::Joined(parts) => parts.iter().map(|part| resolve(part, node, program, placement)).collect(),
    }
}

impl Host for InMemoryHost {
    fn name(&self) -> &str {
        "memory"
    }

    fn reserve<'a>(&'a self, node: &'a str, ports: &'a [PortSpec]) -> BoxFuture<'a, Result<Placement>> {
        async move {
            let node = self.node(node);
            let mut inner = node.inner.lock();
            for port in ports {
                if inner.placement.port(&port.name).is_none() {
                    let mut next = self.next_port.lock();
                    let address = HostPort { host: "memory".into(), port: *next };
                    *next += 1;
                    let address = PortAddress { inside: address.clone(), between: address.clone(), outside: address };
                    inner.placement.ports.insert(port.name.clone(), address);
                }
            }
            Ok(inner.placement.clone())
        }
        .boxed()
    }

    fn run_job<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<BTreeMap<String, String>>> {
        self.do_job(job).boxed()
    }

    fn start<'a>(&'a self, service: &'a Service) -> BoxFuture<'a, Result<()>> {
        self.do_start(service).boxed()
    }

    fn stop<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<()>> {
        async move {
            let node = self.node(node);
            let _changing = node.changing.lock().await;
            self.end(&node).await;
            Ok(())
        }
        .boxed()
    }

    fn remove<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<()>> {
        async move {
            self.stop(node).await?;
            self.nodes.lock().remove(node);
            Ok(())
        }
        .boxed()
    }

    fn observe<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<Observation>> {
        async move {
            let node = self.nodes.lock().get(node).cloned();
            let Some(node) = node else {
                return Ok(Observation {
                    state: State::Absent,
                    restarts: 0,
                    last_exit: None,
                    usage: None,
                    limits: None,
                });
            };
            let inner = node.inner.lock();
            let state = match inner.state.clone().unwrap_or(State::Absent) {
                State::Running { pid, since, .. } => State::Running { pid, since, ready: inner.ready },
                other => other,
            };
            let usage = matches!(state, State::Running { .. }).then(|| types::Usage {
                at: types::now(),
                cpu: 0.0,
                memory_bytes: 1,
                disk_bytes: 0,
            });
            let (restarts, last_exit) = (inner.restarts, inner.last_exit.clone());
            Ok(Observation { state, restarts, last_exit, usage, limits: None })
        }
        .boxed()
    }

    fn nodes(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        async { Ok(self.nodes.lock().keys().cloned().collect()) }.boxed()
    }

    fn logs<'a>(&'a self, node: &'a str, query: LogQuery) -> BoxFuture<'a, Result<Vec<LogLine>>> {
        async move {
            let node = self.node(node);
            let log = node.log.borrow();
            Ok(log[log.len().saturating_sub(query.lines)..].to_vec())
        }
        .boxed()
    }

    fn follow<'a>(
        &'a self,
        node: &'a str,
        query: LogQuery,
    ) -> BoxFuture<'a, Result<BoxStream<'static, Result<LogLine>>>> {
        async move {
            let mut log = self.node(node).log.subscribe();
            let start = log.borrow_and_update().len().saturating_sub(query.lines);
            let stream = futures::stream::unfold((log, start), |(mut log, mut next)| async move {
                loop {
                    let lines: Vec<_> = log.borrow_and_update()[next..].iter().cloned().map(Ok).collect();
                    if !lines.is_empty() {
                        next += lines.len();
                        return Some((futures::stream::iter(lines), (log, next)));
                    }
                    log.changed().await.ok()?;
                }
            });
            Ok(stream.flatten().boxed())
        }
        .boxed()
    }

    fn connect<'a>(&'a self, node: &'a str, port: &'a str) -> BoxFuture<'a, Result<Box<dyn ByteStream>>> {
        async move {
            let known = self.node(node);
            let sender = {
                let inner = known.inner.lock();
                if inner.placement.port(port).is_none() {
                    return Err(Error::PortUnknown { node: node.into(), port: port.into() });
                }
                inner.connections.clone()
            };
            let refused =
                || Error::Unreachable { node: node.into(), port: port.into(), reason: "connection refused".into() };
            let (ours, theirs) = tokio::io::duplex(64 << 10);
            sender.ok_or_else(refused)?.send((port.to_owned(), theirs)).await.map_err(|_| refused())?;
            Ok(Box::new(ours) as Box<dyn ByteStream>)
        }
        .boxed()
    }
}
