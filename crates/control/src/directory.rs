//! The data directory: its format, its lock, its files.
//!
//! ```text
//! DIR/format      version of this layout, a decimal number
//! DIR/lock        locked by the server that uses the directory
//! DIR/id          names the directory, where the database is elsewhere
//! DIR/polder.db   the SQLite database
//! DIR/master.key  the master key, when no other file is named
//! DIR/nodes/      what the local host keeps
//! DIR/tls/        the self-made certificate
//! ```

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use types::Code;

use crate::{Error, Result};

/// Version of the layout that this program writes.
pub const FORMAT: u32 = 1;

/// A server that was killed holds its lock until the system has cleared it away.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

/// A data directory that this process has locked. Dropping it unlocks.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    was_used: bool,
    _lock: Flock<File>,
}

impl DataDirectory {
    /// Opens the directory, which is made (0700) when it is not there, and locks it.
    ///
    /// Errors: `store.locked` while another server uses it, `store.version` when a newer program wrote it,
    /// `store.corrupt` when its format file is not one, `host.disk_full`.
    pub fn open(path: &Path) -> Result<DataDirectory> {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| failed(path, error))?;
        let path = path.canonicalize().map_err(|error| failed(path, error))?;
        let lock = lock(&path.join("lock"), &path)?;
        let was_used = Self::exists(&path);
        check_format(&path)?;
        Ok(DataDirectory { path, was_used, _lock: lock })
    }

    /// The directory, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory's own name, drawn when it is first asked for. It goes where the nodes go.
    pub fn id(&self) -> Result<String> {
        let file = self.path.join("id");
        match std::fs::read_to_string(&file) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let id = types::new_id("dir");
                write_line(&self.path, &file, &id)?;
                Ok(id)
            }
            Err(error) => Err(failed(&file, error)),
        }
    }

    /// The SQLite database.
    pub fn database(&self) -> PathBuf {
        self.path.join("polder.db")
    }

    /// The master key, when no other file is named.
    pub fn master_key(&self) -> PathBuf {
        self.path.join("master.key")
    }

    /// Refuses to go on where the database was lost: an empty one would begin anew and know nothing of the keys and the nodes
    /// that are here. `store.corrupt`.
    pub fn check_database(&self, database: &str, is_new: bool) -> Result<()> {
        let has_nodes = std::fs::read_dir(self.nodes()).is_ok_and(|mut entries| entries.next().is_some());
        // The first start makes the database before the key, so a key without one was left over.
        if !is_new || !(has_nodes || (self.was_used && self.master_key().exists())) {
            return Ok(());
        }
        Err(Error::new(
            Code::StoreCorrupt,
            format!(
                "The database {database} is missing or empty, but the data directory was in use. Restore the database from a backup; to begin anew, choose an empty directory with --data."
            ),
        ))
    }

    /// Whether a server has used the directory.
    pub fn exists(path: &Path) -> bool {
        path.join("format").exists()
    }

    /// Where the local host keeps its nodes.
    pub fn nodes(&self) -> PathBuf {
        self.path.join("nodes")
    }

    /// Where contracts that run beside the nodes are built to.
    pub fn builds(&self) -> PathBuf {
        self.path().join("chaincode/builds")
    }

    /// Where the self-made certificate is kept.
    pub fn tls(&self) -> PathBuf {
        self.path.join("tls")
    }
}

