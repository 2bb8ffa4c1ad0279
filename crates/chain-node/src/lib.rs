//! One node of the built-in chain: the command line of `polder-node` and the wiring of its parts.
//!
//! A node is a data directory (key, genesis, chain, journal) and a process that holds its lock. The process has two
//! runtimes: consensus and the chain on the commonware runtime, JSON-RPC on a tokio runtime of its own, so that heavy
//! questions do not delay votes. Either one's end ends the process.
//!
//! This crate reads no environment and installs no hook; the binary does, with [`Cli`], [`log`] and [`exit`].

mod cli;
mod directory;
mod error;
pub mod exit;
mod init;
mod key;
pub mod log;
mod node;
mod rpc;
mod run;
mod signals;
mod state;

pub use cli::{Cli, Command, LogFormat};
pub use error::Error;

/// Does what the command line asks for. Results go to standard output, the rest to the log.
///
/// # Errors
/// See [`Error`]; [`Error::exit_code`] says how the process ends.
pub fn execute(command: Command) -> Result<(), Error> {
    match command {
        Command::Key(options) => key::command(&options),
        Command::Init(options) => init::command(&options),
        Command::Run(options) => run::command(options),
    }
}
