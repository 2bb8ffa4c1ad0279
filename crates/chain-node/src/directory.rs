//! The data directory.
//!
//! ```text
//! DIR/node.key       the private key, 64 hexadecimal digits, mode 0600
//! DIR/genesis.json   the chain that the directory was initialised for
//! DIR/lock           locked while a node runs
//! DIR/chain/         state, blocks, receipts and indexes
//! DIR/consensus/     certificates, votes, and the state's commitment
//! DIR/pool.journal   transactions that clients were told are accepted
//! ```

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use chain_types::Genesis;

use crate::{Error, cli::DataOptions};

/// A data directory.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    root: PathBuf,
    key: PathBuf,
}

impl Directory {
    /// Makes the directory if it is not there, readable by its owner alone.
    pub(crate) fn create(options: &DataOptions) -> Result<Self, Error> {
        let directory = Self::at(options);
        if !directory.root.is_dir() {
            use std::os::unix::fs::DirBuilderExt as _;
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory.root);
            made.map_err(|source| file_error(&directory.root, source))?;
        }
        Ok(directory)
    }

    pub(crate) fn at(options: &DataOptions) -> Self {
        let root = options.data.clone();
        let key = options.key_file.clone().unwrap_or_else(|| root.join("node.key"));
        Self { root, key }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn key(&self) -> &Path {
        &self.key
    }

    pub(crate) fn chain(&self) -> PathBuf {
        self.root.join("chain")
    }

    pub(crate) fn consensus(&self) -> PathBuf {
        self.root.join("consensus")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.root.join("pool.journal")
    }

    fn genesis_file(&self) -> PathBuf {
        self.root.join("genesis.json")
    }

    /// The genesis that the directory was initialised with.
    pub(crate) fn genesis(&self) -> Result<Option<Genesis>, Error> {
        let path = self.genesis_file();
        if !path.exists() {
            return Ok(None);
        }
        read_genesis(&path).map(|(genesis, _)| Some(genesis))
    }

    /// Stores the genesis: the whole file or nothing is there after a crash.
    pub(crate) fn store_genesis(&self, text: &str) -> Result<(), Error> {
        let path = self.genesis_file();
        let new = path.with_extension("json.new");
        write_synced(&new, text.as_bytes(), 0o644, false).map_err(|source| file_error(&new, source))?;
        fs::rename(&new, &path).map_err(|source| file_error(&path, source))?;
        sync_directory(&self.root).map_err(|source| file_error(&self.root, source))
    }

    /// Keeps other nodes out for as long as the returned file is open.
    pub(crate) fn lock(&self) -> Result<File, Error> {
        let path = self.root.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|source| file_error(&path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(Error::Locked(self.root.clone())),
            Err(TryLockError::Error(source)) => Err(file_error(&path, source)),
        }
    }
}

/// Reads and checks a genesis file; returns its text too.
pub(crate) fn read_genesis(path: &Path) -> Result<(Genesis, String), Error> {
    let text = fs::read_to_string(path).map_err(|source| file_error(path, source))?;
    let genesis = Genesis::from_json(&text).map_err(|source| Error::Genesis { path: path.into(), source })?;
    Ok((genesis, text))
}

/// Writes a file and waits until it is on disk; `exclusive` fails where there is one.
pub(crate) fn write_synced(path: &Path, bytes: &[u8], mode: u32, exclusive: bool) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.write(true).mode(mode);
    if exclusive {
        options.create_new(true);
    } else {
        options.create(true).truncate(true);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

pub(crate) fn file_error(path: &Path, source: io::Error) -> Error {
    Error::File { path: path.into(), source }
}
