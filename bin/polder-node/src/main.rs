//! One node of Polder's built-in chain.

use std::{io::IsTerminal as _, panic, process::ExitCode, thread};

use chain_node::{Cli, exit, log};
use clap::{Parser as _, error::ErrorKind};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing more can be said where the terminal is gone.
            let _ = error.print();
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if asked { ExitCode::SUCCESS } else { exit::USAGE.into() };
        }
    };
    let filter = EnvFilter::try_from_env("POLDER_NODE_LOG").unwrap_or_else(|_| EnvFilter::new(log::DEFAULT_FILTER));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match cli.log_format {
        chain_node::LogFormat::Text => subscriber.with_ansi(std::io::stderr().is_terminal()).init(),
        chain_node::LogFormat::Json => subscriber.json().init(),
    }
    panic::set_hook(Box::new(|panicked| {
        let message = panicked.payload_as_str().unwrap_or("panic");
        let place = panicked.location().map(ToString::to_string).unwrap_or_default();
        match exit::panicked(thread::current().name(), message, &place) {
            Some((line, code)) => {
                exit::fatal(&line, code);
                std::process::exit(code.into());
            }
            None => tracing::error!(message, place, "a request failed"),
        }
    }));
    match chain_node::execute(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            exit::fatal(&error, error.exit_code());
            error.exit_code().into()
        }
    }
}
