//! Why a server does not start or ends.

use types::{Code, Problem};

/// A failure of the server as its operator sees it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The control plane.
    #[error(transparent)]
    Control(#[from] control::Error),
    /// The host.
    #[error(transparent)]
    Host(#[from] host::Error),
    /// The listener.
    #[error(transparent)]
    Serve(#[from] api::ServeError),
    /// The log.
    #[error(transparent)]
    Log(#[from] telemetry::Error),
    /// The operating system.
    #[error("{0}: {1}")]
    System(&'static str, std::io::Error),
    /// No server has used the data directory.
    #[error("{} is no data directory of a server: name the one that the server runs with", .0.display())]
    NoData(std::path::PathBuf),
    /// An entry of `--allow-address`.
    #[error("--allow-address: {0}")]
    Allow(outbound::Error),
    /// Nothing on standard input.
    #[error("no password on standard input: give one line")]
    NoPassword,
}

impl Error {
    fn problem(&self) -> Problem {
        match self {
            Self::Control(error) => error.problem(),
            Self::Host(error) => error.problem(),
            Self::Serve(error) => error.code().problem(self.chain()),
            Self::Log(_) | Self::Allow(_) | Self::NoPassword => Code::RequestInvalid.problem(self.chain()),
            Self::NoData(_) => Code::HostFile.problem(self.chain()),
            Self::System(..) => Code::Unavailable.problem(self.chain()),
        }
    }

    /// The message and its causes; the operator may see them all.
    fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            text.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        text
    }

    /// Tells the operator, and answers the exit status.
    pub fn report(&self, json: bool) -> u8 {
        let problem = self.problem();
        if json {
            eprintln!("{}", serde_json::json!(problem));
        } else {
            eprintln!("error: {}\n  code {}", problem.detail, problem.code);
            let chain = self.chain();
            if !chain.contains(&problem.detail) {
                eprintln!("  cause: {chain}");
            }
        }
        match self {
            Self::Log(_) | Self::Allow(_) | Self::NoPassword | Self::Serve(api::ServeError::Insecure(_)) => 2,
            _ => 1,
        }
    }
}
