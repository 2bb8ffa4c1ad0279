//! Opening a database: connections, settings, migrations.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AnyConnection, AnyPool, Connection, Executor};
use tokio::sync::watch;

use crate::transaction::{Read, Tx};
use crate::{Error, Result};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// How long a statement waits for a connection or a lock.
const PATIENCE: Duration = Duration::from_secs(10);
const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 16;

/// Where the database is.
#[derive(Clone, Debug)]
pub enum Location {
    /// A SQLite file, made when it is not there. The caller sees to it that one server opens it.
    Sqlite(PathBuf),
    /// A PostgreSQL address: `postgres://user:password@host:port/database`.
    Postgres(String),
}

/// Kind of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    /// `sqlite` or `postgresql`.
    pub fn as_str(self) -> &'static str {
        match self {
            Database::Sqlite => "sqlite",
            Database::Postgres => "postgresql",
        }
    }
}

/// An open database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    kind: Database,
    readers: AnyPool,
    writers: AnyPool,
    newest: Arc<watch::Sender<i64>>,
}

impl Store {
    /// Opens the database and brings its schema up to date.
    ///
    /// Errors: [`Error::Newer`] for a schema of a newer program, [`Error::Corrupt`] for a damaged file, [`Error::Connect`] when
    /// it cannot be reached.
    pub async fn open(location: &Location) -> Result<Store> {
        sqlx::any::install_default_drivers();
        let (kind, readers, writers, migrator) = match location {
            Location::Sqlite(path) => {
                let url = sqlite_url(path)?;
                make_private(path)?;
                check_sqlite(&url).await?;
                // One writer: SQLite has one write lock, and a queue in this process is fairer than its busy handler.
                let writers = sqlite_pool(1, false).connect(&url).await.map_err(connecting)?;
                let readers = sqlite_pool(SQLITE_READERS, true).connect_lazy(&url).map_err(connecting)?;
                (Database::Sqlite, readers, writers, &SQLITE)
            }
            Location::Postgres(url) => {
                if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
                    return Err(Error::Address("it must begin with postgres://".into()));
                }
                // A pool tries for as long as it may and then only says that it did: this says why.
                AnyConnection::connect(url).await.map_err(connecting)?.close().await.map_err(connecting)?;
                let pool = AnyPoolOptions::new()
                    .max_connections(POSTGRES_CONNECTIONS)
                    .acquire_timeout(PATIENCE)
                    .after_connect(|connection, _| {
                        Box::pin(async move {
                            // The notice that the migrations' table is there already is no news.
                            connection
                                .execute("SET lock_timeout = '10s'; SET client_min_messages = warning")
                                .await
                                .map(drop)
                        })
                    })
                    .connect(url)
                    .await
                    .map_err(connecting)?;
                (Database::Postgres, pool.clone(), pool, &POSTGRES)
            }
        };
        migrate(migrator, &writers).await?;
        let store = Store { kind, readers, writers, newest: Arc::new(watch::channel(0).0) };
        let newest = crate::changes::newest(&mut *store.read().await?).await?;
        store.newest.send_replace(newest);
        Ok(store)
    }

    /// Which kind of database it is.
    pub fn database(&self) -> Database {
        self.kind
    }

    /// Begins a transaction that may change something. Dropping it undoes it.
    pub async fn begin(&self) -> Result<Tx> {
        let inner = match self.kind {
            // A deferred transaction that turns into a writer half-way can fail at once; this one waits its turn.
            Database::Sqlite => self.writers.begin_with("BEGIN IMMEDIATE").await?,
            Database::Postgres => self.writers.begin().await?,
        };
        Ok(Tx::new(inner, self.newest.clone()))
    }

    /// A connection to look with.
    pub async fn read(&self) -> Result<Read> {
        Ok(Read::new(self.readers.acquire().await?))
    }

    /// Follows the change feed: see [`crate::changes::Watch`].
    pub fn watch_changes(&self) -> crate::changes::Watch {
        crate::changes::Watch::new(self.newest.subscribe(), self.kind)
    }

    /// Closes all connections, after what runs on them has ended.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }
}

fn sqlite_url(path: &Path) -> Result<String> {
    let text = path.to_str().ok_or_else(|| Error::Address(format!("{} is not UTF-8", path.display())))?;
    let escaped = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Ok(format!("sqlite://{escaped}?mode=rwc"))
}

fn sqlite_pool(connections: u32, read_only: bool) -> AnyPoolOptions {
    let options = AnyPoolOptions::new().max_connections(connections).acquire_timeout(PATIENCE);
    // SQLite itself takes a transaction back when the disk is full. The driver then counts one that is not there, and would
    // refuse every later one: such a connection is replaced.
    let options = options.before_acquire(|connection, _| {
        let clean = !connection.is_in_transaction();
        Box::pin(async move { Ok(clean) })
    });
    options.after_connect(move |connection, _| {
        Box::pin(async move {
            connection.execute("PRAGMA busy_timeout = 10000").await?;
            connection.execute("PRAGMA journal_mode = WAL").await?;
            connection.execute("PRAGMA synchronous = FULL").await?;
            connection.execute("PRAGMA foreign_keys = ON").await?;
            if read_only {
                connection.execute("PRAGMA query_only = ON").await?;
            }
            Ok(())
        })
    })
}

/// Makes the file with mode 0600 when it is not there. SQLite gives its journals the same.
fn make_private(path: &Path) -> Result<()> {
    let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    opened.map(drop).map_err(|error| Error::Connect(sqlx::Error::Io(error)))
}

/// Finds a damaged file now rather than in the middle of a change. On a connection of its own: a pool would try again and again.
async fn check_sqlite(url: &str) -> Result<()> {
    let mut connection = AnyConnection::connect(url).await.map_err(connecting)?;
    let answer: std::result::Result<(String,), _> =
        sqlx::query_as("PRAGMA quick_check(1)").fetch_one(&mut connection).await;
    connection.close().await.map_err(connecting)?;
    match answer?.0.as_str() {
        "ok" => Ok(()),
        damage => Err(Error::Corrupt(damage.to_owned())),
    }
}

fn connecting(error: sqlx::Error) -> Error {
    match Error::from(error) {
        Error::Sql(inner) | Error::Busy(inner) => Error::Connect(inner),
        other => other,
    }
}

async fn migrate(migrator: &Migrator, pool: &AnyPool) -> Result<()> {
    let known = migrator.iter().map(|migration| migration.version).max().unwrap_or(0);
    match migrator.run(pool).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(found)) if found > known => Err(Error::Newer { found, known }),
        Err(MigrateError::Execute(error)) => Err(error.into()),
        Err(MigrateError::ExecuteMigration(error, version)) => match Error::from(error) {
            Error::Sql(inner) => Err(Error::Migrate(MigrateError::ExecuteMigration(inner, version))),
            other => Err(other),
        },
        Err(error) => Err(Error::Migrate(error)),
    }
}
