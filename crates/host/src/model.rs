//! The host's trait and what it reports.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use tokio::io::{AsyncRead, AsyncWrite};
use types::{LogLine, Micros, NodeLimits, Usage};
use workload::{Job, Placement, PortSpec, Service};

use crate::Result;

/// A byte stream to a node's port.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// Where nodes run. Nodes are named by their ids (`node_…`). Every method may be called again with the same
/// arguments after a crash: it then finds what is there and does the rest.
pub trait Host: Send + Sync {
    /// The host's name, such as `local`.
    fn name(&self) -> &str;

    /// Reserves addresses for a node's ports. A node that has addresses keeps them; ports of other nodes and of
    /// other programs are not given. The caller stores the placement, too.
    fn reserve<'a>(&'a self, node: &'a str, ports: &'a [PortSpec]) -> BoxFuture<'a, Result<Placement>>;

    /// Runs a job to its end and gives its outputs by name.
    fn run_job<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<BTreeMap<String, String>>>;

    /// Makes a node run this service from now on, over crashes of its program and of the server. Does nothing when it
    /// already does; a node that runs another version of it is restarted. Resolves when the program was started, not
    /// when it is ready.
    fn start<'a>(&'a self, service: &'a Service) -> BoxFuture<'a, Result<()>>;

    /// Stops a node and resolves when it has ended. Its volumes and ports stay.
    fn stop<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<()>>;

    /// Stops a node, removes its volumes and logs and gives its ports back. No error when there is nothing.
    fn remove<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<()>>;

    /// What the node does now.
    fn observe<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<Observation>>;

    /// Ids of all nodes that have something on the host.
    fn nodes(&self) -> BoxFuture<'_, Result<Vec<String>>>;

    /// The newest lines of a node's log, oldest first.
    fn logs<'a>(&'a self, node: &'a str, query: LogQuery) -> BoxFuture<'a, Result<Vec<LogLine>>>;

    /// The newest lines of a node's log, then each new one, until the stream is dropped. Lasts over restarts of the node.
    fn follow<'a>(
        &'a self,
        node: &'a str,
        query: LogQuery,
    ) -> BoxFuture<'a, Result<BoxStream<'static, Result<LogLine>>>>;

    /// Connects to a named port of a node.
    fn connect<'a>(&'a self, node: &'a str, port: &'a str) -> BoxFuture<'a, Result<Box<dyn ByteStream>>>;
}

/// What a host sees of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// What it does.
    pub state: State,
    /// How often its program was started again since it was last started by a caller.
    pub restarts: u32,
    /// How its program ended last, if it did.
    pub last_exit: Option<Exit>,
    /// Newest sample of what it uses, while it runs.
    pub usage: Option<Usage>,
    /// What it may use, and who sees to that, while it runs.
    pub limits: Option<NodeLimits>,
}

/// What a node does on its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The host has never run it, or has removed it.
    Absent,
    /// Its program runs.
    Running {
        /// Process id on the host.
        pid: u32,
        /// Since when.
        since: Micros,
        /// Whether its readiness probe was answered since then.
        ready: bool,
    },
    /// Its program ended unasked and will be started again by the host.
    Restarting {
        /// When it will be started.
        at: Micros,
    },
    /// It was stopped as asked.
    Stopped,
    /// It should run, but nothing on the host sees to it any more (the machine or the shim ended): start it again.
    Lost,
}

impl State {
    /// Whether the program runs and is ready.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Running { ready: true, .. })
    }
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exit {
    /// Exit status, when it ended by itself.
    pub code: Option<i32>,
    /// Signal that ended it.
    pub signal: Option<i32>,
    /// When.
    pub at: Micros,
    /// Why, for a person: the program's last words on standard error, or what the host knows.
    pub reason: Option<String>,
}

/// Which lines of a log.
#[derive(Clone, Copy, Debug)]
pub struct LogQuery {
    /// At most this many, the newest.
    pub lines: usize,
}

impl Default for LogQuery {
    fn default() -> Self {
        Self { lines: 200 }
    }
}

/// Gives the host the secrets that a plan refers to.
pub trait Secrets: Send + Sync {
    /// The bytes of a secret.
    fn resolve<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<zeroize::Zeroizing<Vec<u8>>>>;
}

/// No secrets: every reference is an error.
#[derive(Debug, Default)]
pub struct NoSecrets;

impl Secrets for NoSecrets {
    fn resolve<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<zeroize::Zeroizing<Vec<u8>>>> {
        Box::pin(async move {
            Err(crate::Error::Secret { reference: reference.into(), reason: "this host has no secrets".into() })
        })
    }
}
