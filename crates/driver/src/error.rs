//! What can go wrong in a driver.

use types::{Code, Problem};

/// Result of a driver's work.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong in a driver.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something for a person: what was asked does not fit, or the ledger refused it.
    #[error("{}: {}", .0.code, .0.detail)]
    Problem(Box<Problem>),
    /// No node answered.
    #[error("no node answers: {0}")]
    Unreachable(String),
    /// A transaction was handed over, but whether a node took it is not known. Never send it again blindly: ask for
    /// its outcome by its id.
    #[error("whether a node took transaction {id} is not known: {reason}")]
    Unknown {
        /// The transaction's id.
        id: String,
        /// What broke.
        reason: String,
    },
    /// A node answered what its protocol does not allow.
    #[error("a node answered wrongly: {0}")]
    Protocol(String),
    /// The engine has no such thing.
    #[error("{0} is not offered by this engine")]
    Unsupported(&'static str),
}

impl Error {
    /// An error for a person.
    pub fn problem(code: Code, detail: impl Into<String>) -> Self {
        Self::Problem(Box::new(code.problem(detail)))
    }

    /// The code that a person sees.
    pub fn code(&self) -> Code {
        match self {
            Self::Problem(problem) => {
                Code::ALL.iter().copied().find(|code| code.as_str() == problem.code).unwrap_or(Code::Internal)
            }
            Self::Unreachable(_) => Code::NodeUnreachable,
            Self::Unknown { .. } => Code::TransactionUnknown,
            Self::Protocol(_) => Code::Internal,
            Self::Unsupported(_) => Code::RequestInvalid,
        }
    }

    /// What a person is told.
    pub fn to_problem(&self) -> Problem {
        match self {
            Self::Problem(problem) => (**problem).clone(),
            Self::Unreachable(_) => Code::NodeUnreachable.problem(
                "No node of the network answers. Look at its nodes: they may be starting, stopped or failing.",
            ),
            Self::Unknown { id, .. } => Code::TransactionUnknown.problem(format!(
                "Whether the network has transaction {id} is not known yet. Do not send it again; look at it later."
            )),
            Self::Protocol(_) => {
                Code::Internal.problem("A node answered what was not expected. The server's log has the cause.")
            }
            Self::Unsupported(what) => {
                Code::RequestInvalid.problem(format!("The network's engine does not offer {what}."))
            }
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}
