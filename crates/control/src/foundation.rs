//! What everything stands on: the data directory, the database, the master key, the first administrator.
//!
//! Opened before hosts and drivers are made; a failure here ends the server before it opens a port.

use std::path::PathBuf;
use std::sync::Arc;

use keys::{MasterKey, MasterKeySource, Secret};
use store::{Location, NewAudit, Store, settings, users};
use types::{Code, Grant, Role, User, new_id, now};

use crate::directory::DataDirectory;
use crate::users::{ADMINISTRATOR, check_password};
use crate::{Actor, BuildSettings, Config, Error, Result};

/// Setting whose sealed value tells whether a master key is the right one.
const MASTER_KEY_CHECK: &str = "master-key-check";
const MASTER_KEY_CHECK_TEXT: &[u8] = b"polder";
/// Setting with the id of the data directory that a database of a server belongs to.
const DATA_DIRECTORY: &str = "data-directory";

/// The opened foundation.
#[derive(Debug)]
pub struct Foundation {
    /// The data directory, locked.
    pub directory: DataDirectory,
    /// The database.
    pub store: Store,
    /// The master key.
    pub master_key: Arc<MasterKey>,
    /// Where the master key came from.
    pub master_key_source: MasterKeySource,
    /// Where programs of engines are.
    pub engines: engines::Directory,
    /// What builds them.
    pub toolchain: engines::Toolchain,
    /// Where contracts that run beside the nodes are built.
    pub builds: BuildSettings,
    /// What may be called beside the public internet.
    pub allow: outbound::AllowList,
    /// Version of the program, to show.
    pub version: String,
    /// Password of the administrator `admin`, when it was made and its password drawn just now: to be shown once.
    pub first_password: Option<Secret>,
}

impl Foundation {
    /// Opens everything, and makes what a first run needs.
    ///
    /// Errors: `store.locked` (also when the database belongs to another data directory), `store.version`, `store.corrupt`,
    /// `keys.master_key`, `password.weak` (the given first password), `host.disk_full`, `unavailable` (the database cannot be
    /// reached).
    pub async fn open(config: Config) -> Result<Foundation> {
        let directory = DataDirectory::open(&config.data)?;
        let location = match &config.database {
            Some(url) => Location::Postgres(url.expose().to_owned()),
            None => {
                let file = directory.database();
                let is_new = !std::fs::metadata(&file).is_ok_and(|metadata| metadata.len() > 0);
                directory.check_database(&file.display().to_string(), is_new)?;
                Location::Sqlite(file)
            }
        };
        let store = Store::open(&location).await?;
        if config.database.is_some() {
            claim(&store, &directory).await?;
        }
        let (master_key, master_key_source) = open_master_key(&store, &directory, config.master_key_file).await?;
        let first_password = make_administrator(&store, config.admin_password).await?;
        let engines = config.engines.unwrap_or_else(|| directory.path().join("engines"));
        Ok(Foundation {
            engines: engines::Directory::new(engines),
            toolchain: config.toolchain,
            builds: config.builds,
            allow: config.allow,
            directory,
            store,
            master_key: Arc::new(master_key),
            master_key_source,
            version: config.version,
            first_password,
        })
    }
}

/// Binds a database that other servers can reach to this data directory, whose lock keeps a second server out. Nodes and
/// their keys are in the directory: a server with another one would find none of them and start them anew.
async fn claim(store: &Store, directory: &DataDirectory) -> Result<()> {
    let own = directory.id()?;
    let mut tx = store.begin().await?;
    let is_new = settings::get(&mut tx, DATA_DIRECTORY).await?.is_none();
    directory.check_database("that --database-url-file names", is_new)?;
    let owner = settings::set_once(&mut tx, DATA_DIRECTORY, &own).await?;
    tx.commit().await?;
    if owner == own {
        return Ok(());
    }
    Err(Error::new(
        Code::StoreLocked,
        format!(
            "The database belongs to another data directory ({owner}), where its nodes are. Start the server with that \
             directory, or give this one a database of its own. If {} is that directory, restored without its file “id”, \
             write {owner} into that file.",
            directory.path().display()
        ),
    ))
}

async fn open_master_key(
    store: &Store,
    directory: &DataDirectory,
    given: Option<PathBuf>,
) -> Result<(MasterKey, MasterKeySource)> {
    let check = settings::get(&mut *store.read().await?, MASTER_KEY_CHECK).await?;
    let own = directory.master_key();
    let (key, source) = match (given, &check) {
        (Some(path), _) => (MasterKey::load(&path)?, MasterKeySource::Given(path)),
        // A new key could read nothing of a database that has one already: never make one then.
        (None, Some(_)) => (MasterKey::load(&own)?, MasterKeySource::DataDirectory(own)),
        (None, None) if own.exists() => (MasterKey::load(&own)?, MasterKeySource::DataDirectory(own)),
        (None, None) => (MasterKey::generate(&own)?, MasterKeySource::Generated(own)),
    };
    match check {
        Some(sealed) => {
            key.open(MASTER_KEY_CHECK, &sealed)?;
        }
        None => {
            let mut tx = store.begin().await?;
            settings::set(&mut tx, MASTER_KEY_CHECK, &key.seal(MASTER_KEY_CHECK, MASTER_KEY_CHECK_TEXT)?).await?;
            tx.commit().await?;
        }
    }
    Ok((key, source))
}

/// Makes the first administrator; answers its password when it was drawn.
async fn make_administrator(store: &Store, given: Option<Secret>) -> Result<Option<Secret>> {
    if users::count(&mut *store.read().await?).await? > 0 {
        return Ok(None);
    }
    let (password, drawn) = match given {
        Some(password) => {
            check_password("POLDER_ADMIN_PASSWORD", &password)?;
            (password, None)
        }
        None => {
            let password = keys::Token::password()?;
            (password.clone(), Some(password))
        }
    };
    let hash = crate::sessions::hash(password).await?;
    let mut tx = store.begin().await?;
    // Looked at again, now that no one else can write (PostgreSQL: the unique name decides).
    if users::count(&mut tx).await? > 0 {
        return Ok(None);
    }
    let user = User {
        id: new_id("user"),
        name: ADMINISTRATOR.into(),
        grants: vec![Grant { role: Role::PlatformAdministrator, organisation: None }],
        created_at: now(),
    };
    match users::insert(&mut tx, &user, &hash).await {
        Err(store::Error::Taken { .. }) => return Ok(None),
        other => other?,
    }
    tx.audit(NewAudit {
        actor: Actor::Server.to_string(),
        action: "user.create",
        subject: format!("user {}", user.id),
        organisation: None,
        details: serde_json::json!({"name": user.name, "grants": user.grants}),
    });
    tx.change("user", &user.id, None);
    tx.commit().await?;
    Ok(drawn)
}
