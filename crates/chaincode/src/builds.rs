//! The directory of builds: what is there, and making what is not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use host::Sandbox;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::files::{clear, make, seal};
use crate::workshop::Workshop;
use crate::{Error, Language, Progress, Result, Source, go, java, node};

/// Goes into a build's id: raised whenever the same source and compiler would give another result.
const REVISION: &str = "1";
const RECORD: &str = "build.json";

/// Builds of chaincode: `DIRECTORY/ID/bin/chaincode` with the record `DIRECTORY/ID/build.json`. Several servers may share the
/// directory and the cache.
#[derive(Clone, Debug)]
pub struct Builds {
    /// Where they are.
    pub directory: PathBuf,
    /// What compilers download and keep. Nothing in it is needed to run what was built.
    pub cache: PathBuf,
    /// What compilers find in their environment: `PATH`, and the operator's settings of registries and proxies. All of
    /// it can be read by the code that is built.
    pub environment: BTreeMap<String, String>,
    /// Whether a build may download what it depends on.
    pub downloads: bool,
    /// Where builds run. It hides what the server hides from other people's code; this directory and the cache are hidden
    /// by each build, apart from what it is given.
    pub sandbox: Sandbox,
    /// How long a build may take.
    pub time_limit: Duration,
}

/// A build that is complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Built {
    /// 32 hexadecimal digits, settled by the source and the compiler. A host knows the program as `chaincode:ID/chaincode`.
    pub id: String,
    /// What it is written in.
    pub language: Language,
    /// Digest of the source.
    pub source: String,
    /// The compiler, such as `go 1.26.0`.
    pub toolchain: String,
    /// SHA-256 of the program, hexadecimal: of the one file, or for more of what `sha256sum` prints for them in the order of
    /// their paths.
    pub program: String,
    /// When, in microseconds since 1970.
    pub built_at: i64,
}

impl Builds {
    /// The program of a build.
    pub fn program(&self, id: &str) -> PathBuf {
        self.directory.join(id).join("bin/chaincode")
    }

    /// A build, if it is there and complete.
    ///
    /// # Errors
    /// [`Error::Unknown`] for what cannot be an id, [`Error::File`].
    pub fn find(&self, id: &str) -> Result<Option<Built>> {
        let path = self.place(id)?.join(RECORD);
        match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| Error::file(&path, error.into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file(&path, error)),
        }
    }

    /// All builds, the newest first.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn list(&self) -> Result<Vec<Built>> {
        let entries = match std::fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::file(&self.directory, error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| Error::file(&self.directory, error))?.file_name();
            if let Some(name) = name.to_str().filter(|name| is_id(name)) {
                found.extend(self.find(name)?);
            }
        }
        found.sort_by_key(|built| std::cmp::Reverse(built.built_at));
        Ok(found)
    }

    /// Removes a build. No error when there is none.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::File`].
    pub fn remove(&self, id: &str) -> Result<()> {
        let place = self.place(id)?;
        if !place.exists() {
            return Ok(());
        }
        // Out of sight at once, also when the removal is interrupted.
        let gone = self.aside(id)?;
        std::fs::rename(&place, &gone).map_err(|error| Error::file(&place, error))?;
        clear(&gone)
    }

    /// Builds a source, or gives the build that is there already. A build that was cut short begins anew with what it had
    /// downloaded.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn build(&self, source: &Source, progress: Progress<'_>) -> Result<Built> {
        let language = source.language()?;
        let mut workshop = Workshop::new(self, source);
        let toolchain = match language {
            Language::Go => go::toolchain(&mut workshop).await?,
            Language::JavaScript | Language::TypeScript => node::toolchain(&mut workshop).await?,
            Language::Java => java::toolchain(&mut workshop).await?,
        };
        progress(format!("{toolchain} found"));
        let digest = source.digest();
        let id = hex::encode(Sha256::digest(format!("{REVISION} {language:?} {digest} {toolchain}")))[..32].to_owned();
        make(&self.directory.join(".work"))?;
        let _lock = self.lock(&id, progress).await?;
        if let Some(built) = self.find(&id)? {
            return Ok(built);
        }
        let work = self.directory.join(".work").join(&id);
        // Aside first: a build that a killed server has left may still write there.
        let gone = self.aside(&id)?;
        if work.exists() {
            std::fs::rename(&work, &gone).map_err(|error| Error::file(&work, error))?;
        }
        if let Err(error) = clear(&gone) {
            tracing::warn!(%error, "what a build has left could not be removed");
        }
        let made = async {
            workshop.open(&work)?;
            match language {
                Language::Go => go::build(&workshop, progress).await?,
                Language::JavaScript | Language::TypeScript => node::build(&workshop, language, progress).await?,
                Language::Java => java::build(&workshop, progress).await?,
            }
            let program = seal(&workshop.out())?;
            let built = Built { id: id.clone(), language, source: digest, toolchain, program, built_at: now() };
            self.put(&workshop.out(), &built)?;
            Ok(built)
        }
        .await;
        // A failed build leaves nothing but its downloads.
        clear(&work)?;
        made
    }

    /// Puts a result into its place, record and all.
    fn put(&self, out: &Path, built: &Built) -> Result<()> {
        let path = out.join(RECORD);
        let text = serde_json::to_vec_pretty(built).map_err(|error| Error::file(&path, error.into()))?;
        std::fs::write(&path, text).map_err(|error| Error::file(&path, error))?;
        let place = self.place(&built.id)?;
        clear(&place)?;
        std::fs::rename(out, &place).map_err(|error| Error::file(&place, error))
    }

    /// One build of an id at a time, also of several servers that share the directory.
    async fn lock(&self, id: &str, progress: Progress<'_>) -> Result<std::fs::File> {
        let path = self.directory.join(".work").join(format!("{id}.lock"));
        let file = std::fs::File::create(&path).map_err(|error| Error::file(&path, error))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(std::fs::TryLockError::WouldBlock) => {}
                Err(std::fs::TryLockError::Error(error)) => return Err(Error::file(&path, error)),
            }
            progress("another build of the same source runs; waiting for it".into());
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    fn place(&self, id: &str) -> Result<PathBuf> {
        if is_id(id) { Ok(self.directory.join(id)) } else { Err(Error::Unknown(id.into())) }
    }

    /// A name that nothing has, for what is on its way out.
    fn aside(&self, id: &str) -> Result<PathBuf> {
        let work = self.directory.join(".work");
        make(&work)?;
        Ok(work.join(format!("{id}.gone-{}-{}", std::process::id(), now())))
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_micros() as i64)
}
