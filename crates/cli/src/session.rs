//! The stored session of `polder login`: one file, readable by its owner only.

use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::Error;

/// A signed-in user at a server.
#[derive(Clone, Serialize, Deserialize)]
pub struct StoredSession {
    /// The server's address.
    pub server: String,
    /// The user's name.
    pub user: String,
    /// Value of the cookie `polder_session`.
    pub cookie: String,
    /// The session's CSRF token.
    pub csrf_token: String,
}

/// `$XDG_CONFIG_HOME/polder/session.json`, else `~/.config/polder/session.json`.
fn path() -> Result<PathBuf, Error> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = variable("XDG_CONFIG_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".config")))
        .ok_or_else(|| Error::Usage("neither HOME nor XDG_CONFIG_HOME is set".into()))?;
    Ok(base.join("polder").join("session.json"))
}

/// Reads the stored session, if there is one.
pub fn load() -> Result<Option<StoredSession>, Error> {
    let path = path()?;
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|_| Error::Usage(format!("{} is damaged: sign in again with `polder login`", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file(&path, error)),
    }
}

/// Stores a session in place of the one before.
pub fn save(session: &StoredSession) -> Result<(), Error> {
    let path = path()?;
    let write = || -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(&path);
        std::fs::create_dir_all(folder)?;
        let temporary = path.with_extension("new");
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(&serde_json::to_vec(session)?)?;
        file.sync_all()?;
        std::fs::rename(&temporary, &path)
    };
    write().map_err(|error| Error::file(&path, error))
}

/// Forgets the stored session.
pub fn forget() -> Result<(), Error> {
    let path = path()?;
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file(&path, error)),
        _ => Ok(()),
    }
}
