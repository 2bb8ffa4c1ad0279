//! Where the local host keeps what belongs to a node, and which names are allowed there.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// A node's directory: `nodes/NODEID`, 0700. Volumes lie directly in it.
#[derive(Clone, Debug)]
pub(crate) struct NodeDirectory(pub PathBuf);

/// Files that are written in place are multiples of this: what a file system gives at a time.
const BLOCK: usize = 4096;

/// Names in a node's directory that no volume can have.
const TAKEN: &[&str] = &["log", "files"];

impl NodeDirectory {
    pub fn placement(&self) -> PathBuf {
        self.0.join("placement.json")
    }

    /// What the shim is to run.
    pub fn spec(&self) -> PathBuf {
        self.0.join("shim.json")
    }

    /// What the shim does.
    pub fn state(&self) -> PathBuf {
        self.0.join("state.json")
    }

    /// Locked by the shim as long as it lives.
    pub fn lock(&self) -> PathBuf {
        self.0.join("shim.lock")
    }

    /// What the shim itself says when it cannot start.
    pub fn shim_errors(&self) -> PathBuf {
        self.0.join("shim.err")
    }

    /// The process of the job that runs.
    pub fn job(&self) -> PathBuf {
        self.0.join("job.json")
    }

    pub fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    /// Files of a job's or service's program.
    pub fn files(&self, kind: &str) -> PathBuf {
        self.0.join("files").join(kind)
    }

    pub fn volume(&self, name: &str) -> Result<PathBuf> {
        let fits = !name.is_empty()
            && name.len() <= 64
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !TAKEN.contains(&name);
        if fits { Ok(self.0.join(name)) } else { Err(Error::Plan(format!("`{name}` cannot name a volume"))) }
    }
}

/// Checks a name that becomes one part of a path.
pub(crate) fn check_name(what: &str, name: &str) -> Result<()> {
    let fits = (1..=128).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if fits { Ok(()) } else { Err(Error::Plan(format!("`{name}` cannot name a {what}"))) }
}

/// A path below a volume.
pub(crate) fn below(volume: &Path, path: &str) -> Result<PathBuf> {
    let relative = Path::new(path);
    let stays = !path.is_empty() && relative.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if stays { Ok(volume.join(relative)) } else { Err(Error::Plan(format!("`{path}` leaves its volume"))) }
}

/// Makes a directory and what is missing above it, 0700.
pub(crate) fn make_directory(path: &Path) -> Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| Error::file(path, error))
}

/// Writes a file as a whole or not at all: 0600, by a second file and a rename.
pub(crate) fn write_file(path: &Path, content: &[u8]) -> Result<()> {
    let draft = path.with_extension("new");
    let write = || {
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&draft, path)
    };
    write().map_err(|error| {
        // The draft may be cut short by a full disk; it must not stay in the way.
        let _ = std::fs::remove_file(&draft);
        Error::file(path, error)
    })
}

/// Writes a value as JSON.
pub(crate) fn write_json<T: serde::Serialize>(path: &Path, value: &T) -> Result<()> {
    let json = serde_json::to_vec_pretty(value).map_err(|error| Error::file(path, error.into()))?;
    write_file(path, &json)
}

/// Writes a value as JSON, also where the disk is full: then over the old file, which takes no new space.
///
/// The file is filled up with spaces to whole blocks, so that there is an old file of enough length. Only for what may be lost
/// when the machine fails during such a write.
pub(crate) fn write_json_in_place<T: serde::Serialize>(path: &Path, value: &T) -> Result<()> {
    let mut json = serde_json::to_vec_pretty(value).map_err(|error| Error::file(path, error.into()))?;
    json.resize(json.len().next_multiple_of(BLOCK), b' ');
    match write_file(path, &json) {
        Err(Error::DiskFull(_)) => overwrite(path, json).map_err(|error| Error::file(path, error)),
        other => other,
    }
}

/// Writes over a file without making it longer or shorter, in one write.
fn overwrite(path: &Path, mut content: Vec<u8>) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).open(path)?;
    let length = file.metadata()?.len() as usize;
    if content.len() > length {
        return Err(std::io::ErrorKind::StorageFull.into());
    }
    content.resize(length, b' ');
    file.write_all(&content)?;
    file.sync_all()
}

/// Reads a value from JSON; none when there is no file.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| Error::file(path, error.into())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file(path, error)),
    }
}

/// Removes a file or a whole directory; no error when there is none.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let result = match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file(path, error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_directory_are_refused() {
        let node = NodeDirectory("/nodes/n".into());
        assert_eq!(node.volume("data").unwrap(), PathBuf::from("/nodes/n/data"));
        for name in ["", "..", "a/b", "log", "files", "A", "shim.json"] {
            assert!(node.volume(name).is_err(), "{name}");
        }
        assert!(check_name("file", "genesis.json").is_ok());
        for name in ["", "..", ".hidden", "a/b"] {
            assert!(check_name("file", name).is_err(), "{name}");
        }
        assert_eq!(below(Path::new("/n/data"), "a/b.json").unwrap(), PathBuf::from("/n/data/a/b.json"));
        for path in ["", "..", "a/../../b", "/etc/passwd"] {
            assert!(below(Path::new("/n/data"), path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.json");
        write_json(&path, &1).unwrap();
        assert!(write_json(&directory.path().join("none/x.json"), &2).is_err());
        assert_eq!(read_json::<i32>(&path).unwrap(), Some(1));
        assert!(overwrite(&path, vec![b'2'; 100]).is_err(), "it would need space");
        assert_eq!(read_json::<i32>(&path).unwrap(), Some(1));
        write_json_in_place(&path, &"a long text".repeat(10)).unwrap();
        overwrite(&path, b"2".to_vec()).unwrap();
        assert_eq!(read_json::<i32>(&path).unwrap(), Some(2));
        std::fs::write(&path, "{").unwrap();
        assert!(matches!(read_json::<i32>(&path), Err(Error::File { .. })));
    }
}
