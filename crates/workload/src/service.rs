//! Services: programs that run for good.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::PortSpec;

/// A program that should run until it is stopped: one per node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Unique in the plan.
    pub name: String,
    /// Id of the node that it is.
    pub node: String,
    /// Names of jobs and services that come before it.
    pub after: Vec<String>,
    /// What runs.
    pub program: Program,
    /// Ports that it listens on.
    pub ports: Vec<PortSpec>,
    /// Directories that it keeps.
    pub volumes: Vec<VolumeSpec>,
    /// How it shows that it is ready.
    pub readiness: Probe,
    /// How it is stopped.
    pub stop: Stop,
    /// What it may use.
    pub resources: Resources,
}

/// A program with its arguments, environment and files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Program {
    /// A name that the host resolves to a program or an image, such as `polder-node`; a program of an installed engine is
    /// `ENGINE-VERSION/PROGRAM`, one of a build `chaincode:BUILD/PROGRAM`.
    pub name: String,
    /// Arguments.
    pub args: Vec<Arg>,
    /// Environment, beside what the host gives to all programs.
    pub env: BTreeMap<String, Arg>,
    /// Files that are there before it starts.
    pub files: Vec<FileSpec>,
    /// Whether it is other people's code: then the host keeps it apart from everything but its own volumes and files.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub foreign: bool,
}

/// An argument or the value of an environment variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Arg {
    /// As it stands.
    Text(String),
    /// `HOST:PORT` to listen on for a named port.
    Listen(String),
    /// Path of a volume's directory.
    Volume(String),
    /// Path of one of the program's files.
    File(String),
    /// Path of the directory that holds the program's secret files, for programs that look through a directory of keys.
    Secrets,
    /// Path below the directory of an installed engine: `ENGINE-VERSION/config`.
    Engine(String),
    /// A file of a volume: the volume's name and a path below it.
    In(String, String),
    /// The parts, one after the other: `--data=` and a volume.
    Joined(Vec<Arg>),
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A file that a program finds when it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileSpec {
    /// Name without slashes, unique in its program: letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// What is in it.
    pub content: Content,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Content {
    /// Text; the file is kept in the node's directory.
    Text(String),
    /// Reference of a secret. The file is written 0600 into a 0700 run-time directory at start and removed at stop.
    Secret(String),
    /// Text with secrets in it, for programs that take a secret nowhere but in a file of settings. Kept like a secret.
    Pieces(Vec<Piece>),
}

/// A piece of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Piece {
    /// As it stands.
    Text(String),
    /// Reference of a secret.
    Secret(String),
}

/// A directory that outlives restarts and is removed with the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeSpec {
    /// Lower-case letters, digits, `-`.
    pub name: String,
    /// For jobs only: the job finds the volume empty. So one that fills it and refuses to go over what is there can be run
    /// again after it was cut short.
    #[serde(default)]
    pub emptied: bool,
    /// Files that are put there before the program starts, for programs that look for them nowhere else.
    #[serde(default)]
    pub files: Vec<VolumeFile>,
}

impl VolumeSpec {
    /// A volume as it is.
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), emptied: false, files: Vec::new() }
    }

    /// A volume that a job finds empty.
    pub fn emptied(name: &str) -> Self {
        Self { emptied: true, ..Self::new(name) }
    }

    /// The same with one more file.
    pub fn with_file(mut self, path: &str, text: String) -> Self {
        self.files.push(VolumeFile { path: path.into(), text, executable: false });
        self
    }

    /// The same with one more program.
    pub fn with_program(mut self, path: &str, text: String) -> Self {
        self.files.push(VolumeFile { path: path.into(), text, executable: true });
        self
    }
}

/// A file in a volume. No secrets: it stays there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeFile {
    /// Path below the volume.
    pub path: String,
    /// What is in it.
    pub text: String,
    /// Whether it can be run.
    #[serde(default)]
    pub executable: bool,
}

/// How a service shows that it is ready. Asked until it is, once per start of the program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Probe {
    /// It is ready when it runs.
    #[default]
    None,
    /// It prints a line on standard output that contains this text.
    Line(String),
    /// It accepts connections on a named port.
    Tcp(String),
    /// It answers a GET with a status of 2xx.
    Http {
        /// The port's name.
        port: String,
        /// Such as `/healthz`.
        path: String,
    },
}

/// How a service is stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stop {
    /// Sent first.
    pub signal: Signal,
    /// Then, after this many milliseconds, the program and its children are killed.
    pub grace_ms: u64,
}

impl Default for Stop {
    fn default() -> Self {
        Self { signal: Signal::Term, grace_ms: 10_000 }
    }
}

/// Signals that stop programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Signal {
    /// SIGTERM.
    Term,
    /// SIGINT.
    Interrupt,
    /// SIGQUIT.
    Quit,
}

/// What a service may use; none means no limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// Memory in bytes. A program above it is ended and started again.
    pub memory_bytes: Option<u64>,
    /// CPU in cores: 0.5 is half of one. A program gets no more, or, where the host cannot see to that, is ended and started
    /// again when it has used more for a while.
    #[serde(default)]
    pub cpus: Option<f64>,
}
