//! Polder: the server, its command line, and the supervisor of each node, in one program.

mod error;
mod server;

use std::process::ExitCode;

use cli::{Cli, Command, ServerCommand};

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    // Before anything starts a thread: the shim makes a session of its own.
    if words.next().as_deref() == Some("shim") {
        return host::shim::main(words);
    }
    let cli = match Cli::read(&std::env::args_os().collect::<Vec<_>>()) {
        Ok(cli) => cli,
        Err(status) => return status.into(),
    };
    let json = cli.json();
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        eprintln!("error: a TLS provider was installed twice");
        return ExitCode::FAILURE;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let end = runtime.block_on(async {
        match cli.command {
            Command::Server(ServerCommand::Run(options)) => {
                server::run(*options).await.map_err(|error| error.report(json))
            }
            Command::Server(ServerCommand::ResetPassword(options)) => {
                server::reset_password(options).await.map_err(|error| error.report(json))
            }
            _ => cli.run().await.map_err(|error| {
                error.report(json);
                error.exit_status()
            }),
        }
    });
    end.map_or_else(ExitCode::from, |()| ExitCode::SUCCESS)
}
