//! What can go wrong on a host.

use std::path::PathBuf;

use types::{Code, Problem};

/// Result of a host's work.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong on a host.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The host knows no program of the name.
    #[error("no program `{name}` on this host; looked for {looked_for}")]
    ProgramUnknown {
        /// The program's name.
        name: String,
        /// Where it was looked for.
        looked_for: String,
    },
    /// A program is missing, not executable or did not come up.
    #[error("cannot run {path}: {reason}")]
    Program {
        /// The program.
        path: PathBuf,
        /// Why, for a person.
        reason: String,
    },
    /// A program took longer than it may.
    #[error("{path} did not end within {seconds} s")]
    TimeLimit {
        /// The program.
        path: PathBuf,
        /// The limit.
        seconds: u64,
    },
    /// The machine cannot keep other people's code apart.
    #[error("no sandbox can be had on this machine: {0}")]
    Sandbox(String),
    /// A job ended with an error.
    #[error("job {job} failed: {reason}")]
    Job {
        /// The job's name.
        job: String,
        /// Why, with the end of what it printed.
        reason: String,
    },
    /// Somebody else listens on a port of the node.
    #[error("port {port} of node {node} is in use by another program")]
    PortInUse {
        /// The node.
        node: String,
        /// The number.
        port: u16,
    },
    /// All ports of the host's range are taken.
    #[error("no free port in {0} to {1}")]
    PortsExhausted(u16, u16),
    /// No space, or no quota.
    #[error("no space left on the device of {0}")]
    DiskFull(PathBuf),
    /// The node has no such port.
    #[error("node {node} has no port `{port}`")]
    PortUnknown {
        /// The node.
        node: String,
        /// The port's name.
        port: String,
    },
    /// Nobody listens on a node's port.
    #[error("node {node} does not answer on {port}: {reason}")]
    Unreachable {
        /// The node.
        node: String,
        /// The port's name.
        port: String,
        /// The operating system's words.
        reason: String,
    },
    /// A secret is not there.
    #[error("secret {reference} cannot be had: {reason}")]
    Secret {
        /// Its reference.
        reference: String,
        /// Why.
        reason: String,
    },
    /// A name, path or argument that a plan must not have.
    #[error("the plan is not valid: {0}")]
    Plan(String),
    /// A node did not stop, even when killed.
    #[error("node {0} did not stop in time")]
    StopTimeout(String),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
}

impl Error {
    /// The code that a person sees.
    pub fn code(&self) -> Code {
        match self {
            Self::ProgramUnknown { .. }
            | Self::Program { .. }
            | Self::TimeLimit { .. }
            | Self::Sandbox(_)
            | Self::Job { .. } => Code::HostProgram,
            Self::PortInUse { .. } | Self::PortsExhausted(..) => Code::PortInUse,
            Self::DiskFull(_) => Code::HostDisk,
            Self::Unreachable { .. } => Code::NodeUnreachable,
            Self::PortUnknown { .. } => Code::NotFound,
            Self::StopTimeout(_) => Code::NodeState,
            Self::Secret { .. } | Self::Plan(_) | Self::File { .. } => Code::Internal,
        }
    }

    /// What a person is told. Carries no internal cause where the code is `internal`.
    pub fn problem(&self) -> Problem {
        let detail = match self {
            Self::ProgramUnknown { name, .. } => {
                format!(
                    "The host has no program `{name}`. Put it beside the `polder` program, or say where it is (POLDER_NODE_PROGRAM for polder-node), then resume the operation."
                )
            }
            Self::Program { path, reason } => {
                format!("{} cannot be run: {reason}. Mend that, then resume the operation.", path.display())
            }
            Self::TimeLimit { path, seconds } => {
                format!("{} did not end within {seconds} s and was ended.", path.display())
            }
            Self::Sandbox(reason) => format!(
                "Other people's code does not run here, because the machine cannot keep it apart: {reason}. Run the server as root, allow user namespaces, or have an administrator accept that it runs without."
            ),
            Self::Job { reason, .. } => format!("A program that prepares the node failed: {reason}"),
            Self::PortInUse { port, .. } => {
                format!(
                    "Port {port} belongs to this node but another program listens on it. Stop that program, then start the node again."
                )
            }
            Self::PortsExhausted(first, last) => format!(
                "All ports from {first} to {last} are taken. Delete networks that are not needed any more, or give the server a wider range."
            ),
            Self::DiskFull(_) => {
                "The host's disk is full. Free some space, then start the node or resume the operation.".into()
            }
            Self::Unreachable { .. } => "The node does not answer. It may be starting or stopped.".into(),
            Self::PortUnknown { port, .. } => format!("The node has no port `{port}`."),
            Self::StopTimeout(_) => {
                "The node did not stop in time, even when killed. Look at its process on the host.".into()
            }
            Self::Secret { .. } | Self::Plan(_) | Self::File { .. } => {
                "The host could not do this. The server's log has the cause.".into()
            }
        };
        self.code().problem(detail)
    }

    /// Makes an error of a failed file operation; a full disk is recognised.
    pub fn file(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull(path),
            _ => Self::File { path, source },
        }
    }
}
