//! Directories that are cleared, and results whose modes and digests are settled.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::{Error, Result};

/// Removes a directory with everything in it. No error when there is nothing.
pub fn clear(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file(path, error)),
        _ => Ok(()),
    }
}

/// Makes a directory and what is missing above it.
pub fn make(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|error| Error::file(path, error))
}

/// Settles the modes of a result, so that everybody can run it, and gives its SHA-256: of the only file, or of a list of lines
/// `DIGEST  PATH` for more, which is what `sha256sum` prints for its files, sorted by their paths.
pub fn seal(root: &Path) -> Result<String> {
    let mut digests = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        mode(&directory, 0o755)?;
        for entry in std::fs::read_dir(&directory).map_err(|error| Error::file(&directory, error))? {
            let entry = entry.map_err(|error| Error::file(&directory, error))?;
            let path = entry.path();
            let metadata = entry.metadata().map_err(|error| Error::file(&path, error))?;
            if metadata.is_dir() {
                open.push(path);
            } else if metadata.is_file() {
                mode(&path, if metadata.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 })?;
                digests.push((relative(root, &path), sha256(&path)?));
            } else if !metadata.is_symlink() {
                // A pipe or the like: of no use to a program, and whoever reads it would wait for ever.
                std::fs::remove_file(&path).map_err(|error| Error::file(&path, error))?;
            }
        }
    }
    if let [(_, digest)] = digests.as_slice() {
        return Ok(digest.clone());
    }
    digests.sort();
    let lines: String = digests.iter().map(|(path, digest)| format!("{digest}  {path}\n")).collect();
    Ok(hex::encode(Sha256::digest(lines)))
}

/// Sets a file's mode.
pub fn mode(path: &Path, mode: u32) -> Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(|error| Error::file(path, error))
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).map_or_else(|_| PathBuf::from(path), Path::to_owned).display().to_string()
}

fn sha256(path: &Path) -> Result<String> {
    let mut file = std::fs::File::open(path).map_err(|error| Error::file(path, error))?;
    let mut hash = Sha256::new();
    std::io::copy(&mut file, &mut hash).map_err(|error| Error::file(path, error))?;
    Ok(hex::encode(hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_sealed_with_a_digest_that_anybody_can_compute() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        std::fs::write(root.join("one"), "1").unwrap();
        mode(&root.join("one"), 0o700).unwrap();
        assert_eq!(seal(root).unwrap(), hex::encode(Sha256::digest("1")));
        assert_eq!(std::fs::metadata(root.join("one")).unwrap().permissions().mode() & 0o7777, 0o755);
        make(&root.join("a/b")).unwrap();
        std::fs::write(root.join("a/b/two"), "2").unwrap();
        mode(&root.join("a/b/two"), 0o4600).unwrap();
        std::os::unix::fs::symlink("/etc/shadow", root.join("link")).unwrap();
        let lines =
            format!("{}  a/b/two\n{}  one\n", hex::encode(Sha256::digest("2")), hex::encode(Sha256::digest("1")));
        assert_eq!(seal(root).unwrap(), hex::encode(Sha256::digest(lines)));
        assert_eq!(std::fs::metadata(root.join("a/b/two")).unwrap().permissions().mode() & 0o7777, 0o644);
    }
}
