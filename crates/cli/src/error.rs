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
    #[error("the server at {server} does not answer: {}", deepest(source))]
    Unreachable {
        /// Its address.
        server: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The server answered something else than its API says.
    #[error("the server's answer is not what its API says: {0}")]
    Answer(String),
    /// The wait ended first; the operation or transaction goes on.
    #[error("{what} did not end in time; it goes on: see `polder {show}`")]
    WaitTimeout {
        /// Id or hash of what was waited for.
        what: String,
        /// The command that shows it.
        show: String,
    },
    /// A file of the user.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A result that is a failure.
    #[error("{1}")]
    Failed(Code, String),
}

/// The cause that started it: those above only say that a request failed.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

impl Error {
    /// Exit status: 1 failed, 2 wrong usage or an ambiguous name.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            _ if self.problem().code == Code::NameAmbiguous.as_str() => 2,
            _ => 1,
        }
    }

    /// The error as a problem document, for programs.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Server(problem) => (**problem).clone(),
            Self::WaitTimeout { .. } => Code::WaitTimeout.problem(self.to_string()),
            Self::Usage(_) => Code::RequestInvalid.problem(self.to_string()),
            Self::Unreachable { .. } => Code::Unavailable.problem(self.to_string()),
            Self::File { .. } => Code::HostFile.problem(self.to_string()),
            Self::Failed(code, _) => code.problem(self.to_string()),
            Self::Answer(_) => Code::Internal.problem(self.to_string()),
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
        // One that is wrong alone is the message already.
        for field in problem.fields.iter().filter(|field| field.message != problem.detail) {
            eprintln!("  {}: {}", field.field, field.message);
        }
        eprintln!("  code {}", problem.code);
    }

    pub(crate) fn file(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::File { path: path.display().to_string(), source }
    }
}