fn lock(file: &Path, directory: &Path) -> Result<Flock<File>> {
    let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(file);
    let mut open = open.map_err(|error| failed(file, error))?;
    let patience = Instant::now() + LOCK_PATIENCE;
    loop {
        open = match Flock::lock(open, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((open, Errno::EWOULDBLOCK)) if Instant::now() < patience => open,
            Err((_, Errno::EWOULDBLOCK)) => {
                return Err(Error::new(
                    Code::StoreLocked,
                    format!(
                        "Another Polder server uses the data directory {}. Stop it, or give this one a directory of its own with --data.",
                        directory.display()
                    ),
                ));
            }
            Err((_, errno)) => return Err(failed(file, errno.into())),
        };
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn check_format(directory: &Path) -> Result<()> {
    let file = directory.join("format");
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return write_format(directory, &file),
        Err(error) if error.kind() == ErrorKind::InvalidData => "?".into(),
        Err(error) => return Err(failed(&file, error)),
    };
    match text.trim().parse::<u32>() {
        Ok(found) if found <= FORMAT => Ok(()),
        Ok(found) => Err(Error::new(
            Code::StoreVersion,
            format!(
                "The data directory {} has format {found}, this program knows up to {FORMAT}. Use the version of Polder that wrote it, or a newer one.",
                directory.display()
            ),
        )),
        Err(_) => Err(Error::new(
            Code::StoreCorrupt,
            format!(
                "The file {} does not hold a format version. If the rest of the directory is whole, write {FORMAT} into it; else restore a backup.",
                file.display()
            ),
        )),
    }
}

fn write_format(directory: &Path, file: &Path) -> Result<()> {
    if directory.join("polder.db").exists() {
        return Err(Error::new(
            Code::StoreCorrupt,
            format!(
                "The data directory {} has a database but no file “format”. If it was lost by a copy, write {FORMAT} into it; else restore a backup.",
                directory.display()
            ),
        ));
    }
    write_line(directory, file, &FORMAT.to_string())
}

/// Writes a file of one line. Beside and renamed: a full disk leaves no half-made file.
fn write_line(directory: &Path, file: &Path, line: &str) -> Result<()> {
    let draft = file.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut new = File::create(&draft)?;
        writeln!(new, "{line}")?;
        new.sync_all()?;
        std::fs::rename(&draft, file)?;
        File::open(directory)?.sync_all()
    };
    write().map_err(|error| failed(file, error))
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::new(
            Code::HostDisk,
            format!("There is no space left for {}. Free some, then start again.", path.display()),
        ),
        _ => Error::new(
            Code::HostFile,
            format!(
                "{} cannot be used: {error}. Choose another data directory with --data, or mend its permissions.",
                path.display()
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_per_directory_and_no_newer_format() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        let first = DataDirectory::open(&path).unwrap();
        assert_eq!(DataDirectory::open(&path).unwrap_err().code(), Code::StoreLocked);
        drop(first);
        drop(DataDirectory::open(&path).unwrap());

        std::fs::write(path.join("format"), "2\n").unwrap();
        assert_eq!(DataDirectory::open(&path).unwrap_err().code(), Code::StoreVersion);
        std::fs::write(path.join("format"), b"\xff\xff").unwrap();
        assert_eq!(DataDirectory::open(&path).unwrap_err().code(), Code::StoreCorrupt);
        std::fs::remove_file(path.join("format")).unwrap();
        std::fs::write(path.join("polder.db"), "").unwrap();
        assert_eq!(DataDirectory::open(&path).unwrap_err().code(), Code::StoreCorrupt);

        std::fs::remove_file(path.join("polder.db")).unwrap();
        let check = |path: &Path, is_new| {
            DataDirectory::open(path).unwrap().check_database("polder", is_new).map_err(|error| error.code())
        };
        check(&path, true).expect("nothing is lost of a directory that nobody used");
        std::fs::write(path.join("master.key"), "").unwrap();
        assert_eq!(check(&path, true), Err(Code::StoreCorrupt), "the key had a database");
        check(&path, false).unwrap();
        std::fs::remove_file(path.join("master.key")).unwrap();
        std::fs::create_dir_all(path.join("nodes/node_1")).unwrap();
        assert_eq!(check(&path, true), Err(Code::StoreCorrupt), "the nodes had a database");

        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(DataDirectory::open(&file).unwrap_err().code(), Code::HostFile);
    }
}
