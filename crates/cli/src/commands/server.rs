//! `polder server`: run, watch and mend a server.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use types::{Server, Task};

use super::Context;
use crate::{
    Error,
    client::encode,
    output::{self, Row, or_dash, time},
};

/// The verbs of `polder server`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum ServerCommand {
    /// Run a server
    Run(Box<RunServer>),
    /// Give an administrator a new password; the server must not run
    ResetPassword(ResetPassword),
    /// Show the server that is called
    Show,
    /// List the server's background tasks
    Tasks,
    /// Start a background task that was stopped
    StartTask { name: String },
    /// Stop a background task
    StopTask { name: String },
}

/// Runs a server.
#[derive(Debug, Args)]
pub struct RunServer {
    /// Data directory; made when it is not there
    #[arg(long, env = "POLDER_DATA", value_name = "DIR")]
    pub data: PathBuf,
    /// Address to listen on
    #[arg(long, env = "POLDER_LISTEN", default_value = "127.0.0.1:7400", value_name = "HOST:PORT")]
    pub listen: std::net::SocketAddr,
    /// What becomes of the nodes when the server ends
    #[arg(long, value_enum, default_value = "keep")]
    pub on_exit: OnExit,
    /// Certificate chain of the listener (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key", conflicts_with = "tls")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the listener's certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Make a certificate and keep it in the data directory
    #[arg(long, value_enum)]
    pub tls: Option<Tls>,
    /// A proxy in front ends TLS: allow plain HTTP beyond loopback
    #[arg(long)]
    pub behind_proxy: bool,
    /// Calls that one application may make in a second through the JSON-RPC ingress; 0 for no limit
    #[arg(long, default_value_t = 1000, value_name = "N")]
    pub rpc_rate: u32,
    /// Calls in one JSON-RPC batch of an application
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub rpc_batch: usize,
    /// Bytes of one JSON-RPC request or WebSocket message of an application
    #[arg(long, default_value_t = 2 * 1024 * 1024, value_name = "N")]
    pub rpc_bytes: usize,
    /// Requests and WebSocket connections of one application at the same time
    #[arg(long, default_value_t = 256, value_name = "N")]
    pub rpc_connections: usize,
    /// File with the master key that encrypts what is secret in the database
    #[arg(long, env = "POLDER_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,
    /// Database of a server with more than one instance; SQLite in the data directory when left out
    #[arg(long, env = "POLDER_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,
    /// Directory of engines' programs, which servers may share; `engines` in the data directory when left out
    #[arg(long, env = "POLDER_ENGINES", value_name = "DIR")]
    pub engines: Option<PathBuf>,
    /// Directory where builds of chaincode keep what they download, which servers may share; in the data directory when left out
    #[arg(long, env = "POLDER_BUILD_CACHE", value_name = "DIR")]
    pub build_cache: Option<PathBuf>,
    /// Builds of chaincode may download nothing: what they need is in the source
    #[arg(long, env = "POLDER_OFFLINE_BUILDS")]
    pub offline_builds: bool,
    /// Build and run chaincode even where the machine cannot keep other people's code apart
    #[arg(long, env = "POLDER_ACCEPT_NO_SANDBOX")]
    pub accept_no_sandbox: bool,
    /// Address, network such as 10.0.0.0/8, or host name that may be called where a user gives an address, beside the public
    /// internet; may be repeated
    #[arg(long, env = "POLDER_ALLOW_ADDRESSES", value_delimiter = ',', value_name = "CIDR|HOST")]
    pub allow_address: Vec<String>,
    /// Set up the demonstration: consortium, network, contract, traffic
    #[arg(long)]
    pub demo: bool,
    /// How logs are written to standard error
    #[arg(long, value_enum, default_value = "text")]
    pub log_format: LogFormat,
}

/// What becomes of the nodes when the server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnExit {
    /// They go on.
    Keep,
    /// They are stopped.
    Stop,
}

/// Where the listener's certificate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tls {
    /// Made by the server itself.
    #[value(name = "self")]
    SelfMade,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Gives an administrator a new password.
#[derive(Debug, Args)]
pub struct ResetPassword {
    /// Data directory of the server
    #[arg(long, env = "POLDER_DATA", value_name = "DIR")]
    pub data: PathBuf,
    /// Whose password
    #[arg(long, default_value = "admin", value_name = "NAME")]
    pub user: String,
    /// Database, if not the one in the data directory
    #[arg(long, env = "POLDER_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,
    /// File with the master key
    #[arg(long, env = "POLDER_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,
}

impl ServerCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        match self {
            Self::Run(_) | Self::ResetPassword(_) => {
                Err(Error::Usage("this command is carried out by the program itself".into()))
            }
            Self::Show => context.print(&context.client()?.get::<Server>("server").await?),
            Self::Tasks => output::page(context.format(), &context.client()?.list::<Task>("server/tasks").await?),
            Self::StartTask { name } => task(context, &name, "start").await,
            Self::StopTask { name } => task(context, &name, "stop").await,
        }
    }
}

async fn task(context: &Context, name: &str, verb: &str) -> Result<(), Error> {
    let path = format!("server/tasks/{}/{verb}", encode(name));
    context.print(&context.client()?.post::<Task>(&path, &serde_json::json!({})).await?)
}

impl Row for Task {
    const HEADS: &'static [&'static str] = &["name", "status", "last run", "description", "error"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.status.clone(),
            or_dash(self.last_run_at.map(time)),
            self.description.clone(),
            or_dash(self.error.as_deref()),
        ]
    }
}
