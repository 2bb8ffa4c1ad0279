//! What can go wrong with an engine's programs.

use std::path::{Path, PathBuf};

use types::{Code, Problem};

/// Result of work with engines.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such engine to install.
    #[error("there is no engine `{0}` to install; there are {1}")]
    Unknown(String, String),
    /// A version that cannot be one.
    #[error("`{0}` is no version: give a release such as {1}, a commit or a Go pseudo-version")]
    Version(String, String),
    /// The engine cannot be built here.
    #[error(
        "{0} is not in the Go module registry: install it by hand and name its place, `polder engine add {0}@VERSION --path DIR`"
    )]
    NotBuilt(String),
    /// A program that building needs is missing or too old.
    #[error("{0}")]
    Tool(String),
    /// The registry does not have the version, or refuses it.
    #[error("the Go module registry does not serve {what}: {said}")]
    Refused {
        /// Engine and version.
        what: String,
        /// The registry's words.
        said: String,
    },
    /// The registry cannot be reached.
    #[error("the Go module registry cannot be reached: {0}")]
    Network(String),
    /// What was downloaded is not what the lock file or the checksum database names.
    #[error("what was downloaded is not what its checksum says: {0}")]
    Checksum(String),
    /// The build failed.
    #[error("the build of {what} failed: {said}")]
    Build {
        /// Engine and version.
        what: String,
        /// The compiler's words.
        said: String,
    },
    /// Given programs that are not there or do not fit.
    #[error("{0}")]
    Programs(String),
    /// No space left.
    #[error("there is no space left for {}", .0.display())]
    DiskFull(PathBuf),
    /// A file of the engine directory.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A record that cannot be read.
    #[error("{} is damaged: {source}", path.display())]
    Record {
        /// Which.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The host.
    #[error(transparent)]
    Host(#[from] host::Error),
}

impl Error {
    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull(path.to_owned()),
            _ => Self::File { path: path.to_owned(), source },
        }
    }

    /// The code.
    pub fn code(&self) -> Code {
        match self {
            Self::Unknown(..) => Code::NetworkEngine,
            Self::Version(..) | Self::NotBuilt(_) | Self::Refused { .. } => Code::EngineVersion,
            Self::Tool(_) => Code::EngineTool,
            Self::Network(_) | Self::Checksum(_) => Code::EngineDownload,
            Self::Build { .. } => Code::EngineBuild,
            Self::Programs(_) => Code::EnginePrograms,
            Self::DiskFull(_) => Code::HostDisk,
            Self::File { .. } | Self::Record { .. } => Code::HostFile,
            Self::Host(error) => error.code(),
        }
    }

    /// The problem for the API: what happened and what to do next.
    pub fn problem(&self) -> Problem {
        let next = match self {
            Self::Host(error) => return error.problem(),
            Self::Tool(_) => " Then resume the operation.",
            Self::Refused { .. } => {
                " A registry that may not ask the origin has only some versions: take one that is marked as tested, or set \
                 GOPROXY to one that has it."
            }
            Self::Network(_) => " Check the network and GOPROXY, then resume the operation: it goes on where it was.",
            Self::Checksum(_) => {
                " Do not use it: the registry or the way to it has changed the code. Ask who runs it, then resume."
            }
            Self::Build { .. } => " The operation can be resumed once the cause is gone.",
            Self::DiskFull(_) => " A build needs about 4 GB. Free some, then resume the operation.",
            _ => "",
        };
        self.code().problem(format!("{}.{next}", sentence(&self.to_string())))
    }
}

/// With a capital letter, for a person.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
