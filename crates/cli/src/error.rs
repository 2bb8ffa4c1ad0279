//! What can go wrong in a command, and with which exit status it ends.

use types::{Code, Problem};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line or the environment is wrong.
    #[error("{0}")]
    Usage(String),
    /// The server refused, with its problem document.
    #[error("{}", .0.detail)]
    Server(Box<Problem>),
    /// The server does not answer.
    #[error("the server at {server} does not answer: {source}")]
    Unreachable {
        /// Its address.
        server: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The server answered something else than its API says.
    #[error("the server's answer is not what its API says: {0}")]
    Answer(String),
    /// The wait ended first; the operation goes on.
    #[error("{0} did not end in time; it goes on: see `polder operation show {0}`")]
    WaitTimeout(String),
    /// A file of the user.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A result that is a failure.
    #[error("{0}")]
    Failed(String),
}

impl Error {
    /// Exit status: 1 failed, 2 wrong usage or an ambiguous name.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Server(problem) if problem.code == Code::NameAmbiguous.as_str() => 2,
            _ => 1,
        }
    }

    /// The error as a problem document, for programs.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Server(problem) => (**problem).clone(),
            Self::WaitTimeout(_) => Code::WaitTimeout.problem(self.to_string()),
            Self::Usage(_) => Code::RequestInvalid.problem(self.to_string()),
            Self::Unreachable { .. } => Code::Unavailable.problem(self.to_string()),
            _ => Code::Internal.problem(self.to_string()),
        }
    }

    /// Writes the error to standard error, as a JSON problem when `json`.
    pub fn report(&self, json: bool) {
        let problem = self.problem();
        if json {
            eprintln!("{}", serde_json::to_string(&problem).unwrap_or_else(|_| self.to_string()));
            return;
        }
        eprintln!("error: {self}");
        for field in &problem.fields {
            eprintln!("  {}: {}", field.field, field.message);
        }
        if let Self::Server(problem) = self {
            eprintln!("  code {}", problem.code);
        }
    }

    pub(crate) fn file(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::File { path: path.display().to_string(), source }
    }
}
