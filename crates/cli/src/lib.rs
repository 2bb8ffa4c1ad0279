//! The command line: a client of the public API, with the same words as the API and the console.
//!
//! Standard output carries the result and nothing else; progress and errors go to standard error.
//! The commands that run or mend a server (`polder server run`, `reset-password`) are parsed here
//! and carried out by the program, because this crate knows nothing of the server's inside.

mod client;
mod commands;
mod error;
mod output;
mod session;
mod wait;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

pub use commands::server::{LogFormat, OnExit, ResetPassword, RunServer, ServerCommand, Tls};
pub use error::Error;

/// Polder: run blockchain networks together.
#[derive(Debug, Parser)]
#[command(name = "polder", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Address of the server
    #[arg(long, global = true, env = "POLDER_SERVER", value_name = "URL", hide_env_values = true)]
    server: Option<String>,
    /// Access key, instead of a stored session
    #[arg(long, global = true, env = "POLDER_ACCESS_KEY", value_name = "KEY", hide = true, hide_env_values = true)]
    access_key: Option<String>,
    /// Certificate authority that the server's certificate is checked against (PEM)
    #[arg(long, global = true, env = "POLDER_CA_CERT", value_name = "FILE")]
    ca_cert: Option<PathBuf>,
    /// How to print the result
    #[arg(long, short, global = true, value_enum, default_value = "table", value_name = "FORMAT")]
    output: OutputFormat,
    /// How long to wait at most, such as 30s, 10m, 1h
    #[arg(long, global = true, default_value = "10m", value_parser = wait::parse_duration, value_name = "TIME")]
    timeout: std::time::Duration,
}

/// How a result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    Table,
    /// One JSON document.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum Command {
    /// Run, watch and mend a server
    #[command(subcommand)]
    Server(ServerCommand),
    /// Sign in and store the session; reads the password from standard input
    Login(commands::login::Login),
    /// End the stored session
    Logout,
    /// Show who is signed in, with roles and permissions
    Whoami,
    /// People who use this deployment
    #[command(subcommand)]
    User(commands::user::UserCommand),
    /// Credentials of programs that use the API
    #[command(subcommand)]
    AccessKey(commands::access_key::AccessKeyCommand),
    /// Programs of members that call networks by Ethereum's JSON-RPC through the server
    #[command(subcommand)]
    Application(commands::application::ApplicationCommand),
    /// Organisations of this deployment
    #[command(subcommand)]
    Org(commands::org::OrgCommand),
    /// Groups of organisations that share networks
    #[command(subcommand)]
    Consortium(commands::consortium::ConsortiumCommand),
    /// Ledger software that networks can run
    #[command(subcommand)]
    Engine(commands::engine::EngineCommand),
    /// Running ledgers
    #[command(subcommand)]
    Network(commands::network::NetworkCommand),
    /// Nodes of networks
    #[command(subcommand)]
    Node(commands::node::NodeCommand),
    /// Who agrees on a network's blocks: list, vote in and out
    #[command(subcommand)]
    Validator(commands::validator::ValidatorCommand),
    /// Changes of several steps: watch, resume, undo
    #[command(subcommand)]
    Operation(commands::operation::OperationCommand),
    /// Members' accounts on networks
    #[command(subcommand)]
    Account(commands::account::AccountCommand),
    /// Contracts: deploy, call, send
    #[command(subcommand)]
    Contract(commands::contract::ContractCommand),
    /// Sub-ledgers of networks that have them
    #[command(subcommand)]
    Channel(commands::channel::ChannelCommand),
    /// Contracts that run beside the nodes: build and deploy from source, invoke, query
    #[command(subcommand)]
    Chaincode(commands::chaincode::ChaincodeCommand),
    /// Transactions
    #[command(subcommand)]
    Tx(commands::tx::TxCommand),
    /// Blocks
    #[command(subcommand)]
    Block(commands::block::BlockCommand),
    /// The audit log
    #[command(subcommand)]
    Audit(commands::audit::AuditCommand),
    /// Follow what changes, until interrupted; with `--output json` one document a line
    Changes(commands::changes::Changes),
    /// Supervise one node; started by the server, not by people
    #[command(hide = true, disable_help_flag = true)]
    Shim {
        /// The shim's own arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

impl Cli {
    /// Reads the command line. Help and the version are printed, and a wrong one is explained, as a JSON problem where JSON
    /// was asked for; the exit status is answered then.
    ///
    /// # Errors
    /// The exit status to end with: 0 after help, 2 after wrong usage.
    pub fn read(arguments: &[OsString]) -> Result<Self, u8> {
        Self::try_parse_from(arguments).map_err(|error| {
            if error.use_stderr() && asks_for_json(arguments) {
                Error::Usage(error.render().to_string().trim().into()).report(true);
            } else {
                // A reader that is gone needs no help.
                let _ = error.print();
            }
            u8::try_from(error.exit_code()).unwrap_or(2)
        })
    }

    /// Whether results are printed as JSON.
    pub fn json(&self) -> bool {
        self.global.output == OutputFormat::Json
    }

    /// Carries out a client command and prints its result.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::exit_status`] tells the status to end with.
    pub async fn run(self) -> Result<(), Error> {
        let context = commands::Context::new(self.global);
        match self.command {
            Command::Login(command) => command.run(&context).await,
            Command::Logout => commands::login::logout(&context).await,
            Command::Whoami => commands::login::whoami(&context).await,
            Command::User(command) => command.run(&context).await,
            Command::AccessKey(command) => command.run(&context).await,
            Command::Application(command) => command.run(&context).await,
            Command::Org(command) => command.run(&context).await,
            Command::Consortium(command) => command.run(&context).await,
            Command::Engine(command) => command.run(&context).await,
            Command::Network(command) => command.run(&context).await,
            Command::Node(command) => command.run(&context).await,
            Command::Validator(command) => command.run(&context).await,
            Command::Operation(command) => command.run(&context).await,
            Command::Account(command) => command.run(&context).await,
            Command::Contract(command) => command.run(&context).await,
            Command::Channel(command) => command.run(&context).await,
            Command::Chaincode(command) => command.run(&context).await,
            Command::Tx(command) => command.run(&context).await,
            Command::Block(command) => command.run(&context).await,
            Command::Audit(command) => command.run(&context).await,
            Command::Changes(command) => command.run(&context).await,
            Command::Server(command) => command.run(&context).await,
            Command::Shim { .. } => Err(Error::Usage("`shim` is carried out by the program itself".into())),
        }
    }
}

/// Whether a command line that cannot be read asks for JSON.
fn asks_for_json(arguments: &[OsString]) -> bool {
    let text = |index: usize| arguments.get(index).and_then(|argument| argument.to_str()).unwrap_or_default();
    (0..arguments.len()).any(|index| match text(index) {
        "--output" | "-o" => text(index + 1) == "json",
        other => ["--output=json", "-o=json", "-ojson"].contains(&other),
    })
}
