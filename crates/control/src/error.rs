//! Failures of use cases, and how a person sees them.

use types::{Code, FieldProblem, Problem};

/// Result of a use case.
pub type Result<T> = std::result::Result<T, Error>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a use case failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller can do something about it.
    #[error("{}: {}", .0.code, .0.detail)]
    Problem(Box<Problem>),
    /// Too many attempts failed.
    #[error("too many attempts failed; the next is allowed in {seconds} s")]
    Throttled {
        /// How long to wait.
        seconds: u64,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] keys::Error),
    /// A host.
    #[error(transparent)]
    Host(#[from] host::Error),
    /// An engine's programs.
    #[error(transparent)]
    Engines(#[from] engines::Error),
    /// Chaincode, from its source to its program.
    #[error(transparent)]
    Chaincode(#[from] chaincode::Error),
    /// An address that a user gave.
    #[error(transparent)]
    Outbound(#[from] outbound::Error),
    /// A driver.
    #[error(transparent)]
    Driver(#[from] driver::Error),
    /// Nothing that a caller can do something about.
    #[error("{0}")]
    Internal(String, #[source] Option<Source>),
}

impl Error {
    /// A failure of a code, with what happened and what to do next.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Error::Problem(Box::new(code.problem(detail)))
    }

    /// A failure that is due to one field of the request.
    pub fn field(code: Code, field: impl Into<String>, message: impl Into<String>) -> Self {
        let message = message.into();
        let mut problem = code.problem(message.clone());
        problem.fields = vec![FieldProblem { field: field.into(), message }];
        Error::Problem(Box::new(problem))
    }

    /// There is no such thing, or the caller may not know of it.
    pub fn not_found(kind: &str, name: &str) -> Self {
        Error::new(Code::NotFound, format!("There is no {kind} “{name}”, or you may not see it."))
    }

    /// The caller's roles do not allow it.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Error::new(Code::Forbidden, detail)
    }

    /// An internal failure with its cause.
    pub fn internal(context: impl Into<String>, source: impl Into<Source>) -> Self {
        Error::Internal(context.into(), Some(source.into()))
    }

    /// The code.
    pub fn code(&self) -> Code {
        match self {
            Error::Problem(problem) => {
                Code::ALL.iter().copied().find(|code| code.as_str() == problem.code).unwrap_or(Code::Internal)
            }
            Error::Throttled { .. } => Code::AuthThrottled,
            Error::Store(error) => error.code(),
            Error::Keys(error) => error.code(),
            Error::Host(error) => error.code(),
            Error::Engines(error) => error.code(),
            Error::Chaincode(error) => chaincode_code(error),
            Error::Outbound(error) => outbound_code(error),
            Error::Driver(error) => error.code(),
            Error::Internal(..) => Code::Internal,
        }
    }

    /// What a person sees: never an internal cause.
    pub fn problem(&self) -> Problem {
        match self {
            Error::Problem(problem) => (**problem).clone(),
            Error::Throttled { seconds } => {
                Code::AuthThrottled.problem(format!("Too many attempts failed. Try again in {seconds} seconds."))
            }
            Error::Host(error) => error.problem(),
            Error::Engines(error) => error.problem(),
            Error::Outbound(error) => outbound_code(error).problem(outbound_detail(error)),
            Error::Driver(error) => error.to_problem(),
            Error::Chaincode(chaincode::Error::Host(error)) => error.problem(),
            Error::Chaincode(error) => chaincode_code(error).problem(sentence(&error.to_string())),
            Error::Store(error) => error.code().problem(store_detail(error)),
            Error::Keys(error) => error.code().problem(keys_detail(error)),
            Error::Internal(..) => Code::Internal.problem(
                "The server failed in a way that it did not expect. Its log has the cause, with this request's id.",
            ),
        }
    }

    /// The failure with its causes, for the log and for operators.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }

    /// Whether the operator should read about it in the log.
    pub fn is_internal(&self) -> bool {
        self.code().status() >= 500
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Error::Problem(Box::new(problem))
    }
}

fn chaincode_code(error: &chaincode::Error) -> Code {
    use chaincode::Error as E;
    match error {
        E::Source(_) | E::Language(_) => Code::ChaincodeSource,
        E::Build(_) | E::TimeLimit(_) | E::DownloadsOff(_) | E::Registry(_) => Code::ChaincodeBuild,
        E::Toolchain(_) | E::Sandbox(_) => Code::ChaincodeTool,
        E::DiskFull(_) => Code::HostDisk,
        E::Unknown(_) => Code::NotFound,
        E::File { .. } => Code::HostFile,
        E::Host(error) => error.code(),
    }
}

fn outbound_code(error: &outbound::Error) -> Code {
    use outbound::Error as E;
    match error {
        E::Invalid(_) | E::Unresolved { .. } | E::Entry(_) => Code::AddressInvalid,
        E::NotAllowed { .. } | E::Never { .. } => Code::AddressRefused,
        E::Authorities(_) => Code::HostFile,
    }
}

fn outbound_detail(error: &outbound::Error) -> String {
    let advice = match error {
        outbound::Error::NotAllowed { .. } => {
            " An administrator of this server can allow it: start the server with --allow-address and the address, its \
             network, or the host's name."
        }
        _ => "",
    };
    format!("{}{advice}", sentence(&error.to_string()))
}

/// A message as a sentence.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let end = if message.ends_with(['.', '\n']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// What to do about a failure of the database.
pub(crate) fn store_detail(error: &store::Error) -> String {
    match error {
        store::Error::Busy(_) => "The database did not answer in time. Try again in a moment.".into(),
        store::Error::Taken { .. } => "Something with this name or key is there already. Choose another.".into(),
        store::Error::Referenced(_) => "Something else still belongs to it. Remove that first.".into(),
        store::Error::Corrupt(_) | store::Error::Stored { .. } => {
            "The database is damaged. Stop the server, keep a copy of the data directory and restore a backup.".into()
        }
        store::Error::Full(_) => "The disk of the database is full. Free some space, then try again.".into(),
        store::Error::Newer { found, known } => format!(
            "The database has schema version {found}, this program knows up to {known}. Use the version of Polder that wrote it, or a newer one."
        ),
        store::Error::Connect(_) => {
            "The database cannot be opened. Check its address and that it runs; the log has the cause.".into()
        }
        store::Error::Address(reason) => format!("The address of the database is not valid: {reason}."),
        store::Error::Migrate(_) | store::Error::Sql(_) => {
            "The database refused what the server asked of it. The server's log has the cause.".into()
        }
    }
}

/// What to do about a failure of keys.
pub(crate) fn keys_detail(error: &keys::Error) -> String {
    match error {
        keys::Error::MasterKeyMissing(path) => format!(
            "The master key file {} is missing. Put the key that this data directory was made with there, or name it with --master-key-file. Without it, the private keys in the database cannot be read.",
            path.display()
        ),
        keys::Error::MasterKeyInvalid(path, reason) => {
            format!("The master key file {} is not valid: {reason}. Restore the right file.", path.display())
        }
        keys::Error::MasterKeyOpen(path) => format!(
            "The master key file {0} can be read by others. Close it (chmod 600 {0}); if somebody may have read it, the keys that it protects are no longer secret.",
            path.display()
        ),
        keys::Error::Unsealable => {
            "The master key is not the one that this data directory was made with. Give the right file with --master-key-file.".into()
        }
        keys::Error::File(path, reason) => format!("{} cannot be used: {reason}.", path.display()),
        keys::Error::Certificate(reason) => format!("The certificate cannot be used: {reason}."),
        keys::Error::KeyInvalid | keys::Error::PasswordHash => {
            "A stored key or password is damaged. Restore a backup of the database.".into()
        }
        keys::Error::Cryptography => "A key could not be used. The server's log has the cause.".into(),
    }
}
