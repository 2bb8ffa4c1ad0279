//! What can go wrong with a database, sorted by what a caller or a person can do about it.

use types::Code;

/// Failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Locks or connections were not free in time; trying again later can help.
    #[error("the database is busy")]
    Busy(#[source] sqlx::Error),
    /// A row with the same unique value is there already.
    #[error("the value is taken: {constraint}")]
    Taken {
        /// The constraint, as the database names it.
        constraint: String,
    },
    /// Another row still points to this one, or the row that this one points to is gone.
    #[error("a row that belongs to it stands in the way")]
    Referenced(#[source] sqlx::Error),
    /// The file or a page of it is not what the database wrote.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// No space left for the database.
    #[error("the disk is full")]
    Full(#[source] sqlx::Error),
    /// The schema was written by a newer Polder.
    #[error("the database has schema version {found}, this program knows {known}")]
    Newer {
        /// The version found.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The schema cannot be brought up to date.
    #[error("the database cannot be migrated")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// The database cannot be reached or opened.
    #[error("the database cannot be opened")]
    Connect(#[source] sqlx::Error),
    /// The address of the database is not one.
    #[error("the database address is not valid: {0}")]
    Address(String),
    /// A value in the database is not what this program writes there.
    #[error("a stored {what} cannot be read: {reason}")]
    Stored {
        /// What kind of value.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// Anything else that the database reports.
    #[error("the database failed")]
    Sql(#[source] sqlx::Error),
}

impl Error {
    /// The code that a person sees.
    pub fn code(&self) -> Code {
        match self {
            Error::Busy(_) => Code::StoreBusy,
            Error::Taken { .. } => Code::NameTaken,
            Error::Referenced(_) => Code::InUse,
            Error::Corrupt(_) | Error::Stored { .. } => Code::StoreCorrupt,
            Error::Full(_) => Code::HostDisk,
            Error::Newer { .. } => Code::StoreVersion,
            Error::Connect(_) => Code::Unavailable,
            Error::Migrate(_) | Error::Address(_) | Error::Sql(_) => Code::Internal,
        }
    }

    pub(crate) fn stored(what: &'static str, reason: impl std::fmt::Display) -> Self {
        Error::Stored { what, reason: reason.to_string() }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let database = match &error {
            sqlx::Error::PoolTimedOut => return Error::Busy(error),
            sqlx::Error::Database(database) => database,
            _ => return Error::Sql(error),
        };
        if database.is_unique_violation() {
            let constraint = database.constraint().map_or_else(|| database.message().to_owned(), str::to_owned);
            return Error::Taken { constraint };
        }
        if database.is_foreign_key_violation() {
            return Error::Referenced(error);
        }
        let code = database.code().unwrap_or_default().into_owned();
        let message = database.message().to_owned();
        // SQLite gives its extended result code in decimal (the low byte is the primary code), PostgreSQL an SQLSTATE of
        // five characters.
        match (code.len(), code.parse::<u32>()) {
            (5, _) => match code.as_str() {
                "40001" | "40P01" | "55P03" | "53300" => Error::Busy(error),
                "53100" => Error::Full(error),
                "XX001" | "XX002" => Error::Corrupt(message),
                _ => Error::Sql(error),
            },
            // The WAL's index could not grow (`SQLITE_IOERR_SHMSIZE`).
            (_, Ok(4874)) => Error::Full(error),
            (_, Ok(number)) => match number & 0xff {
                5 | 6 => Error::Busy(error),
                11 | 26 => Error::Corrupt(message),
                13 => Error::Full(error),
                _ => Error::Sql(error),
            },
            _ => Error::Sql(error),
        }
    }
}
