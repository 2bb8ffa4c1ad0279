//! The engine directory: `NAME-VERSION/bin/PROGRAM`, and what each version is in `NAME-VERSION/engine.json`.
//!
//! A version is made beside its place and renamed into it, so that what is there is whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use types::{Micros, now};

use crate::catalogue::check_version;
use crate::{Error, Recipe, Result};

/// The engine directory. Clones name the same one.
#[derive(Clone, Debug)]
pub struct Directory(PathBuf);

/// What is recorded of an installed version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Installed {
    /// The engine.
    pub engine: String,
    /// The version.
    pub version: String,
    /// SHA-256 of each program, hexadecimal.
    pub programs: BTreeMap<String, String>,
    /// Where they come from.
    pub origin: Origin,
    /// Whether the tests of this version of Polder run it.
    pub tested: bool,
    /// When it was installed.
    pub installed_at: Micros,
}

/// Where programs come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Origin {
    /// Built from the Go module registry.
    Built {
        /// The module, with the version that the registry knows.
        module: String,
        /// The checksum of the module as in `go.sum`.
        checksum: String,
        /// Version of the Go that built it.
        go: String,
    },
    /// An operator's own.
    Given {
        /// Where they lie.
        path: PathBuf,
    },
}

const RECORD: &str = "engine.json";

impl Directory {
    /// The directory; made when something is installed.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where a version is or will be.
    pub fn place(&self, engine: &str, version: &str) -> PathBuf {
        self.0.join(format!("{engine}-{version}"))
    }

    /// Where a version is made.
    pub(crate) fn workshop(&self, engine: &str, version: &str) -> PathBuf {
        self.0.join(".work").join(format!("{engine}-{version}"))
    }

    /// What is installed of an engine, the newest installation first.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Record`].
    pub fn installed(&self, engine: &str) -> Result<Vec<Installed>> {
        let entries = match std::fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::file(&self.0, error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| Error::file(&self.0, error))?.path().join(RECORD);
            let text = match std::fs::read(&path) {
                Ok(text) => text,
                Err(error)
                    if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
                {
                    continue;
                }
                Err(error) => return Err(Error::file(&path, error)),
            };
            let record: Installed = serde_json::from_slice(&text).map_err(|source| Error::Record { path, source })?;
            if record.engine == engine {
                found.push(record);
            }
        }
        found.sort_by_key(|record| std::cmp::Reverse(record.installed_at));
        Ok(found)
    }

    /// Takes programs that an operator has: `path` holds them, or has them below `bin`. Nothing is copied.
    ///
    /// # Errors
    /// [`Error::Programs`] when one is missing or cannot be run, [`Error::Version`].
    pub fn add(&self, recipe: &Recipe, version: &str, path: &Path) -> Result<Installed> {
        check_version(recipe, version)?;
        let recipe = &recipe.of(version);
        let path = path.canonicalize().map_err(|error| Error::Programs(format!("{}: {error}", path.display())))?;
        let bin = if path.join("bin").join(&recipe.programs[0]).exists() { path.join("bin") } else { path.clone() };
        let record = Installed {
            engine: recipe.name.clone(),
            version: version.into(),
            programs: hashes(recipe, &bin)?,
            origin: Origin::Given { path },
            tested: false,
            installed_at: now(),
        };
        let work = self.workshop(&recipe.name, version);
        clear(&work)?;
        std::fs::create_dir_all(&work).map_err(|error| Error::file(&work, error))?;
        std::os::unix::fs::symlink(&bin, work.join("bin")).map_err(|error| Error::file(&work, error))?;
        self.put(&work, &record)?;
        Ok(record)
    }

    /// Removes a version; an operator's own programs stay where they are. No error when there is nothing.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn remove(&self, engine: &str, version: &str) -> Result<()> {
        clear(&self.workshop(engine, version))?;
        let place = self.place(engine, version);
        if !place.exists() {
            return Ok(());
        }
        // Out of sight at once, also when the removal is interrupted.
        let gone = self.workshop(engine, version);
        std::fs::create_dir_all(self.0.join(".work")).map_err(|error| Error::file(&gone, error))?;
        std::fs::rename(&place, &gone).map_err(|error| Error::file(&place, error))?;
        clear(&gone)
    }

    /// Puts a version that was made in `work` into its place.
    pub(crate) fn put(&self, work: &Path, record: &Installed) -> Result<()> {
        let file = work.join(RECORD);
        let text = serde_json::to_vec_pretty(record).map_err(|source| Error::Record { path: file.clone(), source })?;
        std::fs::write(&file, text).map_err(|error| Error::file(&file, error))?;
        let place = self.place(&record.engine, &record.version);
        clear(&place)?;
        std::fs::rename(work, &place).map_err(|error| Error::file(&place, error))
    }
}

/// SHA-256 of each of a recipe's programs in a directory.
pub(crate) fn hashes(recipe: &Recipe, bin: &Path) -> Result<BTreeMap<String, String>> {
    let mut hashes = BTreeMap::new();
    for program in &recipe.programs {
        let path = bin.join(program);
        let missing = |why: &str| {
            Error::Programs(format!(
                "{} is not a program of {}: {why}; the directory must hold {}",
                path.display(),
                recipe.name,
                recipe.programs.join(", ")
            ))
        };
        if nix::unistd::access(&path, nix::unistd::AccessFlags::X_OK).is_err() {
            return Err(missing("it is not there or not executable"));
        }
        let mut file = std::fs::File::open(&path).map_err(|error| missing(&error.to_string()))?;
        let mut hash = Sha256::new();
        std::io::copy(&mut file, &mut hash).map_err(|error| Error::file(&path, error))?;
        hashes.insert(program.clone(), hex::encode(hash.finalize()));
    }
    Ok(hashes)
}

/// Removes a directory with everything in it. No error when there is nothing.
pub(crate) fn clear(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file(path, error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::Catalogue;

    #[test]
    fn given_programs_are_checked_listed_and_left_alone() {
        let catalogue = Catalogue::embedded().unwrap();
        let recipe = catalogue.recipe("besu").unwrap();
        let temporary = tempfile::tempdir().unwrap();
        let own = temporary.path().join("besu-26.9.0");
        let directory = Directory::new(temporary.path().join("engines"));
        assert!(directory.installed("besu").unwrap().is_empty(), "nothing is there yet");
        assert!(matches!(directory.add(recipe, "26.9.0", &own), Err(Error::Programs(_))), "no such directory");

        std::fs::create_dir_all(own.join("bin")).unwrap();
        let program = own.join("bin").join(&recipe.programs[0]);
        std::fs::write(&program, "#!/bin/sh\n").unwrap();
        assert!(matches!(directory.add(recipe, "26.9.0", &own), Err(Error::Programs(_))), "not executable");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(directory.add(recipe, "../x", &own), Err(Error::Version(..))));

        let added = directory.add(recipe, "26.9.0", &own).unwrap();
        assert_eq!(directory.add(recipe, "26.9.0", &own).unwrap().programs, added.programs, "again");
        assert_eq!(directory.installed("besu").unwrap().len(), 1);
        assert!(directory.installed("quorum").unwrap().is_empty());
        assert!(directory.place("besu", "26.9.0").join("bin").join(&recipe.programs[0]).exists());

        directory.remove("besu", "26.9.0").unwrap();
        directory.remove("besu", "26.9.0").unwrap();
        assert!(directory.installed("besu").unwrap().is_empty());
        assert!(program.exists(), "an operator's own program stays");
    }
}
